/**
 * Platform-level interrupt controller at 0xC00_0000, laid out as QEMU virt's (RISC-V PLIC 1.0.0): 95 sources, two
 * contexts a hart (2h = M, 2h+1 = S), 3-bit priorities. Drives the MEIP and SEIP inputs of the harts.
 *
 * Gateways are level-sensitive. One sends a request when its input is high and the last request has been completed, and
 * cannot take it back: the source stays pending until it is claimed, though its input may have fallen ("Interrupt
 * Gateways"). Does not check access sizes or alignment (the bus does).
 */
import { CONSTANTS, offsetOf } from '../core/index.ts';
import type { Device, Port } from './device.ts';
import { placeRecord } from './record.ts';

/** Interrupt sources, numbered from 1; 0 means "none". */
export const PLIC_SOURCES = 95;
/** Numbers, 0 included. */
const NUMBERS = PLIC_SOURCES + 1;
const WORDS = NUMBERS / 32;
const CONTEXTS = 2 * CONSTANTS.MAX_HARTS;
const PRIORITY_MASK = 7;
const PENDING = 0x1000;
const ENABLE = 0x2000;
const ENABLE_STRIDE = 0x80;
const CONTEXT = 0x200000;
const CONTEXT_STRIDE = 0x1000;
/** mip bits of the external interrupts. */
const MEIP = 11;
const SEIP = 9;

const record = placeRecord('plic', [
  { name: 'priority', type: 'u32', count: NUMBERS, doc: 'per source; 0 never interrupts' },
  { name: 'level', type: 'u32', count: WORDS, doc: 'input wires, one bit per source' },
  { name: 'pending', type: 'u32', count: WORDS, doc: 'requests of gateways that nobody has claimed' },
  { name: 'claimed', type: 'u32', count: WORDS, doc: 'being served: claimed and not yet completed' },
  { name: 'enable', type: 'u32', count: CONTEXTS * WORDS, doc: 'WORDS words for each context' },
  { name: 'threshold', type: 'u32', count: CONTEXTS, doc: 'per context; only higher priorities interrupt' },
]);
const PRIORITY_AT = offsetOf(record, 'priority');
const LEVEL_AT = offsetOf(record, 'level');
const PENDING_AT = offsetOf(record, 'pending');
const CLAIMED_AT = offsetOf(record, 'claimed');
const ENABLE_AT = offsetOf(record, 'enable');
const THRESHOLD_AT = offsetOf(record, 'threshold');

export const plic: Device = {
  name: 'plic',
  sizeBytes: 0x600000,
  accessSizes: [4],
  record,
  reset: update,
  load(port, offset) {
    if (offset < 4 * NUMBERS) return port.get(PRIORITY_AT + offset);
    if (offset >= PENDING && offset < PENDING + 4 * WORDS) return port.get(PENDING_AT + offset - PENDING);
    const enable = enableAt(port, offset);
    if (enable !== undefined) return port.get(enable);
    const context = contextAt(port, offset);
    if (context === undefined) return 0;
    if ((offset & 0xfff) === 0) return port.get(THRESHOLD_AT + 4 * context);
    return (offset & 0xfff) === 4 ? claim(port, context) : 0;
  },
  store(port, offset, _sizeBytes, value) {
    const enable = enableAt(port, offset);
    const context = contextAt(port, offset);
    if (offset >= 4 && offset < 4 * NUMBERS) port.set(PRIORITY_AT + offset, value & PRIORITY_MASK);
    // Source 0 does not exist: its enable bit is hardwired 0.
    else if (enable !== undefined) port.set(enable, (offset & (ENABLE_STRIDE - 1)) === 0 ? value & ~1 : value);
    else if (context === undefined) return;
    else if ((offset & 0xfff) === 0) port.set(THRESHOLD_AT + 4 * context, value & PRIORITY_MASK);
    else if ((offset & 0xfff) === 4) complete(port, context, value);
    update(port);
  },
  setInput(port, line, level) {
    // Devices drive their output after every access; nothing follows from a level that stays.
    if (isHigh(port, line) === level) return;
    setBit(port, LEVEL_AT, line, level);
    update(port);
  },
};

/** Whether a source's input is high. */
export const isHigh = (port: Port, line: number): boolean => bit(port, LEVEL_AT, line);

/** Whether a source waits to be claimed. */
export const isPending = (port: Port, line: number): boolean => bit(port, PENDING_AT, line);

/** Takes back what no gateway can, for an injected fault: the request of a source whose input is low by now. */
export function loseRequest(port: Port, line: number): void {
  setBit(port, PENDING_AT, line, false);
  update(port);
}

/**
 * "Interrupt Claim Process": the highest-priority pending enabled source, lowest number first, whatever the threshold,
 * which masks notifications only. It is served until completed.
 */
function claim(port: Port, context: number): number {
  const source = best(port, context, 0);
  if (source !== 0) {
    setBit(port, PENDING_AT, source, false);
    setBit(port, CLAIMED_AT, source, true);
    update(port);
  }
  return source;
}

/** "Interrupt Completion": ignored unless the source is enabled for the context. */
function complete(port: Port, context: number, source: number): void {
  if (source === 0 || source > PLIC_SOURCES) return;
  if (bit(port, ENABLE_AT + 4 * context * WORDS, source)) setBit(port, CLAIMED_AT, source, false);
}

/** Lets the gateways send what they may, and recomputes the external interrupt inputs of every hart. */
function update(port: Port): void {
  for (let word = 0; word < WORDS; word++) {
    const requests = port.get(LEVEL_AT + 4 * word) & ~port.get(CLAIMED_AT + 4 * word);
    port.set(PENDING_AT + 4 * word, port.get(PENDING_AT + 4 * word) | requests);
  }
  for (let hart = 0; hart < port.board.hartCount; hart++) {
    port.board.setHartLine(hart, MEIP, isNotified(port, 2 * hart));
    port.board.setHartLine(hart, SEIP, isNotified(port, 2 * hart + 1));
  }
}

const isNotified = (port: Port, context: number): boolean =>
  best(port, context, port.get(THRESHOLD_AT + 4 * context)) !== 0;

/** The pending source of the highest priority that is enabled for a context and above `floor`, or 0. */
function best(port: Port, context: number, floor: number): number {
  let source = 0;
  let priority = floor;
  for (let word = 0; word < WORDS; word++) {
    let bits = port.get(PENDING_AT + 4 * word) & port.get(ENABLE_AT + 4 * (context * WORDS + word));
    while (bits !== 0) {
      const candidate = word * 32 + (31 - Math.clz32(bits & -bits));
      const its = port.get(PRIORITY_AT + 4 * candidate);
      if (its > priority) {
        priority = its;
        source = candidate;
      }
      bits &= bits - 1;
    }
  }
  return source;
}

/** Record offset of the enable word at a register offset, if there is one. */
function enableAt(port: Port, offset: number): number | undefined {
  const context = (offset - ENABLE) / ENABLE_STRIDE;
  const word = (offset & (ENABLE_STRIDE - 1)) >> 2;
  if (context < 0 || context >= 2 * port.board.hartCount || word >= WORDS) return undefined;
  return ENABLE_AT + 4 * (Math.floor(context) * WORDS + word);
}

function contextAt(port: Port, offset: number): number | undefined {
  const context = Math.floor((offset - CONTEXT) / CONTEXT_STRIDE);
  return context < 0 || context >= 2 * port.board.hartCount ? undefined : context;
}

const bit = (port: Port, at: number, number: number): boolean =>
  ((port.get(at + 4 * (number >>> 5)) >>> (number & 31)) & 1) === 1;

function setBit(port: Port, at: number, number: number, level: boolean): void {
  const address = at + 4 * (number >>> 5);
  const mask = 1 << (number & 31);
  port.set(address, level ? port.get(address) | mask : port.get(address) & ~mask);
}
