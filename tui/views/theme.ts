/**
 * How each tone of the model looks. Relies on ink's text attributes. Without colour (NO_COLOR, or a terminal that has
 * none) only weight and inversion remain; the model's letters and marks carry the meaning.
 */
import type { TextProps } from 'ink';
import type { Tone } from '../panels/index.ts';

type Look = Omit<TextProps, 'children'>;

const LOOKS: Record<Tone, Look> = {
  plain: {},
  dim: { dimColor: true },
  strong: { bold: true },
  title: { dimColor: true },
  focus: { bold: true },
  current: { inverse: true },
  changed: { bold: true, color: 'yellow' },
  symbol: { color: 'cyan' },
  error: { bold: true, color: 'red' },
  fault: { bold: true, color: 'red' },
  detected: { bold: true, color: 'magenta' },
  resumed: { bold: true, color: 'green' },
  event: { color: 'yellow' },
  modeM: { color: 'red' },
  modeH: { color: 'yellow' },
  modeS: { color: 'white' },
  modeU: { dimColor: true },
  vm1: { color: 'green' },
  vm2: { color: 'cyan' },
  vm3: { color: 'blue' },
  vm4: { color: 'magenta' },
};

/** Text attributes of a tone. */
export function lookOf(tone: Tone, colour: boolean): Look {
  if (colour) return LOOKS[tone];
  const { color: _dropped, ...rest } = LOOKS[tone];
  return rest;
}
