/**
 * Runs a machine forward along a recording: applies each input at its exact virtual time. What travel and verification
 * share. Relies on inputs being in order; does not check digests.
 *
 * A moment can have several positions (traps and idle time pass without retiring). The state *at* a moment is the one
 * at the first of them, with the inputs of exactly that position applied. Digests and checkpoints were taken before the
 * inputs of their position.
 */
import { createMachine, type Input, type Machine, type Moment, type Snapshot, type Ticks } from '../engine/index.ts';
import type { Trace } from '../traces/index.ts';
import { configFromTrace, inputsFromTrace } from './config.ts';

export interface Player {
  readonly machine: Machine;
  /** How many inputs have been applied. */
  readonly applied: number;
  /** Puts the machine into a state before which `applied` inputs were applied. */
  restore(snapshot: Snapshot, applied: number): void;
  /** Inputs that lie before a position. */
  inputsBefore(ticks: Ticks): number;
  /** Goes forward to a moment. False when the machine stops before, or an input does not fall where it was recorded. */
  toMoment(moment: Moment): boolean;
  /** Goes forward to a virtual time; `inputs` says whether those of this very position are applied. */
  toTicks(ticks: Ticks, inputs: 'pending' | 'applied'): boolean;
}

/** A player at moment 0, before any input. @throws TraceError, UserError when the trace cannot run here */
export function createPlayer(trace: Trace): Player {
  const machine = createMachine(configFromTrace(trace));
  const inputs = inputsFromTrace(trace);
  let applied = 0;
  const applyNext = (input: Input): boolean => {
    if (machine.moment !== input.moment) return false;
    machine.apply(input.event);
    applied++;
    return true;
  };
  return {
    machine,
    get applied() {
      return applied;
    },
    restore(snapshot, before) {
      machine.restore(snapshot);
      applied = before;
    },
    inputsBefore(ticks) {
      const index = inputs.findIndex((input) => input.ticks >= ticks);
      return index < 0 ? inputs.length : index;
    },
    toMoment(moment) {
      for (;;) {
        const input = inputs[applied];
        if (input?.ticks === machine.ticks) {
          if (!applyNext(input)) return false;
        } else if (machine.moment >= moment) {
          return machine.moment === moment;
        } else {
          machine.run({ moment, ...(input ? { ticks: input.ticks } : {}) });
          if (machine.moment < moment && machine.ticks !== input?.ticks) return false;
        }
      }
    },
    toTicks(ticks, which) {
      for (;;) {
        const next = inputs[applied];
        const due = next && (which === 'applied' ? next.ticks <= ticks : next.ticks < ticks) ? next : undefined;
        const target = due?.ticks ?? ticks;
        if (machine.ticks < target) machine.run({ ticks: target });
        if (machine.ticks !== target) return false;
        if (!due) return true;
        if (!applyNext(due)) return false;
      }
    },
  };
}
