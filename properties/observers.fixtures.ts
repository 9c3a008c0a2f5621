/**
 * Observers that come and go on the way of a run, for properties that say that they change nothing. What they are told
 * is thrown away (observers.prop.ts looks at that). Used by tests only.
 */
import fc from 'fast-check';
import type { Machine, Observed, RunLimit, StopReason, Watch } from '../engine/index.ts';

/** What is observed for a while. */
export interface ObserverSet {
  readonly watches: readonly Watch[];
  readonly breakAt: readonly number[];
  readonly breakAtVirtual: readonly bigint[];
  readonly observed: Observed;
  /** Whether instructions are logged. */
  readonly logs: boolean;
}

/** One set of observers stops a run this often at most; then it is taken away. */
const MOST_STOPS = 300;

/** Observers of these pages, of words in them, and of instructions there; one set in four observes nothing. */
export function observerSets(pages: readonly number[]): fc.Arbitrary<readonly ObserverSet[]> {
  const page = fc.constantFrom(...pages);
  const word = fc.tuple(page, fc.nat(511)).map(([its, n]) => its + 8 * n);
  const range = fc.oneof(
    page.map((paddr) => ({ paddr, bytes: 4096 })),
    word.chain((at) => fc.record({ paddr: fc.constant(at + 3), bytes: fc.integer({ min: 1, max: 5 }) })),
  );
  const watch = fc
    .tuple(range, fc.boolean(), fc.boolean(), fc.nat(3))
    .map(([its, reads, writes, stops]): Watch => ({ ...its, reads, writes, stops: stops === 0 }));
  const instruction = fc.tuple(page, fc.nat(63)).map(([its, n]) => its + 4 * n);
  const observers = fc.record({
    watches: fc.array(watch, { maxLength: 4 }),
    breakAt: fc.array(instruction, { maxLength: 2 }),
    breakAtVirtual: fc.array(instruction.map(BigInt), { maxLength: 2 }),
    observed: fc.record({
      transitions: fc.constant('all' as const),
      accesses: fc.boolean(),
      csrWrites: fc.boolean(),
    }),
    logs: fc.boolean(),
  });
  const one = fc.oneof({ weight: 3, arbitrary: observers }, { weight: 1, arbitrary: fc.constant(NOTHING) });
  return fc.array(one, { minLength: 1, maxLength: 4 });
}

const NOTHING: ObserverSet = {
  watches: [],
  breakAt: [],
  breakAtVirtual: [],
  observed: { transitions: 'all', accesses: false, csrWrites: false },
  logs: false,
};

/** Puts the sets on a machine, one after the other, and lets the run go on past their stops. */
export class ChangingObservers {
  /** Hits and logs told, and stops made, so that a test can see that there were some. */
  hits = 0;
  logs = 0;
  stops = 0;
  readonly #list: readonly ObserverSet[];
  #next = 0;
  #stopsNow = 0;
  constructor(list: readonly ObserverSet[]) {
    this.#list = list;
  }

  /** The next set in place of what the machine has. */
  change(machine: Machine): void {
    this.#stopsNow = 0;
    const { logs, ...others } = this.#list[this.#next++ % this.#list.length]!;
    Object.assign(machine, others);
    machine.onWatchHit = () => this.hits++;
    machine.onSteps = logs ? () => this.logs++ : undefined;
    machine.onEvent ??= () => {};
  }
  /** Leaves the machine without any. */
  leave(machine: Machine): void {
    const { logs: _, ...others } = NOTHING;
    Object.assign(machine, others, { onWatchHit: undefined, onSteps: undefined });
  }

  /** As `machine.run`, past all stops of observers. */
  run(machine: Machine, until: RunLimit): StopReason {
    return this.past(machine, () => machine.run(until));
  }
  /** Goes on until something else stops the run. */
  past<T extends { readonly kind: string }>(machine: Machine, go: () => T): T {
    for (;;) {
      const stop = go();
      if (stop.kind !== 'breakpoint' && stop.kind !== 'watchpoint') return stop;
      this.stops++;
      if (++this.#stopsNow > MOST_STOPS) this.leave(machine);
    }
  }
}
