/**
 * The two machines of a comparison behind one function: run an image until it switches the machine off, give back a
 * range of its RAM. QEMU's RAM is a shared file, so that nothing has to be printed. A run that does not end in its
 * bounds gives what is there; the caller sees in the harness's state how far it came.
 */
import { spawnSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createMachine,
  invariant,
  type Machine,
  type MachineConfig,
  RAM_BASE,
  UserError,
  type VirtioConfig,
} from '../../../engine/index.ts';
import { RAM_BYTES } from './layout.ts';

export interface Run {
  /** Whether the image came to its end. */
  readonly ended: boolean;
  /** Bytes of RAM. */
  read(at: number, bytes: number): Uint8Array;
}

export interface Peer {
  readonly name: string;
  /** mtime units that a case may take: time is real on QEMU, instructions on ours. */
  readonly timeBudget: number;
  run(image: Uint8Array): Run;
}

/** Instructions that all cases of an image together may take, harness included. */
const MAX_MOMENTS = 200_000_000;
const QEMU_TIMEOUT_MS = 60_000;

/** Our machine with devices: 1000 mtime units are 100,000 instructions. */
export const oursWith = (virtio: readonly VirtioConfig[]): Peer => ({
  name: 'ours',
  timeBudget: 1000,
  run(image) {
    const machine = createMachine({ ...configOf(image), virtio });
    const stop = machine.run({ moment: MAX_MOMENTS });
    expectSameAgain(machine);
    return {
      ended: stop.kind === 'halted' && stop.status === 'pass',
      read: (at, bytes) => machine.readPhysical(at, bytes),
    };
  },
});

export const ours: Peer = oursWith([]);

/** Our machine at reset with an image. */
export const startOurs = (image: Uint8Array): Machine => createMachine(configOf(image));

const configOf = (image: Uint8Array): MachineConfig => ({
  harts: 1,
  ramBytes: RAM_BYTES,
  quantum: { policy: 'fixed', ticks: 100_000, seed: 0n },
  bios: { name: 'differential.elf', bytes: image },
  append: '',
});

/** Runs the image once more in two pieces, the second on another machine: it must end in the same state. */
function expectSameAgain(straight: Machine): void {
  const { config, ticks } = straight;
  const [first, second] = [createMachine(config), createMachine(config)];
  first.run({ ticks: Math.floor(ticks / 2) });
  second.restore(first.snapshot());
  second.run({ ticks });
  invariant(
    second.digest() === straight.digest(),
    `the cases ended in another state when they were run again, cut at tick ${Math.floor(ticks / 2)} of ${ticks}`,
  );
}

/** QEMU with the given CPU, e.g. `rv64,h=true`, and further arguments. Needs Debian's qemu-system-misc. */
export function qemu(cpu: string, more: readonly string[] = []): Peer {
  return {
    name: 'qemu',
    timeBudget: 300_000,
    run(image) {
      const folder = mkdtempSync(join(tmpdir(), 'dejavm-differential-'));
      try {
        return runQemu(cpu, image, folder, more);
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  };
}

/**
 * The command line. With two harts QEMU's atomics are atomics, not a load and a store; the harness parks the second.
 */
const qemuArguments = (cpu: string, image: string, ram: string): string[] => [
  ...['-M', 'virt,memory-backend=ram', '-cpu', cpu, '-m', `${RAM_BYTES >> 20}`, '-smp', '2'],
  ...['-object', `memory-backend-file,id=ram,size=${RAM_BYTES},mem-path=${ram},share=on`],
  ...['-bios', image, '-display', 'none', '-serial', 'none', '-monitor', 'none'],
];

function runQemu(cpu: string, image: Uint8Array, folder: string, more: readonly string[]): Run {
  const file = join(folder, 'image.elf');
  const ram = join(folder, 'ram');
  writeFileSync(file, image);
  const result = spawnSync('qemu-system-riscv64', [...qemuArguments(cpu, file, ram), ...more], {
    encoding: 'utf8',
    timeout: QEMU_TIMEOUT_MS,
  });
  const timedOut = result.error && 'code' in result.error && result.error.code === 'ETIMEDOUT';
  if (result.error && !timedOut) {
    throw new UserError(`qemu-system-riscv64 does not run (${result.error.message}): install qemu-system-misc`);
  }
  if (result.status !== 0 && !timedOut) throw new UserError(`qemu-system-riscv64 refused: ${result.stderr.trim()}`);
  const content = new Uint8Array(RAM_BYTES);
  const fd = openSync(ram, 'r');
  readSync(fd, content, 0, RAM_BYTES, 0);
  closeSync(fd);
  return { ended: !timedOut, read: (at, bytes) => content.slice(at - RAM_BASE, at - RAM_BASE + bytes) };
}
