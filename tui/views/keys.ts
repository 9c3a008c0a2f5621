/** Names of keys, from what ink tells of them. Relies on ink's parser. */
import type { Key } from 'ink';

const NAMED_KEYS = [
  ['leftArrow', 'left'],
  ['rightArrow', 'right'],
  ['upArrow', 'up'],
  ['downArrow', 'down'],
  ['pageUp', 'pageup'],
  ['pageDown', 'pagedown'],
  ['home', 'home'],
  ['end', 'end'],
  ['tab', 'tab'],
  ['return', 'return'],
  ['escape', 'escape'],
  ['backspace', 'backspace'],
  ['delete', 'backspace'],
] as const;

const CONTROL: Readonly<Record<string, string>> = {
  '\x03': 'C-c',
  '\x0c': 'C-l',
  '\x1a': 'C-z',
  '\r': 'return',
  '\n': 'return',
  '\t': 'tab',
  '\x7f': 'backspace',
  '\b': 'backspace',
};
const WITH_CONTROL: readonly string[] = ['c', 'l', 'z'];

/** Key names as model/input.ts knows them; typing fast or pasting brings several characters at once. */
export function keyNames(input: string, key: Key): readonly string[] {
  const named = NAMED_KEYS.find(([property]) => key[property]);
  if (named) return [named[1]];
  if (key.ctrl) return WITH_CONTROL.includes(input) ? [`C-${input}`] : [];
  if (key.meta) return [];
  return [...input].map((char) => CONTROL[char] ?? char);
}
