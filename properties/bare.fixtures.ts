/**
 * A machine without software, for properties that run many small programs: one machine, put back instead of built anew,
 * with the program's bytes poked into its RAM. Used by tests only.
 */
import { expect } from 'vitest';
import {
  compareStates,
  createMachine,
  type Machine,
  type MachineConfig,
  type RunLimit,
  type Snapshot,
  type StopReason,
} from '../engine/index.ts';
import type { ChangingObservers } from './observers.fixtures.ts';
import { eventText, IMAGES } from './scenario.fixtures.ts';

export const RAM = 0x8000_0000;

/** Bytes that go into RAM before the run, or at a virtual time. */
export interface Poke {
  readonly ticks?: number;
  readonly paddr: number;
  readonly bytes: Uint8Array;
}

export interface Outcome {
  readonly end: Snapshot;
  readonly stop: StopReason;
  readonly events: readonly string[];
}

/** Harts start at RAM; small pages, short jittered turns. */
export function bareConfig(harts: number): MachineConfig {
  return {
    harts,
    ramBytes: 4 << 20,
    quantum: { policy: 'jittered', ticks: 64, seed: 5n },
    // Only its entry point is used: the programs overwrite it.
    bios: IMAGES.bios,
    append: '',
  };
}

/** Two machines of one make. */
export class Pair {
  readonly config: MachineConfig;
  readonly machines: readonly [Machine, Machine];
  readonly #start: Snapshot;
  constructor(harts: number) {
    this.config = bareConfig(harts);
    this.machines = [createMachine(this.config), createMachine(this.config)];
    this.#start = this.machines[0].snapshot();
  }

  /** Both machines as after reset. */
  reset(): void {
    for (const machine of this.machines) {
      machine.onEvent = undefined;
      machine.restore(this.#start);
    }
  }

  /** Runs the first machine in one go, up to `ticks`. */
  straight(pokes: readonly Poke[], ticks: number, watched = true): Outcome {
    return run(this.machines[0], { pokes, ticks, cuts: [], watched }, () => this.machines[0]);
  }

  /** Runs the second machine to the same end; with other observers from each of `changes` on, ascending. */
  observed(pokes: readonly Poke[], ticks: number, changes: readonly number[], observers: ChangingObservers): Outcome {
    const [, machine] = this.machines;
    observers.change(machine);
    const outcome = run(
      machine,
      { pokes, ticks, cuts: changes, watched: false },
      () => {
        observers.change(machine);
        return machine;
      },
      (limit) => observers.run(machine, limit),
    );
    observers.leave(machine);
    return outcome;
  }

  /**
   * Runs to the same end with a stop at each of `cuts`, ascending; at each the state is taken out, which forgets all
   * that is derived, and put back into one machine or the other.
   */
  interrupted(pokes: readonly Poke[], ticks: number, cuts: readonly number[], watched = true): Outcome {
    let n = 0;
    return run(this.machines[1], { pokes, ticks, cuts, watched }, (from) => {
      const to = this.machines[++n % 3 === 0 ? 0 : 1];
      const snapshot = from.snapshot();
      if (to !== from) {
        to.onEvent = from.onEvent;
        from.onEvent = undefined;
      }
      to.restore(snapshot);
      return to;
    });
  }
}

/** Says what differs; quick when nothing does. */
export function expectSameState(a: Snapshot, b: Snapshot, config: MachineConfig): void {
  if (a.digest !== b.digest) expect(compareStates(a, b, config)).toEqual([]);
  expect(b.digest).toBe(a.digest);
}

interface Plan {
  readonly pokes: readonly Poke[];
  readonly ticks: number;
  readonly cuts: readonly number[];
  /** Whether events are observed. */
  readonly watched: boolean;
}

function run(
  first: Machine,
  { pokes, ticks, cuts, watched }: Plan,
  cut: (machine: Machine) => Machine,
  go: ((limit: RunLimit) => StopReason) | undefined = undefined,
): Outcome {
  let machine = first;
  const events: string[] = [];
  if (watched) machine.onEvent = (event) => events.push(eventText(event));
  const later = pokes.filter((poke) => poke.ticks !== undefined).sort((a, b) => a.ticks! - b.ticks!);
  for (const { paddr, bytes, ticks: at } of pokes) {
    if (at === undefined) machine.apply({ kind: 'poke', paddr, bytes });
  }
  const cutAt = new Set(cuts);
  const stops = [...new Set([...cuts, ...later.map((poke) => poke.ticks!), ticks])].sort((a, b) => a - b);
  let stop: StopReason = { kind: 'ticks' };
  for (const at of stops) {
    if (at > ticks) break;
    stop = go ? go({ ticks: at }) : machine.run({ ticks: at });
    // Stopped by itself: its state must stay what it is.
    if (stop.kind !== 'ticks') break;
    for (const poke of later) if (poke.ticks === at) machine.apply({ kind: 'poke', ...poke });
    if (cutAt.has(at)) machine = cut(machine);
  }
  const end = machine.snapshot();
  machine.onEvent = undefined;
  return { end, stop, events };
}
