/**
 * What became of an injected run (papers, section 3; design section 8), from what it showed: effect, detector, recovery
 * and its steps, each VM against the golden run. Pure: the run has been observed before.
 *
 * Latent means that the state at the end differs from the golden run's in any bit: nothing is left out but the
 * testbed's own record of faults that never found their occasion (run.ts), not even counts and times that a run which
 * merely took another path leaves behind.
 */
import {
  FIXUPS,
  haltText,
  isDetection,
  type MachineSymbols,
  NOTES,
  noteName,
  type StopReason,
} from '../../../engine/index.ts';
import { compareOutput, type NoteAt } from '../../../replay/index.ts';
import type { GoldenRun } from './golden.ts';
import { linesOfVm, type RunLog } from './observe.ts';
import { judgeReception } from './reception.ts';
import { lastHitBefore } from './second.ts';
import { answersIn, sentPackets } from './sender.ts';
import type {
  Detector,
  EquivalenceSummary,
  FailureCause,
  Hit,
  InjectionResult,
  RecoveryStep,
  SecondResult,
  VmCriterion,
  VmOutcome,
} from './types.ts';

/** A run that is over. */
export interface Ending {
  readonly log: RunLog;
  readonly stop: StopReason;
  readonly converged: boolean;
  readonly moment: number;
  readonly ticks: number;
  readonly digest: bigint;
  /** Why isolation does not hold at the end. */
  readonly isolation: readonly string[];
  /** The machine's state is the golden run's at its end. */
  readonly isGolden: boolean;
  /** By VMID. */
  readonly statuses: ReadonlyMap<number, bigint>;
}

/** The result of an injection whose trigger the golden run never reaches. */
export function notReached(golden: GoldenRun): InjectionResult {
  return {
    effect: 'not-reached',
    success: false,
    noVmf: false,
    detections: 0,
    steps: [],
    vms: golden.setup.vms.map(({ name }) => ({ name, ok: true })),
    vmsAffected: 0,
    endMoment: golden.end.moment,
    endTicks: golden.end.ticks,
    endDigest: digestText(golden.end.digest),
    converged: true,
  };
}

/** A digest as results hold it. */
export const digestText = (digest: bigint): string => digest.toString(16).padStart(16, '0');

/** Judges a run that was hit; latency is counted from the last fault before the detection. */
export function judge(
  golden: GoldenRun,
  hit: Hit,
  run: Ending,
  equivalence: EquivalenceSummary | undefined,
  second?: SecondResult,
): InjectionResult {
  const where = run.converged ? golden.end : run;
  const common = {
    hit,
    ...(second && { second }),
    endMoment: where.moment,
    endTicks: where.ticks,
    endDigest: digestText(run.digest),
    converged: run.converged,
  };
  const vms = run.converged ? golden.setup.vms.map(({ name }) => ({ name, ok: true })) : judgeVms(golden, run);
  const vmsAffected = vms.filter(({ ok }) => !ok).length;
  const detections = run.log.detections();
  if (detections.length > 0) {
    const { steps, ...recovery } = recoveryOf(golden, run, vms, vmsAffected);
    return {
      effect: 'detected',
      ...common,
      ...detectionOf(detections[0]!, run.log, golden.booted.symbols, lastHitBefore(hit, second, detections[0]!.ticks)),
      ...recovery,
      ...(fellBack(detections, run.log) && { fellBack: true }),
      detections: detections.length,
      steps,
      ...(steps.length > 0 && {
        recoveryInstructions: steps.reduce((sum, step) => sum + step.instructions, 0),
        recoveryTicks: steps.reduce((sum, step) => sum + step.ticks, 0),
      }),
      vms,
      vmsAffected,
      ...(equivalence && { equivalence }),
    };
  }
  const wrong = whatIsWrong(run, vms);
  return {
    effect: wrong.length > 0 ? 'sdc' : run.isGolden ? 'non-manifested' : 'latent',
    ...common,
    success: false,
    noVmf: false,
    ...(wrong.length > 0 && { causeDetail: wrong.join('; ') }),
    detections: 0,
    steps: [],
    vms,
    vmsAffected,
  };
}

/** Whether a microreset was followed by a reboot, which a second try is (engine/subject/firmware/recovery.c). */
const fellBack = (detections: readonly NoteAt[], { notes }: RunLog): boolean => {
  const from = notes.indexOf(detections[0]!);
  const reset = notes.findIndex(({ code }, n) => n > from && code === NOTES.RESET.code);
  return reset >= 0 && notes.some(({ code }, n) => n > reset && code === NOTES.REBOOTED.code);
};

/** What is wrong with a run in which nothing was detected; nothing is the right answer. */
function whatIsWrong(run: Ending, vms: readonly VmOutcome[]): string[] {
  const lost = vms.filter(({ ok }) => !ok).map(({ name, reason }) => `${name}: ${reason}`);
  const stopped = run.stop.kind === 'halted' && run.stop.status === 'pass' ? [] : [howItEnded(run)];
  return [...run.isolation, ...lost, ...stopped];
}

function howItEnded({ stop }: Ending): string {
  if (stop.kind === 'halted') return `the machine ended with '${haltText(stop)}'`;
  return stop.kind === 'idle' ? 'every hart waits for nothing' : 'the machine did not end';
}

/** Every VM against the golden run, by its own criterion. */
function judgeVms(golden: GoldenRun, run: Ending): VmOutcome[] {
  const [text, expected] = [run.log.text(), golden.log.text()];
  const finished = run.log.finished();
  // A VM that serves for ever finishes in neither run.
  const finishes = golden.log.finished();
  return golden.setup.vms.map((vm) => {
    const vmid = golden.points.flatMap(({ vms }) => vms).find(({ name }) => name === vm.name)?.vmid;
    const status = vmid === undefined ? undefined : run.statuses.get(vmid);
    const reason =
      outputProblem(vm, text, expected) ??
      (vmid === undefined || finished.has(vmid) || !finishes.has(vmid) ? undefined : 'did not finish') ??
      (status === undefined || status === 0n ? undefined : `status ${status}`) ??
      receptionProblem(vm, golden, run);
    return { name: vm.name, ok: reason === undefined, ...(reason !== undefined && { reason }) };
  });
}

function outputProblem({ name, criterion }: VmCriterion, text: string, expected: string): string | undefined {
  return criterion === 'output' ? compareOutput(linesOfVm(text, name), linesOfVm(expected, name)) : undefined;
}

function receptionProblem({ name, criterion }: VmCriterion, golden: GoldenRun, run: Ending): string | undefined {
  const { sender } = golden.setup;
  if (criterion !== 'reception' || !sender || sender.vm !== name) return undefined;
  const sent = sentPackets(golden.booted.inputs, sender.slot).filter(({ ticks }) => ticks < golden.end.ticks);
  const { ok, worst } = judgeReception(sent, answersIn(run.log.frames, sender.slot), sender);
  if (ok || !worst) return undefined;
  return `reception ${Math.floor(100 * worst.share)} % in the window from ${Math.round(worst.fromTicks / 1e6)} ms`;
}

/** Causes from here on are the hypervisor's own panics (engine/subject/lazarus/lazarus.h). */
const PANIC_CAUSES = 0x100;

function detectionOf(first: NoteAt, log: RunLog, symbols: MachineSymbols, hit: Hit) {
  const name = noteName(first.code);
  const byTrap = name === 'DETECTED_TRAP' ? (first.arg >= PANIC_CAUSES ? 'panic' : 'trap') : 'hang';
  const detector: Detector = name?.endsWith('MISMATCH') ? 'mismatch' : name?.endsWith('PANIC') ? 'panic' : byTrap;
  const detection = detectionText(log, first, symbols);
  return {
    detector,
    detectionInstructions: first.moment - hit.moment,
    ...(detection !== undefined && { detection }),
  };
}

/** The firmware's line about the first detection, its addresses with symbols. */
function detectionText(log: RunLog, first: NoteAt, symbols: MachineSymbols): string | undefined {
  const after = log.console.findIndex(({ ticks }) => ticks >= first.ticks);
  const text = after < 0 ? '' : Buffer.from(log.console.slice(after).map(({ byte }) => byte)).toString('utf8');
  const line = /recovery: (.*?)\s*\r?$/m.exec(text)?.[1];
  return line?.replace(/\b(?:0x)?([0-9a-f]{8,16})\b/g, (place, address: string) => {
    const symbol = symbols.describe('HS', BigInt(`0x${address}`));
    return symbol === undefined ? place : `${place} (${symbol})`;
  });
}

type Recovery = Pick<InjectionResult, 'success' | 'noVmf' | 'cause' | 'causeDetail' | 'steps'>;

function recoveryOf(golden: GoldenRun, run: Ending, vms: readonly VmOutcome[], vmsAffected: number): Recovery {
  const steps = stepsOf(run.log);
  const failure = failureOf(golden, run, vms);
  const success = failure === undefined || failure.tolerable;
  return {
    success,
    noVmf: success && vmsAffected === 0,
    ...(failure && { cause: failure.cause, causeDetail: failure.detail }),
    steps,
  };
}

interface Failure {
  readonly cause: FailureCause;
  readonly detail: string;
  /** A success all the same: one AppVM of several is lost. */
  readonly tolerable: boolean;
}

function failureOf(golden: GoldenRun, run: Ending, vms: readonly VmOutcome[]): Failure | undefined {
  const { log } = run;
  const detections = log.detections();
  const resumptions = log.notes.filter(({ code }) => code === NOTES.RESUMED.code);
  const gaveUp = log.note('RECOVERY_FAILED');
  const fail = (cause: FailureCause, detail: string): Failure => ({ cause, detail, tolerable: false });
  const because = gaveUp ? `gave up, reason ${gaveUp.arg}` : howItEnded(run);
  if (!log.note('FROZEN')) return fail('recovery not entered', because);
  if (resumptions.length === 0) return fail('recovery failed', because);
  if (detections.at(-1)!.ticks > resumptions.at(-1)!.ticks) return fail('failed again', because);
  if (run.isolation.length > 0) return fail('failed again', run.isolation.join('; '));
  const lost = vms.filter(({ ok }) => !ok);
  const detail = lost.map(({ name, reason }) => `${name}: ${reason}`).join('; ');
  const rows = new Map(golden.setup.vms.map((vm) => [vm.name, vm]));
  const ended = run.stop.kind === 'halted';
  if (!ended && (lost.length === 0 || lost.length === vms.length)) {
    return fail('hang after recovery', detail === '' ? howItEnded(run) : detail);
  }
  if (lost.length === 0) {
    const isRight = run.stop.kind === 'halted' && run.stop.status === 'pass';
    return isRight ? undefined : fail('failed again', howItEnded(run));
  }
  if (lost.some(({ name }) => rows.get(name)!.role === 'privvm')) return fail('privvm failed', detail);
  if (lost.some(({ name }) => rows.get(name)!.createdLate)) return fail('new vm failed', detail);
  if (lost.length > 1) return fail('several vms affected', detail);
  const appVms = golden.setup.vms.filter(({ role, createdLate }) => role === 'appvm' && !createdLate);
  return { cause: 'one vm affected', detail, tolerable: appVms.length > 1 };
}

/** Steps of the first recovery that resumed its VMs, or of the last attempt if none did. */
function stepsOf(log: RunLog): RecoveryStep[] {
  const resumed = log.notes.find(({ code }) => code === NOTES.RESUMED.code);
  const from = log.notes.findIndex(({ code }) => isDetection(code));
  const steps: RecoveryStep[] = [];
  let before = log.notes[from]!;
  for (const note of log.notes.slice(from + 1)) {
    const name = stepName(note);
    if (name === undefined) continue;
    const [instructions, ticks] = [note.moment - before.moment, note.ticks - before.ticks];
    steps.push({ name, instructions, ticks });
    before = note;
    if (note === resumed) break;
  }
  return steps;
}

/** Notes that VMs cause are no steps. */
function stepName({ code, arg }: NoteAt): string | undefined {
  const name = noteName(code);
  switch (name) {
    case undefined:
    case 'FIRMWARE_UP':
    case 'HYPERVISOR_UP':
    case 'VM_PROGRESS':
    case 'VM_DONE':
    case 'RECOVERY_FAILED':
      return undefined;
    case 'FIXUP':
      return `fix-up ${FIXUPS[arg] ?? arg}`;
    default:
      return name.toLowerCase().replaceAll('_', ' ');
  }
}
