/**
 * What tests of traces share: a sink in memory that can fail, runs as data, and how they are written. Used by tests
 * only; relies on fast-check for the arbitrary runs.
 */
import fc from 'fast-check';
import { encodeBlock } from './block.ts';
import { xxh64 } from './hash.ts';
import { encodePreamble } from './preamble.ts';
import { completeHeader, encodeHeader, MAX_DIGEST_GAP, type TraceHeaderFields } from './records/header.ts';
import { KIND } from './records/kinds.ts';
import type { TraceSink } from './sink.ts';
import type {
  TraceCheckpoint,
  TraceConsole,
  TraceDigest,
  TraceEnd,
  TraceInput,
  TraceNote,
  TracePage,
  TraceVmDigest,
  TraceWriter,
} from './types.ts';
import { type ImageContent, traceWriterOn } from './writer.ts';

export const FIELDS: TraceHeaderFields = {
  engineBehaviour: 1,
  toolVersion: '0.1.0',
  machine: {
    harts: 2,
    ramBytes: 1 << 27,
    quantum: { policy: 'jittered', ticks: 1000, seed: '18446744073709551615' },
    append: 'recovery=rehype',
  },
  digestEvery: 1_000_000,
  checkpointEvery: 10_000_000,
  commandLine: ['dejavm', 'record', '-o', 'a.djvm'],
};

/** A header with what format 1.1 added. */
export const FIELDS_WITH_DEVICES: TraceHeaderFields = {
  ...FIELDS,
  machine: {
    ...FIELDS.machine,
    seed: '7',
    wallClock: 1_735_689_600,
    devices: [
      { kind: 'block', slot: 7, settings: { image: 'drive0', readOnly: 'off', serial: '' } },
      { kind: 'entropy', slot: 6, settings: {} },
    ],
  },
};

/** A header with what format 1.2 added: of a cut that begins where `SAMPLE` does. */
export const FIELDS_OF_CUT: TraceHeaderFields = {
  ...FIELDS_WITH_DEVICES,
  cut: { of: '0123456789abcdef', from: { moment: 0, ticks: 0 }, to: { moment: 310, ticks: 2 ** 40 + 30 } },
};

export const IMAGES: readonly ImageContent[] = [
  { role: 'bios', name: 'fw.elf', bytes: Uint8Array.from({ length: 300 }, (_, i) => i * 7) },
  { role: 'kernel', name: 'lazarus.elf', bytes: Uint8Array.from({ length: 500 }, (_, i) => i ^ (i >> 3)) },
];

/** One call of a writer. */
export type Op =
  | { readonly op: 'input'; readonly record: TraceInput }
  | { readonly op: 'digest'; readonly record: TraceDigest }
  | { readonly op: 'vmDigest'; readonly record: TraceVmDigest }
  | { readonly op: 'console'; readonly record: TraceConsole }
  | { readonly op: 'note'; readonly record: TraceNote }
  | { readonly op: 'checkpoint'; readonly record: TraceCheckpoint }
  | { readonly op: 'flush' };

/** A sink in memory. `capacity` bytes fit; then it fails as a full disk does, after a partial write. */
export function memorySink(
  capacity = Number.POSITIVE_INFINITY,
): TraceSink & { content(): Uint8Array; discarded: boolean } {
  let pieces: Uint8Array[] = [];
  let size = 0;
  return {
    path: 'memory.djvm',
    discarded: false,
    append(bytes) {
      const fits = bytes.subarray(0, Math.max(0, capacity - size));
      pieces.push(fits.slice());
      size += fits.length;
      if (fits.length < bytes.length) throw Object.assign(new Error('write failed'), { code: 'ENOSPC' });
    },
    truncate(sizeBytes) {
      pieces = [Buffer.concat(pieces).subarray(0, sizeBytes)];
      size = sizeBytes;
    },
    sync() {},
    complete() {},
    close() {},
    discard() {
      this.discarded = true;
    },
    content: () => Uint8Array.from(Buffer.concat(pieces)),
  };
}

export function apply(writer: TraceWriter, ops: readonly Op[]): void {
  for (const step of ops) {
    if (step.op === 'flush') writer.flush();
    else if (step.op === 'input') writer.input(step.record);
    else if (step.op === 'digest') writer.digest(step.record);
    else if (step.op === 'vmDigest') writer.vmDigest(step.record);
    else if (step.op === 'console') writer.console(step.record);
    else if (step.op === 'note') writer.note(step.record);
    else writer.checkpoint(step.record);
  }
}

/** Fields of a trace whose digests may be as far apart as any, as those of `opsArb` are. */
export const SPARSE_FIELDS: TraceHeaderFields = { ...FIELDS, digestEvery: MAX_DIGEST_GAP };

/** The bytes of a trace of `ops`; without `end` as an abandoned recorder leaves them. */
export function traceBytes(ops: readonly Op[], end?: TraceEnd, images = IMAGES, fields = FIELDS): Uint8Array {
  const sink = memorySink();
  const writer = traceWriterOn(sink, fields, images);
  apply(writer, ops);
  if (end) writer.finish(end);
  else writer.abandon();
  return sink.content();
}

/** A block made by hand. */
export interface ForgedBlock {
  readonly kind: number;
  readonly records?: number;
  readonly continues?: boolean;
  readonly content: Uint8Array;
}

/** A trace made by hand, with right checksums: any version, any blocks after the header, no footer. */
export function forged(
  major: number,
  minor: number,
  blocks: readonly ForgedBlock[],
  fields: TraceHeaderFields = FIELDS,
): Uint8Array {
  const header = encodeHeader(completeHeader(fields, [], major, minor));
  return sealed(major, minor, [{ kind: KIND.HEADER, content: header }, ...blocks]);
}

/** The bytes of a file that holds these blocks, the header among them. */
export function sealed(major: number, minor: number, blocks: readonly ForgedBlock[], isCut = false): Uint8Array {
  const preamble = encodePreamble(major, minor, isCut);
  const pieces = [preamble.bytes];
  let check = preamble.check;
  for (const [sequence, its] of blocks.entries()) {
    const block = encodeBlock({ records: 1, continues: false, ...its, sequence }, check);
    pieces.push(block.bytes);
    check = block.check;
  }
  return Uint8Array.from(Buffer.concat(pieces));
}

/** A page filled from `seed`; compressible, as guest memory is. */
export function page(index: number, seed: number): TracePage {
  const bytes = new Uint8Array(4096);
  for (let i = 0; i < 64; i++) bytes[i * 7] = seed + i;
  return { index, hash: xxh64(bytes), bytes };
}

/** A small run that has every kind of record, in several blocks. */
export const SAMPLE: readonly Op[] = [
  {
    op: 'checkpoint',
    record: {
      moment: 0,
      ticks: 0,
      digest: 1n,
      state: new Uint8Array(90).fill(3),
      changed: [page(0, 1), page(7, 2)],
      cleared: [],
    },
  },
  { op: 'console', record: { moment: 10, ticks: 11, byte: 0x68 } },
  { op: 'console', record: { moment: 12, ticks: 14, byte: 0x69 } },
  { op: 'input', record: { moment: 20, ticks: 25, kind: 'console', data: { bytes: Uint8Array.of(1, 2, 255) } } },
  { op: 'digest', record: { moment: 100, ticks: 120, digest: 0xffff_ffff_ffff_ffffn } },
  { op: 'flush' },
  { op: 'note', record: { moment: 130, ticks: 150, hart: 1, code: 0x1010, arg: 65535 } },
  { op: 'digest', record: { moment: 200, ticks: 240, digest: 2n } },
  { op: 'vmDigest', record: { moment: 200, ticks: 240, vmid: 1, digest: 9n } },
  {
    op: 'checkpoint',
    record: {
      moment: 200,
      ticks: 240,
      digest: 2n,
      state: new Uint8Array(90).fill(4),
      changed: [page(7, 1), page(9, 3)],
      cleared: [0],
    },
  },
  { op: 'input', record: { moment: 210, ticks: 2 ** 40, kind: 'fault', data: { model: 'failstop', hart: 1 } } },
  { op: 'digest', record: { moment: 300, ticks: 2 ** 40 + 9, digest: 3n } },
];
export const SAMPLE_END: TraceEnd = { moment: 310, ticks: 2 ** 40 + 30, digest: 4n, reason: 'halted pass 0' };

const plainData = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(null, true, false),
    // msgpackr writes -0 as 0; the trace's users have no -0.
    fc.double({ noNaN: true }).map((x) => (Object.is(x, -0) ? 0 : x)),
    fc.maxSafeInteger(),
    fc.bigInt({ min: -(1n << 63n), max: (1n << 64n) - 1n }),
    fc.string(),
    fc.uint8Array(),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(
      fc.string({ minLength: 1, maxLength: 5 }).filter((key) => key !== '__proto__'),
      tie('value'),
      { maxKeys: 3, noNullPrototype: true },
    ),
  ),
})).value;

const u64 = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const u32 = fc.nat({ max: 0xffff_ffff });
const pageArb = fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 5 })).map(([index, seed]) => page(index, seed));
const pagesArb = fc.uniqueArray(pageArb, { maxLength: 6, selector: (p) => p.index });

/** A record of any kind, without its position. */
const shape = fc.oneof(
  fc.record({ op: fc.constant('input'), kind: fc.string(), data: plainData }),
  fc.record({ op: fc.constant('digest'), digest: u64 }),
  fc.record({ op: fc.constant('vmDigest'), vmid: u32, digest: u64 }),
  fc.record({ op: fc.constant('console'), byte: fc.nat({ max: 255 }) }),
  fc.record({ op: fc.constant('note'), hart: fc.nat({ max: 7 }), code: u32, arg: u32 }),
  fc.record({
    op: fc.constant('checkpoint'),
    digest: u64,
    state: fc.uint8Array({ maxLength: 300 }),
    changed: pagesArb,
    cleared: fc.uniqueArray(fc.nat({ max: 30 }), { maxLength: 4 }),
  }),
  fc.record({ op: fc.constant('flush') }),
);

/** Runs of any records, positions going forward. */
export const opsArb: fc.Arbitrary<Op[]> = fc
  .array(fc.tuple(shape, fc.nat({ max: 1 << 26 }), fc.nat({ max: 1 << 30 })), { maxLength: 40 })
  .map((steps) => {
    let moment = 0;
    let ticks = 0;
    return steps.map(([{ op, ...rest }, dm, dt]) => {
      moment += dm;
      ticks += dm + dt;
      return (op === 'flush' ? { op } : { op, record: { moment, ticks, ...rest } }) as Op;
    });
  });

/** The records of one kind among `ops`. */
export function recordsOf<K extends Exclude<Op['op'], 'flush'>>(
  ops: readonly Op[],
  kind: K,
): Extract<Op, { readonly op: K; readonly record: unknown }>['record'][] {
  return ops.flatMap((step) => (step.op === kind && 'record' in step ? [step.record] : [])) as never;
}
