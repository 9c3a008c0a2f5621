/** Guests that do to page tables whatever can be done, to show that translation caches cannot be seen. */
export { imageOf, SEEN, SEEN_BYTES, seenAt, seenSatpAt } from './image.ts';
export { DATA, levelOf, PAGE, POOL, PROGRAM, type Program, RAM, TICKS, USED } from './program.ts';
