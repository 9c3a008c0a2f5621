/**
 * Moves by what code does: over and out of calls, to VM exits, traps, hypercalls, breakpoints and watchpoints; and
 * where those are set. Relies on replay's session for every move; says here how it went.
 */
import { codeText, exceptionName, insideVm, UserError } from '../../engine/index.ts';
import {
  type Direction,
  lastAccess,
  parseBreakpoint,
  parseWatch,
  type Slices,
  type StopPoint,
  type Stopped,
  type Target,
} from '../../replay/index.ts';
import { counted, grouped, hex, parseMoment, UsageError } from '../base/index.ts';
import {
  askAbout,
  beginningText,
  describeHit,
  describeStack,
  hitLine,
  type Session,
  stackText,
} from '../panels/index.ts';
import { countOf } from './motions.ts';
import { change, say } from './session.ts';
import { journey } from './work.ts';

/** Frames that are shown of one stack. */
const MAX_FRAMES = 100;

/** Over N instructions of the hart, calls counting as one; back over them. */
export function over(session: Session, argument: string, direction: Direction): void {
  const count = countOf(argument);
  const done = `over ${counted(count, 'instruction')}${direction === 'forward' ? '' : ' back'}`;
  go(
    session,
    session.debug.over(direction, count, session.state.hart),
    count,
    done,
    'it does not come back in this run',
  );
}

/** Out of N functions, or back to their calls. */
export function out(session: Session, argument: string, direction: Direction): void {
  const count = countOf(argument);
  const done = direction === 'forward' ? 'behind the call' : 'at the call';
  go(session, session.debug.out(direction, count, session.state.hart), count, done, 'it does not return in this run');
}

/** To the N-th of what harts do, or what stops them. */
export function runTo(session: Session, target: Target, argument: string, direction: Direction): void {
  const count = countOf(argument);
  const what = target === 'stop' ? 'breakpoint or watchpoint' : target;
  const nothing = `no ${what} ${direction === 'forward' ? 'from here on' : 'before'}`;
  go(session, session.debug.to(target, direction, count), count, what, nothing);
}

/** To the last write to some memory before here: WHERE, or the first word that the memory panel shows. */
export function whoWrote(session: Session, argument: string): void {
  const where = argument === '' ? session.state.memory : argument;
  if (where === undefined) throw new UsageError('expected a place such as heap_lock, vm1:0x80001000 or hart0.sp');
  const { run } = session.debug;
  const { memory } = askAbout(where, run, 'writes', argument === '' ? 8 : undefined);
  journey(session, lastAccess(run, memory), (hit) => {
    const nothing = `nothing wrote to ${where} before: ${beginningText(run.trace)}`;
    say(session, hit ? hitLine(describeHit(hit, run.symbols)) : nothing);
  });
}

/** The stack of the hart, over the panels: its functions that have not returned, and those that were interrupted. */
export function showStack(session: Session): void {
  const { run } = session.debug;
  const { hart } = session.state;
  journey(session, session.debug.stack(MAX_FRAMES, hart), (found) => {
    const text = stackText(describeStack(found, run.machine, run.symbols));
    const stack = [`hart ${hart} at moment ${grouped(run.moment)}`, ...text.split('\n')];
    change(session, { stack, overlay: { kind: 'stack', page: 0 } });
  });
}

function go(session: Session, slices: Slices<Stopped>, count: number, done: string, nothing: string): void {
  journey(session, slices, (stopped) => {
    const { moves, stop, transition } = stopped;
    const at = `at ${grouped(session.travel.moment)}`;
    if (stop) say(session, `${stop.kind} ${stop.id}: ${stop.name}, ${at}`);
    else if (transition) say(session, `${transitionText(transition)}, ${at}`);
    else if (moves === count) say(session, `${done}, ${at}`);
    else say(session, moves === 0 ? nothing : `${nothing} after ${moves}`);
  });
}

function transitionText({ from, to, trap, hart, vmid }: NonNullable<Stopped['transition']>): string {
  const why = trap === undefined ? 'return' : trap.interrupt ? `interrupt ${trap.cause}` : exceptionName(trap.cause);
  return `hart ${hart}, ${from} to ${to}${insideVm(from) ? ` from VM ${vmid}` : ''}: ${why}`;
}

/** A breakpoint at a place, or at the hart's pc; there once more: it is taken away. */
export function breakHere(session: Session, argument: string): void {
  const { stops } = session.debug;
  if (argument !== '') {
    setAt(session, stops.breakAt(parseBreakpoint(argument, contextOf(session)), argument));
    return;
  }
  const { machine } = session.travel;
  const { hart } = session.state;
  const { pc } = machine.hart(hart);
  const paddr = machine.translate(hart, pc, 'fetch');
  if (paddr === undefined) throw new UserError(`no breakpoint at ${hex(pc)}: it is not mapped`);
  const known = stops.all.find((one) => one.kind === 'breakpoint' && one.paddr === paddr);
  if (known) takeAway(session, known.id);
  else setAt(session, stops.breakAt({ paddr }, codeText(session.introspection.code(machine, hart, pc)) || hex(pc)));
}

/** A watchpoint on the writes of some memory. */
export function watch(session: Session, argument: string): void {
  if (argument === '')
    throw new UsageError('expected what to watch, such as :watch [spa:0x80215020]:8 or :watch heap_lock');
  setAt(session, session.debug.stops.watch(parseWatch(argument, contextOf(session)), argument));
}

/** Takes breakpoint or watchpoint N away. */
export function deleteStop(session: Session, argument: string): void {
  if (argument === '') throw new UsageError('expected the number of a breakpoint or watchpoint; :stops lists them');
  takeAway(session, parseMoment(argument));
}

function setAt(session: Session, stop: StopPoint): void {
  change(session, {});
  say(session, `${stop.kind} ${stop.id}: ${stop.name}`);
}

function takeAway(session: Session, id: number): void {
  const stop = session.debug.stops.delete(id);
  say(session, `${stop.kind} ${stop.id} is gone: ${stop.name}`);
}

const contextOf = ({ debug }: Session) => ({ machine: debug.run.machine, symbols: debug.run.symbols });
