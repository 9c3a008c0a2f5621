/**
 * Brings a golden run's machine to where an injection strikes: exactly, and mostly by restoring. Relies on the golden
 * run being the injected run up to there. What a search has found about places in the hypervisor is kept for the next.
 */
import { UserError } from '../../../engine/index.ts';
import { findExecution, formatTime, formatTrigger, placeOf } from '../../../replay/index.ts';
import { type GoldenRun, pointBefore, retiredBy } from './golden.ts';
import type { InjectionTrigger } from './types.ts';

/**
 * Stands right before the trigger's instruction, with the workload's inputs before it applied. False when the golden
 * run does not get there; the machine then stands anywhere.
 * @throws UserError for a trigger that cannot be: before the hypervisor is up, or with an unknown symbol
 */
export function goToTrigger(golden: GoldenRun, trigger: InjectionTrigger): boolean {
  golden.booted.machine.onEvent = undefined;
  if (trigger.kind === 'moment') return toMoment(golden, trigger.moment);
  const ticks = trigger.kind === 'two-level' ? twoLevel(golden, trigger) : execution(golden, trigger);
  if (ticks !== undefined) golden.timeline.toTicks(ticks, 'pending');
  return ticks !== undefined;
}

/** The same trigger as text. */
export const injectionTriggerText = (trigger: InjectionTrigger): string =>
  formatTrigger(trigger.kind === 'symbol' ? { ...trigger, ticks: 0 } : trigger);

function toMoment({ up, end, timeline }: GoldenRun, moment: number): boolean {
  if (moment < up.moment) {
    throw new UserError(
      `moment ${moment} is before the hypervisor is up, at moment ${up.moment}: nothing can be injected`,
    );
  }
  if (moment >= end.moment) return false;
  timeline.toMoment(moment, 'pending');
  return true;
}

type TwoLevel = Extract<InjectionTrigger, { kind: 'two-level' }>;

/** When the k-th privileged instruction from a virtual time on comes, in the golden run. */
function twoLevel(golden: GoldenRun, { ticks, k, of = 'hypervisor' }: TwoLevel): number | undefined {
  const { machine, player } = golden.booted;
  const { up, end, points } = golden;
  if (k < 1) throw new UserError(`${of} instruction ${k} at ${formatTime(ticks)}: they are counted from 1`);
  if (ticks < up.ticks) {
    throw new UserError(
      `${formatTime(ticks)} is before the hypervisor is up, at ${formatTime(up.ticks)}: nothing can be injected`,
    );
  }
  if (ticks >= end.ticks) return undefined;
  const first = pointBefore(golden, ticks);
  player.restore(first.snapshot, first.applied);
  const retired = machine.retired(of);
  player.advance({ ticks }, 'pending');
  const wanted = retiredBy(first, of) + (machine.retired(of) - retired) + k;
  if (wanted > retiredBy(points.at(-1)!, of)) return undefined;
  const last = points.findLast((point) => retiredBy(point, of) < wanted)!;
  // From the later of the two: the count is known at both.
  const isAhead = last.ticks > machine.ticks;
  if (isAhead) player.restore(last.snapshot, last.applied);
  const instructions = isAhead ? wanted - retiredBy(last, of) : k;
  player.advance({ ticks: end.ticks, count: { of, instructions } }, 'pending');
  // It retired in the tick before this position.
  return machine.ticks - 1;
}

interface Executions {
  /** Ticks right before each execution, in order, from `up` on. */
  readonly found: number[];
  complete: boolean;
}

const KNOWN = new WeakMap<GoldenRun, Map<number, Executions>>();

/** When a place in the hypervisor is executed for the n-th time since the hypervisor is up. */
function execution(golden: GoldenRun, trigger: Extract<InjectionTrigger, { kind: 'symbol' }>): number | undefined {
  const { symbol, offset, n } = trigger;
  if (n < 1) throw new UserError(`execution ${n} of ${symbol}: they are counted from 1`);
  const place = placeOf(golden.booted.symbols.hypervisor, symbol, offset);
  const known = KNOWN.get(golden) ?? new Map<number, Executions>();
  KNOWN.set(golden, known);
  const executions = known.get(place.paddr) ?? { found: [], complete: false };
  known.set(place.paddr, executions);
  const { machine, player } = golden.booted;
  if (executions.found.length < trigger.n && !executions.complete) {
    golden.timeline.toTicks(executions.found.at(-1) ?? golden.up.ticks, 'pending');
    if (executions.found.length > 0) player.advance({ ticks: machine.ticks + 1 }, 'pending');
  }
  while (executions.found.length < trigger.n && !executions.complete) {
    // Inputs of the workload may decide what is executed: the search must not look past them.
    const next = player.inputs.find((input) => input.ticks >= machine.ticks)?.ticks ?? golden.end.ticks;
    const until = Math.min(Math.max(next, machine.ticks + 1), golden.end.ticks);
    const { ticks } = findExecution(machine, place, 1, { ticks: until });
    if (ticks !== undefined) executions.found.push(ticks);
    player.advance({ ticks: ticks === undefined ? until : ticks + 1 }, 'pending');
    executions.complete = machine.ticks >= golden.end.ticks;
  }
  return executions.found[trigger.n - 1];
}
