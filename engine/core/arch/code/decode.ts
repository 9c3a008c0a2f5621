/**
 * Decodes instructions into slots by the decode table that TypeScript derives from the ISA table.
 * Relies on the table at MACHINE.decodeTableHost. Knows nothing of blocks and pages (code.ts).
 */
import {
  DECODE_EXCLUDED_MASK,
  DECODE_EXCLUDED_VALUE,
  DECODE_EXTRA,
  DECODE_IMM_CONSTANT,
  DECODE_IMM_PIECE,
  DECODE_IMM_PIECES,
  DECODE_IMM_SIGN_SHIFT,
  DECODE_MASK,
  DECODE_MATCH,
  DECODE_OP_AND_LENGTH,
  DECODE_RD,
  DECODE_RS1,
  DECODE_RS2,
  DECODE_SIZE_BYTES,
  HART_F,
  HART_SINK,
  MACHINE_BASE,
  MACHINE_DECODE_TABLE_HOST,
  OP_ILLEGAL,
  SLOT_BYTES,
  SLOT_EXTRA,
  SLOT_IMM,
  SLOT_OP_AND_LENGTH,
  SLOT_RAW,
  SLOT_RD,
  SLOT_RS1,
  SLOT_RS2,
} from '../layout.gen';

/** Fills `slot` with the decoding of `raw` (16 bits, zero-extended, when its low two bits are not 11). */
export function decodeInto(slot: u32, raw: u32): void {
  store<u32>(slot, raw, SLOT_RAW);
  const row = findRow(raw);
  if (row == 0) {
    const length: u32 = (raw & 3) == 3 ? 2 * SLOT_BYTES : SLOT_BYTES;
    store<u32>(slot, 0, SLOT_IMM);
    store<u32>(slot, 0, SLOT_RD);
    store<u32>(slot, OP_ILLEGAL | (length << 16), SLOT_OP_AND_LENGTH);
    return;
  }
  store<u32>(slot, immediate(row, raw), SLOT_IMM);
  const rd = register(load<u8>(row, DECODE_RD), raw);
  store<u8>(slot, rd == 0 ? HART_SINK >> 3 : rd, SLOT_RD);
  store<u8>(slot, register(load<u8>(row, DECODE_RS1), raw), SLOT_RS1);
  store<u8>(slot, register(load<u8>(row, DECODE_RS2), raw), SLOT_RS2);
  const extra: u32 = load<u8>(row, DECODE_EXTRA);
  store<u8>(slot, extra == 0xff ? 0 : register(extra, raw), SLOT_EXTRA);
  store<u32>(slot, load<u32>(row, DECODE_OP_AND_LENGTH), SLOT_OP_AND_LENGTH);
}

/**
 * The table row that matches `raw`, or 0. Buckets: 0–31 by bits 6:2 for 32-bit instructions, 32–63 by 15:13 and 1:0.
 */
function findRow(raw: u32): u32 {
  const table = load<u32>(MACHINE_BASE, MACHINE_DECODE_TABLE_HOST);
  const bucket = (raw & 3) == 3 ? (raw >> 2) & 31 : 32 + ((raw >> 13) << 2) + (raw & 3);
  const end = table + load<u32>(table + bucket * 8, 4);
  for (let row = table + load<u32>(table + bucket * 8); row < end; row += DECODE_SIZE_BYTES) {
    if ((raw & load<u32>(row, DECODE_MASK)) != load<u32>(row, DECODE_MATCH)) continue;
    if ((raw & load<u32>(row, DECODE_EXCLUDED_MASK)) == load<u32>(row, DECODE_EXCLUDED_VALUE)) continue;
    if ((raw & load<u32>(row, DECODE_EXCLUDED_MASK + 4)) == load<u32>(row, DECODE_EXCLUDED_VALUE + 4)) continue;
    return row;
  }
  return 0;
}

/** Offset of f0 / 8. */
const FLOAT_FILE: u32 = HART_F >> 3;

function register(source: u32, raw: u32): u32 {
  if (source & 0x80) return source & 31;
  const low = source & 31;
  const file: u32 = source & 0x40 ? FLOAT_FILE : 0;
  return file + (source & 0x20 ? 8 + ((raw >> low) & 7) : (raw >> low) & 31);
}

function immediate(row: u32, raw: u32): u32 {
  let value = load<u32>(row, DECODE_IMM_CONSTANT);
  const end = row + load<u8>(row, DECODE_IMM_PIECES) * 4;
  for (let at = row; at < end; at += 4) {
    const piece = load<u32>(at, DECODE_IMM_PIECE);
    const width = (piece >> 8) & 0xff;
    value |= ((raw >> (piece & 0xff)) & ((1 << width) - 1)) << (piece >> 16);
  }
  const shift: u32 = load<u8>(row, DECODE_IMM_SIGN_SHIFT);
  return <u32>((<i32>(value << shift)) >> shift);
}
