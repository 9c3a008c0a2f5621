/**
 * Virtio entropy device (Virtual I/O Device 1.2, section 5.4): bytes from the device's seed. A run can be had again, so
 * nothing here is secret.
 */
import { nextRandom, RANDOM_WORDS, seedRandom } from '../random.ts';
import type { VirtioModel } from './model.ts';
import { scatter } from './queue.ts';

/** Bytes given for one buffer at most; drivers take less than they asked for. */
const MAX_BYTES = 4096;
const LATENCY = 5_000;
const TICKS_PER_BYTE = 10;

export const entropy: VirtioModel = {
  name: 'entropy',
  deviceId: 4,
  queues: 1,
  configBytes: 0,
  maxChainBytes: 0x100000,
  fields: [{ name: 'random', type: 'u32', count: RANDOM_WORDS, doc: 'generator of what it gives' }],
  features: () => 0,
  powerOn: (unit) => seedRandom(unit.port, unit.at('random'), unit.port.board.seed),
  config: () => 0,
  latency: () => LATENCY,
  work(unit) {
    const chain = unit.take(0);
    if (!chain) return 0;
    const bytes = new Uint8Array(Math.min(MAX_BYTES, chain.inBytes));
    let word = 0;
    for (let n = 0; n < bytes.length; n++) {
      word = n % 4 === 0 ? nextRandom(unit.port, unit.at('random')) : word >>> 8;
      bytes[n] = word;
    }
    scatter(unit.port.board, chain.in, bytes);
    unit.give(0, chain, bytes.length);
    return LATENCY + TICKS_PER_BYTE * bytes.length;
  },
};
