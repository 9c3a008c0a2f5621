/**
 * What `log --summary` of a run costs, against a replay of it that compares the same digests: pairs, one right after
 * the other, by processor time; prints the median of their ratios. Run: node replay/bench/log.ts TRACE [pairs]
 */
import { openTrace, type Trace } from '../../traces/index.ts';
import { LogReader, LogSummarizer, type LogSummary } from '../log/index.ts';
import { openTimeline } from '../timeline/index.ts';
import { replayTrace } from '../verify/index.ts';
import { processorMs, spreadOf, spreadText } from './measure.ts';

export interface Measured {
  /** Median of log ÷ replay. */
  readonly ratio: number;
  readonly ratios: readonly number[];
  /** Median milliseconds of processor time. */
  readonly replayMs: number;
  readonly logMs: number;
  readonly entries: number;
}

/** Times both, `pairs` times after a round to warm up. @throws Error when the trace does not replay */
export function measure(trace: Trace, pairs: number): Measured {
  let entries = 0;
  const round = () => {
    const replayMs = processorMs(() => {
      if (!replayTrace(trace).ok) throw new Error(`bench: ${trace.path} does not replay`);
    });
    const logMs = processorMs(() => {
      entries = summarize(trace).kinds.reduce((sum, { count }) => sum + count, 0);
    });
    return { replayMs, logMs, ratio: logMs / replayMs };
  };
  round();
  const rounds = Array.from({ length: pairs }, round);
  const medianOf = (name: 'replayMs' | 'logMs' | 'ratio') => spreadOf(rounds.map((at) => at[name])).median;
  return {
    ratio: medianOf('ratio'),
    ratios: rounds.map(({ ratio }) => ratio),
    replayMs: medianOf('replayMs'),
    logMs: medianOf('logMs'),
    entries,
  };
}

function summarize(trace: Trace): LogSummary {
  const timeline = openTimeline(trace);
  timeline.seek(0, 'pending');
  const summarizer = new LogSummarizer();
  for (const { entries } of new LogReader(timeline).read()) for (const entry of entries) summarizer.add(entry);
  return summarizer.summary;
}

if (import.meta.main) {
  const [path, pairs = '9'] = process.argv.slice(2);
  if (path === undefined) {
    console.error('usage: node replay/bench/log.ts TRACE [pairs]');
    process.exitCode = 2;
  } else {
    const trace = openTrace(path);
    const { ratios, replayMs, logMs, entries } = measure(trace, Number(pairs));
    console.log(
      `${trace.last.moment} instructions, ${entries} entries: log --summary ${logMs.toFixed(0)} ms, ` +
        `replay ${replayMs.toFixed(0)} ms; ratio ${spreadText(spreadOf(ratios))}`,
    );
  }
}
