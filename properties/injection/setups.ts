/**
 * The set-ups that injections run in, one row each: machine, VMs and how they are judged, and what comes from outside.
 * To add one: a row here, its images in engine/images, and for networks a sender (sender.ts). Relies on the committed
 * images.
 */
import { readFileSync } from 'node:fs';
import { DEFAULT_QUANTUM, type Image, type MachineConfig, UserError } from '../../engine/index.ts';
import type { Setup, VmCriterion } from './types.ts';

const MIB = 1024 * 1024;
const MS = 1_000_000;

/** A committed image; found from the sources and from dist/ alike. */
const image = (name: string): Image => {
  const here = new URL(`../../engine/images/${name}`, import.meta.url);
  const fromDist = new URL(`../../../engine/images/${name}`, import.meta.url);
  const bytes = [here, fromDist].map(tryRead).find((found) => found !== undefined);
  if (bytes) return { name, bytes: new Uint8Array(bytes) };
  throw new UserError(`the image ${name} is missing: build it with 'npm run images'`);
};

function tryRead(url: URL): Buffer | undefined {
  try {
    return readFileSync(url);
  } catch {
    return undefined;
  }
}

/** An AppVM that is there from the start. */
const appVm = (name: string, change: Partial<VmCriterion> = {}): VmCriterion => ({
  name,
  role: 'appvm',
  criterion: 'output',
  createdLate: false,
  ...change,
});

/** A machine of the embedded images. A seed other than 0 draws turns and device latencies from it. */
const machine = (guests: string, append: string, seed: number, change: Partial<MachineConfig> = {}): MachineConfig => ({
  harts: 2,
  ramBytes: 128 * MIB,
  quantum: seed === 0 ? DEFAULT_QUANTUM : { ...DEFAULT_QUANTUM, policy: 'jittered', seed: BigInt(seed) },
  seed: BigInt(seed),
  bios: image('firmware.elf'),
  kernel: image('lazarus.elf'),
  initrd: image(guests),
  append,
  ...change,
});

const SETUPS: readonly Setup[] = [
  {
    name: 'compute',
    summary: 'two VMs that compute and make hypercalls, one on each of 2 harts; 4 ms',
    vms: [appVm('vm1'), appVm('vm2')],
    config: (seed) => machine('guest-compute.elf', 'steps=4', seed),
    inputs: () => [],
    graceTicks: 20 * MS,
  },
];

/** Names of all set-ups, in the table's order. */
export const setupNames = (): readonly string[] => SETUPS.map(({ name }) => name);

/** A set-up by name. @throws UserError naming those that exist */
export function findSetup(name: string): Setup {
  const found = SETUPS.find((setup) => setup.name === name);
  if (found) return found;
  throw new UserError(`there is no set-up '${name}': expected one of ${setupNames().join(', ')}`);
}
