/**
 * A bus on plain memory, for tests of devices: the real address map and records, without a core.
 */
import { CONSTANTS, HART, hartAddress, MACHINE, offsetOf } from '../core/layout.ts';

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
}

interface BenchBus {
  load(paddrLow: number, sizeBytes: number): number;
  store(paddrLow: number, sizeBytes: number): number;
  reset(): void;
  receive(byte: number): void;
}
interface BenchObserver {
  console(moment: number, ticks: number, byte: number): void;
  note(moment: number, ticks: number, hart: number, code: number, arg: number): void;
}

const word = (name: string) => (CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, name)) >> 2;

/** Two harts unless said otherwise. `from` continues on a copy of another bench's memory. */
export function createBench(
  createBus: (memory: ArrayBuffer, observer: BenchObserver) => BenchBus,
  from?: ArrayBuffer,
  harts = 2,
): Bench {
  const memory = from ? from.slice(0) : new ArrayBuffer(CONSTANTS.DYNAMIC_BASE);
  const u32 = new Uint32Array(memory);
  const log: string[] = [];
  const bus = createBus(memory, {
    console: (moment, ticks, byte) => log.push(`${moment}/${ticks} console ${String.fromCharCode(byte)}`),
    note: (moment, ticks, hart, code, arg) => log.push(`${moment}/${ticks} note ${hart} ${code.toString(16)} ${arg}`),
  });
  if (!from) {
    u32[word('hartCount')] = harts;
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
    setTicks(ticks) {
      u32[word('sliceStartTicks')] = ticks >>> 0;
      u32[word('sliceStartTicks') + 1] = Math.floor(ticks / 2 ** 32);
    },
    haltCode: () => u32[word('haltCode')]!,
    high: () => u32[word('mmioData') + 1]!,
  };
}
