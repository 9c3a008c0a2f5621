/**
 * The privileged architecture: what arch.wasm exports. The first group is for TypeScript (engine/core/interface.ts),
 * the rest for the interpreter (engine/core/README.md).
 */
export { peekNext, run, timerAhead } from './run';
export { flushDerived, peekCsr, pokeCsr, resetHarts, setBreakpoints, translateForDebug } from './debug';
export { storePhysical } from './stores';
export { hashGuest } from './guest-hash';
export { collectDirtyPages, hashRange, initialisePageHashes, updatePageHashes } from './hash';

export { decode } from './code';
export { fetch } from './fetch';
export { loadSlow, storeSlow } from './memory';
export { amo, amocas, amocasQ, lr, mulh, mulhsu, mulhu, sc } from './atomic';
export { cboManage, cboZero } from './cache-block';
export { clmul, clmulh } from './carryless';
export { csr } from './csr';
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
} from './float';
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
} from './system';
