/**
 * A small two-pass assembler, so that tests and benchmarks read as assembly: labels, the table's instructions (16-bit
 * ones only as `c.…`), pseudo-instructions, `li` with any 64-bit constant, `la`, and data directives. No relaxation, no
 * sections, no macros; `call` and `tail` reach ±1 MiB.
 */

import { compressedByName, insertOperands, instructionByName, type Operands } from '../instructions/index.ts';
import { aliasesNamed, aliasOperands } from './aliases.ts';
import { loadImmediate } from './load-immediate.ts';
import { registerNumber } from './registers.ts';
import { parseOperands } from './syntax.ts';

export interface Assembled {
  readonly bytes: Uint8Array;
  /** Labels and `.equ` constants. */
  readonly symbols: ReadonlyMap<string, bigint>;
}

/** A line that could not be assembled; the message names line and reason. */
export class AssembleError extends Error {
  override readonly name = 'AssembleError';
}

/**
 * Assembles `source` (text, or lines) for address `origin`. Directives: `.byte .half .word .dword` (values), `.zero N`,
 * `.balign N` (filled with zeros), `.asciz "text"`, `.equ name, value`. Comments start with `#`. `.` is the current
 * address. @throws AssembleError
 */
export function assemble(source: string | readonly string[], origin: bigint | number): Assembled {
  const lines = (typeof source === 'string' ? source.split('\n') : source).map(parseLine);
  const symbols = new Map<string, bigint>();
  const layout = { pc: BigInt(origin), symbols, final: false };
  const lengths = lines.map((line) => {
    const length = emit(line, layout).length;
    layout.pc += BigInt(length);
    return length;
  });
  const place: Place = { pc: BigInt(origin), symbols, final: true };
  const bytes: number[] = [];
  for (const [index, line] of lines.entries()) {
    const emitted = emit(line, place);
    if (emitted.length !== lengths[index]) fail(line, 'its length depends on a label that comes later');
    for (const byte of emitted) bytes.push(byte);
    place.pc += BigInt(emitted.length);
  }
  return { bytes: Uint8Array.from(bytes), symbols };
}

interface Line {
  readonly number: number;
  readonly labels: readonly string[];
  readonly mnemonic: string;
  readonly rest: string;
}
interface Place {
  pc: bigint;
  readonly symbols: Map<string, bigint>;
  /** Second pass: every symbol is known, every value must fit. */
  readonly final: boolean;
}

function parseLine(text: string, index: number): Line {
  let rest = text.replace(/#.*$/, '').trim();
  const labels: string[] = [];
  for (let match = LABEL.exec(rest); match; match = LABEL.exec(rest)) {
    labels.push(match[1] ?? '');
    rest = rest.slice(match[0].length).trim();
  }
  const mnemonic = /^\S+/.exec(rest)?.[0] ?? '';
  return { number: index + 1, labels, mnemonic, rest: rest.slice(mnemonic.length).trim() };
}

const LABEL = /^([A-Za-z_][\w.]*):/;

const fail = (line: Line, reason: string): never => {
  throw new AssembleError(`line ${line.number}: ${line.mnemonic} ${line.rest}: ${reason}`);
};

/** Bytes of a line at `place`; the first pass cares for their number only. */
function emit(line: Line, place: Place): number[] {
  for (const label of line.labels) {
    if (!place.final && place.symbols.has(label)) fail(line, `label ${label} is defined twice`);
    place.symbols.set(label, place.pc);
  }
  if (line.mnemonic === '') return [];
  const directive = DIRECTIVES[line.mnemonic];
  if (directive) return directive(line, place);
  if (line.mnemonic.startsWith('.')) fail(line, 'unknown directive');
  if (line.mnemonic === 'li') return emitLoadImmediate(line, place);
  if (line.mnemonic === 'la') return emitLoadAddress(line, place);
  return emitInstruction(line, place);
}

/** Value of `term ± term …`; a term is a number, a symbol or `.`. Unknown symbols count as pc in the first pass. */
function evaluateText(text: string, place: Place): bigint | undefined {
  const tokens = text.match(/[+-]|[^\s+-]+/g);
  if (!tokens) return undefined;
  let sum = 0n;
  let sign = 1n;
  let expectTerm = true;
  for (const token of tokens) {
    if (token === '+' || token === '-') {
      if (token === '-') sign = -sign;
      expectTerm = true;
      continue;
    }
    const value = expectTerm ? term(token, place) : undefined;
    if (value === undefined) return undefined;
    sum += sign * value;
    sign = 1n;
    expectTerm = false;
  }
  return expectTerm ? undefined : sum;
}

function term(token: string, place: Place): bigint | undefined {
  if (/^(0x[\da-f]+|0b[01]+|\d+)$/i.test(token)) return BigInt(token);
  if (token === '.') return place.pc;
  if (!/^[A-Za-z_][\w.]*$/.test(token)) return undefined;
  return place.symbols.get(token) ?? (place.final ? undefined : place.pc);
}

const numberAt = (line: Line, text: string, place: Place): bigint =>
  evaluateText(text, place) ?? fail(line, `${text || 'nothing'} is no value`);

const littleEndian = (value: bigint, bytes: number): number[] =>
  Array.from({ length: bytes }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));

const data = (bytes: number) => (line: Line, place: Place) =>
  line.rest.split(',').flatMap((text) => littleEndian(numberAt(line, text.trim(), place), bytes));

const DIRECTIVES: Readonly<Record<string, (line: Line, place: Place) => number[]>> = {
  '.byte': data(1),
  '.half': data(2),
  '.word': data(4),
  '.dword': data(8),
  '.zero': (line, place) => new Array<number>(Number(numberAt(line, line.rest, place))).fill(0),
  '.balign': (line, place) => {
    const alignment = numberAt(line, line.rest, place);
    return new Array<number>(Number((alignment - (place.pc % alignment)) % alignment)).fill(0);
  },
  '.asciz': (line) => {
    const text = /^".*"$/.test(line.rest) ? (JSON.parse(line.rest) as string) : fail(line, 'expected "text"');
    return [...new TextEncoder().encode(text), 0];
  },
  '.equ': (line, place) => {
    const [name = '', value = ''] = line.rest.split(',').map((part) => part.trim());
    place.symbols.set(name, numberAt(line, value, place));
    return [];
  },
};

function emitLoadImmediate(line: Line, place: Place): number[] {
  const [name = '', text = ''] = line.rest.split(',').map((part) => part.trim());
  const rd = registerNumber(name) ?? fail(line, `${name} is no register`);
  // A later label would change its length between the passes; refuse it in both.
  const known: Place = { ...place, final: true };
  return loadImmediate(rd, numberAt(line, text, known)).flatMap(({ name: step, operands }) =>
    encode(line, step, operands),
  );
}

function emitLoadAddress(line: Line, place: Place): number[] {
  const [name = '', text = ''] = line.rest.split(',').map((part) => part.trim());
  const rd = registerNumber(name) ?? fail(line, `${name} is no register`);
  const offset = Number(numberAt(line, text, place) - place.pc);
  const low = ((offset + 0x800) & 0xfff) - 0x800;
  return [...encode(line, 'auipc', { rd, imm: offset - low }), ...encode(line, 'addi', { rd, rs1: rd, imm: low })];
}

function encode(line: Line, name: string, operands: Operands): number[] {
  const row = instructionByName(name);
  const raw = row ? insertOperands(row.encoding, operands) : `${name} is not in the table`;
  return typeof raw === 'string' ? fail(line, raw) : littleEndian(BigInt(raw), 4);
}

/** Tries every row and alias of that name; the reason given is that of the last. */
function emitInstruction(line: Line, place: Place): number[] {
  const { name, ordering } = splitOrdering(line.mnemonic);
  const row = instructionByName(name);
  const form = compressedByName(name);
  const withOrdering = (written: Operands): Operands => ({ ...written, ...ordering });
  const spellings = [
    ...(row ? [{ encoding: row.encoding, syntax: row.syntax, complete: withOrdering }] : []),
    ...aliasesNamed(name).flatMap((alias) => {
      const of = instructionByName(alias.of);
      const complete = (written: Operands) => aliasOperands(alias, written);
      return of ? [{ encoding: of.encoding, syntax: alias.syntax, complete }] : [];
    }),
    ...(form ? [{ encoding: form.encoding, syntax: form.syntax, complete: withOrdering }] : []),
  ];
  let reason = 'unknown instruction';
  for (const { encoding, syntax, complete } of spellings) {
    const context = { pc: place.pc, value: (text: string) => evaluateText(text, place) };
    const operands = parseOperands(syntax, line.rest, context);
    if (typeof operands === 'string') {
      reason = operands;
      continue;
    }
    const raw = insertOperands(encoding, complete(operands));
    if (typeof raw === 'number') return littleEndian(BigInt(raw), encoding.bits / 8);
    // Offsets to labels not yet seen are guesses in the first pass; the length is right all the same.
    if (!place.final) return new Array<number>(encoding.bits / 8).fill(0);
    reason = raw;
  }
  return fail(line, reason);
}

/** `amoadd.w.aqrl` → `amoadd.w` with aq and rl set. */
function splitOrdering(mnemonic: string): { name: string; ordering: Operands } {
  const [, stem, suffix = ''] = /^(.+\.[wdq])\.(aq|rl|aqrl)$/.exec(mnemonic) ?? [];
  if (stem === undefined) return { name: mnemonic, ordering: {} };
  return { name: stem, ordering: { aq: Number(suffix.includes('aq')), rl: Number(suffix.includes('rl')) } };
}
