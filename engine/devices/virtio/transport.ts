/**
 * Virtio over MMIO, version 2 (Virtual I/O Device 1.2, section 4.2), as one device for each kind of model and each of
 * the board's eight slots; also the slot that nothing is plugged into. Follows QEMU where the specification leaves a
 * choice: vendor id, 1024 entries for every queue, registers that take 4-byte accesses only.
 * Relies on queue.ts for checking what the driver wrote to memory. Non-sense from the driver ends in NEEDS_RESET.
 */
import { invariant } from '../../base/index.ts';
import { type Device, NEVER, type Port } from '../device.ts';
import { placeRecord, type RecordField } from '../record.ts';
import { getWide, setWide } from '../words.ts';
import type { VirtioModel, VirtioUnit } from './model.ts';
import { askForNotice, QUEUE_ENTRIES, type Queue, returnChain, takeChain, waiting } from './queue.ts';

/** Bytes that the registers and configuration space take; the rest of a slot's page answers nothing. */
const REGION_BYTES = 0x200;
const MAGIC = 0x74726976;
const VERSION = 2;
/** "QEMU", which drivers do not look at. */
const VENDOR = 0x554d4551;
const CONFIG = 0x100;

const STATUS_DRIVER_OK = 4;
const STATUS_FEATURES_OK = 8;
const STATUS_NEEDS_RESET = 64;
const INTERRUPT_USED = 1;
const INTERRUPT_CONFIG = 2;
const FEATURE_INDIRECT = 28;
const FEATURE_EVENT_INDEX = 29;
/**
 * Feature bit 32, VIRTIO_F_VERSION_1: the only one in the high word. A driver that leaves it, as some do that write the
 * low word only, is served as a transitional device would serve it (6.1 allows a device to refuse).
 */
const HIGH_FEATURES = 1;

/** An eight-byte field of two words that holds NEVER. */
const NEVER_WORD = 0xffffffff;

const transportFields = (queues: number): RecordField[] => [
  { name: 'due', type: 'u64', doc: 'tick of the next piece of work; all ones when idle' },
  { name: 'busyUntil', type: 'u64', doc: 'tick at which the last piece of work was over' },
  { name: 'status', type: 'u32', doc: 'device status' },
  { name: 'interruptStatus', type: 'u32', doc: 'bit 0 used buffers, bit 1 configuration' },
  { name: 'deviceFeaturesSel', type: 'u32', doc: 'register' },
  { name: 'driverFeaturesSel', type: 'u32', doc: 'register' },
  { name: 'driverFeatures', type: 'u32', count: 2, doc: 'as written by the driver' },
  { name: 'notified', type: 'u32', doc: '1 when the driver notified a queue before DRIVER_OK' },
  { name: 'queueSel', type: 'u32', doc: 'register' },
  { name: 'queueSize', type: 'u32', count: queues, doc: 'entries' },
  { name: 'queueReady', type: 'u32', count: queues, doc: '1 when the driver has set it up' },
  { name: 'queueDesc', type: 'u64', count: queues, doc: 'address of the descriptor table' },
  { name: 'queueAvail', type: 'u64', count: queues, doc: 'address of the available ring' },
  { name: 'queueUsed', type: 'u64', count: queues, doc: 'address of the used ring' },
  { name: 'lastAvail', type: 'u32', count: queues, doc: 'chains taken, modulo 2^16' },
  { name: 'usedIndex', type: 'u32', count: queues, doc: 'chains returned, modulo 2^16' },
];

/** A slot that nothing is plugged into: says that it is a transport, and nothing else (device id 0). */
export const emptySlot = (slot: number): Device => ({
  name: `virtio${slot}`,
  sizeBytes: REGION_BYTES,
  accessSizes: [1, 2, 4, 8],
  record: placeRecord('empty', []),
  reset() {},
  load: (_port, offset, sizeBytes) => (sizeBytes === 4 ? identity(offset, 0) : 0),
  store() {},
});

/** A device with this model, plugged into a slot. */
export function virtioDevice(slot: number, model: VirtioModel): Device {
  const record = placeRecord(model.name, [...transportFields(model.queues), ...model.fields]);
  const offsets = new Map(record.fields.map((field) => [field.name, field.offset]));
  const unit = (port: Port) => new Unit(port, model, offsets);
  const device: Device = {
    name: `virtio${slot}`,
    sizeBytes: REGION_BYTES,
    accessSizes: [1, 2, 4, 8],
    record,
    reset(port) {
      const its = unit(port);
      its.resetTransport();
      model.powerOn?.(its);
    },
    load: (port, offset, sizeBytes) => unit(port).load(offset, sizeBytes),
    store: (port, offset, sizeBytes, value) => unit(port).store(offset, sizeBytes, value),
    deadline: (port) => unit(port).due,
    tick: (port) => unit(port).tick(),
  };
  const { receive, room, unread, receiveFrame, takesFrame } = model;
  if (receive) device.receive = (port, byte) => receive(unit(port), byte);
  if (room) device.room = (port) => room(unit(port));
  if (unread) device.unread = (port) => unread(unit(port));
  if (receiveFrame) device.receiveFrame = (port, frame) => receiveFrame(unit(port), frame);
  if (takesFrame) device.takesFrame = (port, frameBytes) => takesFrame(unit(port), frameBytes);
  return device;
}

function identity(offset: number, deviceId: number): number {
  if (offset === 0) return MAGIC;
  if (offset === 4) return VERSION;
  if (offset === 8) return deviceId;
  return offset === 0xc ? VENDOR : 0;
}

class Unit implements VirtioUnit {
  readonly port: Port;
  readonly #model: VirtioModel;
  readonly #offsets: ReadonlyMap<string, number>;

  constructor(port: Port, model: VirtioModel, offsets: ReadonlyMap<string, number>) {
    this.port = port;
    this.#model = model;
    this.#offsets = offsets;
  }

  get live(): boolean {
    const status = this.#get('status');
    return (status & STATUS_DRIVER_OK) !== 0 && (status & STATUS_NEEDS_RESET) === 0;
  }
  get due(): number {
    const at = this.at('due');
    return this.port.get(at) === NEVER_WORD && this.port.get(at + 4) === NEVER_WORD ? NEVER : getWide(this.port, at);
  }

  at(field: string): number {
    const offset = this.#offsets.get(field);
    invariant(offset !== undefined, `the virtio ${this.#model.name} device has no field ${field}`);
    return offset;
  }

  get isModern(): boolean {
    return this.port.get(this.at('driverFeatures') + 4) === HIGH_FEATURES;
  }

  has(feature: number): boolean {
    return ((this.#get('driverFeatures') >>> feature) & 1) !== 0;
  }

  take(queue: number) {
    const its = this.#queue(queue);
    if (!this.live || !its) return undefined;
    const { board } = this.port;
    const count = waiting(board, its);
    if (count === undefined || (count === 0 && !askForNotice(board, its))) this.fail();
    if (!count) return undefined;
    const chain = takeChain(board, its, this.#model.maxChainBytes);
    board.attribute(chain && { queue, head: chain.head });
    if (chain) this.#set('lastAvail', (its.lastAvail + 1) & 0xffff, queue);
    else this.fail();
    return chain;
  }

  give(queue: number, { head }: { readonly head: number }, written: number): void {
    const its = this.#queue(queue);
    const outcome = its && returnChain(this.port.board, its, head, written);
    if (!its || !outcome) {
      this.fail();
      return;
    }
    this.#set('usedIndex', (its.usedIndex + 1) & 0xffff, queue);
    if (outcome === 'interrupt') this.#interrupt(INTERRUPT_USED);
  }

  fail(): void {
    this.#set('status', this.#get('status') | STATUS_NEEDS_RESET);
    if (this.#get('status') & STATUS_DRIVER_OK) this.#interrupt(INTERRUPT_CONFIG);
  }

  wake(): void {
    if (!this.live || this.due !== NEVER) return;
    const start = Math.max(this.port.board.ticks(), getWide(this.port, this.at('busyUntil')));
    setWide(this.port, this.at('due'), start + this.#model.latency(this));
  }

  tick(): void {
    const now = this.port.board.ticks();
    const took = this.live ? this.#model.work(this) : 0;
    if (took === 0 || !this.live) {
      this.#sleep();
      return;
    }
    setWide(this.port, this.at('busyUntil'), now + took);
    setWide(this.port, this.at('due'), now + took);
  }

  load(offset: number, sizeBytes: number): number {
    if (offset >= CONFIG) return this.#loadConfig(offset - CONFIG, sizeBytes);
    if (sizeBytes !== 4) return 0;
    switch (offset) {
      case 0x10:
        return this.#get('deviceFeaturesSel') === 0 ? this.#features() : Number(this.#get('deviceFeaturesSel') === 1);
      case 0x34:
        return this.#get('queueSel') < this.#model.queues ? QUEUE_ENTRIES : 0;
      case 0x44:
        return this.#selected((queue) => this.#get('queueReady', queue)) ?? 0;
      case 0x60:
        return this.#get('interruptStatus');
      case 0x70:
        return this.#get('status');
      case 0xb0:
      case 0xb4:
      case 0xb8:
      case 0xbc:
        // No shared memory regions: length and base of all ones (4.2.2).
        return 0xffffffff;
      default:
        return identity(offset, this.#model.deviceId);
    }
  }

  store(offset: number, sizeBytes: number, value: number): void {
    if (offset >= CONFIG) this.#storeConfig(offset - CONFIG, sizeBytes, value);
    else if (sizeBytes === 4) this.#storeRegister(offset, value);
  }

  #storeRegister(offset: number, value: number): void {
    switch (offset) {
      case 0x14:
        this.#set('deviceFeaturesSel', value);
        break;
      case 0x20:
        this.#acceptFeatures(value);
        break;
      case 0x24:
        this.#set('driverFeaturesSel', value);
        break;
      case 0x30:
        this.#set('queueSel', value);
        break;
      case 0x50:
        if (value < this.#model.queues) this.#notify();
        break;
      case 0x64:
        this.#set('interruptStatus', this.#get('interruptStatus') & ~value);
        this.#drive();
        break;
      case 0x70:
        this.#setStatus(value & 0xff);
        break;
      default:
        this.#selected((queue) => this.#setUpQueue(queue, offset, value));
    }
  }

  /** Everything of the transport as at power-on. */
  resetTransport(): void {
    const { queues } = this.#model;
    for (let word = 0; word < this.at('queueSize'); word += 4) this.port.set(word, 0);
    for (let queue = 0; queue < queues; queue++) {
      this.#set('queueSize', QUEUE_ENTRIES, queue);
      for (const name of ['queueReady', 'lastAvail', 'usedIndex']) this.#set(name, 0, queue);
      for (const name of ['queueDesc', 'queueAvail', 'queueUsed']) setWide(this.port, this.at(name) + 8 * queue, 0);
    }
    this.#sleep();
    this.#drive();
  }

  /**
   * A notification that comes before DRIVER_OK, which it must not, is heard at DRIVER_OK: nothing is consumed before.
   */
  #notify(): void {
    if (!(this.#get('status') & STATUS_DRIVER_OK)) this.#set('notified', 1);
    this.wake();
  }

  #setUpQueue(queue: number, offset: number, value: number): void {
    const { port } = this;
    const half = (name: string, high: number) => port.set(this.at(name) + 8 * queue + high, value);
    switch (offset) {
      case 0x38:
        // A split queue's size is a power of two (2.7); others work until the indices wrap, as on QEMU.
        if (value >= 1 && value <= QUEUE_ENTRIES) this.#set('queueSize', value, queue);
        break;
      case 0x44:
        this.#set('queueReady', value === 0 ? 0 : 1, queue);
        break;
      case 0x80:
      case 0x84:
        half('queueDesc', offset & 4);
        break;
      case 0x90:
      case 0x94:
        half('queueAvail', offset & 4);
        break;
      case 0xa0:
      case 0xa4:
        half('queueUsed', offset & 4);
        break;
    }
  }

  #setStatus(value: number): void {
    if (value === 0) {
      this.resetTransport();
      this.#model.reset?.(this);
      return;
    }
    // Only the device sets and a reset clears NEEDS_RESET (2.1).
    this.#set('status', (value & ~STATUS_NEEDS_RESET) | (this.#get('status') & STATUS_NEEDS_RESET));
    if (this.#get('notified') && this.live) {
      this.#set('notified', 0);
      this.wake();
    }
  }

  /** Features are settled at FEATURES_OK; what was not offered cannot be taken. */
  #acceptFeatures(value: number): void {
    const which = this.#get('driverFeaturesSel');
    if (which > 1 || this.#get('status') & STATUS_FEATURES_OK) return;
    this.#set('driverFeatures', (value & (which === 0 ? this.#features() : HIGH_FEATURES)) >>> 0, which);
  }

  #features(): number {
    return (this.#model.features(this) | (1 << FEATURE_INDIRECT) | (1 << FEATURE_EVENT_INDEX)) >>> 0;
  }

  #queue(queue: number): Queue | undefined {
    if (!this.#get('queueReady', queue)) return undefined;
    const wide = (name: string) => getWide(this.port, this.at(name) + 8 * queue);
    return {
      size: this.#get('queueSize', queue),
      desc: wide('queueDesc'),
      avail: wide('queueAvail'),
      used: wide('queueUsed'),
      lastAvail: this.#get('lastAvail', queue),
      usedIndex: this.#get('usedIndex', queue),
      eventIndex: this.has(FEATURE_EVENT_INDEX),
    };
  }

  #loadConfig(offset: number, sizeBytes: number): number {
    let value = 0;
    for (let n = 0; n < sizeBytes; n++) {
      if (offset + n < this.#model.configBytes) value |= this.#model.config(this, offset + n) << (8 * n);
    }
    return value >>> 0;
  }

  #storeConfig(offset: number, sizeBytes: number, value: number): void {
    for (let n = 0; n < sizeBytes; n++) {
      if (offset + n < this.#model.configBytes) this.#model.setConfig?.(this, offset + n, (value >>> (8 * n)) & 0xff);
    }
  }

  #selected<T>(act: (queue: number) => T): T | undefined {
    const queue = this.#get('queueSel');
    return queue < this.#model.queues ? act(queue) : undefined;
  }
  #interrupt(bit: number): void {
    this.#set('interruptStatus', this.#get('interruptStatus') | bit);
    this.#drive();
  }
  #drive(): void {
    this.port.board.drive(this.#get('interruptStatus') !== 0);
  }
  #sleep(): void {
    this.port.set(this.at('due'), NEVER_WORD);
    this.port.set(this.at('due') + 4, NEVER_WORD);
  }
  #get(name: string, index = 0): number {
    return this.port.get(this.at(name) + 4 * index);
  }
  #set(name: string, value: number, index = 0): void {
    this.port.set(this.at(name) + 4 * index, value);
  }
}
