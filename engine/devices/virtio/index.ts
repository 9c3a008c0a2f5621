/** Virtio over MMIO: the transport, and the devices that can be plugged into it. */
export { block } from './block.ts';
export { virtioConsole } from './console.ts';
export { entropy } from './entropy.ts';
export { net } from './net.ts';
export { emptySlot, virtioDevice } from './transport.ts';
