/**
 * Everything that a user can do, declared once: the keys, the `:` commands, `--script` and the `?` overlay all read
 * this table. Relies on session.ts for the moves; knows no terminal.
 */
import { UserError } from '../../engine/index.ts';
import { MomentError } from '../../replay/index.ts';
import { TraceError } from '../../traces/index.ts';
import { UsageError } from '../errors.ts';
import { counted, grouped } from '../format.ts';
import { parseMoment, parseMomentAndInputs } from '../parse.ts';
import { atMoment } from './events.ts';
import { CSR_NAMES } from './registers.ts';
import { change, goTo, goToEvent, move, say, zoom } from './session.ts';
import { timelineWidth } from './timeline.ts';
import { PANELS, type RegisterSet, type RunEvent, type Session } from './types.ts';

export interface Action {
  /** The `:` command; unambiguous beginnings of it work too. */
  readonly name: string;
  /** Keys as input.ts names them. */
  readonly keys: readonly string[];
  /** How the argument is called in help; a count typed before the key becomes the argument. */
  readonly argument?: string;
  readonly help: string;
  readonly run: (session: Session, argument: string) => void;
}

export const ACTIONS: readonly Action[] = [
  { name: 'step', keys: ['s'], argument: 'N', help: 'forward one instruction, or N', run: step },
  { name: 'rstep', keys: ['S'], argument: 'N', help: 'back one instruction, or N', run: reverseStep },
  { name: 'continue', keys: ['c'], help: 'on to the next fault, detection, resumption, end', run: forwardToStop },
  { name: 'rcontinue', keys: ['C'], help: 'back to the one before', run: backToStop },
  { name: 'fault', keys: ['f'], help: 'go to the fault (again: the next one)', run: (s) => nextOfKind(s, 'fault') },
  { name: 'detect', keys: ['d'], help: 'go to its detection', run: (s) => nextOfKind(s, 'detected') },
  { name: 'resume', keys: ['r'], help: 'go to where the VMs resume', run: (s) => nextOfKind(s, 'resumed') },
  { name: 'next', keys: [']'], help: 'next event of any kind', run: (s) => nextEvent(s) },
  { name: 'prev', keys: ['['], help: 'previous event', run: (s) => previousEvent(s) },
  {
    name: 'goto',
    keys: ['g', 'home'],
    argument: 'M',
    help: 'go to moment M (1.5M; 1.5M- before its inputs), or the start',
    run: goToText,
  },
  { name: 'end', keys: ['G', 'end'], argument: 'M', help: 'go to the end, or to moment M', run: goToEnd },
  {
    name: 'left',
    keys: ['h', 'left'],
    argument: 'N',
    help: 'scrub back one cell of the timeline',
    run: (s, n) => scrub(s, n, -1),
  },
  { name: 'right', keys: ['l', 'right'], argument: 'N', help: 'scrub forward', run: (s, n) => scrub(s, n, 1) },
  { name: 'zoomin', keys: ['+', '='], help: 'zoom the timeline in', run: (s) => zoom(s, 1 / 4) },
  { name: 'zoomout', keys: ['-'], help: 'zoom out', run: (s) => zoom(s, 4) },
  { name: 'zoomall', keys: ['z'], help: 'show the whole run', run: (s) => zoom(s, undefined) },
  { name: 'panel', keys: ['tab'], help: 'next panel', run: nextPanel },
  {
    name: 'down',
    keys: ['j', 'down', 'pagedown'],
    argument: 'N',
    help: 'scroll the panel',
    run: (s, n) => scroll(s, n, 1),
  },
  { name: 'up', keys: ['k', 'up', 'pageup'], argument: 'N', help: 'scroll it back', run: (s, n) => scroll(s, n, -1) },
  {
    name: 'hart',
    keys: ['t'],
    argument: 'N',
    help: 'next hart, or hart N; `:hart auto` follows execution',
    run: selectHart,
  },
  { name: 'csr', keys: ['x'], help: 'integer registers / CSRs', run: (s) => toggleSet(s, 'csr') },
  { name: 'float', keys: ['F'], help: 'integer / floating-point registers', run: (s) => toggleSet(s, 'float') },
  { name: 'help', keys: ['?'], help: 'this help', run: (s) => change(s, { helpPage: 0 }) },
  { name: 'quit', keys: ['q', 'C-c'], help: 'quit', run: (s) => change(s, { quit: true }) },
];

/** The action that a key stands for. */
export const actionOfKey = (key: string): Action | undefined => ACTIONS.find((action) => action.keys.includes(key));

/** Runs a `:` line: a command and its argument, or a moment. Mistakes become messages. */
export function runCommand(session: Session, line: string): void {
  const [word = '', ...rest] = line.trim().split(/\s+/);
  if (word === '') return;
  if (/^\d/.test(word)) {
    attempt(session, () => goToText(session, word));
    return;
  }
  const exact = ACTIONS.find((action) => action.name === word);
  const matches = exact ? [exact] : ACTIONS.filter((action) => action.name.startsWith(word));
  const [match] = matches;
  if (!match) say(session, `no command '${word}'; ? shows them all`, true);
  else if (matches.length > 1) {
    say(session, `'${word}' could be ${matches.map((action) => action.name).join(', ')}`, true);
  } else runAction(session, match, rest.join(' '));
}

/** Runs an action; what the user got wrong becomes a message. */
export function runAction(session: Session, action: Action, argument: string): void {
  if (argument !== '' && action.argument === undefined) {
    say(session, `'${action.name}' takes no argument`, true);
    return;
  }
  attempt(session, () => action.run(session, argument));
}

function attempt(session: Session, run: () => void): void {
  try {
    run();
  } catch (error) {
    // A bad argument, or a trace that turns out not to replay up to here: the session goes on. Our own errors do not.
    const mistakes = [UsageError, UserError, TraceError, MomentError];
    if (!mistakes.some((mistake) => error instanceof mistake)) throw error;
    say(session, (error as Error).message, true);
  }
}

const countOf = (argument: string): number => (argument === '' ? 1 : parseMoment(argument));

function step(session: Session, argument: string): void {
  const before = session.travel.moment;
  move(session, (travel) => travel.stepForward(countOf(argument)), '');
  const n = session.travel.moment - before;
  say(session, n === 0 ? 'at the end of the run' : `${counted(n, 'instruction')} forward`);
}

function reverseStep(session: Session, argument: string): void {
  const before = session.travel.moment;
  move(session, (travel) => travel.stepBackward(countOf(argument)), '');
  const n = before - session.travel.moment;
  say(session, n === 0 ? 'at the start of the run' : `${counted(n, 'instruction')} back`);
}

function forwardToStop(session: Session): void {
  const event = session.events.find((e) => e.stop && e.moment > session.travel.moment);
  if (event) goToEvent(session, event);
  else say(session, 'at the end of the run');
}

function backToStop(session: Session): void {
  const event = session.events.findLast((e) => e.stop && e.moment < session.travel.moment);
  if (event) goToEvent(session, event);
  else goTo(session, 0, 'at the start of the run');
}

function nextOfKind(session: Session, kind: RunEvent['kind']): void {
  const all = session.events.filter((event) => event.kind === kind);
  const event = all.find((e) => e.moment > session.travel.moment) ?? all[0];
  if (event) goToEvent(session, event);
  else say(session, `this run has no event '${kind}'`, true);
}

function nextEvent(session: Session): void {
  const event = session.events.find((e) => e.moment > session.travel.moment);
  if (event) goToEvent(session, event);
  else say(session, 'no later event');
}

function previousEvent(session: Session): void {
  const event = session.events.findLast((e) => e.moment < session.travel.moment);
  if (event) goToEvent(session, event);
  else say(session, 'no earlier event');
}

function goToText(session: Session, argument: string): void {
  if (argument === '') goTo(session, 0, 'at the start of the run');
  else {
    const { moment, here } = parseMomentAndInputs(argument);
    goTo(session, moment, undefined, here);
  }
}

function goToEnd(session: Session, argument: string): void {
  if (argument !== '') goToText(session, argument);
  else {
    const end = session.events.findLast((event) => event.kind === 'end');
    goTo(session, session.travel.last.moment, end && atMoment(end));
  }
}

function scrub(session: Session, argument: string, direction: 1 | -1): void {
  const { from, to } = session.state;
  const cell = Math.max(1, Math.round((to - from) / timelineWidth(session.state.columns)));
  const target = session.travel.moment + direction * countOf(argument) * cell;
  goTo(session, Math.min(Math.max(0, target), session.travel.last.moment));
}

function nextPanel(session: Session): void {
  const panel = PANELS[(PANELS.indexOf(session.state.panel) + 1) % PANELS.length]!;
  change(session, { panel });
  say(session, `panel: ${panel}`);
}

function scroll(session: Session, argument: string, direction: 1 | -1): void {
  const { panel, scroll: offsets } = session.state;
  // The console grows at its end, so its offset counts from there; the others' from the top.
  const sign = panel === 'console' ? -direction : direction;
  const lowest = panel === 'disassembly' ? Number.NEGATIVE_INFINITY : 0;
  change(session, { scroll: { ...offsets, [panel]: Math.max(lowest, offsets[panel] + sign * countOf(argument)) } });
}

function selectHart(session: Session, argument: string): void {
  const { harts } = session.travel.machine.config;
  if (argument === 'auto') {
    change(session, { followHart: true, hart: session.travel.machine.next().hart });
    say(session, 'following the hart that executes next');
    return;
  }
  const hart = argument === '' ? (session.state.hart + 1) % harts : parseMoment(argument);
  if (hart >= harts) say(session, `no hart ${grouped(hart)}: this machine has harts 0 to ${harts - 1}`, true);
  else {
    change(session, { hart, followHart: false, scroll: { ...session.state.scroll, disassembly: 0 } });
    say(session, `hart ${hart}`);
  }
}

const SET_NAMES: Record<RegisterSet, string> = {
  integer: 'integer registers',
  csr: `${CSR_NAMES.length} CSRs`,
  float: 'floating-point registers, as bits',
};

function toggleSet(session: Session, wanted: RegisterSet): void {
  const registerSet = session.state.registerSet === wanted ? 'integer' : wanted;
  change(session, { registerSet, scroll: { ...session.state.scroll, registers: 0 } });
  say(session, SET_NAMES[registerSet]);
}
