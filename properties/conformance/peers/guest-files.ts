/**
 * What the plan `guests` runs: u-boot.bin, Image, and initramfs.cpio, whose script works and powers off. From Debian's
 * packages (debian.ts).
 * Run: node properties/conformance/peers/guest-files.ts [FOLDER]
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fetchPeers } from './debian.ts';
import { workingRamdisk } from './initramfs.ts';

/** Writes the files into a folder. @throws Error with apt's own words when they cannot be fetched */
export function writeGuestFiles(folder: string): void {
  const { uBootS, linux, busybox } = fetchPeers();
  writeFileSync(join(folder, 'u-boot.bin'), uBootS.bytes);
  writeFileSync(join(folder, 'Image'), linux.bytes);
  writeFileSync(join(folder, 'initramfs.cpio'), workingRamdisk(busybox).bytes);
}

if (import.meta.main) writeGuestFiles(process.argv[2] ?? '.');
