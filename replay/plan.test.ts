import { describe, expect, it } from 'vitest';
import { InputPlan } from './plan.ts';
import type { PlannedInput, Trigger } from './types.ts';

const poke = (trigger: Trigger, paddr: number): PlannedInput => ({
  trigger,
  event: { kind: 'poke', paddr, bytes: Uint8Array.of(1) },
});
const at = (moment: number): Trigger => ({ kind: 'moment', moment });
const behind = (moment: number, k: number): Trigger => ({ kind: 'hypervisor', after: moment, k });
const paddrs = (inputs: readonly PlannedInput[]) => inputs.map(({ event }) => event.kind === 'poke' && event.paddr);

describe('InputPlan', () => {
  it('hands inputs over at their moments, equal ones in the order given', () => {
    const plan = new InputPlan([poke(at(20), 1), poke(at(10), 2), poke(at(10), 3)]);
    expect(plan.nextMoment(0)).toBe(10);
    expect(paddrs(plan.due(9))).toEqual([]);
    expect(paddrs(plan.due(10))).toEqual([2, 3]);
    expect(plan.nextMoment(10)).toBe(20);
    expect(paddrs(plan.due(25))).toEqual([1]);
    expect(plan.nextMoment(25)).toBe(Number.POSITIVE_INFINITY);
    expect(plan.remaining()).toEqual([]);
  });

  it('counts hypervisor instructions from the moment on, over any number of stretches', () => {
    const plan = new InputPlan([poke(behind(10, 5), 1), poke(behind(12, 3), 2), poke(behind(10, 9), 3)]);
    expect(plan.hypervisorCount()).toBeUndefined();
    expect(plan.due(10)).toEqual([]);
    expect(plan.hypervisorCount()).toBe(5);
    expect(plan.nextMoment(10)).toBe(12);
    plan.executed(2, false);
    expect(plan.due(12)).toEqual([]);
    expect(plan.hypervisorCount()).toBe(3);
    // Two more retire; the third of the second and the fifth of the first is next.
    plan.executed(2, true);
    expect(paddrs(plan.due(30))).toEqual([1, 2]);
    expect(plan.hypervisorCount()).toBe(5);
    expect(paddrs(plan.remaining())).toEqual([3]);
  });

  it('gives an idle machine its next console input, but no faults', () => {
    const typed: PlannedInput = { trigger: at(500), event: { kind: 'console', bytes: Uint8Array.of(65) } };
    const plan = new InputPlan([poke(at(400), 1), typed]);
    expect(plan.nextConsole()).toBe(typed);
    expect(plan.nextConsole()).toBeUndefined();
    expect(paddrs(plan.remaining())).toEqual([1]);
  });
});
