/**
 * `dejavm demo`: a golden run, the same run with the hypervisor shot in the middle of a hypercall, its recovery, and
 * everything that the tool can say about it. Each step checks what it claims; a claim that fails ends the demo with
 * exit code 1 and the command that shows why.
 */
import { type Fault, formatFault, type MachineConfig, NOTES, noteText, shellLine } from '../../../engine/index.ts';
import { findSetup } from '../../../properties/index.ts';
import {
  bisectTraces,
  lastLines,
  namedTracePath,
  openTimeline,
  type PlannedInput,
  type RecordResult,
  record,
  replayTrace,
  vmEquivalence,
} from '../../../replay/index.ts';
import { openTrace, type Trace } from '../../../traces/index.ts';
import {
  byteSize,
  counted,
  EXIT,
  type ExitCode,
  grouped,
  type Io,
  progressLine,
  virtualTime,
} from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { type Aim, HypercallWatch, takeAim } from '../demo/index.ts';
import { bisectText } from './bisect.ts';
import { becomesLatest } from './latest.ts';
import { verdictText } from './verdict.ts';

/** The machine; `dejavm inject` knows it by this name. */
const SETUP = 'demo';
/** Names of the traces in the trace folder; each demo replaces them. */
const GOLDEN = 'demo-golden';
const FAULTED = 'demo-faulted';
const DIGEST_EVERY = 1_000_000;
const CHECKPOINT_EVERY = 5_000_000;
/** Single reverse-steps that the demo takes and takes back. */
const REVERSE_STEPS = 100;

/** A claim of the demo did not hold. */
class DemoFailure extends Error {}

export async function demoCommand({ io }: CommandContext): Promise<ExitCode> {
  const say = narrator(io);
  try {
    await perform(io, say);
    return EXIT.ok;
  } catch (error) {
    if (!(error instanceof DemoFailure)) throw error;
    io.err(`dejavm: ${error.message}\n`);
    return EXIT.difference;
  }
}

interface Narrator {
  step(title: string): void;
  line(text: string): void;
}

function narrator(io: Io): Narrator {
  let n = 0;
  return {
    step(title) {
      n++;
      io.out('\n');
      io.out(`${n}. ${title}`, 'bold');
      io.out('\n');
    },
    line(text) {
      io.out(`   ${text.replaceAll('\n', '\n   ')}\n`);
    },
  };
}

async function perform(io: Io, say: Narrator): Promise<void> {
  const config = findSetup(SETUP).config(0);
  io.out(`Déjà VM: the type-1 hypervisor Lazarus with two VMs on ${counted(config.harts, 'RV64GC+H hart')}.\n`);
  const { golden, aim } = await goldenRun(config, io, say);
  const faulted = await faultedRun(config, aim, io, say);
  becomesLatest(faulted.path, io);
  showEquivalence(faulted, golden, io, say);
  replayForwards(faulted, io, say);
  travelBackwards(faulted, say);
  bisectRuns(golden, faulted, io, say);
  whatNext(faulted, aim, io);
}

async function goldenRun(config: MachineConfig, io: Io, say: Narrator): Promise<{ golden: Trace; aim: Aim }> {
  say.step('Golden run: no fault');
  const watch = new HypercallWatch();
  const result = await recordRun(GOLDEN, config, [], io, (event) => watch.observe(event));
  if (result.stop.kind !== 'halted' || result.stop.status !== 'pass') {
    throw new DemoFailure(`the golden run did not pass; look at it with: ${shellLine(['dejavm', 'tui', result.path])}`);
  }
  const golden = openTrace(result.path);
  for (const line of printedLast(golden)) say.line(`| ${line}`);
  say.line(runSummary(result));
  return { golden, aim: takeAim(golden, watch.hypercalls, 'lock_acquire', 'store_add') };
}

async function faultedRun(config: MachineConfig, aim: Aim, io: Io, say: Narrator): Promise<Trace> {
  const { hypercall, k, symbol } = aim;
  say.step('The same run with a fault: the hypervisor dies in the middle of a hypercall');
  const fault: Fault = { model: 'failstop', hart: hypercall.hart };
  say.line(
    `${formatFault(fault)} (pc := 0) instead of hypervisor instruction ${k} after moment ${grouped(hypercall.start)}:`,
  );
  say.line(`${symbol}, serving vm${hypercall.vmid} and holding a lock in the hypervisor's heap`);
  const planned: PlannedInput[] = [
    { trigger: { kind: 'hypervisor', after: hypercall.start, k }, event: { kind: 'fault', fault } },
  ];
  const result = await recordRun(FAULTED, config, planned, io);
  const trace = openTrace(result.path);
  for (const line of recoverySteps(trace.notes)) say.line(line);
  for (const line of printedLast(trace)) say.line(`| ${line}`);
  say.line(runSummary(result));
  if (result.stop.kind !== 'halted' || result.stop.status !== 'pass') {
    throw new DemoFailure(`the VMs did not finish; look at it with: ${shellLine(['dejavm', 'tui', result.path])}`);
  }
  return trace;
}

function showEquivalence(faulted: Trace, golden: Trace, io: Io, say: Narrator): void {
  say.step('VM-state equivalence: is each VM the same before and after recovery?');
  const progress = progressLine(io);
  const verdict = vmEquivalence(faulted, golden, {
    onProgress: (moment) => progress.show(() => `comparing VM states: ${grouped(moment)} instructions`),
  });
  progress.clear();
  say.line(verdictText(verdict));
  if (!verdict.equivalent) throw new DemoFailure('the recovery changed the state of a VM');
}

function replayForwards(trace: Trace, io: Io, say: Narrator): void {
  say.step('Replay: the recorded run again, from its trace alone');
  const progress = progressLine(io);
  const replay = (fromCheckpoint: number) =>
    replayTrace(trace, {
      fromCheckpoint,
      onProgress: (moment) => progress.show(() => `replaying: ${grouped(moment)} instructions`),
    });
  const results = trace.checkpoints.map((_, n) => replay(n));
  progress.clear();
  const failed = results.findIndex(({ ok }) => !ok);
  if (failed >= 0) {
    const from = ['--from-checkpoint', String(failed)];
    throw new DemoFailure(`the replay diverged; see: ${shellLine(['dejavm', 'replay', trace.path, ...from])}`);
  }
  const compared = results.map(({ digestsCompared }) => digestsCompared);
  say.line(
    `from the beginning and from each of ${counted(trace.checkpoints.length, 'checkpoint')}: every digest agrees`,
  );
  say.line(`(${compared.join(' + ')} digests of the whole machine compared)`);
}

/** From the end back to the beginning, digest by digest; then single reverse-steps from the detection. */
function travelBackwards(trace: Trace, say: Narrator): void {
  say.step('And backwards');
  const travel = openTimeline(trace);
  const { machine } = travel;
  let compared = 0;
  for (let n = trace.digests.length - 1; n >= 0; n--) {
    const recorded = trace.digests.at(n)!;
    travel.seek(recorded.moment);
    // A digest taken later within its moment (after idle time or a trap) has no moment of its own to go to.
    if (machine.ticks !== recorded.ticks) continue;
    if (machine.digest() !== recorded.digest) throw reverseFailure(trace, recorded.moment);
    compared++;
  }
  say.line(`from the end to the beginning: ${counted(compared, 'digest')} agree`);
  const detection = trace.notes.find(({ code }) => code === NOTES.DETECTED_TRAP.code);
  if (!detection) throw new DemoFailure(`${trace.path} holds no detection`);
  travel.seek(detection.moment);
  const seen: bigint[] = [];
  for (let n = 0; n < REVERSE_STEPS; n++) {
    seen.push(machine.digest());
    travel.stepBackward();
  }
  while (seen.length > 0) {
    travel.stepForward();
    if (machine.digest() !== seen.pop()) throw reverseFailure(trace, machine.moment);
  }
  say.line(`${REVERSE_STEPS} reverse-steps from the detection, and forwards again: every state is the same`);
}

function reverseFailure(trace: Trace, moment: number): DemoFailure {
  const command = shellLine(['dejavm', 'replay', trace.path, '-g', String(moment)]);
  return new DemoFailure(`going backwards led to another state at moment ${grouped(moment)}; see: ${command}`);
}

function bisectRuns(golden: Trace, faulted: Trace, io: Io, say: Narrator): void {
  say.step('Bisect: where did the faulted run leave the golden one?');
  const progress = progressLine(io);
  const result = bisectTraces(golden, faulted, {
    onProgress: ({ moment, probes }) => progress.show(() => `probe ${probes + 1} at moment ${grouped(moment)}`),
  });
  progress.clear();
  say.line(bisectText(result));
  const injected = faulted.inputs.at(0)?.moment;
  if (result.moment !== injected) {
    throw new DemoFailure(`expected the injected instruction at moment ${injected}, bisect says ${result.moment}`);
  }
  say.line('\nwhich is the injected instruction.');
}

/** Commands that hold for these traces whatever is recorded after them; they are run by `printed-commands` tests. */
function whatNext(faulted: Trace, { hypercall }: Aim, io: Io): void {
  const struck = String(faulted.inputs.at(0)?.moment);
  const failstop = formatFault({ model: 'failstop', hart: hypercall.hart });
  // `inject` selects the mechanism in memory: the boot argument `enhance=` would move every moment after it.
  const withoutLocks = ['--setup', SETUP, '--enhance', '-locks', '--fault', failstop, '--at', struck];
  const commands = [
    ['look at it, step, step back, jump to the fault (f)', ['dejavm', 'tui', FAULTED]],
    ['where was the machine at some moment?', ['dejavm', 'replay', FAULTED, '-g', struck]],
    ['the same fault without the fix-up for locks', ['dejavm', 'inject', ...withoutLocks]],
    ['a hypervisor that hangs, caught by the watchdog', ['dejavm', 'record', '-append', 'plant=hang@60']],
    ['what differs between the two runs', ['dejavm', 'diff', GOLDEN, FAULTED]],
  ] as const;
  io.out('\n');
  io.out('Try next', 'bold');
  io.out('\n');
  for (const [why, argv] of commands) {
    io.out(`   # ${why}`, 'dim');
    io.out(`\n   npx ${shellLine(argv)}\n`);
  }
}

async function recordRun(
  name: string,
  config: MachineConfig,
  planned: readonly PlannedInput[],
  io: Io,
  onEvent?: Parameters<typeof record>[0]['onEvent'],
): Promise<RecordResult> {
  const progress = progressLine(io);
  const result = await record({
    path: namedTracePath(name),
    config,
    planned,
    maxMoment: 1_000_000_000,
    digestEvery: DIGEST_EVERY,
    checkpointEvery: CHECKPOINT_EVERY,
    commandLine: ['dejavm', 'demo'],
    ...(onEvent && { onEvent }),
    onProgress: (moment) => progress.show(() => `recording: ${grouped(moment)} instructions`),
  });
  progress.clear();
  return result;
}

function runSummary(result: RecordResult): string {
  const status = result.stop.kind === 'halted' ? result.stop.status : result.stop.kind;
  const length = `${counted(result.end.moment, 'instruction')}, ${virtualTime(result.end.ticks)} of virtual time`;
  return `${status}: ${length}; trace ${byteSize(result.bytes)}`;
}

/** The last lines that the machine wrote: each VM's sum and how it ended. */
const printedLast = ({ console }: Trace): string[] =>
  lastLines(console, console.length)
    .map(({ text }) => text)
    .slice(-3);

/** Detection, the steps of recovery, resumption: with the distance from the fault's detection. */
function recoverySteps(notes: Trace['notes']): string[] {
  const first = notes.findIndex(({ code }) => code >= NOTES.DETECTED_TRAP.code);
  const last = notes.findIndex(({ code }) => code === NOTES.RESUMED.code || code === NOTES.RECOVERY_FAILED.code);
  const steps = notes.slice(first, last + 1);
  const start = steps[0];
  if (first < 0 || !start) return ['(nothing was detected)'];
  return steps.map((note) => {
    const since = note === start ? '' : `  +${virtualTime(note.ticks - start.ticks)}`;
    return `  moment ${grouped(note.moment)}  ${noteText(note.code, note.arg)}${since}`;
  });
}
