/**
 * The golden run of a set-up under a mechanism: the run without a fault, with a snapshot and its digest every so many
 * ticks, from which injections start and with which they are compared. A set-up is booted once for all mechanisms; one
 * machine serves them all.
 * Relies on the note HYPERVISOR_UP, and on mechanism.ts for selecting a mechanism in a booted machine.
 */
import {
  createMachine,
  haltText,
  listVms,
  type Machine,
  type MachineConfig,
  type MachineSymbols,
  NOTES,
  type PrivilegedModes,
  readMachineSymbols,
  type Snapshot,
  type StopReason,
  UserError,
} from '../../../engine/index.ts';
import {
  createWorkloadPlayer,
  type Position,
  type TimedInput,
  Timeline,
  type WorkloadPlayer,
} from '../../../replay/index.ts';
import { selectMechanism } from './mechanism.ts';
import { type LogMark, RunLog } from './observe.ts';
import type { Mechanism, Setup } from './types.ts';

/** A set-up right after the note that its hypervisor is up, before any mechanism is selected. */
export interface Booted {
  readonly setup: Setup;
  readonly seed: number;
  readonly config: MachineConfig;
  readonly machine: Machine;
  /** Of the workload's inputs, on that machine. */
  readonly player: WorkloadPlayer;
  readonly symbols: MachineSymbols;
  readonly inputs: readonly TimedInput[];
  readonly log: RunLog;
  /** At reset: what the loader put into memory. */
  readonly reset: Snapshot;
  readonly up: Snapshot;
}

/** A VM as the hypervisor's own list had it before any fault. */
export interface KnownVm {
  readonly vmid: number;
  readonly name: string;
  readonly hgatp: bigint;
  /** Addresses of its vCPUs; empty: the hypervisor publishes none. */
  readonly vcpus: readonly bigint[];
}

/** A place of the golden run that injections can start from. */
export interface GoldenPoint extends Position {
  readonly snapshot: Snapshot;
  /** Inputs of the workload applied before. */
  readonly applied: number;
  /** Instructions retired in HS-mode, and in M-mode, since the hypervisor is up. */
  readonly hypervisor: number;
  readonly machine: number;
  readonly log: LogMark;
  readonly vms: readonly KnownVm[];
}

export interface GoldenRun {
  readonly booted: Booted;
  readonly setup: Setup;
  readonly mechanism: Mechanism;
  readonly seed: number;
  /** What is written at `up` to select the mechanism. */
  readonly selection: readonly TimedInput[];
  readonly up: Position;
  /** In order; the first is `up`, the mechanism selected; the last is the end. */
  readonly points: readonly GoldenPoint[];
  /** Any position from `up` on, on the set-up's machine. */
  readonly timeline: Timeline;
  readonly log: RunLog;
  readonly end: Position & { readonly digest: bigint };
  readonly stop: StopReason;
  /** From `up` to the end: instructions in HS-mode, in M-mode, all; exits of VMs. */
  readonly hypervisorInstructions: number;
  readonly machineInstructions: number;
  readonly totalInstructions: number;
  readonly vmExits: number;
}

/** Ticks between snapshots of a set-up of the usual length, unless said otherwise. */
const POINT_TICKS = 200_000;
/** The hypervisor is up long before. */
const MAX_BOOT_TICKS = 2_000_000_000;
/** A golden run that has not ended by then will not. */
const MAX_RUN_TICKS = 60_000_000_000;
const BOOT_STEP_TICKS = 100_000;

/** Boots a set-up. @throws UserError when its hypervisor does not come up */
export function bootSetup(setup: Setup, seed = 0): Booted {
  const config = setup.config(seed);
  const machine = createMachine(config);
  machine.observed = { ...machine.observed, transitions: 'vm' };
  const log = new RunLog();
  const reset = machine.snapshot();
  const inputs = setup.inputs(seed);
  const player = createWorkloadPlayer(machine, inputs);
  let step = reset;
  for (let at = log.mark(); ; at = log.mark()) {
    machine.onEvent = (event) => log.add(event);
    const stop = player.advance({ ticks: machine.ticks + BOOT_STEP_TICKS }, 'pending');
    machine.onEvent = undefined;
    const note = log.note('HYPERVISOR_UP');
    if (note) {
      const back = new RunLog(log, at);
      player.restore(step);
      machine.onEvent = (event) => back.add(event);
      player.advance({ ticks: note.ticks }, 'pending');
      machine.onEvent = undefined;
      const symbols = readMachineSymbols(config);
      return { setup, seed, config, machine, player, symbols, inputs, log: back, reset, up: machine.snapshot() };
    }
    if (stop.kind === 'halted' || stop.kind === 'idle' || machine.ticks > MAX_BOOT_TICKS) {
      const last = log.text().trimEnd().split('\n').at(-1) ?? '';
      throw new UserError(
        `set-up ${setup.name}: its hypervisor did not come up (no note ${NOTES.HYPERVISOR_UP.text}); last line: '${last}'`,
      );
    }
    step = machine.snapshot();
  }
}

/** Runs a booted set-up without a fault. @throws UserError when it does not end well */
export function goldenRun(
  booted: Booted,
  mechanism: Mechanism,
  options: { readonly pointTicks?: number; readonly onProgress?: (ticks: number) => void } = {},
): GoldenRun {
  const { machine, player, setup, seed, symbols } = booted;
  const { pointTicks = POINT_TICKS * (setup.scale ?? 1), onProgress } = options;
  const selection = selectMechanism(symbols, mechanism).map((event) => ({ ticks: booted.up.ticks, event }));
  machine.onEvent = undefined;
  player.restore(booted.up);
  for (const { event } of selection) machine.apply(event);
  const log = new RunLog(booted.log);
  const from = {
    hypervisor: machine.retired('hypervisor'),
    machine: machine.retired('machine'),
    crossings: log.crossings.length,
  };
  const points: GoldenPoint[] = [];
  const keep = () => {
    const snapshot = machine.snapshot();
    const { moment, ticks } = snapshot;
    const hypervisor = machine.retired('hypervisor') - from.hypervisor;
    const inMachineMode = machine.retired('machine') - from.machine;
    const vms = listVms(machine, symbols.hypervisor).vms.map(({ vmid, name, hgatp, vcpus }) => ({
      vmid,
      name,
      hgatp,
      vcpus: vcpus.map(({ address }) => BigInt(address)),
    }));
    points.push({
      moment,
      ticks,
      snapshot,
      applied: player.applied,
      hypervisor,
      machine: inMachineMode,
      log: log.mark(),
      vms,
    });
  };
  keep();
  machine.onEvent = (event) => log.add(event);
  let stop: StopReason;
  do {
    stop = player.advance({ ticks: machine.ticks + pointTicks }, 'pending');
    keep();
    onProgress?.(machine.ticks);
  } while (stop.kind === 'ticks' && machine.ticks < (setup.maxTicks ?? MAX_RUN_TICKS));
  machine.onEvent = undefined;
  const detections = log.detections().length;
  if (detections > 0) {
    throw new UserError(`set-up ${setup.name}: the run without a fault was taken for faulty ${detections} times`);
  }
  if (stop.kind !== 'halted' || stop.status !== 'pass') {
    const unended = `no end within ${machine.ticks / 1e9} s of virtual time`;
    const how = stop.kind === 'halted' ? haltText(stop) : stop.kind === 'ticks' ? unended : stop.kind;
    const last = log.text().trimEnd().split('\n').slice(-3).join('\n  ');
    throw new UserError(
      `set-up ${setup.name}: the run without a fault ends with '${how}', expected 'pass'; it said\n  ${last}`,
    );
  }
  const end = points.at(-1)!;
  return {
    booted,
    setup,
    mechanism,
    seed,
    selection,
    up: { moment: booted.up.moment, ticks: booted.up.ticks },
    points,
    timeline: timelineOf(player, points),
    log,
    end: { moment: end.moment, ticks: end.ticks, digest: end.snapshot.digest },
    stop,
    hypervisorInstructions: end.hypervisor,
    machineInstructions: end.machine,
    totalInstructions: end.moment - booted.up.moment,
    vmExits: log.crossings.slice(from.crossings).filter(({ kind }) => kind === 'exit').length,
  };
}

/**
 * The same run with other inputs from some virtual time on, and judged under another mechanism: for injections of more
 * than one fault. Points before that time stay true; those behind it are of the run as it was.
 */
export function withInputs(golden: GoldenRun, mechanism: Mechanism, inputs: readonly TimedInput[]): GoldenRun {
  const player = createWorkloadPlayer(golden.booted.machine, inputs);
  const booted = { ...golden.booted, inputs, player };
  return { ...golden, mechanism, booted, timeline: timelineOf(player, golden.points) };
}

function timelineOf(player: WorkloadPlayer, points: readonly GoldenPoint[]): Timeline {
  const starts = points.map(({ moment, ticks, applied, snapshot }, n) => ({
    moment,
    ticks,
    applied,
    isFirst: n === 0,
    snapshot: () => snapshot,
  }));
  const unreachable = (where: string) => new Error(`the golden run does not come to ${where} once more`);
  return new Timeline(player, { starts, first: starts[0]!, leavesSnapshots: false, unreachable });
}

/** Instructions that have retired in some privileged modes between `up` and a point. */
export function retiredBy(
  { hypervisor, machine }: Pick<GoldenPoint, 'hypervisor' | 'machine'>,
  of: PrivilegedModes,
): number {
  return (of === 'machine' ? 0 : hypervisor) + (of === 'hypervisor' ? 0 : machine);
}

/** The last point at or before a virtual time. */
export function pointBefore(golden: GoldenRun, ticks: number): GoldenPoint {
  return golden.points.findLast((point) => point.ticks <= ticks) ?? golden.points[0]!;
}
