import fc from 'fast-check';
import { setSuiteCommand } from './check.ts';

/** Stable by default; FC_SEED, FC_RUNS and FC_PATH re-run what a failure printed. */
fc.configureGlobal({
  seed: Number(process.env.FC_SEED ?? 0xde7a),
  ...(process.env.FC_RUNS ? { numRuns: Number(process.env.FC_RUNS) } : {}),
  ...(process.env.FC_PATH ? { path: process.env.FC_PATH } : {}),
});
setSuiteCommand('npx vitest run --project property');
