/**
 * Follows the bytes of one value to who left them: over all that only copied them, each part for itself, up to the
 * instruction or trap that computed it, or to where it began.
 * Relies on copies being told from computations by flow.ts, and on producer.ts for who wrote.
 */
import { decode, STEP_FLAGS, type Steps, type Ticks } from '../../engine/index.ts';
import type { Slices } from '../search/index.ts';
import { accessed } from './compare.ts';
import {
  bytesOf,
  copiedParts,
  type Fill,
  isBranch,
  type Location,
  loadedBytes,
  partOf,
  registersRead,
  touchesDevice,
  type Use,
} from './flow.ts';
import type { Origins } from './origins.ts';
import { type Producer, producerOf } from './producer.ts';
import type { RunSteps, Step, StepNumber } from './steps.ts';
import type { WhyOrigin } from './tree-types.ts';

/** Some bytes of a value that was asked for, and who left them. */
export interface Strand {
  /** First of them in the value, and how many. */
  readonly from: number;
  readonly bytes: number;
  readonly fill?: Fill;
  readonly copies: number;
  readonly end: /** `at`: their first byte in what the step wrote, `location`, the whole of it. */
    | { readonly kind: 'step'; readonly step: StepNumber; readonly location: Location; readonly at: number }
    | { readonly kind: 'constant'; readonly step: StepNumber; readonly value: bigint }
    | { readonly kind: 'cut'; readonly step: StepNumber; readonly value: bigint }
    | { readonly kind: 'origin'; readonly origin: WhyOrigin };
}

export interface FollowOptions {
  /** Instructions executed at most to look for writers. */
  readonly work: number;
  /** Whether loads and stores are shown. */
  readonly showsMemory: boolean;
}

/** Bytes that are still to be followed: `bytes` of `use` from its byte `at` on, as found right before a step. */
interface Thread {
  readonly from: number;
  readonly bytes: number;
  readonly use: Use;
  readonly at: number;
  readonly found: StepNumber;
  readonly ticks: Ticks;
  readonly copies: number;
  readonly fill?: Fill;
  /** The load that found it in memory, and the byte of its register that these begin at. */
  readonly load?: { readonly step: StepNumber; readonly at: number };
}

/** Records between the writer of a value and its load in which a new mapping is looked for. */
const NEAR = 400_000;
/** Instructions that make one constant, at most. */
const LONGEST_CONSTANT = 8;
const ENTRY_BYTES = 8;

export class Follower {
  private readonly run: RunSteps;
  private readonly origins: Origins;
  private readonly options: FollowOptions;
  private searched = 0;
  /** Loads behind which an entry was written that translates their address, and where the last of these lies. */
  readonly remapped = new Map<StepNumber, number>();
  /** Steps looked at. */
  visited = 0;

  constructor(run: RunSteps, origins: Origins, options: FollowOptions) {
    [this.run, this.origins, this.options] = [run, origins, options];
  }

  /** Strands of a value, lowest bytes first. `found`: right before this step, `ticks`: at this time, inputs applied. */
  *follow(use: Use, found: StepNumber, ticks: Ticks): Slices<Strand[]> {
    const strands: Strand[] = [];
    const waiting: Thread[] = [{ from: 0, bytes: bytesOf(use.location), use, at: 0, found, ticks, copies: 0 }];
    for (let thread = waiting.pop(); thread; thread = waiting.pop()) {
      this.visited++;
      const shown = this.origins.ofShown(thread.use);
      if (shown) {
        strands.push(this.ended(thread, shown));
        continue;
      }
      const producer = yield* this.producer(thread);
      if (!producer) {
        const { use: of } = thread;
        strands.push({ ...kept(thread), end: { kind: 'cut', step: thread.found, value: of.value } });
        continue;
      }
      const mine = this.partOfThread(thread, producer.use, waiting);
      if (producer.kind !== 'step') strands.push(this.ended(mine, this.origins.of(producer, mine.ticks)));
      else strands.push(...this.through(mine, this.run.get(producer.step), waiting));
    }
    return strands.sort((a, b) => a.from - b.from);
  }

  private ended(thread: Thread, origin: WhyOrigin): Strand {
    const value = cutOut(thread.use.value, thread.use.location.kind === 'csr' ? thread.at : 0, thread);
    return { ...kept(thread), end: { kind: 'origin', origin: { ...origin, value } } };
  }

  /** undefined: too much has been executed. */
  private *producer({ use, found, ticks }: Thread): Slices<Producer | undefined> {
    const left = () => this.options.work - this.searched - this.run.logged;
    if (left() <= 0) return undefined;
    const search = producerOf(this.run, use, found, { ticks, most: left() });
    let executed = 0;
    for (;;) {
      const { done, value } = search.next();
      if (done) {
        this.searched += executed;
        return value;
      }
      ({ executed } = value);
      yield { moment: value.moment, executed: this.searched + executed + this.run.logged };
      if (executed < left()) continue;
      this.searched += executed;
      search.return(undefined as never);
      return undefined;
    }
  }

  /** The part of a thread that its producer left; the rest of it goes on waiting. */
  private partOfThread(thread: Thread, part: Use, waiting: Thread[]): Thread {
    const { use, fill } = thread;
    if (use.location.kind !== 'memory' || part.location.kind !== 'memory' || fill) return thread;
    const [before, size] = [part.location.paddr - use.location.paddr, part.location.bytes];
    const cut = (start: number, bytes: number): Thread => ({
      ...thread,
      from: thread.from + start,
      bytes,
      use: partOf(use, start, bytes),
      ...(thread.load && { load: { ...thread.load, at: thread.load.at + start } }),
    });
    const behind = before + size;
    if (behind < thread.bytes) waiting.push(cut(behind, thread.bytes - behind));
    if (before > 0) waiting.push(cut(0, before));
    return cut(before, size);
  }

  /** What a step that wrote a thread's bytes makes of them: passes over copies. */
  private through(thread: Thread, step: Step, waiting: Thread[]): Strand[] {
    const { load } = thread;
    if (load && this.wasRemapped(load.step, step.ticks)) {
      const location = loadedInto(this.run.get(load.step));
      return [{ ...kept(thread), end: { kind: 'step', step: load.step, location, at: load.at } }];
    }
    const copied = this.isPassed(step) ? copiedParts(step, thread.use) : undefined;
    if (!copied) return [this.atStep(thread, step, thread.use.location)];
    const strands: Strand[] = [];
    for (const part of copied) {
      const low = Math.max(part.from, thread.at);
      const bytes = Math.min(part.from + part.bytes, thread.at + (thread.fill ? 1 : thread.bytes)) - low;
      if (bytes <= 0) continue;
      // What fills bytes is one byte, whatever it was copied through.
      const where = thread.fill
        ? { from: thread.from, bytes: thread.bytes }
        : { from: thread.from + low - thread.at, bytes };
      const fill = thread.fill ?? part.fill;
      const shared = { ...where, copies: thread.copies + 1, ...(fill && { fill }) };
      if (part.fill === 'zeros' || part.fill === 'ones') {
        const value = part.fill === 'zeros' ? 0n : BigInt.asUintN(8 * where.bytes, -1n);
        strands.push({ ...where, copies: thread.copies, end: { kind: 'constant', step: step.number, value } });
        continue;
      }
      const next = fill ? part.use : narrow(part.use, low - part.from, bytes);
      const at = next.location.kind === 'csr' ? part.at + low - part.from : 0;
      const its = thread.use.location;
      const isLoad = next.location.kind === 'memory' && its.kind === 'register' && step.modeNumber !== MACHINE_MODE;
      const byte = isLoad ? (part.fill ? loadedBytes(step) - 1 : its.from + low) : 0;
      const from = { found: step.number, ticks: step.ticks, ...(isLoad && { load: { step: step.number, at: byte } }) };
      waiting.push({ ...shared, use: next, at, ...from });
    }
    return strands;
  }

  private isPassed(step: Step): boolean {
    return !(this.options.showsMemory && step.accesses.length > 0);
  }

  private atStep(thread: Thread, step: Step, location: Location): Strand {
    const { use } = thread;
    if (isDeviceRead(step)) return this.ended(thread, this.origins.ofDevice(step, step.result));
    const constant = this.constantAt(step, location);
    if (constant) {
      const value = cutOut(use.value, use.location.kind === 'csr' ? thread.at : 0, thread);
      return { ...kept(thread), end: { kind: 'constant', step: step.number, value } };
    }
    const whole = wholeOf(step, location);
    return { ...kept(thread), end: { kind: 'step', step: step.number, location: whole, at: offsetIn(thread, whole) } };
  }

  /** Whether an instruction, or a few one behind the other, make a number of nothing. */
  private constantAt(step: Step, location: Location, length = 1): boolean {
    if (step.isTrap || location.kind !== 'register' || step.csr || step.accesses.length > 0) return false;
    const operands = isBranch(step) ? [] : registersRead(step);
    const [only] = operands;
    if (!only) return true;
    if (operands.length > 1 || length === LONGEST_CONSTANT) return false;
    const before = this.run.back(step.number, NEIGHBOURS, (steps, n) => steps.hart(n) === step.hart && isOwn(steps, n));
    if (before === undefined || only.location.kind !== 'register' || only.location.number !== step.rd) return false;
    const its = this.run.get(before);
    const next = its.pc + BigInt(decode(its.raw)?.lengthBytes ?? 0);
    const isNeighbour = !its.isTrap && !its.trapped && its.rd === only.location.number && next === step.pc;
    // A device, a fault or a hypervisor may have come between.
    return isNeighbour && its.result === only.value && this.constantAt(its, only.location, length + 1);
  }

  /** Whether an entry that translated a load's address was written behind the value that it found. */
  private wasRemapped(load: StepNumber, written: Ticks): boolean {
    const entries = this.entriesOf(this.run.get(load));
    if (entries.length === 0) return false;
    const changed = (steps: Steps, n: number) =>
      (steps.flags(n) & STORE_FLAGS) === STEP_FLAGS.WRITES
        ? entries.find(({ paddr }) => overlaps(steps, n, paddr, ENTRY_BYTES))
        : undefined;
    const found = this.run.back(load, NEAR, (steps, n) => steps.ticks(n) <= written || changed(steps, n) !== undefined);
    if (found === undefined || this.run.get(found).ticks <= written) return false;
    const { steps } = this.run.windowOf(found);
    this.remapped.set(load, changed(steps, this.run.place(found))!.paddr);
    return true;
  }

  /** Page-table entries that translated what a step accessed, from the root on. Moves the run. */
  entriesOf(step: Step): readonly { readonly paddr: number; readonly value: bigint }[] {
    const address = accessed(step);
    if (!address) return [];
    this.run.run.toTicks(step.ticks, 'applied');
    const { steps } = this.run.run.machine.explainTranslation(step.hart, address.va, address.access);
    return steps.map(({ paddr, pte }) => ({ paddr: Number(paddr), value: pte }));
  }
}

/** Records of all harts among which the one before of the same hart is looked for. */
const NEIGHBOURS = 64;
const MACHINE_MODE = 3;
const STORE_FLAGS = STEP_FLAGS.WRITES | STEP_FLAGS.DEVICE | STEP_FLAGS.CSR | STEP_FLAGS.IS_TRAP;
const overlaps = (steps: Steps, n: number, paddr: number, bytes: number): boolean =>
  steps.address(n) < paddr + bytes && paddr < steps.address(n) + steps.bytes(n);
const isOwn = (steps: Steps, n: number): boolean => !(steps.flags(n) & STEP_FLAGS.FURTHER);

const isDeviceRead = (step: Step): boolean =>
  touchesDevice(step) && step.accesses.some(({ flags }) => flags & STEP_FLAGS.READS);

const kept = ({ from, bytes, fill, copies }: Thread) => ({ from, bytes, ...(fill && { fill }), copies });

const narrow = (use: Use, from: number, bytes: number): Use =>
  use.location.kind === 'csr' ? use : partOf(use, from, bytes);

/** What of a value a thread is about: all of it, or a byte whose highest bit fills the others. */
function cutOut(value: bigint, at: number, { bytes, fill }: Thread): bigint {
  return BigInt.asUintN(8 * (fill ? 1 : bytes), value >> BigInt(8 * at));
}

const loadedInto = (step: Step): Location => ({
  kind: 'register',
  hart: step.hart,
  number: step.rd,
  from: 0,
  bytes: 8,
});

/** All of what a step wrote to where a thread found some bytes. */
function wholeOf(step: Step, location: Location): Location {
  if (location.kind === 'register') return { ...location, from: 0, bytes: 8 };
  if (location.kind === 'csr') return location;
  const access = step.accesses.find(
    ({ address, bytes, flags }) =>
      flags & STEP_FLAGS.WRITES && location.paddr >= address && location.paddr < address + bytes,
  );
  return access ? { kind: 'memory', paddr: access.address, bytes: access.bytes } : location;
}

function offsetIn({ use, at }: Thread, whole: Location): number {
  const { location } = use;
  if (location.kind === 'csr') return at;
  if (location.kind === 'memory') return whole.kind === 'memory' ? location.paddr - whole.paddr : 0;
  return location.from;
}
