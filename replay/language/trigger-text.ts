/**
 * Triggers as text, the form of flags and reproducers: `8M` (a moment), `8M+3` (the third hypervisor instruction after
 * it), `5ms` (virtual time), `5ms+120` (the two-level trigger), `5ms+120@privileged` and `5ms+120@machine` (counting
 * instructions of HS- and M-mode, or of M-mode only), `store_add+0x28` and `store_add+0x28#3` (its third
 * execution), `5ms+store_add+0x28#3` (counted from 5 ms on). Knows no machine: whether a symbol exists is checked when
 * it is used.
 */
import { type PrivilegedModes, UserError } from '../../engine/index.ts';
import type { Trigger } from '../base/index.ts';

const COUNT_UNITS: Record<string, number> = { '': 1, k: 1e3, m: 1e6, g: 1e9 };
/** Ticks of each unit of time. */
const TIME_UNITS: Record<string, number> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9 };

/** A whole number with a decimal unit: `1500000`, `1_500_000`, `1.5M`, `20k`; undefined when it is none. */
export const parseCount = (text: string): number | undefined =>
  scaled(text, /^(\d[\d_,]*)(\.\d+)?([kmg]?)$/i, COUNT_UNITS);

/** Virtual time in ticks: `5ms`, `1.5us`, `20ns`, `1s`; undefined when it is none. */
export const parseTime = (text: string): number | undefined =>
  scaled(text, /^(\d[\d_,]*)(\.\d+)?(ns|us|µs|ms|s)$/, TIME_UNITS);

/** Virtual time as `parseTime` reads it, exactly. */
export function formatTime(ticks: number): string {
  const unit = (['s', 'ms', 'us'] as const).find((name) => ticks % TIME_UNITS[name]! === 0) ?? 'ns';
  return `${ticks / TIME_UNITS[unit]!}${unit}`;
}

/** Reads a trigger. @throws UserError saying what was expected */
export function parseTrigger(text: string): Trigger {
  const symbol = /^(?:([\d][^+#]*)\+)?([A-Za-z_.$][\w.$]*)(?:\+(0x[0-9a-f]+|\d+))?(?:#(\d+))?$/i.exec(text);
  if (symbol) return symbolTrigger(text, symbol);
  const [, counted = text, modes] = /^([^@]*\+[^@]*)@(privileged|machine)$/.exec(text) ?? [];
  const of = modes === undefined ? {} : { of: modes as PrivilegedModes };
  const [first = '', second, ...more] = counted.split('+');
  const time = parseTime(first);
  const moment = time === undefined ? parseCount(first) : undefined;
  const k = second === undefined ? undefined : parseCount(second);
  if (more.length > 0 || (second !== undefined && k === undefined) || (time ?? moment) === undefined) {
    throw new UserError(`expected ${FORMS}, got '${text}'`);
  }
  if (k !== undefined && k < 1) throw new UserError(`instructions are counted from 1, got '+${second}' in '${text}'`);
  if (time !== undefined)
    return k === undefined ? { kind: 'ticks', ticks: time } : { kind: 'two-level', ticks: time, k, ...of };
  return k === undefined ? { kind: 'moment', moment: moment! } : { kind: 'hypervisor', after: moment!, k, ...of };
}

const modesText = (of: PrivilegedModes = 'hypervisor'): string => (of === 'hypervisor' ? '' : `@${of}`);

const FORMS =
  'a trigger such as 8M, 8M+3 (hypervisor instruction), 5ms, 5ms+120, 5ms+120@privileged, 5ms+120@machine, ' +
  'store_add+0x28 or store_add+0x28#3';

/** The text that `parseTrigger` reads back as the same trigger. */
export function formatTrigger(trigger: Trigger): string {
  switch (trigger.kind) {
    case 'moment':
      return `${trigger.moment}`;
    case 'hypervisor':
      return `${trigger.after}+${trigger.k}${modesText(trigger.of)}`;
    case 'ticks':
      return formatTime(trigger.ticks);
    case 'two-level':
      return `${formatTime(trigger.ticks)}+${trigger.k}${modesText(trigger.of)}`;
    case 'symbol': {
      const { symbol, offset, n, ticks } = trigger;
      const place = `${symbol}${offset === 0 ? '' : `+0x${offset.toString(16)}`}${n === 1 ? '' : `#${n}`}`;
      return ticks === 0 ? place : `${formatTime(ticks)}+${place}`;
    }
  }
}

function symbolTrigger(text: string, [, from, symbol, offset = '0', count = '1']: RegExpExecArray): Trigger {
  const ticks = from === undefined ? 0 : parseTime(from);
  if (ticks === undefined) throw new UserError(`expected ${FORMS}, got '${text}': '${from}' is no virtual time`);
  const n = Number(count);
  if (n < 1) throw new UserError(`executions are counted from 1, got '#${count}' in '${text}'`);
  return { kind: 'symbol', symbol: symbol!, offset: Number(offset), n, ticks };
}

function scaled(text: string, form: RegExp, units: Record<string, number>): number | undefined {
  const match = form.exec(text);
  if (!match) return undefined;
  const unit = units[match[3]!.toLowerCase()]!;
  // Rounded: 1.1M is not exact in binary floating point, though a whole number of instructions.
  const value = Math.round(Number(match[1]!.replace(/[_,]/g, '') + (match[2] ?? '')) * unit * 1e3) / 1e3;
  return Number.isSafeInteger(value) ? value : undefined;
}
