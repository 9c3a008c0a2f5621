/**
 * One sitting at a run: where one is, what is set, and every move, in both directions and with counts. What the
 * terminal UI and debuggers move by. Moves that may take long are slices of work (search/drive.ts), so that they can
 * be shown and stopped; a move that finds nothing, or is stopped, leaves one where one was.
 */
import { insideVm, type SymbolOptions, UserError } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import {
  MAX_COUNT,
  type Slices,
  searchBackward,
  searchForward,
  type Transition,
  transitionObserver,
} from '../search/index.ts';
import { type Backtrace, backtrace } from '../stack/index.ts';
import { eventsOf, openTimeline, type RunEvent, type TraceTimeline } from '../timeline/index.ts';
import { eventAhead } from './events.ts';
import type { Direction, Ended, Moved } from './move.ts';
import { out } from './out.ts';
import { overBackward, overForward } from './over.ts';
import { type StopHit, type StopPoint, Stops } from './stops.ts';

/** What one can run to; one stands right before it. `stop`: a breakpoint or a watchpoint. */
export type Target = 'exit' | 'trap' | 'hypercall' | 'stop' | StopPoint['kind'];

/** How a move ended. */
export interface Stopped {
  /** How many of the moves that were asked for were made. */
  readonly moves: number;
  /** The breakpoint or watchpoint at which it ended, and what it has seen. */
  readonly stop?: StopPoint;
  readonly hit?: StopHit;
  /** The trap that comes next: its cause, and from where to where. */
  readonly transition?: Transition;
}

/** Exception cause of an ecall from VS-mode. @see Volume II, table "Machine and supervisor cause register (mcause)" */
const ECALL_FROM_VS = 10;

const WANTED: Partial<Record<Target, (transition: Transition) => boolean>> = {
  exit: ({ from, to }) => insideVm(from) && !insideVm(to),
  trap: ({ trap }) => trap !== undefined,
  hypercall: ({ trap }) => trap?.interrupt === false && trap.cause === ECALL_FROM_VS,
};

/**
 * Opens a trace at moment 0. `options`: symbols besides those of its images.
 * @throws TraceError, UserError when it cannot run here
 */
export function openSession(trace: Trace, options: SymbolOptions = {}): DebugSession {
  return new DebugSession(openTimeline(trace, options));
}

export class DebugSession {
  readonly run: TraceTimeline;
  readonly stops: Stops;
  private listed: readonly RunEvent[];

  constructor(run: TraceTimeline) {
    this.run = run;
    this.stops = new Stops(run.machine);
    this.listed = eventsOf(run.trace);
  }

  /** In order; of very many the first, and the end. */
  get events(): readonly RunEvent[] {
    return this.listed;
  }

  /**
   * Goes on with the same trace, of which more has been written meanwhile: moves lead further, and one stands where one
   * stood. @throws TraceError as `TraceTimeline.grow`: nothing has changed then
   */
  grow(trace: Trace): void {
    const events = eventsOf(trace);
    this.run.grow(trace);
    this.listed = events;
  }

  /** So many instructions on or back, whichever harts execute them; fewer at the end or start. Returns how many. */
  step(direction: Direction, count = 1): number {
    const { moment } = this.run;
    if (direction === 'forward') this.run.stepForward(count);
    else this.run.stepBackward(count);
    return Math.abs(this.run.moment - moment);
  }

  /**
   * Over so many instructions of a hart, calls and ecalls counting as one; or back over them. Ends early at a
   * breakpoint or watchpoint, and where a call does not return.
   */
  over(direction: Direction, count = 1, hart = this.run.machine.next().hart): Slices<Stopped> {
    return this.repeat(count, (moved) =>
      direction === 'forward' ? overForward(moved, hart) : overBackward(moved, hart),
    );
  }

  /**
   * Out of so many functions of a hart: forwards behind their calls, backwards to them. Of a trap's handler: to where
   * it returns, or before the trap. Ends early at a breakpoint, and where a function does not return.
   * @throws UserError when no symbol says where the function begins, or the run begins inside it
   */
  out(direction: Direction, count = 1, hart = this.run.machine.next().hart): Slices<Stopped> {
    return this.repeat(count, (moved) => out(moved, direction, hart, this.run.symbols));
  }

  /** The stack of a hart here, up to so many frames, and those that its traps have interrupted. */
  stack(depth: number, hart = this.run.machine.next().hart): Slices<Backtrace> {
    return backtrace(this.run, hart, this.run.symbols, depth);
  }

  /**
   * To right before the count-th VM exit, trap, hypercall (ecall from VS-mode), or stop from here on, or back.
   * Breakpoints and watchpoints end only runs to them. @throws UserError when none is set
   */
  *to(target: Target, direction: Direction, count = 1): Slices<Stopped> {
    const search = direction === 'forward' ? searchForward : searchBackward;
    const wanted = WANTED[target];
    if (wanted) {
      const which = target === 'trap' ? 'all' : 'vm';
      const hit = yield* search(this.run, transitionObserver(which, wanted), count);
      return hit ? { moves: count, transition: hit.transition } : { moves: 0 };
    }
    const kinds = this.stops.all.filter(({ kind }) => target === 'stop' || kind === target);
    if (kinds.length === 0) throw new UserError(`no ${target === 'stop' ? 'breakpoint or watchpoint' : target} is set`);
    const kind = target === 'breakpoint' || target === 'watchpoint' ? target : undefined;
    const hit = yield* search(this.run, this.stops.observer(kind), count);
    return hit ? this.stoppedAt(count, hit) : { moves: 0 };
  }

  /** To the count-th event of those wanted, or the last one on the way. undefined when there is none. */
  toEvent(
    direction: Direction,
    count = 1,
    wanted: (event: RunEvent) => boolean = ({ stop }) => stop,
  ): RunEvent | undefined {
    const event = eventAhead(this.events, this.run.moment, direction, count, wanted);
    if (event) this.run.seek(event.moment);
    return event;
  }

  private *repeat(count: number, move: (moved: Moved) => Slices<Ended | undefined>): Slices<Stopped> {
    if (!Number.isSafeInteger(count) || count < 1 || count > MAX_COUNT) {
      throw new UserError(`expected a count from 1 to ${MAX_COUNT}, got ${count}`);
    }
    const origin = this.run.place;
    let isWhole = false;
    try {
      for (let moves = 0; moves < count; moves++) {
        const ended = yield* move({ run: this.run, stops: this.stops.observer() });
        isWhole = ended !== undefined || moves > 0;
        if (!ended) return { moves };
        if (!ended.arrived) return this.stoppedAt(moves, ended.hit);
      }
      return { moves: count };
    } finally {
      if (!isWhole) this.run.toTicks(origin.ticks, origin.here);
    }
  }

  private stoppedAt(moves: number, hit: StopHit): Stopped {
    const stop = this.stops.of(hit);
    return { moves, hit, ...(stop && { stop }) };
  }
}
