/**
 * Moments as people type them:
 *
 *   8M  5ms          a number of instructions retired; virtual time
 *   heap_alloc#3     right before the third time that a hart executes it; also lazarus:heap_alloc+0x10#3
 *   8M+3  5ms+120    right before that hypervisor instruction from there on: the triggers of faults (trigger-text.ts);
 *                    5ms+120@privileged counts M-mode's as well, 5ms+120@machine only those
 *   start fault fault#2 input detected resumed failed end        events of the run
 *   POINT-1000       so many instructions before any of them; behind an event or #N also +500, so many after it
 *   POINT-           any of them, before the inputs of that very position
 *
 * Knows no run: whether it has such a moment is found when one goes there (moment.ts).
 */
import { UserError, visible } from '../../engine/index.ts';
import type { InputsHere, Trigger } from '../base/index.ts';
import { formatTrigger, parseCount, parseTrigger } from './trigger-text.ts';

/** Events that have a name: the kinds of timeline/events.ts that happen seldom, the start and the end. */
export const EVENT_NAMES = ['start', 'fault', 'input', 'detected', 'resumed', 'failed', 'end'] as const;
export type EventName = (typeof EVENT_NAMES)[number];

export type MomentBase =
  /** The n-th (1 = first) event of its name. */
  | { readonly kind: 'event'; readonly name: EventName; readonly n: number }
  /** `image`: which one has the symbol; any. */
  | { readonly kind: 'trigger'; readonly trigger: Trigger; readonly image: string | undefined };

/** A moment as it was typed. */
export interface MomentExpression {
  readonly base: MomentBase;
  /** Instructions to go on from there; negative: back. */
  readonly offset: number;
  readonly here: InputsHere;
}

/** Characters of a moment. */
const MAX_TEXT = 300;
const EVENT = new RegExp(`^(${EVENT_NAMES.join('|')})(?:#(\\d{1,9}))?$`);
const COUNT = String.raw`\d[\d_,]*(?:\.\d+)?[kmg]?`;
const BACK = new RegExp(`^(.+)(-)(${COUNT})$`, 'i');
/** Behind a number `+3` counts hypervisor instructions, behind a symbol `+0x10` bytes: both belong to triggers. */
const ON = new RegExp(`^(.+#\\d+|${EVENT_NAMES.join('|')})(\\+)(${COUNT})$`, 'i');

/** Reads a moment. @throws UserError that says what was expected, in one line */
export function parseMomentText(text: string): MomentExpression {
  if (text.length > MAX_TEXT) throw new UserError(`expected a moment, got ${text.length} characters`);
  const here = text.endsWith('-') ? 'pending' : 'applied';
  const point = here === 'pending' ? text.slice(0, -1) : text;
  const [, from = point, sign, distance = '0'] = BACK.exec(point) ?? ON.exec(point) ?? [];
  const instructions = parseCount(distance);
  if (instructions === undefined) throw notAMoment(text);
  return { base: baseOf(from, text), offset: sign === '-' ? 0 - instructions : instructions, here };
}

function baseOf(point: string, text: string): MomentBase {
  const event = EVENT.exec(point);
  if (event) {
    const n = Number(event[2] ?? 1);
    if (n < 1) throw new UserError(`events are counted from 1, got '${visible(text)}'`);
    return { kind: 'event', name: event[1] as EventName, n };
  }
  const [, image, rest = point] = /^([\w.$-]+):(.*)$/s.exec(point) ?? [];
  try {
    const trigger = parseTrigger(rest);
    // The name of an event is no symbol, unless an image is named.
    const isEvent = trigger.kind === 'symbol' && EVENT_NAMES.some((name) => name === trigger.symbol);
    if (image === undefined ? !isEvent : trigger.kind === 'symbol') return { kind: 'trigger', trigger, image };
  } catch (error) {
    if (!(error instanceof UserError) || /counted from 1/.test(error.message)) throw error;
  }
  throw notAMoment(text);
}

const notAMoment = (text: string): UserError =>
  new UserError(
    `expected a moment such as 8M, 8M- (before its inputs), 5ms, heap_alloc#3, fault, detected+500 or end-1000, ` +
      `got '${visible(text)}'`,
  );

/** The text that `parseMomentText` reads back as the same moment. */
export function formatMoment({ base, offset, here }: MomentExpression): string {
  return `${baseText(base, offset)}${offset === 0 ? '' : offset < 0 ? `${offset}` : `+${offset}`}${here === 'pending' ? '-' : ''}`;
}

function baseText(base: MomentBase, offset: number): string {
  if (base.kind === 'event') return `${base.name}${base.n === 1 ? '' : `#${base.n}`}`;
  const text = `${base.image === undefined ? '' : `${base.image}:`}${formatTrigger(base.trigger)}`;
  // +N behind a symbol without #N would be bytes.
  return offset > 0 && base.trigger.kind === 'symbol' && base.trigger.n === 1 ? `${text}#1` : text;
}
