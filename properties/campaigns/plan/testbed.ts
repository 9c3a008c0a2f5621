/**
 * What a campaign needs of the injector, so that planning, storing and scheduling can be tested without a machine:
 * which set-ups, mechanisms and enhancements there are, and how one injection is run. subject.ts implements it.
 */
import type { Injection, InjectionResult, Mechanism } from '../injection/index.ts';
import type { FaultClass, NormalOperation, OverheadRow } from '../types.ts';
import type { FaultDraw } from './draw.ts';
import type { MemoryTargets } from './targets.ts';

/** What makes a golden run: mechanisms that only recover otherwise share one, other self-checks make another run. */
export interface GoldenChoice extends Pick<Mechanism, 'checks'> {
  readonly setup: string;
  readonly seed: number;
}
/** Equal for choices of the same run. */
export const goldenKey = ({ setup, seed, checks }: GoldenChoice): string => JSON.stringify([setup, seed, checks]);
/** The run that a cell's faults fall into. */
export const goldenOf = ({ setup, seed, mechanism: { checks } }: CellChoice): GoldenChoice => ({ setup, seed, checks });
type CellChoice = Pick<GoldenChoice, 'setup' | 'seed'> & { readonly mechanism: Pick<Mechanism, 'checks'> };

/** A run without faults, to be measured. */
export interface OverheadChoice extends NormalOperation {
  readonly setup: string;
  readonly seed: number;
}

/** Golden run of a set-up: where 0 and 100 percent of the run lie, and what every worker must see again. */
export interface GoldenEnds extends GoldenChoice {
  /** Virtual time, ns: the hypervisor's first VM entry, and the end. */
  readonly beginTicks: number;
  readonly endTicks: number;
  readonly endMoment: number;
  readonly endDigest: string;
}

/** The same with what draws are placed by. */
export interface GoldenWindow extends GoldenEnds {
  /**
   * Instructions retired in HS- and in M-mode at virtual times of the run, in order: the first of its beginning, the
   * last of its end.
   */
  readonly retired?: readonly { readonly ticks: number; readonly hypervisor: number; readonly machine: number }[];
  /** What memory faults are drawn from, as it is at times of the run, in order; the first one is its beginning. */
  readonly memory?: readonly { readonly ticks: number; readonly targets: MemoryTargets }[];
}

/** What a row is run in. */
export interface RowContext {
  readonly mechanism: Mechanism;
  readonly golden: GoldenEnds;
}

export interface Catalogue {
  readonly setups: readonly string[];
  /** Whether a name is that of a set-up that is not in the list because it says which files it runs. */
  isByPath(setup: string): boolean;
  /** The set-up that is the same, but as long as in the papers, where there is one. */
  paperScale(setup: string): string | undefined;
  /** Classes of faults that can be injected into a set-up. */
  faultClasses(setup: string): readonly FaultClass[];
  /** Enhancements of a mechanism, in the order of the ladder; empty for `none`. */
  enhancements(recovery: Mechanism['recovery']): readonly string[];
  /** Self-checks that can be left out; no enhancement has the name of one. */
  readonly checks: readonly string[];
  /**
   * sha256 of each image that the set-up's machines load, by name. @throws UserError naming an image that is missing
   */
  images(setup: string): Readonly<Record<string, string>>;
}

/** A worker's golden run is not the one that the rows were drawn in. */
export class OtherGoldenRun extends Error {
  override readonly name = 'OtherGoldenRun';
}

/** One worker's golden runs and injections. Methods are synchronous and deterministic. */
export interface Injector {
  window(choice: GoldenChoice): GoldenWindow;
  /** @throws OtherGoldenRun, or UserError for an injection that cannot be in this set-up */
  run(context: RowContext, injection: Injection): InjectionResult;
  overhead(choice: OverheadChoice): OverheadRow;
}

/** What a testbed module exports by the name `testbed`. */
export interface Testbed {
  readonly catalogue: Catalogue;
  /** Places a draw in its golden run. */
  place(draw: FaultDraw, window: GoldenWindow): Injection;
  /** A new injector, for one worker. */
  open(): Promise<Injector>;
}
