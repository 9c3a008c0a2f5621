/**
 * From an injection to something that can be kept: the command that runs it again, and a trace of it. The trace holds
 * the set-up's inputs, the selection of the mechanism and the fault at their exact virtual times, so it replays without
 * any search. Relies on `record`; a trace that does not end where the injected run ended is an error, never a result.
 */
import { formatFault, resolveFault } from '../../../engine/index.ts';
import { type PlannedInput, type RecordResult, record } from '../../../replay/index.ts';
import type { GoldenRun } from './golden.ts';
import { formatEnhance } from './mechanism.ts';
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

/** The words of the `dejavm inject` command that runs this injection. */
export function injectionCommand(
  setup: Pick<Setup, 'name'>,
  mechanism: Mechanism,
  seed: number,
  { trigger, fault }: Injection,
): string[] {
  return [
    ...['dejavm', 'inject', '--setup', setup.name, '--recovery', mechanism.recovery],
    ...['--enhance', formatEnhance(mechanism.enhance), ...(seed === 0 ? [] : ['--seed', `${seed}`])],
    ...['--fault', formatFault(fault), '--at', injectionTriggerText(trigger)],
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
  const { booted, selection, setup, mechanism, seed } = golden;
  const recorded = await record({
    path: options.path,
    config: booted.config,
    planned: plannedInputs(golden, injection),
    maxMoment: Number.MAX_SAFE_INTEGER,
    maxTicks: result.endTicks,
    digestEvery: options.digestEvery ?? 1_000_000,
    checkpointEvery: options.checkpointEvery ?? 10_000_000,
    commandLine: options.commandLine ?? injectionCommand(setup, mechanism, seed, injection),
    ...(options.onProgress && { onProgress: options.onProgress }),
  });
  const { moment, ticks, digest } = recorded.end;
  const isSame = moment === result.endMoment && ticks === result.endTicks && digestText(digest) === result.endDigest;
  // A machine that gives up leaves the workload's later inputs over; everything else must have been applied.
  const missed = recorded.notReached.filter(({ trigger }) => trigger.kind !== 'ticks' || trigger.ticks < ticks);
  if (isSame && missed.length === 0) return recorded;
  throw new Error(
    `the recorded run ends at moment ${moment}, tick ${ticks} with digest ${digestText(digest)}; the injected one ended at ` +
      `moment ${result.endMoment}, tick ${result.endTicks} with digest ${result.endDigest} (${selection.length} writes, ` +
      `${missed.length} inputs missed, ${injectionCommand(setup, mechanism, seed, injection).join(' ')})`,
  );
}

/** Everything that enters an injected run from outside, at exact virtual times. */
function plannedInputs(golden: GoldenRun, injection: Injection): PlannedInput[] {
  const at = (ticks: number, event: PlannedInput['event']): PlannedInput => ({
    trigger: { kind: 'ticks', ticks },
    event,
  });
  const reached = goToTrigger(golden, injection.trigger);
  const { machine } = golden.booted;
  const strike = reached ? [at(machine.ticks, { kind: 'fault', fault: resolveFault(machine, injection.fault) })] : [];
  // At equal times in this order: the mechanism is selected and the fault applied before the workload's input.
  return [
    ...golden.selection.map(({ ticks, event }) => at(ticks, event)),
    ...strike,
    ...golden.booted.inputs.map(({ ticks, event }) => at(ticks, event)),
  ];
}
