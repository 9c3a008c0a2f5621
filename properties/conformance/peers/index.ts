/** Other people's firmware, kernels and hypervisors, from Debian's packages, on this machine. */
export { fetchPeers } from './debian.ts';
export { initramfs, workingRamdisk } from './initramfs.ts';
