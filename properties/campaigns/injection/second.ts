/**
 * The second of two faults: where it strikes in the run that the first one has hit, by running that run once more.
 * Deterministic, and found again by the same search from what is printed. Relies on nothing but the first fault having
 * been applied where the golden run's player stands; leaves the machine in any state.
 */
import { type Fault, isDetection, NOTES, resolveFault, type Snapshot, UserError } from '../../../engine/index.ts';
import { formatTime, formatTrigger, parseTrigger, type TimedInput } from '../../../replay/index.ts';
import { type GoldenRun, withInputs } from './golden.ts';
import { describeHit } from './target.ts';
import type { Hit, Injection, InjectionResult, SecondFault, SecondResult, SecondTrigger } from './types.ts';

/** State right behind the first fault. */
export type Struck = Snapshot & { readonly applied: number };

/** The run with both faults, from behind the first one on. */
export interface Second {
  /** What it becomes part of the result as. */
  readonly result: SecondResult;
  /** With the second fault among its inputs; missing when it never strikes. */
  readonly golden?: GoldenRun;
  readonly input?: TimedInput & { readonly event: { readonly kind: 'fault'; readonly fault: Fault } };
}

/** Looks for the second fault's place. @throws UserError for a trigger or a fault that cannot be in this set-up */
export function findSecond(golden: GoldenRun, start: Struck, { trigger, fault }: SecondFault): Second {
  const { machine, player, symbols, inputs } = golden.booted;
  const place = trigger.kind === 'two-level' ? afterTime(golden, start, trigger) : inRecovery(golden, start, trigger);
  if ('missed' in place) return { result: place };
  const { ticks, ...counted } = place;
  player.restore(start, start.applied);
  player.advance({ ticks }, 'pending');
  const definite = resolveFault(machine, fault);
  const hit = describeHit(machine, symbols, definite);
  const input = { ticks, event: { kind: 'fault', fault: definite } } as const;
  const before = player.applied;
  const both = withInputs(golden, golden.mechanism, [...inputs.slice(0, before), input, ...inputs.slice(before)]);
  return { result: { hit, ...counted }, golden: both, input };
}

type Missed = Pick<SecondResult, 'missed'> & { readonly missed: NonNullable<SecondResult['missed']> };
type Place = Missed | { readonly ticks: number; readonly k?: number; readonly recoveryLength?: number };

/** Counted from behind the first fault where that is later. */
function afterTime(golden: GoldenRun, start: Struck, trigger: Extract<SecondTrigger, { kind: 'two-level' }>): Place {
  const { machine, player } = golden.booted;
  const { ticks, k, of = 'hypervisor' } = trigger;
  if (k < 1) throw new UserError(`${of} instruction ${k} at ${formatTime(ticks)}: they are counted from 1`);
  player.restore(start, start.applied);
  player.advance({ ticks: Math.max(ticks, start.ticks + 1) }, 'pending');
  const { kind } = player.advance({ ticks: lastTicks(golden), count: { of, instructions: k } }, 'pending');
  return kind === 'count' ? { ticks: machine.ticks - 1 } : { missed: 'the run ended before' };
}

/** Instructions of HS- and M-mode are counted from right behind the note of the first detection. */
function inRecovery(golden: GoldenRun, start: Struck, trigger: Exclude<SecondTrigger, { kind: 'two-level' }>): Place {
  const { machine, player } = golden.booted;
  const { detected, resumed } = firstRecovery(golden, start, trigger.kind === 'recovery');
  if (detected === undefined) return { missed: 'the first fault was not detected' };
  const advance = (ticks: number, k?: number) => {
    const before = machine.retired('privileged');
    const count = k === undefined ? undefined : ({ of: 'privileged', instructions: k } as const);
    const stop = player.advance({ ticks, ...(count && { count }) }, 'pending');
    return { stop, retired: machine.retired('privileged') - before };
  };
  const toDetection = () => {
    player.restore(start, start.applied);
    advance(detected);
  };
  toDetection();
  if (trigger.kind === 'detection') {
    const { k } = trigger;
    if (k < 1) throw new UserError(`instruction ${k} after the detection: they are counted from 1`);
    const { stop } = advance(lastTicks(golden), k);
    return stop.kind === 'count' ? { ticks: machine.ticks - 1, k } : { missed: 'the run ended before' };
  }
  if (resumed === undefined) return { missed: 'the recovery alone resumes nothing' };
  const recoveryLength = advance(resumed).retired;
  const k = 1 + Number((BigInt(recoveryLength) * BigInt(trigger.share)) / BigInt(RECOVERY_SHARES));
  toDetection();
  advance(resumed, k);
  return { ticks: machine.ticks - 1, k, recoveryLength };
}

/** Parts of a recovery that `share` counts. */
export const RECOVERY_SHARES = 1_000_000_000;

/** Virtual time run between two looks whether there was a detection. */
const STEP_TICKS = 1_000_000;

/** Virtual times of the first detection behind the first fault and of the resumption that follows, where wanted. */
function firstRecovery(golden: GoldenRun, start: Struck, untilResumed: boolean) {
  const { machine, player } = golden.booted;
  const found: { detected?: number; resumed?: number; failed?: true } = {};
  player.restore(start, start.applied);
  machine.onEvent = (event) => {
    if (event.kind !== 'note') return;
    if (isDetection(event.code)) found.detected ??= event.ticks;
    if (found.detected === undefined) return;
    if (event.code === NOTES.RESUMED.code) found.resumed ??= event.ticks;
    if (event.code === NOTES.RECOVERY_FAILED.code) found.failed = true;
  };
  try {
    const last = lastTicks(golden);
    const isOver = () => found.failed || (untilResumed ? found.resumed : found.detected) !== undefined;
    while (!isOver() && machine.ticks < last) {
      const { kind } = player.advance({ ticks: Math.min(machine.ticks + STEP_TICKS, last) }, 'pending');
      if (kind !== 'ticks') break;
    }
  } finally {
    machine.onEvent = undefined;
  }
  return found;
}

const lastTicks = ({ end, setup }: GoldenRun): number => end.ticks + setup.graceTicks;

/** Which of the faults that struck a later event is measured from: the last one before it. */
export const lastHitBefore = (hit: Hit, second: SecondResult | undefined, ticks: number): Hit =>
  second?.hit && second.hit.ticks <= ticks ? second.hit : hit;

/** The trigger as text: `5ms+120`, `detection+4711`, or `recovery+12.5%` where only a share of it is known. */
export function secondTriggerText(trigger: SecondTrigger): string {
  if (trigger.kind === 'detection') return `detection+${trigger.k}`;
  if (trigger.kind === 'two-level') return formatTrigger(trigger);
  return `recovery+${trigger.share / (RECOVERY_SHARES / 100)}%`;
}

/** The text that `secondTriggerText` writes. @throws UserError */
export function parseSecondTrigger(text: string): SecondTrigger {
  const detection = /^detection\+([1-9]\d{0,14})$/.exec(text)?.[1];
  if (detection !== undefined) return { kind: 'detection', k: Number(detection) };
  const percent = Number(/^recovery\+(\d+(?:\.\d+)?)%$/.exec(text)?.[1] ?? Number.NaN);
  if (percent >= 0 && percent < 100) {
    return { kind: 'recovery', share: Math.min(Math.round((percent * RECOVERY_SHARES) / 100), RECOVERY_SHARES - 1) };
  }
  if (/^\d/.test(text) && !text.includes('%')) {
    const trigger = parseTrigger(text);
    if (trigger.kind === 'two-level') return trigger;
    if (trigger.kind === 'ticks') return { kind: 'two-level', ticks: trigger.ticks, k: 1 };
  }
  throw new UserError(
    `--at ${text}: the second fault strikes after a virtual time (9ms+120), at an instruction after the detection of the ` +
      'first (detection+4711), or at a share of its recovery (recovery+50%, below 100)',
  );
}

/** The injection with what only its run can tell: how many instructions a share of the recovery comes to. */
export function exactInjection(injection: Injection, result: InjectionResult | undefined): Injection {
  const k = result?.second?.k;
  if (!injection.second || k === undefined) return injection;
  return { ...injection, second: { ...injection.second, trigger: { kind: 'detection', k } } };
}
