/**
 * Whole runs of the prebuilt images: recording and replay agree however the harts take turns and wherever replay
 * starts, and a recorder that is killed or runs out of space leaves a trace that replays.
 */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { type MachineConfig, NOTES } from '../engine/index.ts';
import { openTrace } from '../traces/index.ts';
import type { PlannedInput } from './base/types.ts';
import { record } from './record/record.ts';
import { openTimeline } from './timeline/index.ts';
import { replayTrace } from './verify/verify.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-first-light-'));
afterAll(() => rmSync(folder, { recursive: true }));

const images = fileURLToPath(new URL('../engine/subject/images/', import.meta.url));
const image = (name: string) => ({ name, bytes: new Uint8Array(readFileSync(images + name)) });
const demo = (harts: number, policy: 'fixed' | 'jittered'): MachineConfig => ({
  harts,
  ramBytes: 128 << 20,
  quantum: { policy, ticks: 1000, seed: 42n },
  bios: image('firmware.elf'),
  kernel: image('lazarus.elf'),
  initrd: image('guest-compute.elf'),
  append: '',
});
const failstop: PlannedInput = {
  trigger: { kind: 'hypervisor', after: 6_000_000, k: 120 },
  event: { kind: 'fault', fault: { model: 'failstop', hart: -1 } },
};
const EVERY = { maxMoment: 60_000_000, digestEvery: 1_000_000, checkpointEvery: 5_000_000, commandLine: [] };

describe('a hypervisor that fails and recovers', () => {
  const machines = [1, 2, 4].flatMap((harts) => [[harts, 'fixed'] as const, [harts, 'jittered'] as const]);

  it.each(machines)(
    'on %i harts, quanta %s, replays from the start and from each checkpoint',
    async (harts, policy) => {
      const path = join(folder, `${harts}-${policy}.djvm`);
      const result = await record({ ...EVERY, path, config: demo(harts, policy), planned: [failstop] });
      expect(result.stop).toEqual({ kind: 'halted', status: 'pass', code: 0 });
      expect(result.notReached).toEqual([]);
      const trace = openTrace(path);
      const codes = trace.notes.map(({ code }) => code);
      expect(codes).toContain(NOTES.DETECTED_TRAP.code);
      expect(codes).toContain(NOTES.RESUMED.code);
      expect(trace.checkpoints.length).toBeGreaterThan(2);
      expect(replayTrace(trace)).toMatchObject({
        ok: true,
        end: { moment: result.end.moment, ticks: result.end.ticks },
      });
      for (const n of trace.checkpoints.keys()) expect(replayTrace(trace, { fromCheckpoint: n }).ok, `${n}`).toBe(true);
    },
  );

  it('can be walked backwards from its end to the fault, and forwards again', async () => {
    const path = join(folder, 'walk.djvm');
    await record({ ...EVERY, path, config: demo(2, 'fixed'), planned: [failstop] });
    const trace = openTrace(path);
    const travel = openTimeline(trace);
    travel.seek(trace.last.moment);
    expect(travel.machine.digest()).toBe(trace.end!.digest);
    for (const mark of [...trace.digests].reverse()) {
      travel.seek(mark.moment);
      expect(travel.machine.digest()).toBe(mark.digest);
    }
    const fault = trace.inputs.at(0)!.moment;
    travel.seek(fault + 2);
    travel.stepBackward(3);
    const before = travel.machine.digest();
    const next = travel.machine.next();
    expect(travel.machine.hart(next.hart).mode).toBe('HS');
    travel.stepForward();
    expect(travel.machine.hart(next.hart).pc).toBe(0n);
    travel.seek(trace.last.moment);
    travel.seek(fault - 1);
    expect(travel.machine.digest()).toBe(before);
  });
});

/** A recorder in a process of its own; it takes its time, so that it can be killed in the middle. */
const childScript = (path: string) => `
  import { readFileSync, writeSync } from 'node:fs';
  import { record } from ${JSON.stringify(new URL('./record/record.ts', import.meta.url).href)};
  const image = (name) => ({ name, bytes: new Uint8Array(readFileSync(${JSON.stringify(images)} + name)) });
  const pause = new Int32Array(new SharedArrayBuffer(4));
  try {
    await record({
      path: ${JSON.stringify(path)},
      config: {
        harts: 2, ramBytes: 128 << 20, quantum: { policy: 'fixed', ticks: 1000, seed: 0n }, append: '',
        bios: image('firmware.elf'), kernel: image('lazarus.elf'), initrd: image('guest-compute.elf'),
      },
      planned: [], maxMoment: 60_000_000, digestEvery: 200_000, checkpointEvery: 2_000_000, commandLine: [],
      onProgress: (moment) => { writeSync(1, moment + '\\n'); Atomics.wait(pause, 0, 0, 5); },
    });
  } catch (error) {
    writeSync(2, error.name + ' ' + error.kind);
    process.exitCode = 9;
  }
`;
const nodeArgs = (path: string) => ['--no-warnings', '--input-type=module', '--eval', childScript(path)];
/** Instructions that may be lost: digests that wait for a flush, and the stretch behind the last. */
const LOSS = 9 * 200_000;

describe('a recorder', () => {
  it('killed with SIGKILL leaves a prefix that replays', async () => {
    const path = join(folder, 'killed.djvm');
    const child = spawn(process.execPath, nodeArgs(path), { stdio: ['ignore', 'pipe', 'inherit'] });
    let seen = 0;
    const signal = await new Promise((resolve) => {
      child.on('exit', (_, by) => resolve(by));
      child.stdout.on('data', (chunk: Buffer) => {
        seen = Number(chunk.toString().trim().split('\n').at(-1));
        if (seen >= 7_000_000) child.kill('SIGKILL');
      });
    });
    expect(signal).toBe('SIGKILL');
    const trace = openTrace(path);
    expect(trace.end).toBeUndefined();
    expect(trace.damage?.kind).toBe('truncated');
    expect(trace.last.moment).toBeGreaterThanOrEqual(seen - LOSS);
    expect(replayTrace(trace)).toMatchObject({ ok: true, end: trace.last });
  });

  it('without space says so and leaves a prefix that replays', async () => {
    const path = join(folder, 'full.djvm');
    const whole = await record({ ...EVERY, path: join(folder, 'whole.djvm'), config: demo(2, 'fixed'), planned: [] });
    // A limit on file size, in blocks of 1 KiB: enough for the images and a checkpoint, not for the run.
    const command = `trap "" XFSZ; ulimit -f ${Math.floor((0.8 * whole.bytes) / 1024)}; exec "$@"`;
    const ran = spawnSync('bash', ['-c', command, 'bash', process.execPath, ...nodeArgs(path)], { encoding: 'utf8' });
    expect(ran).toMatchObject({ status: 9, stderr: 'TraceWriteError disk-full' });
    const trace = openTrace(path);
    expect(trace.damage).toMatchObject({ kind: 'truncated', offset: trace.sizeBytes });
    expect(trace.checkpoints.length).toBeGreaterThan(0);
    expect(replayTrace(trace)).toMatchObject({ ok: true, end: trace.last });
  });
});
