/**
 * The stack of the code that a hart is in: frame by frame, by debug information where there is any, else by what the
 * code shows, else along frame pointers. Every frame above the innermost is where a call returns to, in code that can
 * be executed; where that cannot be said the list ends, with the reason. Relies on stacks growing downwards.
 */
import { isRam, type Machine, type MachineSymbols, type Mode } from '../../engine/index.ts';
import { codeRules } from './code-rules.ts';
import { flowAt, linksBefore } from './flow.ts';
import { type Caller, callerOf, FP, type KnownRegisters, OUTERMOST, RA, SP, type StackRules } from './rules.ts';

export interface StackFrame {
  readonly pc: bigint;
  /** undefined: not known. */
  readonly sp?: bigint;
  /** How it was found: where the hart is; by DWARF call frames, the called function's code, frame pointers, or ra. */
  readonly by: 'pc' | 'dwarf' | 'code' | 'frame pointer' | 'ra';
  /** False: the call leads somewhere else than to the function above; a tail call in between, or ra is an old one. */
  readonly isSure: boolean;
  /** Whether pc is its next instruction, and not where the function that it called returns to. */
  readonly isNext: boolean;
}

export interface Stack {
  readonly frames: readonly StackFrame[];
  /** Why it ends there, for people. */
  readonly end: string;
  /** `outermost`: nobody called it; `handler`: of a trap, what it interrupted is elsewhere; `lost`: not known. */
  readonly ended: 'outermost' | 'handler' | 'lost' | 'depth';
}

/** A frame is no larger, when frame pointers are followed. */
const MAX_FRAME_BYTES = 1n << 20n;
const WORD = 8;
/** Causes that a vectored trap vector tells apart at most. */
const VECTORS = 64;

/** Up to `depth` frames of a hart, in its mode and address space; changes nothing in the machine. */
export function unwind(machine: Machine, hart: number, symbols: MachineSymbols, depth: number): Stack {
  const { mode, vmid, pc, x } = machine.hart(hart);
  return new Unwinding(machine, { hart, mode, vmid }, symbols).from(pc, x, depth);
}

interface Where {
  readonly hart: number;
  readonly mode: Mode;
  readonly vmid: number;
}

type Found = Pick<StackFrame, 'by' | 'isSure'> & { readonly caller: Caller; readonly isInterrupted: boolean };
type End = Pick<Stack, 'end' | 'ended'>;

class Unwinding {
  private readonly machine: Machine;
  private readonly where: Where;
  private readonly symbols: MachineSymbols;
  private handlers: ReadonlySet<bigint | undefined> | undefined;

  constructor(machine: Machine, where: Where, symbols: MachineSymbols) {
    this.machine = machine;
    this.where = where;
    this.symbols = symbols;
  }

  from(pc: bigint, x: KnownRegisters, depth: number): Stack {
    const frames: StackFrame[] = [{ pc, sp: x[SP]!, by: 'pc', isSure: true, isNext: true }];
    let at: Caller = { pc, x };
    let isNext = true;
    for (;;) {
      const found = this.callerAt(at, isNext, frames.length === 1);
      if ('ended' in found) return { frames, ...found };
      if (frames.length >= depth) return { frames, end: `more than ${depth} frames`, ended: 'depth' };
      const { caller, by, isSure, isInterrupted } = found;
      const sp = caller.x[SP];
      frames.push({ pc: caller.pc, ...(sp !== undefined && { sp }), by, isSure, isNext: isInterrupted });
      if (sp === undefined) return { frames, end: 'its stack pointer is not known', ended: 'lost' };
      at = caller;
      isNext = isInterrupted;
    }
  }

  private callerAt(at: Caller, isNext: boolean, isInnermost: boolean): Found | End {
    // Where a call returns to may belong to another function already.
    const address = isNext ? at.pc : at.pc - 1n;
    const start = this.startOf(address);
    if (start !== undefined && this.isHandler(start)) return { end: 'a handler of traps', ended: 'handler' };
    const [rules, by] = this.rulesAt(at.pc, address, start, isNext);
    const caller = rules ? callerOf(rules, at.x, (from) => this.word(from)) : undefined;
    if (typeof caller === 'string') return caller === OUTERMOST ? outermost : lost(caller);
    if (caller && rules)
      return this.checked(at, caller, { by, isInnermost, isInterrupted: rules.isSignalFrame }, start);
    const chained = this.chained(at);
    if (chained) return this.checked(at, chained, { by: 'frame pointer', isInnermost, isInterrupted: false }, start);
    const ra = at.x[RA];
    const why =
      start === undefined
        ? 'no symbol or debug information says in which function it is'
        : 'its code does not show its frame';
    if (!isInnermost || ra === undefined || this.startOf(ra - 1n) === start) return lost(why);
    const only = { pc: ra, x: at.x.map((_, n) => (n === RA ? ra : undefined)) };
    const found = this.checked(at, only, { by: 'ra', isInnermost, isInterrupted: false }, start);
    return 'ended' in found ? lost(why) : { ...found, isSure: false };
  }

  /** A caller that can be one; else why not. */
  private checked(
    at: Caller,
    caller: Caller,
    { by, isInnermost, isInterrupted }: Pick<Found, 'by' | 'isInterrupted'> & { readonly isInnermost: boolean },
    start: bigint | undefined,
  ): Found | End {
    const { machine, where } = this;
    const { pc } = caller;
    const [sp, below] = [caller.x[SP], at.x[SP]];
    if (pc === 0n) return outermost;
    if (sp !== undefined && below !== undefined) {
      if (sp % BigInt(WORD) !== 0n) return lost(`its frame would end at ${text(sp)}, which is not aligned`);
      if (sp < below || (sp === below && !isInnermost)) return lost(`its frame would end at ${text(sp)}, below it`);
    }
    if (pc % 2n !== 0n || flowAt(machine, where.hart, pc) === undefined) {
      return lost(`its return address would be ${text(pc)}, where no code is`);
    }
    if (isInterrupted) return { caller, by, isSure: true, isInterrupted };
    const links = linksBefore(machine, where.hart, pc, ['call']);
    if (links.length === 0) return lost(`its return address would be ${text(pc)}, which is behind no call`);
    const isSure = start === undefined || links.some(({ flow }) => flow.target === undefined || flow.target === start);
    return { caller, by, isSure, isInterrupted };
  }

  private rulesAt(
    pc: bigint,
    address: bigint,
    start: bigint | undefined,
    isNext: boolean,
  ): [rules: StackRules | undefined, by: 'dwarf' | 'code'] {
    const { machine, where } = this;
    const info = this.symbols.debugAt(where.mode, address, where.vmid);
    const written = info?.debug.frameAt(info.address);
    if (written) return [written, 'dwarf'];
    if (start === undefined) return [undefined, 'code'];
    const isInside = (address: bigint) => this.startOf(address) === start;
    const ats = isNext ? [pc] : linksBefore(machine, where.hart, pc, ['call']).map((link) => link.at);
    for (const at of ats) {
      const rules = codeRules(machine, where.hart, start, { at, isCall: !isNext }, isInside);
      if (rules) return [rules, 'code'];
    }
    return [undefined, 'code'];
  }

  /** Along the frame pointer, where compilers keep one: ra below it, and the caller's below that. */
  private chained({ x }: Caller): Caller | undefined {
    const [fp, sp] = [x[FP], x[SP]];
    if (fp === undefined || sp === undefined || fp % BigInt(WORD) !== 0n) return undefined;
    if (fp <= sp || fp - sp > MAX_FRAME_BYTES) return undefined;
    const [pc, above] = [this.word(fp - 8n), this.word(fp - 16n)];
    if (
      pc === undefined ||
      above === undefined ||
      linksBefore(this.machine, this.where.hart, pc, ['call']).length === 0
    ) {
      return undefined;
    }
    return { pc, x: x.map((_, n) => (n === SP ? fp : n === FP ? above : n === RA ? pc : undefined)) };
  }

  private startOf(address: bigint): bigint | undefined {
    const found = this.symbols.lookup(this.where.mode, BigInt.asUintN(64, address), this.where.vmid);
    return found && BigInt.asUintN(64, address - found.offset);
  }

  /**
   * Whether a function is where the hart's traps to this mode lead.
   * @see Volume II, "Machine Trap-Vector Base-Address Register"
   */
  private isHandler(start: bigint): boolean {
    this.handlers ??= this.readHandlers();
    return this.handlers.has(start);
  }

  private readHandlers(): ReadonlySet<bigint | undefined> {
    const { machine, where } = this;
    const vector = machine.csr(where.hart, where.mode === 'M' ? 'mtvec' : 'stvec');
    const base = vector & ~3n;
    const leads = Array.from({ length: (vector & 3n) === 1n ? VECTORS : 0 }, (_, cause) => {
      return flowAt(machine, where.hart, base + 4n * BigInt(cause))?.target;
    });
    return new Set([base, ...leads].map((address) => address && this.startOf(address)));
  }

  private word(address: bigint): bigint | undefined {
    const { machine, where } = this;
    if (address % BigInt(WORD) !== 0n) return undefined;
    const paddr = machine.translate(where.hart, BigInt.asUintN(64, address));
    return paddr === undefined || !isRam(machine, paddr, WORD)
      ? undefined
      : new DataView(machine.readPhysical(paddr, WORD).slice().buffer).getBigUint64(0, true);
  }
}

const outermost: End = { end: OUTERMOST, ended: 'outermost' };
const lost = (end: string): End => ({ end, ended: 'lost' });
const text = (value: bigint): string => `0x${value.toString(16)}`;
