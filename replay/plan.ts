/**
 * Inputs known beforehand, and which of them are due. Knows triggers, not machines: the recorder tells it where the run
 * is and how many HS-mode instructions, or executions of a place, have passed.
 */
import type { Moment, Ticks } from '../engine/index.ts';
import type { PlannedInput, Position, Trigger } from './types.ts';

/** A trigger whose first level is reached: `left` more instructions or executions; 1 = right before the next. */
export interface Counting {
  readonly input: PlannedInput;
  /** What is counted: HS-mode instructions, or executions of a place in the hypervisor. */
  readonly place: { readonly symbol: string; readonly offset: number } | undefined;
  left: number;
}

export class InputPlan {
  /** Waiting for a moment or a time (triggers that count: for their first level), soonest first; equal ones in the order given. */
  private readonly waiting: PlannedInput[];
  private counted: Counting[] = [];
  /** Triggers that count whose instruction is next. */
  private hit: PlannedInput[] = [];

  constructor(planned: readonly PlannedInput[]) {
    this.waiting = [...planned].sort((a, b) => first(a.trigger).value - first(b.trigger).value);
  }

  /** Takes the inputs to be applied at this position. */
  due(at: Position): PlannedInput[] {
    const due = this.hit;
    this.hit = [];
    for (let n = 0; n < this.waiting.length; ) {
      const input = this.waiting[n]!;
      const { by, value } = first(input.trigger);
      if (value > at[by]) {
        n++;
        continue;
      }
      this.waiting.splice(n, 1);
      const left = countOf(input.trigger);
      if (left === undefined) due.push(input);
      else this.counted.push({ input, place: input.trigger.kind === 'symbol' ? input.trigger : undefined, left });
    }
    return due;
  }

  /** The next moment and time beyond a position at which an input may be due; Infinity when none waits for one. */
  next(at: Position): { readonly moment: Moment; readonly ticks: Ticks } {
    const soonest = (by: 'moment' | 'ticks') =>
      this.waiting.reduce((least, { trigger }) => {
        const its = first(trigger);
        return its.by === by && its.value > at[by] && its.value < least ? its.value : least;
      }, Number.POSITIVE_INFINITY);
    return { moment: soonest('moment'), ticks: soonest('ticks') };
  }

  /** Triggers that count now. */
  counting(): readonly Counting[] {
    return this.counted;
  }

  /** So many of what each counts will have passed at the next stop; `reached`: that stop is right before its instruction. */
  passed(trigger: Counting, count: number, reached: boolean): void {
    trigger.left -= count;
    if (!reached) return;
    this.hit.push(trigger.input);
    this.counted = this.counted.filter((other) => other !== trigger);
  }

  /** Takes the next planned console input or frame, whatever its time: an idle machine gets no further without one. */
  nextFromOutside(): PlannedInput | undefined {
    const at = this.waiting.findIndex(({ event }) => event.kind === 'console' || event.kind === 'net');
    return at < 0 ? undefined : this.waiting.splice(at, 1)[0];
  }

  /** Inputs that have not been applied. */
  remaining(): PlannedInput[] {
    return [...this.hit, ...this.counted.map(({ input }) => input), ...this.waiting];
  }
}

/** Where a trigger fires, or begins to count. */
function first(trigger: Trigger): { readonly by: 'moment' | 'ticks'; readonly value: number } {
  if (trigger.kind === 'moment') return { by: 'moment', value: trigger.moment };
  if (trigger.kind === 'hypervisor') return { by: 'moment', value: trigger.after };
  return { by: 'ticks', value: trigger.ticks };
}

function countOf(trigger: Trigger): number | undefined {
  if (trigger.kind === 'symbol') return trigger.n;
  return trigger.kind === 'hypervisor' || trigger.kind === 'two-level' ? trigger.k : undefined;
}
