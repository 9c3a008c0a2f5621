/**
 * VM-state equivalence: did a recovery leave every VM as it was? Works for any hypervisor: VMs are what hgatp names,
 * their crossings are observed, their memory is found through their tables. Relies on the notes that mark detection
 * and resumption, and on `vmN:` prefixes for output. Judges the first recovery of a trace; of a VM with several
 * vCPUs only the last exit and first entry (equivalence-crossings.ts).
 */
import { listVms, NOTES, UserError } from '../engine/index.ts';
import type { Trace } from '../traces/index.ts';
import { inputsFromTrace } from './config.ts';
import { imageDifferences, machineDifferences } from './diff.ts';
import { compareOutput, linesByVm, linesOf } from './diff-console.ts';
import { differingInputs } from './diff-inputs.ts';
import { type Crossing, findCrossings, nextEntry, type VmCrossings } from './equivalence-crossings.ts';
import {
  compareMemory,
  compareRegisters,
  readMemory,
  readRegisters,
  type VmMemory,
  type VmRegisters,
} from './equivalence-state.ts';
import { openRerun, type Rerun } from './reexecute.ts';
import type { EquivalenceVerdict, NoteAt, VmVerdict } from './types.ts';

export interface EquivalenceOptions {
  /** Called about once per million instructions re-executed. */
  readonly onProgress?: (moment: number) => void;
}

/**
 * Compares each VM's registers at its last exit before the recovery resumed it with those at its first entry after,
 * and its memory between detection (or that exit, if later) and the entry; with a golden run, its console lines too.
 * Not compared: what `GUEST_CSRS` in equivalence-state.ts leaves out, and pages not mapped at both times. A VM that
 * still runs on another hart after the detection changes its memory by its own doing; it is judged from its last exit.
 * @throws UserError when the trace holds no recovery, TraceError when it does not replay.
 */
export function vmEquivalence(faulted: Trace, golden?: Trace, options: EquivalenceOptions = {}): EquivalenceVerdict {
  const recovery = findRecovery(faulted);
  const run = openRerun(faulted);
  const crossings = findCrossings(run, recovery.resumed, options.onProgress);
  const vmids = [...crossings.keys()].sort((a, b) => a - b);
  const states = captureStates(run, recovery.detected, crossings);
  const names = namesAt(run, recovery.detected);
  const output = outputJudge(faulted, golden);
  const oracle = golden && goldenEntries(faulted, golden);
  const vms = vmids.map((vmid): VmVerdict => {
    const name = names.get(vmid) ?? `vm${vmid}`;
    const seen = crossings.get(vmid)!;
    const state = states.get(vmid)!;
    const finished = faulted.notes.some(
      (note) => note.code === NOTES.VM_DONE.code && note.arg === vmid && note.ticks < recovery.detected.ticks,
    );
    return { vmid, name, ...judge(vmid, seen, state, finished, oracle), ...output(vmid) };
  });
  const reasons = [...recovery.failure, ...vms.flatMap(reasonsOf)];
  if (vms.length === 0) reasons.push('no VM ran before the detection: there is nothing to compare');
  return {
    equivalent: reasons.length === 0,
    reasons,
    detectedAt: recovery.detected.moment,
    resumedAt: recovery.resumed?.moment,
    vms,
  };
}

interface Recovery {
  readonly detected: NoteAt;
  readonly resumed: NoteAt | undefined;
  readonly failure: readonly string[];
}

function findRecovery({ notes, path }: Trace): Recovery {
  const detections: readonly number[] = [NOTES.DETECTED_TRAP.code, NOTES.DETECTED_HANG.code];
  const detected = notes.find(({ code }) => detections.includes(code));
  if (!detected) {
    throw new UserError(
      `${path} holds no recovery: expected a note that marks a detection; record a run with a fault that is detected`,
    );
  }
  const resumed = notes.find(({ code, ticks }) => code === NOTES.RESUMED.code && ticks > detected.ticks);
  const gaveUp = notes.find(({ code, ticks }) => code === NOTES.RECOVERY_FAILED.code && ticks > detected.ticks);
  const why = gaveUp ? `the recovery gave up (reason ${gaveUp.arg})` : 'no VM was resumed after the detection';
  return { detected, resumed, failure: resumed ? [] : [why] };
}

interface VmState {
  exit?: VmRegisters;
  entry?: VmRegisters;
  before?: VmMemory;
  after?: VmMemory;
}

/** Second pass: stops at each position of interest, in order, and reads what is needed there. */
function captureStates(
  run: Rerun,
  detected: NoteAt,
  crossings: ReadonlyMap<number, VmCrossings>,
): Map<number, VmState> {
  const states = new Map<number, VmState>();
  const visits: { ticks: number; read: () => void }[] = [];
  const { machine } = run;
  for (const [vmid, { exit, entry }] of crossings) {
    const state: VmState = {};
    states.set(vmid, state);
    if (!exit || !entry) continue;
    let hgatp = 0n;
    const atExit = () => {
      state.exit = readRegisters(machine, exit);
      hgatp = machine.csr(exit.hart, 'hgatp');
    };
    const atDetection = () => {
      state.before = readMemory(machine, hgatp, machine.snapshot());
    };
    const atEntry = () => {
      state.entry = readRegisters(machine, entry);
      state.after = readMemory(machine, machine.csr(entry.hart, 'hgatp'), machine.snapshot());
    };
    visits.push({ ticks: exit.ticks, read: atExit });
    visits.push({ ticks: Math.max(exit.ticks, detected.ticks), read: atDetection });
    visits.push({ ticks: entry.ticks, read: atEntry });
  }
  // Stable: at one position, the exit is read before the memory that needs its hgatp.
  for (const { ticks, read } of visits.sort((a, b) => a.ticks - b.ticks)) {
    run.toTicks(ticks, 'applied');
    read();
  }
  return states;
}

function namesAt(run: Rerun, detected: NoteAt): Map<number, string> {
  run.toTicks(detected.ticks, 'applied');
  return new Map(listVms(run.machine, run.symbols.hypervisor).vms.map(({ vmid, name }) => [vmid, name]));
}

type Judged = Omit<VmVerdict, 'vmid' | 'name' | 'outputEqual' | 'outputDifference'>;
/** The registers with which the golden run entered the VM after the same exit; undefined when it had none like it. */
type Oracle = (vmid: number, exit: Crossing) => VmRegisters | undefined;

function judge(
  vmid: number,
  { exit, entry }: VmCrossings,
  state: VmState,
  finished: boolean,
  oracle: Oracle | undefined,
): Judged {
  const moments = { exitMoment: exit?.moment, entryMoment: entry?.moment };
  const nothing = { pagesCompared: 0, memoryDifferences: [], registerDifferences: [], ...moments };
  if (!entry) {
    return {
      survived: finished,
      resumedAs: 'not-resumed',
      memoryEqual: finished,
      registersEqual: finished,
      ...nothing,
    };
  }
  if (!exit || !state.exit || !state.entry || !state.before || !state.after) {
    // Entered for the first time after the recovery: there is no state that it could have changed.
    return { survived: true, resumedAs: 'unchanged', memoryEqual: true, registersEqual: true, ...nothing };
  }
  const memory = compareMemory(state.before, state.after);
  const differences = compareRegisters(state.exit, state.entry);
  const completed = differences.length > 0 && isCompletion(exit, differences, state.entry, oracle?.(vmid, exit));
  const registersEqual = differences.length === 0 || completed;
  return {
    survived: true,
    resumedAs: differences.length === 0 ? 'unchanged' : completed ? 'completed' : 'changed',
    ...memory,
    memoryEqual: memory.pagesCompared > 0 && memory.memoryDifferences.length === 0,
    registersEqual,
    registerDifferences: registersEqual ? [] : differences,
    ...moments,
  };
}

/** Exceptions by which a guest asks for something: ecall from VS, guest page faults (MMIO), virtual instruction. */
const ASKING: readonly number[] = [10, 20, 21, 22, 23];
const ECALL_FROM_VS = 10;

/**
 * A VM that waited with its request answered is entered behind the asking instruction. The golden run knows the
 * answer; without one, only the places where an answer belongs may have changed: a0 and a1 after an ecall (SBI calling
 * convention), one register after an emulated instruction.
 */
export function isCompletion(
  exit: Crossing,
  differences: VmVerdict['registerDifferences'],
  entry: VmRegisters,
  expected: VmRegisters | undefined,
): boolean {
  if (expected) return compareRegisters(expected, entry).length === 0;
  if (!exit.trap || exit.trap.interrupt || !ASKING.includes(exit.trap.cause)) return false;
  const step = (entry.get('pc') ?? 0n) - exit.pc;
  const answers = differences.filter(({ name }) => name !== 'pc').map(({ name }) => name);
  const places = (name: string) =>
    exit.trap?.cause === ECALL_FROM_VS ? name === 'x10' || name === 'x11' : name.startsWith('x');
  const few = exit.trap.cause === ECALL_FROM_VS || answers.length <= 1;
  return (step === 4n || step === 2n) && few && answers.every(places);
}

/** The golden run answers for exits before its inputs part from the faulted run's: until then it is the same run. */
function goldenEntries(faulted: Trace, golden: Trace): Oracle | undefined {
  const others = [
    ...machineDifferences(faulted.header, golden.header),
    ...imageDifferences(faulted.header, golden.header),
  ];
  if (others.length > 0) return undefined;
  const [parting] = differingInputs(inputsFromTrace(faulted), inputsFromTrace(golden));
  let run: Rerun | undefined;
  return (vmid, exit) => {
    if (exit.ticks > (parting?.ticks ?? Infinity) || exit.ticks > golden.last.ticks) return undefined;
    run ??= openRerun(golden);
    const entry = nextEntry(run, vmid, exit);
    if (!entry) return undefined;
    run.toTicks(entry.ticks, 'applied');
    return readRegisters(run.machine, entry);
  };
}

type OutputVerdict = Pick<VmVerdict, 'outputEqual' | 'outputDifference'>;

function outputJudge(faulted: Trace, golden: Trace | undefined): (vmid: number) => OutputVerdict {
  if (!golden) return () => ({});
  const actual = linesByVm(linesOf(faulted.console));
  const expected = linesByVm(linesOf(golden.console));
  return (vmid) => {
    const difference = compareOutput(actual.get(vmid) ?? [], expected.get(vmid) ?? []);
    return { outputEqual: difference === undefined, ...(difference && { outputDifference: difference }) };
  };
}

function reasonsOf(vm: VmVerdict): string[] {
  const reasons: string[] = [];
  if (!vm.survived) reasons.push(`${vm.name} was never entered again after the recovery`);
  else {
    const words = vm.memoryDifferences.length;
    if (!vm.memoryEqual)
      reasons.push(
        words > 0 ? `${vm.name}: ${words} words of its memory changed` : `${vm.name}: no page is mapped as before`,
      );
    if (!vm.registersEqual)
      reasons.push(`${vm.name}: ${vm.registerDifferences.map(({ name }) => name).join(', ')} changed`);
  }
  if (vm.outputDifference) reasons.push(`${vm.name}: ${vm.outputDifference}`);
  return reasons;
}
