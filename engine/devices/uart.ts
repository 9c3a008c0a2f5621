/**
 * UART 16550A at 0x1000_0000 (QEMU virt: ns16550a, byte registers side by side, interrupt 10).
 * Transmission takes no time: the transmitter is always empty. Received bytes wait in a backlog that stands for the
 * sender under flow control, and enter the 16-byte FIFO as software makes room; when the backlog is full, bytes are
 * lost and LSR.OE says so. The character timeout passes at once: data below the trigger level interrupts (IIR 0x0c).
 * Line errors, breaks and baud rates do not exist.
 */
import { offsetOf } from '../core/index.ts';
import type { Device, Port } from './device.ts';
import { placeRecord } from './record.ts';

const FIFO_BYTES = 16;
/** Bytes that a sender may be ahead of the software. */
export const UART_BACKLOG_BYTES = 4096;

const record = placeRecord('uart', [
  { name: 'fifoHead', type: 'u32', doc: 'index of the oldest byte in fifo' },
  { name: 'fifoCount', type: 'u32', doc: 'bytes in fifo' },
  { name: 'backlogHead', type: 'u32', doc: 'index of the oldest byte in backlog' },
  { name: 'backlogCount', type: 'u32', doc: 'bytes in backlog' },
  { name: 'ier', type: 'u8', doc: 'interrupt enable' },
  { name: 'fcr', type: 'u8', doc: 'FIFO control: enable and trigger level' },
  { name: 'lcr', type: 'u8', doc: 'line control' },
  { name: 'mcr', type: 'u8', doc: 'modem control' },
  { name: 'scr', type: 'u8', doc: 'scratch' },
  { name: 'dll', type: 'u8', doc: 'divisor latch, low' },
  { name: 'dlm', type: 'u8', doc: 'divisor latch, high' },
  { name: 'thrEmptied', type: 'u8', doc: '1 when the transmitter-empty interrupt is due' },
  { name: 'overrun', type: 'u8', doc: 'LSR.OE' },
  { name: 'fifo', type: 'u8', count: FIFO_BYTES, doc: 'received bytes, a ring' },
  { name: 'backlog', type: 'u8', count: UART_BACKLOG_BYTES, doc: 'bytes sent but not yet received, a ring' },
]);
const FIFO_HEAD = offsetOf(record, 'fifoHead');
const FIFO_COUNT = offsetOf(record, 'fifoCount');
const BACKLOG_HEAD = offsetOf(record, 'backlogHead');
const BACKLOG_COUNT = offsetOf(record, 'backlogCount');
const IER = offsetOf(record, 'ier');
const FCR = offsetOf(record, 'fcr');
const LCR = offsetOf(record, 'lcr');
const MCR = offsetOf(record, 'mcr');
const SCR = offsetOf(record, 'scr');
const DLL = offsetOf(record, 'dll');
const DLM = offsetOf(record, 'dlm');
const THR_EMPTIED = offsetOf(record, 'thrEmptied');
const OVERRUN = offsetOf(record, 'overrun');
const FIFO = offsetOf(record, 'fifo');
const BACKLOG = offsetOf(record, 'backlog');

const DLAB = 0x80;
const IER_RX = 1;
const IER_TX = 2;
const IER_LINE = 4;
const FCR_ENABLE = 1;
const FCR_CLEAR_RX = 2;
/** Bytes in the FIFO that FCR bits 7–6 ask for. */
const TRIGGERS: readonly number[] = [1, 4, 8, 14];
const MCR_LOOP = 0x10;
const LSR_DATA_READY = 0x01;
const LSR_OVERRUN = 0x02;
const LSR_TX_EMPTY = 0x60;
/** Carrier, data set and clear to send, always. */
const MSR_CONNECTED = 0xb0;
const IIR_NONE = 0x01;
const IIR_TX = 0x02;
const IIR_RX = 0x04;
const IIR_LINE = 0x06;
const IIR_TIMEOUT = 0x0c;
const IIR_FIFOS = 0xc0;

export const uart: Device = {
  name: 'uart',
  sizeBytes: 0x100,
  // Any size: like QEMU's, the registers are bytes and the rest of a wider access is zero.
  accessSizes: [1, 2, 4],
  record,
  reset(port) {
    port.setByte(MCR, 0x08);
    port.setByte(DLL, 0x0c);
    port.board.drive(false);
  },
  load(port, offset) {
    const value = loadRegister(port, offset);
    port.board.drive(cause(port) !== IIR_NONE);
    return value;
  },
  store(port, offset, _sizeBytes, value) {
    storeRegister(port, offset, value & 0xff);
    port.board.drive(cause(port) !== IIR_NONE);
  },
  receive(port, byte) {
    const count = port.get(BACKLOG_COUNT);
    if (count === UART_BACKLOG_BYTES) port.setByte(OVERRUN, 1);
    else {
      port.setByte(BACKLOG + ((port.get(BACKLOG_HEAD) + count) % UART_BACKLOG_BYTES), byte);
      port.set(BACKLOG_COUNT, count + 1);
    }
    refill(port);
    port.board.drive(cause(port) !== IIR_NONE);
    return true;
  },
  room(port, ahead) {
    const backlog = port.get(BACKLOG_COUNT);
    if (ahead) return UART_BACKLOG_BYTES - backlog;
    return backlog > 0 ? 0 : depth(port) - port.get(FIFO_COUNT);
  },
  unread: (port) => port.get(BACKLOG_COUNT) + port.get(FIFO_COUNT),
};

function loadRegister(port: Port, offset: number): number {
  const latch = (port.getByte(LCR) & DLAB) !== 0;
  switch (offset) {
    case 0:
      return latch ? port.getByte(DLL) : receiveBuffer(port);
    case 1:
      return latch ? port.getByte(DLM) : port.getByte(IER);
    case 2: {
      const now = cause(port);
      if (now === IIR_TX) port.setByte(THR_EMPTIED, 0);
      return now | (fifosOn(port) ? IIR_FIFOS : 0);
    }
    case 3:
      return port.getByte(LCR);
    case 4:
      return port.getByte(MCR);
    case 5: {
      const value = lineStatus(port);
      port.setByte(OVERRUN, 0);
      return value;
    }
    case 6:
      return modemStatus(port);
    case 7:
      return port.getByte(SCR);
    default:
      return 0;
  }
}

function storeRegister(port: Port, offset: number, value: number): void {
  const latch = (port.getByte(LCR) & DLAB) !== 0;
  switch (offset) {
    case 0:
      if (latch) port.setByte(DLL, value);
      else transmit(port, value);
      return;
    case 1:
      if (latch) port.setByte(DLM, value);
      else enableInterrupts(port, value & 0x0f);
      return;
    case 2:
      controlFifos(port, value);
      return;
    case 3:
      port.setByte(LCR, value);
      return;
    case 4:
      port.setByte(MCR, value & 0x1f);
      return;
    case 7:
      port.setByte(SCR, value);
  }
}

function transmit(port: Port, value: number): void {
  if (port.getByte(MCR) & MCR_LOOP) {
    if (port.get(FIFO_COUNT) < depth(port)) pushFifo(port, value);
    else port.setByte(OVERRUN, 1);
  } else port.board.console(value);
  port.setByte(THR_EMPTIED, 1);
}

function receiveBuffer(port: Port): number {
  const count = port.get(FIFO_COUNT);
  if (count === 0) return 0;
  const head = port.get(FIFO_HEAD);
  const value = port.getByte(FIFO + head);
  port.set(FIFO_HEAD, (head + 1) % FIFO_BYTES);
  port.set(FIFO_COUNT, count - 1);
  refill(port);
  return value;
}

/** Enabling the transmitter interrupt while the transmitter is empty raises it at once. */
function enableInterrupts(port: Port, value: number): void {
  if (value & ~port.getByte(IER) & IER_TX) port.setByte(THR_EMPTIED, 1);
  port.setByte(IER, value);
}

function controlFifos(port: Port, value: number): void {
  const switched = ((value ^ port.getByte(FCR)) & FCR_ENABLE) !== 0;
  port.setByte(FCR, value & FCR_ENABLE ? value & 0xc9 : 0);
  if (switched || value & FCR_CLEAR_RX) {
    port.set(FIFO_HEAD, 0);
    port.set(FIFO_COUNT, 0);
    refill(port);
  }
}

/** Lets the sender go on while there is room. */
function refill(port: Port): void {
  let count = port.get(BACKLOG_COUNT);
  let head = port.get(BACKLOG_HEAD);
  while (count > 0 && port.get(FIFO_COUNT) < depth(port)) {
    pushFifo(port, port.getByte(BACKLOG + head));
    head = (head + 1) % UART_BACKLOG_BYTES;
    count--;
  }
  port.set(BACKLOG_HEAD, head);
  port.set(BACKLOG_COUNT, count);
}

function pushFifo(port: Port, byte: number): void {
  const count = port.get(FIFO_COUNT);
  port.setByte(FIFO + ((port.get(FIFO_HEAD) + count) % FIFO_BYTES), byte);
  port.set(FIFO_COUNT, count + 1);
}

/** The interrupt with the highest priority, as IIR reports it. */
function cause(port: Port): number {
  const enabled = port.getByte(IER);
  const count = port.get(FIFO_COUNT);
  if (enabled & IER_LINE && port.getByte(OVERRUN)) return IIR_LINE;
  if (enabled & IER_RX && count > 0) return count >= trigger(port) ? IIR_RX : IIR_TIMEOUT;
  if (enabled & IER_TX && port.getByte(THR_EMPTIED)) return IIR_TX;
  return IIR_NONE;
}

const lineStatus = (port: Port): number =>
  LSR_TX_EMPTY | (port.get(FIFO_COUNT) > 0 ? LSR_DATA_READY : 0) | (port.getByte(OVERRUN) ? LSR_OVERRUN : 0);

/** In loop-back the modem outputs DTR, RTS, OUT1, OUT2 come back as DSR, CTS, RI, DCD. */
function modemStatus(port: Port): number {
  const mcr = port.getByte(MCR);
  if ((mcr & MCR_LOOP) === 0) return MSR_CONNECTED;
  return ((mcr & 0x0c) << 4) | ((mcr & 0x02) << 3) | ((mcr & 0x01) << 5);
}

const fifosOn = (port: Port): boolean => (port.getByte(FCR) & FCR_ENABLE) !== 0;
const depth = (port: Port): number => (fifosOn(port) ? FIFO_BYTES : 1);
const trigger = (port: Port): number => (fifosOn(port) ? TRIGGERS[port.getByte(FCR) >> 6]! : 1);
