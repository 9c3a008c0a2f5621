/**
 * Draws code from the ISA table: rows with biased operands, near misses of rows (reserved encodings), and random words.
 * Relies on rows being data: what an instruction reads or where it jumps is looked up in its effect, never by name.
 * A slot is 4 bytes: one 32-bit instruction or two 16-bit ones, so that a handler may skip a slot.
 */
import fc from 'fast-check';
import {
  COMPRESSED,
  type Compressed,
  CSRS,
  decode,
  type Encoding,
  expansionOf,
  expressionsOf,
  INSTRUCTIONS,
  type Instruction,
  insertOperands,
  parts,
} from '../../../engine/index.ts';
import type { CaseMode } from './case.ts';
import { isExcluded } from './known.ts';

/** Registers that hold addresses when a case begins, most of them within reach of 16-bit instructions. */
export const POINTERS = [2, 8, 9, 10, 11, 12, 13] as const;
const DATA = [1, 3, 5, 6, 7, 14, 15, 16, 17, 18, 25, 30, 31] as const;
/** Holds the aligned address of every SC: QEMU 7.2 does not look at the alignment of an SC that fails anyway. */
export const RESERVATION = 19;
const NOP = 0x00000013;
const C_NOP = 0x0001;

/** A slot of a case in `mode`, at position `index` of `count`. */
export function slots(mode: CaseMode, index: number, count: number): fc.Arbitrary<number> {
  const room = 4 * (count - index);
  return fc
    .oneof(
      { weight: 68, arbitrary: fullSize(room) },
      { weight: 14, arbitrary: csrAccess() },
      { weight: 14, arbitrary: compressedPair(room) },
      { weight: 8, arbitrary: nearMiss() },
      { weight: 4, arbitrary: fc.constantFrom(...RESERVING).chain((row) => withOperands(row, row.encoding, room)) },
      { weight: 2, arbitrary: fc.integer({ min: 0, max: 2 ** 32 - 1 }) },
    )
    .map((word) => (isExcluded(word, mode) || isLooseSc(word) ? NOP : word >>> 0));
}

function isLooseSc(word: number): boolean {
  const decoded = decode(word >>> 0);
  return decoded !== undefined && usesHelper(decoded.instruction, 'sc') && decoded.operands.rs1 !== RESERVATION;
}

const isCsr = (row: Instruction) =>
  row.encoding.fields.some((field) => field.name === 'imm' && field.kind === 'unsigned') && usesHelper(row, 'csr');
const usesHelper = (row: Instruction, helper: string) =>
  expressionsOf(row.effect).some((e) => parts(e).some((part) => part.kind === 'call' && part.helper === helper));
const CSR_ROWS = INSTRUCTIONS.filter(isCsr);
const OTHER_ROWS = INSTRUCTIONS.filter((row) => !isCsr(row));
/** LR and SC meet more often than chance would have it. */
const RESERVING = OTHER_ROWS.filter((row) => usesHelper(row, 'sc') || usesHelper(row, 'lr'));
/** Rows by extension: small extensions are as interesting as large ones. */
const BY_EXTENSION = [...new Set(OTHER_ROWS.map((row) => row.extension))].map((extension) =>
  OTHER_ROWS.filter((row) => row.extension === extension),
);

const anyRow = fc.oneof(
  ...BY_EXTENSION.map((rows) => ({
    weight: 6 + Math.ceil(Math.sqrt(rows.length)),
    arbitrary: fc.constantFrom(...rows),
  })),
);

const fullSize = (room: number) => anyRow.chain((row) => withOperands(row, row.encoding, room));

/** Whether the row's target or address is pc plus the immediate. */
function jumpsByImmediate(row: Instruction): boolean {
  const { effect } = row;
  if (effect.kind !== 'branch' && effect.kind !== 'jump') return false;
  return parts(effect.target).some((part) => part.kind === 'pc');
}
/** Whether rs1 is an address: of a load, a store, or a helper's. */
export function takesAddress(row: Instruction): boolean {
  return (
    stores(row.effect) ||
    expressionsOf(row.effect).some((e) =>
      parts(e).some((part) => part.kind === 'load' || (part.kind === 'call' && MEMORY_HELPERS.test(part.helper))),
    )
  );
}
/** Whether it may store: those of floating point do when that is on. */
function stores(effect: Instruction['effect']): boolean {
  if (effect.kind === 'either') return stores(effect.then) || stores(effect.otherwise);
  return effect.kind === 'store' || (effect.kind === 'attempt' && stores(effect.otherwise));
}
/** By the naming of helpers; one that is missed only gets fewer good addresses. */
const MEMORY_HELPERS = /^(lr|sc|amo|hlv|hsv|cbo|f?load|f?store|cas)/i;

const pointer = fc.constantFrom(...POINTERS);
const data = fc.constantFrom(...DATA);
const anyRegister = fc.integer({ min: 0, max: 31 });
const source = fc.oneof(
  { weight: 6, arbitrary: data },
  { weight: 2, arbitrary: pointer },
  { weight: 1, arbitrary: anyRegister },
);
const address = fc.oneof({ weight: 30, arbitrary: pointer }, { weight: 1, arbitrary: anyRegister });
const destination = fc.oneof({ weight: 12, arbitrary: data }, { weight: 1, arbitrary: anyRegister });

/** An instruction of the row; operands that cannot be encoded give a nop. */
function withOperands(row: Instruction, encoding: Encoding, room: number): fc.Arbitrary<number> {
  const forward = jumpsByImmediate(row);
  const memory = takesAddress(row);
  const reserved = usesHelper(row, 'sc') || usesHelper(row, 'lr');
  const fields = Object.fromEntries(
    encoding.fields.map((field) => [field.name, operand(field, { forward, memory, room })]),
  ) as Record<string, fc.Arbitrary<number>>;
  if (reserved) fields.rs1 = fc.constant(RESERVATION);
  return fc.record(fields).map((operands) => {
    const raw = insertOperands(encoding, operands);
    return typeof raw === 'number' ? raw : encoding.bits === 16 ? C_NOP : NOP;
  });
}

interface Wanted {
  readonly forward: boolean;
  readonly memory: boolean;
  readonly room: number;
}

function operand(field: Encoding['fields'][number], { forward, memory, room }: Wanted): fc.Arbitrary<number> {
  if (field.kind === 'register') {
    if (field.name === 'rd') return destination;
    return field.name === 'rs1' && memory ? address : source;
  }
  if (field.kind === 'compressedRegister') {
    if (field.name === 'rs1' && memory) return fc.integer({ min: 8, max: 13 });
    return fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(14, 15) },
      { weight: 1, arbitrary: fc.integer({ min: 8, max: 15 }) },
    );
  }
  if (field.name === 'imm' && forward)
    return fc.integer({ min: 1, max: Math.max(1, Math.min(room >> 2, 6)) }).map((n) => 4 * n);
  return immediate(field, memory);
}

/** Values that the field can hold, small and extreme ones first. */
function immediate({ kind, width, pieces }: Encoding['fields'][number], memory: boolean): fc.Arbitrary<number> {
  const step = 2 ** Math.min(...pieces.map((piece) => piece.to));
  const low = kind === 'signed' ? -(2 ** (width - 1)) : 0;
  const high = kind === 'signed' ? 2 ** (width - 1) - step : 2 ** width - step;
  const any = fc.integer({ min: low / step, max: high / step }).map((n) => n * step);
  const near = fc.integer({ min: Math.max(low / step, -4), max: Math.min(high / step, 8) }).map((n) => n * step);
  if (memory) return fc.oneof({ weight: 6, arbitrary: near }, { weight: 1, arbitrary: any });
  return fc.oneof(
    { weight: 2, arbitrary: near },
    { weight: 3, arbitrary: any },
    { weight: 1, arbitrary: fc.constantFrom(low, high) },
  );
}

/** Every CSR of the manual, some numbers that name none, with every CSR instruction. */
function csrAccess(): fc.Arbitrary<number> {
  const number = fc.oneof(
    { weight: 14, arbitrary: fc.constantFrom(...CSRS.map((csr) => csr.number)) },
    { weight: 6, arbitrary: fc.constantFrom(...FREQUENT) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xfff }) },
  );
  return fc
    .tuple(fc.constantFrom(...CSR_ROWS), number, destination, source, fc.integer({ min: 0, max: 31 }))
    .map(([row, csr, rd, rs1, zimm]) => {
      const raw = insertOperands(row.encoding, { imm: csr, rd, rs1, zimm });
      return typeof raw === 'number' ? raw : NOP;
    });
}
const FREQUENT = CSRS.filter(
  ({ name }) =>
    /status$|^[mshv]+(ie|ip|ideleg|edeleg|vip|atp|epc|cause|tval|tvec|counteren|envcfg)$/.test(name) &&
    name !== 'mtvec',
).map((csr) => csr.number);

/** Two 16-bit instructions; a branch in either goes to a slot. */
function compressedPair(room: number): fc.Arbitrary<number> {
  return fc.tuple(compressed(room), compressed(room - 2)).map(([first, second]) => first + second * 0x10000);
}

function compressed(room: number): fc.Arbitrary<number> {
  return fc.oneof(
    { weight: 12, arbitrary: fc.constantFrom(...COMPRESSED).chain((form) => compressedForm(form, room)) },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }).map((half) => ((half & 3) === 3 ? half - 1 : half)) },
  );
}

const compressedForm = (form: Compressed, room: number) => withOperands(expansionOf(form), form.encoding, room);

/** An instruction with one to three bits flipped that no operand stands in: another row, or reserved. */
function nearMiss(): fc.Arbitrary<number> {
  return fc
    .tuple(fullSize(4), fc.array(fc.integer({ min: 2, max: 31 }), { minLength: 1, maxLength: 3 }))
    .map(([raw, bits]) => {
      const fixed = decode(raw)?.instruction.encoding.mask ?? 0;
      return bits.reduce((word, bit) => (fixed & (1 << bit) ? word ^ (1 << bit) : word), raw) >>> 0;
    });
}
