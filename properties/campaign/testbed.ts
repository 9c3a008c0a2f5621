/**
 * What a campaign needs of the injector, so that planning, storing and scheduling can be tested without a machine: which
 * set-ups, mechanisms and enhancements there are, and how one injection is run. subject.ts implements it.
 */
import type { Injection, InjectionResult, Mechanism } from '../injection/types.ts';
import type { FaultDraw } from './draw.ts';
import type { FaultClass, OverheadRow } from './types.ts';

/** Golden run of a set-up, as far as drawing and checking need it. */
export interface GoldenWindow {
  readonly setup: string;
  readonly seed: number;
  /** Virtual time, ns: where 0 and 100 percent of the run lie. */
  readonly beginTicks: number;
  readonly endTicks: number;
  /** State digest at its end: every worker must see the same. */
  readonly endDigest: string;
}

export interface Catalogue {
  readonly setups: readonly string[];
  /** Classes of faults that can be injected. */
  readonly faultClasses: readonly FaultClass[];
  /** Enhancements of a mechanism, in the order of the ladder; empty for `none`. */
  enhancements(recovery: Mechanism['recovery']): readonly string[];
  /** sha256 of each image that the set-up's machines load, by name. @throws UserError naming an image that is missing */
  images(setup: string): Readonly<Record<string, string>>;
}

/** One worker's golden runs and injections. Methods are synchronous and deterministic. */
export interface Injector {
  window(setup: string, seed: number): GoldenWindow;
  run(
    cell: { readonly setup: string; readonly mechanism: Mechanism; readonly seed: number },
    injection: Injection,
  ): InjectionResult;
  overhead(setup: string, undoLog: boolean, seed: number): OverheadRow;
}

/** What a testbed module exports by the name `testbed`. */
export interface Testbed {
  readonly catalogue: Catalogue;
  /** Places a draw in its golden run. */
  place(draw: FaultDraw, window: GoldenWindow): Injection;
  /** A new injector, for one worker. */
  open(): Promise<Injector>;
}
