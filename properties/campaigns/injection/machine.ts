/** What all set-ups have in common: our firmware and hypervisor, and a schedule that a seed draws. */
import { committedFile, DEFAULT_QUANTUM, type Image, type MachineConfig, UserError } from '../../../engine/index.ts';

export const MIB = 1024 * 1024;
export const MS = 1_000_000;

/** A committed image by name. @throws UserError when it is missing */
export function ownImage(name: string): Image {
  const bytes = committedFile(name);
  if (bytes) return { name, bytes };
  throw new UserError(`the image ${name} is missing: build it with 'npm run images'`);
}

/** A machine of these guests. A seed other than 0 draws turns and device latencies from it. */
export const machineOf = (
  guests: Image,
  append: string,
  seed: number,
  change: Partial<MachineConfig> = {},
): MachineConfig => ({
  harts: 2,
  ramBytes: 128 * MIB,
  quantum: seed === 0 ? DEFAULT_QUANTUM : { ...DEFAULT_QUANTUM, policy: 'jittered', seed: BigInt(seed) },
  seed: BigInt(seed),
  bios: ownImage('firmware.elf'),
  kernel: ownImage('lazarus.elf'),
  initrd: guests,
  append,
  ...change,
});
