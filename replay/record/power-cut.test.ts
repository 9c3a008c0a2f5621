/**
 * A power cut: what the disk was not waited for. How often it is waited for, however much is recorded and however fast.
 */
import { afterAll, expect, it, vi } from 'vitest';
import { openTrace } from '../../traces/index.ts';
import { ECHO, machineOf, traceStore, WORK } from '../replay.fixtures.ts';
import { replayTrace } from '../verify/verify.ts';
import { record } from './record.ts';

const disk = vi.hoisted(() => ({ syncs: 0, isSynced: true }));
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  return {
    ...real,
    writeSync(fd: number, bytes: Uint8Array, at: number) {
      disk.isSynced = false;
      return real.writeSync(fd, bytes, at);
    },
    fdatasyncSync(fd: number) {
      real.fdatasyncSync(fd);
      disk.syncs++;
      disk.isSynced = true;
    },
  };
});
let now = 0;
vi.spyOn(performance, 'now').mockImplementation(() => now);
afterAll(() => vi.restoreAllMocks());

const store = traceStore();
/** Host time between two polls of the console. */
const STEP_MS = 100;

/** Records what is typed at these polls, a character at each; says at which polls the disk had everything before. */
async function session(isTyping: (poll: number) => boolean, polls: number) {
  const path = store.path();
  Object.assign(disk, { syncs: 0, isSynced: true });
  const synced: number[] = [];
  let poll = 0;
  await record({
    path,
    config: machineOf(ECHO),
    planned: [],
    maxMoment: 1e9,
    digestEvery: 1e8,
    checkpointEvery: 1e8,
    commandLine: [],
    pollConsole() {
      now += STEP_MS;
      if (disk.isSynced) synced.push(poll);
      if (poll++ === polls) return 'closed';
      return isTyping(poll - 1) ? Buffer.from('a') : undefined;
    },
  });
  const trace = openTrace(path);
  expect(replayTrace(trace)).toMatchObject({ ok: true, end: trace.last });
  return { synced, syncs: disk.syncs };
}

it('of a live session takes a second of keys at most, while they keep coming', async () => {
  const { synced, syncs } = await session(() => true, 45);
  expect(synced).toEqual([10, 20, 30, 40]);
  // And at the end.
  expect(syncs).toBe(5);
});

it('of a live session takes no key that was waited behind, and a second later nothing of what it did', async () => {
  const { synced, syncs } = await session((poll) => poll === 12, 40);
  expect(synced).toEqual([13, ...Array.from({ length: 40 - 22 }, (_, n) => 23 + n)]);
  expect(syncs).toBe(3);
});

it('of any recording takes what came behind the last checkpoint, or in the last second', async () => {
  const path = store.path();
  Object.assign(disk, { syncs: 0, isSynced: true });
  const syncedAt: number[] = [];
  let syncs = 0;
  await record({
    path,
    config: machineOf(WORK),
    planned: [],
    maxMoment: 45_000,
    digestEvery: 500,
    checkpointEvery: 1000,
    commandLine: [],
    onProgress(moment) {
      now += STEP_MS / 2;
      if (disk.syncs > syncs) syncedAt.push(moment);
      syncs = disk.syncs;
    },
  });
  // Seen by the next digest.
  expect(syncedAt).toEqual([10_500, 20_500, 30_500, 40_500]);
  expect(disk.syncs).toBe(5);
  const trace = openTrace(path);
  expect(trace.checkpoints.length).toBeGreaterThan(40);
  expect(replayTrace(trace)).toMatchObject({ ok: true, end: trace.last });
});
