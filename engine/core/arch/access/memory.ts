/**
 * Loads and stores that miss the caches: translation, PMP, misaligned accesses, devices. Also the one way by which
 * atomic and hypervisor instructions reach memory. Misaligned accesses work in RAM and nowhere else; across a page
 * both parts are translated before either is touched, so a faulting store has stored nothing.
 */
import {
  ACCESS_LOAD,
  HART_DATA_CONTEXT,
  HART_DATA_MODE,
  HART_RESYNC,
  HART_WALK_PADDR,
  MACHINE_MMIO_DATA,
  MACHINE_WALK_WATCHED,
  MODE_HLVX,
  PAGE_BYTES,
  RESYNC_END_SLICE,
  TLB_ADDEND,
} from '../layout.gen';
import { mmioLoad, mmioStore } from '../state/imports';
import { hostOf, isRam, pageOf, prepareWriteCaching } from '../pages/pages';
import { pmpAllows, pmpUniform } from '../pages/pmp';
import { logsSteps, stepReads, stepReadsDevice, stepWritesDevice } from '../pages/steps';
import { observeRead, watchesReads } from '../pages/watch';
import {
  FETCH,
  get,
  get32,
  LOAD,
  machine,
  machine32,
  PRIV_MASK,
  readHost,
  set32,
  setMachine,
  STORE,
} from '../state/state';
import { storeRam } from '../code/stores';
import { entryOf, fill, isSlow, makeFast, translates } from '../code/tlb';
import { raiseAccess, raiseWalk } from '../trap/trap';
import { walk } from '../translation/walk';

const OFFSET: u64 = PAGE_BYTES - 1;

/** A load by the current instruction: the value, zero-extended. May trap (RESYNC_PC). */
export function loadSlow(hart: u32, va: u64, size: u32): u64 {
  return loadAs(hart, va, size, get32(hart, HART_DATA_MODE), true);
}

/** A store by the current instruction. May trap (RESYNC_PC). */
export function storeSlow(hart: u32, va: u64, value: u64, size: u32): void {
  storeAs(hart, va, value, size, get32(hart, HART_DATA_MODE), true);
}

/** A load in the given mode. `cached`: the mode is that of ordinary loads, whose cache may be used. */
export function loadAs(hart: u32, va: u64, size: u32, mode: u32, cached: bool): u64 {
  const first = bytesInPage(va, size);
  const host = locate(hart, va, first, 0, LOAD, mode, cached);
  if (host == TRAPPED) return 0;
  if (host == DEVICE) return loadDevice(hart, va, size, mode);
  if (first == size) return readRam(host, size);
  const second = locate(hart, va + first, size - first, first, LOAD, mode, cached);
  if (second == TRAPPED) return 0;
  if (second == DEVICE) {
    raiseAccess(hart, LOAD, va + first, first, mode);
    return 0;
  }
  let value: u64 = 0;
  for (let i: u32 = 0; i < size; i++) {
    const at = i < first ? host + i : second + (i - first);
    value |= readRam(at, 1) << (8 * <u64>i);
  }
  return value;
}

/** The bytes of a load, 1, 2, 4 or 8 of them. */
export function readRam(host: u32, size: u32): u64 {
  const value = readHost(host, size);
  if (watchesReads(host)) observeRead(host, size, value, ACCESS_LOAD);
  if (logsSteps()) stepReads(host, size, value);
  return value;
}

/** A store in the given mode. */
export function storeAs(hart: u32, va: u64, value: u64, size: u32, mode: u32, cached: bool): void {
  const first = bytesInPage(va, size);
  const host = locate(hart, va, first, 0, STORE, mode, cached);
  if (host == TRAPPED) return;
  if (host == DEVICE) return storeDevice(hart, va, value, size, mode);
  if (first == size) return storeRam(host, value, size);
  const second = locate(hart, va + first, size - first, first, STORE, mode, cached);
  if (second == TRAPPED) return;
  if (second == DEVICE) return raiseAccess(hart, STORE, va + first, first, mode);
  for (let i: u32 = 0; i < size; i++) {
    const at = i < first ? host + i : second + (i - first);
    storeRam(at, (value >> (8 * <u64>i)) & 0xff, 1);
  }
}

/** Results of `locate` that are no address. */
export const TRAPPED: u32 = 0;
export const DEVICE: u32 = 1;

/**
 * Linear-memory address of `bytes` bytes at `va`, which do not cross a page; DEVICE when they are not memory (the
 * physical address is in HART.walkPaddr); TRAPPED after an exception. `offset` as for raiseWalk. Stores to ROM trap.
 */
export function locate(hart: u32, va: u64, bytes: u32, offset: u32, access: u32, mode: u32, cached: bool): u32 {
  const entry = entryOf(hart, va, access);
  if (cached && translates(entry, va, get32(hart, HART_DATA_CONTEXT))) {
    const known = <u32>va + load<u32>(entry, TLB_ADDEND);
    if (access == STORE && isSlow(entry) && prepareWriteCaching(pageOf(known))) makeFast(entry);
    return known;
  }
  if (!walk(hart, va, access, mode)) {
    raiseWalk(hart, access, va, offset, mode);
    return TRAPPED;
  }
  const paddr = get(hart, HART_WALK_PADDR);
  const host = hostOf(paddr);
  const privilege = mode & PRIV_MASK;
  const allowed =
    pmpAllows(hart, paddr, bytes, access, privilege) && (host == 0 || access != STORE || isRam(paddr, bytes));
  // HLVX needs memory that may be both read and executed.
  if (!allowed || (mode & MODE_HLVX && !pmpAllows(hart, paddr, bytes, FETCH, privilege))) {
    raiseAccess(hart, access, va, offset, mode);
    return TRAPPED;
  }
  if (host == 0) return DEVICE;
  if (cached && pmpUniform(hart, paddr) && !machine32(MACHINE_WALK_WATCHED)) {
    const isFast = access == LOAD ? !watchesReads(host) && !logsSteps() : prepareWriteCaching(pageOf(host));
    fill(entry, va, get32(hart, HART_DATA_CONTEXT), host - <u32>va, isFast);
  }
  return host;
}

function loadDevice(hart: u32, va: u64, size: u32, mode: u32): u64 {
  const paddr = get(hart, HART_WALK_PADDR);
  if (va & (size - 1) || paddr >> 32 || !mmioLoad(<u32>paddr, size)) {
    raiseAccess(hart, LOAD, va, 0, mode);
    return 0;
  }
  endSlice(hart);
  const value = machine(MACHINE_MMIO_DATA);
  const read = size == 8 ? value : value & ((<u64>1 << (8 * <u64>size)) - 1);
  if (logsSteps()) stepReadsDevice(paddr, size, read);
  return read;
}

function storeDevice(hart: u32, va: u64, value: u64, size: u32, mode: u32): void {
  const paddr = get(hart, HART_WALK_PADDR);
  setMachine(MACHINE_MMIO_DATA, value);
  if (va & (size - 1) || paddr >> 32 || !mmioStore(<u32>paddr, size)) raiseAccess(hart, STORE, va, 0, mode);
  else {
    if (logsSteps()) stepWritesDevice(paddr, size, value);
    endSlice(hart);
  }
}

/** Devices may have raised an interrupt, moved a deadline or asked to stop: `run` looks after this instruction. */
function endSlice(hart: u32): void {
  set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_END_SLICE);
}

// @ts-ignore: decorator
@inline
function bytesInPage(va: u64, size: u32): u32 {
  return min<u32>(size, <u32>(PAGE_BYTES - (va & OFFSET)));
}
