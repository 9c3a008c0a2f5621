/**
 * Record = replay: a scenario's trace holds all that decided its run, and observers that come and go change nothing.
 * Also the canary: an input that the trace does not hold must be found, or the property could not fail.
 */
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createTracePlayer, type ReplayResult, replayTrace } from '../replay/index.ts';
import type { Trace } from '../traces/index.ts';
import { scenarios } from './arbitraries.ts';
import { check } from './check.ts';
import { ChangingObservers, observerSets } from './observers.fixtures.ts';
import {
  copyTrace,
  IO_IMAGES,
  IO_PAGES,
  IO_ROUNDS,
  IO_SOFTWARE,
  ONE_ROUND,
  PAGES,
  scenarioRecorder,
} from './scenario.fixtures.ts';
import { type Scenario, type ScenarioSoftware, scenarioCommand } from './scenario.ts';

const recorder = scenarioRecorder();
const ARBITRARY = scenarios({ ...ONE_ROUND, devices: { min: 0, max: 2 } });
/** Digests and checkpoints fall between any two pieces of I/O. */
const ioRecorder = scenarioRecorder({ images: IO_IMAGES, digestEvery: 5000, checkpointEvery: 20_000 });

/** @throws Error saying where they part */
function expectReplays(trace: Trace, fromCheckpoint?: number): void {
  const result = replayTrace(trace, fromCheckpoint === undefined ? {} : { fromCheckpoint });
  if (!result.ok) throw new Error(partingText(result));
  expect(result.end).toEqual({ moment: trace.last.moment, ticks: trace.last.ticks });
}

/** Replays with other observers from each digest on: the digests are those of the recording. */
function expectReplaysObserved(trace: Trace, observers: ChangingObservers): void {
  const player = createTracePlayer(trace);
  const { machine } = player;
  for (const { moment, ticks, digest } of trace.digests) {
    observers.change(machine);
    observers.past(machine, () => player.advance({ ticks }, 'pending'));
    expect({ moment: machine.moment, ticks: machine.ticks, digest: machine.digest() }).toEqual({
      moment,
      ticks,
      digest,
    });
  }
}

function partingText({ divergence }: ReplayResult): string {
  if (!divergence) return 'the replay is not ok, and does not say where';
  const { what, agreedAt, differsAt, expected, actual, differences } = divergence;
  const where = differences.map((difference) => difference.where).join(', ');
  return `${what} differs between moments ${agreedAt.moment} and ${differsAt.moment}: ${expected}, replayed ${actual} (${where})`;
}

/** Over scenarios with observers, whose reproducer is the scenario's. */
function checkObserved(
  { software, ...options }: { name: string; runs: number; software?: ScenarioSoftware },
  arbitrary: fc.Arbitrary<Scenario>,
  pages: readonly number[],
  holds: (scenario: Scenario, observers: ChangingObservers) => Promise<void>,
): Promise<void> {
  const drawn = fc.record({ scenario: arbitrary, sets: observerSets(pages) });
  const reproduce = ({ scenario }: { scenario: Scenario }) => scenarioCommand(scenario, software);
  return check({ ...options, reproduce }, drawn, ({ scenario, sets }) => holds(scenario, new ChangingObservers(sets)));
}

test('a recorded scenario replays', async () => {
  const name = 'a recorded scenario replays';
  await checkObserved({ name, runs: 14 }, ARBITRARY, PAGES, async (scenario, observers) => {
    const { result, trace } = await recorder.record(scenario);
    expect(trace.end).toMatchObject({ ...result.end });
    expectReplays(trace);
    // From half way, too: what a checkpoint does not hold cannot be made up for.
    expectReplays(trace, trace.checkpoints.length >> 1);
    expectReplaysObserved(trace, observers);
  });
});

test('a recorded scenario with busy devices replays', async () => {
  const name = 'a recorded scenario with busy devices replays';
  let finished = 0;
  const options = { name, runs: 14, software: IO_SOFTWARE };
  await checkObserved(options, scenarios(IO_ROUNDS), IO_PAGES, async (scenario, observers) => {
    const { trace, result } = await ioRecorder.record(scenario);
    if (result.stop.kind === 'halted' && result.stop.status === 'pass') finished++;
    expectReplays(trace);
    expectReplaysObserved(trace, observers);
    for (const from of [0, trace.checkpoints.length >> 1, trace.checkpoints.length - 1]) {
      if (from < trace.checkpoints.length) expectReplays(trace, Math.max(0, from));
    }
  });
  // Faults end some, the budget of instructions none.
  if (!process.env.FC_PATH && !process.env.FC_RUNS) expect(finished).toBeGreaterThan(12);
});

test('an input that the trace does not hold is found', async () => {
  const canary = async () => {
    const { moment, paddr } = { moment: 700_000, paddr: 0x8123_4560 };
    await check({ name: 'canary', runs: 1, shrink: false, reproduce: scenarioCommand }, ARBITRARY, async (scenario) => {
      const poke = { kind: 'poke', paddr, bytes: Uint8Array.of(1) } as const;
      const { trace } = await recorder.record(scenario, [{ trigger: { kind: 'moment', moment }, event: poke }]);
      const path = join(dirname(trace.path), 'canary.djvm');
      expectReplays(copyTrace(trace, path));
      expectReplays(copyTrace(trace, path, (n) => trace.inputs.at(n)!.kind !== 'poke'));
    });
  };
  await expect(canary).rejects.toThrow(
    /state digest differs between moments 7\d{5} and 8\d{5}: .* \(ram\)\nreproduce: FC_SEED=\d+ FC_PATH=0 npx vitest .*\nor: {8}npx dejavm record/,
  );
});
