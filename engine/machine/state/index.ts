/** A machine's state as bytes, pages and named fields: saved, read back and checked, compared. */
export { checkClaimed, checkDigest, isOwn, markOwn } from './claimed.ts';
export { compareStates, MAX_RAM_DIFFERENCES } from './compare.ts';
export { H, W } from './fields.ts';
export { createPageStore, type PageStore } from './pages.ts';
export { readState, type SavedPart, savedParts, stateBytes, writeState } from './state.ts';
