/** What a walk backwards finds: links from the question to the origin, by numbers of steps. */
import type { Parting } from './align.ts';
import type { UsePair } from './compare.ts';
import type { Location } from './flow.ts';
import type { Producer } from './producer.ts';
import type { StepNumber } from './steps.ts';

export type Link =
  /** Both did this instruction, with operands that differ; `follows` is what is followed. */
  | { readonly kind: 'computed'; readonly pair: Parting; readonly follows: UsePair }
  /** Both did this instruction and went on elsewhere because of `follows`. */
  | { readonly kind: 'parted'; readonly pair: Parting; readonly follows: UsePair }
  /** The address led elsewhere. */
  | { readonly kind: 'translated'; readonly pair: Parting; readonly follows: UsePair };

export type Origin =
  /** The location had `before`, and nobody wrote `after`: between the steps of A. */
  | {
      readonly kind: 'changed';
      readonly location: Location;
      readonly before: bigint;
      readonly after: bigint;
      readonly written: StepNumber | undefined;
      readonly found: StepNumber;
    }
  /** An instruction was followed by one that it does not lead to. */
  | {
      readonly kind: 'pc';
      readonly hart: number;
      readonly expected: bigint;
      readonly after: bigint;
      readonly written: StepNumber;
      readonly found: StepNumber;
    }
  /** A device, an input or a reset wrote it. */
  | { readonly kind: 'outside'; readonly producer: Extract<Producer, { kind: 'outside' }>; readonly found: StepNumber }
  | { readonly kind: 'device' | 'time' | 'interrupt'; readonly at: StepNumber }
  /** Both runs did and found the same, as far as can be seen. */
  | { readonly kind: 'unexplained'; readonly at: StepNumber; readonly why: string };

export interface Chain {
  /** From the question back to the origin. */
  readonly links: readonly Link[];
  readonly origin: Origin;
  /** How many other operands that differed were followed first, or were left. */
  readonly visited: number;
}
