/**
 * Encodings as the manual draws them, parsed into masks and fields: `imm[11:0] rs1 000 rd 0010011`.
 *
 * Tokens, from bit 31 (or 15) down: binary digits; a register (`rd`, `rs1`, `rs2`, `rs3`: 5 bits; with a prime: 3 bits
 * naming x8–x15; with an `f` before it: of the floating-point file); an operand with the bits of its value that stand
 * there (`imm[12|10:5]`); or a bare name of one bit (`aq`). A register may carry the values that it must not have:
 * `rd≠0`, `rd≠{0,2}`; `nz` before an immediate's name means that it must not be zero, `rd≠odd` that a register must be
 * even. Widths must add up to 16 or 32.
 * @see The RISC-V Instruction Set Manual, Volume I, sections 2.2 and 27.8 (the compressed quadrants)
 */

/** A run of bits: `width` bits of the operand from `to` up, found in the instruction from `from` up. */
export interface Piece {
  readonly from: number;
  readonly to: number;
  readonly width: number;
}
export type FieldKind =
  | 'register'
  | 'compressedRegister'
  | 'floatRegister'
  | 'compressedFloatRegister'
  | 'signed'
  | 'unsigned';
export interface Field {
  /** `rd`, `rs1`, `rs2`, `rs3`, `imm`, or the name of a smaller operand: `zimm`, `pred`, `succ`, `fm`, `aq`, `rl`. */
  readonly name: string;
  readonly kind: FieldKind;
  readonly pieces: readonly Piece[];
  /** Width of the operand's value: one more than its highest bit. */
  readonly width: number;
}
/** Instructions with `(raw & mask) == value` are reserved or belong to another row. */
export interface Excluded {
  readonly mask: number;
  readonly value: number;
}
export interface Encoding {
  readonly drawing: string;
  readonly bits: 16 | 32;
  /** Unsigned. */
  readonly mask: number;
  readonly match: number;
  readonly fields: readonly Field[];
  readonly excluded: readonly Excluded[];
}

/** True for a field that names f0–f31 or f8–f15. */
export const isFloatRegister = (kind: FieldKind): boolean =>
  kind === 'floatRegister' || kind === 'compressedFloatRegister';
/** True for a field of three bits that names register 8–15 of its file. */
export const isCompressedRegister = (kind: FieldKind): boolean =>
  kind === 'compressedRegister' || kind === 'compressedFloatRegister';

/** Values of a row's fields by name; registers are numbers in their file. */
export type Operands = Readonly<Record<string, number>>;

/** All these name the one immediate operand `imm`; those listed as unsigned are not sign-extended. */
const IMMEDIATES: Readonly<Record<string, { kind: 'signed' | 'unsigned'; nonzero?: true }>> = {
  imm: { kind: 'signed' },
  nzimm: { kind: 'signed', nonzero: true },
  uimm: { kind: 'unsigned' },
  nzuimm: { kind: 'unsigned', nonzero: true },
  shamt: { kind: 'unsigned' },
  csr: { kind: 'unsigned' },
  rm: { kind: 'unsigned' },
};

/** Parses a drawing. @throws Error when it is malformed (ours: the table is wrong). */
export function parseEncoding(drawing: string): Encoding {
  const tokens = drawing.trim().split(/\s+/);
  const bits = tokens.reduce((sum, token) => sum + tokenWidth(token), 0);
  if (bits !== 16 && bits !== 32) throw new Error(`isa: ${drawing}: ${bits} bits, expected 16 or 32`);
  const fields = new Map<string, { kind: FieldKind; pieces: Piece[]; nonzero: boolean }>();
  const excluded: Excluded[] = [];
  let mask = 0;
  let match = 0;
  let top = bits as number;
  for (const token of tokens) {
    const width = tokenWidth(token);
    top -= width;
    if (/^[01]+$/.test(token)) {
      mask += (2 ** width - 1) * 2 ** top;
      match += Number.parseInt(token, 2) * 2 ** top;
      continue;
    }
    const { name, kind, nonzero, pieces } = parseOperand(token, top);
    const field = fields.get(name) ?? { kind, pieces: [], nonzero };
    field.pieces.push(...pieces);
    fields.set(name, field);
    for (const value of forbiddenValues(token)) excluded.push({ mask: 31 * 2 ** top, value: value * 2 ** top });
    if (token.endsWith('≠odd')) excluded.push({ mask: 2 ** top, value: 2 ** top });
  }
  for (const { nonzero, pieces } of fields.values()) {
    if (nonzero) excluded.push({ mask: pieces.reduce((m, p) => m + (2 ** p.width - 1) * 2 ** p.from, 0), value: 0 });
  }
  const done = [...fields].map(([name, { kind, pieces }]) => ({
    name,
    kind,
    pieces,
    width: Math.max(...pieces.map((p) => p.to + p.width)),
  }));
  return { drawing, bits, mask, match, fields: done, excluded };
}

/** True when `raw` (unsigned) is an instruction of this encoding. */
export function matches(encoding: Encoding, raw: number): boolean {
  if ((raw & encoding.mask) >>> 0 !== encoding.match) return false;
  return encoding.excluded.every(({ mask, value }) => (raw & mask) >>> 0 !== value);
}

/** Takes the operands out of a matching instruction. */
export function extractOperands(encoding: Encoding, raw: number): Operands {
  const operands: Record<string, number> = {};
  for (const { name, kind, pieces, width } of encoding.fields) {
    let value = 0;
    for (const p of pieces) value += ((raw >>> p.from) & (2 ** p.width - 1)) * 2 ** p.to;
    if (kind === 'signed' && value >= 2 ** (width - 1)) value -= 2 ** width;
    operands[name] = isCompressedRegister(kind) ? value + 8 : value;
  }
  return operands;
}

/** Builds an instruction, or says why its operands cannot be encoded (the user's mistake, in their assembly). */
export function insertOperands(encoding: Encoding, operands: Operands): number | string {
  let raw = encoding.match;
  for (const { name, kind, pieces, width } of encoding.fields) {
    let value = operands[name] ?? 0;
    if (isCompressedRegister(kind)) value -= 8;
    const low = kind === 'signed' ? -(2 ** (width - 1)) : 0;
    const high = kind === 'signed' ? 2 ** (width - 1) : 2 ** width;
    if (!Number.isInteger(value) || value < low || value >= high) {
      return `${name} ${operands[name]} does not fit: expected ${show(kind, low)} … ${show(kind, high - 1)}`;
    }
    const unsigned = value < 0 ? value + 2 ** width : value;
    let kept = 0;
    for (const p of pieces) {
      const part = Math.floor(unsigned / 2 ** p.to) % 2 ** p.width;
      kept += part * 2 ** p.to;
      raw += part * 2 ** p.from;
    }
    if (kept !== unsigned) return `${name} ${value} has bits that the instruction cannot hold`;
  }
  return matches(encoding, raw) ? raw : 'these operands are reserved';
}

const show = (kind: FieldKind, value: number) => (isCompressedRegister(kind) ? `x${value + 8}` : String(value));

function tokenWidth(token: string): number {
  if (/^[01]+$/.test(token)) return token.length;
  if (/^f?(rd|rs[123])'/.test(token)) return 3;
  if (/^f?(rd|rs[123])(≠|$)/.test(token)) return 5;
  const bits = /\[(.*)\]$/.exec(token)?.[1];
  return bits === undefined ? 1 : bitRuns(bits).reduce((sum, [high, low]) => sum + high - low + 1, 0);
}

/** `12|10:5` → [[12, 12], [10, 5]] */
const bitRuns = (text: string): [number, number][] =>
  text.split('|').map((run) => {
    const [high = 0, low = high] = run.split(':').map(Number);
    return [high, low];
  });

function parseOperand(token: string, from: number) {
  const register = /^(f?)(rd|rs[123])('?)/.exec(token);
  if (register) {
    const [, float, name = '', prime] = register;
    const kind: FieldKind = prime
      ? float
        ? 'compressedFloatRegister'
        : 'compressedRegister'
      : float
        ? 'floatRegister'
        : 'register';
    return { name, kind, nonzero: false, pieces: [{ from, to: 0, width: prime ? 3 : 5 }] };
  }
  const [, word = token, bits = '0'] = /^([a-z]+)(?:\[(.*)\])?$/.exec(token) ?? [];
  const immediate = IMMEDIATES[word];
  let at = from + tokenWidth(token);
  const pieces = bitRuns(bits).map(([high, low]) => {
    const width = high - low + 1;
    at -= width;
    return { from: at, to: low, width };
  });
  const kind: FieldKind = immediate?.kind ?? 'unsigned';
  return { name: immediate ? 'imm' : word, kind, nonzero: immediate?.nonzero ?? false, pieces };
}

const forbiddenValues = (token: string): number[] =>
  (/≠\{?([\d,]+)\}?$/.exec(token)?.[1] ?? '')
    .split(',')
    .filter((text) => text !== '')
    .map(Number);
