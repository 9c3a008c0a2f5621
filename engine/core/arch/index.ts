/**
 * The privileged architecture: what arch.wasm exports. The first group is for TypeScript (engine/core/interface.ts),
 * the rest for the interpreter (engine/core/README.md).
 */
export { peekNext, run, timerAhead } from './run/run';
export {
  explainTranslation,
  flushDerived,
  modeOfAccess,
  peekCsr,
  pmpEntryAt,
  logSteps,
  pokeCsr,
  resetHarts,
  setBreakAddresses,
  setBreakpoints,
  setWatches,
} from './run/debug';
export { storePhysical } from './code/stores';
export { hashGuest } from './pages/guest-hash';
export { collectDirtyPages, hashRange, initialisePageHashes, updatePageHashes } from './pages/hash';

export { decode } from './code/code';
export { fetch } from './access/fetch';
export { loadSlow, storeSlow } from './access/memory';
export { amo, amocas, amocasQ, lr, mulh, mulhsu, mulhu, sc } from './access/atomic';
export { cboManage, cboZero } from './access/cache-block';
export { clmul, clmulh } from './float/carryless';
export { csr } from './csr/csr';
export {
  floatAdd,
  floatClass,
  floatCompare,
  floatConvert,
  floatDivide,
  floatFromInteger,
  floatLoad,
  floatMultiply,
  floatMultiplyAdd,
  floatPick,
  floatSquareRoot,
  floatSubtract,
  floatToInteger,
  floatWrite,
} from './float/float';
export {
  ebreak,
  ecall,
  fenceI,
  hfenceGvma,
  hfenceVvma,
  hlv,
  hsv,
  illegal,
  mret,
  sfenceOrder,
  sfenceVma,
  sret,
  wfi,
  wrs,
} from './run/system';
