/**
 * Rows of the CSR table, which TypeScript writes from engine/isa/csrs. Relies on the table at MACHINE.csrTableHost.
 */
import {
  CSR_EFFECTS,
  CSR_GATE,
  CSR_GUARD,
  CSR_PRIVILEGE,
  CSR_READ_ONLY,
  CSR_SHIFT,
  CSR_SOURCE,
  CSR_STATE,
  CSR_TARGET,
  CSR_TWIN,
  CSR_VISIBLE,
  CSR_WRITABLE,
  CSR_WRITE,
  MACHINE_CSR_TABLE_HOST,
} from '../layout.gen';
import { get, machine32 } from '../state/state';

/** The row of CSR `n`, 0 … 4095; 0 when the machine does not have it. */
export function rowOf(n: u32): u32 {
  const table = machine32(MACHINE_CSR_TABLE_HOST);
  const offset: u32 = load<u16>(table + n * 2);
  return offset == 0 ? 0 : table + offset;
}

/** The row that VS-mode means by it: its own unless there is a VS copy. senvcfg and scounteren have none. */
export function twinOf(row: u32): u32 {
  const offset = load<u32>(row, CSR_TWIN);
  return offset == 0 ? row : machine32(MACHINE_CSR_TABLE_HOST) + offset;
}

// @ts-ignore: decorator
@inline
export function sourceOf(row: u32): u32 {
  return load<u8>(row, CSR_SOURCE);
}

// @ts-ignore: decorator
@inline
export function writeRuleOf(row: u32): u32 {
  return load<u8>(row, CSR_WRITE);
}

/** Bits CSR_EFFECT_*. */
// @ts-ignore: decorator
@inline
export function effectsOf(row: u32): u32 {
  return load<u8>(row, CSR_EFFECTS);
}

// @ts-ignore: decorator
@inline
export function guardOf(row: u32): u32 {
  return load<u8>(row, CSR_GUARD);
}

// @ts-ignore: decorator
@inline
export function privilegeOf(row: u32): u32 {
  return load<u8>(row, CSR_PRIVILEGE);
}

// @ts-ignore: decorator
@inline
export function isReadOnly(row: u32): bool {
  return load<u8>(row, CSR_READ_ONLY) != 0;
}

// @ts-ignore: decorator
@inline
export function shiftOf(row: u32): u64 {
  return load<u8>(row, CSR_SHIFT);
}

/** Offset in the hart's block of the field that is read. */
// @ts-ignore: decorator
@inline
export function stateOf(row: u32): u32 {
  return load<u32>(row, CSR_STATE);
}

/** Offset of the field that is written. */
// @ts-ignore: decorator
@inline
export function targetOf(row: u32): u32 {
  return load<u32>(row, CSR_TARGET);
}

/** What software sees of the field, before the shift. */
// @ts-ignore: decorator
@inline
export function visibleOf(hart: u32, row: u32): u64 {
  return load<u64>(row, CSR_VISIBLE) & gate(hart, row);
}

/** What a write may change of the target, before the shift. */
// @ts-ignore: decorator
@inline
export function writableOf(hart: u32, row: u32): u64 {
  return load<u64>(row, CSR_WRITABLE) & gate(hart, row);
}

// @ts-ignore: decorator
@inline
function gate(hart: u32, row: u32): u64 {
  const field = load<u32>(row, CSR_GATE);
  return field == 0 ? ~0 : get(hart, field);
}
