/**
 * Recovery mechanisms as names, and as bytes in the firmware's memory: the recovery block reads them only when it
 * starts a recovery, so writing them into a booted machine selects the mechanism without booting again. So it is with
 * the self-checks, which Lazarus looks up each time.
 * Relies on the firmware's symbols: `options`, the offsets that it publishes as `layout.options.*`, `lazarus_checks`.
 */
import {
  CHECKS,
  didYouMean,
  FIXUPS,
  type InputEvent,
  type MachineSymbols,
  noSuchName,
  UserError,
} from '../../../engine/index.ts';
import type { Mechanism } from './types.ts';

/** Values of `options.recovery`. */
export const RECOVERIES = ['none', 'rehype', 'nilihype'] as const;
const wordsOf = (names: readonly string[]) => ['all', 'none', ...names, ...names.map((name) => `-${name}`)];
/** Every word that a list of enhancements, or of checks, can begin with. */
export const ENHANCE_WORDS: readonly string[] = wordsOf(FIXUPS);
export const CHECK_WORDS: readonly string[] = wordsOf(CHECKS);

/** Reads a mechanism's name. @throws UserError */
export function parseRecovery(text: string): Mechanism['recovery'] {
  const found = RECOVERIES.find((name) => name === text);
  if (found) return found;
  throw new UserError(noSuchName('recovery mechanism', text, RECOVERIES));
}

/** `all`, `none`, `a,b` (only these), `-a,-b` (all but these), as the boot argument `enhance=`. @throws UserError */
export const parseEnhance = (text: string): readonly string[] => parseNames('enhancement', FIXUPS, text);

/** The same as the boot argument `checks=`; undefined for all, which is how a mechanism says it. @throws UserError */
export function parseChecks(text: string): readonly string[] | undefined {
  const chosen = parseNames('check', CHECKS, text);
  return chosen.length === CHECKS.length ? undefined : chosen;
}

function parseNames(what: string, names: readonly string[], text: string): readonly string[] {
  const words = text.split(',');
  let chosen = new Set<string>(words[0]!.startsWith('-') ? names : []);
  for (const word of words) {
    const name = word.replace(/^-/, '');
    if (name === 'all' || name === 'none') chosen = new Set(name === 'all' ? names : []);
    else if (!names.includes(name)) {
      throw new UserError(
        `there is no ${what} '${name}'${didYouMean(name, names)}: expected all, none, or a list of ${names.join(',')}`,
      );
    } else if (word.startsWith('-')) chosen.delete(name);
    else chosen.add(name);
  }
  return names.filter((name) => chosen.has(name));
}

/** The text that `parseEnhance` reads back. */
export const formatEnhance = (enhance: readonly string[]): string => formatNames(FIXUPS, enhance);
/** The text that `parseChecks` reads back. */
export const formatChecks = (checks: Mechanism['checks']): string => formatNames(CHECKS, checks ?? CHECKS);

/** In the words of tables: `no self-checks`, `self-checks all but code`, `self-checks code, copies`. */
export function checksText(checks: readonly string[]): string {
  if (checks.length === 0) return 'no self-checks';
  const off = CHECKS.filter((name) => !checks.includes(name));
  const few = off.length < checks.length && off.length > 0;
  return few ? `self-checks all but ${off.join(', ')}` : `self-checks ${checks.join(', ')}`;
}

function formatNames(names: readonly string[], chosen: readonly string[]): string {
  if (chosen.length === names.length) return 'all';
  return chosen.length === 0 ? 'none' : chosen.join(',');
}

/** A mechanism with all its enhancements. */
export const completeMechanism = (recovery: Mechanism['recovery']): Mechanism => ({ recovery, enhance: [...FIXUPS] });

/**
 * The writes to physical memory that select a mechanism and its checks: all checks are what a machine boots with, and
 * then nothing is written for them. @throws UserError when this firmware cannot do it
 */
export function selectMechanism(
  symbols: MachineSymbols,
  { recovery, enhance, checks = CHECKS }: Mechanism,
): InputEvent[] {
  const { firmware } = symbols;
  const options = symbolOf(symbols, 'options', 'its recovery mechanism cannot be selected');
  const published = firmware.absolutes('layout.options.');
  const offset = (name: string) => {
    const found = published.get(name);
    if (found === undefined) throw new UserError(`${firmware.image} does not publish layout.options.${name}`);
    return Number(options + found);
  };
  const word = (paddr: number, value: bigint): InputEvent => ({ kind: 'poke', paddr, bytes: littleEndian(value, 8) });
  const selected = [
    word(offset('recovery'), BigInt(RECOVERIES.indexOf(recovery))),
    word(offset('enhance'), maskOf('enhancement', FIXUPS, enhance)),
  ];
  if (checks.length === CHECKS.length) return selected;
  const at = symbolOf(symbols, 'lazarus_checks', 'its self-checks cannot be selected');
  return [...selected, word(Number(at), maskOf('check', CHECKS, checks))];
}

function symbolOf({ firmware }: MachineSymbols, name: string, why: string): bigint {
  const found = firmware.loadAddress(name);
  if (found === undefined) throw new UserError(`${firmware.image} has no symbol '${name}': ${why}`);
  return found;
}

function maskOf(what: string, names: readonly string[], chosen: readonly string[]): bigint {
  const bit = (name: string) => {
    const found = names.indexOf(name);
    if (found < 0) throw new UserError(noSuchName(what, name, names));
    return 1n << BigInt(found);
  };
  return chosen.reduce((bits, name) => bits | bit(name), 0n);
}

const littleEndian = (value: bigint, bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn));
