/**
 * The initial ramdisk that Linux boots into: Debian's static busybox, its init script and kernel modules; nothing is
 * compressed, so that the kernel has little to do. The script ends in a shell on the console.
 */
import type { Image } from '../../../engine/index.ts';
import { type CpioEntry, writeCpio } from './cpio.ts';

/** What the shell prints when it is ready for a command. */
export const PROMPT = 'dejavm# ';

/** Run by the kernel as process 1. `setsid cttyhack` gives the shell a controlling terminal. */
const INIT = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox --install -s /bin
export PATH=/bin PS1='${PROMPT}' HOME=/root
exec setsid cttyhack sh
`;

/** The ramdisk, with `modules` in /lib/modules. */
export function initramfs(busybox: Image, modules: ReadonlyMap<string, Image> = new Map()): Image {
  const folders = ['bin', 'dev', 'proc', 'sys', 'root', 'tmp', 'lib', 'lib/modules'];
  const entries: CpioEntry[] = [
    ...folders.map((path): CpioEntry => ({ path, kind: 'directory' })),
    // The kernel opens it before anything is mounted.
    { path: 'dev/console', kind: 'device', major: 5, minor: 1 },
    { path: 'bin/busybox', kind: 'file', bytes: busybox.bytes, executable: true },
    { path: 'init', kind: 'file', bytes: Buffer.from(INIT), executable: true },
    ...[...modules].map(
      ([name, { bytes }]): CpioEntry => ({ path: `lib/modules/${name}.ko.xz`, kind: 'file', bytes, executable: false }),
    ),
  ];
  return { name: 'initramfs.cpio', bytes: writeCpio(entries) };
}
