/**
 * The first moment of a condition that, once true, stays true: by halving, so that few states are looked at. What
 * became true and false again on the way is not seen: `eachWhen` sees it.
 */
import type { Ticks } from '../../engine/index.ts';
import { holds } from '../language/index.ts';
import type { SearchedRun, Slices } from '../search/index.ts';
import type { Condition } from './when.ts';

export interface BisectedCondition {
  /**
   * Whether it holds at the beginning already, never at the end, or became true in between: the machine stands there.
   */
  readonly outcome: 'always' | 'not at the end' | 'found';
  /** States that were looked at. */
  readonly probes: number;
}

/**
 * Stands at the first state in which the condition holds if it stays true from there on; else at the end or the
 * beginning, as the outcome says. Inputs of a position count as one step with it.
 * @throws TraceError when the run leaves its recording on the way
 */
export function* bisectWhen(run: SearchedRun, { node, context }: Condition): Slices<BisectedCondition> {
  let probes = 0;
  const isTrueAt = (ticks: Ticks, here: 'pending' | 'applied' = 'applied'): boolean => {
    run.toTicks(ticks, here);
    probes++;
    return holds(node, { machine: run.machine, symbols: context.symbols });
  };
  if (!isTrueAt(run.last.ticks)) return { outcome: 'not at the end', probes };
  const { first } = run;
  if (isTrueAt(first.ticks, 'pending')) return { outcome: 'always', probes };
  let [low, high] = [first.ticks - 1, run.last.ticks];
  // Not true at `low`, true at `high`.
  while (high - low > 1) {
    const middle = low + Math.floor((high - low) / 2);
    if (isTrueAt(middle)) high = middle;
    else low = middle;
    yield { moment: run.machine.moment, executed: probes };
  }
  // An input of that position may be what made it so.
  if (!isTrueAt(high, 'pending')) run.toTicks(high, 'applied');
  return { outcome: 'found', probes };
}
