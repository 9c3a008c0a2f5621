/**
 * Device accesses: finds the device at a physical address, splits wide accesses, lets devices act at their deadlines,
 * and carries frames between them. Holds no state of its own: a restored memory is a restored bus.
 * Relies on the core for natural alignment and for calling it only outside RAM and ROM. No BigInt: an access costs
 * less than a microsecond.
 */
import { CONSTANTS, HART, hartAddress, MACHINE, offsetOf } from '../../core/index.ts';
import {
  anyFault,
  armFault,
  type Board,
  type Disk,
  destinationOf,
  type FaultEntry,
  faultUnit,
  isHigh,
  isMulticast,
  isPending,
  isSame,
  loseRequest,
  NEVER,
  type Port,
  standingFaults,
  takeDue,
  takeFault,
} from '../../devices/index.ts';
import type { ArmedFault } from '../../faults/index.ts';
import { RAM_BASE, type Slot } from '../board/index.ts';
import { seedAt } from '../config.ts';
import type { DeviceAccess, DmaWrite, WatchHit } from '../types.ts';
import { type Clock, createClock } from './clock.ts';
import { isDetection, NOTES } from './notes.ts';

/** What leaves the machine during an access. `moment` and `ticks` count the accessing instruction as done. */
export interface BusObserver {
  console(moment: number, ticks: number, byte: number): void;
  note(moment: number, ticks: number, hart: number, code: number, arg: number): void;
  frame(moment: number, ticks: number, slot: number, bytes: Uint8Array): void;
  /** A device wrote to RAM. */
  dma?(moment: number, ticks: number, written: DmaWrite): void;
  /** Whether `access` is to be called. */
  readonly wantsAccesses?: boolean;
  /** An instruction has read from a device, or is about to write to one. */
  access?(moment: number, ticks: number, access: DeviceAccess): void;
}

/** On whose behalf the bus reaches RAM: a device, or an injected fault. */
export type BusMaster = Pick<WatchHit, 'by' | 'device' | 'request'>;

/** What the bus needs besides memory. */
export interface BusOptions {
  readonly board: readonly Slot[];
  readonly wallClock: number;
  readonly seed: bigint;
  disk(slot: number): Disk | undefined;
  /** Stores bytes to RAM at an offset from its start, as a hart would. They are all in RAM. */
  storeRam(offset: number, bytes: Uint8Array, by: BusMaster): void;
  /** A device reads bytes of RAM. */
  readsRam?(offset: number, bytes: number, by: BusMaster): void;
}

export interface Bus {
  /** Imports of arch.wasm: 1 when a device answered (loads: value in MACHINE.mmioData), 0 for an access fault. */
  load(paddrLow: number, sizeBytes: number): number;
  store(paddrLow: number, sizeBytes: number): number;
  /**
   * Resets every device. MACHINE.hartCount must be set, MSIP and mtimecmp of harts are overwritten. Injected faults
   * that wait go on waiting: whoever injected them is no part of the machine.
   */
  reset(): void;
  /** A byte typed at the console: for the first virtio console whose driver is up, or the UART. */
  receive(byte: number): void;
  /** Bytes that can be typed now without one being lost. */
  consoleRoom(): number;
  /** Bytes that were typed and software has not read. */
  consoleUnread(): number;
  /** A frame from outside for the network device in a slot. False: there is no such device. */
  receiveFrame(slot: number, frame: Uint8Array): boolean;
  /** False: the network device in that slot would lose a frame of so many bytes now, but not later. */
  takesFrame(slot: number, frameBytes: number): boolean;
  /** Keeps an injected fault until its occasion. False: there is no such device, or no room. */
  arm(fault: ArmedFault): boolean;
  /** Raises an interrupt as if its cause had come up. */
  raise(line: { readonly hart: number } | { readonly source: number }): void;
  /** Import of arch.wasm: the devices whose time has come act. */
  tick(): void;
}

const word = (name: string): number => (CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, name)) >> 2;
const CURRENT_HART = word('currentHart');
const HART_COUNT = word('hartCount');
const HALT_CODE = word('haltCode');
const STOP_REQUEST = word('stopRequest');
const MTIME_OFFSET = word('mtimeOffset');
const DATA = word('mmioData');
const DEADLINE = word('deviceDeadline');
const RAM_HOST = word('ramHost');
const RAM_BYTES = word('ramBytes');
const LINES = offsetOf(HART, 'lines');
const MTIMECMP = offsetOf(HART, 'mtimecmp');
/** mip.MSIP: the machine software interrupt. */
const MSIP = 3;
const HIGH = 0x100000000;

/** A bus on a linear memory. The memory must not grow. */
export function createBus(memory: ArrayBufferLike, observer: BusObserver, options: BusOptions): Bus {
  const { board } = options;
  const u32 = new Uint32Array(memory);
  const clock = createClock(u32);
  const faults: FaultHooks = {
    swallows,
    repair,
    stick,
    take: (kind, slot) => takeFault(faultPort, kind, slot) !== undefined,
  };
  const wiring: Wiring = { u32, u8: new Uint8Array(memory), clock, observer, options, driveInput, transmit, faults };
  const ports = board.map((slot) => createPort(slot, wiring));
  const faultPort = ports[board.findIndex(({ device }) => device === faultUnit)]!;
  const plicAt = board.findIndex(({ device }) => device.setInput);
  const plicPort = ports[plicAt]!;
  const timed = [...board.keys()].filter((index) => board[index]!.device.deadline);
  // Consoles that software has to bring up come first; the UART always listens.
  const listeners = [...board.keys()]
    .filter((index) => board[index]!.device.receive)
    .sort((a, b) => Number(board[b]!.virtio !== undefined) - Number(board[a]!.virtio !== undefined) || a - b);

  function driveInput(irq: number, level: boolean): void {
    if (anyFault(faultPort)) {
      if (!level) takeFault(faultPort, 'raiseSource', irq);
      else if (!isHigh(plicPort, irq) && !isPending(plicPort, irq) && swallows('source', irq)) return;
    }
    board[plicAt]!.device.setInput?.(plicPort, irq, level);
  }
  /** Takes away an interrupt that is about to come, if a fault waits for it; a late one sets out. */
  function swallows(kind: 'ipi' | 'source', where: number): boolean {
    const fault = takeFault(faultPort, kind, where);
    if (fault && fault.ticks > 0) sendLater(fault, where);
    return fault !== undefined;
  }
  function sendLater({ kind, ticks }: Pick<FaultEntry, 'kind' | 'ticks'>, where: number): boolean {
    const raise = kind === 'ipi' ? 'raiseIpi' : 'raiseSource';
    return armFault(faultPort, { kind: raise, where, value: 0, ticks: clock.ticks() + ticks });
  }
  /** Injected code faults end at the first detection. */
  function repair(): void {
    for (let fault = takeFault(faultPort, 'repair'); fault; fault = takeFault(faultPort, 'repair')) setBits(fault);
  }
  /** Stuck bits have their value whatever was copied there. */
  function stick(): void {
    for (const fault of standingFaults(faultPort, 'stuck')) setBits(fault);
  }
  function setBits({ where, value }: FaultEntry): void {
    const mask = value & 0xff;
    const byte = wiring.u8[u32[RAM_HOST]! + where]!;
    options.storeRam(where, Uint8Array.of((byte & ~mask) | (value >>> 8)), { by: 'input' });
  }
  /** Loses or delays the interrupt that is pending, or lets the next one be lost or late. */
  function disturb(
    { kind, ticks }: Pick<FaultEntry, 'ticks'> & { kind: 'ipi' | 'source' },
    where: number,
    pending: boolean,
  ): boolean {
    if (!pending) return armFault(faultPort, { kind, where, value: 0, ticks });
    if (kind === 'ipi') faultPort.board.setHartLine(where, MSIP, false);
    else {
      driveInput(where, false);
      loseRequest(plicPort, where);
    }
    // There is no room for one that is late when eight faults wait.
    if (ticks > 0 && !sendLater({ kind, ticks }, where)) return false;
    setDeadline();
    return true;
  }
  function raise(line: { readonly hart: number } | { readonly source: number }): void {
    if ('hart' in line) faultPort.board.setHartLine(line.hart, MSIP, true);
    else driveInput(line.source, true);
    setDeadline();
  }
  /** The switch: to everybody but the sender, or to the one that it is for. */
  function transmit(from: Slot, frame: Uint8Array): void {
    if (from.virtio?.kind === 'net' && from.virtio.cable === 'outside') {
      observer.frame(clock.moment(), clock.ticks(), from.virtio.slot, frame.slice());
      return;
    }
    const to = destinationOf(frame);
    const all = board.filter(isOnSwitch);
    const owner = isMulticast(to) ? undefined : all.find((slot) => slot.virtio && isSame(macOf(slot), to));
    for (const slot of owner ? [owner] : all) {
      if (slot !== from) slot.device.receiveFrame?.(ports[board.indexOf(slot)]!, frame);
    }
  }
  const netIndex = (slot: number): number =>
    board.findIndex(({ virtio }) => virtio?.kind === 'net' && virtio.slot === slot);
  function find(paddr: number, sizeBytes: number): number {
    for (let index = 0; index < board.length; index++) {
      const { device, base } = board[index]!;
      const offset = paddr - base;
      if (offset >= 0 && offset + sizeBytes <= device.sizeBytes) {
        return device.accessSizes.includes(sizeBytes) ? index : -1;
      }
    }
    return -1;
  }
  /** The soonest deadline becomes the machine's. */
  function setDeadline(): void {
    let next = NEVER;
    for (const index of timed) next = Math.min(next, board[index]!.device.deadline!(ports[index]!));
    const never = next > Number.MAX_SAFE_INTEGER;
    u32[DEADLINE] = never ? 0xffffffff : next >>> 0;
    u32[DEADLINE + 1] = never ? 0xffffffff : Math.floor(next / HIGH);
  }
  /** Tells of an access whose value is in MACHINE.mmioData. */
  function tellAccess({ device, base }: Slot, access: 'load' | 'store', paddr: number, bytes: number): void {
    const value = BigInt.asUintN(8 * bytes, (BigInt(u32[DATA + 1]!) << 32n) | BigInt(u32[DATA]!));
    const what = { device: device.name, paddr, offset: paddr - base, bytes, access, value };
    observer.access?.(clock.moment(), clock.ticks(), what);
  }
  return {
    load(paddrLow, sizeBytes) {
      const paddr = paddrLow >>> 0;
      const index = find(paddr, sizeBytes);
      if (index < 0) return 0;
      const { device, base } = board[index]!;
      const port = ports[index]!;
      u32[DATA] = device.load(port, paddr - base, Math.min(sizeBytes, 4));
      u32[DATA + 1] = sizeBytes === 8 ? device.load(port, paddr - base + 4, 4) : 0;
      if (observer.wantsAccesses) tellAccess(board[index]!, 'load', paddr, sizeBytes);
      return 1;
    },
    store(paddrLow, sizeBytes) {
      const paddr = paddrLow >>> 0;
      const index = find(paddr, sizeBytes);
      if (index < 0) return 0;
      const { device, base } = board[index]!;
      const port = ports[index]!;
      if (observer.wantsAccesses) tellAccess(board[index]!, 'store', paddr, sizeBytes);
      const high = u32[DATA + 1]!;
      const mask = sizeBytes === 1 ? 0xff : sizeBytes === 2 ? 0xffff : 0xffffffff;
      device.store(port, paddr - base, Math.min(sizeBytes, 4), (u32[DATA]! & mask) >>> 0);
      if (sizeBytes === 8) device.store(port, paddr - base + 4, 4, high);
      if (device.deadline || anyFault(faultPort)) setDeadline();
      return 1;
    },
    reset() {
      for (const [index, { device, record }] of board.entries()) {
        if (device === faultUnit) continue;
        wiring.u8.fill(0, record, record + device.record.sizeBytes);
        device.reset(ports[index]!);
      }
      setDeadline();
    },
    receive(byte) {
      listeners.some((index) => board[index]!.device.receive!(ports[index]!, byte));
      setDeadline();
    },
    consoleRoom() {
      // Who may come up yet gets what the hardware of the one that is up cannot hold.
      const ahead = listeners.length === 1;
      for (const index of listeners) {
        const room = board[index]!.device.room?.(ports[index]!, ahead);
        if (room !== undefined) return room;
      }
      return 0;
    },
    consoleUnread: () => listeners.reduce((sum, index) => sum + (board[index]!.device.unread?.(ports[index]!) ?? 0), 0),
    takesFrame(slot, frameBytes) {
      const index = netIndex(slot);
      return board[index]?.device.takesFrame?.(ports[index]!, frameBytes) ?? true;
    },
    receiveFrame(slot, frame) {
      const index = netIndex(slot);
      board[index]?.device.receiveFrame?.(ports[index]!, frame);
      setDeadline();
      return index >= 0;
    },
    raise,
    arm(fault) {
      switch (fault.kind) {
        case 'repair':
        case 'stuck': {
          const value = fault.mask | (fault.value << 8);
          return armFault(faultPort, { kind: fault.kind, where: fault.ramOffset, value, ticks: 0 });
        }
        case 'ipi':
          return disturb(fault, fault.hart, faultPort.board.hartLine(fault.hart, MSIP));
        case 'source':
          return disturb(fault, fault.source, isPending(plicPort, fault.source));
        default: {
          const [kind, needed] =
            fault.kind === 'io-error' ? (['ioError', 'block'] as const) : (['dropFrame', 'net'] as const);
          const exists = board.some(({ virtio }) => virtio?.slot === fault.slot && virtio.kind === needed);
          return exists && armFault(faultPort, { kind, where: fault.slot, value: 0, ticks: 0 });
        }
      }
    },
    tick() {
      const now = clock.ticks();
      for (const { kind, where } of takeDue(faultPort, now)) {
        raise(kind === 'raiseIpi' ? { hart: where } : { source: where });
      }
      for (const index of timed) {
        const { device } = board[index]!;
        if (device.deadline!(ports[index]!) <= now) device.tick?.(ports[index]!);
      }
      setDeadline();
    },
  };
}

const isOnSwitch = ({ device, virtio }: Slot): boolean =>
  device.receiveFrame !== undefined && (virtio?.kind !== 'net' || virtio.cable === 'switch');

const NO_MAC = new Uint8Array(6);
const macOf = ({ virtio }: Slot): Uint8Array =>
  virtio?.kind === 'net' ? Uint8Array.from(virtio.mac.split(':'), (byte) => Number.parseInt(byte, 16)) : NO_MAC;

/** What all ports share. */
interface Wiring {
  readonly u32: Uint32Array;
  readonly u8: Uint8Array;
  readonly clock: Clock;
  readonly observer: BusObserver;
  readonly options: BusOptions;
  readonly driveInput: (irq: number, level: boolean) => void;
  readonly transmit: (from: Slot, frame: Uint8Array) => void;
  readonly faults: FaultHooks;
}

/** Where injected faults that wait get their occasions. */
interface FaultHooks {
  swallows(kind: 'ipi' | 'source', where: number): boolean;
  repair(): void;
  stick(): void;
  take(kind: 'ioError' | 'dropFrame', slot: number): boolean;
}

function createPort(slot: Slot, wiring: Wiring): Port {
  const { u32, u8 } = wiring;
  return {
    get: (offset) => u32[(slot.record + offset) >> 2]!,
    set(offset, value) {
      u32[(slot.record + offset) >> 2] = value;
    },
    getByte: (offset) => u8[slot.record + offset]!,
    setByte(offset, value) {
      u8[slot.record + offset] = value;
    },
    board: createServices(slot, wiring),
  };
}

function createServices(
  slot: Slot,
  { u32, u8, clock, observer, options, driveInput, transmit, faults }: Wiring,
): Board {
  const hart = (n: number, field: number) => (hartAddress(n) + field) >> 2;
  // Only said to the observer: no state.
  let request: DmaWrite['request'];
  return {
    get hartCount() {
      return u32[HART_COUNT]!;
    },
    mtime() {
      // Integer division without rounding: the remainder of safe integers is exact.
      const ticks = clock.ticks();
      return (ticks - (ticks % CONSTANTS.TICKS_PER_MTIME)) / CONSTANTS.TICKS_PER_MTIME;
    },
    ticks: () => clock.ticks(),
    mtimeOffset: (half) => u32[MTIME_OFFSET + half]!,
    setMtimeOffset(half, value) {
      u32[MTIME_OFFSET + half] = value;
    },
    hartLine: (n, bit) => ((u32[hart(n, LINES)]! >>> bit) & 1) !== 0,
    setHartLine(n, bit, level) {
      const at = hart(n, LINES);
      const isNew = level && ((u32[at]! >>> bit) & 1) === 0;
      if (isNew && bit === MSIP && faults.swallows('ipi', n)) return;
      u32[at] = level ? u32[at]! | (1 << bit) : u32[at]! & ~(1 << bit);
    },
    mtimecmp: (n, half) => u32[hart(n, MTIMECMP) + half]!,
    setMtimecmp(n, half, value) {
      u32[hart(n, MTIMECMP) + half] = value;
    },
    drive(level) {
      if (slot.irq !== 0) driveInput(slot.irq, level);
    },
    attribute(to) {
      request = to;
    },
    ...createBusMaster(u32, u8, options, {
      who: () => ({ device: slot.device.name, ...(request && { request }) }),
      written: (written) => observer.dma?.(clock.moment(), clock.ticks(), written),
    }),
    disk: slot.virtio && options.disk(slot.virtio.slot),
    mac: macOf(slot),
    transmit: (frame) => transmit(slot, frame),
    wallClock: options.wallClock,
    get seed() {
      // Devices of one machine draw apart from each other.
      return seedAt(options.seed, clock.ticks()) ^ (BigInt(slot.base) << 32n);
    },
    takeFault: (kind) => slot.virtio !== undefined && faults.take(kind, slot.virtio.slot),
    console: (byte) => observer.console(clock.moment(), clock.ticks(), byte),
    note(code, arg) {
      if (isDetection(code)) faults.repair();
      else if (code === NOTES.REBOOTED.code || code === NOTES.RESET.code) faults.stick();
      observer.note(clock.moment(), clock.ticks(), u32[CURRENT_HART]!, code, arg);
    },
    halt(word) {
      u32[HALT_CODE] = word + 1;
      u32[STOP_REQUEST] = 1;
    },
  };
}

/** RAM as devices reach it. */
function createBusMaster(
  u32: Uint32Array,
  u8: Uint8Array,
  { storeRam, readsRam }: BusOptions,
  { who, written }: { who: () => Pick<DmaWrite, 'device' | 'request'>; written: (what: DmaWrite) => void },
): Pick<Board, 'readRam' | 'writeRam' | 'hasRam'> {
  const inRam = (paddr: number, bytes: number) => paddr >= RAM_BASE && paddr + bytes <= RAM_BASE + u32[RAM_BYTES]!;
  return {
    hasRam: inRam,
    readRam(paddr, bytes) {
      if (!inRam(paddr, bytes)) return undefined;
      readsRam?.(paddr - RAM_BASE, bytes, { by: 'dma-read', ...who() });
      const start = u32[RAM_HOST]! + paddr - RAM_BASE;
      return u8.subarray(start, start + bytes);
    },
    writeRam(paddr, bytes) {
      if (!inRam(paddr, bytes.length)) return false;
      storeRam(paddr - RAM_BASE, bytes, { by: 'dma-write', ...who() });
      written({ paddr, bytes: bytes.length, ...who() });
      return true;
    },
  };
}
