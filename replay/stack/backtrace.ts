/**
 * The whole stack at a moment: of the code in which a hart is, then of what that code's trap has interrupted, and so
 * on: firmware, hypervisor, guest kernel, process. Each part is read where it was interrupted, at the moment right
 * before the trap, so its registers and memory are its own, wherever its interrupter has put them.
 */
import { insideVm, type MachineSymbols, type Mode } from '../../engine/index.ts';
import type { Place } from '../base/index.ts';
import type { SearchedRun, Slices, Transition } from '../search/index.ts';
import { openTrap } from './open-trap.ts';
import { type Stack, unwind } from './unwind.ts';

/** The stack of one piece of software. */
export interface StackPart extends Stack {
  /** Where it is executed, or was interrupted. */
  readonly place: Place;
  readonly hart: number;
  readonly mode: Mode;
  /** hgatp.VMID, inside a VM. */
  readonly vmid?: number;
  /** The trap that interrupted it; none of what is executed at the moment itself. */
  readonly trap?: Transition;
}

export interface Backtrace {
  /** Innermost first. */
  readonly parts: readonly StackPart[];
  /**
   * Why the last part has none behind it: it interrupted nothing; firmware began it anew with this return; it has as
   * many frames as were wanted, or there are too many parts.
   */
  readonly end: 'whole' | 'anew' | 'depth';
  readonly anew?: Transition;
}

/** Parts at most: nested traps of one mode could make any number. */
const MAX_PARTS = 16;

/**
 * The stack of a hart where the run stands, up to `depth` frames in all. Stands there again afterwards.
 * @throws TraceError when the run leaves its recording on the way
 */
export function* backtrace(run: SearchedRun, hart: number, symbols: MachineSymbols, depth: number): Slices<Backtrace> {
  const origin = run.place;
  run.keepPresent();
  const parts: StackPart[] = [];
  try {
    let left = depth;
    let at: { readonly hart: number; readonly trap?: Transition } = { hart };
    for (;;) {
      const { place, machine } = run;
      const { mode, vmid } = machine.hart(at.hart);
      const stack = unwind(machine, at.hart, symbols, left);
      parts.push({ ...stack, place, ...at, mode, ...(insideVm(mode) && { vmid }) });
      left -= stack.frames.length;
      if (left <= 0 || parts.length >= MAX_PARTS) return { parts, end: 'depth' };
      // What a hypervisor or firmware has interrupted is on another stack.
      const mayHandle = stack.ended !== 'outermost' || mode === 'HS' || mode === 'M';
      const entry = mayHandle ? yield* openTrap(run, at.hart) : undefined;
      if (!entry) return { parts, end: 'whole' };
      if (entry.kind === 'anew') return { parts, end: 'anew', anew: entry.transition };
      run.toTicks(entry.transition.ticks - 1, 'applied');
      at = { hart: entry.transition.hart, trap: entry.transition };
    }
  } finally {
    run.toTicks(origin.ticks, origin.here);
  }
}
