/**
 * The ISA table as bytes that `arch/decode.ts` decodes by: buckets, then rows of the layout's DECODE block. Relies on
 * the ISA table's own tests for the absence of overlaps: the first row that matches wins.
 */
import {
  COMPRESSED,
  type Compressed,
  type Encoding,
  expansionOf,
  expressionsOf,
  type Field,
  factsOf,
  INSTRUCTIONS,
  type Instruction,
  isCompressedRegister,
  isFloatRegister,
  parts,
} from '../../isa/index.ts';
import { CONSTANTS, DECODE, offsetOf } from '../layout/index.ts';
import { opNumber } from './ops.ts';

interface Entry {
  readonly encoding: Encoding;
  readonly instruction: Instruction;
  /** Where the instruction's operand comes from: a field's name, or a constant. */
  source(operand: string): string | number;
}

/** Bytes for MACHINE.decodeTableHost. */
export function encodeDecodeTable(): Uint8Array {
  const buckets = Array.from({ length: CONSTANTS.DECODE_BUCKETS }, (): Entry[] => []);
  for (const entry of [...INSTRUCTIONS.map(fullEntry), ...COMPRESSED.map(compressedEntry)]) {
    buckets[bucketOf(entry.encoding)]?.push(entry);
  }
  const header = CONSTANTS.DECODE_BUCKETS * 8;
  const bytes = new Uint8Array(header + buckets.flat().length * DECODE.sizeBytes);
  const view = new DataView(bytes.buffer);
  let at = header;
  for (const [index, entries] of buckets.entries()) {
    view.setUint32(index * 8, at, true);
    for (const entry of entries) {
      writeRow(view, at, entry);
      at += DECODE.sizeBytes;
    }
    view.setUint32(index * 8 + 4, at, true);
  }
  return bytes;
}

const fullEntry = (instruction: Instruction): Entry => ({
  encoding: instruction.encoding,
  instruction,
  source: (operand) => operand,
});

const compressedEntry = (form: Compressed): Entry => ({
  encoding: form.encoding,
  instruction: expansionOf(form),
  source: (operand) => form.operands[operand] ?? operand,
});

/** The bits that choose the bucket are fixed in every row. */
const bucketOf = ({ bits, match }: Encoding): number =>
  bits === 32 ? (match >>> 2) & 31 : 32 + ((match >>> 13) << 2) + (match & 3);

function writeRow(view: DataView, at: number, { encoding, instruction, source }: Entry): void {
  const u32 = (name: string, value: number, index = 0) =>
    view.setUint32(at + offsetOf(DECODE, name) + 4 * index, value, true);
  const u8 = (name: string, value: number) => view.setUint8(at + offsetOf(DECODE, name), value);
  const field = (operand: string): Field | undefined => encoding.fields.find((f) => f.name === source(operand));
  u32('mask', encoding.mask);
  u32('match', encoding.match);
  if (encoding.excluded.length > 2) throw new Error(`decode table: ${encoding.drawing} excludes too much`);
  for (const index of [0, 1]) {
    const { mask, value } = encoding.excluded[index] ?? { mask: 0, value: 1 };
    u32('excludedMask', mask, index);
    u32('excludedValue', value, index);
  }
  const lengthBytes = encoding.bits === 16 ? 2 : 4;
  u32('opAndLength', opNumber(instruction, lengthBytes) + lengthBytes * (CONSTANTS.SLOT_BYTES / 2) * 0x10000);
  for (const operand of ['rd', 'rs1', 'rs2']) u8(operand, registerSource(source(operand), field(operand)));
  // Compare-and-swap's destination is a source that its helper reads; here it is told to those who look at operands.
  const extra = field('rs3') ?? field('zimm') ?? (readsRd(instruction) ? field('rd') : undefined);
  u8('extra', extra ? registerSource('', extra) : 0xff);
  const constant = source('imm');
  u32('immConstant', typeof constant === 'number' ? constant : 0);
  const immediate = field('imm');
  u8('immSignShift', immediate?.kind === 'signed' ? 32 - immediate.width : 0);
  u8('immPieces', immediate?.pieces.length ?? 0);
  for (const [index, { from, to, width }] of (immediate?.pieces ?? []).entries()) {
    u32('immPiece', from + width * 0x100 + to * 0x10000, index);
  }
}

/** Whether a helper reads the destination register by itself. */
const readsRd = ({ effect }: Instruction): boolean =>
  expressionsOf(effect).flatMap(parts).flatMap(factsOf).includes('readRegisters');

/** A register source byte as DECODE describes it; an operand that the instruction lacks reads as x0. */
function registerSource(source: string | number, field: Field | undefined): number {
  if (typeof source === 'number') return 0x80 + source;
  if (!field) return 0x80;
  const from = field.pieces[0]?.from ?? 0;
  return from + (isCompressedRegister(field.kind) ? 0x20 : 0) + (isFloatRegister(field.kind) ? 0x40 : 0);
}
