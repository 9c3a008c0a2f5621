/**
 * Each VM of a run against the golden run, by the VM's own criterion: whether it did what it does without a fault, and
 * if not, how it came to harm.
 */
import { compareOutput } from '../../../replay/index.ts';
import type { GoldenRun } from './golden.ts';
import { type Ending, linesOfGuest, linesOfVm } from './observe.ts';
import { judgeReception } from './reception.ts';
import { answersIn, sentPackets } from './sender.ts';
import type { VmCriterion, VmOutcome } from './types.ts';

/** Undefined harm: it is as in the golden run. `unfinished`: what there is of it is right, or reports an error. */
export interface JudgedVm {
  readonly outcome: VmOutcome;
  readonly harm: 'wrong' | 'unfinished' | 'announced' | undefined;
}

/** What a VM showed. */
interface Seen {
  readonly said: readonly string[];
  readonly expected: readonly string[];
  readonly status: bigint | undefined;
  /** It ends in the golden run, and did not here. */
  readonly unfinished: boolean;
  /** The hypervisor printed that it crashed. */
  readonly crashed: boolean;
  /** The run ended in the middle of a line, which may be its last one. */
  readonly cut: boolean;
}

/** Every VM, in the set-up's order. */
export function judgeVms(golden: GoldenRun, run: Ending): JudgedVm[] {
  const [text, expected] = [run.log.text(), golden.log.text()];
  const finished = run.log.finished();
  // A VM that serves for ever finishes in neither run.
  const finishes = golden.log.finished();
  const isShared = golden.setup.vms.some(({ criterion }) => criterion === 'console');
  return golden.setup.vms.map((vm): JudgedVm => {
    const { name } = vm;
    const vmid = golden.points.flatMap(({ vms }) => vms).find((known) => known.name === name)?.vmid;
    const seen: Seen = {
      said: linesOf(vm, text, isShared),
      expected: linesOf(vm, expected, isShared),
      status: vmid === undefined ? undefined : run.statuses.get(vmid),
      unfinished: vmid !== undefined && !finished.has(vmid) && finishes.has(vmid),
      crashed: text.includes(`${isShared ? '' : '\n'}lazarus: ${name} crashed: `),
      cut: !text.endsWith('\n'),
    };
    const reason =
      (vm.criterion !== 'reception' ? compareOutput(seen.said, seen.expected) : undefined) ??
      (seen.unfinished ? 'did not finish' : undefined) ??
      (seen.status === undefined || seen.status === 0n ? undefined : `status ${seen.status}`) ??
      receptionProblem(vm, golden, run);
    if (reason === undefined) return { outcome: { name, ok: true }, harm: undefined };
    return { outcome: { name, ok: false, reason }, harm: harmOf(vm, seen) };
  });
}

/** What a VM printed; `isShared`: beside a guest whose lines have no prefix. */
const linesOf = ({ name, criterion }: VmCriterion, text: string, isShared: boolean): string[] =>
  criterion === 'console' ? linesOfGuest(text) : linesOfVm(text, name, isShared);

/** Words with which guests and kernels say that something went wrong; toolstacks say so by another's status. */
const ANNOUNCEMENT =
  /\b(?:fail(?:ed|ure)|wrong|cannot|damaged|disconnected|crashed|exception|errors?|panic|oops|bug)\b|\bstatus [1-9]/i;

function harmOf({ criterion }: VmCriterion, seen: Seen): JudgedVm['harm'] {
  const { said, expected, status, unfinished, crashed, cut } = seen;
  const isRight = (line: string, n: number) =>
    line === expected[n] || (cut && n === said.length - 1 && expected[n]?.startsWith(line));
  const first = said.find((line, n) => (criterion !== 'reception' ? !isRight(line, n) : ANNOUNCEMENT.test(line)));
  const announced = first !== undefined && ANNOUNCEMENT.test(first);
  if (first !== undefined && !announced) return 'wrong';
  if (unfinished) return 'unfinished';
  return (announced || crashed) && status !== undefined && status !== 0n ? 'announced' : 'wrong';
}

function receptionProblem({ name, criterion }: VmCriterion, golden: GoldenRun, run: Ending): string | undefined {
  const { sender } = golden.setup;
  if (criterion !== 'reception' || !sender || sender.vm !== name) return undefined;
  const sent = sentPackets(golden.booted.inputs, sender.slot).filter(({ ticks }) => ticks < golden.end.ticks);
  const { ok, worst } = judgeReception(sent, answersIn(run.log.frames, sender.slot), sender);
  if (ok || !worst) return undefined;
  return `reception ${Math.floor(100 * worst.share)} % in the window from ${Math.round(worst.fromTicks / 1e6)} ms`;
}
