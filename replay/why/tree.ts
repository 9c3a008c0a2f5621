/**
 * Why a location has its value, in one run: the instruction that computed it, its operands, the instructions that
 * computed those, and so on, breadth first, down to where values began.
 * Relies on follow.ts for passing over copies. Base registers and page tables are not followed unless asked, but for
 * entries that were written behind the value that was found through them.
 */
import { STEP_FLAGS, type Ticks, UserError } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';
import type { Slices } from '../search/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { type AskedPlace, onlyLocation } from './asked.ts';
import { inputsAt } from './change.ts';
import { csrRead, isReturnWord, type Location, memoryRead, type RegisterUse, registersRead, type Use } from './flow.ts';
import { Follower, type Strand } from './follow.ts';
import { joined } from './joined.ts';
import { Origins } from './origins.ts';
import { locationText, placeOf } from './place.ts';
import { valueAt, valueNow } from './producer.ts';
import { RunSteps, type Step, type StepNumber } from './steps.ts';
import type { Cut, WhyNode, WhyOperand, WhySource, WhyStepNode, WhyTree, WhyTreeOptions } from './tree-types.ts';

const DEPTH = 8;
const MOST = 200;
const WORK = 2_000_000_000;

/**
 * Why `location` has the value that it has at a position, the inputs there applied. Moves the run. @throws TraceError
 * when the run leaves its recording
 */
export function* whyAlone(
  run: TraceTimeline,
  location: Location,
  at: Position,
  options: WhyTreeOptions = {},
): Slices<WhyTree> {
  run.toTicks(at.ticks, 'applied');
  const use: Use = { location, value: valueNow(run.machine, location) };
  return yield* new TreeWalk(run, options).from(use, at.ticks);
}

/**
 * Why a place in words has the value that it has where the run stands. @throws UserError when it is no place, or more
 * than a word; as `whyAlone`
 */
export function* whyValue(run: TraceTimeline, asked: AskedPlace, options: WhyTreeOptions = {}): Slices<WhyTree> {
  const { place } = run;
  const isBeforeInputs = place.here === 'pending' && inputsAt(run, place).length > 0;
  if (isBeforeInputs) throw new UserError('inputs belong to that position: ask about a moment behind or before them');
  return yield* whyAlone(run, onlyLocation(run, asked), place, options);
}

type Built<T> = { -readonly [K in keyof T]: T[K] };

/** An operand whose bytes are still to be followed. */
interface Open {
  readonly operand: Built<WhyOperand>;
  readonly found: StepNumber;
  readonly ticks: Ticks;
  readonly depth: number;
}

class TreeWalk {
  private readonly run: RunSteps;
  private readonly timeline: TraceTimeline;
  private readonly options: WhyTreeOptions;
  private readonly follower: Follower;
  private readonly known = new Map<string, number>();
  private readonly waiting: Open[] = [];
  private readonly cut: Record<Cut, number> = { depth: 0, most: 0, work: 0 };
  private nodes = 0;

  constructor(timeline: TraceTimeline, options: WhyTreeOptions) {
    [this.timeline, this.options] = [timeline, options];
    this.run = new RunSteps(timeline);
    this.follower = new Follower(this.run, new Origins(this.run, timeline), {
      work: options.work ?? WORK,
      showsMemory: options.addresses === true || options.entries === true,
    });
  }

  *from(use: Use, ticks: Ticks): Slices<WhyTree> {
    const root = operandOf(use, 'data');
    this.waiting.push({ operand: root, found: this.run.before(ticks), ticks, depth: 0 });
    for (let open = this.waiting.shift(); open; open = this.waiting.shift()) yield* this.expand(open);
    return { root, nodes: this.nodes, visited: this.follower.visited, cut: { ...this.cut } };
  }

  private *expand({ operand, found, ticks, depth }: Open): Slices<void> {
    const strands = yield* this.follower.follow(operand, found, ticks);
    operand.sources = joined(strands.map((strand) => this.sourceOf(strand, depth)));
  }

  private sourceOf({ from, bytes, fill, copies, end }: Strand, depth: number): WhySource {
    const at = end.kind === 'step' ? end.at : 0;
    return { from, bytes, at, ...(fill && { fill }), copies, node: this.nodeOf(end, depth) };
  }

  private nodeOf(end: Strand['end'], depth: number): WhyNode {
    if (end.kind === 'step') return this.stepNode(end.step, end.location, depth);
    this.nodes++;
    if (end.kind === 'origin') return end.origin;
    const { value } = end;
    if (end.kind === 'constant') return { kind: 'constant', value, at: this.place(end.step) };
    return this.cutAt(end.step, value, 'work');
  }

  private cutAt(step: StepNumber, value: bigint, by: Cut): WhyNode {
    this.cut[by]++;
    // The question itself may lie behind the last step.
    const isStep = this.run.place(step) < this.run.windowOf(step).steps.count;
    return { kind: 'cut', by, value, ...(isStep && { at: this.place(step) }) };
  }

  private place(step: StepNumber) {
    return placeOf(this.run, this.timeline.symbols, step);
  }

  private stepNode(number: StepNumber, location: Location, depth: number): WhyNode {
    const step = this.run.get(number);
    const what = locationText(location);
    const value = this.leftBy(step, location);
    const key = `${number} ${what}`;
    const known = this.known.get(key);
    if (known !== undefined) return { kind: 'seen', id: known, value };
    if (depth >= (this.options.depth ?? DEPTH)) return this.cutAt(number, value, 'depth');
    if (this.nodes >= (this.options.most ?? MOST)) return this.cutAt(number, value, 'most');
    const id = ++this.nodes;
    this.known.set(key, id);
    const operands = this.operandsOf(step, location);
    const node: WhyStepNode = { kind: 'step', id, at: this.place(number), location, what, value, operands };
    for (const operand of operands) {
      if (!this.isFollowed(operand)) continue;
      this.waiting.push({ operand, found: number, ticks: step.ticks, depth: depth + 1 });
    }
    return node;
  }

  private isFollowed({ role }: WhyOperand): boolean {
    return role !== 'address' || this.options.addresses === true;
  }

  /** All of what a step left in a location that it wrote. */
  private leftBy(step: Step, location: Location): bigint {
    if (location.kind === 'register') return step.result;
    if (location.kind === 'memory') {
      const access = step.accesses.find(
        ({ address, flags }) => flags & STEP_FLAGS.WRITES && address === location.paddr,
      );
      if (access) return access.after;
    }
    this.timeline.toTicks(step.ticks + 1, 'pending');
    return valueNow(this.timeline.machine, location);
  }

  private operandsOf(step: Step, location: Location): Built<WhyOperand>[] {
    if (step.isTrap) return this.ofTrap(step, location);
    if (isReturnWord(step.raw)) return [this.keptBits(step, location)];
    const registers = distinct(registersRead(step)).map((use) => operandOf(use, use.role));
    const memory = memoryRead(step).map((use) => operandOf(use, 'data'));
    // What a CSR instruction gives to its register is what was there, whatever it writes.
    if (step.csr && location.kind === 'register') return csrRead(step).map((use) => operandOf(use, 'data'));
    const csrs = csrRead(step).map((use) => operandOf(use, 'data'));
    const entries = memory.length > 0 && location.kind === 'register' ? this.entries(step) : [];
    return [...registers, ...memory, ...csrs, ...entries];
  }

  /** Of the entries that translated a load all, when asked, else the one that was written behind the value. */
  private entries(step: Step): Built<WhyOperand>[] {
    const changed = this.follower.remapped.get(step.number);
    return this.follower
      .entriesOf(step)
      .filter(({ paddr }) => this.options.entries === true || paddr === changed)
      .map(({ paddr, value }) => operandOf({ location: { kind: 'memory', paddr, bytes: 8 }, value }, 'entry'));
  }

  private keptBits(step: Step, location: Location): Built<WhyOperand> {
    return operandOf({ location, value: valueAt(this.run, location, step.number) }, 'data');
  }

  /** What made an instruction trap, and what was in the status register before. */
  private ofTrap(trap: Step, location: Location): Built<WhyOperand>[] {
    const status = location.kind === 'csr' && /status$/.test(location.field) ? [this.keptBits(trap, location)] : [];
    const trapped = this.trappedBy(trap);
    if (!trapped) return status;
    const uses: Use[] = [...registersRead(trapped), ...memoryRead(trapped), ...csrRead(trapped)];
    return [...uses.map((use) => operandOf(use, 'trapped')), ...status];
  }

  /** The instruction that a trap gave up; undefined: an interrupt, or it was not even fetched. */
  private trappedBy(trap: Step): Step | undefined {
    if (trap.isInterrupt) return undefined;
    const before = this.run.back(trap.number, 64, (steps, n) => !(steps.flags(n) & STEP_FLAGS.FURTHER));
    const step = before === undefined ? undefined : this.run.get(before);
    return step?.trapped && step.hart === trap.hart && step.pc === trap.pc ? step : undefined;
  }
}

/** A register that is read twice is one operand: of data, if it is that for one of them. */
function distinct(uses: readonly RegisterUse[]): readonly RegisterUse[] {
  const byName = new Map<string, RegisterUse>();
  for (const use of uses) {
    const name = locationText(use.location);
    if (byName.get(name)?.role !== 'data') byName.set(name, use);
  }
  return [...byName.values()];
}

const operandOf = ({ location, value }: Use, role: WhyOperand['role']): Built<WhyOperand> => ({
  location,
  what: locationText(location),
  value,
  role,
});
