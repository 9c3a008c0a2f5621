/**
 * Device accesses: finds the device at a physical address, splits wide accesses, and gives devices their services.
 * Holds no state of its own: everything is in linear memory, so a restored memory is a restored bus.
 * Relies on the core for natural alignment and for calling it only outside RAM and ROM. No BigInt: an access costs
 * less than a microsecond.
 */
import { CONSTANTS, HART, hartAddress, MACHINE, offsetOf } from '../core/layout.ts';
import type { Board, Port } from '../devices/index.ts';
import { BOARD, type Slot, slotOf } from './board.ts';

/** What leaves the machine during an access. `moment` and `ticks` count the accessing instruction as done. */
export interface BusObserver {
  console(moment: number, ticks: number, byte: number): void;
  note(moment: number, ticks: number, hart: number, code: number, arg: number): void;
}

export interface Bus {
  /** Imports of arch.wasm: 1 when a device answered (loads: value in MACHINE.mmioData), 0 for an access fault. */
  load(paddrLow: number, sizeBytes: number): number;
  store(paddrLow: number, sizeBytes: number): number;
  /** Resets every device; records must be zero and MACHINE.hartCount set. */
  reset(): void;
  /** A byte typed at the console. */
  receive(byte: number): void;
}

const word = (name: string): number => (CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, name)) >> 2;
const MOMENT = word('moment');
const SLICE_START = word('sliceStartTicks');
const SLICE_BUDGET = word('sliceBudget');
const CURRENT_HART = word('currentHart');
const HART_COUNT = word('hartCount');
const HALT_CODE = word('haltCode');
const STOP_REQUEST = word('stopRequest');
const DATA = word('mmioData');
const LINES = offsetOf(HART, 'lines');
const MTIMECMP = offsetOf(HART, 'mtimecmp');
const BUDGET = offsetOf(HART, 'budget');
const TRAPS = offsetOf(HART, 'traps');
const HIGH = 0x100000000;

/** A bus on a linear memory. The memory must not grow. */
export function createBus(memory: ArrayBufferLike, observer: BusObserver): Bus {
  const u32 = new Uint32Array(memory);
  const u8 = new Uint8Array(memory);
  const clock = createClock(u32);
  const ports = BOARD.map((slot) => createPort(slot, u32, u8, clock, observer, driveInput));
  const plicSlot = slotOf('plic');
  const plicPort = ports[BOARD.indexOf(plicSlot)]!;
  const uartSlot = slotOf('uart');
  const uartPort = ports[BOARD.indexOf(uartSlot)]!;

  function driveInput(irq: number, level: boolean): void {
    plicSlot.device.setInput?.(plicPort, irq, level);
  }
  function find(paddr: number, sizeBytes: number): number {
    for (let index = 0; index < BOARD.length; index++) {
      const { device, base } = BOARD[index]!;
      const offset = paddr - base;
      if (offset >= 0 && offset + sizeBytes <= device.sizeBytes) {
        return device.accessSizes.includes(sizeBytes) ? index : -1;
      }
    }
    return -1;
  }
  return {
    load(paddrLow, sizeBytes) {
      const paddr = paddrLow >>> 0;
      const index = find(paddr, sizeBytes);
      if (index < 0) return 0;
      const { device, base } = BOARD[index]!;
      const port = ports[index]!;
      u32[DATA] = device.load(port, paddr - base, Math.min(sizeBytes, 4));
      u32[DATA + 1] = sizeBytes === 8 ? device.load(port, paddr - base + 4, 4) : 0;
      return 1;
    },
    store(paddrLow, sizeBytes) {
      const paddr = paddrLow >>> 0;
      const index = find(paddr, sizeBytes);
      if (index < 0) return 0;
      const { device, base } = BOARD[index]!;
      const port = ports[index]!;
      const high = u32[DATA + 1]!;
      const mask = sizeBytes === 1 ? 0xff : sizeBytes === 2 ? 0xffff : 0xffffffff;
      device.store(port, paddr - base, Math.min(sizeBytes, 4), (u32[DATA]! & mask) >>> 0);
      if (sizeBytes === 8) device.store(port, paddr - base + 4, 4, high);
      return 1;
    },
    reset() {
      for (const [index, slot] of BOARD.entries()) slot.device.reset(ports[index]!);
    },
    receive: (byte) => uartSlot.device.receive?.(uartPort, byte),
  };
}

/** Position in the middle of a slice: what the running hart has spent since the slice began. */
interface Clock {
  ticks(): number;
  moment(): number;
}

function createClock(u32: Uint32Array): Clock {
  const hartWord = (field: number) => (hartAddress(u32[CURRENT_HART]!) + field) >> 2;
  const spent = () => u32[SLICE_BUDGET]! - u32[hartWord(BUDGET)]!;
  return {
    ticks: () => u32[SLICE_START]! + HIGH * u32[SLICE_START + 1]! + spent(),
    moment: () => u32[MOMENT]! + HIGH * u32[MOMENT + 1]! + spent() - u32[hartWord(TRAPS)]!,
  };
}

function createPort(
  slot: Slot,
  u32: Uint32Array,
  u8: Uint8Array,
  clock: Clock,
  observer: BusObserver,
  driveInput: (irq: number, level: boolean) => void,
): Port {
  const hart = (n: number, field: number) => (hartAddress(n) + field) >> 2;
  const board: Board = {
    get hartCount() {
      return u32[HART_COUNT]!;
    },
    mtime() {
      // Integer division without rounding: the remainder of safe integers is exact.
      const ticks = clock.ticks();
      return (ticks - (ticks % CONSTANTS.TICKS_PER_MTIME)) / CONSTANTS.TICKS_PER_MTIME;
    },
    hartLine: (n, bit) => ((u32[hart(n, LINES)]! >>> bit) & 1) !== 0,
    setHartLine(n, bit, level) {
      const at = hart(n, LINES);
      u32[at] = level ? u32[at]! | (1 << bit) : u32[at]! & ~(1 << bit);
    },
    mtimecmp: (n, half) => u32[hart(n, MTIMECMP) + half]!,
    setMtimecmp(n, half, value) {
      u32[hart(n, MTIMECMP) + half] = value;
    },
    drive(level) {
      if (slot.irq !== 0) driveInput(slot.irq, level);
    },
    console: (byte) => observer.console(clock.moment(), clock.ticks(), byte),
    note: (code, arg) => observer.note(clock.moment(), clock.ticks(), u32[CURRENT_HART]!, code, arg),
    halt(word) {
      u32[HALT_CODE] = word + 1;
      u32[STOP_REQUEST] = 1;
    },
  };
  return {
    get: (offset) => u32[(slot.record + offset) >> 2]!,
    set(offset, value) {
      u32[(slot.record + offset) >> 2] = value;
    },
    getByte: (offset) => u8[slot.record + offset]!,
    setByte(offset, value) {
      u8[slot.record + offset] = value;
    },
    board,
  };
}
