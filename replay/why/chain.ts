/**
 * The chain of instructions that a wrong value or a missing step came from, backwards through two runs at once: at each
 * instruction only what differs from the golden run is followed, copies are passed over, and where the paths part the
 * branch or trap that parted is next. It ends where a value is found that nobody wrote. Everything that differs is
 * followed breadth first, so that the shortest chain is found.
 * @see Johnson et al., "Differential slicing: identifying causal execution differences for security applications",
 * IEEE S&P 2011
 */
import type { SearchProgress, Slices } from '../search/index.ts';
import type { Alignment, Parting } from './align.ts';
import { isStable, narrowed, samePlace, successors, type UsePair } from './compare.ts';
import { Differences } from './differences.ts';
import { bytesOf, copiedFrom, type Location, partOf, touchesDevice, type Use } from './flow.ts';
import { type Producer, producerOf, trappedPc, valueAt } from './producer.ts';
import { type Pending, raiserOf, shownPending, takenBy } from './raiser.ts';
import type { RunSteps, Step, StepNumber } from './steps.ts';
import type { Chain, Link, Origin } from './types.ts';

/** Links so far, the last one first: paths share their beginnings. */
interface Trail {
  readonly link: Link;
  readonly before: Trail | undefined;
}

/** Something that is to be looked at. */
type Item = { readonly trail: Trail | undefined } & (
  | { readonly kind: 'value'; readonly pair: UsePair }
  | { readonly kind: 'parting'; readonly parting: Parting | undefined; readonly at: StepNumber }
  /** CSRs that decide where the paths parted, when what the instructions name does not tell. */
  | { readonly kind: 'state'; readonly parting: Parting }
);

/** Values and partings that are looked at at most. */
const MOST_VISITED = 4_000;

export class ChainWalk {
  private readonly a: RunSteps;
  private readonly b: RunSteps;
  private readonly alignment: Alignment;
  private readonly differences: Differences;
  private readonly seen = new Set<string>();
  private visited = 0;
  private queue: Item[] = [];
  /** Looked at when nothing else is left. */
  private reserve: Item[] = [];
  private fallback: Chain | undefined;
  private trail: Trail | undefined;

  constructor(a: RunSteps, b: RunSteps, alignment: Alignment) {
    [this.a, this.b, this.alignment] = [a, b, alignment];
    this.differences = new Differences(a, b);
  }

  /** The links up to what is being looked at: what is left of a walk that is ended early. */
  get soFar(): readonly Link[] {
    return linksOf(this.trail);
  }

  /** Why a value differs. */
  ofValue(pair: UsePair): Slices<Chain> {
    return this.walk({ kind: 'value', pair, trail: undefined });
  }

  /** Why A came to a step that B did not come to. */
  ofStepOfA(step: StepNumber): Slices<Chain> {
    return this.walk({ kind: 'parting', parting: this.alignment.partingOfA(step), at: step, trail: undefined });
  }

  /** Why A did not come to a step of B. */
  ofStepOfB(step: StepNumber): Slices<Chain> {
    const parting = this.alignment.partingOfB(step);
    return this.walk({ kind: 'parting', parting, at: parting?.a ?? 0, trail: undefined });
  }

  private *walk(first: Item): Slices<Chain> {
    this.begin(first);
    for (let next = 0; this.visited < MOST_VISITED; this.visited++) {
      const item = next < this.queue.length ? this.queue[next++] : this.reserve.shift();
      if (!item) break;
      this.trail = item.trail;
      yield this.progress();
      const found = yield* this.look(item);
      if (found) return { ...found, visited: this.visited + 1 };
    }
    if (this.fallback) return { ...this.fallback, visited: this.visited };
    return { links: [], origin: { kind: 'unexplained', at: 0, why: 'nothing differs' }, visited: this.visited };
  }

  /** Each question is walked for itself: nothing is left of the one before. */
  private begin(first: Item): void {
    [this.queue, this.reserve, this.visited] = [[first], [], 0];
    this.fallback = undefined;
    this.seen.clear();
  }

  private progress(): SearchProgress {
    return { moment: this.a.run.machine.moment, executed: this.a.logged + this.b.logged };
  }

  private *look(item: Item): Slices<Chain | undefined> {
    if (item.kind === 'value') return yield* this.value(item.pair, item.trail);
    if (item.kind === 'parting') return this.parting(item.parting, item.at, item.trail);
    return this.state(item.parting, item.trail);
  }

  /** Whether it is the first time that something is looked at. */
  private isNew(key: string): boolean {
    const { size } = this.seen;
    return this.seen.add(key).size > size;
  }

  /** A chain that ends in something that needs no further cause; others are kept for want of better. */
  private end(trail: Trail | undefined, origin: Origin): Chain | undefined {
    const chain = { links: linksOf(trail), origin, visited: this.visited };
    if (origin.kind === 'changed' || origin.kind === 'pc' || isInjected(origin)) return chain;
    this.fallback ??= chain;
    // What only came at another time did so for what made the runs differ in time.
    const apart = 'at' in origin ? this.alignment.firstApart(origin.at) : undefined;
    if (apart) this.reserve.push({ kind: 'parting', parting: apart, at: apart.a, trail });
    return undefined;
  }

  private follow(kind: Link['kind'], pair: Parting, follows: readonly UsePair[], before: Trail | undefined): void {
    for (const one of follows) {
      this.queue.push({ kind: 'value', pair: one, trail: { link: { kind, pair, follows: one }, before } });
    }
  }

  private followParting(parting: Parting | undefined, at: StepNumber, trail: Trail | undefined): undefined {
    this.queue.push({ kind: 'parting', parting, at, trail });
  }

  /** Goes with one differing value to what produced it in both runs. */
  private *value(start: UsePair, trail: Trail | undefined): Slices<Chain | undefined> {
    let pair = narrowed(start);
    for (;;) {
      if (!this.isNew(keyOf(pair))) return undefined;
      if (isTime(pair)) return this.end(trail, { kind: 'time', at: pair.atA });
      this.pending(pair, trail);
      const ofA = yield* producerOf(this.a, pair.a, pair.atA);
      if (ofA.kind === 'changed') return this.end(trail, changedOrigin(ofA, pair.atA));
      if (ofA.kind === 'outside') return this.end(trail, { kind: 'outside', producer: ofA, found: pair.atA });
      const parts = partsOf(pair, ofA.use);
      if (parts) {
        for (const part of parts) this.queue.push({ kind: 'value', pair: part, trail });
        return undefined;
      }
      const ofB = yield* producerOf(this.b, pair.b, pair.atB);
      const [atA, atB] = [stepOf(ofA), stepOf(ofB)];
      const misplaced = this.misplaced(pair, atA, atB);
      if (misplaced) return this.operands(misplaced, pair, trail);
      if (atA === undefined || atB === undefined) return this.oneSided(pair, ofA, ofB, trail);
      const next = this.through(pair, atA, atB);
      if (next === undefined) return this.producers(pair, atA, atB, trail);
      pair = narrowed(next);
      yield this.progress();
    }
  }

  /**
   * An instruction that both runs did, and of which only one wrote here: a store to another address, or another
   * instruction at the same place.
   */
  private misplaced(pair: UsePair, atA?: StepNumber, atB?: StepNumber): Parting | undefined {
    const elsewhere = (a?: StepNumber, b?: StepNumber): Parting | undefined => {
      if (a === undefined || b === undefined) return undefined;
      const [ofA, ofB] = [this.a.get(a), this.b.get(b)];
      const isStore = pair.a.location.kind === 'memory';
      const isOther = ofA.raw !== ofB.raw || (isStore && ofA.accesses[0]?.address !== ofB.accesses[0]?.address);
      return isOther ? { a, b } : undefined;
    };
    const here = atA === undefined ? undefined : elsewhere(atA, this.alignment.inB(atA));
    return here ?? (atB === undefined ? undefined : elsewhere(this.alignment.inA(atB), atB));
  }

  /** One run wrote it and the other never did. */
  private oneSided(pair: UsePair, ofA: Producer, ofB: Producer, trail: Trail | undefined): Chain | undefined {
    const [atA, atB] = [stepOf(ofA), stepOf(ofB)];
    if (atA !== undefined && ofB.kind === 'initial' && this.alignment.inB(atA) === undefined) {
      return this.followParting(this.alignment.partingOfA(atA), atA, trail);
    }
    if (atB !== undefined && ofA.kind === 'initial' && this.alignment.inA(atB) === undefined) {
      return this.followParting(this.alignment.partingOfB(atB), pair.atA, trail);
    }
    return this.end(trail, { kind: 'unexplained', at: pair.atA, why: whyNot(ofA, ofB) });
  }

  /** Passes over copies: where the value came from in both runs; undefined: one of them computed it. */
  private through(pair: UsePair, atA: StepNumber, atB: StepNumber): UsePair | undefined {
    const [a, b] = [this.a.get(atA), this.b.get(atB)];
    const [fromA, fromB] = [copiedFrom(a, pair.a), copiedFrom(b, pair.b)];
    if (this.isSame(a, b)) {
      // The same copy: of the same place it is passed over; of another the address is the question.
      if (!fromA || !fromB || !samePlace(fromA.location, fromB.location)) return undefined;
      return { a: fromA, b: fromB, atA, atB };
    }
    // Copied by different code, such as a recovery's: each is followed for itself.
    if (fromA) return { a: fromA, b: pair.b, atA, atB: pair.atB };
    if (fromB) return { a: pair.a, b: fromB, atA: pair.atA, atB };
    return undefined;
  }

  private isSame(a: Step, b: Step): boolean {
    if (a.pc !== b.pc || a.isTrap !== b.isTrap) return false;
    const inB = this.alignment.inB(a.number);
    return inB === undefined ? this.alignment.inA(b.number) === undefined : inB === b.number;
  }

  /** Two instructions that computed a value, or two that are no copies of the same. */
  private producers(pair: UsePair, atA: StepNumber, atB: StepNumber, trail: Trail | undefined): Chain | undefined {
    if (this.isSame(this.a.get(atA), this.b.get(atB))) return this.operands({ a: atA, b: atB }, pair, trail);
    const { alignment } = this;
    let isFollowed = false;
    const followParting = (parting: Parting | undefined, at: StepNumber) => {
      isFollowed = true;
      this.followParting(parting, at, trail);
    };
    if (alignment.inB(atA) === undefined) followParting(alignment.partingOfA(atA), atA);
    if (alignment.inA(atB) === undefined) followParting(alignment.partingOfB(atB), atA);
    // Both runs did both, and the one that found it did so at another time: how it came there is the question.
    if (!isFollowed && alignment.inB(pair.atA) !== pair.atB) {
      followParting(alignment.partingOfA(pair.atA), pair.atA);
      followParting(alignment.partingOfB(pair.atB), pair.atA);
    }
    if (isFollowed) return undefined;
    return this.end(trail, { kind: 'unexplained', at: atA, why: 'both runs did both, in another order' });
  }

  /** What differs in an instruction that both runs did. */
  private operands(pair: Parting, of: UsePair, trail: Trail | undefined): Chain | undefined {
    const [a, b] = [this.a.get(pair.a), this.b.get(pair.b)];
    if (trappedPc(a, of.a.location)) return this.followParting(this.alignment.partingOfA(pair.a), pair.a, trail);
    const differing = this.differences.operands(a, b);
    if (differing.length > 0) {
      this.follow('computed', pair, differing, trail);
      return undefined;
    }
    const kept = a.csr ? undefined : this.keptBits(of.a.location, pair);
    if (kept) {
      this.follow('computed', pair, [kept], trail);
      return undefined;
    }
    if (touchesDevice(a)) return this.end(trail, { kind: 'device', at: pair.a });
    const translated = this.differences.translation(a, b);
    if (translated.length > 0) {
      this.follow('translated', pair, translated, trail);
      return undefined;
    }
    if (a.csr && !isStable(a.csr.number)) return this.end(trail, { kind: 'time', at: pair.a });
    return this.end(trail, { kind: 'unexplained', at: pair.a, why: 'both runs did it with the same operands' });
  }

  /** Bits of a status register that a trap or a return left as they were. */
  private keptBits(location: Location, pair: Parting): UsePair | undefined {
    if (location.kind !== 'csr') return undefined;
    const before = (run: RunSteps, at: StepNumber): Use => ({ location, value: valueAt(run, location, at) });
    const follows = { a: before(this.a, pair.a), b: before(this.b, pair.b), atA: pair.a, atB: pair.b };
    return follows.a.value === follows.b.value ? undefined : follows;
  }

  /** Where the paths parted: what the last common step found differently. */
  private parting(parting: Parting | undefined, at: StepNumber, trail: Trail | undefined): Chain | undefined {
    if (!parting) {
      const why = 'where the paths parted lies outside of what was compared';
      return this.end(trail, { kind: 'unexplained', at, why });
    }
    if (!this.isNew(`parting ${parting.a} ${parting.b}`)) return undefined;
    const [a, b] = [this.a.get(parting.a), this.b.get(parting.b)];
    const [nextA] = this.nextOf(parting);
    const strayed = nextA && strayedFrom(a, nextA);
    if (strayed) return this.end(trail, strayed);
    const differing = this.differences.operands(a, b);
    this.follow('parted', parting, differing, trail);
    if (differing.length > 0) {
      this.reserve.push({ kind: 'state', parting, trail });
      return undefined;
    }
    return this.state(parting, trail);
  }

  private nextOf({ a, b }: Parting): readonly [Step | undefined, Step | undefined] {
    const [ofA, ofB] = [this.alignment.nextInA(a), this.alignment.nextInB(b)];
    return [ofA === undefined ? undefined : this.a.get(ofA), ofB === undefined ? undefined : this.b.get(ofB)];
  }

  /** What else decides where paths part: translation of what trapped, interrupts, CSRs. */
  private state(parting: Parting, trail: Trail | undefined): Chain | undefined {
    const [nextA, nextB] = this.nextOf(parting);
    const [a, b] = [this.a.get(parting.a), this.b.get(parting.b)];
    const translated = [
      ...(nextA && nextB && nextA.pc === nextB.pc ? this.differences.translation(nextA, nextB) : []),
      ...this.differences.translation(a, b),
    ];
    this.follow('translated', parting, translated, trail);
    const raised = [
      nextA?.isInterrupt && this.raised(takenBy(nextA), 'a', parting.a, trail),
      nextB?.isInterrupt && this.raised(takenBy(nextB), 'b', parting.a, trail),
    ];
    const csrs = this.differences.deciding(nextA?.number ?? parting.a, nextB?.number ?? parting.b);
    this.follow('parted', parting, csrs, trail);
    if (translated.length + csrs.length > 0 || raised.some(Boolean)) return undefined;
    if (nextA?.isInterrupt || nextB?.isInterrupt) return this.end(trail, { kind: 'interrupt', at: parting.a });
    return this.end(trail, { kind: 'unexplained', at: parting.a, why: 'the paths part here with the same operands' });
  }

  /** An interrupt that one run has and the other has not: whether both did what raised it, and with what. */
  private raised(interrupt: Pending, of: 'a' | 'b', at: StepNumber, trail: Trail | undefined): boolean {
    const { alignment } = this;
    const raiser = raiserOf(of === 'a' ? this.a : this.b, interrupt);
    if (raiser === undefined) return false;
    const other = of === 'a' ? alignment.inB(raiser) : alignment.inA(raiser);
    if (other === undefined) {
      this.followParting(of === 'a' ? alignment.partingOfA(raiser) : alignment.partingOfB(raiser), at, trail);
      return true;
    }
    const pair = of === 'a' ? { a: raiser, b: other } : { a: other, b: raiser };
    const follows = this.differences.operands(this.a.get(pair.a), this.b.get(pair.b));
    this.follow('parted', pair, follows, trail);
    return follows.length > 0;
  }

  /** What shows which interrupts are pending differs for what raised them, or for the time at which it was read. */
  private pending(pair: UsePair, trail: Trail | undefined): void {
    for (const { a, b } of shownPending(pair)) {
      const isRaised = [this.raised(a, 'a', pair.atA, trail), this.raised(b, 'b', pair.atA, trail)].some(Boolean);
      if (!isRaised) this.end(trail, { kind: 'interrupt', at: pair.atA });
    }
  }
}

function linksOf(trail: Trail | undefined): readonly Link[] {
  const links: Link[] = [];
  for (let at = trail; at; at = at.before) links.push(at.link);
  return links.reverse();
}

const stepOf = (producer: Producer): StepNumber | undefined => (producer.kind === 'step' ? producer.step : undefined);

/** Whether a step is followed by one that it does not lead to. */
function strayedFrom(step: Step, next: Step): Origin | undefined {
  const expected = successors(step);
  if (expected === undefined || expected.includes(next.pc)) return undefined;
  const [first] = expected;
  return { kind: 'pc', hart: step.hart, expected: first!, after: next.pc, written: step.number, found: next.number };
}

/** The differing parts of a value that several instructions wrote; undefined: one wrote all of it. */
function partsOf(pair: UsePair, part: Use): readonly UsePair[] | undefined {
  const { a: whole } = pair;
  if (whole.location.kind !== 'memory' || part.location.kind !== 'memory') return undefined;
  const { bytes } = whole.location;
  const size = bytesOf(part.location);
  if (size >= bytes) return undefined;
  const from = part.location.paddr - whole.location.paddr;
  const cut = (start: number, length: number): readonly UsePair[] => {
    if (length <= 0) return [];
    const [a, b] = [partOf(pair.a, start, length), partOf(pair.b, start, length)];
    return a.value === b.value ? [] : [{ ...pair, a, b }];
  };
  return [...cut(from, size), ...cut(0, from), ...cut(from + size, bytes - from - size)];
}

const isTime = ({ a: { location } }: UsePair): boolean => location.kind === 'csr' && !isStable(location.number);

const isInjected = (origin: Origin): boolean =>
  origin.kind === 'outside' && origin.producer.hit.kind === 'access' && origin.producer.hit.by === 'input';

function changedOrigin(producer: Extract<Producer, { kind: 'changed' }>, found: StepNumber): Origin {
  const { use, written, step } = producer;
  return { kind: 'changed', location: use.location, before: written, after: use.value, written: step, found };
}

const whyNot = (a: Producer, b: Producer): string =>
  [a, b].some(({ kind }) => kind === 'far')
    ? 'its writer lies further back than was looked'
    : 'nothing has written it in one of the runs';

function keyOf({ a, b, atA, atB }: UsePair): string {
  const text = ({ location }: Use) =>
    location.kind === 'memory'
      ? `m${location.paddr}+${location.bytes}`
      : location.kind === 'csr'
        ? `c${location.field}`
        : `x${location.hart}.${location.number}.${location.from}+${location.bytes}`;
  return `${text(a)} ${atA} ${text(b)} ${atB}`;
}
