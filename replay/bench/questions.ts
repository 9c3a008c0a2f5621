/**
 * What watching memory costs, and asking who wrote it or when a condition holds, against running the same stretch with
 * no observer: pairs, one right after the other, by processor time of one process that runs on one core.
 * Run: node replay/bench/questions.ts TRACE [pairs], on a long run of Lazarus.
 */
import { RAM_BASE } from '../../engine/index.ts';
import { openTrace, type Trace } from '../../traces/index.ts';
import type { Place } from '../base/index.ts';
import { finish, type Observer, observe } from '../search/index.ts';
import { DebugSession } from '../session/index.ts';
import { openTimeline, type TraceTimeline } from '../timeline/index.ts';
import { lastAccess, memoryObserver } from '../watch/index.ts';
import { eachWhen, readCondition } from '../when/index.ts';
import { processorMs, type Spread, spreadOf, spreadText } from './measure.ts';
import { findWords, type Question, type Word } from './words.ts';

/** Of one word; ratios are against a run straight through without an observer. */
export interface WordCosts {
  readonly name: string;
  /** Where its last write is, as a part of the run. */
  readonly lastWrite: number;
  readonly watched: Spread;
  /** Who wrote it last, asked at the end; and the same for a write near the question, in milliseconds. */
  readonly early: Spread;
  readonly lateMs: Spread;
  /** Running back from a million instructions behind a write of it, in milliseconds. */
  readonly backMs: Spread;
}

export interface Costs {
  readonly replayMs: Spread;
  readonly words: readonly WordCosts[];
  /** All moments of a condition, against a run straight through. */
  readonly conditions: readonly { readonly text: string; readonly cost: Spread; readonly hits: number }[];
  /** Microseconds for a hit of a watchpoint that is hit all the time, and how many there were. */
  readonly hitUs: Spread;
  readonly hits: number;
}

const BACK = 1_000_000;
/** Instructions that are run for the cost of a hit. */
const DENSE_RUN = 2_000_000;

/** Times everything `pairs` times. `near`: as for findWords. @throws UserError when it is no run of Lazarus */
export function measure(trace: Trace, pairs: number, near?: number): Costs {
  const words = findWords(openTimeline(trace), near);
  replayMs(trace);
  const rounds = Array.from({ length: pairs }, () => words.map((word) => costsOf(trace, word)));
  const texts = ['hart0.pc == heap_alloc', `[spa:0x${words[0]!.early.memory.at.address?.toString(16)}]:8 != 0`];
  const conditions = texts.map((text) => {
    const asked = Array.from({ length: pairs }, () => ({ replay: replayMs(trace), ...whenCosts(trace, text) }));
    return { text, cost: spreadOf(asked.map(({ replay, ms }) => ms / replay)), hits: asked[0]!.hits };
  });
  const dense = Array.from({ length: pairs + 1 }, () => denseCosts(trace)).slice(1);
  return {
    replayMs: spreadOf(rounds.flat().map(({ replay }) => replay)),
    words: words.map(({ name, early }, n) => {
      const of = (pick: (costs: ReturnType<typeof costsOf>) => number) => spreadOf(rounds.map((at) => pick(at[n]!)));
      return {
        name,
        lastWrite: early.answer / trace.last.ticks,
        watched: of(({ watched, replay }) => watched / replay),
        early: of(({ early, replay }) => early / replay),
        lateMs: of(({ late }) => late),
        backMs: of(({ back }) => back),
      };
    }),
    conditions,
    hitUs: spreadOf(dense.map(({ us }) => us)),
    hits: dense[0]!.hits,
  };
}

function costsOf(trace: Trace, word: Word) {
  return {
    replay: replayMs(trace),
    watched: watchedMs(trace, word),
    early: whoWroteMs(trace, word.early),
    late: whoWroteMs(trace, word.late),
    back: backMs(trace, word.early),
  };
}

/** Each in a timeline of its own: none finds snapshots that another one has left. */
function replayMs(trace: Trace): number {
  const run = openTimeline(trace);
  return processorMs(() => run.forwardToTicks(run.last.ticks, 'applied'));
}

function watchedMs(trace: Trace, { early }: Word): number {
  const run = openTimeline(trace);
  return processorMs(() => observed(run, memoryObserver(early.memory)));
}

/** Runs to the end, or another place, with an observer. Returns how often it saw something. */
function observed(run: TraceTimeline, observer: Observer, to: Place = { ...run.last, here: 'applied' }): number {
  let hits = 0;
  finish(
    observe(run, to, observer, () => {
      hits++;
      return false;
    }),
  );
  return hits;
}

function whoWroteMs(trace: Trace, { memory, before, answer }: Question): number {
  const run = openTimeline(trace);
  run.toTicks(before.ticks, before.here);
  return processorMs(() => {
    if (finish(lastAccess(run, memory))?.ticks !== answer) throw new Error('bench: another answer than before');
  });
}

function backMs(trace: Trace, { memory, answer }: Question): number {
  const run = openTimeline(trace);
  const session = new DebugSession(run);
  session.stops.watch({ at: memory.at, bytes: memory.bytes, writes: true }, 'the word');
  run.toTicks(answer, 'applied');
  run.seek(Math.min(run.moment + BACK, run.last.moment));
  return processorMs(() => {
    if (finish(session.to('watchpoint', 'backward')).moves !== 1) throw new Error('bench: no write before');
  });
}

function whenCosts(trace: Trace, text: string): { readonly ms: number; readonly hits: number } {
  const run = openTimeline(trace);
  const condition = readCondition(text, { machine: run.machine, symbols: run.symbols });
  let hits = 0;
  const ms = processorMs(() =>
    finish(
      eachWhen(run, condition, { ...run.last, here: 'applied' }, () => {
        hits++;
        return false;
      }),
    ),
  );
  return { ms, hits };
}

/** All of RAM watched, around the middle of the run. */
function denseCosts(trace: Trace): { readonly us: number; readonly hits: number } {
  const run = openTimeline(trace);
  const middle = run.last.moment >> 1;
  const end = () => {
    run.seek(Math.min(middle + DENSE_RUN, run.last.moment));
    const { place } = run;
    run.seek(middle);
    return place;
  };
  const to = end();
  const without = processorMs(() => run.forwardToTicks(to.ticks, to.here));
  run.seek(middle);
  const at = { space: 'spa', address: BigInt(RAM_BASE) } as const;
  let hits = 0;
  const bytes = run.machine.config.ramBytes;
  const watched = processorMs(() => {
    hits = observed(run, memoryObserver({ at, bytes, writes: true }), to);
  });
  return { us: (1000 * (watched - without)) / hits, hits };
}

if (import.meta.main) {
  const [path, pairs = '5'] = process.argv.slice(2);
  if (path === undefined) {
    console.error('usage: node replay/bench/questions.ts TRACE [pairs]');
    process.exitCode = 2;
  } else {
    const trace = openTrace(path);
    const { words, conditions, hitUs, hits, replayMs: replay } = measure(trace, Number(pairs));
    console.log(`${trace.last.moment} instructions; replay ${spreadText(replay, 0)} ms`);
    for (const { name, lastWrite, watched, early, lateMs, backMs: back } of words) {
      const at = `a write at ${(100 * lastWrite).toFixed(1)} % of the run`;
      console.log(`${name}: watched ÷ replay ${spreadText(watched)}; who-wrote ÷ replay ${spreadText(early)}, ${at};`);
      console.log(`  a write near the question ${spreadText(lateMs, 0)} ms; back over 1 M ${spreadText(back, 0)} ms`);
    }
    for (const { text, cost, hits: times } of conditions) {
      console.log(`when '${text}' ÷ replay ${spreadText(cost)}, ${times} times`);
    }
    console.log(`a hit: ${spreadText(hitUs)} µs, of ${hits}`);
  }
}
