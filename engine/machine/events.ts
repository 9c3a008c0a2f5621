/**
 * What is observed, and who is told: turns the core's ring of transitions and CSR writes into events, and hands them
 * over in order with what the bus tells. Relies on the core for recording; drains its ring before every other event.
 */
import { CONSTANTS, EVENT, hartAddress, MACHINE, offsetOf } from '../core/index.ts';
import type { BusObserver } from './bus/index.ts';
import { H } from './state/index.ts';
import type { DeviceAccess, DmaWrite, HartState, MachineEvent, Mode, Moment, Observed, Ticks } from './types.ts';

const word = (name: string) => (CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, name)) >> 2;
const RING = word('eventsHost');
const COUNT = word('eventsCount');
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
    for (let n = 0; n < count; n++) listener(eventAt(this.#view, ring + n * EVENT.sizeBytes));
  }

  #apply(): void {
    const { transitions, csrWrites } = this.#observed;
    const bits = TRANSITIONS[transitions] | (csrWrites ? CONSTANTS.OBSERVE_CSR_WRITES : 0);
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
  arguments: at('arguments'),
  cause: at('cause'),
  vmid: at('vmid'),
  kind: at('kind'),
  hart: at('hart'),
  from: at('from'),
  to: at('to'),
};
const HIGH = 0x100000000;

function eventAt(view: DataView, address: number): MachineEvent {
  const u64 = (offset: number) => view.getBigUint64(address + offset, true);
  const safe = (offset: number) =>
    view.getUint32(address + offset, true) + HIGH * view.getUint32(address + offset + 4, true);
  const cause = view.getUint32(address + AT.cause, true);
  const moment = safe(AT.moment);
  const ticks = safe(AT.ticks);
  const hart = view.getUint8(address + AT.hart);
  const from = modeOf(view.getUint8(address + AT.from));
  const pc = u64(AT.pc);
  const vmid = view.getUint32(address + AT.vmid, true);
  if (view.getUint8(address + AT.kind) === CONSTANTS.EVENT_IS_CSR_WRITE) {
    const values = { before: u64(AT.value), after: u64(AT.further) };
    return { kind: 'csr', moment, ticks, hart, pc, mode: from, vmid, number: cause, ...values };
  }
  const to = modeOf(view.getUint8(address + AT.to));
  const trap =
    cause === RETURN
      ? undefined
      : { cause: cause & 0x7fffffff, interrupt: cause >>> 31 === 1, tval: u64(AT.value), gpa: u64(AT.further) << 2n };
  const context = u64(AT.context);
  const registers = Array.from({ length: 8 }, (_, n) => u64(AT.arguments + 8 * n));
  return { kind: 'transition', moment, ticks, hart, from, to, ...(trap && { trap }), pc, vmid, context, registers };
}

/** Mode from priv | virt << 2. With the H extension, S-mode outside a VM is HS-mode. */
export function modeOf(bits: number): Mode {
  const virt = (bits & 4) !== 0;
  if ((bits & 3) === 3) return 'M';
  if ((bits & 3) === 1) return virt ? 'VS' : 'HS';
  return virt ? 'VU' : 'U';
}

/** VMID of an hgatp value. */
export const vmidOf = (hgatp: bigint): number => Number((hgatp >> VMID_SHIFT) & VMID_MASK);

/**
 * What a reset does to harts, as transitions: each one that was not in M-mode is there now.
 * `harts`: before the reset; `at`: the position behind it.
 */
export function resetTransitions(
  harts: readonly Pick<HartState, 'mode' | 'vmid'>[],
  { transitions }: Observed,
  at: { readonly moment: Moment; readonly ticks: Ticks },
): MachineEvent[] {
  const isObserved = (from: Mode) =>
    transitions === 'all' || (transitions === 'vm' && (from === 'VS' || from === 'VU'));
  const registers = Array<bigint>(8).fill(0n);
  const pc = BigInt(CONSTANTS.RESET_PC);
  return harts.flatMap(({ mode: from, vmid }, hart) =>
    from === 'M' || !isObserved(from)
      ? []
      : [{ kind: 'transition', ...at, hart, from, to: 'M', pc, vmid, context: 0n, registers }],
  );
}
