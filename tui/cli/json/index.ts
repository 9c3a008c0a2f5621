/** The documented shapes of what `--json` prints. */
export { documented } from './documented.ts';
export { toJson, toJsonLine } from './to-json.ts';
