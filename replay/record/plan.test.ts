import { describe, expect, it } from 'vitest';
import type { PlannedInput, Position, Trigger } from '../base/types.ts';
import { InputPlan } from './plan.ts';

const poke = (trigger: PlannedInput['trigger'], paddr: number): PlannedInput => ({
  trigger,
  event: { kind: 'poke', paddr, bytes: Uint8Array.of(1) },
});
const at = (moment: number): Trigger => ({ kind: 'moment', moment });
const behind = (moment: number, k: number): Trigger => ({ kind: 'hypervisor', after: moment, k });
const paddrs = (inputs: Iterable<PlannedInput>) => [...inputs].map(({ event }) => event.kind === 'poke' && event.paddr);
const due = (plan: InputPlan, at: Position, staysUntil: number = 0) => [
  ...plan.due(at, (ticks) => ticks <= staysUntil),
];

const position = (moment: number, ticks = moment) => ({ moment, ticks });
const lefts = (plan: InputPlan) => plan.counting().map(({ left }) => left);

describe('InputPlan', () => {
  it('hands inputs over at their moments, equal ones in the order given', () => {
    const plan = new InputPlan([poke(at(20), 1), poke(at(10), 2), poke(at(10), 3)]);
    expect(plan.next(position(0)).moment).toBe(10);
    expect(paddrs(due(plan, position(9)))).toEqual([]);
    expect(paddrs(due(plan, position(10)))).toEqual([2, 3]);
    expect(plan.next(position(10)).moment).toBe(20);
    expect(paddrs(due(plan, position(25)))).toEqual([1]);
    expect(plan.next(position(25)).moment).toBe(Number.POSITIVE_INFINITY);
    expect(plan.remaining()).toEqual([]);
  });

  it('keeps moments and virtual times apart', () => {
    const plan = new InputPlan([poke({ kind: 'ticks', ticks: 30 }, 1), poke(at(20), 2)]);
    expect(plan.next(position(0, 5))).toEqual({ moment: 20, ticks: 30 });
    expect(paddrs(due(plan, position(10, 30)))).toEqual([1]);
    expect(plan.next(position(10, 30))).toEqual({ moment: 20, ticks: Number.POSITIVE_INFINITY });
    expect(paddrs(due(plan, position(20, 90)))).toEqual([2]);
  });

  it('counts from the first level on, over any number of stretches', () => {
    const late: Trigger = { kind: 'two-level', ticks: 12, k: 3, of: 'privileged' };
    const place: Trigger = { kind: 'symbol', symbol: 'f', offset: 4, n: 9, ticks: 0 };
    const plan = new InputPlan([poke(behind(10, 5), 1), poke(late, 2), poke(place, 3)]);
    expect(due(plan, position(0))).toEqual([]);
    expect(plan.counting().map(({ of }) => of)).toEqual([place]);
    expect(due(plan, position(10))).toEqual([]);
    expect(plan.next(position(10)).ticks).toBe(12);
    const [atPlace, soon] = plan.counting();
    expect(soon!.left).toBe(5);
    plan.passed(soon!, 2, false);
    expect(due(plan, position(12))).toEqual([]);
    expect(lefts(plan)).toEqual([9, 3, 3]);
    // Two more retire; the third of the second and the fifth of the first is next.
    for (const trigger of plan.counting().slice(1)) plan.passed(trigger, 2, true);
    plan.passed(atPlace!, 1, false);
    expect(paddrs(due(plan, position(30)))).toEqual([1, 2]);
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

  describe('an input of another recording', () => {
    const keeping = (keeps: 'moment' | 'ticks') =>
      new InputPlan([poke({ kind: 'recorded', moment: 20, ticks: 35, keeps }, 1)]);

    it.each(['moment', 'ticks'] as const)('is due exactly where it was, whatever it keeps (%s)', (keeps) => {
      const plan = keeping(keeps);
      expect(plan.next(position(0)).ticks).toBe(35);
      // Several positions have the moment: the run comes to the right one yet.
      expect(due(plan, position(20, 30), 40)).toEqual([]);
      expect(plan.next(position(20, 30)).ticks).toBe(35);
      expect(paddrs(due(plan, position(20, 35)))).toEqual([1]);
      expect(plan.remaining()).toEqual([]);
    });

    it('keeps its moment when the run comes there sooner or later', () => {
      const sooner = keeping('moment');
      expect(sooner.next(position(0))).toEqual({ moment: 20, ticks: 35 });
      expect(due(sooner, position(19, 30), 40)).toEqual([]);
      expect(paddrs(due(sooner, position(20, 31), 34))).toEqual([1]);
      const later = keeping('moment');
      expect(due(later, position(18, 35))).toEqual([]);
      expect(later.next(position(18, 35))).toEqual({ moment: 20, ticks: Number.POSITIVE_INFINITY });
      expect(paddrs(due(later, position(20, 39)))).toEqual([1]);
      expect(paddrs(due(keeping('moment'), position(21, 30), 40))).toEqual([1]);
    });

    it('keeps its virtual time whatever has retired by then', () => {
      for (const moment of [3, 20, 90]) {
        const plan = keeping('ticks');
        expect(plan.next(position(0))).toEqual({ moment: Number.POSITIVE_INFINITY, ticks: 35 });
        expect(due(plan, position(moment, 34))).toEqual([]);
        expect(paddrs(due(plan, position(moment, 35)))).toEqual([1]);
      }
    });

    it('is looked at after those before it were applied', () => {
      const trigger = { kind: 'recorded', moment: 20, ticks: 35, keeps: 'moment' } as const;
      const plan = new InputPlan([poke({ ...trigger, ticks: 30 }, 1), poke(trigger, 2)]);
      let applied = 0;
      const before: number[] = [];
      for (const _ of plan.due(position(20, 30), () => before.push(applied) > 0)) applied++;
      expect([applied, before]).toEqual([1, [1]]);
    });
  });
});
