/**
 * Rules for a frame from the code of its function, where there is no debug information: every path from its first
 * instruction on is followed, to see how far sp has moved and where ra and the registers that calls preserve were
 * saved. Relies on a symbol for where the function begins, and on compilers keeping a frame the same on all paths.
 * Does not follow values through memory that is not on the stack, and knows nothing of handlers of traps.
 */
import { decode, disassembleAt, type Machine, type RegisterRule } from '../../engine/index.ts';
import { flowAt } from './flow.ts';
import { FP, PRESERVED, RA, SP, type StackRules } from './rules.ts';

/** What a register holds: what it held at the entry, CFA + n, or n. */
type Held = { readonly entry: number } | { readonly cfa: bigint } | { readonly number: bigint } | undefined;

interface State {
  readonly x: readonly Held[];
  /** By offset from CFA: which register's value at the entry is there. */
  readonly saved: ReadonlyMap<bigint, number>;
  /** ra was put somewhere where it cannot be followed: another stack, a CSR. */
  readonly isAway: boolean;
}

/** Instructions looked at, of one function. */
const MAX_VISITS = 8_192;
const REGISTERS = Array.from({ length: 32 }, (_, n) => n);
/** Those that a function gives back as it got them. */
const KEPT = [RA, FP, ...[...PRESERVED].filter((n) => n > FP)];

/**
 * The rules where an instruction of a function is next, or behind it if it is a call that has returned.
 * `isInside`: whether an address belongs to the function. undefined where no path leads to it, or it does not show the
 * frame.
 */
export function codeRules(
  machine: Machine,
  hart: number,
  start: bigint,
  { at, isCall }: { readonly at: bigint; readonly isCall: boolean },
  isInside: (address: bigint) => boolean,
): StackRules | undefined {
  const x = REGISTERS.map((n): Held => (n === SP ? { cfa: 0n } : n === 0 ? { number: 0n } : { entry: n }));
  const reached = new Map<bigint, Reached>();
  const ahead: (Reached & { readonly pc: bigint })[] = [
    { pc: start, state: { x, saved: new Map(), isAway: false }, isBehindCall: false, rank: 0 },
  ];
  let visits = 0;
  for (let next = ahead.pop(); next && visits < MAX_VISITS; next = ahead.pop()) {
    const { pc, isBehindCall } = next;
    const before = reached.get(pc);
    const state = before ? joined(next, before) : next.state;
    if (!isInside(pc) || !state) continue;
    const isOther = before && frameIn(state) !== frameIn(before.state);
    const rank = Math.max(next.rank, before ? before.rank + (isOther ? 1 : 0) : 0);
    reached.set(pc, { state, isBehindCall: isBehindCall && before?.isBehindCall !== false, rank });
    visits++;
    const flow = flowAt(machine, hart, pc);
    const step = flow && executed(machine, hart, pc, state);
    if (!flow || !step) continue;
    const to = (address: bigint, isBehind: boolean) =>
      ahead.push({ pc: BigInt.asUintN(64, address), state: step.state, isBehindCall: isBehind, rank });
    if (flow.target !== undefined && flow.kind === 'other') to(flow.target, false);
    if (!step.isEnd) to(pc + BigInt(flow.bytes), flow.kind === 'call');
  }
  const found = reached.get(at)?.state;
  return found && rulesIn(isCall ? called(found) : found);
}

/** How an instruction was reached. */
interface Reached {
  readonly state: State;
  /** From a call in front of it, which perhaps does not return. */
  readonly isBehindCall: boolean;
  /** Of two that are not the same the higher counts. */
  readonly rank: number;
}

/** What is known where two ways meet; undefined: no less than what was known there. */
function joined(next: Reached, { state: before, ...known }: Reached): State | undefined {
  const { state } = next;
  if (frameIn(state) !== frameIn(before)) {
    const isBetter = next.rank > known.rank || (known.isBehindCall && !next.isBehindCall);
    return isBetter ? state : undefined;
  }
  const x = before.x.map((value, n) => (isSame(value, state.x[n]) ? value : undefined));
  const saved = new Map([...before.saved].filter(([offset, register]) => state.saved.get(offset) === register));
  const isAway = before.isAway || state.isAway;
  const isLess =
    saved.size < before.saved.size || isAway !== before.isAway || x.some((value, n) => value !== before.x[n]);
  return isLess ? { x, saved, isAway } : undefined;
}

/** How far sp has moved. */
const frameIn = ({ x }: State): bigint | undefined => (x[SP] && 'cfa' in x[SP] ? x[SP].cfa : undefined);

function isSame(a: Held, b: Held): boolean {
  if (!a || !b) return a === b;
  if ('cfa' in a) return 'cfa' in b && a.cfa === b.cfa;
  return 'entry' in a ? 'entry' in b && a.entry === b.entry : 'number' in b && a.number === b.number;
}

/** What an instruction leaves, and whether nothing comes behind it. */
function executed(
  machine: Machine,
  hart: number,
  pc: bigint,
  state: State,
): { state: State; isEnd: boolean } | undefined {
  const [line] = disassembleAt(machine, hart, pc, 1);
  const decoded = line && decode(line.raw);
  if (!decoded) return undefined;
  const { name } = decoded.instruction;
  const { rd = 0, rs1 = 0, rs2 = 0, imm = 0 } = decoded.operands;
  const { x, saved } = state;
  const isRa = (value: Held) => value !== undefined && 'entry' in value && value.entry === RA;
  const set = (value: Held) => ({
    state: { ...state, x: rd === 0 ? x : x.with(rd, value) },
    isEnd: false,
  });
  switch (name) {
    case 'jal':
    case 'jalr':
      if (rd === 0) return { state, isEnd: true };
      // Helpers that save registers link in t0, and work on this frame: what they do is not known.
      return rd === RA ? { state: called(state), isEnd: false } : undefined;
    case 'mret':
    case 'sret':
      return { state, isEnd: true };
    case 'addi':
      return set(plus(x[rs1], BigInt(imm)));
    case 'lui':
      return set({ number: BigInt(imm) });
    case 'addiw':
      return set(x[rs1] && 'number' in x[rs1] ? plus(x[rs1], BigInt(imm)) : undefined);
    case 'add':
      return set(sum(x[rs1], x[rs2]));
    case 'sub': {
      const number = x[rs2] && 'number' in x[rs2] ? x[rs2].number : undefined;
      return set(number === undefined ? undefined : plus(x[rs1], -number));
    }
    case 'ld': {
      const place = x[rs1];
      const register = place && 'cfa' in place ? saved.get(place.cfa + BigInt(imm)) : undefined;
      return set(register === undefined ? undefined : { entry: register });
    }
    case 'sd':
      return { state: { ...state, ...stored(state, x[rs1], BigInt(imm), x[rs2]) }, isEnd: false };
    case 'ecall':
      return { state: { ...state, x: x.with(10, undefined).with(11, undefined) }, isEnd: false };
    case 'csrrw':
      if (isRa(x[rs1])) return { state: { ...state, isAway: true }, isEnd: false };
      return set(undefined);
    default:
      // Stores and branches have no rd; a register of floating point in its place costs knowledge, no more.
      return set(undefined);
  }
}

function stored({ saved, isAway }: State, place: Held, offset: bigint, value: Held): Omit<State, 'x'> {
  const register = value && 'entry' in value ? value.entry : undefined;
  if (!place || !('cfa' in place)) return { saved, isAway: isAway || register === RA };
  const at = place.cfa + offset;
  const before = saved.get(at);
  if (register === before) return { saved, isAway };
  const now = new Map(saved);
  if (register === undefined) now.delete(at);
  else now.set(at, register);
  return { saved: now, isAway: isAway || before === RA };
}

const plus = (value: Held, n: bigint): Held => {
  if (!value || n === 0n) return value;
  if ('cfa' in value) return { cfa: value.cfa + n };
  return 'number' in value ? { number: value.number + n } : undefined;
};

const sum = (a: Held, b: Held): Held => {
  if (b && 'number' in b) return plus(a, b.number);
  return a && 'number' in a ? plus(b, a.number) : undefined;
};

/** A call has returned: what it need not preserve is lost. */
const called = ({ x, ...rest }: State): State => ({
  ...rest,
  x: x.map((value, n) => (n === 0 || n === SP || PRESERVED.has(n) ? value : undefined)),
});

function rulesIn({ x, saved, isAway }: State): StackRules | undefined {
  // sp as a rule; where it is not known, the frame pointer.
  const base = [SP, FP].find((n) => x[n] && 'cfa' in x[n]) ?? SP;
  const held = x[base];
  const offset = held && 'cfa' in held ? -Number(held.cfa) : undefined;
  const where = new Map([...saved].map(([offset, register]) => [register, offset]));
  const rule = (register: number): RegisterRule => {
    const value = x[register];
    if (value && 'entry' in value && value.entry === register) return { kind: 'same' };
    const at = where.get(register);
    if (at !== undefined) return { kind: 'saved', offset: Number(at) };
    const other = x.findIndex((its) => its && 'entry' in its && its.entry === register);
    return other < 0 ? { kind: 'undefined' } : { kind: 'register', register: other };
  };
  const returnAddress = rule(RA);
  const { kind } = returnAddress;
  // Who keeps no return address was called by nobody.
  if (kind === 'undefined' ? isAway : kind === 'saved' && offset === undefined) return undefined;
  const registers = new Map(KEPT.map((register) => [register, rule(register)]));
  // It has a stack of its own: the caller's is not known.
  if (offset === undefined) registers.set(SP, { kind: 'undefined' });
  return {
    cfa: { kind: 'register', register: base, offset: offset ?? 0 },
    returnRegister: RA,
    returnAddress,
    registers,
    isSignalFrame: false,
  };
}
