/**
 * Translation caches cannot be seen: a machine that forgets everything derived every few ticks goes the same way as one
 * that keeps its caches, whatever programs (tlb/program.ts) do to page tables of either stage and any mode.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Snapshot } from '../engine/index.ts';
import { expectSameState, Pair } from './bare.fixtures.ts';
import { check } from './check.ts';
import {
  DATA,
  IDENTITY_TABLES,
  imageOf,
  levelOf,
  PAGE,
  POOL,
  PROGRAM,
  type Program,
  RAM,
  SEEN,
  SEEN_BYTES,
  SNIPPETS,
  seenAt,
  seenSatpAt,
  TICKS,
  USED,
} from './conformance/tlb/index.ts';
import { ChangingObservers, observerSets } from './observers.fixtures.ts';

/** Steps are longer than this: what is cached in one of them is forgotten before the next. */
const FORGET_EVERY = 11;

const pairs = new Map([1, 2].map((harts) => [harts, new Pair(harts)]));
const CUTS = Array.from({ length: Math.floor((TICKS - 1) / FORGET_EVERY) }, (_, n) => (n + 1) * FORGET_EVERY);

test('observers change nothing', async () => {
  const pages = [
    ...[POOL, DATA].flatMap((first) => [0, 1, 2, 3, 4, 5, 6, 7].map((n) => first + n * PAGE)),
    ...[SEEN, SNIPPETS, SNIPPETS + PAGE, IDENTITY_TABLES, IDENTITY_TABLES + PAGE, RAM, RAM + PAGE],
  ];
  const arbitrary = fc.record({
    program: PROGRAM,
    changes: fc.uniqueArray(fc.integer({ min: 1, max: TICKS - 1 }), { minLength: 1, maxLength: 8 }),
    sets: observerSets(pages),
  });
  const tally = { hits: 0, logs: 0, stops: 0 };
  await check({ name: 'observers change nothing', runs: 40 }, arbitrary, ({ program, changes, sets }) => {
    const pair = pairs.get(program.harts)!;
    const image = imageOf(program);
    pair.reset();
    const alone = pair.straight(image, TICKS, false);
    const observers = new ChangingObservers(sets);
    const observed = pair.observed(
      image,
      TICKS,
      changes.toSorted((a, b) => a - b),
      observers,
    );
    expectSameState(alone.end, observed.end, pair.config);
    expect(observed.stop).toEqual(alone.stop);
    tally.hits += observers.hits;
    tally.logs += observers.logs;
    tally.stops += observers.stops;
  });
  if (process.env.FC_PATH || process.env.FC_RUNS) return;
  // Guards against an empty test: some programs access little.
  expect(tally.hits).toBeGreaterThan(200);
  expect(tally.logs).toBeGreaterThan(20);
  expect(tally.stops).toBeGreaterThan(20);
});

test('translation caches cannot be seen', async () => {
  const causes = new Set<string>();
  const seen = new Uint8Array(SEEN_BYTES);
  const updated = new Set<string>();
  await check({ name: 'translation caches cannot be seen', runs: 100 }, PROGRAM, (program) => {
    const pair = pairs.get(program.harts)!;
    const image = imageOf(program);
    pair.reset();
    const cached = pair.straight(image, TICKS);
    pair.reset();
    const forgetful = pair.interrupted(image, TICKS, CUTS, false);
    expectSameState(cached.end, forgetful.end, pair.config);
    for (const event of cached.events) causes.add(/"cause":(\d+)/.exec(event)?.[1] ?? '');
    bytesAt(cached.end, SEEN, SEEN_BYTES).forEach((byte, at) => {
      seen[at]! |= byte;
    });
    for (const update of updates(program, cached.end)) updated.add(update);
  });
  if (process.env.FC_PATH || process.env.FC_RUNS || process.env.FC_SEED) return;
  // The programs go where they are meant to: faults of both stages, virtual instructions, and calls from every mode …
  expect([...causes]).toEqual(expect.arrayContaining(['8', '9', '10', '12', '13', '15', '20', '21', '22', '23']));
  // … after accesses that succeeded in HS-mode, and in VS-mode under every pair of modes; A and D are set on the way.
  const modes = [0, 8, 9, 10];
  expect(modes.filter((mode) => !seen[seenSatpAt(9, mode)])).toEqual([]);
  const pairsOfModes = modes.flatMap((vsatp) => modes.map((hgatp) => [vsatp, hgatp] as const));
  expect(pairsOfModes.filter(([vsatp, hgatp]) => !seen[seenAt(10, vsatp, hgatp)])).toEqual([]);
  expect([...updated]).toEqual(expect.arrayContaining(['A', 'AD', 'D', 'superpage']));
});

/** Bytes of RAM in a snapshot, which leaves out pages that are all zero. */
function bytesAt({ pages }: Snapshot, paddr: number, count: number): Uint8Array {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at += PAGE) {
    const page = pages.get((paddr - RAM + at) / PAGE);
    if (page) bytes.set(page.bytes, at);
  }
  return bytes;
}

/** Which bits hardware set in leaves of the pool, and `superpage` when one of them was not of the last level. */
function updates(program: Program, end: Snapshot): string[] {
  return program.pool.flatMap((before, n) => {
    const page = Math.floor(n / USED);
    const view = new DataView(bytesAt(end, POOL + page * PAGE, PAGE).buffer);
    const after = view.getBigUint64((n % USED) * 8, true);
    const isLeaf = (before & 1n) !== 0n && (before & 0xan) !== 0n;
    const set = before ^ after;
    if (!isLeaf || (set & before) !== 0n || (set | 0xc0n) !== 0xc0n || set === 0n) return [];
    const bits = set === 0xc0n ? 'AD' : set === 0x40n ? 'A' : 'D';
    return levelOf(page) > 0 ? [bits, 'superpage'] : [bits];
  });
}
