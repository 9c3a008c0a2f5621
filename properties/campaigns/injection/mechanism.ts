/**
 * Recovery mechanisms as names, and as bytes in the firmware's options: the recovery block reads them only when it
 * starts a recovery, so writing them into a booted machine selects the mechanism without booting again.
 * Relies on the firmware's symbols: `options`, and the offsets that it publishes as `layout.options.*`.
 */
import {
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
/** Every word that a list of enhancements can begin with. */
export const ENHANCE_WORDS: readonly string[] = ['all', 'none', ...FIXUPS, ...FIXUPS.map((name) => `-${name}`)];

/** Reads a mechanism's name. @throws UserError */
export function parseRecovery(text: string): Mechanism['recovery'] {
  const found = RECOVERIES.find((name) => name === text);
  if (found) return found;
  throw new UserError(noSuchName('recovery mechanism', text, RECOVERIES));
}

/** `all`, `none`, `a,b` (only these), `-a,-b` (all but these), as the boot argument `enhance=`. @throws UserError */
export function parseEnhance(text: string): readonly string[] {
  const words = text.split(',');
  let chosen = new Set<string>(words[0]!.startsWith('-') ? FIXUPS : []);
  for (const word of words) {
    const name = word.replace(/^-/, '');
    if (name === 'all' || name === 'none') chosen = new Set(name === 'all' ? FIXUPS : []);
    else if (!(FIXUPS as readonly string[]).includes(name)) {
      throw new UserError(
        `there is no enhancement '${name}'${didYouMean(name, FIXUPS)}: expected all, none, or a list of ${FIXUPS.join(',')}`,
      );
    } else if (word.startsWith('-')) chosen.delete(name);
    else chosen.add(name);
  }
  return FIXUPS.filter((name) => chosen.has(name));
}

/** The text that `parseEnhance` reads back. */
export function formatEnhance(enhance: readonly string[]): string {
  if (enhance.length === FIXUPS.length) return 'all';
  return enhance.length === 0 ? 'none' : enhance.join(',');
}

/** A mechanism with all its enhancements. */
export const completeMechanism = (recovery: Mechanism['recovery']): Mechanism => ({ recovery, enhance: [...FIXUPS] });

/** The writes to physical memory that select a mechanism. @throws UserError when this firmware cannot do it */
export function selectMechanism(symbols: MachineSymbols, { recovery, enhance }: Mechanism): InputEvent[] {
  const { firmware } = symbols;
  const options = firmware.loadAddress('options');
  if (options === undefined) {
    throw new UserError(`${firmware.image} has no symbol 'options': its recovery mechanism cannot be selected`);
  }
  const published = firmware.absolutes('layout.options.');
  const value = RECOVERIES.indexOf(recovery);
  const offset = (name: string) => {
    const found = published.get(name);
    if (found === undefined) throw new UserError(`${firmware.image} does not publish layout.options.${name}`);
    return Number(options + found);
  };
  const mask = enhance.reduce((bits, name) => bits | (1n << BigInt(bitOf(name))), 0n);
  return [
    { kind: 'poke', paddr: offset('recovery'), bytes: littleEndian(BigInt(value), 8) },
    { kind: 'poke', paddr: offset('enhance'), bytes: littleEndian(mask, 8) },
  ];
}

function bitOf(name: string): number {
  const bit = (FIXUPS as readonly string[]).indexOf(name);
  if (bit < 0) throw new UserError(noSuchName('enhancement', name, FIXUPS));
  return bit;
}

const littleEndian = (value: bigint, bytes: number): Uint8Array =>
  Uint8Array.from({ length: bytes }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn));
