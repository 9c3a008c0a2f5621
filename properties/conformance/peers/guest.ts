/**
 * Lazarus with an unmodified guest, and failstops all over its hypervisor instructions: what the guest prints must not
 * change by a byte. What Lazarus and the firmware print comes in between, whole, and is taken out before the
 * comparison.
 */
import { readFileSync } from 'node:fs';
import {
  createMachine,
  type Image,
  type Machine,
  type MachineConfig,
  makeBundle,
  noteName,
} from '../../../engine/index.ts';
import { consoleOfGuest } from '../../campaigns/index.ts';
import type { Peers } from './debian.ts';
import { initramfs } from './initramfs.ts';

/** One of our own images. */
export const image = (name: string): Image => ({
  name,
  bytes: readFileSync(new URL(`../../../engine/subject/images/${name}`, import.meta.url)),
});

const hosted = (harts: number, mib: number, initrd: Image, append: string): MachineConfig => ({
  harts,
  ramBytes: mib << 20,
  quantum: { policy: 'fixed', ticks: 1000, seed: 0n },
  bios: image('firmware.elf'),
  kernel: image('lazarus.elf'),
  initrd,
  append,
});

/** U-Boot as the whole initrd. */
export const hostedUBoot = (peers: Peers, harts: number, append = ''): MachineConfig =>
  hosted(harts, 64, peers.uBootS, `guest=raw ${append}`.trim());

/**
 * Debian's kernel and a ramdisk with busybox, in a bundle. A recovery takes time: without the last three options, times
 * and the order of what threads say would differ.
 */
export function hostedLinux(peers: Peers, harts: number, append = ''): MachineConfig {
  const bytes = makeBundle([
    { name: 'kernel', bytes: peers.linux.bytes },
    { name: 'initrd', bytes: initramfs(peers.busybox).bytes },
  ]);
  const line =
    `console=ttyS0 panic=-1 cryptomgr.notests guestmem=224 cma=0 printk.time=0 audit=0 initramfs_async=0 ${append}`.trim();
  return hosted(harts, 512, { name: 'linux.bundle', bytes }, line);
}

/** A machine whose console and recoveries are watched. */
export class Watched {
  readonly machine: Machine;
  console = '';
  resumed = 0;

  constructor(config: MachineConfig) {
    this.machine = createMachine(config);
    this.machine.observed = { ...this.machine.observed, transitions: 'vm' };
    this.machine.onEvent = (event) => {
      if (event.kind === 'console') this.console += String.fromCharCode(event.byte);
      if (event.kind === 'note' && noteName(event.code) === 'RESUMED') this.resumed++;
    };
  }

  /** Runs until the console shows `text` behind what it shows now. False when that does not happen in time. */
  until(text: string, moments: number): boolean {
    const from = this.console.length;
    return this.#while(() => !this.console.includes(text, from), moments);
  }

  /** Runs until the guest has printed so much in all. */
  untilPrinted(bytes: number, moments: number): boolean {
    return this.#while(() => consoleOfGuest(this.console).length < bytes, moments);
  }

  #while(waits: () => boolean, moments: number): boolean {
    const { machine } = this;
    const end = machine.moment + moments;
    while (waits() && machine.moment < end) {
      if (machine.run({ moment: Math.min(machine.moment + 20_000, end) }).kind !== 'moment') return !waits();
    }
    return !waits();
  }

  /**
   * From here on, `tries` times: `stride` hypervisor instructions further on, a failstop. Each time the guest goes on
   * until it has printed `more` bytes. Returns where its output was not `golden`'s, or where no recovery came.
   */
  sweep({ golden, stride, tries, more }: SweepOptions): string[] {
    const { machine } = this;
    const failures: string[] = [];
    for (let n = 0; n < tries; n++) {
      do machine.run({ count: { of: 'hypervisor', instructions: n === 0 ? 1 : stride } });
      while (machine.hart(machine.next().hart).mode !== 'HS');
      const { hart, pc } = machine.next();
      const before = { snapshot: machine.snapshot(), console: this.console };
      const resumed = this.resumed;
      machine.apply({ kind: 'fault', fault: { model: 'failstop', hart } });
      const wanted = Math.min(consoleOfGuest(this.console).length + more, golden.length);
      const printed = this.untilPrinted(wanted, 20_000_000);
      const output = consoleOfGuest(this.console);
      const same = golden.startsWith(output);
      if (!printed || !same || this.resumed !== resumed + 1) {
        const what = `printed: ${printed}, same: ${same}, recoveries: ${this.resumed - resumed}`;
        failures.push(
          `moment ${before.snapshot.moment} hart ${hart} pc ${pc.toString(16)}: ${what}: ${JSON.stringify(output.slice(-40))}`,
        );
      }
      machine.restore(before.snapshot);
      this.console = before.console;
    }
    return failures;
  }
}

export interface SweepOptions {
  readonly golden: string;
  readonly stride: number;
  readonly tries: number;
  readonly more: number;
}
