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

/** Processes, pipes, files in memory, compression, checksums; all that it finds out is printed. Then it powers off. */
const WORK = `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox --install -s /bin
export PATH=/bin
n=0
while [ $n -lt 6 ]; do
  dd if=/bin/busybox bs=4096 skip=$((n * 16)) count=32 2>/dev/null | gzip -c > /tmp/$n.gz
  gunzip -c /tmp/$n.gz | md5sum
  echo round $n: $(grep -c . /proc/mounts) mounts, $(sha256sum < /tmp/$n.gz)
  n=$((n + 1))
done
cat /tmp/*.gz | sha256sum
poweroff -f
`;

/** The ramdisk whose script ends in a shell, with `modules` in /lib/modules. */
export const initramfs = (busybox: Image, modules: ReadonlyMap<string, Image> = new Map()): Image =>
  ramdisk(busybox, INIT, modules);

/** The ramdisk that works and powers off: of campaigns on Linux. */
export const workingRamdisk = (busybox: Image): Image => ramdisk(busybox, WORK, new Map());

function ramdisk(busybox: Image, init: string, modules: ReadonlyMap<string, Image>): Image {
  const folders = ['bin', 'dev', 'proc', 'sys', 'root', 'tmp', 'lib', 'lib/modules'];
  const entries: CpioEntry[] = [
    ...folders.map((path): CpioEntry => ({ path, kind: 'directory' })),
    // The kernel opens them before anything is mounted.
    { path: 'dev/console', kind: 'device', major: 5, minor: 1 },
    { path: 'dev/null', kind: 'device', major: 1, minor: 3 },
    { path: 'bin/busybox', kind: 'file', bytes: busybox.bytes, executable: true },
    { path: 'init', kind: 'file', bytes: Buffer.from(init), executable: true },
    ...[...modules].map(
      ([name, { bytes }]): CpioEntry => ({ path: `lib/modules/${name}.ko.xz`, kind: 'file', bytes, executable: false }),
    ),
  ];
  return { name: 'initramfs.cpio', bytes: writeCpio(entries) };
}
