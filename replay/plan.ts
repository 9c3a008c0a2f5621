/**
 * Inputs known beforehand, and which of them are due. Knows triggers, not machines: the recorder tells it where the run
 * is and how many HS-mode instructions have retired.
 */
import type { Moment } from '../engine/index.ts';
import type { PlannedInput, Trigger } from './types.ts';

/** A two-level trigger whose first level is reached: `left` more HS-mode instructions; 1 = right before the next. */
interface Counting {
  readonly input: PlannedInput;
  left: number;
}

export class InputPlan {
  /** Waiting for a moment (a two-level trigger: for its first level), soonest first; equal ones in the order given. */
  private readonly waiting: PlannedInput[];
  private counting: Counting[] = [];
  /** Two-level triggers whose instruction is next. */
  private hit: PlannedInput[] = [];

  constructor(planned: readonly PlannedInput[]) {
    this.waiting = [...planned].sort((a, b) => firstMoment(a.trigger) - firstMoment(b.trigger));
  }

  /** Takes the inputs to be applied at this moment. */
  due(moment: Moment): PlannedInput[] {
    const due = this.hit;
    this.hit = [];
    while (this.waiting[0] && firstMoment(this.waiting[0].trigger) <= moment) {
      const input = this.waiting.shift()!;
      if (input.trigger.kind === 'moment') due.push(input);
      else this.counting.push({ input, left: input.trigger.k });
    }
    return due;
  }

  /** The next moment after `moment` at which an input may be due; Infinity when none waits for one. */
  nextMoment(moment: Moment): Moment {
    const next = this.waiting.find((input) => firstMoment(input.trigger) > moment);
    return next ? firstMoment(next.trigger) : Number.POSITIVE_INFINITY;
  }

  /** How many HS-mode instructions on the soonest two-level trigger fires; undefined when none counts. */
  hypervisorCount(): number | undefined {
    return this.counting.length === 0 ? undefined : Math.min(...this.counting.map(({ left }) => left));
  }

  /** `count` HS-mode instructions will have retired at the next stop; `atTrigger`: it is right before the awaited one. */
  executed(count: number, atTrigger: boolean): void {
    for (const trigger of this.counting) trigger.left -= count;
    if (!atTrigger) return;
    this.hit = this.counting.filter(({ left }) => left === 1).map(({ input }) => input);
    this.counting = this.counting.filter(({ left }) => left > 1);
  }

  /** Takes the next planned console input, whatever its moment: an idle machine reaches no later moment without one. */
  nextConsole(): PlannedInput | undefined {
    const at = this.waiting.findIndex((input) => input.event.kind === 'console');
    return at < 0 ? undefined : this.waiting.splice(at, 1)[0];
  }

  /** Inputs that have not been applied. */
  remaining(): PlannedInput[] {
    return [...this.hit, ...this.counting.map(({ input }) => input), ...this.waiting];
  }
}

const firstMoment = (trigger: Trigger): Moment => (trigger.kind === 'moment' ? trigger.moment : trigger.after);
