/**
 * Names of bits and causes, and typed access to the machine's and the harts' blocks.
 * Relies on the layout alone: the core keeps no state anywhere else. Checks nothing.
 */
import {
  ENV_ADUE,
  ENV_PBMTE,
  ENV_STCE,
  HART_BUDGET,
  HART_HENVCFG,
  HART_MENVCFG,
  HART_PRIV,
  HART_VIRT,
  HS_VSXL_SHIFT,
  MACHINE_BASE,
  MACHINE_MTIME_OFFSET,
  MACHINE_SLICE_BUDGET,
  MACHINE_SLICE_START_TICKS,
  MEIP,
  MSIP,
  MTIP,
  SEIP,
  SSIP,
  STIP,
  SXL_SHIFT,
  TICKS_PER_MTIME,
  UXL_SHIFT,
  VSEIP,
  VSSIP,
  VSTIP,
} from '../layout.gen';

// Privilege levels.
export const U: u32 = 0;
export const S: u32 = 1;
export const M: u32 = 3;

// Exception causes (privileged manual, table of mcause; hypervisor chapter for 10 and 20–23).
export const CAUSE_FETCH_ACCESS: u64 = 1;
export const CAUSE_ILLEGAL: u64 = 2;
export const CAUSE_BREAKPOINT: u64 = 3;
export const CAUSE_LOAD_MISALIGNED: u64 = 4;
export const CAUSE_LOAD_ACCESS: u64 = 5;
export const CAUSE_STORE_MISALIGNED: u64 = 6;
export const CAUSE_STORE_ACCESS: u64 = 7;
export const CAUSE_ECALL_U: u64 = 8;
export const CAUSE_ECALL_S: u64 = 9;
export const CAUSE_ECALL_VS: u64 = 10;
export const CAUSE_ECALL_M: u64 = 11;
export const CAUSE_FETCH_PAGE: u64 = 12;
export const CAUSE_LOAD_PAGE: u64 = 13;
export const CAUSE_STORE_PAGE: u64 = 15;
export const CAUSE_FETCH_GUEST_PAGE: u64 = 20;
export const CAUSE_LOAD_GUEST_PAGE: u64 = 21;
export const CAUSE_VIRTUAL_INSTRUCTION: u64 = 22;
export const CAUSE_STORE_GUEST_PAGE: u64 = 23;
export const INTERRUPT: u64 = 1 << 63;

// Interrupts by who takes them, as bits of mip.
export const S_INTERRUPTS: u64 = SSIP | STIP | SEIP;
export const VS_INTERRUPTS: u64 = VSSIP | VSTIP | VSEIP;
export const M_INTERRUPTS: u64 = MSIP | MTIP | MEIP;

/** XLEN 64 for each mode, as UXL, SXL and VSXL have it. */
export const UXL64: u64 = 2 << UXL_SHIFT;
export const SXL64: u64 = 2 << SXL_SHIFT;
export const HS_VSXL64: u64 = 2 << HS_VSXL_SHIFT;

/** What henvcfg can only enable for a guest while menvcfg does for everybody. */
export const ENV_GATED: u64 = ENV_ADUE | ENV_PBMTE | ENV_STCE;

// Kinds of access; also the numbers of the caches read, write, fetch.
export const LOAD: u32 = 0;
export const STORE: u32 = 1;
export const FETCH: u32 = 2;

export const PRIV_MASK: u32 = 3;

/** A 64-bit field of a hart. */
// @ts-ignore: decorator
@inline
export function get(hart: u32, field: u32): u64 {
  return load<u64>(hart + field);
}

// @ts-ignore: decorator
@inline
export function set(hart: u32, field: u32, value: u64): void {
  store<u64>(hart + field, value);
}

/** A 32-bit field of a hart. */
// @ts-ignore: decorator
@inline
export function get32(hart: u32, field: u32): u32 {
  return load<u32>(hart + field);
}

// @ts-ignore: decorator
@inline
export function set32(hart: u32, field: u32, value: u32): void {
  store<u32>(hart + field, value);
}

/** Fields of the machine block. */
// @ts-ignore: decorator
@inline
export function machine(field: u32): u64 {
  return load<u64>(MACHINE_BASE + field);
}

// @ts-ignore: decorator
@inline
export function machine32(field: u32): u32 {
  return load<u32>(MACHINE_BASE + field);
}

// @ts-ignore: decorator
@inline
export function setMachine(field: u32, value: u64): void {
  store<u64>(MACHINE_BASE + field, value);
}

// @ts-ignore: decorator
@inline
export function setMachine32(field: u32, value: u32): void {
  store<u32>(MACHINE_BASE + field, value);
}

// @ts-ignore: decorator
@inline
export function priv(hart: u32): u32 {
  return get32(hart, HART_PRIV);
}

// @ts-ignore: decorator
@inline
export function virt(hart: u32): bool {
  return get32(hart, HART_VIRT) != 0;
}

/** Ticks spent in the running slice, the current instruction included; 0 between slices. */
// @ts-ignore: decorator
@inline
export function spent(hart: u32): u32 {
  return machine32(MACHINE_SLICE_BUDGET) - get32(hart, HART_BUDGET);
}

/** Virtual time as the current instruction sees it: the tick at which it completes. */
// @ts-ignore: decorator
@inline
export function now(hart: u32): u64 {
  return machine(MACHINE_SLICE_START_TICKS) + <u64>spent(hart);
}

/** henvcfg as it counts: ADUE, PBMTE and STCE are read-only zero while those of menvcfg are clear. */
export function henvcfg(hart: u32): u64 {
  return get(hart, HART_HENVCFG) & (get(hart, HART_MENVCFG) | ~ENV_GATED);
}

/** mtime at a tick. */
// @ts-ignore: decorator
@inline
export function mtimeAt(ticks: u64): u64 {
  return ticks / TICKS_PER_MTIME + machine(MACHINE_MTIME_OFFSET);
}

/** The 1, 2, 4 or 8 bytes at a linear-memory address, zero-extended. */
// @ts-ignore: decorator
@inline
export function readHost(host: u32, size: u32): u64 {
  if (size == 8) return load<u64>(host);
  if (size == 4) return load<u32>(host);
  return size == 2 ? load<u16>(host) : load<u8>(host);
}
