/** Replaying a trace against what it recorded: digests, checkpoints, console, end. */
export { type ReplayOptions, replayTrace, verifyCheckpoints } from './verify.ts';
