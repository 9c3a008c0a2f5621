/**
 * The files that go into a machine: those named on the command line, or the ones that come with the package.
 * Relies on the package's engine/subject/images; what is inside a file is the loader's business.
 */
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import type { Image, MachineConfig } from '../../../engine/index.ts';
import { packageFile, readInputFile } from '../../base/index.ts';
import type { FlagValues } from '../flags.ts';

/** Firmware, Lazarus and its guest, as built from engine/. */
export const BUILT_IN = {
  bios: 'engine/subject/images/firmware.elf',
  kernel: 'engine/subject/images/lazarus.elf',
  initrd: 'engine/subject/images/guest-compute.elf',
} as const;

type Images = Pick<MachineConfig, 'bios' | 'kernel' | 'initrd' | 'dtb'>;

/** `-bios none`: no firmware. `-bios default`: ours, as where -bios is missing, but said. */
const NO_BIOS = 'none';
const DEFAULT_BIOS = 'default';
export const FIRMWARE_WORDS = [NO_BIOS, DEFAULT_BIOS] as const;

/**
 * With no image flag: firmware, Lazarus and guest. With -initrd alone: firmware and Lazarus, with those guests. With
 * others: those, and our firmware where -bios is missing.
 * @throws UsageError when a file cannot be read
 */
export function loadImages(flags: FlagValues<'bios' | 'kernel' | 'initrd' | 'dtb'>): Images {
  const { bios, kernel, initrd, dtb } = flags;
  const tree = dtb === undefined ? {} : { dtb: readImage('-dtb', dtb) };
  if (bios === undefined && kernel === undefined && initrd === undefined) return { ...builtInImages(), ...tree };
  const forLazarus = bios === undefined && kernel === undefined && initrd !== undefined;
  return {
    ...(forLazarus && { kernel: builtIn('kernel') }),
    ...(bios !== NO_BIOS && {
      bios: bios === undefined || bios === DEFAULT_BIOS ? builtIn('bios') : readImage('-bios', bios),
    }),
    ...(kernel !== undefined && { kernel: readImage('-kernel', kernel) }),
    ...(initrd !== undefined && { initrd: readImage('-initrd', initrd) }),
    ...tree,
  };
}

/** The images that come with the package. */
export function builtInImages(): Required<Omit<Images, 'dtb'>> {
  return { bios: builtIn('bios'), kernel: builtIn('kernel'), initrd: builtIn('initrd') };
}

function builtIn(role: keyof typeof BUILT_IN): Image {
  return { name: basename(BUILT_IN[role]), bytes: readFileSync(packageFile(BUILT_IN[role])) };
}

/** A file that a flag names. @throws UsageError when it cannot be read, or would never end */
export function readImage(flag: string, path: string): Image {
  return { name: basename(path), bytes: readInputFile(`${flag} ${path}`, path) };
}
