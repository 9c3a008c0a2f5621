/**
 * VM-state equivalence of an injected run's first recovery, by the judge that `verify` uses, and whether a later one
 * failed. What the run showed is known from its log; to read registers and memory its positions are visited again: up
 * to the hit on the golden run, from there on starting right behind the fault.
 */
import type { Snapshot } from '../../../engine/index.ts';
import {
  Crossings,
  hasFinished,
  type InputsHere,
  isEntryOf,
  type JudgedVm,
  judgeRecovery,
  type Player,
  readRegisters,
  reasonsOf,
  recoveriesIn,
  type Start,
  Timeline,
} from '../../../replay/index.ts';
import type { GoldenRun, KnownVm } from './golden.ts';
import type { RunLog } from './observe.ts';
import type { EquivalenceSummary, Hit } from './types.ts';

/** A VM's memory when the recovery began and when it ended, as digests. */
export interface MemoryAcross {
  readonly vm: KnownVm;
  readonly frozen: bigint;
  resumed?: bigint;
}

/** Judges a run in which VMs were resumed. `start`: the state right after the fault was applied. */
export function judgeEquivalence(
  golden: GoldenRun,
  start: Snapshot & { readonly applied: number },
  hit: Hit,
  log: RunLog,
  memory: readonly MemoryAcross[],
  player: Player,
): EquivalenceSummary {
  const recoveries = recoveriesIn(log.notes);
  const { frozen = hit, resumed } = recoveries[0]!;
  const crossings = new Crossings(resumed ? [resumed] : []);
  for (const crossing of log.crossings) crossings.add(crossing);
  const [around] = crossings.found();
  const vms = memory.map(({ vm, frozen: before, resumed: after }): JudgedVm => {
    const { vmid, name, hgatp, vcpus: published } = vm;
    const finished = hasFinished(log.notes, vmid, frozen);
    const finishes = hasFinished(log.notes, vmid, { ticks: Infinity });
    const memoryIsSame = after === undefined || after === before;
    return { vmid, name, hgatp, published, finished, finishes, memoryIsSame, ...around!.get(vmid) };
  });
  const verdicts = judgeRecovery({
    run: visitable(golden, start, hit, player),
    hypervisor: golden.booted.symbols.hypervisor,
    frozen: frozen.ticks,
    resumed: resumed?.ticks,
    vms,
    expected: ({ vmid }, { vcpu }, exit) => {
      // From the hit on the golden run is another run.
      if (exit.ticks > hit.ticks) return undefined;
      const answer = golden.log.crossings.find((crossing) => isEntryOf({ vmid, vcpu }, crossing, exit));
      if (!answer) return undefined;
      golden.timeline.toTicks(answer.ticks, 'pending');
      return readRegisters(golden.timeline.machine, answer);
    },
  });
  const reasons = [...recoveries.flatMap(({ failure }) => failure ?? []), ...reasonsOf(verdicts)];
  return { equivalent: reasons.length === 0, reasons };
}

/** The injected run at any position of it; `player` has its inputs. */
function visitable(golden: GoldenRun, start: Snapshot & { readonly applied: number }, hit: Hit, player: Player) {
  const { moment, ticks, applied } = start;
  const first: Start = { moment, ticks, applied, isFirst: false, snapshot: () => start };
  const unreachable = (where: string) => new Error(`the injected run does not come to ${where} once more`);
  const injected = new Timeline(player, { starts: [], first, leavesSnapshots: false, unreachable });
  const before = (at: number) => at <= hit.ticks;
  return {
    machine: injected.machine,
    toTicks: (at: number, here: InputsHere) => (before(at) ? golden.timeline : injected).toTicks(at, here),
    forwardToTicks: (at: number, here: InputsHere) => injected.forwardToTicks(at, here),
  };
}
