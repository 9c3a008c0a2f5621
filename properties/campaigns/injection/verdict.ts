/**
 * What became of an injected run (papers, section 3; design section 8), from what it showed: effect, detector, recovery
 * and its steps. Pure: the run has been observed before. What was done without a detection: effect.ts; each VM against
 * the golden run: vms.ts.
 */
import { FIXUPS, isDetection, type MachineSymbols, NOTES, noteName } from '../../../engine/index.ts';
import type { NoteAt } from '../../../replay/index.ts';
import { effectWithoutDetection, howItEnded } from './effect.ts';
import type { GoldenRun } from './golden.ts';
import type { Ending, RunLog } from './observe.ts';
import { lastHitBefore } from './second.ts';
import type {
  Detector,
  EquivalenceSummary,
  FailureCause,
  Hit,
  InjectionResult,
  RecoveryStep,
  SecondResult,
  VmOutcome,
} from './types.ts';
import { judgeVms } from './vms.ts';

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
  const judged = judgeVms(golden, run);
  const vms = judged.map(({ outcome }) => outcome);
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
  const { effect, why } = effectWithoutDetection(run, judged);
  return {
    effect,
    ...common,
    success: false,
    noVmf: false,
    ...(why.length > 0 && { causeDetail: why.join('; ') }),
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

/** Causes from here on are the hypervisor's own panics (engine/subject/lazarus/lazarus.h). */
const PANIC_CAUSES = 0x100;
/** Its code is not what the firmware has kept of it (CAUSE_CODE_DAMAGED of engine/subject/firmware/firmware.h). */
const CODE_DAMAGED = 0x101;

function detectionOf(first: NoteAt, log: RunLog, symbols: MachineSymbols, hit: Hit) {
  const detection = detectionText(log, first, symbols);
  return {
    detector: detectorOf(first),
    detectionInstructions: first.moment - hit.moment,
    ...(detection !== undefined && { detection }),
  };
}

function detectorOf({ code, arg }: NoteAt): Detector {
  const name = noteName(code);
  if (name?.endsWith('MISMATCH')) return 'mismatch';
  if (name?.endsWith('PANIC')) return 'panic';
  if (name !== 'DETECTED_TRAP') return 'hang';
  if (arg === CODE_DAMAGED) return 'code check';
  return arg >= PANIC_CAUSES ? 'panic' : 'trap';
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
