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

const position = (moment: number, ticks = moment) => ({ moment, ticks });
const lefts = (plan: InputPlan) => plan.counting().map(({ left }) => left);

describe('InputPlan', () => {
  it('hands inputs over at their moments, equal ones in the order given', () => {
    const plan = new InputPlan([poke(at(20), 1), poke(at(10), 2), poke(at(10), 3)]);
    expect(plan.next(position(0)).moment).toBe(10);
    expect(paddrs(plan.due(position(9)))).toEqual([]);
    expect(paddrs(plan.due(position(10)))).toEqual([2, 3]);
    expect(plan.next(position(10)).moment).toBe(20);
    expect(paddrs(plan.due(position(25)))).toEqual([1]);
    expect(plan.next(position(25)).moment).toBe(Number.POSITIVE_INFINITY);
    expect(plan.remaining()).toEqual([]);
  });

  it('keeps moments and virtual times apart', () => {
    const plan = new InputPlan([poke({ kind: 'ticks', ticks: 30 }, 1), poke(at(20), 2)]);
    expect(plan.next(position(0, 5))).toEqual({ moment: 20, ticks: 30 });
    expect(paddrs(plan.due(position(10, 30)))).toEqual([1]);
    expect(plan.next(position(10, 30))).toEqual({ moment: 20, ticks: Number.POSITIVE_INFINITY });
    expect(paddrs(plan.due(position(20, 90)))).toEqual([2]);
  });

  it('counts from the first level on, over any number of stretches', () => {
    const late: Trigger = { kind: 'two-level', ticks: 12, k: 3 };
    const place: Trigger = { kind: 'symbol', symbol: 'f', offset: 4, n: 9, ticks: 0 };
    const plan = new InputPlan([poke(behind(10, 5), 1), poke(late, 2), poke(place, 3)]);
    expect(plan.due(position(0))).toEqual([]);
    expect(plan.counting().map((trigger) => trigger.place)).toEqual([place]);
    expect(plan.due(position(10))).toEqual([]);
    expect(plan.next(position(10)).ticks).toBe(12);
    const [atPlace, soon] = plan.counting();
    expect(soon!.left).toBe(5);
    plan.passed(soon!, 2, false);
    expect(plan.due(position(12))).toEqual([]);
    expect(lefts(plan)).toEqual([9, 3, 3]);
    // Two more retire; the third of the second and the fifth of the first is next.
    for (const trigger of plan.counting().slice(1)) plan.passed(trigger, 2, true);
    plan.passed(atPlace!, 1, false);
    expect(paddrs(plan.due(position(30)))).toEqual([1, 2]);
    expect(lefts(plan)).toEqual([8]);
    expect(paddrs(plan.remaining())).toEqual([3]);
  });

  it('gives an idle machine its next console input, but no faults', () => {
    const typed: PlannedInput = { trigger: at(500), event: { kind: 'console', bytes: Uint8Array.of(65) } };
    const plan = new InputPlan([poke(at(400), 1), typed]);
    expect(plan.nextFromOutside()).toBe(typed);
    expect(plan.nextFromOutside()).toBeUndefined();
    expect(paddrs(plan.remaining())).toEqual([1]);
  });
});
