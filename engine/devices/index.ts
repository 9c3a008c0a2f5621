export { aclint } from './aclint.ts';
export type { Board, Device, Port } from './device.ts';
export { decodeHalt, finisher } from './finisher.ts';
export { PLIC_SOURCES, plic } from './plic.ts';
export { UART_BACKLOG_BYTES, uart } from './uart.ts';
