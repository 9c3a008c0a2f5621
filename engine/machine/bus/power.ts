/**
 * Switching the machine on, and starting it over when software asks the test finisher for a reset: harts, devices and
 * boot images are then as after power-on, disks and all other RAM as they were. Virtual time, moments and the drawing
 * of turns go on; mtime begins at 0 and the RTC shows the present, as on QEMU.
 * Relies on the loader for what lies where, and on being called between slices.
 */
import { type ArchExports, CONSTANTS } from '../../core/index.ts';
import { decodeHalt } from '../../devices/index.ts';
import { type BootImage, type BootRam, createBootMemory, loadBoot } from '../board/index.ts';
import { seedAt } from '../config.ts';
import { W } from '../state/index.ts';
import type { MachineConfig } from '../types.ts';
import type { Bus } from './bus.ts';

/** What of a machine is switched. */
export interface PowerParts extends Omit<BootRam, 'pageHashes' | 'arch'> {
  readonly memory: ArrayBufferLike;
  readonly arch: Pick<ArchExports, 'resetHarts' | 'updatePageHashes'>;
  readonly bus: Pick<Bus, 'reset'>;
  readonly config: MachineConfig;
}

export interface Power {
  /** Brings linear memory, all zeros but for what the core put there, to moment 0. */
  on(boot: BootImage): void;
  /**
   * What software wrote to the finisher with its request for a reset; undefined while there is none, or it is not done.
   */
  resetRequested(): { readonly arg: number } | undefined;
  /** Does it. Takes a tick, so that the states before and after have positions of their own. */
  reset(): void;
}

/** The power of one machine. */
export function createPower(parts: PowerParts): Power {
  const { arch, bus, config } = parts;
  const u32 = new Uint32Array(parts.memory);
  const view = new DataView(parts.memory);
  const pages = config.ramBytes / CONSTANTS.PAGE_BYTES;
  const pageHashes = new BigUint64Array(parts.memory, u32[W.pageHashHost]!, pages);
  const images = createBootMemory({ ...parts, pageHashes });
  const addOne = (word: number) => view.setBigUint64(4 * word, view.getBigUint64(4 * word, true) + 1n, true);
  const start = () => {
    arch.resetHarts(CONSTANTS.RESET_PC);
    bus.reset();
  };
  return {
    on({ rom, segments }) {
      u32[W.hartCount] = config.harts;
      u32[W.quantumTicks] = config.quantum.ticks;
      u32[W.quantumJitter] = config.quantum.policy === 'jittered' ? 1 : 0;
      view.setBigUint64(4 * W.scheduleRng, config.quantum.seed, true);
      start();
      new Uint8Array(parts.memory).set(rom, u32[W.romHost]!);
      images.fill(segments);
    },
    resetRequested() {
      const halt = config.reboots ? decodeHalt(u32[W.haltCode]!) : undefined;
      return halt?.status === 'reset' ? { arg: halt.code } : undefined;
    },
    reset() {
      addOne(W.ticks);
      addOne(W.workTicks);
      u32[W.haltCode] = 0;
      u32[W.trapRun] = 0;
      view.setBigUint64(4 * W.trapMoment, 0n, true);
      start();
      const seed = seedAt(config.seed ?? 0n, Number(view.getBigUint64(4 * W.ticks, true)));
      images.refill(loadBoot({ ...config, seed }).segments);
    },
  };
}
