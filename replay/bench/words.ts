/**
 * Words to ask about in a run of Lazarus: on a page that is written while the machine starts and never again, on the
 * first hart's stack page, and on the page of Lazarus's statics that holds its heap's lock. On each page the word whose
 * last write lies furthest back; on the two that are written all the time also the one written last.
 * Relies on Lazarus's symbols for where the pages are, and on searches for when they were written.
 */
import { type Machine, PAGE_BYTES, type SymbolTable, UserError } from '../../engine/index.ts';
import type { Place } from '../base/index.ts';
import { finish } from '../search/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { accessesUntil, type MemoryHit, type WatchedMemory } from '../watch/index.ts';

/** A question: who wrote these bytes last, before `before`? */
export interface Question {
  readonly memory: WatchedMemory;
  readonly before: Place;
  /** The ticks of the write that has to be found. */
  readonly answer: number;
}

export interface Word {
  readonly name: string;
  /** Asked at the end of the run, about a write as near to its start as there is. */
  readonly early: Question;
  /** Asked a little behind the write. */
  readonly late: Question;
}

const WORD_BYTES = 8;
const START: Place = { moment: 0, ticks: 0, here: 'pending' };
/** The machine starts in this part of the run. */
const NEAR = 0.05;
/** Instructions between a write and the question, on the page that is not written near the end. */
const BEHIND = 1_000_000;
/** Pages behind the hypervisor's image among which a cold one is looked for: its heap. */
const COLD_PAGES = 1_024;

/** Writes of `WORD_BYTES` at a physical address. */
export const wordAt = (paddr: number): WatchedMemory => ({
  at: { space: 'spa', address: BigInt(paddr) },
  bytes: WORD_BYTES,
  writes: true,
});

/**
 * Finds the words. Moves the run. `near`: the part of the run in which the cold page is written.
 * @throws UserError when it is no run of Lazarus, or nothing writes to one of the pages
 */
export function findWords(run: TraceTimeline, near = NEAR): readonly Word[] {
  const { hypervisor } = run.symbols;
  const [lock, stacks] = [addressOf(hypervisor, 'heap_lock'), addressOf(hypervisor, 'stacks')];
  const cold = coldPage(run, addressOf(hypervisor, 'bss_end'), near);
  return [
    { name: 'a cold page', page: cold },
    { name: "a hart's stack page", page: stacks },
    { name: "Lazarus's statics", page: lock },
  ].map(({ name, page: address }) => {
    const page = address - (address % PAGE_BYTES);
    const writes = lastWrites(run, page);
    const before = run.place;
    const early = writes[0];
    if (!early) throw new UserError(`nothing writes to ${name}`);
    const asked = ({ paddr, hit }: typeof early) => ({ memory: wordAt(paddr), before, answer: hit.ticks });
    return {
      name,
      early: asked(early),
      late: page === cold ? shortlyBehind(run, asked(early)) : asked(writes.at(-1)!),
    };
  });
}

function addressOf(symbols: SymbolTable | undefined, name: string): number {
  const address = symbols?.loadAddress(name);
  if (address === undefined) throw new UserError(`expected a trace of Lazarus, got one without its symbol ${name}`);
  return Number(address);
}

/** Some memory as it is at the start of the run, where it is near it, and at its end. */
function threeLooks(run: TraceTimeline, near: number, look: (machine: Machine) => Uint8Array): Buffer[] {
  return [0, Math.floor(run.last.moment * near), run.last.moment].map((moment) => {
    run.seek(moment);
    return Buffer.from(look(run.machine));
  });
}

function coldPage(run: TraceTimeline, from: number, near: number): number {
  const looks = threeLooks(run, near, (machine) => machine.readPhysical(from, COLD_PAGES * PAGE_BYTES));
  for (let n = 0; n < COLD_PAGES; n++) {
    const [first, early, last] = looks.map((bytes) => bytes.subarray(n * PAGE_BYTES, (n + 1) * PAGE_BYTES));
    if (!early!.equals(first!) && early!.equals(last!)) return from + n * PAGE_BYTES;
  }
  throw new UserError('no page of the heap was written near the start of the run alone');
}

/** The last writes of the page's words, oldest first; an access that reaches into the next word counts once. */
function lastWrites(run: TraceTimeline, page: number): { readonly paddr: number; readonly hit: MemoryHit }[] {
  run.seek(run.last.moment);
  const last = new Map<number, MemoryHit>();
  const take = (hit: MemoryHit) => {
    if (hit.kind === 'access') for (const { paddr } of hit.parts) last.set(paddr - (paddr % WORD_BYTES), hit);
    return false;
  };
  finish(accessesUntil(run, { ...wordAt(page), bytes: PAGE_BYTES }, START, take));
  return [...last].map(([paddr, hit]) => ({ paddr, hit })).sort((a, b) => a.hit.ticks - b.hit.ticks);
}

function shortlyBehind(run: TraceTimeline, { memory, answer }: Question): Question {
  run.toTicks(answer, 'applied');
  run.seek(Math.min(run.moment + BEHIND, run.last.moment));
  return { memory, before: run.place, answer };
}
