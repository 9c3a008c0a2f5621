/**
 * The reader against binutils, at every address of an image's code: lines against addr2line, call frames against
 * readelf. And the same sources compiled with DWARF 4 and 3, which must tell the same. Relies on Debian's
 * gcc-riscv64-unknown-elf.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readSections, readSymbols } from '../../machine/index.ts';
import {
  COMPILE_FLAGS,
  debugFile,
  IMAGES_FOLDER,
  INCLUDES,
  LINK_FLAGS,
  notesHeader,
  RECIPES,
  SUBJECT_FOLDER,
} from '../../subject/images/recipes.ts';
import { type DebugInfo, type FrameRules, type RegisterRule, readDebugInfo } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-dwarf-'));
afterAll(() => rmSync(folder, { recursive: true }));
const TOOLS = 'riscv64-unknown-elf-';

function run(tool: string, args: readonly string[], input = ''): string {
  const options = { input, encoding: 'utf8', maxBuffer: 1 << 28, cwd: SUBJECT_FOLDER } as const;
  const { status, stdout, stderr, error } = spawnSync(TOOLS + tool, args, options);
  expect([status, error, stderr]).toEqual([0, undefined, expect.anything()]);
  return stdout;
}

/** Every address at which an instruction can begin. */
function addressesOf(file: Uint8Array): bigint[] {
  const text = readSections(file).find(({ name }) => name === '.text')!;
  return Array.from({ length: Number(text.memBytes) / 2 }, (_, n) => text.address + BigInt(2 * n));
}

describe.each(RECIPES)('$name', ({ name }) => {
  const path = IMAGES_FOLDER + debugFile(name);
  const file = readFileSync(path);
  const debug = readDebugInfo(file)!;

  it('has the lines that addr2line finds', () => {
    const addresses = addressesOf(file);
    const asked = addresses.map((address) => address.toString(16)).join('\n');
    const told = run('addr2line', ['-e', path], asked).trim().split('\n');
    const lines = addresses.map((address) => debug.lineAt(address));
    expect(lines.filter((line) => line !== undefined).length).toBeGreaterThan(addresses.length / 2);
    const theirs = told.map((line) => line.replace(/ \(discriminator.*$/, '').replace(/^\.\//, ''));
    const differing = lines.flatMap((line, n) => {
      const own = line ? `${line.file}:${line.line}` : undefined;
      // Padding that the assembler made has no line, and a file of no name.
      return own === theirs[n] || (!own && /:[?0]$/.test(theirs[n]!)) ? [] : [[addresses[n], own, theirs[n]]];
    });
    expect(differing).toEqual([]);
  });

  it('has the call frames that readelf finds', () => {
    const rows = readelfRows(run('readelf', ['--debug-dump=frames-interp', path]));
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows) expect(rowText(debug.frameAt(row.address)!, row.columns)).toEqual(row.rules);
  });
});

interface Row {
  readonly address: bigint;
  /** Names of the columns: CFA, registers as binutils calls them. */
  readonly columns: readonly string[];
  readonly rules: readonly string[];
}

/** The rows of `LOC CFA s0 ra` tables of functions. */
function readelfRows(text: string): Row[] {
  let columns: string[] = [];
  let isFunction = false;
  return text.split('\n').flatMap((line) => {
    if (/ (CIE|FDE) /.test(line)) isFunction = line.includes(' FDE ');
    const words = line.trim().split(/\s+/);
    if (words[0] === 'LOC') columns = words.slice(1);
    const isRow = isFunction && /^[0-9a-f]{16}$/.test(words[0]!) && words.length === columns.length + 1;
    return isRow ? [{ address: BigInt(`0x${words[0]}`), columns, rules: words.slice(1) }] : [];
  });
}

const NAMES =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(' ');
const signed = (offset: number) => `${offset < 0 ? '' : '+'}${offset}`;

function rowText({ cfa, registers }: FrameRules, columns: readonly string[]): string[] {
  return columns.map((column) => {
    if (column === 'CFA') return cfa.kind === 'register' ? `${NAMES[cfa.register]}${signed(cfa.offset)}` : 'exp';
    return ruleText(registers.get(NAMES.indexOf(column)));
  });
}

function ruleText(rule: RegisterRule | undefined): string {
  if (!rule) return 'u';
  if (rule.kind === 'saved') return `c${signed(rule.offset)}`;
  return { same: 's', undefined: 'u', value: 'v', register: 'r', expression: 'exp' }[rule.kind];
}

it.each([3, 4])('sources compiled with DWARF %i tell the same as with DWARF 5', (version) => {
  writeFileSync(join(folder, 'notes.h'), notesHeader());
  const { name, sources, script } = RECIPES.find((recipe) => recipe.name === 'guest-idle')!;
  const build = (dwarf: number): DebugInfo & { readonly file: Uint8Array } => {
    const path = join(folder, `${name}-${dwarf}`);
    const includes = [folder, ...INCLUDES].map((include) => `-I${include}`);
    const flags = [...COMPILE_FLAGS, `-gdwarf-${dwarf}`, '-gstrict-dwarf', ...includes, ...LINK_FLAGS];
    run('gcc', [...flags, `-Wl,-T,${script}`, ...sources, '-o', path]);
    const file = readFileSync(path);
    return { ...readDebugInfo(file)!, file };
  };
  const [old, now] = [build(version), build(5)];
  const addresses = addressesOf(now.file);
  expect(addressesOf(old.file)).toEqual(addresses);
  const all = (debug: DebugInfo) =>
    addresses.map((at) => [debug.lineAt(at)?.line, debug.frameAt(at), debug.functionAt(at)]);
  expect(all(now).filter(([line]) => line !== undefined).length).toBeGreaterThan(200);
  expect(all(old)).toEqual(all(now));
  const objects = readSymbols(now.file).filter((symbol) => symbol.type === 'object' && symbol.size > 0n);
  expect(objects.length).toBeGreaterThan(0);
  for (const { address, size } of objects) {
    const at = address + size / 2n;
    expect(now.variableAt(at)).toBeDefined();
    expect(old.variableAt(at)).toEqual(now.variableAt(at));
  }
  expect([old.problems(), now.problems()]).toEqual([[], []]);
});
