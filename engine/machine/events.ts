/**
 * What is observed, and who is told: turns the core's ring of transitions and CSR writes into events, and hands them
 * over in order with what the bus tells. Relies on the core for recording; drains its ring before every other event.
 */
import { CONSTANTS, EVENT, hartAddress, MACHINE, offsetOf } from '../core/index.ts';
import type { BusObserver } from './bus/index.ts';
import { H } from './state/index.ts';
import type {
  DeviceAccess,
  DmaWrite,
  HartState,
  MachineEvent,
  Mode,
  Moment,
  Observed,
  Registers,
  Ticks,
} from './types.ts';

const word = (name: string) => (CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, name)) >> 2;
const RING = word('eventsHost');
const COUNT = word('eventsCount');
const STOP = word('stopEvent');
const ENABLED = word('eventsEnabled');
const CURRENT_HART = word('currentHart');
const VMID_SHIFT = 44n;
const VMID_MASK = 0x3fffn;
/** EVENT.cause of a return. */
const RETURN = 0xffff;
/** What is observed unless something else is asked for. */
const USUAL: Observed = { transitions: 'all', accesses: false, csrWrites: false };

const TRANSITIONS: Record<Observed['transitions'], number> = {
  none: 0,
  vm: CONSTANTS.OBSERVE_VM_TRANSITIONS,
  all: CONSTANTS.OBSERVE_VM_TRANSITIONS | CONSTANTS.OBSERVE_OTHER_TRANSITIONS,
};

/** The one who is told what happens in a machine. With no listener nothing is observed. */
export class Observer implements BusObserver {
  readonly #u32: Uint32Array;
  readonly #view: DataView;
  #listener: ((event: MachineEvent) => void) | undefined;
  #observed: Observed = USUAL;

  constructor(u32: Uint32Array) {
    this.#u32 = u32;
    this.#view = new DataView(u32.buffer);
  }

  get listener(): ((event: MachineEvent) => void) | undefined {
    return this.#listener;
  }
  set listener(listener: ((event: MachineEvent) => void) | undefined) {
    this.#listener = listener;
    this.#apply();
  }
  get observed(): Observed {
    return this.#observed;
  }
  set observed(observed: Observed) {
    this.#observed = observed;
    this.#apply();
  }
  /** Whether accesses to devices are to be told. */
  get wantsAccesses(): boolean {
    return this.#listener !== undefined && this.#observed.accesses;
  }

  console(moment: Moment, ticks: Ticks, byte: number): void {
    this.emit({ kind: 'console', moment, ticks, byte });
  }
  note(moment: Moment, ticks: Ticks, hart: number, code: number, arg: number): void {
    this.emit({ kind: 'note', moment, ticks, hart, code, arg });
  }
  frame(moment: Moment, ticks: Ticks, slot: number, bytes: Uint8Array): void {
    this.emit({ kind: 'net', moment, ticks, slot, bytes });
  }
  dma(moment: Moment, ticks: Ticks, written: DmaWrite): void {
    this.emit({ kind: 'dma', moment, ticks, ...written });
  }
  /** An access by the instruction that the current hart executes. */
  access(moment: Moment, ticks: Ticks, access: DeviceAccess): void {
    const hart = this.#u32[CURRENT_HART]!;
    const base = hartAddress(hart);
    this.emit({
      kind: 'access',
      moment,
      ticks,
      hart,
      pc: this.#view.getBigUint64(base + H.pc, true),
      mode: modeOf(this.#u32[(base + H.priv) >> 2]! | (this.#u32[(base + H.virt) >> 2]! << 2)),
      vmid: vmidOf(this.#view.getBigUint64(base + H.hgatp, true)),
      ...access,
    });
  }

  /** Forgets what waits in the ring. */
  forget(): void {
    this.#u32[COUNT] = 0;
    this.#u32[STOP] = 0;
  }
  /** Tells what waits in the ring, then this. */
  emit(event: MachineEvent): void {
    this.drain();
    this.#listener?.(event);
  }
  /** Tells what waits in the ring, oldest first, and empties it. */
  drain(): void {
    const count = this.#u32[COUNT]!;
    const listener = this.#listener;
    if (count === 0 || !listener) return;
    const ring = this.#u32[RING]!;
    // Emptied first: whoever observes may look at the machine and come back here.
    this.#u32[COUNT] = 0;
    for (let n = 0; n < count; n++) listener(eventAt(this.#view, this.#u32, ring + n * EVENT.sizeBytes));
  }

  #apply(): void {
    const { transitions, csrWrites, stops } = this.#observed;
    const kinds = TRANSITIONS[transitions] | (csrWrites ? CONSTANTS.OBSERVE_CSR_WRITES : 0);
    const bits = kinds | (stops ? CONSTANTS.OBSERVE_STOPS : 0);
    this.#u32[ENABLED] = this.#listener ? bits : 0;
    this.forget();
  }
}

const at = (name: string) => offsetOf(EVENT, name);
const AT = {
  moment: at('moment'),
  ticks: at('ticks'),
  pc: at('pc'),
  value: at('value'),
  further: at('further'),
  context: at('context'),
  work: at('work'),
  arguments: at('arguments'),
  cause: at('cause'),
  vmid: at('vmid'),
  kind: at('kind'),
  hart: at('hart'),
  from: at('from'),
  to: at('to'),
};
const HIGH = 0x100000000;
const NO_REGISTERS = Array<number>(16).fill(0);

/** Two words as one number: putting it together with shifts makes four. */
const PAIR = new Uint32Array(2);
const WHOLE = new BigUint64Array(PAIR.buffer);

/** a0 to a7. Words until somebody asks: nobody looks at those of most transitions. */
class ArgumentRegisters implements Registers {
  private readonly words: readonly number[];

  constructor(words: readonly number[]) {
    this.words = words;
  }
  at(n: number): bigint {
    PAIR[0] = this.words[2 * n]!;
    PAIR[1] = this.words[2 * n + 1]!;
    return WHOLE[0]!;
  }
}

function eventAt(view: DataView, u32: Uint32Array, address: number): MachineEvent {
  const cause = view.getUint32(address + AT.cause, true);
  const moment = safe(view, address + AT.moment);
  const ticks = safe(view, address + AT.ticks);
  const hart = view.getUint8(address + AT.hart);
  const from = modeOf(view.getUint8(address + AT.from));
  const pc = view.getBigUint64(address + AT.pc, true);
  const vmid = view.getUint32(address + AT.vmid, true);
  if (view.getUint8(address + AT.kind) === CONSTANTS.EVENT_IS_CSR_WRITE) {
    const before = view.getBigUint64(address + AT.value, true);
    const after = view.getBigUint64(address + AT.further, true);
    return { kind: 'csr', moment, ticks, hart, pc, mode: from, vmid, number: cause, before, after };
  }
  const to = modeOf(view.getUint8(address + AT.to));
  const context = view.getBigUint64(address + AT.context, true);
  const work = safe(view, address + AT.work);
  const at = (address + AT.arguments) >> 2;
  // Written out: an array that grows by pushing costs more than all the rest.
  // biome-ignore format: two words of a register on each line
  const words = [
    u32[at]!, u32[at + 1]!,
    u32[at + 2]!, u32[at + 3]!,
    u32[at + 4]!, u32[at + 5]!,
    u32[at + 6]!, u32[at + 7]!,
    u32[at + 8]!, u32[at + 9]!,
    u32[at + 10]!, u32[at + 11]!,
    u32[at + 12]!, u32[at + 13]!,
    u32[at + 14]!, u32[at + 15]!,
  ];
  const registers = new ArgumentRegisters(words);
  if (cause === RETURN) {
    return { kind: 'transition', moment, ticks, hart, from, to, pc, vmid, context, work, registers };
  }
  const trap = {
    cause: cause & 0x7fffffff,
    interrupt: cause >>> 31 === 1,
    tval: view.getBigUint64(address + AT.value, true),
    gpa: view.getBigUint64(address + AT.further, true) << 2n,
  };
  return { kind: 'transition', moment, ticks, hart, from, to, trap, pc, vmid, context, work, registers };
}

/** A 64-bit number that is a safe integer. */
const safe = (view: DataView, address: number): number =>
  view.getUint32(address, true) + HIGH * view.getUint32(address + 4, true);

/** By priv | virt << 2. With the H extension, S-mode outside a VM is HS-mode. */
const MODES: readonly Mode[] = ['U', 'HS', 'U', 'M', 'VU', 'VS', 'VU', 'M'];

/** Mode from priv | virt << 2. */
export const modeOf = (bits: number): Mode => MODES[bits & 7]!;

/** VMID of an hgatp value. */
export const vmidOf = (hgatp: bigint): number => Number((hgatp >> VMID_SHIFT) & VMID_MASK);

/**
 * What a reset does to harts, as transitions: each one that was not in M-mode is there now.
 * `harts`: before the reset; `at`: the position behind it.
 */
export function resetTransitions(
  harts: readonly (Pick<HartState, 'mode' | 'vmid'> & { readonly work: number })[],
  { transitions }: Observed,
  at: { readonly moment: Moment; readonly ticks: Ticks },
): MachineEvent[] {
  const isObserved = (from: Mode) =>
    transitions === 'all' || (transitions === 'vm' && (from === 'VS' || from === 'VU'));
  const registers = new ArgumentRegisters(NO_REGISTERS);
  const pc = BigInt(CONSTANTS.RESET_PC);
  return harts.flatMap(({ mode: from, vmid, work }, hart) =>
    from === 'M' || !isObserved(from)
      ? []
      : [{ kind: 'transition', ...at, hart, from, to: 'M', pc, vmid, context: 0n, work, registers }],
  );
}
