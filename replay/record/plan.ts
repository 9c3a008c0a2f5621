/**
 * Inputs known beforehand, and which of them are due. Knows triggers, not machines: the recorder tells it where the run
 * is and how many privileged instructions, or executions of a place, have passed.
 */
import type { Moment, PrivilegedModes, Ticks } from '../../engine/index.ts';
import type { PlannedInput, Position, RecordedPosition } from '../base/index.ts';

/** A trigger whose first level is reached: `left` more instructions or executions; 1 = right before the next. */
export interface Counting {
  readonly input: PlannedInput;
  /** What is counted: instructions in some privileged modes, or executions of a place in the hypervisor. */
  readonly of: PrivilegedModes | { readonly symbol: string; readonly offset: number };
  left: number;
}

export class InputPlan {
  /**
   * Waiting for a moment or a time (triggers that count: for their first level), soonest first; equal ones in the order
   * given.
   */
  private readonly waiting: PlannedInput[];
  private counted: Counting[] = [];
  /** Triggers that count whose instruction is next. */
  private hit: PlannedInput[] = [];

  constructor(planned: readonly PlannedInput[]) {
    this.waiting = [...planned].sort((a, b) => first(a.trigger).value - first(b.trigger).value);
  }

  /**
   * Takes the inputs to be applied at this position, one at a time: each is to be applied before the next is asked for.
   * @param staysUntil whether the run, as it stands, comes to this virtual time before another instruction retires
   */
  *due(at: Position, staysUntil: (ticks: Ticks) => boolean): Generator<PlannedInput> {
    yield* this.hit.splice(0);
    for (let n = 0; n < this.waiting.length; ) {
      const input = this.waiting[n]!;
      if (!isReached(input.trigger, at, staysUntil)) {
        n++;
        continue;
      }
      this.waiting.splice(n, 1);
      const left = countOf(input.trigger);
      if (left === undefined) yield input;
      else this.counted.push({ input, of: countedOf(input.trigger), left });
    }
  }

  /** The next moment and time beyond a position at which an input may be due; Infinity when none waits for one. */
  next(at: Position): { readonly moment: Moment; readonly ticks: Ticks } {
    const next = { moment: Number.POSITIVE_INFINITY, ticks: Number.POSITIVE_INFINITY };
    const consider = (by: 'moment' | 'ticks', value: number) => {
      if (value > at[by] && value < next[by]) next[by] = value;
    };
    for (const { trigger } of this.waiting) {
      const { by, value } = first(trigger);
      consider(by, value);
      if (trigger.kind === 'recorded' && trigger.keeps === 'moment') consider('moment', trigger.moment);
    }
    return next;
  }

  /** Triggers that count now. */
  counting(): readonly Counting[] {
    return this.counted;
  }

  /**
   * So many of what each counts will have passed at the next stop; `reached`: that stop is right before its
   * instruction.
   */
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

function countedOf(trigger: PlannedInput['trigger']): Counting['of'] {
  if (trigger.kind === 'symbol') return trigger;
  return ('of' in trigger && trigger.of) || 'hypervisor';
}

/** Where a trigger fires, or begins to count. */
function first(trigger: PlannedInput['trigger']): { readonly by: 'moment' | 'ticks'; readonly value: number } {
  if (trigger.kind === 'moment') return { by: 'moment', value: trigger.moment };
  if (trigger.kind === 'hypervisor') return { by: 'moment', value: trigger.after };
  return { by: 'ticks', value: trigger.ticks };
}

function isReached(trigger: PlannedInput['trigger'], at: Position, staysUntil: (ticks: Ticks) => boolean): boolean {
  if (trigger.kind === 'recorded') return isMet(trigger, at, staysUntil);
  const { by, value } = first(trigger);
  return value <= at[by];
}

/** Several positions may share a moment: the input waits for its own as long as the run still comes there. */
function isMet(
  { moment, ticks, keeps }: RecordedPosition,
  at: Position,
  staysUntil: (ticks: Ticks) => boolean,
): boolean {
  if (keeps === 'ticks') return at.ticks >= ticks;
  if (at.moment !== moment) return at.moment > moment;
  return at.ticks >= ticks || !staysUntil(ticks);
}

function countOf(trigger: PlannedInput['trigger']): number | undefined {
  if (trigger.kind === 'symbol') return trigger.n;
  return trigger.kind === 'hypervisor' || trigger.kind === 'two-level' ? trigger.k : undefined;
}
