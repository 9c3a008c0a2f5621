/**
 * From what a machine reports to what it means: transitions become exits, entries, calls and traps, and so on. Knows
 * what each hart ran last. Relies on events coming in order; a run that is not seen from its beginning is told what
 * harts run where it begins.
 */
import {
  CSRS,
  csrByNumber,
  exceptionName,
  insideVm,
  interruptName,
  type MachineEvent,
  NOTES,
  noteName,
  noteText,
  type PublishedCall,
  RESET_NOTE,
} from '../../engine/index.ts';
import { callOf, HartCalls, VcpuCalls } from './calls.ts';
import type { LogCall, LogCause, LogEntry } from './types.ts';

type Event<K extends MachineEvent['kind']> = Extract<MachineEvent, { kind: K }>;

/** What a hart runs, or ran last. */
export interface Running {
  readonly vmid: number;
  readonly vcpu: bigint;
}

export interface DecoderOptions {
  /** The hypervisor's own calls. */
  readonly published?: ReadonlyMap<bigint, PublishedCall>;
  /** What harts run where the run is first seen, by their numbers. */
  readonly running?: ReadonlyMap<number, Running>;
}

/** ecall from HS-mode and from VS-mode. */
const CALL_FROM_HS = 9;
const CALL_FROM_VS = 10;
const GUEST_PAGE_FAULTS = [20, 21, 23];
const VIRTUAL_TWINS = new Map(CSRS.map(({ number, implementation }) => [number, implementation?.twin]));

export class Decoder {
  private readonly calls = new VcpuCalls();
  private readonly sbiCalls = new HartCalls();
  private readonly published: ReadonlyMap<bigint, PublishedCall>;
  private readonly ran: Map<number, Running>;
  /** Takes each entry, in order. */
  private readonly tell: (entry: LogEntry) => void;

  constructor(tell: (entry: LogEntry) => void, { published, running }: DecoderOptions = {}) {
    this.tell = tell;
    this.published = published ?? new Map();
    this.ran = new Map(running);
  }

  /** Tells what an event means. */
  see(event: MachineEvent): void {
    switch (event.kind) {
      case 'transition':
        this.transition(event);
        return;
      case 'csr':
        this.tell(csrEntry(event));
        return;
      case 'access':
        this.tell(accessEntry(event));
        return;
      case 'dma': {
        const { moment, ticks, device, paddr, bytes, request } = event;
        this.tell({ kind: 'dma', moment, ticks, dma: { device, paddr, bytes, ...request } });
        return;
      }
      case 'note':
        this.note(event);
    }
  }

  private transition(event: Event<'transition'>): void {
    const [leaves, enters] = [insideVm(event.from), insideVm(event.to)];
    if (leaves && !enters) this.exit(event);
    else if (enters && !leaves) this.entry(event);
    else if (event.trap) this.trap(event);
    else if (event.from === 'M' && event.to === 'HS') this.sbiCalls.end(event);
  }

  private exit(event: Event<'transition'>): void {
    const { moment, ticks, hart, vmid, context, from, to, pc, work, trap } = event;
    // A reset ends a VM without a trap; the entry for it says so.
    if (!trap) return;
    this.ran.set(hart, { vmid, vcpu: context });
    const cause = causeOf(trap);
    this.tell({ kind: 'exit', moment, ticks, hart, vmid, vcpu: context, mode: from, to, pc, work, cause });
    if (trap.interrupt || trap.cause !== CALL_FROM_VS) return;
    const call = callOf(event.registers, this.published);
    this.calls.begin(event, call);
    this.tell({ kind: 'hypercall', moment, ticks, hart, vmid, vcpu: context, mode: from, to, pc, work, call });
  }

  private entry(event: Event<'transition'>): void {
    const { moment, ticks, hart, vmid, context, from, to, pc, work } = event;
    this.calls.end(event);
    const before = this.ran.get(hart);
    if (before?.vmid !== vmid || before.vcpu !== context) {
      const now = { vmid, vcpu: context };
      this.ran.set(hart, now);
      this.tell({ kind: 'sched', moment, ticks, hart, ...now, ...(before && { before }) });
    }
    this.tell({ kind: 'entry', moment, ticks, hart, vmid, vcpu: context, mode: from, to, pc, work });
  }

  private trap(event: Event<'transition'>): void {
    const { moment, ticks, hart, vmid, from, to, pc, work } = event;
    const trap = event.trap!;
    if (!trap.interrupt && trap.cause === CALL_FROM_HS && from === 'HS' && to === 'M') {
      const call = callOf(event.registers);
      this.sbiCalls.begin(event, call);
      this.tell({ kind: 'sbi', moment, ticks, hart, mode: from, to, pc, work, call });
      return;
    }
    const kind = trap.interrupt ? 'interrupt' : 'trap';
    const cause = causeOf(trap);
    if (insideVm(from)) this.tell({ kind, moment, ticks, hart, vmid, mode: from, to, pc, work, cause });
    else this.tell({ kind, moment, ticks, hart, mode: from, to, pc, work, cause });
  }

  private note({ moment, ticks, hart, code, arg }: Event<'note'>): void {
    if (code === RESET_NOTE) {
      this.calls.forget();
      this.sbiCalls.forget();
      this.ran.clear();
      this.tell({ kind: 'reset', moment, ticks, hart });
      return;
    }
    const note = { code, arg, text: noteText(code, arg) };
    this.tell({ kind: isOfRecovery(code) ? 'recovery' : 'note', moment, ticks, hart, note });
  }
}

/** From the first code of a detection on. */
const isOfRecovery = (code: number): boolean => noteName(code) !== undefined && code >= NOTES.DETECTED_TRAP.code;

const vmOf = ({ vmid }: { readonly vmid: number }, mode: Event<'csr'>['mode']) => (insideVm(mode) ? { vmid } : {});

function causeOf({ cause, interrupt, tval, gpa }: NonNullable<Event<'transition'>['trap']>): LogCause {
  const name = interrupt ? interruptName(cause) : exceptionName(cause);
  const base = { number: cause, interrupt, name, tval };
  return !interrupt && GUEST_PAGE_FAULTS.includes(cause) ? { ...base, gpa } : base;
}

function csrEntry(event: Event<'csr'>): LogEntry {
  const { moment, ticks, hart, mode, pc, number, before, after } = event;
  const twin = insideVm(mode) ? VIRTUAL_TWINS.get(number) : undefined;
  const name = twin ?? csrByNumber(number)?.name ?? `0x${number.toString(16)}`;
  return { kind: 'csr', moment, ticks, hart, ...vmOf(event, mode), mode, pc, csr: { number, name, before, after } };
}

function accessEntry(event: Event<'access'>): LogEntry {
  const { moment, ticks, hart, mode, pc, device, paddr, offset, access, bytes, value } = event;
  const what = { device, paddr, offset, access, bytes, value };
  return { kind: 'mmio', moment, ticks, hart, ...vmOf(event, mode), mode, pc, access: what };
}

/** Whether an entry waits for its call to end. */
export const isOpen = ({ call }: { readonly call?: LogCall }): boolean =>
  call !== undefined && call.result === undefined;
