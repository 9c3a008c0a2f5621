/**
 * From an injection to something that can be kept: the command that runs it again, a trace of it, and one of the run
 * without the fault. A trace holds the set-up's inputs, the selection of the mechanism and the fault at their exact
 * virtual times, so it replays without any search. Relies on `record`; a trace that does not end where the run itself
 * ended is an error, never a result.
 */
import { formatFault, resolveFault } from '../../../engine/index.ts';
import { type PlannedInput, type Position, type RecordResult, record, type TimedInput } from '../../../replay/index.ts';
import type { GoldenRun } from './golden.ts';
import { formatChecks, formatEnhance } from './mechanism.ts';
import { exactInjection, findSecond, secondTriggerText } from './second.ts';
import { goToTrigger, injectionTriggerText } from './trigger.ts';
import type { Injection, InjectionResult, Mechanism, Setup } from './types.ts';
import { digestText } from './verdict.ts';

/** Where and how densely to record. */
export interface RecordingOptions {
  readonly path: string;
  readonly commandLine?: readonly string[];
  readonly digestEvery?: number;
  readonly checkpointEvery?: number;
  readonly onProgress?: (moment: number) => void;
}

/** The words of the `dejavm inject` command that runs this injection; with its result, exact to the instruction. */
export function injectionCommand(
  setup: Pick<Setup, 'name'>,
  mechanism: Mechanism,
  seed: number,
  injection: Injection,
  result?: InjectionResult,
): string[] {
  const { trigger, fault, second } = exactInjection(injection, result);
  return [
    ...['dejavm', 'inject', '--setup', setup.name, '--recovery', mechanism.recovery],
    ...['--enhance', formatEnhance(mechanism.enhance)],
    ...(mechanism.checks === undefined ? [] : ['--checks', formatChecks(mechanism.checks)]),
    ...(seed === 0 ? [] : ['--seed', `${seed}`]),
    ...['--fault', formatFault(fault), '--at', injectionTriggerText(trigger)],
    ...(second ? ['--fault', formatFault(second.fault), '--at', secondTriggerText(second.trigger)] : []),
  ];
}

/**
 * Records an injected run as a trace and checks that it ends as `result` says.
 * @throws Error when it does not: the testbed is not deterministic then
 */
export async function recordInjection(
  golden: GoldenRun,
  injection: Injection,
  result: InjectionResult,
  options: RecordingOptions,
): Promise<RecordResult> {
  const { setup, mechanism, seed } = golden;
  const command = injectionCommand(setup, mechanism, seed, injection, result);
  const recorded = await recordInputs(golden, strikeOf(golden, injection), result.endTicks, {
    ...options,
    commandLine: options.commandLine ?? command,
  });
  const { endMoment: moment, endTicks: ticks, endDigest: digest } = result;
  insistOnEnd(recorded, { moment, ticks, digest }, command);
  return recorded;
}

/**
 * Records the golden run itself: the same machine and inputs without a fault, to its own end. A trace of an injection
 * that was recorded as densely has the same digests up to the fault, and can be compared with it.
 * @throws Error when it does not end where the golden run did: the testbed is not deterministic then
 */
export async function recordGolden(
  golden: GoldenRun,
  options: RecordingOptions & { readonly commandLine: readonly string[] },
): Promise<RecordResult> {
  const { end, setup } = golden;
  // It halts: a golden run that does not is none. The bound is the one that faulted runs have.
  const recorded = await recordInputs(golden, [], end.ticks + setup.graceTicks, options);
  insistOnEnd(recorded, { ...end, digest: digestText(end.digest) }, options.commandLine);
  return recorded;
}

/** Records the golden run's machine with these inputs between the mechanism's selection and the workload. */
function recordInputs(
  golden: GoldenRun,
  strike: readonly PlannedInput[],
  maxTicks: number,
  options: RecordingOptions & { readonly commandLine: readonly string[] },
): Promise<RecordResult> {
  const { selection, booted } = golden;
  return record({
    path: options.path,
    config: booted.config,
    // At equal times in this order: the mechanism is selected and the fault applied before the workload's input.
    planned: [...selection.map(planned), ...strike, ...booted.inputs.map(planned)],
    maxMoment: Number.MAX_SAFE_INTEGER,
    maxTicks,
    digestEvery: options.digestEvery ?? 1_000_000,
    checkpointEvery: options.checkpointEvery ?? 10_000_000,
    commandLine: options.commandLine,
    ...(options.onProgress && { onProgress: options.onProgress }),
  });
}

const planned = ({ ticks, event }: TimedInput): PlannedInput => ({ trigger: { kind: 'ticks', ticks }, event });

function strikeOf(golden: GoldenRun, injection: Injection): PlannedInput[] {
  if (!goToTrigger(golden, injection.trigger)) return [];
  const { machine, player } = golden.booted;
  const fault = resolveFault(machine, injection.fault);
  const first = planned({ ticks: machine.ticks, event: { kind: 'fault', fault } });
  if (!injection.second) return [first];
  machine.apply(first.event);
  golden.timeline.leave();
  const { input } = findSecond(golden, { ...machine.snapshot(), applied: player.applied }, injection.second);
  return input ? [first, planned(input)] : [first];
}

/** @throws Error when a recording does not end there, or had inputs left for before */
function insistOnEnd(
  { end, notReached }: RecordResult,
  expected: Position & { readonly digest: string },
  command: readonly string[],
): void {
  const { moment, ticks } = end;
  const digest = digestText(end.digest);
  // A machine that gives up leaves the workload's later inputs over; everything else must have been applied.
  const missed = notReached.filter(({ trigger }) => trigger.kind !== 'ticks' || trigger.ticks < ticks);
  const isSame = moment === expected.moment && ticks === expected.ticks && digest === expected.digest;
  if (isSame && missed.length === 0) return;
  throw new Error(
    `the recorded run ends at moment ${moment}, tick ${ticks} with digest ${digest}; the run itself ended at moment ` +
      `${expected.moment}, tick ${expected.ticks} with digest ${expected.digest} (${missed.length} inputs missed, ` +
      `${command.join(' ')})`,
  );
}
