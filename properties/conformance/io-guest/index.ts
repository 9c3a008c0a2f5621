/** A guest that keeps every device of its machine busy. */
export { ioGuest } from './guest.ts';
