/** Verdicts of cuts: a part with the recovery in it is judged as the whole run is, also against a golden run's part. */
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openTrace, type Trace } from '../../traces/index.ts';
import { cutTrace } from '../cut/index.ts';
import { finish } from '../search/index.ts';
import { openTimeline } from '../timeline/index.ts';
import { failstop, noteOf, openStudio, poke } from './testing.ts';
import { vmEquivalence } from './verdict.ts';

const studio = openStudio();
afterAll(() => studio.close());

let count = 0;
function cut(trace: Trace, fromMoment: number, toMoment: number): Trace {
  const run = openTimeline(trace);
  run.seek(fromMoment);
  const from = run.place;
  run.seek(toMoment);
  const path = join(dirname(trace.path), `cut-${count++}.djvm`);
  finish(cutTrace(run, { from, to: run.place, path }));
  return openTrace(path);
}

describe('a cut around a recovery', async () => {
  const golden = await studio.record([]);
  const faulted = await studio.record([failstop({ kind: 'hypervisor', after: 1_550_000, k: 150 })]);
  const fault = faulted.inputs.at(0)!.moment;
  const resumed = noteOf(faulted, 'RESUMED').moment;
  const whole = vmEquivalence(faulted, golden);
  // From before the VMs' last exits on, which may be long before the fault.
  const exits = whole.vms.map(({ exitMoment }) => exitMoment!);
  const [from, to] = [Math.min(...exits, fault) - 20_000, resumed + 400_000];
  let part: Trace;
  beforeAll(() => {
    part = cut(faulted, from, to);
  });

  it('is judged as the whole run is', () => {
    expect(whole.equivalent).toBe(true);
    expect(vmEquivalence(part)).toEqual(vmEquivalence(faulted));
  });

  it('against the golden run, whole or cut, and so is the whole run against a part of that', () => {
    const goldenPart = cut(golden, from, Math.min(to, golden.last.moment));
    for (const [a, g] of [
      [part, golden],
      [part, goldenPart],
      [faulted, goldenPart],
      [cut(faulted, from, faulted.last.moment), golden],
    ] as const) {
      expect(vmEquivalence(a, g)).toEqual(whole);
    }
  });

  it('takes no answer from a golden run that had parted before the cut begins', async () => {
    const other = await studio.record([poke(1_400_000, 0x8700_0000, Uint8Array.of(1))]);
    expect(vmEquivalence(part, other).vms.map(({ resumedAs }) => resumedAs)).toEqual(
      vmEquivalence(part).vms.map(({ resumedAs }) => resumedAs),
    );
  });

  it('finds what the whole run does not print', async () => {
    // Each VM that is never entered again says less than the golden run does.
    const dead = await studio.record([failstop({ kind: 'hypervisor', after: 1_550_000, k: 150 })], {
      append: 'recovery=none',
    });
    const none = await studio.record([], { append: 'recovery=none' });
    // Both VMs have to be seen before it.
    const early = fault - 250_000;
    const verdict = vmEquivalence(cut(dead, early, dead.last.moment), cut(none, early, none.last.moment - 1));
    expect(verdict.vms.map(({ outputEqual }) => outputEqual)).toEqual([false, false]);
  });
});
