/**
 * Access from outside the machine: reset, forgetting derived state, and looking at or changing CSRs and translations
 * between runs. Relies on not being called while a slice runs.
 */
import {
  ENV_ADUE,
  HART_BASE,
  HART_BUDGET,
  HART_CYCLE_OFFSET,
  HART_HART_ID,
  HART_HENVCFG,
  HART_HSTATUS,
  HART_MENVCFG,
  HART_MIDELEG,
  HART_MSTATUS,
  HART_MTIMECMP,
  HART_PC,
  HART_PRIV,
  HART_RESYNC,
  HART_SAVED_BYTES,
  HART_STIMECMP,
  HART_STRIDE,
  HART_TRAPS,
  HART_VSSTATUS,
  HART_VSTIMECMP,
  HART_WALK_PADDR,
  MACHINE_CONTEXT_GENERATION,
  MACHINE_CURRENT_HART,
  MACHINE_HART_COUNT,
  MACHINE_MMIO_DATA,
  MACHINE_SLICE_BUDGET,
  MACHINE_SLICE_START_TICKS,
  MACHINE_TICKS,
  MACHINE_TURN_LEFT,
  MACHINE_WALK_LOG_COUNT,
  MODE_QUIET,
} from '../layout.gen';
import { readCsr } from '../csr/csr-read';
import { rowOf } from '../csr/csr-table';
import { writeCsr } from '../csr/csr-write';
import { dropBlocks, forgetStop, useBreakAddresses, useBreakpoints } from '../code/code';
import { forgetTables } from '../pages/pages';
import { decodePmp, pmpAllows, pmpEntryOf } from '../pages/pmp';
import { useSteps } from '../pages/steps';
import { useWatches } from '../pages/watch';
import { dataModeOf, fetchMode, updateContexts, clearCaches } from '../code/tlb';
import {
  FETCH,
  get,
  HS_VSXL64,
  M,
  machine,
  machine32,
  PRIV_MASK,
  set,
  set32,
  setMachine,
  setMachine32,
  SXL64,
  UXL64,
  VS_INTERRUPTS,
} from '../state/state';
import { walk } from '../translation/walk';

/** Brings all harts to the reset state of QEMU's virt board: M-mode, everything off, timers never due. */
export function resetHarts(resetPc: u32): void {
  const harts = machine32(MACHINE_HART_COUNT);
  for (let i: u32 = 0; i < harts; i++) {
    const hart = HART_BASE + i * HART_STRIDE;
    memory.fill(hart, 0, HART_SAVED_BYTES);
    set(hart, HART_HART_ID, i);
    set(hart, HART_PC, resetPc);
    set32(hart, HART_PRIV, M);
    set(hart, HART_MSTATUS, UXL64 | SXL64);
    set(hart, HART_VSSTATUS, UXL64);
    set(hart, HART_HSTATUS, HS_VSXL64);
    set(hart, HART_MIDELEG, VS_INTERRUPTS);
    // Software that knows nothing of Svadu gets what QEMU 7.2 gives it: A and D bits set by hardware.
    set(hart, HART_MENVCFG, ENV_ADUE);
    set(hart, HART_HENVCFG, ENV_ADUE);
    set(hart, HART_CYCLE_OFFSET, 0 - machine(MACHINE_TICKS));
    set(hart, HART_MTIMECMP, ~0);
    set(hart, HART_STIMECMP, ~0);
    set(hart, HART_VSTIMECMP, ~0);
  }
  // The next hart to get a turn is hart 0.
  setMachine32(MACHINE_CURRENT_HART, harts - 1);
  setMachine32(MACHINE_TURN_LEFT, 0);
  flushDerived();
}

/**
 * Recomputes or forgets everything derived from saved state: after a restore, or to show that it makes no difference.
 */
export function flushDerived(): void {
  dropBlocks();
  forgetStop();
  forgetTables();
  setMachine(MACHINE_SLICE_START_TICKS, machine(MACHINE_TICKS));
  setMachine32(MACHINE_SLICE_BUDGET, 0);
  setMachine32(MACHINE_CONTEXT_GENERATION, machine32(MACHINE_CONTEXT_GENERATION) + 1);
  const harts = machine32(MACHINE_HART_COUNT);
  for (let i: u32 = 0; i < harts; i++) {
    const hart = HART_BASE + i * HART_STRIDE;
    set32(hart, HART_BUDGET, 0);
    set32(hart, HART_TRAPS, 0);
    set32(hart, HART_RESYNC, 0);
    clearCaches(hart);
    decodePmp(hart);
    updateContexts(hart);
  }
}

/**
 * Makes run() stop before the instructions at the first `count` addresses of MACHINE.breakpointsHost, and no others.
 */
export function setBreakpoints(count: u32): void {
  useBreakpoints(count);
  flushDerived();
}

/**
 * Makes run() stop before instructions at the first `count` virtual addresses of MACHINE.breakAddressesHost, in any
 * address space, and no others.
 */
export function setBreakAddresses(count: u32): void {
  useBreakAddresses(count);
  flushDerived();
}

/** Makes accesses to the first `count` ranges of MACHINE.watchesHost observed, and no others. */
export function setWatches(count: u32): void {
  useWatches(count);
  flushDerived();
}

/** Begins (1) or ends (0) the log of instructions at MACHINE.stepsHost; what it holds is forgotten. */
export function logSteps(enabled: u32): void {
  useSteps(enabled);
  flushDerived();
}

/** A CSR as M-mode would read it, or 0, into MACHINE.mmioData; views that depend on V follow the hart's mode. */
export function peekCsr(hart: u32, number: u32): void {
  const row = rowOf(number);
  setMachine(MACHINE_MMIO_DATA, row == 0 ? 0 : readCsr(hart, row));
}

/** Writes MACHINE.mmioData to a CSR as M-mode would. */
export function pokeCsr(hart: u32, number: u32): void {
  const row = rowOf(number);
  if (row != 0 && writeCsr(hart, row, machine(MACHINE_MMIO_DATA)) != 0) flushDerived();
}

/**
 * How the address in MACHINE.mmioData translates for an access in mode `mode` (privilege and MODE_* bits): each table
 * entry that the walk reads becomes a WALK_STEP in scratch, MACHINE.walkLogCount says how many, HART.walk* has the
 * result. A and D bits neither matter nor change. Returns 1 on success, plus 2 when PMP forbids the access itself.
 */
export function explainTranslation(hart: u32, access: u32, mode: u32): u32 {
  setMachine32(MACHINE_WALK_LOG_COUNT, 0);
  const found = walk(hart, machine(MACHINE_MMIO_DATA), access, mode | MODE_QUIET);
  if (!found) return 0;
  return pmpAllows(hart, get(hart, HART_WALK_PADDR), 1, access, mode & PRIV_MASK) ? 1 : 3;
}

/** MODE_* bits and privilege of a hart's accesses of a kind, for explainTranslation. */
export function modeOfAccess(hart: u32, access: u32): u32 {
  return access == FETCH ? fetchMode(hart) : dataModeOf(hart);
}

/** The PMP entry that decides over the byte at HART.walkPaddr; 16 when none matches. */
export function pmpEntryAt(hart: u32): u32 {
  return pmpEntryOf(hart, get(hart, HART_WALK_PADDR));
}
