/**
 * A guest that does nothing but print and note. What that costs is counted in records that are held and in bytes that
 * are decoded, not in time.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { openTrace, readTraceSummary } from '../traces/index.ts';
import { record } from './record/record.ts';
import { machineOf, traceStore } from './replay.fixtures.ts';
import { replayTrace } from './verify/verify.ts';

const store = traceStore();

/** Of 34 instructions, 24 print a byte and 8 write a note. */
const FLOOD = `
    li s1, 0x10000000
    li s3, 0x100000
    li a4, 0x411003
  loop:
${'    sb a0, 0(s1)\n    sb a0, 0(s1)\n    sb a0, 0(s1)\n    sw a4, 0(s3)\n'.repeat(8)}
    addi a0, a0, 1
    j loop
`;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

function bytesHeld(): number {
  collectGarbage();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const MOMENTS = 900_000;
const STRETCHES = 10;

it('a guest that floods its console and its notes is recorded, and read, without holding what it wrote', async () => {
  const path = store.path();
  const held: number[] = [];
  await record({
    config: machineOf(FLOOD, { harts: 1 }),
    path,
    planned: [],
    maxMoment: MOMENTS,
    digestEvery: MOMENTS / STRETCHES,
    checkpointEvery: MOMENTS / 3,
    commandLine: [],
    onProgress: () => held.push(bytesHeld()),
  });
  const trace = openTrace(path);
  const [printed, noted] = [trace.console.length, trace.notes.length];
  expect(printed).toBeGreaterThan(0.7 * MOMENTS);
  expect(noted).toBeGreaterThan(0.2 * MOMENTS);
  // The median stretch added less than a byte for each record: there is a block of each kind on its way, no more.
  // Records that are held would show in every stretch; what the host's compiler makes meanwhile, only in some.
  const added = held.slice(1).map((bytes, n) => bytes - held[n]!);
  expect(added).toHaveLength(STRETCHES - 1);
  expect(added.sort((x, y) => x - y)[STRETCHES / 2 - 1]).toBeLessThan((printed + noted) / STRETCHES);
  expect(readTraceSummary(path).end).toEqual(trace.end);
  expect(replayTrace(trace)).toMatchObject({ ok: true, end: { moment: MOMENTS } });
});
