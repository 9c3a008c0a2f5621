/**
 * Over a call, in both directions: to the instruction behind it, once the called code has returned; or back to the call
 * whose return has led here. An ecall is a call of whoever runs above. Interrupts that come in between are passed, and
 * so are recursions and other threads, whose stack is elsewhere.
 * Relies on the ABI: when a call has returned, sp is what it was. What returns elsewhere (longjmp) is not found.
 */
import { type Slices, searchBackward, transitionObserver } from '../search/index.ts';
import { type Context, callsBefore, contextOf, flowAt } from '../stack/index.ts';
import { type Ended, type Moved, runTo, stepOne } from './move.ts';

/** Over the next instruction of a hart; undefined when the run ends before it is done. */
export function* overForward(moved: Moved, hart: number): Slices<Ended | undefined> {
  const { machine } = moved.run;
  const at = contextOf(machine, hart);
  const isSameFrame = ({ sp }: Context) => sp === at.sp;
  const next = machine.next();
  if (next.hart !== hart || next.pc !== at.pc) {
    // Other harts, or an interrupt's handler, come before the instruction.
    const ended = yield* runTo(moved, 'forward', at, [at.pc], isSameFrame);
    if (!ended?.arrived) return ended;
  }
  const flow = flowAt(machine, hart, at.pc);
  if (flow?.kind !== 'call' && flow?.kind !== 'ecall') return stepOne(moved, 'forward');
  return yield* runTo(moved, 'forward', at, [offset(at.pc, flow.bytes)], isSameFrame);
}

/**
 * Back over what led to where a hart stands: to the call, if that was the return of one; else one instruction. Behind
 * an interrupt: to what was executed before it. undefined at the start of the run.
 */
export function* overBackward(moved: Moved, hart: number): Slices<Ended | undefined> {
  const { run } = moved;
  const { machine } = run;
  const at = contextOf(machine, hart);
  for (;;) {
    const origin = run.place;
    const stepped = stepOne(moved, 'backward');
    const before = machine.next();
    const flow = stepped && before.hart === hart ? flowAt(machine, hart, before.pc) : undefined;
    if (flow?.kind !== 'return' && flow?.kind !== 'trap return') return stepped;
    const back = run.place;
    run.toTicks(origin.ticks, origin.here);
    const calls = callsBefore(machine, hart, at.pc);
    if (calls.length > 0) {
      const ended = yield* runTo(moved, 'backward', at, calls, ({ sp }) => sp === at.sp);
      if (ended) return ended;
    }
    const trapped =
      flow.kind === 'trap return' &&
      (yield* searchBackward(
        run,
        transitionObserver('all', (t) => isTrapHere(t, at)),
      ));
    // Back at the trapped instruction, which has not been executed there either.
    if (trapped) continue;
    run.toTicks(back.ticks, back.here);
    return stepped;
  }
}

type TransitionLike = Parameters<Parameters<typeof transitionObserver>[1]>[0];

const isTrapHere = (t: TransitionLike, at: Context): boolean =>
  t.trap !== undefined && t.hart === at.hart && t.from === at.mode && t.pc === at.pc;

const offset = (pc: bigint, bytes: number): bigint => BigInt.asUintN(64, pc + BigInt(bytes));
