/**
 * Address translation: one or two stages of page tables, with physical memory protection, and nothing cached but the
 * PAGE_TABLE marks (privileged manual, "Supervisor" 4.3 ff. and "Two-Stage Address Translation").
 * A clear A, or a clear D on a store, is set in memory (Svadu) or a page fault (Svade), as ADUE in menvcfg and, for the
 * VS-stage, henvcfg says. Svnapot is there; Svpbmt's memory types are checked and otherwise mean nothing here.
 * Results are left in HART.walk*: the physical address, or why there is none. Does not raise the trap.
 */
import {
  ACCESS_TABLE_READ,
  ENV_ADUE,
  ENV_PBMTE,
  HART_HGATP,
  HART_MENVCFG,
  HART_SATP,
  HART_VSATP,
  HART_WALK_CAUSE,
  HART_WALK_GPA,
  HART_WALK_IMPLICIT,
  HART_WALK_PADDR,
  MACHINE_SCRATCH_HOST,
  MACHINE_WALK_LOG_COUNT,
  MACHINE_WALK_WATCHED,
  MODE_GSTAGE_MXR,
  MODE_HLVX,
  MODE_MXR,
  MODE_PROBE,
  MODE_QUIET,
  MODE_SUM,
  MODE_UNGUARDED,
  MODE_VIRT,
  WALK_STEP_LEVEL,
  WALK_STEP_PADDR,
  WALK_STEP_PTE,
  WALK_STEP_SIZE_BYTES,
  WALK_STEP_STAGE,
} from '../layout.gen';
import { hostOf, isRam, markTable, pageOf } from '../pages/pages';
import { pmpAllows } from '../pages/pmp';
import { observeRead, watchesReads } from '../pages/watch';
import {
  FETCH,
  get,
  henvcfg,
  LOAD,
  M,
  machine32,
  PRIV_MASK,
  S,
  set,
  set32,
  setMachine32,
  STORE,
  U,
} from '../state/state';
import { updateEntry } from '../code/stores';

// HART.walkCause.
export const PAGE_FAULT: u32 = 0;
export const ACCESS_FAULT: u32 = 1;
export const GUEST_PAGE_FAULT: u32 = 2;

// HART.walkImplicit: which access of the first stage to its tables failed.
export const BY_READ: u32 = 1;
export const BY_WRITE: u32 = 2;

// WALK_STEP.stage.
const ONE_STAGE: u32 = 0;
const VS_STAGE: u32 = 1;
const G_STAGE: u32 = 2;
/** MACHINE.walkLogCount. */
const NOT_LOGGED: u32 = ~0;

const V: u64 = 1;
const R: u64 = 2;
const W: u64 = 4;
const X: u64 = 8;
const USER: u64 = 16;
const A: u64 = 64;
const D: u64 = 128;
const PPN_SHIFT: u64 = 10;
const PPN_MASK: u64 = 0xfffffffffff;
const RESERVED: u64 = <u64>0x7f << 54;
const PBMT: u64 = <u64>3 << 61;
const NAPOT: u64 = <u64>1 << 63;

const BARE: u64 = 0;
/** satp.MODE and hgatp.MODE: Sv39(x4), Sv48(x4) and Sv57(x4), each with a level more. */
const SV39: u64 = 8;
const SV57: u64 = 10;
const LEVELS_BELOW_MODE: u64 = 5;

/** Whether satp, vsatp and hgatp have this MODE. */
export function isMode(mode: u64): bool {
  return mode == BARE || (mode >= SV39 && mode <= SV57);
}

/**
 * Translates `va` for an access of mode `mode` (MODE_* and privilege; with MODE_QUIET nothing is changed and A and D do
 * not matter, with MODE_PROBE nothing is changed and they do). False: HART.walkCause says why.
 * HART.walkPaddr has the address; PMP has been checked for the page tables, not for the access itself.
 */
export function walk(hart: u32, va: u64, access: u32, mode: u32): bool {
  set(hart, HART_WALK_GPA, 0);
  set32(hart, HART_WALK_IMPLICIT, 0);
  setMachine32(MACHINE_WALK_WATCHED, 0);
  if ((mode & PRIV_MASK) == M) {
    set(hart, HART_WALK_PADDR, va);
    return true;
  }
  const isVirtual = (mode & MODE_VIRT) != 0;
  const atp = get(hart, isVirtual ? HART_VSATP : HART_SATP);
  if (atp >> 60 == BARE) set(hart, HART_WALK_PADDR, va);
  else if (!firstStage(hart, va, access, mode, atp)) return false;
  if (!isVirtual) return true;
  return secondStage(hart, get(hart, HART_WALK_PADDR), access, mode, false);
}

/** The stage under satp or vsatp. */
function firstStage(hart: u32, va: u64, access: u32, mode: u32, atp: u64): bool {
  const isVirtual = (mode & MODE_VIRT) != 0;
  const env = mode & MODE_UNGUARDED ? ENV_PBMTE : isVirtual ? henvcfg(hart) : get(hart, HART_MENVCFG);
  let level = <i32>((atp >> 60) - LEVELS_BELOW_MODE) - 1;
  // Bits above the virtual address must equal its sign.
  const unused: i64 = 64 - (12 + 9 * (level + 1));
  if (<u64>((<i64>va << unused) >> unused) != va) return fail(hart, PAGE_FAULT);
  let table = (atp & PPN_MASK) << 12;
  for (; level >= 0; level--) {
    const at = table + (((va >> (12 + 9 * <u64>level)) & 0x1ff) << 3);
    let paddr = at;
    if (isVirtual) {
      if (!secondStage(hart, at, LOAD, mode, true)) return false;
      paddr = get(hart, HART_WALK_PADDR);
    }
    if (!tableReadable(hart, paddr, mode)) return failAt(hart, paddr, isVirtual ? VS_STAGE : ONE_STAGE, level);
    const pte = readTable(paddr, mode, isVirtual ? VS_STAGE : ONE_STAGE, level);
    if (!wellFormed(pte, level, env)) return fail(hart, PAGE_FAULT);
    if (!(pte & (R | X))) {
      table = ((pte >> PPN_SHIFT) & PPN_MASK) << 12;
      continue;
    }
    if (!userBitAllows(pte, access, mode) || !permits(pte, access, mode, MODE_MXR)) return fail(hart, PAGE_FAULT);
    const unset = unsetBits(pte, access);
    if (unset != 0 && !(mode & MODE_QUIET)) {
      if (!(env & ENV_ADUE)) return fail(hart, PAGE_FAULT);
      if (isVirtual && !secondStage(hart, at, STORE, mode, true)) return false;
      if (!tableWritable(hart, paddr)) return fail(hart, ACCESS_FAULT);
      // The update's own G-stage walk may have changed this very entry; then the walk begins anew.
      if (load<u64>(hostOf(paddr)) != pte) return firstStage(hart, va, access, mode, atp);
      if (!(mode & MODE_PROBE)) updateEntry(hostOf(paddr), pte | unset);
    }
    set(hart, HART_WALK_PADDR, translated(pte, level, va));
    return true;
  }
  return fail(hart, PAGE_FAULT);
}

/** The stage under hgatp. `implicit`: the access is one of the first stage to its page tables. */
function secondStage(hart: u32, gpa: u64, access: u32, mode: u32, implicit: bool): bool {
  const hgatp = get(hart, HART_HGATP);
  if (hgatp >> 60 == BARE) {
    set(hart, HART_WALK_PADDR, gpa);
    return true;
  }
  const by: u32 = !implicit ? 0 : access == STORE ? BY_WRITE : BY_READ;
  const top = <i32>((hgatp >> 60) - LEVELS_BELOW_MODE) - 1;
  // Two bits more than a virtual address, and not sign-extended.
  if (gpa >> (14 + 9 * <u64>(top + 1))) return guestFail(hart, gpa, by);
  const env = mode & MODE_UNGUARDED ? ENV_PBMTE : get(hart, HART_MENVCFG);
  let table = (hgatp & (PPN_MASK & ~3)) << 12;
  for (let level = top; level >= 0; level--) {
    const index = (gpa >> (12 + 9 * <u64>level)) & (level == top ? 0x7ff : 0x1ff);
    const paddr = table + (index << 3);
    if (!tableReadable(hart, paddr, mode)) return failAt(hart, paddr, G_STAGE, level);
    const pte = readTable(paddr, mode, G_STAGE, level);
    if (!wellFormed(pte, level, env)) return guestFail(hart, gpa, by);
    if (!(pte & (R | X))) {
      table = ((pte >> PPN_SHIFT) & PPN_MASK) << 12;
      continue;
    }
    // Every access is a user-level one here. Accesses to page tables are plain ones whatever MXR and HLVX say.
    const effective = implicit ? 0 : mode;
    if (!(pte & USER) || !permits(pte, access, effective, MODE_GSTAGE_MXR)) return guestFail(hart, gpa, by);
    const unset = unsetBits(pte, access);
    if (unset != 0 && !(mode & MODE_QUIET)) {
      if (!(env & ENV_ADUE)) return guestFail(hart, gpa, by);
      if (!tableWritable(hart, paddr)) return fail(hart, ACCESS_FAULT);
      if (!(mode & MODE_PROBE)) updateEntry(hostOf(paddr), pte | unset);
    }
    set(hart, HART_WALK_PADDR, translated(pte, level, gpa));
    return true;
  }
  return guestFail(hart, gpa, by);
}

/** Whether an entry of a table of `level` (0: 4 KiB pages) is valid and has no reserved bit or encoding. */
function wellFormed(pte: u64, level: i32, env: u64): bool {
  if (!(pte & V) || (pte & (R | W)) == W || pte & RESERVED) return false;
  if (!(pte & (R | X))) return !(pte & (USER | A | D | NAPOT | PBMT));
  if (pte & PBMT && (!(env & ENV_PBMTE) || (pte & PBMT) == PBMT)) return false;
  // 64 KiB is the only size of Svnapot.
  if (pte & NAPOT) return level == 0 && ((pte >> PPN_SHIFT) & 15) == 8;
  return ((pte >> PPN_SHIFT) & ((<u64>1 << (9 * <u64>level)) - 1)) == 0;
}

/** The address that a leaf of `level` translates `address` to. */
// @ts-ignore: decorator
@inline
function translated(pte: u64, level: i32, address: u64): u64 {
  const offset: u64 = pte & NAPOT ? 0xffff : (<u64>1 << (12 + 9 * <u64>level)) - 1;
  return ((((pte >> PPN_SHIFT) & PPN_MASK) << 12) & ~offset) | (address & offset);
}

/** Which of A and D the access needs and the entry lacks. */
// @ts-ignore: decorator
@inline
function unsetBits(pte: u64, access: u32): u64 {
  return (access == STORE ? A | D : A) & ~pte;
}

/** The U bit against the privilege: S-mode reaches user pages only for data and only with SUM. */
// @ts-ignore: decorator
@inline
function userBitAllows(pte: u64, access: u32, mode: u32): bool {
  const user = (pte & USER) != 0;
  if ((mode & PRIV_MASK) == U) return user;
  return !user || (access != FETCH && (mode & MODE_SUM) != 0);
}

/** R, W and X against the access. `mxr` is the mode bit that lets loads read executable pages in this stage. */
// @ts-ignore: decorator
@inline
function permits(pte: u64, access: u32, mode: u32, mxr: u32): bool {
  if (access == FETCH) return (pte & X) != 0;
  if (access == STORE) return (pte & W) != 0;
  if (mode & MODE_HLVX) return (pte & X) != 0;
  return (pte & R) != 0 || ((mode & mxr) != 0 && (pte & X) != 0);
}

/** Page-table entries are read from main memory, as S-mode for PMP. */
// @ts-ignore: decorator
@inline
function tableReadable(hart: u32, paddr: u64, mode: u32): bool {
  return hostOf(paddr) != 0 && ((mode & MODE_UNGUARDED) != 0 || pmpAllows(hart, paddr, 8, LOAD, S));
}

/** A and D are set by S-mode stores to main memory. */
function tableWritable(hart: u32, paddr: u64): bool {
  return isRam(paddr, 8) && pmpAllows(hart, paddr, 8, STORE, S);
}

/** An entry of a table. Its page is marked, and the read observed where it is one that an access makes. */
function readTable(paddr: u64, mode: u32, stage: u32, level: i32): u64 {
  const host = hostOf(paddr);
  const pte = load<u64>(host);
  if (isRam(paddr, 8)) {
    markTable(pageOf(host));
    if (!(mode & (MODE_QUIET | MODE_PROBE)) && watchesReads(host) && observeRead(host, 8, pte, ACCESS_TABLE_READ)) {
      setMachine32(MACHINE_WALK_WATCHED, 1);
    }
  }
  logStep(paddr, pte, stage, level);
  return pte;
}

/** The entry cannot be read. */
function failAt(hart: u32, paddr: u64, stage: u32, level: i32): bool {
  logStep(paddr, 0, stage, level);
  return fail(hart, ACCESS_FAULT);
}

/** For a debugger that asks how an address translates: writes the step to scratch. */
// @ts-ignore: decorator
@inline
function logStep(paddr: u64, pte: u64, stage: u32, level: i32): void {
  const count = machine32(MACHINE_WALK_LOG_COUNT);
  if (count == NOT_LOGGED) return;
  const step = machine32(MACHINE_SCRATCH_HOST) + count * WALK_STEP_SIZE_BYTES;
  store<u64>(step, paddr, WALK_STEP_PADDR);
  store<u64>(step, pte, WALK_STEP_PTE);
  store<u32>(step, stage, WALK_STEP_STAGE);
  store<u32>(step, level, WALK_STEP_LEVEL);
  setMachine32(MACHINE_WALK_LOG_COUNT, count + 1);
}

// @ts-ignore: decorator
@inline
function fail(hart: u32, cause: u32): bool {
  set32(hart, HART_WALK_CAUSE, cause);
  return false;
}

function guestFail(hart: u32, gpa: u64, by: u32): bool {
  set(hart, HART_WALK_GPA, gpa >> 2);
  set32(hart, HART_WALK_IMPLICIT, by);
  set32(hart, HART_WALK_CAUSE, GUEST_PAGE_FAULT);
  return false;
}
