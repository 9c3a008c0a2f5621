/**
 * What properties over scenarios share: the embedded images, bounds for a whole short run on them, recording into a
 * folder of the test file's own, and the comparison of two runs. Used by tests only.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll } from 'vitest';
import type { MachineEvent } from '../engine/index.ts';
import { type PlannedInput, type RecordResult, record } from '../replay/index.ts';
import { createTraceWriter, openTrace, type Trace } from '../traces/index.ts';
import type { ScenarioBounds } from './arbitraries.ts';
import { ioGuest } from './conformance/io-guest/index.ts';
import {
  type Scenario,
  type ScenarioImages,
  type ScenarioSoftware,
  scenarioConfig,
  scenarioInputs,
} from './scenario.ts';

const folder = fileURLToPath(new URL('../engine/subject/images/', import.meta.url));
const image = (name: string) => ({ name, bytes: new Uint8Array(readFileSync(folder + name)) });

/** Firmware, Lazarus and its guest. */
export const IMAGES: Required<ScenarioImages> = {
  bios: image('firmware.elf'),
  kernel: image('lazarus.elf'),
  initrd: image('guest-compute.elf'),
};

const pagesFrom = (first: number, count: number) => Array.from({ length: count }, (_, n) => first + n * 0x1000);
/** Pages where much happens: of the firmware; the hypervisor's code, its statics, and what lies behind them. */
export const PAGES: readonly number[] = [...pagesFrom(0x8000_0000, 3), ...pagesFrom(0x8020_0000, 24)];

/**
 * Guests of one round: the run takes 1.5 million instructions, hypervisor and VMs up in the last third. With room for a
 * recovery behind that; a machine that a fault has wrecked is cut off there.
 */
export const ONE_ROUND: ScenarioBounds = { append: 'steps=1', horizon: 1_500_000, maxMoment: 3_000_000 };

/** The guest that keeps virtio devices busy, and the command that writes it to a file. */
export const IO_IMAGES: ScenarioImages = { bios: ioGuest() };
export const IO_SOFTWARE: ScenarioSoftware = {
  before: 'node properties/conformance/io-guest/main.ts io-guest.bin',
  flags: '-bios io-guest.bin',
};
/** Its code, and the first pages of its queues and buffers. */
export const IO_PAGES: readonly number[] = [0x8000_0000, ...pagesFrom(0x8020_0000, 8)];
/** All its rounds: about half a million ticks, for the most part spent waiting for devices. */
export const IO_ROUNDS: ScenarioBounds = {
  append: '',
  horizon: 300_000,
  maxMoment: 1_500_000,
  maxTyped: 4,
  devices: { min: 1, max: 8 },
};

export interface RecorderOptions {
  readonly images?: ScenarioImages;
  readonly digestEvery?: number;
  readonly checkpointEvery?: number;
}

export interface ScenarioRecorder {
  /** Where the trace is written. */
  path(): string;
  /** Records a scenario's run. `extra`: inputs that are not the scenario's. */
  record(
    scenario: Scenario,
    extra?: readonly PlannedInput[],
    onEvent?: (event: MachineEvent) => void,
  ): Promise<{ result: RecordResult; trace: Trace }>;
}

/** Records traces of a test file, each over the one before. */
export function scenarioRecorder(options: RecorderOptions = {}): ScenarioRecorder {
  const { images = IMAGES, digestEvery = 100_000, checkpointEvery = 400_000 } = options;
  const own = mkdtempSync(join(tmpdir(), 'dejavm-properties-'));
  afterAll(() => rmSync(own, { recursive: true }));
  const path = () => join(own, 'scenario.djvm');
  return {
    path,
    async record(scenario, extra = [], onEvent = undefined) {
      const result = await record({
        path: path(),
        config: scenarioConfig(scenario, images),
        planned: [...scenarioInputs(scenario), ...extra],
        maxMoment: scenario.maxMoment,
        digestEvery,
        checkpointEvery,
        commandLine: ['dejavm', 'record'],
        ...(onEvent && { onEvent }),
      });
      return { result, trace: openTrace(result.path) };
    },
  };
}

/** Writes a trace again, record by record, to another file; `keepsInput` says which inputs go along. */
export function copyTrace(trace: Trace, path: string, keepsInput: (n: number) => boolean = () => true): Trace {
  const images = trace.header.images.map(({ role }) => ({ role, ...trace.image(role)! }));
  const writer = createTraceWriter(path, trace.header, images);
  trace.inputs.forEach((input, n) => {
    if (keepsInput(n)) writer.input(input);
  });
  for (const byte of trace.console) writer.console(byte);
  for (const note of trace.notes) writer.note(note);
  for (const digest of trace.digests) writer.digest(digest);
  let before: ReadonlyMap<number, { readonly hash: bigint }> = new Map();
  for (const n of trace.checkpoints.keys()) {
    const { pages, ...rest } = trace.checkpoint(n);
    const changed = [...pages]
      .filter(([index, page]) => before.get(index)?.hash !== page.hash)
      .map(([index, page]) => ({ index, ...page }));
    writer.checkpoint({ ...rest, changed, cleared: [...before.keys()].filter((index) => !pages.has(index)) });
    before = pages;
  }
  if (trace.end) writer.finish(trace.end);
  else writer.abandon();
  return openTrace(path);
}

/** One line for an event, for comparing what two runs showed. */
export const eventText = (event: MachineEvent): string =>
  JSON.stringify(event, (key, value) => {
    // Counted since the machine was made: the same run gives another on a machine that has run before.
    if (key === 'work') return undefined;
    if (key === 'registers') return Array.from({ length: 8 }, (_, n) => `0x${value.at(n).toString(16)}`);
    return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
  });
