/**
 * One sitting in front of a trace: where we are, what is selected, and the moves that change it. The machine's state
 * lives in the time traveller; everything else in `State`, which is replaced by every action. Relies on TimeTravel;
 * draws nothing.
 */
import type { InputsHere, TimeTravel } from '../../replay/index.ts';
import type { Bookmark } from '../../traces/index.ts';
import { grouped } from '../base/index.ts';
import {
  type Introspection,
  type Lanes,
  registerFile,
  type Session,
  type SessionEvent,
  type State,
} from '../panels/index.ts';

/** Fewest instructions that the timeline shows: beyond that, stepping says more than a picture. */
const MIN_RANGE = 40;

/** Opens a session at the start of the run. */
export function createSession(
  debug: Session['debug'],
  introspection: Introspection,
  lanes: Lanes,
  bookmarks: readonly Bookmark[] = [],
): Session {
  const travel: TimeTravel = debug.run;
  travel.seek(travel.first.moment);
  const state: State = {
    columns: 80,
    rows: 24,
    hart: travel.machine.next().hart,
    followHart: true,
    ...wholeOf(travel),
    panel: 'disassembly',
    scroll: { disassembly: 0, registers: 0, vms: 0, console: 0 },
    registerSet: 'integer',
    memory: undefined,
    overlay: undefined,
    stack: [],
    prompt: undefined,
    count: '',
    message: 'at the start of the run',
    isError: false,
    baseline: [],
    quit: false,
    request: undefined,
    isGrowing: false,
    follows: false,
  };
  const events = withBookmarks(debug.events, bookmarks, travel.last.moment);
  return { travel, debug, introspection, events, lanes, state, inTurns: false, work: undefined };
}

/** Events and what was noted, in order of their moments; notes beyond the end of the run are left out. */
export function withBookmarks(
  events: readonly SessionEvent[],
  bookmarks: readonly Bookmark[],
  lastMoment: number,
): readonly SessionEvent[] {
  const noted = bookmarks.filter(({ moment }) => moment <= lastMoment).map(bookmarkEvent);
  // Sorting keeps the order of those that share a moment.
  return noted.length === 0 ? events : [...events, ...noted].sort((a, b) => a.moment - b.moment);
}

function bookmarkEvent({ moment, ticks, id, text, isOfThisRun }: Bookmark): SessionEvent {
  const said = text.trim().replaceAll(/\s*\n\s*/g, ' / ');
  const other = isOfThisRun ? '' : ' (made at another recording)';
  return { moment, ticks, kind: 'bookmark', glyph: '#', text: `bookmark ${id}: ${said}${other}`, stop: false };
}

/** Replaces parts of the state. */
export function change(session: Session, parts: Partial<State>): void {
  session.state = { ...session.state, ...parts };
}

/** Tells the user something. */
export function say(session: Session, message: string, isError = false): void {
  change(session, { message, isError });
}

/** Moves the machine by `go`, then updates everything that follows the present moment. */
export function move(session: Session, go: (travel: TimeTravel) => void, message: string): void {
  const { travel } = session;
  const baseline = registerFile(travel.machine, session.state.registerSet);
  go(travel);
  arrive(session, baseline);
  say(session, message);
}

/** Updates everything that follows the present moment. `baseline`: registers before the move */
export function arrive(session: Session, baseline: State['baseline']): void {
  const { travel } = session;
  const hart = session.state.followHart ? travel.machine.next().hart : session.state.hart;
  const scroll = { ...session.state.scroll, disassembly: 0, console: 0 };
  change(session, {
    baseline,
    hart,
    scroll,
    follows: false,
    ...rangeAround(session.state, travel),
  });
}

/** Goes to a moment; one past the end is refused with the last one named. */
export function goTo(session: Session, moment: number, message?: string, here: InputsHere = 'applied'): void {
  const { last } = session.travel;
  if (moment > last.moment) {
    say(session, `moment ${grouped(moment)} is past the end; the last one is ${grouped(last.moment)}`, true);
    return;
  }
  const target = Math.max(session.travel.first.moment, moment);
  const where = `at ${grouped(target)}${here === 'pending' ? ', before its inputs' : ''}`;
  move(session, (travel) => travel.seek(target, here), message ?? where);
}

/** Goes to an event and says which. */
export function goToEvent(session: Session, event: SessionEvent): void {
  goTo(session, event.moment, event.text);
}

/** Zooms the timeline by a factor around the present moment; undefined shows the whole run. */
export function zoom(session: Session, factor: number | undefined): void {
  const whole = wholeOf(session.travel);
  const most = whole.to - whole.from;
  const { from, to } = session.state;
  const range = factor === undefined ? most : Math.min(most, Math.max(MIN_RANGE, Math.round((to - from) * factor)));
  change(session, clampRange(session.travel.moment - Math.floor(range / 2), range, whole));
  say(session, `timeline shows ${grouped(range)} instructions`);
}

/** The run has become longer than it was: a timeline that showed all of it goes on doing so. */
export function widen(session: Session, lastBefore: number): void {
  const { from, to } = session.state;
  if (from > session.travel.first.moment || to < lastBefore) return;
  change(session, { to: Math.max(to, session.travel.last.moment) });
}

/** Keeps the range when it shows the moment, else centres it. */
function rangeAround(state: State, travel: TimeTravel): Pick<State, 'from' | 'to'> {
  const { moment } = travel;
  if (moment >= state.from && moment <= state.to) return { from: state.from, to: state.to };
  const range = state.to - state.from;
  return clampRange(moment - Math.floor(range / 2), range, wholeOf(travel));
}

/** What a timeline of all of a run shows. */
const wholeOf = ({ first, last }: TimeTravel): Pick<State, 'from' | 'to'> => ({
  from: first.moment,
  to: Math.max(last.moment, first.moment + MIN_RANGE),
});

function clampRange(from: number, range: number, whole: Pick<State, 'from' | 'to'>): Pick<State, 'from' | 'to'> {
  const begin = Math.min(Math.max(whole.from, from), Math.max(whole.from, whole.to - range));
  return { from: begin, to: begin + range };
}
