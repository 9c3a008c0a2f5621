/**
 * The testbed of real campaigns: the set-ups on the emulated machine, the injector, the enhancements that the images
 * know. A worker keeps one booted set-up and its last golden run, a few hundred MiB of snapshots; rows of one set-up,
 * seed and mechanism come one after the other, so that almost all of them find theirs.
 */
import { createHash } from 'node:crypto';
import { CHECKS, FIXUPS, type Image, type MachineConfig, NEXT_HART, UserError } from '../../../engine/index.ts';
import {
  type Booted,
  bootSetup,
  findSetup,
  type GoldenRun,
  goldenRun,
  type Injection,
  type InjectionResult,
  type InjectionTrigger,
  isUnmodified,
  type Mechanism,
  PAPER_SCALE,
  retiredBy,
  runInjection,
  type Setup,
  setupNames,
} from '../injection/index.ts';
import {
  type Catalogue,
  type DrawnFault,
  type DrawnTime,
  type FaultDraw,
  type GoldenChoice,
  type GoldenWindow,
  type Injector,
  memoryTargets,
  OtherGoldenRun,
  type OverheadChoice,
  type RowContext,
  SHARE_SPAN,
  type Testbed,
  targetByte,
} from '../plan/index.ts';
import { FAULT_CLASSES, type OverheadRow } from '../types.ts';

/** The mechanism of the golden run that places the draws; without a fault, none of them does anything. */
const REFERENCE: Mechanism = { recovery: 'none', enhance: [] };
/** How often in a run the hypervisor's memory is mapped for memory faults: what is allocated changes. */
const MAPS_PER_RUN = 20;

const ANY_SETUP = FAULT_CLASSES.filter((name) => name !== 'device');

export const catalogue: Catalogue = {
  setups: setupNames(),
  isByPath: isUnmodified,
  paperScale: (setup) => setupNames().find((name) => name === `${setup}${PAPER_SCALE}`),
  faultClasses: (setup) => (faultySlots(configOf(setup)).length > 0 ? FAULT_CLASSES : ANY_SETUP),
  enhancements: (recovery) => (recovery === 'none' ? [] : FIXUPS),
  checks: CHECKS,
  images(setup) {
    const { bios, kernel, initrd, dtb, virtio = [] } = configOf(setup);
    const disks = virtio.flatMap((device) => (device.kind === 'block' ? [device.image] : []));
    const images = [bios, kernel, initrd, dtb, ...disks].filter((image) => image !== undefined);
    return Object.fromEntries(images.map((image) => [image.name, sha256(image)]));
  },
};

export const testbed: Testbed = { catalogue, place, open: async () => new SubjectInjector() };

/** Read once: every row of a class asks. */
const configs = new Map<string, MachineConfig>();
function configOf(setup: string): MachineConfig {
  const config = configs.get(setup) ?? findSetup(setup).config(0);
  configs.set(setup, config);
  return config;
}

const sha256 = ({ bytes }: Image): string => createHash('sha256').update(bytes).digest('hex');

/** Virtio slots whose device can fail a request or lose a frame. */
const faultySlots = ({ virtio = [] }: MachineConfig) =>
  virtio.filter(({ kind }) => kind === 'block' || kind === 'net').sort((a, b) => a.slot - b.slot);

function place({ when, fault, second }: FaultDraw, window: GoldenWindow): Injection {
  const drawn = placeTime(when, window);
  const memory = fault.kind === 'memory' ? { memory: fault.where } : {};
  if (!second) return { trigger: drawn, fault: placeFault(fault, drawn.ticks, window), ...memory };
  if (second.when.over === 'recovery') {
    const trigger = { kind: 'recovery', share: second.when.share } as const;
    // What is allocated when the first fault strikes is what recovery deals with.
    const then = { trigger, fault: placeFault(second.fault, drawn.ticks, window) };
    return { trigger: drawn, fault: placeFault(fault, drawn.ticks, window), ...memory, second: then };
  }
  const [trigger, later] = [drawn, placeTime(second.when, window)].sort((a, b) => a.ticks - b.ticks || a.k - b.k);
  const then = { trigger: later!, fault: placeFault(second.fault, later!.ticks, window) };
  return { trigger: trigger!, fault: placeFault(fault, trigger!.ticks, window), ...memory, second: then };
}

const placeTime = (when: DrawnTime, window: GoldenWindow): TwoLevel =>
  when.over === 'time' ? atTime(when, window) : atInstruction(when, window);

type TwoLevel = Extract<InjectionTrigger, { kind: 'two-level' }>;

function atTime({ runPpb, k }: Extract<DrawnTime, { over: 'time' }>, window: GoldenWindow): TwoLevel {
  const { beginTicks, endTicks } = window;
  const into = (BigInt(endTicks - beginTicks) * BigInt(runPpb)) / 1_000_000_000n;
  return { kind: 'two-level', ticks: beginTicks + Number(into), k };
}

/** Counted from the last known time before it. */
function atInstruction({ over: of, share }: Exclude<DrawnTime, { over: 'time' }>, window: GoldenWindow): TwoLevel {
  const counts = window.retired!;
  const all = retiredBy(counts.at(-1)!, of);
  if (all === 0) throw new UserError(`the golden run of ${window.setup} retires no ${of} instruction`);
  const before = Number((BigInt(all) * BigInt(share)) / BigInt(SHARE_SPAN));
  const known = counts.findLast((count) => retiredBy(count, of) <= before)!;
  return { kind: 'two-level', ticks: known.ticks, k: before - retiredBy(known, of) + 1, of };
}

function placeFault(fault: DrawnFault, ticks: number, window: GoldenWindow): Injection['fault'] {
  switch (fault.kind) {
    case 'failstop':
      return { model: 'failstop', hart: NEXT_HART };
    case 'register':
      return { model: 'register', hart: NEXT_HART, register: fault.register, bit: fault.bit };
    case 'code': {
      const { span, bit, repair } = fault;
      return { model: 'code', hart: NEXT_HART, span, bit, repair };
    }
    case 'csr':
      return { model: 'csr', hart: NEXT_HART, csr: fault.csr, bit: fault.bit };
    case 'memory': {
      const { targets } = window.memory!.findLast((map) => map.ticks <= ticks) ?? window.memory![0]!;
      return { model: 'memory', paddr: targetByte(targets, fault.where, fault.pick), bit: fault.bit };
    }
    case 'interrupt': {
      const { line, effect, delay, pick } = fault;
      const source = line === 'device' ? chosen(deviceSources(configOf(window.setup)), pick) : line;
      return { model: 'interrupt', hart: NEXT_HART, line: source, effect, ticks: delay };
    }
    case 'device': {
      const { kind, slot } = chosen(faultySlots(configOf(window.setup)), fault.pick);
      return { model: 'device', slot, effect: kind === 'block' ? 'io-error' : 'drop-frame' };
    }
  }
}

/** Interrupt sources of the board's devices: the UART's, and those of the virtio slots that are in use. */
const UART_SOURCE = 10;
const deviceSources = ({ virtio = [] }: MachineConfig): number[] =>
  virtio.length === 0 ? [UART_SOURCE] : virtio.map(({ slot }) => 1 + slot).sort((a, b) => a - b);

const chosen = <T>(items: readonly T[], pick: number): T => items[Math.floor((pick / 2 ** 32) * items.length)]!;

/** The log is a boot argument of Lazarus; it cannot be switched later. */
function withoutUndoLog(setup: Setup): Setup {
  return {
    ...setup,
    config(drawn) {
      const machine = setup.config(drawn);
      return { ...machine, append: `${machine.append} undo=off` };
    },
  };
}

class SubjectInjector implements Injector {
  private booted: Booted | undefined;
  /** Which set-up that is, and whether with the undo log. */
  private bootedAs: string | undefined;
  private golden: GoldenRun | undefined;

  window({ setup, seed, checks }: GoldenChoice): GoldenWindow {
    const { booted, up, end, points } = this.goldenOf(setup, seed, { ...REFERENCE, checks });
    const { machine, symbols } = booted;
    const memory = Array.from({ length: MAPS_PER_RUN }, (_, n) => {
      const ticks = up.ticks + Math.floor(((end.ticks - up.ticks) * n) / MAPS_PER_RUN);
      const point = points.findLast((candidate) => candidate.ticks <= ticks)!;
      machine.restore(point.snapshot);
      return { ticks: point.ticks, targets: memoryTargets(machine, symbols) };
    });
    const ends = { beginTicks: up.ticks, endTicks: end.ticks, endMoment: end.moment };
    const retired = points.map(({ ticks, hypervisor, machine }) => ({ ticks, hypervisor, machine }));
    return { setup, seed, checks, ...ends, endDigest: `0x${end.digest.toString(16)}`, retired, memory };
  }

  run({ mechanism, golden }: RowContext, injection: Injection): InjectionResult {
    const { setup, seed, endTicks, endMoment } = golden;
    const mine = this.goldenOf(setup, seed, mechanism);
    // The digests differ in the words that select the mechanism; time and instructions must not.
    const { ticks, moment } = mine.end;
    if (ticks !== endTicks || moment !== endMoment) {
      const expected = `expected ${endTicks}, ${endMoment}`;
      throw new OtherGoldenRun(`the golden run of ${setup} ends at tick ${ticks}, moment ${moment}; ${expected}`);
    }
    return runInjection(mine, injection);
  }

  overhead({ setup, seed, undoLog, checks }: OverheadChoice): OverheadRow {
    const run = this.goldenOf(setup, seed, { ...REFERENCE, checks }, undoLog);
    const { hypervisorInstructions, machineInstructions, totalInstructions, vmExits } = run;
    const counts = { hypervisorInstructions, machineInstructions, totalInstructions, vmExits };
    return { setup, seed, undoLog, ...(checks && { checks }), ...counts };
  }

  private goldenOf(name: string, seed: number, mechanism: Mechanism, undoLog = true): GoldenRun {
    const setup = `${name} ${undoLog}`;
    if (this.bootedAs !== setup || this.booted?.seed !== seed) {
      // Released first: two of them at once would double a worker's memory.
      this.booted = this.golden = undefined;
      const found = findSetup(name);
      this.booted = bootSetup(undoLog ? found : withoutUndoLog(found), seed);
      this.bootedAs = setup;
    }
    if (!this.golden || JSON.stringify(this.golden.mechanism) !== JSON.stringify(mechanism)) {
      this.golden = undefined;
      this.golden = goldenRun(this.booted, mechanism);
    }
    return this.golden;
  }
}
