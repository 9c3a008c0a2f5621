/** What a failing property prints makes it fail again: the seed and path here, the command on the command line. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, expect, it, vi } from 'vitest';
import { NOTES } from '../engine/index.ts';
import { openTrace } from '../traces/index.ts';
import { check, checkScenarios } from './check.ts';
import { scenarioRecorder } from './scenario.fixtures.ts';
import type { Scenario } from './scenario.ts';

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

it('says that time was too short rather than pass with fewer runs', async () => {
  const text = await failure(
    check({ name: 'slow', runs: 100, timeLimitMs: 30 }, fc.nat(), async () => {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }),
  );
  expect(text).toMatch(/^slow: only \d runs in 0.03 s, no counterexample/);
});

const recorder = scenarioRecorder();
const SCENARIO: Scenario = {
  harts: 2,
  ramMiB: 64,
  quantum: { policy: 'jittered', ticks: 333, seed: 77 },
  append: 'steps=1',
  typed: [{ moment: 500_000, text: "a'b\\é" }],
  faults: [{ trigger: { kind: 'hypervisor', after: 1_100_000, k: 40 }, fault: 'failstop' }],
  maxMoment: 2_500_000,
};

it('prints the command that makes the very run of a scenario', async () => {
  const { trace } = await recorder.record(SCENARIO);
  expect(trace.notes.map(({ code }) => code)).toContain(NOTES.DETECTED_TRAP.code);
  const text = await failure(
    checkScenarios({ name: 'planted', runs: 1 }, fc.constant(SCENARIO), () => expect.fail('planted')),
  );
  const command = /^or: +npx dejavm (record .*) && npx dejavm replay scenario.djvm$/m.exec(text)?.[1];
  const folder = mkdtempSync(join(tmpdir(), 'dejavm-reproduce-'));
  try {
    const program = fileURLToPath(new URL('../bin/dejavm.js', import.meta.url));
    const ran = spawnSync('bash', ['-c', `"$0" "$1" ${command}`, process.execPath, program], {
      cwd: folder,
      env: { ...process.env, XDG_DATA_HOME: folder },
      encoding: 'utf8',
      input: '',
    });
    expect(ran.stderr).not.toContain('error');
    const { inputs, end } = openTrace(join(folder, 'scenario.djvm'));
    expect(inputs).toEqual(trace.inputs);
    expect(end).toEqual(trace.end);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
