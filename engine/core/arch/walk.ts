/**
 * Address translation: one or two stages of page tables, with physical memory protection, and nothing cached but the
 * PAGE_TABLE marks (privileged manual, "Supervisor" 4.3 ff. and "Two-Stage Address Translation").
 * A and D bits are never set by hardware (Svade): a clear A, or a clear D on a store, is a page fault.
 * Results are left in HART.walk*: the physical address, or why there is none. Does not raise the trap.
 */
import {
  HART_HGATP,
  HART_SATP,
  HART_VSATP,
  HART_WALK_CAUSE,
  HART_WALK_GPA,
  HART_WALK_IMPLICIT,
  HART_WALK_PADDR,
  MODE_FETCH,
  MODE_GSTAGE_MXR,
  MODE_HLVX,
  MODE_MXR,
  MODE_SUM,
  MODE_VIRT,
} from './layout.gen';
import { hostOf, isRam, markTable, pageOf } from './pages';
import { pmpAllows } from './pmp';
import { FETCH, get, LOAD, M, PRIV_MASK, S, set, set32, STORE, U } from './state';

// HART.walkCause.
export const PAGE_FAULT: u32 = 0;
export const ACCESS_FAULT: u32 = 1;
export const GUEST_PAGE_FAULT: u32 = 2;

const V: u64 = 1;
const R: u64 = 2;
const W: u64 = 4;
const X: u64 = 8;
const USER: u64 = 16;
const A: u64 = 64;
const D: u64 = 128;
const PPN_SHIFT: u64 = 10;
const PPN_MASK: u64 = 0xfffffffffff;
/** N, PBMT and reserved bits: none of their extensions is there. */
const RESERVED: u64 = ~<u64>0 << 54;

const BARE: u64 = 0;
/** satp.MODE and hgatp.MODE of Sv39(x4); the next ones, of Sv48(x4) and Sv57(x4), have one and two levels more. */
export const SV39: u64 = 8;
const LEVELS_BELOW_MODE: u64 = 5;

/**
 * Translates `va` for an access of mode `mode` (MODE_* and privilege). False: HART.walkCause says why.
 * HART.walkPaddr has the address; PMP has been checked for the page tables, not for the access itself.
 */
export function walk(hart: u32, va: u64, access: u32, mode: u32): bool {
  set(hart, HART_WALK_GPA, 0);
  set32(hart, HART_WALK_IMPLICIT, 0);
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
  let level = <i32>((atp >> 60) - LEVELS_BELOW_MODE) - 1;
  // Bits above the virtual address must equal its sign.
  const unused: i64 = 64 - (12 + 9 * (level + 1));
  if (<u64>((<i64>va << unused) >> unused) != va) return fail(hart, PAGE_FAULT);
  let table = (atp & PPN_MASK) << 12;
  for (; level >= 0; level--) {
    const at = table + (((va >> (12 + 9 * <u64>level)) & 0x1ff) << 3);
    let paddr = at;
    if (mode & MODE_VIRT) {
      if (!secondStage(hart, at, LOAD, mode, true)) return false;
      paddr = get(hart, HART_WALK_PADDR);
    }
    if (!tableReadable(hart, paddr)) return fail(hart, ACCESS_FAULT);
    const pte = readTable(paddr);
    if (!(pte & V) || (pte & (R | W)) == W || pte & RESERVED) return fail(hart, PAGE_FAULT);
    const page = ((pte >> PPN_SHIFT) & PPN_MASK) << 12;
    if (!(pte & (R | X))) {
      if (pte & (USER | A | D)) return fail(hart, PAGE_FAULT);
      table = page;
      continue;
    }
    if (!userBitAllows(pte, access, mode) || !permits(pte, access, mode, MODE_MXR)) return fail(hart, PAGE_FAULT);
    const span = (<u64>1 << (12 + 9 * <u64>level)) - 1;
    if (page & span) return fail(hart, PAGE_FAULT);
    set(hart, HART_WALK_PADDR, page | (va & span));
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
  const top = <i32>((hgatp >> 60) - LEVELS_BELOW_MODE) - 1;
  // Two bits more than a virtual address, and not sign-extended.
  if (gpa >> (14 + 9 * <u64>(top + 1))) return guestFail(hart, gpa, implicit);
  let table = (hgatp & (PPN_MASK & ~3)) << 12;
  for (let level = top; level >= 0; level--) {
    const index = (gpa >> (12 + 9 * <u64>level)) & (level == top ? 0x7ff : 0x1ff);
    const paddr = table + (index << 3);
    if (!tableReadable(hart, paddr)) return fail(hart, ACCESS_FAULT);
    const pte = readTable(paddr);
    if (!(pte & V) || (pte & (R | W)) == W || pte & RESERVED) return guestFail(hart, gpa, implicit);
    const page = ((pte >> PPN_SHIFT) & PPN_MASK) << 12;
    if (!(pte & (R | X))) {
      if (pte & (USER | A | D)) return guestFail(hart, gpa, implicit);
      table = page;
      continue;
    }
    // Every access is a user-level one here. Reads of page tables are plain loads whatever MXR and HLVX say.
    const effective = implicit ? 0 : mode;
    if (!(pte & USER) || !permits(pte, access, effective, MODE_GSTAGE_MXR)) return guestFail(hart, gpa, implicit);
    const span = (<u64>1 << (12 + 9 * <u64>level)) - 1;
    if (page & span) return guestFail(hart, gpa, implicit);
    set(hart, HART_WALK_PADDR, page | (gpa & span));
    return true;
  }
  return guestFail(hart, gpa, implicit);
}

/** The U bit against the privilege: S-mode reaches user pages only for data and only with SUM. */
// @ts-ignore: decorator
@inline
function userBitAllows(pte: u64, access: u32, mode: u32): bool {
  const user = (pte & USER) != 0;
  if ((mode & PRIV_MASK) == U) return user;
  return !user || (access != FETCH && (mode & MODE_SUM) != 0);
}

/** R, W, X, A and D against the access. `mxr` is the mode bit that lets loads read executable pages in this stage. */
// @ts-ignore: decorator
@inline
function permits(pte: u64, access: u32, mode: u32, mxr: u32): bool {
  if (!(pte & A)) return false;
  if (access == FETCH) return (pte & X) != 0;
  if (access == STORE) return (pte & (W | D)) == (W | D);
  if (mode & MODE_HLVX) return (pte & X) != 0;
  return (pte & R) != 0 || ((mode & mxr) != 0 && (pte & X) != 0);
}

/** Page-table entries are read from main memory, as S-mode for PMP. */
// @ts-ignore: decorator
@inline
function tableReadable(hart: u32, paddr: u64): bool {
  return hostOf(paddr) != 0 && pmpAllows(hart, paddr, 8, LOAD, S);
}

// @ts-ignore: decorator
@inline
function readTable(paddr: u64): u64 {
  const host = hostOf(paddr);
  if (isRam(paddr, 8)) markTable(pageOf(host));
  return load<u64>(host);
}

// @ts-ignore: decorator
@inline
function fail(hart: u32, cause: u32): bool {
  set32(hart, HART_WALK_CAUSE, cause);
  return false;
}

function guestFail(hart: u32, gpa: u64, implicit: bool): bool {
  set(hart, HART_WALK_GPA, gpa >> 2);
  set32(hart, HART_WALK_IMPLICIT, implicit ? 1 : 0);
  set32(hart, HART_WALK_CAUSE, GUEST_PAGE_FAULT);
  return false;
}
