/**
 * Translation caches: which context an access translates in, filling, and flushing. A flush is a new generation of
 * contexts; entries of older ones are dead because their ids are not handed out again before the caches are emptied.
 * Relies on walks having marked the page tables they read (PAGE_TABLE). Does not check permissions.
 */
import {
  CONTEXT_KEYS,
  CONTEXT_KEY_BYTES,
  ENV_ADUE,
  ENV_PBMTE,
  HART_BASE,
  HART_CONTEXTS_USED,
  HART_CONTEXT_KEYS,
  HART_DATA_CONTEXT,
  HART_DATA_MODE,
  HART_FETCH_CONTEXT,
  HART_HGATP,
  HART_MENVCFG,
  HART_MSTATUS,
  HART_RESYNC,
  HART_SATP,
  HART_STRIDE,
  HART_VIRT,
  HART_VSATP,
  HART_VSSTATUS,
  MACHINE_CONTEXT_GENERATION,
  MACHINE_CURRENT_HART,
  MACHINE_TLB_HOST,
  MAX_CONTEXTS,
  MODE_FETCH,
  MODE_GSTAGE_MXR,
  MODE_MXR,
  MODE_SUM,
  MODE_VIRT,
  MPP,
  MPP_SHIFT,
  MPRV,
  MPV,
  MXR,
  PAGE_BYTES,
  RESYNC_END_SLICE,
  SLOW_CONTEXT,
  SUM,
  TLB_ADDEND,
  TLB_ENTRIES,
  TLB_ENTRY_BYTES,
  TLB_HART_BYTES,
  TLB_SLOW_CONTEXT,
  TLB_TAG,
} from '../layout.gen';
import { updateFloat } from '../state/float-state';
import { forgetTables } from '../pages/pages';
import { get, get32, henvcfg, M, machine32, priv, PRIV_MASK, set, set32, setMachine32, virt } from '../state/state';

const PAGE_MASK: u64 = ~<u64>(PAGE_BYTES - 1);
const CACHE_BYTES: u32 = TLB_ENTRIES * TLB_ENTRY_BYTES;
/** Keys that one context may stand in; a power of two. */
const CONTEXT_WAYS: u32 = 4;

/** MODE_* bits of a load or store of this privilege and virtualisation mode. */
export function modeOf(hart: u32, privilege: u32, isVirtual: bool): u32 {
  const mstatus = get(hart, HART_MSTATUS);
  let mode = privilege;
  if (mstatus & MXR) mode |= MODE_MXR;
  if (!isVirtual) {
    if (mstatus & SUM) mode |= MODE_SUM;
    return mode;
  }
  // The level-HS MXR counts in both stages, vsstatus.MXR only in the first (manual, "Machine Status Registers", H).
  mode |= MODE_VIRT;
  if (mstatus & MXR) mode |= MODE_GSTAGE_MXR;
  const vsstatus = get(hart, HART_VSSTATUS);
  if (vsstatus & MXR) mode |= MODE_MXR;
  if (vsstatus & SUM) mode |= MODE_SUM;
  return mode;
}

/** MODE_* bits of the hart's fetches. */
export function fetchMode(hart: u32): u32 {
  return MODE_FETCH | priv(hart) | (virt(hart) ? MODE_VIRT : 0);
}

/** As `updateContexts`; ends the slice if they changed, as an instruction that goes on to the next one must. */
export function changeContexts(hart: u32): void {
  const fetch = get32(hart, HART_FETCH_CONTEXT);
  const data = get32(hart, HART_DATA_CONTEXT);
  updateContexts(hart);
  if (get32(hart, HART_FETCH_CONTEXT) == fetch && get32(hart, HART_DATA_CONTEXT) == data) return;
  set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_END_SLICE);
}

/**
 * Brings HART.fetchContext, .dataContext and .dataMode in line with the hart's state, and what status registers and V
 * say about floating point. The caller sets HART.resync.
 */
export function updateContexts(hart: u32): void {
  updateFloat(hart);
  const mode = dataModeOf(hart);
  set32(hart, HART_DATA_MODE, mode);
  const before = machine32(MACHINE_CONTEXT_GENERATION);
  let fetch = contextOf(hart, fetchMode(hart));
  const data = contextOf(hart, mode);
  // The second look-up may have run out of ids and emptied the caches, the first one's id included.
  if (machine32(MACHINE_CONTEXT_GENERATION) != before) fetch = contextOf(hart, fetchMode(hart));
  set32(hart, HART_FETCH_CONTEXT, fetch);
  set32(hart, HART_DATA_CONTEXT, data);
}

/**
 * Forgets all translations of all harts. The running hart gets new contexts at once and leaves the interpreter after
 * its instruction; the others get theirs when their slices begin.
 */
export function flushTranslations(): void {
  setMachine32(MACHINE_CONTEXT_GENERATION, machine32(MACHINE_CONTEXT_GENERATION) + 1);
  forgetTables();
  const hart = HART_BASE + machine32(MACHINE_CURRENT_HART) * HART_STRIDE;
  updateContexts(hart);
  set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_END_SLICE);
}

/** Empties the three caches of a hart and its table of contexts. */
export function clearCaches(hart: u32): void {
  memory.fill(cacheOf(hart, 0), 0xff, TLB_HART_BYTES);
  memory.fill(hart + HART_CONTEXT_KEYS, 0xff, CONTEXT_KEYS * CONTEXT_KEY_BYTES);
  set32(hart, HART_CONTEXTS_USED, 0);
}

/** The entry that `va` belongs in. */
export function entryOf(hart: u32, va: u64, access: u32): u32 {
  return cacheOf(hart, access) + (<u32>(va >> 12) & (TLB_ENTRIES - 1)) * TLB_ENTRY_BYTES;
}

/** Whether the entry translates the page of `va` in `context`. */
// @ts-ignore: decorator
@inline
export function hits(entry: u32, va: u64, context: u32): bool {
  return load<u64>(entry, TLB_TAG) == ((va & PAGE_MASK) | context);
}

/** In place of the context: the entry is for slow accesses only, which look at the page's flags each time. */
const SLOW: u32 = SLOW_CONTEXT << 3;

/** As `hits`, for slow accesses. */
// @ts-ignore: decorator
@inline
export function translates(entry: u32, va: u64, context: u32): bool {
  if (hits(entry, va, context)) return true;
  return hits(entry, va, SLOW) && load<u32>(entry, TLB_SLOW_CONTEXT) == context;
}

// @ts-ignore: decorator
@inline
export function isSlow(entry: u32): bool {
  return (load<u32>(entry, TLB_TAG) & ~(<u32>PAGE_MASK)) == SLOW;
}

// @ts-ignore: decorator
@inline
export function makeFast(entry: u32): void {
  store<u32>(entry, (load<u32>(entry, TLB_TAG) & <u32>PAGE_MASK) | load<u32>(entry, TLB_SLOW_CONTEXT), TLB_TAG);
}

/** `isFast`: the interpreter may use the entry, else slow accesses only. */
// @ts-ignore: decorator
@inline
export function fill(entry: u32, va: u64, context: u32, addend: u32, isFast: bool): void {
  store<u64>(entry, (va & PAGE_MASK) | (isFast ? context : SLOW), TLB_TAG);
  store<u32>(entry, addend, TLB_ADDEND);
  store<u32>(entry, context, TLB_SLOW_CONTEXT);
}

/** Loads and stores in M-mode with MPRV act as in the mode of MPP and MPV. */
export function dataModeOf(hart: u32): u32 {
  const mstatus = get(hart, HART_MSTATUS);
  if (priv(hart) != M || !(mstatus & MPRV)) return modeOf(hart, priv(hart), virt(hart));
  const privilege = <u32>((mstatus & MPP) >> MPP_SHIFT);
  return modeOf(hart, privilege, privilege != M && (mstatus & MPV) != 0);
}

/**
 * The context id, placed as tag bits, of the translation that `mode` and the address-translation registers define. Keys
 * are looked for in a set of CONTEXT_WAYS neighbours, so that contexts that alternate do not evict each other.
 */
function contextOf(hart: u32, mode: u32): u32 {
  let first: u64 = 0;
  let second: u64 = 0;
  let third: u64 = (<u64>machine32(MACHINE_CONTEXT_GENERATION)) << 32;
  // M-mode accesses are not translated: SUM and MXR mean nothing there.
  if ((mode & PRIV_MASK) == M) mode &= PRIV_MASK | MODE_FETCH;
  else {
    // How table entries are read counts, too: memory types, and who sets A and D.
    third |= (get(hart, HART_MENVCFG) & (ENV_ADUE | ENV_PBMTE)) >> 48;
    if (mode & MODE_VIRT) {
      first = get(hart, HART_VSATP);
      second = get(hart, HART_HGATP);
      third |= (henvcfg(hart) & (ENV_ADUE | ENV_PBMTE)) >> 46;
    } else first = get(hart, HART_SATP);
  }
  third |= mode;
  const hash = <u32>(
    (first ^ (first >> 44) ^ (second << 1) ^ (second >> 40) ^ (<u64>mode * 5) ^ (<u64>mode >> 3)) & (CONTEXT_KEYS - 1)
  );
  for (let way: u32 = 0; way < CONTEXT_WAYS; way++) {
    const key = hart + HART_CONTEXT_KEYS + (hash ^ way) * CONTEXT_KEY_BYTES;
    if (load<u64>(key) == first && load<u64>(key, 8) == second && load<u64>(key, 16) == third)
      return load<u32>(key, 24);
  }
  const id = get32(hart, HART_CONTEXTS_USED);
  if (id == MAX_CONTEXTS) {
    clearCaches(hart);
    setMachine32(MACHINE_CONTEXT_GENERATION, machine32(MACHINE_CONTEXT_GENERATION) + 1);
    return contextOf(hart, mode);
  }
  set32(hart, HART_CONTEXTS_USED, id + 1);
  const key = hart + HART_CONTEXT_KEYS + victim(hart, hash) * CONTEXT_KEY_BYTES;
  set(key, 0, first);
  set(key, 8, second);
  set(key, 16, third);
  set32(key, 24, id << 3);
  return id << 3;
}

/** Which key of a set makes room: one of an older generation if there is any, else each in turn. */
function victim(hart: u32, hash: u32): u32 {
  const generation = machine32(MACHINE_CONTEXT_GENERATION);
  for (let way: u32 = 0; way < CONTEXT_WAYS; way++) {
    const key = hart + HART_CONTEXT_KEYS + (hash ^ way) * CONTEXT_KEY_BYTES;
    if (load<u32>(key, 20) != generation) return hash ^ way;
  }
  return hash ^ (get32(hart, HART_CONTEXTS_USED) & (CONTEXT_WAYS - 1));
}

// @ts-ignore: decorator
@inline
function cacheOf(hart: u32, access: u32): u32 {
  return machine32(MACHINE_TLB_HOST) + ((hart - HART_BASE) / HART_STRIDE) * TLB_HART_BYTES + access * CACHE_BYTES;
}
