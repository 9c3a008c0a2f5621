/** The machine that Debian's kernel boots on: firmware, the kernel, and a ramdisk with busybox. */
import type { Image, MachineConfig, VirtioConfig } from '../../../engine/index.ts';
import type { Peers } from './debian.ts';
import { initramfs } from './initramfs.ts';

/** The kernel's tests of its own cryptography would take longer than all the rest. */
export const LINUX_APPEND = 'console=ttyS0 panic=-1 cryptomgr.notests';

/** The machine, with virtio devices and the modules that drive them if wanted; below it OpenSBI or another firmware. */
export const linuxMachine = (
  peers: Peers,
  harts: number,
  virtio: readonly VirtioConfig[] = [],
  bios: Image = peers.fwDynamic,
): MachineConfig => ({
  harts,
  ramBytes: 512 << 20,
  quantum: { policy: 'fixed', ticks: 10_000, seed: 0n },
  bios,
  kernel: peers.linux,
  initrd: initramfs(peers.busybox, virtio.length > 0 ? peers.modules : undefined),
  append: LINUX_APPEND,
  ...(virtio.length > 0 && { virtio }),
});
