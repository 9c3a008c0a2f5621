/**
 * What observers are told is what happens: a run of programs that do to page tables whatever can be done
 * (conformance/tlb) tells each access to watched memory, and stops where it is told to, exactly as a judge finds it
 * that steps the same run on a machine without observers (conformance/observers).
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Machine, WatchHit } from '../engine/index.ts';
import { Pair, type Poke } from './bare.fixtures.ts';
import { check } from './check.ts';
import {
  Comparison,
  judgeTick,
  LogComparison,
  OBSERVATION,
  type Observation,
  stopsAt,
  WORKING,
} from './conformance/observers/index.ts';
import { imageOf, PROGRAM, TICKS as WHOLE_RUN } from './conformance/tlb/index.ts';

/** About one round of a program. */
const TICKS = 2400;

const pairs = new Map([1, 2].map((harts) => [harts, new Pair(harts)]));

/** What the run showed: hits, and its stops as text. */
interface Shown {
  readonly hits: WatchHit[];
  readonly stops: string[];
  /** The log of instructions; undefined when nobody listened. */
  readonly log: LogComparison | undefined;
}

test('observers are told exactly what happens', async () => {
  const arbitrary = fc.record({
    program: fc.oneof(PROGRAM, { weight: 2, arbitrary: WORKING }),
    observations: fc.tuple(OBSERVATION, OBSERVATION),
    logs: fc.tuple(fc.boolean(), fc.boolean()),
    changeAt: fc.integer({ min: 0, max: TICKS }),
  });
  const tally = new Map<string, number>();
  await check({ name: 'observers are told exactly what happens', runs: 40 }, arbitrary, (drawn) => {
    const pair = pairs.get(drawn.program.harts)!;
    pair.reset();
    const [observed, judge] = pair.machines;
    const image = imageOf(drawn.program).map((its) =>
      its.ticks === undefined ? its : { ...its, ticks: Math.ceil((its.ticks / WHOLE_RUN) * TICKS) },
    );
    const parts = [
      { observation: drawn.observations[0], logs: drawn.logs[0], ticks: drawn.changeAt },
      { observation: drawn.observations[1], logs: drawn.logs[1], ticks: TICKS },
    ];
    for (const machine of [observed, judge]) poke(machine, image, undefined);
    for (const { observation, logs, ticks } of parts) {
      const shown = runObserved(observed, observation, logs, image, ticks);
      expect(judged(judge, observation, image, ticks, shown, tally)).toEqual(shown.stops);
      expect(observed.digest()).toBe(judge.digest());
    }
  });
  if (process.env.FC_PATH || process.env.FC_RUNS || process.env.FC_SEED) return;
  const atLeast = {
    load: 200,
    store: 700,
    'table-read': 4000,
    'table-write': 40,
    input: 50,
    watchpoint: 500,
    breakpoint: 150,
    logged: 2000,
  };
  for (const [what, least] of Object.entries(atLeast)) expect(tally.get(what), what).toBeGreaterThan(least);
  // What runs from ROM cannot be judged.
  expect(tally.get('unknown')! / tally.get('ticks')!).toBeLessThan(0.01);
});

const isAt = (ticks: number | undefined) => (its: Poke) => its.ticks === ticks;
function poke(machine: Machine, pokes: readonly Poke[], ticks: number | undefined): void {
  for (const { paddr, bytes } of pokes.filter(isAt(ticks))) machine.apply({ kind: 'poke', paddr, bytes });
}

/** Runs to a virtual time with observers, which are taken away there. */
function runObserved(
  machine: Machine,
  observation: Observation,
  logs: boolean,
  pokes: readonly Poke[],
  to: number,
): Shown {
  const hits: WatchHit[] = [];
  const stops: string[] = [];
  Object.assign(machine, observation);
  machine.onWatchHit = (hit) => hits.push(hit);
  const parts: Uint8Array[] = [];
  if (logs) machine.onSteps = (records) => parts.push(records);
  const times = pokes.flatMap(({ ticks }) => (ticks !== undefined && ticks > machine.ticks && ticks < to ? ticks : []));
  for (const ticks of [...new Set(times), to].sort((a, b) => a - b)) {
    for (;;) {
      const stop = machine.run({ ticks });
      if (stop.kind !== 'breakpoint' && stop.kind !== 'watchpoint') break;
      stops.push(`${machine.ticks} ${stop.kind}${stop.kind === 'breakpoint' ? ` ${stop.hart} ${stop.paddr}` : ''}`);
    }
    if (ticks < to) poke(machine, pokes, ticks);
  }
  Object.assign(machine, {
    watches: [],
    breakAt: undefined,
    breakAtVirtual: [],
    onWatchHit: undefined,
    onSteps: undefined,
  });
  return { hits, stops, log: logs ? new LogComparison(parts) : undefined };
}

/** Steps the judge to the same time, comparing on the way; where the run was to stop. */
function judged(
  machine: Machine,
  { watches, breakAt, breakAtVirtual }: Observation,
  pokes: readonly Poke[],
  to: number,
  { hits, log }: Shown,
  tally: Map<string, number>,
): string[] {
  const count = (what: string) => tally.set(what, (tally.get(what) ?? 0) + 1);
  const stops: string[] = [];
  const comparison = new Comparison(machine, watches);
  let next = 0;
  const taken = (ticks: number, isInput: boolean) => {
    const from = next;
    while (hits[next]?.ticks === ticks && (hits[next]!.by === 'input') === isInput) next++;
    const its = hits.slice(from, next);
    for (const { by } of its) count(by);
    if (its.some((hit) => stopsAt(watches, hit))) stops.push(`${isInput ? ticks : ticks + 1} watchpoint`);
    return its;
  };
  const start = machine.ticks;
  while (machine.ticks < to) {
    const { ticks } = machine;
    const inputs = ticks > start ? pokes.filter(isAt(ticks)) : [];
    poke(machine, inputs, ticks);
    if (inputs.length > 0) {
      comparison.inputs(
        inputs.map(({ paddr, bytes }) => ({ paddr, bytes: bytes.length })),
        taken(ticks, true),
      );
    }
    const tick = judgeTick(machine);
    if (!tick) break;
    const isBroken = breakAt.includes(tick.paddr ?? -1) || breakAtVirtual.includes(tick.before.pc);
    if (tick.paddr !== undefined && isBroken) stops.push(`${ticks} breakpoint ${tick.hart} ${tick.paddr}`);
    comparison.tick(tick, taken(ticks, false));
    for (let n = log?.tick(tick) ?? 0; n > 0; n--) count('logged');
    count(tick.isUnknown ? 'unknown' : 'ticks');
  }
  expect(hits.slice(next)).toEqual([]);
  log?.end();
  for (const stop of stops) count(stop.split(' ')[1]!);
  return stops;
}
