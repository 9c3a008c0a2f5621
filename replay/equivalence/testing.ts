/**
 * Recordings of the embedded images for whole-machine tests: firmware, Lazarus and two VMs, short runs.
 * Relies on the images being built. Recordings go into a temporary folder that `close` removes.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DEFAULT_QUANTUM,
  DEFAULT_RAM_BYTES,
  type InputEvent,
  type MachineConfig,
  NOTES,
  type NoteName,
} from '../../engine/index.ts';
import { openTrace, type Trace } from '../../traces/index.ts';
import type { NoteAt, PlannedInput, Trigger } from '../base/types.ts';
import { record } from '../record/record.ts';

/** Runs of Lazarus are over long before; a guest that hangs is not waited for. */
const MAX_MOMENT = 8_000_000;

export interface Studio {
  record(
    planned: readonly PlannedInput[],
    change?: { readonly harts?: number; readonly append?: string; readonly ramBytes?: number },
  ): Promise<Trace>;
  close(): void;
}

/** A place to record runs in. */
export function openStudio(): Studio {
  const folder = mkdtempSync(join(tmpdir(), 'dejavm-runs-'));
  let count = 0;
  return {
    async record(planned, { harts = 2, append = '', ramBytes = DEFAULT_RAM_BYTES } = {}) {
      const path = join(folder, `${count++}.djvm`);
      const config = lazarusConfig(harts, ramBytes, `steps=2 ${append}`.trim());
      const pace = { maxMoment: MAX_MOMENT, digestEvery: 100_000, checkpointEvery: 1_000_000 };
      await record({ path, config, planned, ...pace, commandLine: [] });
      return openTrace(path);
    },
    close: () => rmSync(folder, { recursive: true }),
  };
}

const image = (name: string) => ({
  name,
  bytes: readFileSync(new URL(`../../engine/subject/images/${name}`, import.meta.url)),
});

const lazarusConfig = (harts: number, ramBytes: number, append: string): MachineConfig => ({
  harts,
  ramBytes,
  quantum: DEFAULT_QUANTUM,
  bios: image('firmware.elf'),
  kernel: image('lazarus.elf'),
  initrd: image('guest-compute.elf'),
  append,
});

/** A failstop of the hart whose turn it is. */
export const failstop = (trigger: Trigger): PlannedInput => ({
  trigger,
  event: { kind: 'fault', fault: { model: 'failstop', hart: -1 } },
});

/** Bytes written from outside. */
export const poke = (moment: number, paddr: number, bytes: Uint8Array): PlannedInput => {
  const event: InputEvent = { kind: 'poke', paddr, bytes };
  return { trigger: { kind: 'moment', moment }, event };
};

/** The first note of this kind. @throws Error when the run has none */
export function noteOf(trace: Trace, name: NoteName): NoteAt {
  const found = trace.notes.find(({ code }) => code === NOTES[name].code);
  if (!found) throw new Error(`the run has no note ${name}`);
  return found;
}
