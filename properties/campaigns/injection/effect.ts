/**
 * What a fault did that no detector saw. With a detection (any note DETECTED_*) the effect is `detected`, whatever else
 * happened. Without one, the first of these that holds:
 *
 * 1. `sdc`, silent corruption: isolation is broken at the end; or a VM's output is wrong without a word: it printed a
 *    line that the golden run does not have there and that reports no error, or too few answers left it (reception), or
 *    it ended as if all were well with lines missing; or the machine ended as passed although a VM had not ended. What
 *    a VM reports later does not mend a wrong line that was printed before.
 * 2. `machine-death`: the machine stopped itself, as failed or for a reset, while VMs were at work: the firmware's own
 *    trap, the hypervisor's `lazarus: …` before an end. Not the end in order that follows when every VM has ended and
 *    one has reported an error.
 * 3. `undetected-hang`: the machine had not ended when its time was up (the golden run's and the set-up's grace), waits
 *    for nothing, or takes nothing but traps. VMs or vCPUs that run nowhere any more are here: their output stops, and
 *    what it has is right, or reports an error.
 * 4. `announced-error`: a VM ended with a status other than 0, and its first line unlike the golden run's says that
 *    something failed (or the hypervisor's line does that the VM crashed): whoever uses it has been told.
 * 5. `non-manifested`: the golden run's state at the golden run's end.
 * 6. `latent`: any other state there. Nothing is left out but the testbed's own record of faults that never found their
 *    occasion (run.ts), not even counts and times that a run which merely took another path leaves behind.
 *
 * A run that met the golden run's state again (`converged`) has had outputs before; they count as those of any run.
 */
import { haltText, STUCK_CODE } from '../../../engine/index.ts';
import type { Ending } from './observe.ts';
import type { Effect } from './types.ts';
import type { JudgedVm } from './vms.ts';

/** The effect of a run without a detection, and what is wrong with it: nothing is the right answer. */
export function effectWithoutDetection(run: Ending, vms: readonly JudgedVm[]): { effect: Effect; why: string[] } {
  const lost = vms.flatMap(({ outcome: { name, ok, reason } }) => (ok ? [] : [`${name}: ${reason}`]));
  const why = [...run.isolation, ...lost, ...(endedWell(run) ? [] : [howItEnded(run)])];
  if (why.length > 0) return { effect: harmOf(run, vms), why };
  return { effect: run.isGolden ? 'non-manifested' : 'latent', why };
}

function harmOf(run: Ending, vms: readonly JudgedVm[]): Effect {
  const some = (harm: JudgedVm['harm']) => vms.some((vm) => vm.harm === harm);
  if (run.isolation.length > 0 || some('wrong') || (endedWell(run) && some('unfinished'))) return 'sdc';
  if (!isOver(run)) return 'undetected-hang';
  return some('announced') && !areAtWork(run) ? 'announced-error' : 'machine-death';
}

const endedWell = ({ stop }: Ending): boolean => stop.kind === 'halted' && stop.status === 'pass';

/** By itself, and not with nothing but traps, of which nobody is told. */
const isOver = ({ stop }: Ending): boolean => stop.kind === 'halted' && stop.code !== STUCK_CODE;

/** Whether a domain had not ended. */
function areAtWork({ log, statuses }: Ending): boolean {
  const finished = log.finished();
  return [...statuses.keys()].some((vmid) => !finished.has(vmid));
}

/** How a run ended, with the last words of firmware or hypervisor where it did not end well. */
export function howItEnded({ stop, log }: Ending): string {
  if (stop.kind !== 'halted') return stop.kind === 'idle' ? 'every hart waits for nothing' : 'the machine did not end';
  const words = stop.status === 'pass' ? undefined : log.lastWords();
  return `the machine ended with '${haltText(stop)}'${words === undefined ? '' : `: ${words}`}`;
}
