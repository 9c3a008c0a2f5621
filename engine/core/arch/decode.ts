/**
 * Decodes instructions into slots by the decode table that TypeScript derives from the ISA table.
 * Relies on the table at MACHINE.decodeTableHost and on blocks set up by `initBlock`. Does not check that the
 * addresses are what they should be.
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
  MACHINE_BREAKPOINT_HOST,
  MACHINE_DECODE_TABLE_HOST,
  MACHINE_SLOT_POOL_HOST,
  OP_ILLEGAL,
  OP_PAGE_END,
  OP_STRADDLE,
  PAGE_BYTES,
  SLOT_BLOCK_BYTES,
  SLOT_BLOCK_CODE,
  SLOT_BYTES,
  SLOT_EXTRA,
  SLOT_IMM,
  SLOT_OP_AND_LENGTH,
  SLOT_RAW,
  SLOT_RD,
  SLOT_RS1,
  SLOT_RS2,
} from './layout.gen';

/** c.ebreak, which fits over an instruction of any length. */
export const C_EBREAK: u32 = 0x9002;

/** Fills the undecoded slot `slot` of a pool block from the block's code page. */
export function decode(hart: u32, slot: u32): void {
  const pool = load<u32>(MACHINE_BASE, MACHINE_SLOT_POOL_HOST);
  const block = slot - (slot - pool) % SLOT_BLOCK_BYTES;
  const offset = (slot - block) / (SLOT_BYTES / 2);
  const code = load<u32>(block, SLOT_BLOCK_CODE) + offset;
  const half: u32 = load<u16>(code);
  if (code == load<u32>(MACHINE_BASE, MACHINE_BREAKPOINT_HOST)) return decodeInto(slot, C_EBREAK);
  if ((half & 3) != 3) decodeInto(slot, half);
  else if (offset == PAGE_BYTES - 2) store<u32>(slot, OP_STRADDLE | (SLOT_BYTES << 16), SLOT_OP_AND_LENGTH);
  else decodeInto(slot, load<u32>(code));
}

/** Empties a block for the code page at linear-memory address `codeHost`: every slot undecoded, both sentinels set. */
export function initBlock(block: u32, codeHost: u32): void {
  memory.fill(block, 0, SLOT_BLOCK_BYTES);
  const end: u32 = OP_PAGE_END | (SLOT_BYTES << 16);
  store<u32>(block + SLOT_BLOCK_CODE - SLOT_BYTES, end, SLOT_OP_AND_LENGTH);
  store<u32>(block + SLOT_BLOCK_CODE, end, SLOT_OP_AND_LENGTH);
  store<u32>(block, codeHost, SLOT_BLOCK_CODE);
}

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

/** The table row that matches `raw`, or 0. Buckets: 0–31 by bits 6:2 for 32-bit instructions, 32–63 by 15:13 and 1:0. */
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
