/**
 * How a condition can be followed without looking at it before every instruction. One that can hold only where a hart
 * executes a certain place is looked at there (breakpoints); one over memory when that memory is written
 * (watchpoints); one over modes, CSRs and VMs at every trap, return and CSR write, too. What is in other registers can
 * change with any instruction: it is looked at there, too, unless every instruction is asked for.
 * Knows the form of conditions only. Which memory one depends on is found when it is evaluated (when.ts).
 */
import { CSRS } from '../../engine/index.ts';
import {
  type Context,
  childrenOf,
  type Expression,
  findSymbol,
  type RegisterNode,
  type SymbolNode,
} from '../language/index.ts';

/** Where a condition is looked at. */
export type Plan =
  | {
      readonly check: 'execution';
      /** Right before a hart executes an instruction at one of these virtual addresses. */
      readonly places: readonly Execution[];
    }
  /** When the memory that it depends on is written, or lies elsewhere. */
  | { readonly check: 'memory' }
  /**
   * Then, and at each trap, return and CSR write (`vm`: at each exit of a VM and entry to one). `registers`: what it
   * depends on and can change between those.
   */
  | { readonly check: 'events'; readonly which: 'all' | 'vm'; readonly registers: readonly string[] }
  | { readonly check: 'instructions' };

/** Instructions of one hart in [from, to). */
export interface Execution {
  readonly hart: number;
  readonly from: bigint;
  readonly to: bigint;
}

/** Half-words that a condition's places may have in all: each is a breakpoint. */
const MAX_HALF_WORDS = 32_768n;

/** How often a condition is to be looked at, where somebody says so. */
export const EVERY = ['instruction', 'trap', 'exit'] as const;
export type Every = (typeof EVERY)[number];

/** Plans how to follow a condition; `every`: as somebody says. */
export function planCondition(node: Expression, context: Context, every?: Every): Plan {
  if (every === 'instruction') return { check: 'instructions' };
  if (every) return { check: 'events', which: every === 'exit' ? 'vm' : 'all', registers: [] };
  const places = executionsOf(node, context);
  const halves = places?.reduce((sum, { from, to }) => sum + (to - from + 1n) / 2n, 0n) ?? 0n;
  if (places && halves <= MAX_HALF_WORDS) return { check: 'execution', places };
  const inputs = [...new Set(inputsOf(node))];
  const registers = inputs.filter((input) => !changesByEvents(input));
  return inputs.length === 0 && !hasVm(node) ? { check: 'memory' } : { check: 'events', which: 'all', registers };
}

/** What the table of CSRs says of those that change by themselves: counters, interrupts that devices raise. */
const MOVING_SOURCES: ReadonlySet<string> = new Set(['cycle', 'time', 'instret', 'pending', 'status']);
/** And of those that floating-point instructions change: flags, and FS. */
const FLOAT_WRITES: ReadonlySet<string> = new Set(['float', 'status', 'mstatus']);
const MOVING = new Set(
  CSRS.filter(({ implementation: its }) => its && (MOVING_SOURCES.has(its.source) || FLOAT_WRITES.has(its.write))).map(
    ({ name }) => name,
  ),
);

/** Whether what a condition depends on changes with traps, returns and CSR writes only, as far as software goes. */
function changesByEvents(input: string): boolean {
  const [, name] = /^hart\d+\.(\w+)$/.exec(input) ?? [];
  return name !== undefined && !/^([xf]\d+|pc|waiting)$/.test(name) && !MOVING.has(name);
}

/**
 * Where a condition can hold at all; undefined when it may hold anywhere. Of `a && b` one is enough, of `a || b` both
 * are needed.
 */
function executionsOf(node: Expression, context: Context): readonly Execution[] | undefined {
  if (node.kind === 'within' && isPc(node.value)) {
    const { hart } = node.value;
    if (!('low' in node.range)) return symbolPlaces(node.range, hart, context);
    const [low, high] = [numberOf(node.range.low), numberOf(node.range.high)];
    return low === undefined || high === undefined || high <= low ? undefined : [{ hart, from: low, to: high }];
  }
  if (node.kind !== 'binary') return undefined;
  const { operator, left, right } = node;
  if (operator === '==') {
    const [pc, other] = isPc(left) ? [left, right] : [right, left];
    if (!isPc(pc)) return undefined;
    if (other.kind === 'symbol') return symbolPlaces(other, pc.hart, context, 1n);
    const at = numberOf(other);
    return at === undefined ? undefined : [{ hart: pc.hart, from: at, to: at + 1n }];
  }
  const [a, b] = [executionsOf(left, context), executionsOf(right, context)];
  if (operator === '&&') return smaller(a, b);
  return operator === '||' && a && b ? [...a, ...b] : undefined;
}

/** A symbol's instructions, at the addresses that it is linked for and loaded at; `bytes`: the first ones only. */
function symbolPlaces(node: SymbolNode, hart: number, { symbols }: Context, bytes?: bigint): readonly Execution[] {
  const symbol = findSymbol(node, symbols);
  const length = bytes ?? symbol.bytes;
  const starts = new Set([symbol.address, symbol.loaded]);
  return [...starts].map((from) => ({ hart, from, to: from + length }));
}

function smaller(
  a: readonly Execution[] | undefined,
  b: readonly Execution[] | undefined,
): readonly Execution[] | undefined {
  if (!a || !b) return a ?? b;
  const size = (list: readonly Execution[]) => list.reduce((sum, { from, to }) => sum + (to - from), 0n);
  return size(a) <= size(b) ? a : b;
}

const isPc = (node: Expression): node is RegisterNode => node.kind === 'register' && node.name === 'pc';
const numberOf = (node: Expression): bigint | undefined => (node.kind === 'number' ? node.value : undefined);

/** An expression and everything that it is made of. */
function* parts(node: Expression): Generator<Expression> {
  yield node;
  for (const child of childrenOf(node)) yield* parts(child);
}

/** What a condition depends on besides memory: `hart0.x10`, `moment`; of a virtual address its hart's tables. */
function inputsOf(node: Expression): string[] {
  return [...parts(node)].flatMap((part) => {
    if (part.kind === 'register') return `hart${part.hart}.${part.name}`;
    if (part.kind === 'counter') return part.name;
    if (part.kind !== 'address' || part.space.kind !== 'va') return [];
    return part.space.hart === undefined ? 'whose instruction is next' : `hart${part.space.hart}.satp`;
  });
}

const hasVm = (node: Expression): boolean =>
  [...parts(node)].some(
    (part) =>
      part.kind === 'vm' ||
      (part.kind === 'address' && part.space.kind === 'gpa') ||
      (part.kind === 'symbol' && part.vmid !== undefined),
  );
