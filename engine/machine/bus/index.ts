/** What an access outside of RAM reaches: devices, notes that software leaves for the observer, reset and power. */
export { type Bus, type BusObserver, createBus } from './bus.ts';
export { createClock } from './clock.ts';
export { isDetection, NOTES, type NoteName, noteName, noteText, RESET_NOTE } from './notes.ts';
export { createPower, type Power } from './power.ts';
