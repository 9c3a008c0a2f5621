/**
 * Out of the function that a hart is in: forwards to the instruction behind its call, backwards to that call; out of a
 * trap's handler, to where it returns, or to before the trap. Frames are found in the run's history, not on the stack:
 * the function's first instruction was reached by this thread at some time, and ra said then where it returns to.
 * Relies on symbols for where functions begin, and on stacks growing downwards.
 */
import { type MachineSymbols, UserError, visible } from '../../engine/index.ts';
import type { Place } from '../base/index.ts';
import {
  anyOf,
  type Hit,
  type Observer,
  type Slices,
  searchBackward,
  searchForward,
  type TransitionHit,
  transitionObserver,
} from '../search/index.ts';
import { arrivalObserver, type Context, callsBefore, contextOf, isTrapVector } from '../stack/index.ts';
import { type Direction, type Ended, type Moved, runTo } from './move.ts';
import type { StopHit } from './stops.ts';

/** How the function that a hart is in was entered. */
interface Frame {
  /** Its first instruction is next there. */
  readonly entry: Place;
  readonly context: Context;
  /** The trap whose handler it is. */
  readonly trap?: TransitionHit;
}

/**
 * Leaves the function that a hart is in, in either direction. undefined when it does not return within the run.
 * @throws UserError when no symbol says where the function begins, or the run begins inside it
 */
export function* out(
  moved: Moved,
  direction: Direction,
  hart: number,
  symbols: MachineSymbols,
): Slices<Ended | undefined> {
  const { run } = moved;
  const origin = run.place;
  const { entry, context, trap } = yield* findFrame(moved, hart, symbols);
  if (trap && direction === 'backward') {
    run.toTicks(trap.ticks, 'applied');
    return { arrived: true };
  }
  run.toTicks(origin.ticks, origin.here);
  if (trap) return yield* toTrapReturn(moved, context);
  const isCaller = ({ sp }: Context) => sp === context.sp;
  if (direction === 'forward') return yield* runTo(moved, 'forward', context, [context.ra], isCaller);
  run.toTicks(entry.ticks, entry.here);
  const calls = callsBefore(run.machine, hart, context.ra);
  const ended = calls.length > 0 ? yield* runTo(moved, 'backward', context, calls, isCaller) : undefined;
  if (!ended) run.toTicks(origin.ticks, origin.here);
  return ended;
}

/** Leaves the machine anywhere. */
function* findFrame({ run }: Moved, hart: number, symbols: MachineSymbols): Slices<Frame> {
  const { machine } = run;
  const at = contextOf(machine, hart);
  const symbol = symbols.lookup(at.mode, at.pc, at.vmid);
  if (!symbol) {
    throw new UserError(
      `no symbol says in which function hart ${hart} is (pc 0x${at.pc.toString(16)}, ${at.mode}-mode)`,
    );
  }
  const start = at.pc - symbol.offset;
  const origin = run.place;
  if (start === at.pc) return yield* frameAt(run, origin, at);
  const search = (above: (context: Context) => boolean) => arrivalObserver(machine, at, [start], above);
  let observer = search(({ sp }) => sp >= at.sp);
  for (;;) {
    const entered = observer && (yield* searchBackward(run, observer));
    if (!entered) {
      run.toTicks(origin.ticks, origin.here);
      throw new UserError(`the run has no call of ${visible(symbol.name)} that could have led here`);
    }
    const { context } = entered;
    const entry = run.place;
    // A frame as high as the present one may be a recursion that has returned.
    const hasReturned = context.sp === at.sp && (yield* returnsBefore(run, context, origin, at.pc));
    run.toTicks(entry.ticks, entry.here);
    if (!hasReturned) return yield* frameAt(run, entry, context);
    observer = search(({ sp }) => sp > at.sp);
  }
}

/** Whether a function, at whose first instruction the machine stands, has returned at a place, where pc is next. */
function* returnsBefore(run: Moved['run'], context: Context, at: Place, pc: bigint): Slices<boolean> {
  if (pc === context.ra) return true;
  const returned = arrivalObserver(run.machine, context, [context.ra], ({ sp }) => sp === context.sp);
  return returned !== undefined && (yield* searchForward(run, returned, 1, at)) !== undefined;
}

/** Whether a trap has led to the function's first instruction, before which the machine stands. */
function* frameAt(run: Moved['run'], entry: Place, context: Context): Slices<Frame> {
  const { machine } = run;
  const { hart, mode, pc } = context;
  if (!isTrapVector(machine, hart, mode, pc)) return { entry, context };
  const { instret } = machine.hart(hart);
  const trap = yield* searchBackward(
    run,
    transitionObserver('all', (transition) => transition.hart === hart),
  );
  // Between the trap and here, the hart has executed nothing.
  const isTrap = trap?.transition.trap !== undefined && machine.hart(hart).instret === instret;
  return { entry, context, ...(isTrap && { trap }) };
}

/** To where the trap returns whose handler runs, those that it takes itself in the same mode being over. */
function* toTrapReturn({ run, stops }: Moved, { hart, mode }: Context): Slices<Ended | undefined> {
  let depth = 0;
  const returned: Observer<Hit> = {
    transitions: 'all',
    seen: (event) => {
      if (event.kind !== 'transition' || event.hart !== hart) return undefined;
      if (event.trap && event.to === mode) depth++;
      if (event.trap || event.from !== mode || depth-- > 0) return undefined;
      return { moment: event.moment, ticks: event.ticks };
    },
  };
  const hit = yield* searchForward<Hit | StopHit>(run, anyOf<Hit | StopHit>([returned, stops]));
  if (!hit) return undefined;
  return 'kind' in hit ? { arrived: false, hit } : { arrived: true };
}
