import { fc, test } from '@fast-check/vitest';
import { expect } from 'vitest';
import type { Pair } from './bisect-pair.ts';
import { searchBetween } from './bisect-search.ts';

/** Two runs that differ from a tick on, of which a moment has `ticksPerMoment`; counts how often they are compared. */
function pairThatPartsAt(tick: number, ticksPerMoment: number) {
  const run = () => {
    const machine = { moment: 0, ticks: 0 };
    const toTicks = (ticks: number) => Object.assign(machine, { ticks, moment: Math.floor(ticks / ticksPerMoment) });
    return { machine, toTicks };
  };
  const equal = () => {
    if (++pair.probes > 100) throw new Error('the search does not end');
    return pair.a.machine.ticks < tick;
  };
  const pair = { a: run(), b: run(), probes: 0, equal };
  return pair;
}

test.prop([fc.integer({ min: 1, max: 2 ** 40 }), fc.nat(2 ** 40), fc.constantFrom(1, 3, 1000, 2 ** 41)])(
  'two runs stand right before the tick from which they differ, after as few comparisons as halving needs',
  (first, more, ticksPerMoment) => {
    const pair = pairThatPartsAt(first, ticksPerMoment);
    const momentOf = (ticks: number) => Math.floor(ticks / ticksPerMoment);
    const end = first + more;
    const at = searchBetween(pair as unknown as Pair, { moment: 0, ticks: 0 }, { moment: momentOf(end), ticks: end });
    expect(at).toEqual({ moment: momentOf(first), ticks: first });
    expect([pair.a.machine.ticks, pair.b.machine.ticks]).toEqual([first - 1, first - 1]);
    expect(pair.probes).toBeLessThanOrEqual(Math.ceil(Math.log2(end)));
  },
);
