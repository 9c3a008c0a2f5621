/**
 * Says what happened at the first difference of two runs: which hart, instruction and symbol, which input, and what
 * differs, with symbols and owners.
 * Relies on both runs standing where the caller says. Compares whole snapshots, so it is called once per bisect.
 */
import {
  compareStates,
  insideVm,
  instructionAt,
  type Ownership,
  readOwnership,
  type StateDifference,
} from '../../engine/index.ts';
import type { BisectResult, Position } from '../base/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import type { NamedDifference, Pair } from './bisect-pair.ts';
import type { SettingDifference } from './diff.ts';
import { describeEvent, type InputDifference } from './diff-inputs.ts';

/** A bisect result without its statistics. */
export type Found = Omit<BisectResult, 'identical' | 'probes'>;

/** The states differ from the start, for this reason. */
export function explainStart(pair: Pair, start: Position, loaded: readonly SettingDifference[]): Found {
  const list = loaded.map(({ name, a, b }) => `${name}: A ${a}, B ${b}`).join('; ');
  return {
    ...start,
    cause: `the machines start with different contents: ${list}`,
    ...stateDifferences(pair),
  };
}

/** The states differ where the later of the two traces begins. */
export function explainEarlier(pair: Pair, start: Position): Found {
  const { path } = (pair.a.first.ticks === start.ticks ? pair.a : pair.b).trace;
  const cause = `${path} begins here, and the states differ already: they parted before, where it has nothing`;
  return { ...start, cause, ...stateDifferences(pair) };
}

/**
 * Call while both runs stand right before the inputs; call the result once they have been applied. The instruction
 * is the one that was about to run: on the hart that a fault hits, else on the hart whose turn it is.
 */
export function explainInput(pair: Pair, input: InputDifference): () => Found {
  const [event] = [...input.onlyA, ...input.onlyB];
  const hit = event?.kind === 'fault' && 'hart' in event.fault ? event.fault.hart : undefined;
  const place = describePlace(pair.a, hit ?? pair.a.machine.next().hart);
  const say = (who: string, events: InputDifference['onlyA']) =>
    events.map((e) => `only ${who} has ${describeEvent(e)}`);
  const texts = [...say('A', input.onlyA), ...say('B', input.onlyB)];
  const cause = `input: ${texts.length > 0 ? texts.join(', ') : 'the same inputs in another order'}`;
  return () => ({ moment: input.moment, ticks: input.ticks, ...place, cause, ...stateDifferences(pair) });
}

/** Call while both runs stand at the last equal position; steps them to the first different one. */
export function explainInstruction(pair: Pair, differsAt: Position): Found {
  const place = describePlace(pair.a, pair.a.machine.next().hart);
  pair.a.toTicks(differsAt.ticks, 'applied');
  pair.b.toTicks(differsAt.ticks, 'applied');
  const cause = 'no input: the same state gave different ones; the engine or a checkpoint is not deterministic';
  return { ...differsAt, ...place, cause, ...stateDifferences(pair) };
}

function describePlace({ machine, symbols }: TraceTimeline, hart: number) {
  const { pc, mode, vmid } = machine.hart(hart);
  return { hart, pc, instruction: instructionAt(machine, hart, pc, symbols), ...symbols.codeAt(mode, pc, vmid) };
}

function stateDifferences(pair: Pair): { differences: NamedDifference[] } {
  const { a, b } = pair;
  const found = compareStates(a.machine.snapshot(), b.machine.snapshot(), a.machine.config);
  const owners = readOwnership(a.machine, a.symbols);
  return { differences: found.map((difference) => nameDifference(a, owners, difference)) };
}

/** RAM: whose it is. Registers: which symbol the value of A points at, and which VM the hart is inside. */
function nameDifference(
  { machine, symbols }: TraceTimeline,
  owners: Ownership,
  difference: StateDifference,
): NamedDifference {
  if (difference.paddr !== undefined) {
    const symbol = symbols.describePhysical(difference.paddr);
    const owner = owners.describe(difference.paddr);
    return { ...difference, ...(symbol && { symbol }), ...(owner && { owner }) };
  }
  const hart = Number(/^hart(\d+)\./.exec(difference.where)?.[1] ?? Number.NaN);
  if (!(hart < machine.config.harts)) return difference;
  const { mode, vmid } = machine.hart(hart);
  const symbol = symbols.describe(mode, difference.a, vmid);
  const vm = insideVm(mode) ? owners.list.vms.find((candidate) => candidate.vmid === vmid) : undefined;
  return { ...difference, ...(symbol && { symbol }), ...(vm && { owner: vm.name }) };
}
