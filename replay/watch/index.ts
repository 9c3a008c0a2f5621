/**
 * Watching memory over time: who wrote or read it last, next, or ever, wherever its address leads meanwhile.
 */
export { type Followed, follow, sameRanges } from './follow.ts';
export { type AccessHit, type MappingHit, type MemoryHit, memoryObserver, type WatchedMemory } from './memory.ts';
export { lastAccessInParallel, type ShareOptions } from './parallel.ts';
export { accessesUntil, lastAccess } from './who-wrote.ts';
