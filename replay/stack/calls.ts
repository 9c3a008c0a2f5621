/**
 * The calls of a function in a run, and what became of each: when and with what it returned, or that it did not. A
 * return is the arrival of the same threads at the return address, with the stack pointer of the call; so recursions,
 * interrupts in between, VMs in turns, and threads that go on on another hart are told apart.
 * Relies on the ABI: calls link in ra, and functions give the stack back. Knows nothing of a stack's other frames.
 */
import { insideVm, type Machine, type Mode, RESET_NOTE } from '../../engine/index.ts';
import type { Place, Position } from '../base/index.ts';
import {
  type BreakpointHit,
  type Hit,
  type Observer,
  observe,
  type SearchedRun,
  type Slices,
} from '../search/index.ts';
import { type Context, contextOf, threadsOf } from './context.ts';
import { isTrapVector, linksBefore } from './flow.ts';

/** How a call ended. */
export type CallEnd =
  /** `instructions`: those that its hart executed meanwhile; undefined when it returned on another one. */
  | (Position & {
      readonly kind: 'returned';
      readonly hart: number;
      readonly instructions?: number;
      /** a0 and a1. */
      readonly results: readonly bigint[];
    })
  /** Its frame was given up: the thread called again from the same frame (longjmp, a stack begun anew). */
  | (Position & { readonly kind: 'abandoned' })
  /** The machine was reset. */
  | (Position & { readonly kind: 'reset' })
  /** Not up to where was looked. */
  | { readonly kind: 'open' }
  /** Its return is not followed: ra leads behind no call, or there are too many places of calls. */
  | { readonly kind: 'unknown' };

export interface FunctionCall extends Position {
  readonly hart: number;
  readonly mode: Mode;
  /** hgatp.VMID, when the hart was inside a VM. */
  readonly vmid?: number;
  readonly pc: bigint;
  readonly sp: bigint;
  /** Where it returns to. */
  readonly ra: bigint;
  /**
   * `call`: by an instruction that links. `jump`: a tail call, or a loop back to the function's first instruction.
   * `entry`: ra leads behind no call, as in handlers of traps and at the start of a thread.
   */
  readonly by: 'call' | 'jump' | 'entry';
  /** a0 to a7. */
  readonly arguments: readonly bigint[];
  readonly end: CallEnd;
}

/** Places of calls whose returns are followed: each is up to three addresses to stop before. */
const MAX_SITES = 8_192;
/** Frames remembered that are about to call. */
const MAX_CALLING = 65_536;

/** a0 */
const FIRST_ARGUMENT = 10;
const ARGUMENT_COUNT = 8;

/** One that has not ended. */
interface Open {
  readonly call: Omit<FunctionCall, 'end'> & { end: CallEnd };
  /** Its threads and its stack pointer. */
  readonly frame: string;
  readonly instret: bigint;
}

/**
 * The calls from the present on and not behind `to`, in order; the machine ends somewhere on the way.
 * `entries`: sees the function's first instruction; `most`: follows so many; `wanted`: which count;
 * `untilReturned`: goes on behind the last of them until all have ended. Returns whether there are more.
 * `calls` is filled as they are found, and their ends meanwhile, so that a search that is stopped has what it found.
 * @throws TraceError when the run leaves its recording
 */
export function* functionCalls(
  run: SearchedRun,
  entries: Observer<BreakpointHit>,
  to: Pick<Place, 'ticks' | 'here'>,
  options: {
    readonly calls: FunctionCall[];
    readonly most: number;
    readonly untilReturned: boolean;
    readonly wanted?: (call: FunctionCall) => boolean;
  },
): Slices<boolean> {
  const { calls, most, untilReturned, wanted = () => true } = options;
  const followed = new Followed(entries);
  let more = false;
  const take = (hit: CallHit) => {
    const { entered } = hit;
    if (wanted(entered.call)) {
      if (calls.length < most) {
        calls.push(entered.call);
        followed.follow(entered);
      } else more = true;
    }
    return more && !(untilReturned && followed.open > 0);
  };
  yield* observe(run, to, followed.observer, take);
  return more;
}

interface CallHit extends Hit {
  readonly entered: Open;
}

/** Calls that have not ended, by their frame. */
class Followed {
  /** How many there are. */
  open = 0;
  readonly observer: Observer<CallHit>;
  private readonly frames = new Map<string, Open[]>();
  /** Calls that are followed: where they are, and where they return to. */
  private readonly sites = new Map<bigint, bigint>();
  private readonly returns = new Set<bigint>();
  /** Frames that have made such a call and executed nothing since, and where it returns to. */
  private readonly calling = new Map<string, bigint>();
  private readonly addresses: bigint[];
  private last = { ticks: -1, hart: -1 };

  constructor(entries: Observer<BreakpointHit>) {
    this.addresses = [...(entries.breakAtVirtual ?? [])];
    this.observer = {
      ...(entries.breakAt && { breakAt: entries.breakAt }),
      breakAtVirtual: this.addresses,
      seen: (event) => {
        if (event.kind === 'note' && event.code === RESET_NOTE) this.reset(event);
        return undefined;
      },
      stopped: (stop, machine) => {
        if (stop.kind !== 'breakpoint') return undefined;
        const { moment, ticks } = machine;
        // Addresses to stop before that are set anew stop once more at the same position.
        if (this.last.ticks === ticks && this.last.hart === stop.hart) return undefined;
        this.last = { ticks, hart: stop.hart };
        const isEntry = entries.stopped?.(stop, machine) !== undefined;
        const entered = this.stopped(machine, contextOf(machine, stop.hart), isEntry);
        return entered && { moment, ticks, entered };
      },
    };
  }

  /** Waits for its end. */
  follow(open: Open): void {
    if (open.call.end.kind !== 'open') return;
    const frame = this.frames.get(open.frame) ?? [];
    frame.push(open);
    this.frames.set(open.frame, frame);
    this.open++;
  }

  private stopped(machine: Machine, at: Context, isEntry: boolean): Open | undefined {
    const frame = `${threadsOf(at)} ${at.sp.toString(16)}`;
    const isCalled = isEntry && this.calling.get(frame) === at.ra;
    // What is called right behind a call that does not return begins where that would return to.
    if (!isCalled && this.returns.has(at.pc)) this.returned(machine, at, frame);
    const entered = isEntry ? this.entered(machine, at, frame, isCalled) : undefined;
    const link = this.sites.get(at.pc);
    if (link !== undefined) {
      if (this.calling.size >= MAX_CALLING) this.calling.clear();
      this.calling.set(frame, link);
    }
    return entered;
  }

  private returned(machine: Machine, at: Context, frame: string): void {
    this.calling.delete(frame);
    // A call in front of the function that it calls does not return: to come there is to begin again.
    const here = this.frames.get(frame)?.filter(({ call }) => call.ra === at.pc && call.pc !== at.pc) ?? [];
    // Threads move from hart to hart, but if this hart has called, it is this one that returns.
    const own = here.filter(({ call }) => call.hart === at.hart);
    if (here.length === 0) return;
    const { moment, ticks } = machine;
    const { instret, x } = machine.hart(at.hart);
    for (const { call, instret: before } of this.take(frame, own.length > 0 ? own : here)) {
      const counted = call.hart === at.hart && instret >= before ? { instructions: Number(instret - before) } : {};
      call.end = { kind: 'returned', moment, ticks, hart: at.hart, ...counted, results: [x[10]!, x[11]!] };
    }
  }

  private entered(machine: Machine, at: Context, frame: string, isCalled: boolean): Open {
    const { moment, ticks } = machine;
    const { hart, mode, vmid, pc, sp, ra } = at;
    const { x, instret } = machine.hart(hart);
    this.calling.delete(frame);
    const open = (this.frames.get(frame) ?? []).filter(({ call }) => call.hart === hart);
    const [by, isFollowed] = this.howEntered(
      machine,
      at,
      isCalled,
      open.some(({ call }) => call.ra === ra),
    );
    // A frame makes one call at a time: what it called before is over.
    const over = by === 'jump' ? open.filter(({ call }) => call.ra !== ra) : open;
    for (const { call } of this.take(frame, over)) call.end = { kind: 'abandoned', moment, ticks };
    const call = {
      ...{ moment, ticks, hart, mode, ...(insideVm(mode) && { vmid }), pc, sp, ra, by },
      arguments: x.slice(FIRST_ARGUMENT, FIRST_ARGUMENT + ARGUMENT_COUNT),
      end: { kind: isFollowed ? 'open' : 'unknown' } as CallEnd,
    };
    return { call, frame, instret };
  }

  /**
   * How a function was entered, and whether its return is followed. `isOpen`: a call that returns there has not ended.
   */
  private howEntered(
    machine: Machine,
    { hart, mode, pc, ra }: Context,
    isCalled: boolean,
    isOpen: boolean,
  ): [by: FunctionCall['by'], isFollowed: boolean] {
    const links = linksBefore(machine, hart, ra, ['call']);
    // In a handler, ra is that of what was interrupted.
    if (links.length === 0 || (!isCalled && isTrapVector(machine, hart, mode, pc))) return ['entry', false];
    const isKnown = this.returns.has(ra);
    if (!isKnown && this.returns.size < MAX_SITES) {
      this.returns.add(ra);
      for (const { at } of links) this.sites.set(at, ra);
      this.addresses.push(ra, ...links.map(({ at }) => at));
    }
    const isDirect = links.some(({ flow }) => flow.target === pc);
    const mayCall = isDirect || links.some(({ flow }) => flow.target === undefined);
    // Once a call is followed it is seen; another hart may have been on the way.
    const isCall = mayCall && (isCalled || !isKnown || (isDirect && !isOpen));
    return [isCall ? 'call' : 'jump', this.returns.has(ra)];
  }

  private reset({ moment, ticks }: Position): void {
    for (const frame of this.frames.values()) {
      for (const { call } of frame) call.end = { kind: 'reset', moment, ticks };
    }
    this.frames.clear();
    this.open = 0;
  }

  /** They have ended. */
  private take(frame: string, ended: readonly Open[]): readonly Open[] {
    const left = this.frames.get(frame)?.filter((one) => !ended.includes(one)) ?? [];
    if (left.length > 0) this.frames.set(frame, left);
    else this.frames.delete(frame);
    this.open -= ended.length;
    return ended;
  }
}
