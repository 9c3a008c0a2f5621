/**
 * What `record` loads: ELF files, Linux Images, device trees, flat files. Whatever is in them, the run is recorded or
 * the file refused; and what was recorded replays.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { assemble, RAM_BASE } from '../../engine/index.ts';
import { packageFile } from '../base/package-root.ts';
import { BUILT_IN } from '../cli/machine/images.ts';
import { boardTree, tokensOf, treeOf } from './device-tree.ts';
import type { Kind } from './kinds.ts';
import { CHANGE, type Change, change, changedBytes, NUMBERS, writeNumber } from './mutate.ts';
import { type Specimen, type Subject, subject } from './subject.ts';

/** A number written over a field: of which table, in which row, at which byte. All counted modulo what there is. */
interface FieldChange {
  readonly table: number;
  readonly row: number;
  readonly at: number;
  readonly value: number;
}

interface ImageChange {
  readonly fields: readonly FieldChange[];
  readonly bytes: readonly Change[];
}

const NUMBER = fc.oneof(fc.constantFrom(...NUMBERS), fc.nat({ max: 0x10_0000 }), fc.maxSafeNat());
const FIELD: fc.Arbitrary<FieldChange> = fc.record({ table: fc.nat(), row: fc.nat(), at: fc.nat(), value: NUMBER });
const IMAGE_CHANGE: fc.Arbitrary<ImageChange> = fc
  .record({ fields: fc.array(FIELD, { maxLength: 3 }), bytes: fc.array(CHANGE, { maxLength: 1 }) })
  .filter(({ fields, bytes }) => fields.length + bytes.length > 0);

/** A part of a file that is rows of fields. */
interface Table {
  readonly at: number;
  readonly rows: number;
  readonly rowBytes: number;
}

function changed(file: Uint8Array, tables: readonly Table[], { fields, bytes }: ImageChange): Uint8Array {
  const now = file.slice();
  for (const { table, row, at, value } of fields) {
    const its = tables[table % tables.length]!;
    writeNumber(now, its.at + (row % its.rows) * its.rowBytes + (at % its.rowBytes), value);
  }
  return bytes.reduce(changedBytes, now);
}

/** Records a run of the file and replays it. */
function recording(into: string, flags: readonly string[], length: string): Specimen {
  const trace = join(into, 'run.djvm');
  const limits = ['--max-moment', length, '--max-time', '20ms', '--digest-every', '20k', '--checkpoint-every', '60k'];
  return {
    doors: {
      record: { argv: ['record', ...flags, '-o', trace, ...limits], writes: trace },
      replay: { argv: ['replay', trace] },
      verify: { argv: ['verify', trace] },
      seek: { argv: ['replay', trace, '-g', '1000'] },
    },
    contradiction({ record, replay }) {
      // A guest may end by telling of its own failure: 1.
      return record! <= 1 && replay !== 0 ? `what was recorded does not replay: ${replay}` : undefined;
    },
  };
}

function images(
  name: Kind,
  source: () => { readonly file: Uint8Array; readonly tables: readonly Table[] },
  flags: (path: string) => readonly string[],
  length: string,
): Subject {
  return subject<ImageChange>(name, async () => {
    const { file, tables } = source();
    return {
      changes: IMAGE_CHANGE,
      make(change, into) {
        const path = join(into, 'image');
        writeFileSync(path, changed(file, tables, change));
        return recording(into, flags(path), length);
      },
    };
  });
}

const builtIn = (role: keyof typeof BUILT_IN): Uint8Array => new Uint8Array(readFileSync(packageFile(BUILT_IN[role])));

/** The file header, the program headers, the section headers, and the symbols. */
function elf(file: Uint8Array) {
  const view = new DataView(file.buffer, file.byteOffset, file.length);
  const programs = { at: Number(view.getBigUint64(32, true)), rows: view.getUint16(56, true), rowBytes: 56 };
  const sections = { at: Number(view.getBigUint64(40, true)), rows: view.getUint16(60, true), rowBytes: 64 };
  const places = Array.from({ length: sections.rows }, (_, n) => sections.at + n * sections.rowBytes);
  const symbols = places
    .filter((at) => view.getUint32(at + 4, true) === 2)
    .map((at) => {
      const bytes = Number(view.getBigUint64(at + 32, true));
      return { at: Number(view.getBigUint64(at + 24, true)), rows: bytes / 24, rowBytes: 24 };
    });
  return { file, tables: [{ at: 0, rows: 1, rowBytes: 64 }, programs, sections, ...symbols] };
}

/** Named with --symbols: for the image that it belongs to, and as of software that has moved. */
const DEBUG_FILE = subject<ImageChange>('debug file', async () => {
  const { file, tables } = elf(new Uint8Array(readFileSync(packageFile('engine/subject/images/lazarus.debug'))));
  const trace = packageFile('traces/corpus/copied-word.djvm');
  return {
    changes: IMAGE_CHANGE,
    make(change, into) {
      const path = join(into, 'lazarus.debug');
      writeFileSync(path, changed(file, tables, change));
      const show = ['show', trace, '-g', '700k', 'where', 'dis', '0x80200300', 'mem', 'spa:0x8020a000', '--symbols'];
      return { doors: { image: { argv: [...show, path] }, moved: { argv: [...show, `${path}@0x86000000`] } } };
    },
  };
});

const PROGRAM = `
    la t0, handler
    csrw stvec, t0
  loop:
    addi a0, a0, 1
    andi a3, a0, 255
    bnez a3, loop
    ecall
    j loop
    .balign 4
  handler:
    csrr t1, sepc
    addi t1, t1, 4
    csrw sepc, t1
    sret
`;

/** A Linux Image (Documentation/arch/riscv/boot-image-header.rst) whose first instruction jumps over its header. */
function linuxImage() {
  const code = assemble(`j main\n .balign 64\n main:\n${PROGRAM}`, RAM_BASE).bytes;
  const file = new Uint8Array(Math.max(4096, code.length));
  file.set(code);
  const view = new DataView(file.buffer);
  view.setBigUint64(8, 0x20_0000n, true);
  view.setBigUint64(16, BigInt(file.length), true);
  view.setUint32(32, 2, true);
  view.setUint32(48, 0x5643534952, true);
  view.setUint32(56, 0x0543_5352, true);
  return { file, tables: [{ at: 0, rows: 1, rowBytes: 64 }] };
}

/** A short run of a small machine, for files that are not about what runs. */
const SHORT = '30k';

/** Either the bytes of the blob, or what they mean, with all sizes and offsets right. */
type TreeChange = ImageChange | { readonly tokens: readonly Change[] };

const DEVICE_TREE = subject<TreeChange>('device tree', async () => {
  const file = boardTree();
  const tables = [
    { at: 0, rows: 1, rowBytes: 40 },
    { at: 56, rows: 64, rowBytes: 4 },
  ];
  return {
    changes: fc.oneof(IMAGE_CHANGE, {
      weight: 3,
      arbitrary: fc.record({ tokens: fc.array(CHANGE, { minLength: 1, maxLength: 4 }) }),
    }),
    make(its, into) {
      const path = join(into, 'image');
      writeFileSync(path, 'tokens' in its ? changedTree(file, its.tokens) : changed(file, tables, its));
      return recording(into, ['-dtb', path, '-bios', packageFile(BUILT_IN.bios), '-m', '8M', '-append', 'x=1'], SHORT);
    },
  };
});

function changedTree(file: Uint8Array, changes: readonly Change[]): Uint8Array {
  const tree = { tokens: tokensOf(file) };
  for (const one of changes) change(tree, one);
  return treeOf(tree.tokens);
}

const program = () => {
  const file = assemble(PROGRAM, RAM_BASE).bytes;
  return { file, tables: [{ at: 0, rows: file.length / 4, rowBytes: 4 }] };
};

export const IMAGES: readonly Subject[] = [
  images(
    'firmware ELF',
    () => elf(builtIn('bios')),
    (path) => ['-bios', path, '-m', '8M'],
    SHORT,
  ),
  images(
    'hypervisor ELF',
    () => elf(builtIn('kernel')),
    (path) => ['-bios', 'default', '-kernel', path, '-initrd', packageFile(BUILT_IN.initrd)],
    '200k',
  ),
  images(
    'guest ELF',
    () => elf(builtIn('initrd')),
    (path) => ['-initrd', path],
    '200k',
  ),
  DEBUG_FILE,
  images('Linux Image', linuxImage, (path) => ['-kernel', path, '-m', '16M'], SHORT),
  DEVICE_TREE,
  images('flat file', program, (path) => ['-bios', path, '-m', '4M', '-smp', '2'], SHORT),
];
