/**
 * The machine: core, bus, disks and boot images put together behind the interface of types.ts. The state of a run is in
 * linear memory and on the disks (media.ts); the page map of the last snapshot (pages.ts) only saves copying.
 * Relies on the core for stopping exactly where it is told. Does not interpret events, and knows no files.
 */

import { invariant, UserError } from '../base/index.ts';
import { CONSTANTS, type Core, createCore, hartAddress } from '../core/index.ts';
import { decodeHalt, UART_BACKLOG_BYTES } from '../devices/index.ts';
import { type ArmedFault, applyFault, type FaultTarget, PC_REGISTER, resolveFault } from '../faults/index.ts';
import { csrByName } from '../isa/index.ts';
import { boardOf, createMedia, loadBoot, type Media } from './board/index.ts';
import { type Bus, createBus, createPower, type Power, RESET_NOTE } from './bus/index.ts';
import { checkConfig, DEFAULT_WALL_CLOCK } from './config.ts';
import { createDigest, hashBytes } from './digest.ts';
import { Observer, resetTransitions } from './events.ts';
import { STUCK_CODE } from './halt.ts';
import { readHart } from './hart.ts';
import { type Next, nextByRunning } from './next.ts';
import {
  type AccessObserver,
  breakpointStop,
  createAccessObserver,
  createStepLog,
  explainTranslation,
  type StepLog,
  setBreakAddresses,
  setBreakpoints,
} from './observe/index.ts';
import { createRam, type Ram } from './ram.ts';
import {
  checkClaimed,
  checkDigest,
  createPageStore,
  H,
  isOwn,
  markOwn,
  type PageStore,
  readState,
  type SavedPart,
  savedParts,
  stateBytes,
  W,
  writeState,
} from './state/index.ts';
import type {
  AddressSpace,
  HartState,
  InputEvent,
  Machine,
  MachineConfig,
  MachineEvent,
  Moment,
  Observed,
  PrivilegedModes,
  RunLimit,
  Snapshot,
  StopReason,
  Ticks,
  Translation,
  Watch,
  WatchHit,
} from './types.ts';

/** A machine at its reset state, moment 0. @throws UserError when the configuration or an image is unusable. */
export function createMachine(config: MachineConfig): Machine {
  checkConfig(config);
  return new CoreMachine(config);
}

/** countedModes of the core. */
const COUNTED_MODES = {
  hypervisor: CONSTANTS.COUNTS_HS,
  machine: CONSTANTS.COUNTS_M,
  privileged: CONSTANTS.COUNTS_HS | CONSTANTS.COUNTS_M,
} as const satisfies Record<PrivilegedModes, number>;

const HIGH = 0x100000000;
const ACCESS = { load: 0, store: 1, fetch: 2 } as const;

class CoreMachine implements Machine, FaultTarget {
  readonly config: MachineConfig;
  readonly hartCount: number;
  readonly #core: Core;
  readonly #bus: Bus;
  readonly #u8: Uint8Array;
  readonly #u32: Uint32Array;
  readonly #view: DataView;
  readonly #parts: readonly SavedPart[];
  readonly #stateBytes: number;
  readonly #media: Media;
  readonly #pages: PageStore;
  readonly #power: Power;
  readonly #observer: Observer;
  readonly #digest: () => bigint;
  #breakAt: number | readonly number[] | undefined;
  #breakAtVirtual: readonly bigint[] = [];
  readonly #accesses: AccessObserver;
  readonly #steps: StepLog;
  readonly #ram: Ram;
  #watches: readonly Watch[] = [];
  onWatchHit: ((access: WatchHit) => void) | undefined;

  constructor(config: MachineConfig) {
    // Images first: a user's mistake should not cost a machine.
    const boot = loadBoot(config);
    this.config = config;
    this.hartCount = config.harts;
    this.#core = createCore({
      ramBytes: config.ramBytes,
      hartCount: config.harts,
      imports: {
        mmioLoad: (paddrLow, sizeBytes) => this.#bus.load(paddrLow, sizeBytes),
        mmioStore: (paddrLow, sizeBytes) => this.#bus.store(paddrLow, sizeBytes),
        deviceTick: () => this.#bus.tick(),
      },
    });
    this.#accesses = createAccessObserver(this.#core, () => this.onWatchHit);
    this.#steps = createStepLog(this.#core);
    this.#ram = createRam(this.#core, this.#accesses);
    const buffer = this.#core.memory.buffer;
    this.#u8 = new Uint8Array(buffer);
    this.#u32 = new Uint32Array(buffer);
    this.#view = new DataView(buffer);
    this.#parts = savedParts(config);
    this.#stateBytes = stateBytes(config);
    const hash = (bytes: Uint8Array) => hashBytes(this.#core, bytes);
    this.#media = createMedia(config.virtio ?? [], hash);
    this.#digest = createDigest(this.#core, this.#parts, this.#media);
    this.#observer = new Observer(this.#u32);
    this.#bus = this.#createBus();
    const places = {
      ramHost: this.#u32[W.ramHost]!,
      pageHashHost: this.#u32[W.pageHashHost]!,
      scratchHost: this.#u32[W.scratchHost]!,
      ramPages: config.ramBytes / CONSTANTS.PAGE_BYTES,
    };
    this.#pages = createPageStore(buffer, this.#core.arch, places, this.#media);
    this.#power = createPower({
      memory: buffer,
      arch: this.#core.arch,
      bus: this.#bus,
      config,
      hash,
      store: (paddr, bytes) => this.#ram.write(paddr, bytes, { by: 'reset' }),
    });
    this.#power.on(boot);
  }

  get moment(): Moment {
    return this.#number(W.moment);
  }
  get ticks(): Ticks {
    return this.#number(W.ticks);
  }
  get onEvent(): ((event: MachineEvent) => void) | undefined {
    return this.#observer.listener;
  }
  set onEvent(listener: ((event: MachineEvent) => void) | undefined) {
    this.#observer.listener = listener;
  }
  get observed(): Observed {
    return this.#observer.observed;
  }
  set observed(what: Observed) {
    this.#observer.observed = what;
  }

  get breakAt(): number | readonly number[] | undefined {
    return this.#breakAt;
  }
  set breakAt(places: number | readonly number[] | undefined) {
    setBreakpoints(this.#core, typeof places === 'number' ? [places] : (places ?? []));
    this.#breakAt = places;
  }

  get breakAtVirtual(): readonly bigint[] {
    return this.#breakAtVirtual;
  }
  set breakAtVirtual(addresses: readonly bigint[]) {
    setBreakAddresses(this.#core, addresses);
    this.#breakAtVirtual = [...addresses];
  }
  get watches(): readonly Watch[] {
    return this.#watches;
  }
  set watches(watches: readonly Watch[]) {
    this.#accesses.watch(watches);
    this.#watches = [...watches];
  }

  get onSteps(): ((records: Uint8Array) => void) | undefined {
    return this.#steps.listener;
  }
  set onSteps(listener: ((records: Uint8Array) => void) | undefined) {
    this.#steps.listener = listener;
  }

  retired(modes: PrivilegedModes): number {
    const ofHypervisor = modes === 'machine' ? 0 : this.#number(W.hypervisorCount);
    return ofHypervisor + (modes === 'hypervisor' ? 0 : this.#number(W.machineCount));
  }
  get work(): number {
    return this.#number(W.workTicks);
  }

  run(until: RunLimit): StopReason {
    const { count, work = Number.POSITIVE_INFINITY } = until;
    const modes = count?.of ?? 'privileged';
    const counted = { modes, stop: count ? this.retired(modes) + count.instructions : Number.POSITIVE_INFINITY };
    const stopWork = this.work + work;
    this.#u32[W.countedModes] = COUNTED_MODES[modes];
    this.#setLimit(W.stopCount, counted.stop);
    this.#setLimit(W.stopWork, stopWork);
    try {
      return this.#run(until, counted, stopWork);
    } finally {
      this.#setLimit(W.stopCount, Number.POSITIVE_INFINITY);
      this.#setLimit(W.stopWork, Number.POSITIVE_INFINITY);
    }
  }

  /** What run() stops at; infinity: never. */
  #setLimit(at: number, limit: number): void {
    if (Number.isFinite(limit)) this.#setNumber(at, limit);
    else this.#view.setBigUint64(4 * at, 0xffffffffffffffffn, true);
  }

  #run(until: RunLimit, counted: { modes: PrivilegedModes; stop: number }, stopWork: number): StopReason {
    const stopMoment = until.moment ?? Number.MAX_SAFE_INTEGER;
    const stopTicks = until.ticks ?? Number.MAX_SAFE_INTEGER;
    for (;;) {
      if (this.moment >= stopMoment) return { kind: 'moment' };
      if (this.ticks >= stopTicks) return { kind: 'ticks' };
      if (this.retired(counted.modes) >= counted.stop) return { kind: 'count' };
      if (this.work >= stopWork) return { kind: 'work' };
      const reset = this.#power.resetRequested();
      if (reset) {
        this.#reset(reset.arg);
        continue;
      }
      const halt = decodeHalt(this.#u32[W.haltCode]!);
      if (halt) return { kind: 'halted', ...halt };
      if (this.#isStuck()) return { kind: 'halted', status: 'fail', code: STUCK_CODE };
      this.#setNumber(W.stopMoment, stopMoment);
      this.#setNumber(W.stopTicks, stopTicks);
      this.#u32[W.stopRequest] = 0;
      const stop = this.#core.arch.run();
      this.#observer.drain();
      this.#accesses.drain();
      this.#steps.drain();
      if (stop === CONSTANTS.STOP_IDLE) return { kind: 'idle' };
      if (stop === CONSTANTS.STOP_BREAKPOINT) return breakpointStop(this.#core);
      if (stop === CONSTANTS.STOP_WATCHPOINT) return { kind: 'watchpoint' };
      if (stop === CONSTANTS.STOP_EVENT) return { kind: 'event' };
    }
  }

  step(): StopReason {
    return this.run({ moment: this.moment + 1 });
  }

  next(): Next {
    const acting = () => (this.#power.resetRequested() ? this.ticks : this.#number(W.deviceDeadline));
    return this.#peekNext() ?? nextByRunning(this, acting, () => this.#peekNext());
  }

  apply(event: InputEvent): void {
    switch (event.kind) {
      case 'console':
        if (event.bytes.length > UART_BACKLOG_BYTES) {
          throw new UserError(
            `${event.bytes.length} console bytes at once: the line holds ${UART_BACKLOG_BYTES}, split the input`,
          );
        }
        for (const byte of event.bytes) this.#bus.receive(byte);
        return;
      case 'poke':
        this.#ram.write(event.paddr, event.bytes, { by: 'input' });
        return;
      case 'net':
        if (this.#bus.receiveFrame(event.slot, event.bytes)) return;
        throw new UserError(`a frame for virtio slot ${event.slot}: there is no network device in it`);
      case 'fault':
        applyFault(this, resolveFault(this, event.fault));
    }
  }

  get consoleRoom(): number {
    return this.#bus.consoleRoom();
  }
  get consoleUnread(): number {
    return this.#bus.consoleUnread();
  }
  takesFrame(slot: number, frameBytes: number): boolean {
    return this.#bus.takesFrame(slot, frameBytes);
  }

  snapshot(): Snapshot {
    const digest = this.digest();
    const state = new Uint8Array(this.#stateBytes);
    readState(this.#u8, this.#parts, state);
    return markOwn({ moment: this.moment, ticks: this.ticks, digest, state, pages: this.#pages.capture() });
  }

  restore(snapshot: Snapshot): void {
    const isClaimed = !isOwn(snapshot);
    if (isClaimed) checkClaimed(snapshot, this.config);
    // RAM first: storing to it drops reservations, which are part of the state.
    this.#pages.restore(snapshot.pages);
    writeState(this.#u8, this.#parts, snapshot.state);
    invariant(
      this.#u32[W.hartCount] === this.hartCount,
      `a snapshot of ${this.#u32[W.hartCount]} harts restored to a machine of ${this.hartCount}`,
    );
    this.#observer.forget();
    this.#accesses.forget();
    this.#steps.forget();
    this.#core.arch.flushDerived();
    if (isClaimed) checkDigest(snapshot, this.digest());
  }

  digest(): bigint {
    return this.#digest();
  }

  guestDigest(hgatp: bigint): bigint {
    this.#view.setBigUint64(4 * W.mmioData, BigInt.asUintN(64, hgatp), true);
    this.#core.arch.hashGuest();
    return this.#view.getBigUint64(4 * W.mmioData, true);
  }

  hart(n: number): HartState {
    return readHart(this.#view, this.#hartBase(n));
  }

  csr(hart: number, name: string): bigint {
    const csr = csrByName(name);
    if (!csr) throw new RangeError(`there is no CSR named '${name}'`);
    this.#core.arch.peekCsr(this.#hartBase(hart), csr.number);
    return this.#view.getBigUint64(4 * W.mmioData, true);
  }

  readPhysical(paddr: number, bytes: number): Uint8Array {
    return this.#ram.read(paddr, bytes);
  }

  translate(hart: number, va: bigint, access: 'load' | 'store' | 'fetch' = 'load'): number | undefined {
    this.#hartBase(hart);
    const paddr = this.#core.translate(hart, va, ACCESS[access]);
    return paddr === undefined ? undefined : Number(paddr);
  }

  explainTranslation(
    hart: number,
    va: bigint,
    access: 'load' | 'store' | 'fetch' = 'load',
    space?: AddressSpace,
  ): Translation {
    this.#hartBase(hart);
    return explainTranslation(this.#core, hart, va, access, space);
  }

  readRegister(hart: number, register: number): bigint {
    return this.#view.getBigUint64(this.#registerAddress(hart, register), true);
  }
  writeRegister(hart: number, register: number, value: bigint): void {
    this.#view.setBigUint64(this.#registerAddress(hart, register), value, true);
  }
  readByte(paddr: number): number | undefined {
    return this.#ram.byte(paddr);
  }
  writeByte(paddr: number, value: number): void {
    this.#ram.write(paddr, Uint8Array.of(value), { by: 'input' });
  }

  writeCsr(hart: number, name: string, value: bigint): void {
    const csr = csrByName(name);
    invariant(csr !== undefined, `there is no CSR named '${name}'`);
    this.#core.pokeCsr(hart, csr.number, value);
  }
  arm(fault: ArmedFault): void {
    if (this.#bus.arm(fault)) return;
    const what = 'slot' in fault ? `there is no such device in virtio slot ${fault.slot}` : 'too many faults wait';
    throw new UserError(`fault ${fault.kind}: ${what}`);
  }
  raise(line: { readonly hart: number } | { readonly source: number }): void {
    this.#bus.raise(line);
  }

  /** Starts over, and says so: first the request, then what became of harts that were not in M-mode. */
  #reset(arg: number): void {
    const { moment, ticks } = this;
    const harts = Array.from({ length: this.hartCount }, (_, n) => ({ ...this.hart(n), work: this.#hartWork(n) }));
    this.#observer.note(moment, ticks, this.#u32[W.currentHart]!, RESET_NOTE, arg);
    this.#power.reset();
    const after = { moment, ticks: this.ticks };
    for (const event of resetTransitions(harts, this.#observer.observed, after)) this.#observer.emit(event);
  }

  /**
   * Whether nothing but traps happened for long and no timer can change that. Decided at certain counts of traps only:
   * a matter of state, not of how the run is cut into calls.
   */
  #isStuck(): boolean {
    const traps = this.#u32[W.trapRun]!;
    if (traps === 0 || traps % CONSTANTS.STUCK_TRAPS !== 0) return false;
    return this.#number(W.trapMoment) === this.moment && this.#core.arch.timerAhead() === 0;
  }

  #createBus(): Bus {
    const { virtio, wallClock = DEFAULT_WALL_CLOCK, seed = 0n } = this.config;
    return createBus(this.#core.memory.buffer, this.#observer, {
      board: boardOf(virtio),
      wallClock,
      seed,
      disk: (slot) => this.#media.disk(slot),
      storeRam: (offset, bytes, by) => this.#ram.store(offset, bytes, by),
      readsRam: (offset, bytes, by) => this.#accesses.reading(offset, bytes, by),
    });
  }

  /** undefined when devices act, or the machine is reset, before the next instruction: who knows what that changes. */
  #peekNext(): Next | undefined {
    if (this.#power.resetRequested()) return undefined;
    const hart = this.#core.arch.peekNext() >>> 0;
    return hart === CONSTANTS.NO_HART ? undefined : { hart, pc: this.#view.getBigUint64(4 * W.mmioData, true) };
  }

  #hartWork(n: number): number {
    return Number(this.#view.getBigUint64(this.#hartBase(n) + H.workTicks, true));
  }
  #hartBase(n: number): number {
    if (n >= 0 && n < this.hartCount) return hartAddress(n);
    throw new RangeError(`hart ${n}: the machine has harts 0…${this.hartCount - 1}`);
  }
  #registerAddress(hart: number, register: number): number {
    return this.#hartBase(hart) + (register === PC_REGISTER ? H.pc : H.x + 8 * register);
  }
  /** A 64-bit machine word that is a safe integer. */
  #number(at: number): number {
    return this.#u32[at]! + HIGH * this.#u32[at + 1]!;
  }
  #setNumber(at: number, value: number): void {
    this.#u32[at] = value >>> 0;
    this.#u32[at + 1] = Math.floor(value / HIGH);
  }
}
