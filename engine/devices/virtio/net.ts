/**
 * Virtio network device (Virtual I/O Device 1.2, section 5.1): one pair of queues, no offloads. Frames that arrive wait
 * in a backlog until the driver gives buffers; when it is full they are lost, as on a wire.
 * The cable's other end is the board's business.
 */
import { nextRandom, RANDOM_WORDS, seedRandom } from '../random.ts';
import type { VirtioModel, VirtioUnit } from './model.ts';
import { gather, scatter } from './queue.ts';

const RECEIVE = 0;
const TRANSMIT = 1;
/** struct virtio_net_hdr (5.1.6); a driver that has not taken VERSION_1 knows no num_buffers at its end (5.1.6.1). */
const headerBytes = (unit: VirtioUnit): number => (unit.isModern ? 12 : 10);
const NUM_BUFFERS_AT = 10;
const FEATURE_MAC = 5;
const FEATURE_STATUS = 16;
const LINK_UP = 1;
/** Ethernet without jumbo frames, a VLAN tag allowed for. */
const MAX_FRAME_BYTES = 1518;
/** Shorter ones have no Ethernet header. */
const MIN_FRAME_BYTES = 14;
const BACKLOG_BYTES = 32768;
const LENGTH_BYTES = 2;
/** Ticks until an idle device turns to its queues: BASE + 0 … SPREAD-1; then 8 ns a byte, a gigabit a second. */
const LATENCY_BASE = 5_000;
const LATENCY_SPREAD = 10_000;
const TICKS_PER_FRAME = 1_000;
const TICKS_PER_BYTE = 8;

export const net: VirtioModel = {
  name: 'net',
  deviceId: 1,
  queues: 2,
  configBytes: 8,
  maxChainBytes: 0x11000,
  fields: [
    { name: 'random', type: 'u32', count: RANDOM_WORDS, doc: 'generator of latencies' },
    { name: 'head', type: 'u32', doc: 'index of the oldest byte in backlog' },
    { name: 'bytes', type: 'u32', doc: 'bytes in backlog' },
    { name: 'lost', type: 'u32', doc: 'frames that found the backlog full' },
    { name: 'backlog', type: 'u8', count: BACKLOG_BYTES, doc: 'frames, each behind its length in two bytes; a ring' },
  ],
  features: () => (1 << FEATURE_MAC) | (1 << FEATURE_STATUS),
  powerOn: (unit) => seedRandom(unit.port, unit.at('random'), unit.port.board.seed),
  reset(unit) {
    unit.port.set(unit.at('head'), 0);
    unit.port.set(unit.at('bytes'), 0);
  },
  config(unit, offset) {
    if (offset < 6) return unit.port.board.mac[offset]!;
    return offset === 6 ? LINK_UP : 0;
  },
  latency: (unit) => LATENCY_BASE + (nextRandom(unit.port, unit.at('random')) % LATENCY_SPREAD),
  // Both, so that neither direction can starve the other.
  work: (unit) => send(unit) + receive(unit),
  receiveFrame(unit, frame) {
    if (!unit.live || !isFrame(frame.length)) return;
    const { port } = unit;
    if (port.board.takeFault('dropFrame')) return;
    const used = port.get(unit.at('bytes'));
    if (used + LENGTH_BYTES + frame.length > BACKLOG_BYTES) {
      port.set(unit.at('lost'), port.get(unit.at('lost')) + 1);
      return;
    }
    const start = port.get(unit.at('head')) + used;
    const put = (n: number, byte: number) => port.setByte(unit.at('backlog') + ((start + n) % BACKLOG_BYTES), byte);
    put(0, frame.length & 0xff);
    put(1, frame.length >> 8);
    for (let n = 0; n < frame.length; n++) put(LENGTH_BYTES + n, frame[n]!);
    port.set(unit.at('bytes'), used + LENGTH_BYTES + frame.length);
    unit.wake();
  },
  takesFrame(unit, frameBytes) {
    // What is no frame will never be taken: there is nothing to wait for.
    if (!isFrame(frameBytes)) return true;
    return unit.live && unit.port.get(unit.at('bytes')) + LENGTH_BYTES + frameBytes <= BACKLOG_BYTES;
  },
};

const isFrame = (bytes: number): boolean => bytes >= MIN_FRAME_BYTES && bytes <= MAX_FRAME_BYTES;

function send(unit: VirtioUnit): number {
  const chain = unit.take(TRANSMIT);
  if (!chain) return 0;
  const all = gather(unit.port.board, chain.out, chain.outBytes);
  const frame = all?.subarray(headerBytes(unit));
  unit.give(TRANSMIT, chain, 0);
  if (frame && isFrame(frame.length)) {
    if (!unit.port.board.takeFault('dropFrame')) unit.port.board.transmit(frame);
  }
  return TICKS_PER_FRAME + TICKS_PER_BYTE * chain.outBytes;
}

function receive(unit: VirtioUnit): number {
  const { port } = unit;
  const used = port.get(unit.at('bytes'));
  const chain = used > 0 ? unit.take(RECEIVE) : undefined;
  if (!chain) return 0;
  const head = port.get(unit.at('head'));
  const at = (n: number) => port.getByte(unit.at('backlog') + ((head + n) % BACKLOG_BYTES));
  const length = at(0) | (at(1) << 8);
  const header = headerBytes(unit);
  const packet = new Uint8Array(header + length);
  if (unit.isModern) packet[NUM_BUFFERS_AT] = 1;
  for (let n = 0; n < length; n++) packet[header + n] = at(LENGTH_BYTES + n);
  port.set(unit.at('head'), (head + LENGTH_BYTES + length) % BACKLOG_BYTES);
  port.set(unit.at('bytes'), used - LENGTH_BYTES - length);
  // A buffer that is too small loses the frame (5.1.6.3.1 asks drivers for 1526 bytes).
  const fits = packet.length <= chain.inBytes;
  if (fits) scatter(port.board, chain.in, packet);
  unit.give(RECEIVE, chain, fits ? packet.length : 0);
  return TICKS_PER_FRAME + TICKS_PER_BYTE * length;
}
