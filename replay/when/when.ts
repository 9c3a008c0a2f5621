/**
 * The moments at which a condition holds. Where it is looked at before instructions (plan.ts: execution), those are the
 * positions right before them; else the positions at which it becomes true, each the first state in which it does.
 * Relies on plans for when to look, and on the machine for saying which memory an evaluation read.
 */
import { type Machine, UserError, type Watch } from '../../engine/index.ts';
import type { Place } from '../base/index.ts';
import { type Context, checkExpression, type Expression, holds, parseExpression } from '../language/index.ts';
import { type Hit, type Observer, observe, type SearchedRun, type Slices, searchBackward } from '../search/index.ts';
import { type Every, type Plan, planCondition } from './plan.ts';
import { Reading } from './reading.ts';

/** A condition, and how it is followed. */
export interface Condition {
  readonly node: Expression;
  readonly context: Context;
  readonly plan: Plan;
}

export interface ConditionHit extends Hit {
  readonly kind: 'condition';
  /** The hart that is about to execute, where the condition is looked at before instructions. */
  readonly hart?: number;
}

/** Ranges of memory that a condition may depend on. */
const MAX_RANGES = 2_048;

/** Reads a condition. @throws UserError for one that is none, or names what this machine does not have */
export function readCondition(text: string, context: Context, every?: Every): Condition {
  const node = parseExpression(text);
  checkExpression(node, context, text);
  return { node, context, plan: planCondition(node, context, every) };
}

/** Each moment from the present on, and not behind `to`, given to `tell` until it says that it has had enough. */
export function* eachWhen(
  run: SearchedRun,
  condition: Condition,
  to: Pick<Place, 'ticks' | 'here'>,
  tell: (hit: ConditionHit) => boolean,
): Slices<void> {
  const { plan } = condition;
  if (plan.check !== 'execution' && holdsAt(run.machine, condition) && tell(hitAt(run))) return;
  if (plan.check === 'instructions') yield* steps(run, condition, to, tell);
  else yield* observe(run, to, conditionObserver(condition, run), tell);
}

/** The first moment from the present on and not behind `to`; stands there then, else where it stood. */
export function* firstWhen(
  run: SearchedRun,
  condition: Condition,
  to: Pick<Place, 'ticks' | 'here'>,
): Slices<ConditionHit | undefined> {
  const origin = run.place;
  run.keepPresent();
  let found: ConditionHit | undefined;
  try {
    yield* eachWhen(run, condition, to, (hit) => {
      found ??= hit;
      return true;
    });
    return found;
  } finally {
    const at = found ?? origin;
    run.toTicks(at.ticks, at.here ?? 'applied');
  }
}

/** The last moment before the present and not before `from`; stands there then, else where it stood. */
export function* lastWhen(run: SearchedRun, condition: Condition, from: Place): Slices<ConditionHit | undefined> {
  const until = run.place;
  if (condition.plan.check === 'instructions') {
    let last: ConditionHit | undefined;
    run.toTicks(from.ticks, from.here);
    try {
      yield* eachWhen(run, condition, until, (hit) => {
        last = hit;
        return false;
      });
      return last;
    } finally {
      const at = last ?? until;
      run.toTicks(at.ticks, at.here ?? 'applied');
    }
  }
  const hit = yield* searchBackward(run, conditionObserver(condition, run));
  const isLater = hit && (hit.ticks > from.ticks || (hit.ticks === from.ticks && from.here === 'pending'));
  if (isLater) return hit;
  run.toTicks(from.ticks, from.here);
  const isTrue = condition.plan.check !== 'execution' && holdsAt(run.machine, condition);
  if (isTrue || (hit && hit.ticks === from.ticks)) return hit ?? hitAt(run);
  run.toTicks(until.ticks, until.here);
  return undefined;
}

const holdsAt = (machine: Machine, { node, context }: Condition): boolean =>
  holds(node, { machine, symbols: context.symbols });

const hitAt = ({ place }: Pick<SearchedRun, 'place'>, hart?: number): ConditionHit => ({
  kind: 'condition',
  ...place,
  ...(hart !== undefined && { hart }),
});

function conditionObserver(condition: Condition, run: SearchedRun): Observer<ConditionHit> {
  const { plan } = condition;
  return plan.check === 'execution'
    ? executionObserver(condition, plan, run)
    : changeObserver(condition, run, plan.check === 'events' ? plan.which : undefined);
}

/** Looks before each instruction at the planned places. */
function executionObserver(
  condition: Condition,
  { places }: Extract<Plan, { check: 'execution' }>,
  run: SearchedRun,
): Observer<ConditionHit> {
  const addresses = new Set<bigint>();
  for (const { from, to } of places) for (let at = from & ~1n; at < to; at += 2n) addresses.add(at);
  // Another hart may come there, too, while the one that is meant is somewhere else.
  const isPlanned = (hart: number, pc: bigint) =>
    places.some((place) => place.hart === hart && pc >= place.from && pc < place.to);
  return {
    breakAtVirtual: [...addresses],
    stopped: (stop, machine) => {
      if (stop.kind !== 'breakpoint' || !isPlanned(stop.hart, machine.hart(stop.hart).pc)) return undefined;
      return holdsAt(machine, condition) ? hitAt(run, stop.hart) : undefined;
    },
  };
}

/** Looks whenever what the condition read the last time may have changed. */
function changeObserver(
  condition: Condition,
  run: SearchedRun,
  events: 'all' | 'vm' | undefined,
): Observer<ConditionHit> {
  let before = false;
  /** What the look at the present stop read. */
  let read: readonly Watch[] | undefined;
  const look = (machine: Machine): boolean => {
    const reading = new Reading(machine);
    const isTrue = holdsAt(reading.machine, condition);
    read = reading.watches();
    if (read.length > MAX_RANGES) {
      throw new UserError(`the condition depends on ${read.length} places in memory: at most ${MAX_RANGES}`);
    }
    return isTrue;
  };
  return {
    ...(events && { stopsAtEvents: events }),
    watches: (machine) => {
      if (!read) before = look(machine);
      const watches = read!;
      read = undefined;
      return watches;
    },
    stopped: (_stop, machine) => {
      const was = before;
      before = look(machine);
      return before && !was ? hitAt(run) : undefined;
    },
  };
}

/** Instructions between two looks at the clock. */
const STEPS = 20_000;

/** Looks at every position, tick by tick. */
function* steps(
  run: SearchedRun,
  condition: Condition,
  to: Pick<Place, 'ticks' | 'here'>,
  tell: (hit: ConditionHit) => boolean,
): Slices<void> {
  const { machine } = run;
  let before = holdsAt(machine, condition);
  let executed = 0;
  while (machine.ticks < to.ticks) {
    const stop = run.advance({ ticks: machine.ticks + 1 }, 'applied');
    const isTrue = holdsAt(machine, condition);
    if (isTrue && !before && tell(hitAt(run))) return;
    before = isTrue;
    if (++executed % STEPS === 0) yield { moment: machine.moment, executed };
    if (stop.kind === 'idle' || stop.kind === 'halted') return;
  }
}
