/**
 * The instruction sequence that puts a 64-bit constant into a register. Short, not always the shortest.
 */
import type { Operands } from '../instructions/index.ts';

export interface Step {
  readonly name: 'lui' | 'addi' | 'addiw' | 'slli';
  readonly operands: Operands;
}

/**
 * Steps that set rd to `value` (taken modulo 2^64): lui and addiw for 32 bits, then shifts and additions of 12 bits.
 */
export function loadImmediate(rd: number, value: bigint): Step[] {
  const wanted = BigInt.asIntN(64, value);
  if (BigInt.asIntN(32, wanted) === wanted) return loadWord(rd, Number(wanted));
  const low = BigInt.asIntN(12, wanted);
  let high = (wanted - low) >> 12n;
  let shift = 12;
  while ((high & 1n) === 0n) {
    high >>= 1n;
    shift++;
  }
  // wanted - low may have wrapped past 2^63; the shift drops what the wrap added.
  const steps = loadImmediate(rd, BigInt.asIntN(64 - shift, high));
  steps.push({ name: 'slli', operands: { rd, rs1: rd, imm: shift } });
  if (low !== 0n) steps.push({ name: 'addi', operands: { rd, rs1: rd, imm: Number(low) } });
  return steps;
}

function loadWord(rd: number, value: number): Step[] {
  const low = ((value + 0x800) & 0xfff) - 0x800;
  const high = (value - low) | 0;
  if (high === 0) return [{ name: 'addi', operands: { rd, rs1: 0, imm: low } }];
  const lui: Step = { name: 'lui', operands: { rd, imm: high } };
  // addiw: near 2^31 the sum must wrap to 32 bits.
  return low === 0 ? [lui] : [lui, { name: 'addiw', operands: { rd, rs1: rd, imm: low } }];
}
