/**
 * Runs a trace again on its own machine, to any position in any order: the workhorse of bisect and equivalence.
 * Relies on the recording's inputs and on determinism; starts from the nearest of the present, its own snapshots, and
 * the trace's checkpoints. Does not verify digests (verify does): a run that cannot reach a position says so.
 */
import {
  createMachine,
  type Machine,
  type MachineSymbols,
  type Moment,
  readMachineSymbols,
  type Snapshot,
  type Ticks,
} from '../engine/index.ts';
import { type Trace, TraceError } from '../traces/index.ts';
import { configFromTrace, inputsFromTrace } from './config.ts';
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

interface Kept {
  readonly snapshot: Snapshot;
  /** Inputs applied so far. */
  readonly applied: number;
}

/** Snapshots kept at most; bisect needs about as many as it has probes. */
const MAX_KEPT = 64;

/** Builds the trace's machine at moment 0. @throws TraceError, UserError when the trace cannot run here. */
export function openRerun(trace: Trace): Rerun {
  const config = configFromTrace(trace);
  const machine = createMachine(config);
  const inputs = inputsFromTrace(trace);
  const kept: Kept[] = [{ snapshot: machine.snapshot(), applied: 0 }];
  let applied = 0;

  const restore = (to: Kept) => {
    machine.restore(to.snapshot);
    applied = to.applied;
  };
  /** Nearest start not after the target; stays where it is when that is nearest. */
  const rewind = (isBeyond: (position: Position, applied: number) => boolean) => {
    let best: Kept | undefined;
    for (const candidate of kept) {
      if (
        !isBeyond(candidate.snapshot, candidate.applied) &&
        candidate.snapshot.ticks >= (best?.snapshot.ticks ?? -1)
      ) {
        best = candidate;
      }
    }
    const here = isBeyond(machine, applied) ? -1 : machine.ticks;
    const checkpoint = trace.checkpoints.findLastIndex((at) => !isBeyond(at, appliedBefore(inputs, at.ticks)));
    const inFile = trace.checkpoints[checkpoint];
    if (inFile && inFile.ticks > Math.max(here, best?.snapshot.ticks ?? -1)) {
      restore({ snapshot: trace.checkpoint(checkpoint), applied: appliedBefore(inputs, inFile.ticks) });
    } else if (best && best.snapshot.ticks > here) restore(best);
  };
  /** Applies inputs on the way, then runs to the target. */
  const advance = (target: { moment?: Moment; ticks?: Ticks }, untilInput: (input: Position) => boolean) => {
    for (let input = inputs[applied]; input && untilInput(input); input = inputs[applied]) {
      runTo(machine, trace, { ...target, ticks: input.ticks });
      if (machine.ticks !== input.ticks) return;
      machine.apply(input.event);
      applied++;
    }
    runTo(machine, trace, target);
  };
  return {
    trace,
    machine,
    symbols: readMachineSymbols(config),
    toMoment(moment) {
      // Several positions may share a moment; only the very start is known to be the first of its.
      rewind((at) => at.moment >= moment && at.ticks > 0);
      advance({ moment }, (input) => input.moment <= moment);
    },
    forwardTo(moment) {
      advance({ moment }, (input) => input.moment <= moment);
    },
    toTicks(ticks, apply) {
      const due = (input: Position) => (apply === 'applied' ? input.ticks <= ticks : input.ticks < ticks);
      rewind((at, done) => at.ticks > ticks || (apply === 'pending' && done > appliedBefore(inputs, ticks)));
      advance({ ticks }, due);
    },
    remember() {
      if (kept.some(({ snapshot }) => snapshot.ticks === machine.ticks)) return;
      if (kept.length >= MAX_KEPT) kept.splice(1, 1);
      kept.push({ snapshot: machine.snapshot(), applied });
    },
  };
}

/** Inputs at positions before `ticks`. A checkpoint or digest at an input's position lies before the input. */
function appliedBefore(inputs: readonly Position[], ticks: Ticks): number {
  const index = inputs.findIndex((input) => input.ticks >= ticks);
  return index < 0 ? inputs.length : index;
}

function runTo(machine: Machine, trace: Trace, target: { moment?: Moment; ticks?: Ticks }): void {
  const reached = () =>
    (target.moment !== undefined && machine.moment >= target.moment) ||
    (target.ticks !== undefined && machine.ticks >= target.ticks);
  if (reached()) return;
  const stop = machine.run(target);
  if (reached()) return;
  const wanted = target.moment === undefined ? `tick ${target.ticks}` : `moment ${target.moment}`;
  throw new TraceError(
    'damaged',
    trace.path,
    `does not replay: the machine stopped (${stop.kind}) at moment ${machine.moment} on the way to ${wanted}; 'dejavm verify' says where it diverges`,
  );
}
