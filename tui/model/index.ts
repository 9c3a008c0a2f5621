/** What the terminal UI knows and does: a session, its keys and motions, and the screen that follows. */
export { advanceWork } from './actions.ts';
export { createGrowth, type Growth } from './growth.ts';
export { pressKey, runScript } from './input.ts';
export { machineIntrospection } from './introspection.ts';
export { createScanner, type Scanner } from './scan.ts';
export { type Panel, type Screen, screenOf, whileWorking } from './screen.ts';
export { change, createSession, say } from './session.ts';
