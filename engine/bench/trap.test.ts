/** Traps between a guest and HS-mode, and CSR accesses, never leave WebAssembly: the bench's imports throw. */
import { expect, test } from 'vitest';
import { operationsIn, WORKLOADS } from './trap.ts';

const INSTRUCTIONS = 20_000;
/** Of the longest operation, an ecall whose handler saves and restores 30 registers, and of the set-up. */
const LONGEST = 72;
const SET_UP = 200;

test.each(WORKLOADS)('$name', (workload) => {
  const done = operationsIn(workload, INSTRUCTIONS);
  expect(done).toBeGreaterThan((INSTRUCTIONS - SET_UP) / LONGEST - workload.operations);
  expect(done).toBeLessThanOrEqual(INSTRUCTIONS);
});
