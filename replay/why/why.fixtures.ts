/** Judges chains against the machine: used by tests only. */
import { expect } from 'vitest';
import { csrByNumber, type Fault, type FaultCsr, type Machine } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import type { PlannedInput } from '../base/types.ts';
import { finish } from '../search/index.ts';
import { openTimeline, type TraceTimeline } from '../timeline/index.ts';
import type { Cause } from './answer.ts';
import type { Location } from './flow.ts';
import { whyAlone } from './tree.ts';
import type { WhyNode, WhyOperand, WhySource, WhyStepNode, WhyTree, WhyTreeOptions } from './tree-types.ts';

const RUNS = new WeakMap<Trace, { readonly asked: TraceTimeline; readonly judge: TraceTimeline }>();

/** Two machines for each trace: the one that is asked, and the one that judges. */
export function runsOf(trace: Trace) {
  const runs = RUNS.get(trace) ?? { asked: openTimeline(trace), judge: openTimeline(trace) };
  RUNS.set(trace, runs);
  return runs;
}

/** Asks why a location has its value at a tick (the end unless given) and judges what comes out. */
export function ask(
  trace: Trace,
  location: Location,
  { at, ...options }: WhyTreeOptions & { readonly at?: number } = {},
): WhyTree {
  const run = runsOf(trace).asked;
  const ticks = at ?? trace.last.ticks;
  run.toTicks(ticks, 'applied');
  const { moment } = run.machine;
  const tree = finish(whyAlone(run, location, { moment, ticks }, options));
  judge(trace, tree, ticks);
  return tree;
}

export const register = (number: number, hart = 0): Location => ({ kind: 'register', hart, number, from: 0, bytes: 8 });
export const memory = (paddr: number, bytes = 8): Location => ({ kind: 'memory', paddr, bytes });

/** All nodes of a tree, the question's first. */
export function nodesOf(operand: WhyOperand): WhyNode[] {
  return (operand.sources ?? []).flatMap(({ node }) => [
    node,
    ...(node.kind === 'step' ? node.operands.flatMap(nodesOf) : []),
  ]);
}

export const originsOf = (tree: WhyTree): WhyNode[] =>
  nodesOf(tree.root).filter(({ kind }) => kind !== 'step' && kind !== 'seen');

export const stepsOf = (tree: WhyTree): WhyStepNode[] => nodesOf(tree.root).filter((node) => node.kind === 'step');

/** Every step of the tree did what it says, on a machine of its own; every followed value is what its sources are. */
function judge(trace: Trace, tree: WhyTree, ticks: number): void {
  const run = runsOf(trace).judge;
  run.toTicks(ticks, 'applied');
  expect(valueIn(run.machine, tree.root.location)).toBe(tree.root.value);
  const nodes = nodesOf(tree.root);
  checkSources(tree.root);
  const ids = stepsOf(tree).map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const node of nodes) {
    if (node.kind === 'seen') expect(ids).toContain(node.id);
    if (node.kind !== 'step') continue;
    run.toTicks(node.at.ticks, 'applied');
    expect(run.machine.moment).toBe(node.at.moment);
    for (const operand of node.operands) {
      expect(valueIn(run.machine, operand.location), `${operand.what} of ${node.at.text}`).toBe(operand.value);
      if (operand.sources) checkSources(operand);
    }
    run.toTicks(node.at.ticks + 1, 'pending');
    expect(valueIn(run.machine, node.location), `${node.what} behind ${node.at.text}`).toBe(node.value);
  }
}

function checkSources({ value, sources = [], what, location }: WhyOperand): void {
  let [from, sum] = [0, 0n];
  for (const source of sources) {
    expect(source.from, `sources of ${what}`).toBe(from);
    sum |= bytesOfSource(source, source.node.value) << BigInt(8 * from);
    from += source.bytes;
  }
  expect(from, `sources of ${what}`).toBe(location.kind === 'csr' ? 8 : location.bytes);
  expect(sum, `sources of ${what}`).toBe(value);
}

/** The bytes that a source gives, of its node's value. */
export function bytesOfSource({ at, bytes, fill }: WhySource, value: bigint): bigint {
  const from = value >> BigInt(8 * at);
  if (!fill) return BigInt.asUintN(8 * bytes, from);
  return BigInt.asUintN(8 * bytes, fill === 'ones' || (fill === 'sign' && (from >> 7n) & 1n) ? -1n : 0n);
}

function valueIn(machine: Machine, location: Location): bigint {
  if (location.kind === 'csr') return machine.csr(location.hart, csrByNumber(location.number)!.name);
  if (location.kind === 'memory') {
    return machine
      .readPhysical(location.paddr, location.bytes)
      .reduceRight((value, byte) => value * 256n + BigInt(byte), 0n);
  }
  const { x, f } = machine.hart(location.hart);
  const whole = location.number < 32 ? x[location.number]! : f[location.number - 32]!;
  return BigInt.asUintN(8 * location.bytes, whole >> BigInt(8 * location.from));
}

/** What flips the bits of a cause back, right where it changed: behind the input that did it. */
export const flipBack = (cause: Cause): PlannedInput[] =>
  cause.bits!.map((bit) => ({
    trigger: { kind: 'ticks', ticks: cause.position.ticks },
    event: { kind: 'fault', fault: flip(cause, bit) },
  }));

/** The fault that flips a bit of what a cause names. */
function flip({ kind, hart = 0, register, what, paddr }: Cause, bit: number): Fault {
  if (kind === 'pc') return { model: 'register', hart, register: 32, bit };
  if (kind === 'register') return { model: 'register', hart, register: register!, bit };
  if (kind === 'csr') return { model: 'csr', hart, csr: what as FaultCsr, bit };
  return { model: 'memory', paddr: paddr! + (bit >> 3), bit: bit & 7 };
}
