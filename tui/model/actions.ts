/**
 * Everything that a user can do, declared once: the keys, the `:` commands, `--script` and the `?` overlay all read
 * this table. Relies on motions.ts and session.ts for the moves; knows no terminal.
 */
import { didYouMean, UserError } from '../../engine/index.ts';
import { MomentError, parseExpression } from '../../replay/index.ts';
import { TraceError, TraceWriteError } from '../../traces/index.ts';
import { grouped, parseMoment, UsageError } from '../base/index.ts';
import { CSR_NAMES, type Overlay, PANELS, type RegisterSet, type Session } from '../panels/index.ts';
import { note } from './bookmarks.ts';
import { follow } from './growth.ts';
import {
  backToStop,
  countOf,
  forwardToStop,
  goToEnd,
  goToText,
  nextEvent,
  nextOfKind,
  previousEvent,
  reverseStep,
  scrub,
  step,
} from './motions.ts';
import { breakHere, deleteStop, out, over, runTo, showStack, watch, whoWrote } from './moves.ts';
import { focusHeight, scrolledBy } from './scroll.ts';
import { change, say, zoom } from './session.ts';

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
  {
    name: 'continue',
    keys: ['c'],
    argument: 'N',
    help: 'on to the next fault, detection, resumption, end, or the N-th',
    run: forwardToStop,
  },
  { name: 'rcontinue', keys: ['C'], argument: 'N', help: 'back to the one before', run: backToStop },
  {
    name: 'fault',
    keys: ['f'],
    argument: 'N',
    help: 'go to the fault (again: the next one)',
    run: (s, n) => nextOfKind(s, 'fault', n),
  },
  {
    name: 'detect',
    keys: ['d'],
    argument: 'N',
    help: 'go to its detection',
    run: (s, n) => nextOfKind(s, 'detected', n),
  },
  {
    name: 'resume',
    keys: ['r'],
    argument: 'N',
    help: 'go to where the VMs resume',
    run: (s, n) => nextOfKind(s, 'resumed', n),
  },
  {
    name: 'over',
    keys: ['n'],
    argument: 'N',
    help: 'over a call, or N instructions',
    run: (s, n) => over(s, n, 'forward'),
  },
  { name: 'rover', keys: ['N'], argument: 'N', help: 'back over it', run: (s, n) => over(s, n, 'backward') },
  {
    name: 'out',
    keys: ['o'],
    argument: 'N',
    help: 'out of the function, or of N',
    run: (s, n) => out(s, n, 'forward'),
  },
  { name: 'rout', keys: ['O'], argument: 'N', help: 'back to its call', run: (s, n) => out(s, n, 'backward') },
  { name: 'exit', keys: ['e'], argument: 'N', help: 'on to a VM exit', run: (s, n) => runTo(s, 'exit', n, 'forward') },
  { name: 'rexit', keys: ['E'], argument: 'N', help: 'back to one', run: (s, n) => runTo(s, 'exit', n, 'backward') },
  {
    name: 'hypercall',
    keys: ['y'],
    argument: 'N',
    help: 'on to an ecall from VS-mode',
    run: (s, n) => runTo(s, 'hypercall', n, 'forward'),
  },
  {
    name: 'rhypercall',
    keys: ['Y'],
    argument: 'N',
    help: 'back to one',
    run: (s, n) => runTo(s, 'hypercall', n, 'backward'),
  },
  { name: 'trap', keys: ['p'], argument: 'N', help: 'on to a trap', run: (s, n) => runTo(s, 'trap', n, 'forward') },
  { name: 'rtrap', keys: ['P'], argument: 'N', help: 'back to one', run: (s, n) => runTo(s, 'trap', n, 'backward') },
  {
    name: 'break',
    keys: ['b'],
    argument: 'WHERE',
    help: 'breakpoint at the pc, on and off; or at heap_alloc, va:0x10000 mode=HS vm=1 hart=0',
    run: breakHere,
  },
  {
    name: 'watch',
    keys: [],
    argument: 'WHERE',
    help: 'watchpoint on writes: heap_lock, [spa:0x80215020]:8',
    run: watch,
  },
  { name: 'stops', keys: ['B'], help: 'list breakpoints and watchpoints', run: (s) => open(s, 'stops') },
  { name: 'delete', keys: [], argument: 'N', help: 'take breakpoint or watchpoint N away', run: deleteStop },
  {
    name: 'run',
    keys: ['u'],
    argument: 'N',
    help: 'on to a breakpoint or watchpoint',
    run: (s, n) => runTo(s, 'stop', n, 'forward'),
  },
  { name: 'rrun', keys: ['U'], argument: 'N', help: 'back to one', run: (s, n) => runTo(s, 'stop', n, 'backward') },
  { name: 'next', keys: [']'], argument: 'N', help: 'next event of any kind, or the N-th', run: nextEvent },
  { name: 'prev', keys: ['['], argument: 'N', help: 'previous event', run: previousEvent },
  {
    name: 'goto',
    keys: ['g', 'home'],
    argument: 'M',
    help: 'go to moment M (1.5M, 5ms, fault-, end-1000), or the start',
    run: goToText,
  },
  { name: 'end', keys: ['G', 'end'], argument: 'M', help: 'go to the end, or to moment M', run: goToEnd },
  { name: 'follow', keys: ['F'], help: 'stay at the end while the run is being recorded', run: follow },
  {
    name: 'left',
    keys: ['h', 'left'],
    argument: 'N',
    help: 'scrub back one cell of the timeline',
    run: (s, n) => scrub(s, n, -1),
  },
  { name: 'right', keys: ['l', 'right'], argument: 'N', help: 'scrub forward', run: (s, n) => scrub(s, n, 1) },
  {
    name: 'zoomin',
    keys: ['+', '='],
    argument: 'N',
    help: 'zoom the timeline in, N times',
    run: (s, n) => zoom(s, 4 ** -countOf(n)),
  },
  { name: 'zoomout', keys: ['-'], argument: 'N', help: 'zoom out', run: (s, n) => zoom(s, 4 ** countOf(n)) },
  { name: 'zoomall', keys: ['z'], help: 'show the whole run', run: (s) => zoom(s, undefined) },
  { name: 'panel', keys: ['tab'], argument: 'N', help: 'next panel, or the N-th from here', run: changePanel },
  { name: 'down', keys: ['j', 'down'], argument: 'N', help: 'scroll the panel', run: (s, n) => scroll(s, countOf(n)) },
  { name: 'up', keys: ['k', 'up'], argument: 'N', help: 'scroll it back', run: (s, n) => scroll(s, -countOf(n)) },
  {
    name: 'pagedown',
    keys: ['pagedown'],
    argument: 'N',
    help: 'scroll the panel by its height',
    run: (s, n) => scroll(s, countOf(n) * focusHeight(s)),
  },
  {
    name: 'pageup',
    keys: ['pageup'],
    argument: 'N',
    help: 'scroll it back',
    run: (s, n) => scroll(s, -countOf(n) * focusHeight(s)),
  },
  {
    name: 'hart',
    keys: ['t'],
    argument: 'N',
    help: 'next hart, or hart N; `:hart auto` follows execution',
    run: selectHart,
  },
  { name: 'csr', keys: ['x'], help: 'integer registers / CSRs', run: (s) => toggleSet(s, 'csr') },
  { name: 'float', keys: ['X'], help: 'integer / floating-point registers', run: (s) => toggleSet(s, 'float') },
  {
    name: 'memory',
    keys: ['m'],
    argument: 'WHERE',
    help: 'memory in place of VMs: heap_lock, spa:0x80215000, hart0.sp; without WHERE: VMs',
    run: showMemory,
  },
  {
    name: 'who-wrote',
    keys: ['W'],
    argument: 'WHERE',
    help: 'back to the last write to WHERE, or to the word that the memory panel shows first',
    run: whoWrote,
  },
  {
    name: 'backtrace',
    keys: ['T'],
    help: 'the stack of the hart, and what its traps interrupted',
    run: showStack,
  },
  { name: 'note', keys: [], argument: 'TEXT', help: 'keep a finding here, as a bookmark beside the trace', run: note },
  { name: 'whole', keys: ['w'], help: 'what the screen shows, with nothing cut off', run: (s) => open(s, 'whole') },
  { name: 'help', keys: ['?'], help: 'this help', run: (s) => open(s, 'help') },
  { name: 'redraw', keys: ['C-l'], help: 'draw the screen anew', run: (s) => change(s, { request: 'redraw' }) },
  {
    name: 'suspend',
    keys: ['C-z'],
    help: 'back to the shell; its `fg` resumes',
    run: (s) => change(s, { request: 'suspend' }),
  },
  { name: 'quit', keys: ['q', 'C-c'], help: 'quit', run: (s) => change(s, { quit: true }) },
];

const open = (session: Session, kind: Overlay['kind']): void => change(session, { overlay: { kind, page: 0 } });

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
  if (!match) {
    const guess = didYouMean(
      word,
      ACTIONS.map(({ name }) => name),
    );
    say(session, `no command '${word}'${guess}; ? shows them all`, true);
  } else if (matches.length > 1) {
    say(session, `'${word}' could be ${matches.map((action) => action.name).join(', ')}`, true);
  } else runAction(session, match, rest.join(' '));
}

/** Runs an action; what the user got wrong becomes a message. */
export function runAction(session: Session, action: Action, argument: string): void {
  if (argument !== '' && action.argument === undefined) {
    say(session, `'${action.name}' takes no count and no argument`, true);
    return;
  }
  attempt(session, () => action.run(session, argument));
}

/** Does some more of a move that is being made. */
export function advanceWork(session: Session): void {
  attempt(session, () => session.work?.advance());
}

function attempt(session: Session, run: () => void): void {
  try {
    run();
  } catch (error) {
    // A bad argument, or a trace that turns out not to replay up to here: the session goes on. Our own errors do not.
    const mistakes = [UsageError, UserError, TraceError, TraceWriteError, MomentError];
    if (!mistakes.some((mistake) => error instanceof mistake)) throw error;
    session.work = undefined;
    say(session, (error as Error).message, true);
  }
}

function showMemory(session: Session, argument: string): void {
  const memory = argument === '' ? undefined : argument;
  if (memory !== undefined) parseExpression(memory);
  change(session, { memory, scroll: { ...session.state.scroll, vms: 0 } });
  say(session, memory === undefined ? 'VMs' : `memory at ${memory}`);
}

function changePanel(session: Session, argument: string): void {
  const panel = PANELS[(PANELS.indexOf(session.state.panel) + countOf(argument)) % PANELS.length]!;
  change(session, { panel });
  say(session, `panel: ${panel}`);
}

/** Scrolls the panel with the focus. Its offset counts lines from the top, the console's, which grows, from the end. */
function scroll(session: Session, lines: number): void {
  const { panel, scroll: offsets } = session.state;
  const offset = scrolledBy(session, panel === 'console' ? -lines : lines);
  change(session, { scroll: { ...offsets, [panel]: offset } });
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
