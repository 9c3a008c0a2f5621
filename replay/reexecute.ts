/**
 * Runs a trace again on its own machine, to any position in any order: the workhorse of bisect and equivalence.
 * Relies on the player for moving forward; starts from the nearest of the present, its own snapshots, and the trace's
 * checkpoints. Does not verify digests (verify does): a run that cannot reach a position says so.
 */
import {
  type Machine,
  type MachineSymbols,
  type Moment,
  readMachineSymbols,
  type Snapshot,
  type Ticks,
} from '../engine/index.ts';
import { type Trace, TraceError } from '../traces/index.ts';
import { createPlayer, type Player } from './player.ts';
import type { Position } from './types.ts';

/** A trace being re-executed. Positions never go beyond `trace.last`. */
export interface Rerun {
  readonly trace: Trace;
  readonly machine: Machine;
  readonly symbols: MachineSymbols;
  /**
   * The first position with this moment, with the inputs of exactly that position applied.
   * @throws TraceError when the run ends before: the trace does not replay on this engine.
   */
  toMoment(moment: Moment): void;
  /** Exactly this virtual time. `inputs` says whether those of this very position are applied. @throws TraceError */
  toTicks(ticks: Ticks, inputs: 'pending' | 'applied'): void;
  /** As toMoment, but executes every instruction from here on: for observing events. The moment lies ahead. */
  forwardTo(moment: Moment): void;
  /** Keeps a snapshot of the present, for quick returns. */
  remember(): void;
}

/** Where a run can start from. */
interface Start extends Position {
  readonly applied: number;
  readonly snapshot: () => Snapshot;
}

/** Snapshots kept at most; bisect needs about as many as it has probes. */
const MAX_KEPT = 64;

/** Builds the trace's machine at moment 0. @throws TraceError, UserError when the trace cannot run here. */
export function openRerun(trace: Trace): Rerun {
  const player = createPlayer(trace);
  const { machine } = player;
  const inFile = trace.checkpoints.map(
    ({ moment, ticks }, n): Start => ({
      moment,
      ticks,
      applied: player.inputsBefore(ticks),
      snapshot: () => trace.checkpoint(n),
    }),
  );
  const kept: Start[] = [startHere(player)];
  const rewind = (isBeyond: (start: Position & { readonly applied: number }) => boolean) => {
    let best: Start | undefined;
    for (const start of [...kept, ...inFile]) if (!isBeyond(start) && start.ticks > (best?.ticks ?? -1)) best = start;
    const { moment, ticks } = machine;
    const stay = !isBeyond({ moment, ticks, applied: player.applied }) && ticks >= (best?.ticks ?? -1);
    if (best && !stay) player.restore(best.snapshot(), best.applied);
  };
  return {
    trace,
    machine,
    symbols: readMachineSymbols(machine.config),
    toMoment(moment) {
      // Several positions may share a moment; only the very start is known to be the first of its.
      rewind((at) => at.moment >= moment && at.ticks > 0);
      insist(player.toMoment(moment), trace, machine, `moment ${moment}`);
    },
    toTicks(ticks, inputs) {
      rewind((at) => at.ticks > ticks || (inputs === 'pending' && at.applied > player.inputsBefore(ticks)));
      insist(player.toTicks(ticks, inputs), trace, machine, `tick ${ticks}`);
    },
    forwardTo(moment) {
      insist(player.toMoment(moment), trace, machine, `moment ${moment}`);
    },
    remember() {
      if (kept.some(({ ticks }) => ticks === machine.ticks)) return;
      // The first one is the start of the run, which everything can begin from.
      if (kept.length >= MAX_KEPT) kept.splice(1, 1);
      kept.push(startHere(player));
    },
  };
}

function startHere(player: Player): Start {
  const snapshot = player.machine.snapshot();
  const { moment, ticks } = snapshot;
  return { moment, ticks, applied: player.applied, snapshot: () => snapshot };
}

function insist(reached: boolean, trace: Trace, machine: Machine, where: string): void {
  if (reached) return;
  throw new TraceError(
    'damaged',
    trace.path,
    `does not replay: it cannot reach ${where}, the machine is at moment ${machine.moment}; 'dejavm verify' says where it diverges`,
  );
}
