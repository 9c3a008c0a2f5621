/**
 * Virtio console (Virtual I/O Device 1.2, section 5.3) with one port and the emergency write. Its output joins the
 * machine's console; typed bytes come here once the driver is up (before that, to the UART).
 */
import type { VirtioModel, VirtioUnit } from './model.ts';
import { gather, scatter } from './queue.ts';

const RECEIVE = 0;
const TRANSMIT = 1;
const FEATURE_EMERGENCY = 2;
const EMERGENCY_AT = 8;
const BACKLOG_BYTES = 4096;
const LATENCY = 2_000;
const TICKS_PER_BYTE = 20;

export const virtioConsole: VirtioModel = {
  name: 'console',
  deviceId: 3,
  queues: 2,
  configBytes: 12,
  maxChainBytes: 0x10000,
  fields: [
    { name: 'head', type: 'u32', doc: 'index of the oldest byte in backlog' },
    { name: 'count', type: 'u32', doc: 'bytes in backlog' },
    { name: 'backlog', type: 'u8', count: BACKLOG_BYTES, doc: 'bytes typed but not yet received, a ring' },
  ],
  features: () => 1 << FEATURE_EMERGENCY,
  config: (_unit, offset) => (offset === 4 ? 1 : 0),
  setConfig(unit, offset, value) {
    if (offset === EMERGENCY_AT) unit.port.board.console(value);
  },
  latency: () => LATENCY,
  // Both, so that neither direction can starve the other.
  work: (unit) => send(unit) + receive(unit),
  receive(unit, byte) {
    if (!unit.live) return false;
    const { port } = unit;
    const count = port.get(unit.at('count'));
    // A full line loses what comes next, as the UART does.
    if (count < BACKLOG_BYTES) {
      port.setByte(unit.at('backlog') + ((port.get(unit.at('head')) + count) % BACKLOG_BYTES), byte);
      port.set(unit.at('count'), count + 1);
    }
    unit.wake();
    return true;
  },
  room: (unit) => (unit.live ? BACKLOG_BYTES - unit.port.get(unit.at('count')) : undefined),
  unread: (unit) => unit.port.get(unit.at('count')),
};

function send(unit: VirtioUnit): number {
  const chain = unit.take(TRANSMIT);
  if (!chain) return 0;
  for (const byte of gather(unit.port.board, chain.out, chain.outBytes) ?? []) unit.port.board.console(byte);
  unit.give(TRANSMIT, chain, 0);
  return LATENCY + TICKS_PER_BYTE * chain.outBytes;
}

function receive(unit: VirtioUnit): number {
  const { port } = unit;
  const count = port.get(unit.at('count'));
  const chain = count > 0 ? unit.take(RECEIVE) : undefined;
  if (!chain) return 0;
  const head = port.get(unit.at('head'));
  const bytes = new Uint8Array(Math.min(count, chain.inBytes));
  for (let n = 0; n < bytes.length; n++) bytes[n] = port.getByte(unit.at('backlog') + ((head + n) % BACKLOG_BYTES));
  scatter(port.board, chain.in, bytes);
  port.set(unit.at('head'), (head + bytes.length) % BACKLOG_BYTES);
  port.set(unit.at('count'), count - bytes.length);
  unit.give(RECEIVE, chain, bytes.length);
  return LATENCY + TICKS_PER_BYTE * bytes.length;
}
