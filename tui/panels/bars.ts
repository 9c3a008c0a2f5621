/**
 * The lines at the top and the bottom of the screen: where we are, what happened last, how to get help. Relies on the
 * session; each chooses what it can say in full before it cuts anything.
 */
import { codeText } from '../../engine/index.ts';
import { grouped, hex, virtualTime } from '../base/index.ts';
import { clip, clipStart, span, widthOf } from './text.ts';
import type { Line, Session } from './types.ts';

interface Place {
  readonly moment: string;
  readonly end: string;
  readonly time: string;
  readonly hart: string;
  readonly pc: string;
  readonly symbol: string;
  /** The symbol, and the source line when it is known. */
  readonly code: string;
}

function placeOf({ travel, state, introspection }: Session): Place {
  const { pc, mode, vmid } = travel.machine.hart(state.hart);
  const name = introspection.code(travel.machine, state.hart, pc);
  const { source: _, ...unlined } = name;
  const inVm = mode === 'VS' || mode === 'VU';
  return {
    moment: grouped(travel.moment),
    end: `${grouped(travel.last.moment)}${state.isGrowing ? '+' : ''}`,
    time: virtualTime(travel.machine.ticks),
    hart: `hart ${state.hart} ${mode}${inVm ? ` VM ${vmid}` : ''}`,
    pc: hex(pc),
    symbol: codeText(unlined),
    code: codeText(name),
  };
}

/** Where we are, in one line: the fullest of several that fits. */
export function headerLine(session: Session): Line {
  const place = placeOf(session);
  const moment = span(`moment ${place.moment}`, 'strong');
  const hart = span(place.hart, 'focus');
  const at = (name: string) => [span(` ${place.pc}`), span(name && ` ${name}`, 'symbol')];
  const short = [moment, span('  '), hart, ...at(place.symbol)];
  const lines: readonly Line[] = [
    [moment, span(` of ${place.end}  ${place.time}  `), hart, ...at(place.code)],
    [moment, span(` of ${place.end}  `), hart, ...at(place.code)],
    [moment, span(` of ${place.end}  `), hart, ...at(place.symbol)],
    [moment, span('  '), hart, ...at(place.code)],
    short,
  ];
  const { columns } = session.state;
  const fitting = lines.find((line) => widthOf(line) <= columns);
  if (fitting) return fitting;
  if (widthOf(short) - place.symbol.length < columns) return clip(short, columns);
  const bare = [[moment, span('  '), hart], [moment], [span(place.moment, 'strong')]];
  return bare.find((line) => widthOf(line) <= columns) ?? clip(bare.at(-1)!, columns);
}

/** Everything that header, ruler and status line say, one thing a line, in full. */
export function whereLines(session: Session): Line[] {
  const { state, travel } = session;
  const place = placeOf(session);
  const named = (name: string, text: string) => [span(name.padEnd(9), 'dim'), span(text)];
  return [
    named('moment', `${place.moment} of ${place.end}`),
    named('time', `${place.time} (${grouped(travel.machine.ticks)} ticks)`),
    named('hart', place.hart),
    named('pc', `${place.pc} ${place.code}`),
    named('timeline', `${grouped(state.from)} to ${grouped(state.to)}`),
    named('message', state.message),
  ];
}

const HINTS = ['? help  : command  q quit', '? help', '?'];

/** The bottom line: what is being typed, or what happened last and how to get help. */
export function statusLine(session: Session): Line {
  const { state, lanes, travel } = session;
  const { columns } = state;
  if (state.prompt !== undefined) return [span(clipStart(`:${state.prompt}`, columns - 1)), span('_', 'current')];
  const scanned = Math.floor((lanes.scannedTo / Math.max(1, travel.last.moment)) * 100);
  const live = state.follows ? 'following  ' : state.isGrowing ? 'recording  ' : '';
  const progress = scanned < 100 ? `timeline ${scanned}%  ` : '';
  const count = state.count === '' ? '' : `${clipStart(state.count, Math.floor(columns / 2))} `;
  const room = columns - state.message.length - 1;
  const hints = [live + progress + HINTS[0], ...HINTS.map((text) => live + text), ...HINTS];
  const hint = hints.find((text) => (count + text).length <= room) ?? HINTS.at(-1)!;
  const right = count + hint;
  const message = clip([span(state.message, state.isError ? 'error' : 'plain')], columns - right.length - 1);
  const gap = ' '.repeat(columns - right.length - widthOf(message));
  return [...message, span(gap), span(right, 'dim')];
}
