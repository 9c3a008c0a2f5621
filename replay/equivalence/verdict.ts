/**
 * VM-state equivalence of a trace: what its recoveries did to each VM, and whether its outputs are the golden run's.
 * Relies on the notes that mark detection and resumption, on `vmN:` prefixes for output, and on the judge.
 */
import { listVms, UserError } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import { type EquivalenceVerdict, isCutShort, sharedStart, type VmVerdict } from '../base/index.ts';
import { compareOutput, differingInputs, firstSettingDifference, linesByVm } from '../compare/index.ts';
import { inputsFromTrace } from '../container/index.ts';
import { linesOf, openTimeline, outputBetween, type TraceTimeline } from '../timeline/index.ts';
import { findCrossings, nextEntry, type VmCrossings } from './crossings.ts';
import { type JudgedRecovery, judgeRecovery, reasonsOf } from './judge.ts';
import { hasFinished, type Recovery, recoveriesIn } from './recoveries.ts';
import { readRegisters } from './state.ts';

export interface EquivalenceOptions {
  /** Called about once per million instructions executed. */
  readonly onProgress?: (moment: number) => void;
}

/**
 * Judges every recovery of a run; `vms` are the verdicts of the first, `reasons` come from all. With a golden run, the
 * VMs' console lines count too. A run with a recovery that failed is never equivalent, whatever came before it.
 * @throws UserError when the trace holds no recovery, TraceError when it does not replay.
 */
export function vmEquivalence(faulted: Trace, golden?: Trace, options: EquivalenceOptions = {}): EquivalenceVerdict {
  const recoveries = recoveriesIn(faulted.notes);
  const [first] = recoveries;
  if (!first) {
    throw new UserError(
      `${faulted.path} holds no recovery: expected a note that marks a detection; record a run with a fault that is detected`,
    );
  }
  const run = openTimeline(faulted);
  const resumptions = recoveries.flatMap(({ resumed }) => resumed ?? []);
  const around = findCrossings(run, resumptions, options.onProgress);
  const expected = golden && goldenEntries(faulted, golden);
  const output = outputJudge(faulted, golden);
  // A recovery that failed comes last: without a resumption nothing can be detected once more.
  const judged = recoveries.map((recovery, n): VmVerdict[] => {
    const vms = judgeOne(run, recovery, around[n] ?? new Map(), expected);
    return n > 0 ? vms : vms.map((vm) => ({ ...vm, ...output(vm.vmid) }));
  });
  const reasons = recoveries.flatMap(({ failure }, n) => {
    const own = [...(failure ? [failure] : []), ...reasonsOf(judged[n]!)];
    return n === 0 ? own : own.map((reason) => `recovery ${n + 1}: ${reason}`);
  });
  const [vms = []] = judged;
  if (vms.length === 0) reasons.push('no VM ran before the detection: there is nothing to compare');
  return {
    equivalent: reasons.length === 0,
    reasons,
    detectedAt: first.detected.moment,
    resumedAt: first.resumed?.moment,
    vms,
  };
}

function judgeOne(
  run: TraceTimeline,
  { detected, frozen = detected, resumed }: Recovery,
  crossings: ReadonlyMap<number, VmCrossings>,
  expected: JudgedRecovery['expected'],
): VmVerdict[] {
  const { hypervisor } = run.symbols;
  const listed = [detected, resumed].flatMap((at) => {
    if (at) run.toTicks(at.ticks, 'applied');
    return at ? listVms(run.machine, hypervisor).vms : [];
  });
  const names = new Map(listed.toReversed().map(({ vmid, name }) => [vmid, name]));
  // The fault may have hit the list: what stands in it at either time is believed.
  const published = Map.groupBy(
    listed.flatMap(({ vmid, vcpus }) => vcpus.map(({ address }) => ({ vmid, address: BigInt(address) }))),
    ({ vmid }) => vmid,
  );
  const vms = [...crossings]
    .sort(([a], [b]) => a - b)
    .map(([vmid, around]) => ({
      vmid,
      name: names.get(vmid) ?? `vm${vmid}`,
      published: [...new Set(published.get(vmid)?.map(({ address }) => address))],
      finished: !around.entry && hasFinished(run.trace.notes, vmid, frozen),
      finishes: hasFinished(run.trace.notes, vmid, run.trace.last),
      ...around,
    }));
  return judgeRecovery({
    run,
    hypervisor,
    frozen: frozen.ticks,
    resumed: resumed?.ticks,
    vms,
    ...(expected && { expected }),
  });
}

/** The golden run answers for exits before its inputs part from the faulted run's: until then it is the same run. */
function goldenEntries(faulted: Trace, golden: Trace): JudgedRecovery['expected'] {
  if (firstSettingDifference(faulted.header, golden.header)) return undefined;
  const start = sharedStart(faulted, golden);
  const [mismatch] = differingInputs(inputsFromTrace(faulted), inputsFromTrace(golden), start.ticks);
  let run: TraceTimeline | undefined;
  // Of parts of runs, inputs alone do not say that they were one run before.
  let agrees: boolean | undefined;
  return ({ vmid }, { vcpu }, exit) => {
    if (exit.ticks < start.ticks || exit.ticks > (mismatch?.ticks ?? Infinity)) return undefined;
    if (exit.ticks > golden.last.ticks) return undefined;
    run ??= openTimeline(golden);
    agrees ??= start.ticks === 0 || areEqualAt(start.ticks, run, openTimeline(faulted));
    if (!agrees) return undefined;
    const entry = nextEntry(run, { vmid, vcpu }, exit);
    if (!entry) return undefined;
    run.toTicks(entry.ticks, 'pending');
    return readRegisters(run.machine, entry);
  };
}

/** The lines of one output that another has, too, whose last line may have been cut off. */
function asFarAs(other: readonly string[], lines: readonly string[]): string[] {
  const last = other.length - 1;
  return lines.slice(0, last + 1).map((line, n) => (n === last && line.startsWith(other[n]!) ? other[n]! : line));
}

function areEqualAt(ticks: number, ...[a, b]: readonly [TraceTimeline, TraceTimeline]): boolean {
  a.toTicks(ticks, 'pending');
  b.toTicks(ticks, 'pending');
  return a.machine.digest() === b.machine.digest();
}

type OutputVerdict = Pick<VmVerdict, 'outputEqual' | 'outputDifference'>;

function outputJudge(faulted: Trace, golden: Trace | undefined): (vmid: number) => OutputVerdict {
  if (!golden) return () => ({});
  // Where both traces have it: one may be a cut.
  const { ticks } = sharedStart(faulted, golden);
  const linesIn = ({ console }: Trace) => linesByVm(linesOf(outputBetween(console, ticks)));
  const [actual, expected] = [linesIn(faulted), linesIn(golden)];
  return (vmid) => {
    const [said, should] = [actual.get(vmid) ?? [], expected.get(vmid) ?? []];
    const difference = compareOutput(
      isCutShort(golden) ? asFarAs(should, said) : said,
      isCutShort(faulted) ? asFarAs(said, should) : should,
    );
    return { outputEqual: difference === undefined, ...(difference && { outputDifference: difference }) };
  };
}
