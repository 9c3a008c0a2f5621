/** What a failing property prints makes it fail again: the seed and path here, the command on the command line. */
import { symlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import { NOTES } from '../engine/index.ts';
import { openTrace, type Trace } from '../traces/index.ts';
import { check, checkScenarios } from './check.ts';
import { IO_IMAGES, IO_SOFTWARE, type ScenarioRecorder, scenarioRecorder } from './scenario.fixtures.ts';
import type { Scenario, ScenarioSoftware } from './scenario.ts';
import { userProject } from './user-project.fixtures.ts';

afterEach(() => vi.unstubAllEnvs());

/** The text that a failing check throws. */
async function failure(running: Promise<void>): Promise<string> {
  const outcome = await running.then(
    () => undefined,
    (error: Error) => error.message,
  );
  expect(outcome).toBeDefined();
  return outcome!;
}

it('shrinks a planted failure, and its seed and path lead straight to it', async () => {
  const options = { name: "a number isn't large", runs: 100 };
  const small = (n: number) => {
    if (n >= 1234) throw new Error(`${n} is large`);
  };
  const text = await failure(check(options, fc.nat({ max: 1_000_000 }), small));
  expect(text).toContain('counterexample: 1234\nerror: 1234 is large\n');
  const [, seed, path] = /reproduce: FC_SEED=(-?\d+) FC_PATH=([\d:]+) npx vitest .* -t 'a number isn'\\''t large'/.exec(
    text,
  )!;
  vi.stubEnv('FC_SEED', seed);
  vi.stubEnv('FC_PATH', path);
  const seen: number[] = [];
  const again = await failure(
    check({ ...options, shrink: false }, fc.nat({ max: 1_000_000 }), (n) => {
      seen.push(n);
      small(n);
    }),
  );
  expect(again).toContain('fails after 1 runs and 0 shrinks\ncounterexample: 1234');
  expect(seen).toEqual([1234]);
});

it('bounds shrinking by runs, not by time, and reports the smallest found', async () => {
  let runs = 0;
  const text = await failure(
    check({ name: 'bounded', runs: 1, maxShrinkRuns: 7 }, fc.integer({ min: 1000, max: 1_000_000_000 }), () => {
      runs++;
      throw new Error('always');
    }),
  );
  expect(runs).toBeLessThanOrEqual(8);
  expect(text).toMatch(/^bounded: fails after 1 runs and \d shrinks/);
});

const SCENARIO: Scenario = {
  harts: 2,
  ramMiB: 64,
  quantum: { policy: 'jittered', ticks: 333, seed: 77 },
  append: 'steps=1',
  typed: [{ moment: 500_000, text: "a'b\\é" }],
  faults: [{ trigger: { kind: 'hypervisor', after: 1_100_000, k: 40 }, fault: 'failstop' }],
  maxMoment: 2_500_000,
};
const WITH_DEVICES: Scenario = {
  ...SCENARIO,
  append: '',
  typed: [{ moment: 9_000, text: 'typed' }],
  faults: [],
  devices: [
    { kind: 'block', slot: 2, sectors: 9, seed: 3, readOnly: false },
    { kind: 'console', slot: 0 },
    { kind: 'block', slot: 7, sectors: 33, seed: 4, readOnly: true },
    { kind: 'net', slot: 5 },
    { kind: 'entropy', slot: 6 },
  ],
  deviceSeed: 99,
};

/** Records a scenario, and records it again by the line that a failing property prints, in a user's project. */
async function reproduces(scenario: Scenario, recorder: ScenarioRecorder, software?: ScenarioSoftware): Promise<Trace> {
  const { trace } = await recorder.record(scenario);
  const planted = { name: 'planted', runs: 1, ...(software && { software }) };
  const text = await failure(checkScenarios(planted, fc.constant(scenario), () => expect.fail('planted')));
  const [, line] = /^or: +(.*)$/m.exec(text)!;
  const project = userProject();
  try {
    // What the repository's own suites print is typed at its root.
    if (software) symlinkSync(fileURLToPath(new URL('.//', import.meta.url)), project.path('properties'), 'dir');
    const { out, err } = project.run(line!);
    expect(err).not.toContain('error');
    expect(out).toContain('replay agrees');
    const again = openTrace(project.path('scenario.djvm'));
    expect(again.inputs).toEqual(trace.inputs);
    expect(again.header.machine).toEqual(trace.header.machine);
    expect(again.end).toEqual(trace.end);
    return trace;
  } finally {
    project.remove();
  }
}

const recorder = scenarioRecorder();
it('prints the command that makes the very run of a scenario', async () => {
  const { notes } = await reproduces(SCENARIO, recorder);
  expect(notes.map(({ code }) => code)).toContain(NOTES.DETECTED_TRAP.code);
});

it('replays it, too, when the run itself fails', async () => {
  const { end } = await reproduces({ ...SCENARIO, append: 'steps=1 recovery=none' }, recorder);
  expect(end?.reason).toBe('halted fail 1');
});

const ioRecorder = scenarioRecorder({ images: IO_IMAGES });
it('prints it with devices, disks by their seed, and software of their own', async () => {
  const { end, inputs } = await reproduces(WITH_DEVICES, ioRecorder, IO_SOFTWARE);
  expect(end?.reason).toBe('halted pass 0');
  expect(inputs).toHaveLength(1);
});
