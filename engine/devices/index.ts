export { aclint, MTIMECMP } from './aclint.ts';
export { type Board, type Device, type Disk, NEVER, type Port } from './device.ts';
export {
  anyFault,
  armFault,
  type FaultEntry,
  faultUnit,
  standingFaults,
  takeDue,
  takeFault,
} from './fault-unit.ts';
export { decodeHalt, finisher } from './finisher.ts';
export { destinationOf, ipv4, isMulticast, isSame, readFrame, readUdp, station, udp } from './net/index.ts';
export { isHigh, isPending, loseRequest, PLIC_SOURCES, plic } from './plic.ts';
export { nextRandom, RANDOM_WORDS, seedRandom } from './random.ts';
export { rtc } from './rtc.ts';
export { UART_BACKLOG_BYTES, uart } from './uart.ts';
export * from './virtio/index.ts';
