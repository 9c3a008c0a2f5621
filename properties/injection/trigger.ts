/**
 * Brings a golden run's machine to where an injection strikes: exactly, and mostly by restoring. Relies on the golden
 * run being the injected run up to there. What a search has found about places in the hypervisor is kept for the next.
 */
import { RAM_BASE, UserError } from '../../engine/index.ts';
import { findExecution, formatTime, formatTrigger } from '../../replay/index.ts';
import { Driver } from './driver.ts';
import { type GoldenRun, pointBefore } from './golden.ts';
import type { InjectionTrigger } from './types.ts';

/** Stands right before the trigger's instruction, with the workload's inputs before it applied. */
export interface Strike {
  readonly driver: Driver;
  /** Whether the golden run gets there; if not, the machine stands anywhere. */
  readonly reached: boolean;
}

/** Goes there. @throws UserError for a trigger that cannot be: before the hypervisor is up, or with an unknown symbol */
export function goToTrigger(golden: GoldenRun, trigger: InjectionTrigger): Strike {
  const { machine, inputs } = golden.booted;
  machine.onEvent = undefined;
  const driver = new Driver(machine, inputs);
  if (trigger.kind === 'moment') return { driver, reached: toMoment(golden, driver, trigger.moment) };
  const ticks = trigger.kind === 'two-level' ? twoLevel(golden, driver, trigger) : execution(golden, driver, trigger);
  if (ticks !== undefined) toTicks(golden, driver, ticks);
  return { driver, reached: ticks !== undefined };
}

/** The same trigger as text. */
export const injectionTriggerText = (trigger: InjectionTrigger): string =>
  formatTrigger(trigger.kind === 'symbol' ? { ...trigger, ticks: 0 } : trigger);

function toTicks(golden: GoldenRun, driver: Driver, ticks: number): void {
  driver.restore(pointBefore(golden, ticks).snapshot);
  driver.to(ticks);
}

function toMoment(golden: GoldenRun, driver: Driver, moment: number): boolean {
  const { up, end, points } = golden;
  if (moment < up.moment) {
    throw new UserError(
      `moment ${moment} is before the hypervisor is up, at moment ${up.moment}: nothing can be injected`,
    );
  }
  if (moment >= end.moment) return false;
  const at = points.findLastIndex((point) => point.moment < moment);
  driver.restore((points[at] ?? points[0]!).snapshot);
  driver.to(end.ticks, { moment });
  return true;
}

/** When the k-th HS-mode instruction from a virtual time on comes, in the golden run. */
function twoLevel(golden: GoldenRun, driver: Driver, { ticks, k }: { ticks: number; k: number }): number | undefined {
  const { machine } = driver;
  const { up, end, points } = golden;
  if (k < 1) throw new UserError(`hypervisor instruction ${k} at ${formatTime(ticks)}: they are counted from 1`);
  if (ticks < up.ticks) {
    throw new UserError(
      `${formatTime(ticks)} is before the hypervisor is up, at ${formatTime(up.ticks)}: nothing can be injected`,
    );
  }
  if (ticks >= end.ticks) return undefined;
  const first = pointBefore(golden, ticks);
  driver.restore(first.snapshot);
  const count = machine.hypervisorInstructions;
  driver.to(ticks);
  const wanted = first.hypervisor + (machine.hypervisorInstructions - count) + k;
  if (wanted > golden.hypervisorInstructions) return undefined;
  const last = points.findLast((point) => point.hypervisor < wanted)!;
  // From the later of the two: the count is known at both.
  const isAhead = last.ticks > machine.ticks;
  if (isAhead) driver.restore(last.snapshot);
  driver.to(end.ticks, { hypervisor: isAhead ? wanted - last.hypervisor : k });
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
function execution(
  golden: GoldenRun,
  driver: Driver,
  trigger: Extract<InjectionTrigger, { kind: 'symbol' }>,
): number | undefined {
  const address = addressOf(golden, trigger);
  const known = KNOWN.get(golden) ?? new Map<number, Executions>();
  KNOWN.set(golden, known);
  const executions = known.get(address) ?? { found: [], complete: false };
  known.set(address, executions);
  const { machine } = driver;
  if (executions.found.length < trigger.n && !executions.complete) {
    toTicks(golden, driver, executions.found.at(-1) ?? golden.up.ticks);
    if (executions.found.length > 0) driver.to(machine.ticks + 1);
  }
  while (executions.found.length < trigger.n && !executions.complete) {
    // Inputs of the workload may decide what is executed: the search must not look past them.
    const next = driver.inputs.find((input) => input.ticks >= machine.ticks)?.ticks ?? golden.end.ticks;
    const until = Math.min(Math.max(next, machine.ticks + 1), golden.end.ticks);
    const { ticks } = findExecution(machine, address, 1, { ticks: until });
    if (ticks !== undefined) executions.found.push(ticks);
    driver.to(ticks === undefined ? until : ticks + 1);
    executions.complete = machine.ticks >= golden.end.ticks;
  }
  return executions.found[trigger.n - 1];
}

function addressOf(golden: GoldenRun, { symbol, offset, n }: { symbol: string; offset: number; n: number }): number {
  const { hypervisor } = golden.booted.symbols;
  const base = hypervisor?.address(symbol);
  if (base === undefined) throw new UserError(`there is no symbol '${symbol}' in ${hypervisor?.image ?? 'the kernel'}`);
  if (n < 1) throw new UserError(`execution ${n} of ${symbol}: they are counted from 1`);
  const address = Number(base) + offset;
  if (address < RAM_BASE) throw new UserError(`'${symbol}' is a value, not a place in ${hypervisor!.image}`);
  return address;
}
