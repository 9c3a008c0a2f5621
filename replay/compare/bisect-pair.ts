/**
 * Two runs side by side, as bisect moves them together.
 * Relies on re-execution; knows nothing of why they may differ.
 */
import type { StateDifference, SymbolOptions } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import { openTimeline, type TraceTimeline } from '../timeline/index.ts';

export interface BisectOptions {
  /** Called before each probe: what is looked at, and how many comparisons were made. */
  readonly onProgress?: (at: { readonly moment: number; readonly probes: number }) => void;
  /** Symbols besides those of the images. */
  readonly symbols?: SymbolOptions;
}

export interface Pair {
  readonly a: TraceTimeline;
  readonly b: TraceTimeline;
  /** Compares the states that the runs are in: one probe. */
  equal(): boolean;
  readonly probes: number;
}

/** A difference with what people call the place. */
export type NamedDifference = StateDifference & { readonly symbol?: string; readonly owner?: string };

/** Builds both machines, at moment 0. @throws TraceError, UserError when a trace cannot run here. */
export function openPair(traceA: Trace, traceB: Trace, options: BisectOptions): Pair {
  const a = openTimeline(traceA, options.symbols);
  const b = openTimeline(traceB, options.symbols);
  let probes = 0;
  return {
    a,
    b,
    equal() {
      options.onProgress?.({ moment: a.machine.moment, probes });
      probes++;
      return a.machine.ticks === b.machine.ticks && a.machine.digest() === b.machine.digest();
    },
    get probes() {
      return probes;
    },
  };
}
