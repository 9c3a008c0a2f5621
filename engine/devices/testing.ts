/**
 * A bus on plain memory, for tests of devices: the real address map and records, without a core.
 */
import { CONSTANTS, HART, hartAddress, MACHINE, offsetOf } from '../core/layout/index.ts';

export interface Bench {
  readonly memory: ArrayBuffer;
  readonly log: string[];
  /** Value, or undefined for an access fault. */
  load(paddr: number, sizeBytes: number): number | undefined;
  store(paddr: number, sizeBytes: number, value: number, high?: number): boolean;
  receive(text: string): void;
  lines(hart: number): number;
  setTicks(ticks: number): void;
  haltCode(): number;
  high(): number;
  /** RAM, from its start. */
  readonly ram: Uint8Array;
  /** Goes to the devices' deadline and lets them act. False when there is none. */
  toDeadline(): boolean;
  /** Ticks at which the devices want to act; all ones as a number when never. */
  deadline(): bigint;
  frame(slot: number, bytes: Uint8Array): void;
}

interface BenchBus {
  load(paddrLow: number, sizeBytes: number): number;
  store(paddrLow: number, sizeBytes: number): number;
  reset(): void;
  receive(byte: number): void;
  receiveFrame(slot: number, frame: Uint8Array): boolean;
  tick(): void;
}
interface BenchObserver {
  console(moment: number, ticks: number, byte: number): void;
  note(moment: number, ticks: number, hart: number, code: number, arg: number): void;
  frame(moment: number, ticks: number, slot: number, bytes: Uint8Array): void;
}

/** RAM of a bench. */
export const BENCH_RAM_BYTES = 0x40000;

const word = (name: string) => (CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, name)) >> 2;

/** Two harts unless said otherwise. `from` continues on a copy of another bench's memory. */
export function createBench(
  createBus: (memory: ArrayBuffer, observer: BenchObserver) => BenchBus,
  from?: ArrayBuffer,
  harts = 2,
): Bench {
  const memory = from ? from.slice(0) : new ArrayBuffer(CONSTANTS.DYNAMIC_BASE + BENCH_RAM_BYTES);
  const u32 = new Uint32Array(memory);
  const log: string[] = [];
  const bus = createBus(memory, {
    console: (moment, ticks, byte) => log.push(`${moment}/${ticks} console ${String.fromCharCode(byte)}`),
    note: (moment, ticks, hart, code, arg) => log.push(`${moment}/${ticks} note ${hart} ${code.toString(16)} ${arg}`),
    frame: (moment, ticks, slot, bytes) =>
      log.push(`${moment}/${ticks} frame ${slot} ${Buffer.from(bytes).toString('hex')}`),
  });
  const setTicks = (ticks: number) => {
    u32[word('sliceStartTicks')] = ticks >>> 0;
    u32[word('sliceStartTicks') + 1] = Math.floor(ticks / 2 ** 32);
  };
  const deadline = () => new DataView(memory).getBigUint64(4 * word('deviceDeadline'), true);
  if (!from) {
    u32[word('hartCount')] = harts;
    u32[word('ramHost')] = CONSTANTS.DYNAMIC_BASE;
    u32[word('ramBytes')] = BENCH_RAM_BYTES;
    bus.reset();
  }
  return {
    memory,
    log,
    load: (paddr, sizeBytes) => (bus.load(paddr | 0, sizeBytes) === 1 ? u32[word('mmioData')] : undefined),
    store(paddr, sizeBytes, value, high = 0) {
      u32[word('mmioData')] = value;
      u32[word('mmioData') + 1] = high;
      return bus.store(paddr | 0, sizeBytes) === 1;
    },
    receive(text) {
      for (const byte of new TextEncoder().encode(text)) bus.receive(byte);
    },
    lines: (hart) => u32[(hartAddress(hart) + offsetOf(HART, 'lines')) >> 2]!,
    setTicks,
    ram: new Uint8Array(memory, CONSTANTS.DYNAMIC_BASE, BENCH_RAM_BYTES),
    deadline,
    toDeadline() {
      if (deadline() > 2n ** 53n) return false;
      setTicks(Number(deadline()));
      bus.tick();
      return true;
    },
    frame: (slot, bytes) => void bus.receiveFrame(slot, bytes),
    haltCode: () => u32[word('haltCode')]!,
    high: () => u32[word('mmioData') + 1]!,
  };
}
