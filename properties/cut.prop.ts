/**
 * A part of a run that is cut out of its trace is that part: it replays by itself, with the digests of the whole at the
 * same moments, whatever devices were in the middle of and whatever waited to be read. So is a part of the part.
 */
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { cutTrace, finish, openTimeline, replayTrace, verifyCheckpoints } from '../replay/index.ts';
import { openTrace, type Trace } from '../traces/index.ts';
import { scenarios } from './arbitraries.ts';
import { check } from './check.ts';
import { IO_IMAGES, IO_ROUNDS, IO_SOFTWARE, scenarioRecorder } from './scenario.fixtures.ts';
import { scenarioCommand } from './scenario.ts';

/** Digests and checkpoints fall between any two pieces of I/O. */
const recorder = scenarioRecorder({ images: IO_IMAGES, digestEvery: 5000, checkpointEvery: 60_000 });
const IO = { ...IO_ROUNDS, devices: { min: 2, max: 8 } };

/** Where a part begins and ends, in parts per million of the run's virtual time. */
const PART = fc.tuple(fc.nat({ max: 999_999 }), fc.integer({ min: 1, max: 1_000_000 }), fc.boolean());
type Drawn = readonly [from: number, length: number, isPending: boolean];

/** undefined: nothing lies between. */
function cut(trace: Trace, [from, length, isPending]: Drawn, name: string): Trace | undefined {
  const run = openTimeline(trace);
  const { first, last } = trace;
  const placeAt = (share: number, here: 'pending' | 'applied') => {
    const ticks = first.ticks + Math.floor(((last.ticks - first.ticks) * Math.min(share, 1_000_000)) / 1_000_000);
    run.toTicks(ticks, here);
    return run.place;
  };
  const to = placeAt(from + length, isPending ? 'pending' : 'applied');
  const begin = placeAt(from, 'applied');
  if (begin.moment >= to.moment) return undefined;
  const path = join(recorder.path(), '..', name);
  finish(cutTrace(run, { from: begin, to, path }));
  return openTrace(path, { thorough: true });
}

function expectPart(part: Trace, whole: Trace): void {
  expect(part.damage).toBeUndefined();
  verifyCheckpoints(part);
  const replayed = replayTrace(part);
  expect(replayed.divergence).toBeUndefined();
  expect(replayed).toMatchObject({ ok: true, complete: true, end: part.last });
  const { first, last } = part;
  const isInside = ({ ticks }: { readonly ticks: number }) => ticks >= first.ticks && ticks <= last.ticks;
  expect([...part.digests]).toEqual([...whole.digests].filter(isInside));
  expect(part.console.length).toBe(whole.console.filter((at) => isInside(at) && at.ticks > first.ticks).length);
}

test('a part of a run with busy devices is that part', async () => {
  let cuts = 0;
  let withDisks = 0;
  const drawn = fc.record({ scenario: scenarios(IO), parts: fc.tuple(PART, PART) });
  const reproduce = ({ scenario }: { scenario: Parameters<typeof scenarioCommand>[0] }) =>
    scenarioCommand(scenario, IO_SOFTWARE);
  await check({ name: 'a part of a run', runs: 12, reproduce }, drawn, async ({ scenario, parts }) => {
    const { trace } = await recorder.record(scenario);
    const part = cut(trace, parts[0], 'part.djvm');
    if (!part) return;
    cuts++;
    // Pages of disks that were written to have numbers beyond RAM's.
    if ([...part.checkpoint(0).pages.keys()].some((index) => index >= 2 ** 28)) withDisks++;
    expectPart(part, trace);
    const inner = cut(part, parts[1], 'inner.djvm');
    if (inner) expectPart(inner, trace);
  });
  if (process.env.FC_PATH || process.env.FC_RUNS) return;
  expect(cuts).toBeGreaterThan(8);
  expect(withDisks).toBeGreaterThan(2);
});
