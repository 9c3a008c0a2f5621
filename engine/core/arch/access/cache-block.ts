/**
 * Cache-block operations (Zicbom, Zicboz): who may use them, and on which addresses. There are no caches, so cleaning
 * and invalidating have no effect; outside RAM they are not checked beyond translation and PMP. All faults are those of
 * a store, tval is rs1. @see Volume I, chapter "CMO" Extensions
 */
import {
  CACHE_BLOCK_BYTES,
  ENV_CBZE,
  HART_DATA_MODE,
  HART_HENVCFG,
  HART_MENVCFG,
  HART_SENVCFG,
  HART_WALK_PADDR,
  MACHINE_RAM_HOST,
  RAM_BASE,
} from '../layout.gen';
import { DEVICE, locate, TRAPPED } from './memory';
import { storeRam } from '../code/stores';
import { pmpAllows } from '../pages/pmp';
import { get, get32, LOAD, M, machine32, priv, PRIV_MASK, STORE, U, virt } from '../state/state';
import { raiseAccess, raiseIllegal, raiseVirtual, raiseWalk } from '../trap/trap';
import { walk } from '../translation/walk';

const BLOCK_MASK: u32 = ~(CACHE_BLOCK_BYTES - 1);

/**
 * CBO.INVAL, CBO.CLEAN, CBO.FLUSH: allowed where a load or a store is. `enable`: their field of the envcfg registers.
 */
export function cboManage(hart: u32, va: u64, enable: u64, raw: u64): u64 {
  if (!enabled(hart, enable, raw)) return 0;
  const mode = get32(hart, HART_DATA_MODE);
  // What may be stored to may be loaded from, in page tables and in PMP: only the cause needs the second walk.
  if (!walk(hart, va, LOAD, mode) && !walk(hart, va, STORE, mode)) {
    raiseWalk(hart, STORE, va, 0, mode);
    return 0;
  }
  const block = get(hart, HART_WALK_PADDR) & ~<u64>(CACHE_BLOCK_BYTES - 1);
  if (!pmpAllows(hart, block, CACHE_BLOCK_BYTES, LOAD, mode & PRIV_MASK)) raiseAccess(hart, STORE, va, 0, mode);
  return 0;
}

/** CBO.ZERO: a store of zeros to the whole block, which must be RAM. */
export function cboZero(hart: u32, va: u64, raw: u64): u64 {
  if (!enabled(hart, ENV_CBZE, raw)) return 0;
  const mode = get32(hart, HART_DATA_MODE);
  const host = locate(hart, va, 1, 0, STORE, mode, true);
  if (host == TRAPPED) return 0;
  const block = host & BLOCK_MASK;
  const paddr = <u64>(block - machine32(MACHINE_RAM_HOST)) + RAM_BASE;
  if (host == DEVICE || !pmpAllows(hart, paddr, CACHE_BLOCK_BYTES, STORE, mode & PRIV_MASK)) {
    raiseAccess(hart, STORE, va, 0, mode);
    return 0;
  }
  for (let i: u32 = 0; i < CACHE_BLOCK_BYTES; i += 8) storeRam(block + i, 0, 8);
  return 0;
}

/**
 * Whether menvcfg, henvcfg and senvcfg permit the operation here; otherwise it is illegal, or virtual when a guest's
 * only.
 */
function enabled(hart: u32, field: u64, raw: u64): bool {
  const privilege = priv(hart);
  if (privilege == M) return true;
  if (!(get(hart, HART_MENVCFG) & field)) {
    raiseIllegal(hart, raw);
    return false;
  }
  const userAllowed = privilege != U || (get(hart, HART_SENVCFG) & field) != 0;
  if (virt(hart)) {
    if (userAllowed && get(hart, HART_HENVCFG) & field) return true;
    raiseVirtual(hart, raw);
    return false;
  }
  if (userAllowed) return true;
  raiseIllegal(hart, raw);
  return false;
}
