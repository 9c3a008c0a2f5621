/**
 * Faults that once harmed a VM or ended the machine, by the cause that was found with `dejavm inject DB#ROW` and mended
 * (docs/recovery.md lists them). Each strikes at a run of places in one function: whatever it hits there, every VM ends
 * as in the golden run. Relies on the committed images.
 */
import { describe, expect, it } from 'vitest';
import { parseFault } from '../../../engine/index.ts';
import { bootSetup, completeMechanism, findSetup, goldenRun, type InjectionTrigger, runInjection } from './index.ts';
import { goToTrigger } from './trigger.ts';

interface Regression {
  readonly cause: string;
  /** From the n-th execution of the function on, each of so many hypervisor instructions. */
  readonly at: { readonly symbol: string; readonly n: number; readonly from: number; readonly within: number };
  readonly fault: string;
}

const REGRESSIONS: readonly Regression[] = [
  {
    cause: 'a word that is copied for a guest changes on its way',
    at: { symbol: 'memcpy', n: 7, from: 40, within: 96 },
    fault: 'register=x28,bit=5',
  },
  {
    cause: 'another hypercall is found than the one that was asked for',
    at: { symbol: 'find', n: 30, from: 1, within: 24 },
    fault: 'register=x10,bit=4',
  },
  {
    cause: 'the record of a call begins with a wrong pc',
    at: { symbol: 'hypercall_begin', n: 30, from: 1, within: 6 },
    fault: 'register=x13,bit=3',
  },
];

const golden = goldenRun(bootSetup(findSetup('compute')), completeMechanism('rehype'));

describe('mended causes', () => {
  it.each(REGRESSIONS)('$cause: no VM is harmed', ({ at, fault }) => {
    const reached = goToTrigger(golden, { kind: 'symbol', symbol: at.symbol, offset: 0, n: at.n });
    expect(reached).toBe(true);
    const { ticks } = golden.booted.machine;
    const results = Array.from({ length: at.within }, (_, n) => {
      const trigger: InjectionTrigger = { kind: 'two-level', ticks, k: at.from + n };
      return runInjection(golden, { trigger, fault: parseFault(fault) });
    });
    const harmed = results.flatMap(({ hit, vms, effect }) =>
      vms.flatMap(({ name, ok, reason }) => (ok ? [] : [`${hit?.symbol}: ${name} ${reason} (${effect})`])),
    );
    expect(harmed).toEqual([]);
    // Something was hit that mattered: it was detected, or put right on the way, which takes instructions.
    expect(results.some(({ endMoment }) => endMoment !== golden.end.moment)).toBe(true);
  });
});
