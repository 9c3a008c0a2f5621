/**
 * The chain of instructions that a wrong value or a missing step came from, backwards through two runs at once: at each
 * instruction only what differs from the golden run is followed, copies are passed over, and where the paths part the
 * branch or trap that parted is next. It ends where a value is found that nobody wrote.
 * @see Johnson et al., "Differential slicing: identifying causal execution differences for security applications",
 * IEEE S&P 2011
 */
import type { Slices } from '../search/index.ts';
import type { Alignment, Parting } from './align.ts';
import { accessed, isStable, narrowed, samePlace, successors, type UsePair } from './compare.ts';
import {
  bytesOf,
  codeUse,
  copiedFrom,
  csrRead,
  type Location,
  memoryRead,
  namedCsr,
  partOf,
  registersRead,
  touchesDevice,
  type Use,
} from './flow.ts';
import { type Producer, producerOf, trappedPc, valueAt } from './producer.ts';
import type { RunSteps, Step, StepNumber } from './steps.ts';
import type { Chain, Link, Origin } from './types.ts';

/** Instructions of a chain, copies counted, that are followed at most. */
const MOST_VISITED = 20_000;

export class ChainWalk {
  private readonly a: RunSteps;
  private readonly b: RunSteps;
  private readonly alignment: Alignment;
  private readonly seen = new Set<string>();
  private visited = 0;
  private fallback: Chain | undefined;
  /** The links up to what is being looked at: what is left of a walk that is ended early. */
  soFar: readonly Link[] = [];

  constructor(a: RunSteps, b: RunSteps, alignment: Alignment) {
    [this.a, this.b, this.alignment] = [a, b, alignment];
  }

  /** Why a value differs. */
  *ofValue(pair: UsePair): Slices<Chain> {
    return this.finish(yield* this.follow(pair, []));
  }

  /** Why A came to a step that B did not come to. */
  *ofStepOfA(step: StepNumber): Slices<Chain> {
    return this.finish(yield* this.parting(this.alignment.partingOfA(step), step, []));
  }

  /** Why A did not come to a step of B. */
  *ofStepOfB(step: StepNumber): Slices<Chain> {
    const parting = this.alignment.partingOfB(step);
    return this.finish(yield* this.parting(parting, parting?.a ?? 0, []));
  }

  private finish(found: Chain | undefined): Chain {
    const chain = found ?? this.fallback;
    if (chain) return { ...chain, visited: this.visited };
    return { links: [], origin: { kind: 'unexplained', at: 0, why: 'nothing differs' }, visited: this.visited };
  }

  /** A chain that ends in something that needs no further cause; others are kept for want of better. */
  private end(links: readonly Link[], origin: Origin): Chain | undefined {
    const chain = { links, origin, visited: this.visited };
    if (origin.kind === 'changed' || origin.kind === 'pc' || isInjected(origin)) return chain;
    this.fallback ??= chain;
    return undefined;
  }

  /** Follows one differing value to what produced it in both runs. */
  private *follow(start: UsePair, links: readonly Link[]): Slices<Chain | undefined> {
    let pair = narrowed(start);
    for (;;) {
      const key = keyOf(pair);
      if (this.seen.has(key) || ++this.visited > MOST_VISITED) return undefined;
      this.seen.add(key);
      this.soFar = links;
      yield { moment: this.a.run.machine.moment, executed: this.a.logged + this.b.logged };
      const ofA = yield* producerOf(this.a, pair.a, pair.atA);
      if (ofA.kind === 'changed') return this.end(links, changedOrigin(ofA, pair.atA));
      if (ofA.kind === 'outside') {
        return this.end(links, { kind: 'outside', producer: ofA, found: pair.atA });
      }
      // The part that the last writer wrote: the rest, if it differs, came from somebody else.
      if (bytesOf(ofA.use.location) < bytesOf(pair.a.location)) {
        const found = yield* this.followParts(pair, ofA.use, links);
        if (found !== 'same') return found;
      }
      const ofB = yield* producerOf(this.b, pair.b, pair.atB);
      if (ofA.kind !== 'step' || ofB.kind !== 'step') {
        return this.end(links, { kind: 'unexplained', at: pair.atA, why: whyNot(ofA, ofB) });
      }
      const misplaced = this.misplaced(pair, ofA.step, ofB.step);
      if (misplaced) return yield* this.operands('computed', misplaced, undefined, links);
      const next = this.through(pair, ofA.step, ofB.step);
      if (next === undefined) return yield* this.compareProducers(pair, ofA.step, ofB.step, links);
      pair = narrowed(next);
    }
  }

  /** The differing parts of a value that several instructions wrote. */
  private *followParts(pair: UsePair, part: Use, links: readonly Link[]): Slices<Chain | undefined | 'same'> {
    const { a: whole } = pair;
    if (whole.location.kind !== 'memory' || part.location.kind !== 'memory') return 'same';
    const from = part.location.paddr - whole.location.paddr;
    const cut = (start: number, bytes: number): UsePair | undefined => {
      if (bytes <= 0) return undefined;
      const [a, b] = [partOf(pair.a, start, bytes), partOf(pair.b, start, bytes)];
      return a.value === b.value ? undefined : { ...pair, a, b };
    };
    const size = part.location.bytes;
    const parts = [cut(from, size), cut(0, from), cut(from + size, whole.location.bytes - from - size)];
    for (const one of parts) {
      const found = one && (yield* this.follow(one, links));
      if (found) return found;
    }
    return undefined;
  }

  /** A store that both runs did, one of them to another address: it wrote elsewhere, or did not write here. */
  private misplaced(pair: UsePair, atA: StepNumber, atB: StepNumber): Parting | undefined {
    if (pair.a.location.kind !== 'memory') return undefined;
    const elsewhere = (a: StepNumber | undefined, b: StepNumber | undefined): Parting | undefined => {
      if (a === undefined || b === undefined) return undefined;
      const [ofA, ofB] = [this.a.get(a), this.b.get(b)];
      return ofA.accesses[0]?.address === ofB.accesses[0]?.address ? undefined : { a, b };
    };
    return elsewhere(atA, this.alignment.inB(atA)) ?? elsewhere(this.alignment.inA(atB), atB);
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

  private *compareProducers(
    pair: UsePair,
    atA: StepNumber,
    atB: StepNumber,
    links: readonly Link[],
  ): Slices<Chain | undefined> {
    const [a, b] = [this.a.get(atA), this.b.get(atB)];
    if (this.isSame(a, b)) return yield* this.operands('computed', { a: atA, b: atB }, pair.a.location, links);
    if (this.alignment.inB(atA) === undefined) {
      return yield* this.parting(this.alignment.partingOfA(atA), atA, links);
    }
    if (this.alignment.inA(atB) === undefined) {
      return yield* this.parting(this.alignment.partingOfB(atB), atA, links);
    }
    return this.end(links, { kind: 'unexplained', at: atA, why: 'both runs did both, in another order' });
  }

  /** What differs in an instruction that both runs did. */
  private *operands(
    kind: Link['kind'],
    pair: Parting,
    location: Location | undefined,
    links: readonly Link[],
  ): Slices<Chain | undefined> {
    const [a, b] = [this.a.get(pair.a), this.b.get(pair.b)];
    if (location && trappedPc(a, location)) return yield* this.beforeStep(pair, links);
    for (const follows of this.differing(a, b)) {
      const found = yield* this.follow(follows, [...links, { kind, pair, follows }]);
      if (found) return found;
    }
    if (this.differing(a, b).length > 0) return undefined;
    if (location?.kind === 'csr' && !a.csr) {
      const kept = yield* this.keptBits(location, pair, links);
      if (kept) return kept;
    }
    if (touchesDevice(a)) return this.end(links, { kind: 'device', at: pair.a });
    const moved = yield* this.translation(a, b, pair, links);
    if (moved) return moved;
    if (a.csr && !isStable(a.csr.number)) return this.end(links, { kind: 'time', at: pair.a });
    return this.end(links, { kind: 'unexplained', at: pair.a, why: 'both runs did it with the same operands' });
  }

  /** Bits of a status register that a trap or a return left as they were. */
  private *keptBits(location: Location, pair: Parting, links: readonly Link[]): Slices<Chain | undefined> {
    const before = (run: RunSteps, at: StepNumber): Use => ({ location, value: valueAt(run, location, at) });
    const follows = { a: before(this.a, pair.a), b: before(this.b, pair.b), atA: pair.a, atB: pair.b };
    if (follows.a.value === follows.b.value) return undefined;
    return yield* this.follow(follows, [...links, { kind: 'computed', pair, follows }]);
  }

  /** Operands that differ: the instruction itself, registers, memory, CSRs. */
  private differing(a: Step, b: Step): UsePair[] {
    const pairs: UsePair[] = [];
    const add = (ofA: readonly Use[], ofB: readonly Use[]) => {
      for (const [n, one] of ofA.entries()) {
        const other = ofB[n];
        if (!other || one.value === other.value) continue;
        if (!samePlace(one.location, other.location)) continue;
        pairs.push({ a: one, b: other, atA: a.number, atB: b.number });
      }
    };
    if (a.isTrap) return pairs;
    if (a.raw !== b.raw) {
      const bytes = (a.raw & 3) === 3 && (b.raw & 3) === 3 ? 4 : 2;
      if (a.code === b.code) add([codeUse(a, bytes)], [codeUse(b, bytes)]);
      // What another instruction reads is no answer.
      return pairs;
    }
    add(registersRead(a), registersRead(b));
    if (pairs.length > 0) return pairs;
    add(memoryRead(a), memoryRead(b));
    if (a.csr && b.csr && isStable(a.csr.number)) add(csrRead(a), csrRead(b));
    return pairs;
  }

  /** Where the paths parted: what the last common step found differently. */
  private *parting(parting: Parting | undefined, at: StepNumber, links: readonly Link[]): Slices<Chain | undefined> {
    if (!parting) {
      return this.end(links, {
        kind: 'unexplained',
        at,
        why: 'where the paths parted lies outside of what was compared',
      });
    }
    const key = `parting ${parting.a} ${parting.b}`;
    if (this.seen.has(key) || ++this.visited > MOST_VISITED) return undefined;
    this.seen.add(key);
    const [a, b] = [this.a.get(parting.a), this.b.get(parting.b)];
    const [nextA, nextB] = [this.nextOf(this.a, parting.a), this.nextOf(this.b, parting.b)];
    const strayed = nextA && this.strayed(a, nextA);
    if (strayed) return this.end(links, strayed);
    for (const follows of this.differing(a, b)) {
      const found = yield* this.follow(follows, [...links, { kind: 'parted', pair: parting, follows }]);
      if (found) return found;
    }
    const moved = yield* this.atTrap(parting, nextA, nextB, links);
    if (moved) return moved;
    const ofCsr = yield* this.csrs(parting, nextA, nextB, links);
    if (ofCsr) return ofCsr;
    if (nextA?.isInterrupt || nextB?.isInterrupt) return this.end(links, { kind: 'interrupt', at: parting.a });
    return this.end(links, { kind: 'unexplained', at: parting.a, why: 'the paths part here with the same operands' });
  }

  private nextOf(run: RunSteps, step: StepNumber): Step | undefined {
    const found = run === this.a ? this.alignment.nextInA(step) : this.alignment.nextInB(step);
    return found === undefined ? undefined : run.get(found);
  }

  /** Whether a step is followed by one that it does not lead to. */
  private strayed(step: Step, next: Step): Origin | undefined {
    const expected = successors(step);
    if (expected === undefined || expected.includes(next.pc)) return undefined;
    if (next.number === step.number) return undefined;
    return {
      kind: 'pc',
      hart: step.hart,
      expected: expected[0]!,
      after: next.pc,
      written: step.number,
      found: next.number,
    };
  }

  /** An instruction that trapped in one run only, or elsewhere: fetched or translated differently. */
  private *atTrap(
    parting: Parting,
    nextA: Step | undefined,
    nextB: Step | undefined,
    links: readonly Link[],
  ): Slices<Chain | undefined> {
    // A trap of an instruction that was not even fetched stands for it.
    for (const [a, b] of [[nextA, nextB]] as const) {
      if (!a || !b || a.pc !== b.pc) continue;
      const pair = { a: a.number, b: b.number };
      const found = yield* this.translation(a, b, pair, links);
      if (found) return found;
    }
    const [a, b] = [this.a.get(parting.a), this.b.get(parting.b)];
    return yield* this.translation(a, b, parting, links);
  }

  /** CSRs that decide over traps, returns and interrupts, and differ. */
  private *csrs(
    parting: Parting,
    nextA: Step | undefined,
    nextB: Step | undefined,
    links: readonly Link[],
  ): Slices<Chain | undefined> {
    const [atA, atB] = [nextA?.number ?? parting.a, nextB?.number ?? parting.b];
    const { hart } = this.a.get(parting.a);
    const follows: UsePair[] = [];
    for (const name of DECIDING) {
      const location = namedCsr(hart, name);
      const [a, b] = [valueAt(this.a, location, atA), valueAt(this.b, location, atB)];
      if (a !== b) follows.push({ a: { location, value: a }, b: { location, value: b }, atA, atB });
    }
    for (const one of follows) {
      const found = yield* this.follow(one, [...links, { kind: 'parted', pair: parting, follows: one }]);
      if (found) return found;
    }
    return undefined;
  }

  /** Page-table entries and roots that the address of an access or fetch was translated by, and that differ. */
  private *translation(a: Step, b: Step, pair: Parting, links: readonly Link[]): Slices<Chain | undefined> {
    const address = accessed(a);
    if (address === undefined || address.va !== accessed(b)?.va) return undefined;
    const explain = (run: RunSteps, step: Step) => {
      run.run.toTicks(step.ticks, 'applied');
      const { machine } = run.run;
      return machine.explainTranslation(step.hart, address.va, address.access);
    };
    const [ofA, ofB] = [explain(this.a, a), explain(this.b, b)];
    const follows: UsePair[] = [];
    for (const [n, step] of ofA.steps.entries()) {
      const other = ofB.steps[n];
      if (other?.paddr !== step.paddr) break;
      if (other.pte === step.pte) continue;
      const location = { kind: 'memory', paddr: Number(step.paddr), bytes: 8 } as const;
      follows.push({
        a: { location, value: step.pte },
        b: { location, value: other.pte },
        atA: a.number,
        atB: b.number,
      });
    }
    if (ofA.paddr !== ofB.paddr || follows.length > 0 || ofA.fault !== ofB.fault) {
      for (const name of ROOTS) {
        const location = namedCsr(a.hart, name);
        const [valueA, valueB] = [valueAt(this.a, location, a.number), valueAt(this.b, location, b.number)];
        if (valueA === valueB) continue;
        const use = { a: { location, value: valueA }, b: { location, value: valueB }, atA: a.number, atB: b.number };
        follows.unshift(use);
      }
    }
    for (const one of follows) {
      const found = yield* this.follow(one, [...links, { kind: 'translated', pair, follows: one }]);
      if (found) return found;
    }
    return undefined;
  }

  /** Why a hart was where it was when it trapped. */
  private *beforeStep(pair: Parting, links: readonly Link[]): Slices<Chain | undefined> {
    return yield* this.parting(this.alignment.partingOfA(pair.a), pair.a, links);
  }
}

const ROOTS = ['hgatp', 'vsatp', 'satp'] as const;

/** CSRs that decide where traps and returns lead, and which interrupts are taken. */
const DECIDING = [
  ...(['mstatus', 'sstatus', 'hstatus', 'vsstatus', 'mepc', 'sepc', 'vsepc', 'mtvec', 'stvec', 'vstvec'] as const),
  ...(['medeleg', 'mideleg', 'hedeleg', 'hideleg', 'mie', 'sie', 'hie', 'vsie', 'hvip', 'hgeie'] as const),
  ...(['mcounteren', 'hcounteren', 'scounteren', 'menvcfg', 'henvcfg', 'senvcfg'] as const),
  ...(['satp', 'vsatp', 'hgatp', 'stimecmp', 'vstimecmp', 'htimedelta', 'pmpcfg0', 'pmpaddr0'] as const),
];

const isInjected = (origin: Origin): boolean =>
  origin.kind === 'outside' && origin.producer.hit.kind === 'access' && origin.producer.hit.by === 'input';

function changedOrigin(producer: Extract<Producer, { kind: 'changed' }>, found: StepNumber): Origin {
  const { use, written, step } = producer;
  return { kind: 'changed', location: use.location, before: written, after: use.value, written: step, found };
}

const whyNot = (a: Producer, b: Producer): string => {
  const one = a.kind === 'step' ? b : a;
  return one.kind === 'far'
    ? 'its writer lies further back than was looked'
    : 'nothing has written it in one of the runs';
};

function keyOf({ a, b, atA, atB }: UsePair): string {
  const text = ({ location }: Use) =>
    location.kind === 'memory'
      ? `m${location.paddr}+${location.bytes}`
      : location.kind === 'csr'
        ? `c${location.field}`
        : `x${location.hart}.${location.number}.${location.from}+${location.bytes}`;
  return `${text(a)} ${atA} ${text(b)} ${atB}`;
}
