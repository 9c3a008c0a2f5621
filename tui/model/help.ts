/** The key table as lines. Relies on the action table. */

import { type Line, span } from '../panels/index.ts';
import { ACTIONS } from './actions.ts';

const KEY_NAMES: Readonly<Record<string, string>> = { 'C-c': 'Ctrl-C', 'C-z': 'Ctrl-Z', 'C-l': 'Ctrl-L' };

/** One line per action: its keys, its command, what it does. */
export function helpLines(): Line[] {
  const keyText = (keys: readonly string[]) => keys.map((key) => KEY_NAMES[key] ?? key).join(' ');
  return ACTIONS.map((action) => {
    const command = `:${action.name}${action.argument ? ` ${action.argument}` : ''}`;
    return [span(keyText(action.keys).padEnd(14), 'focus'), span(`${command.padEnd(13)} `), span(action.help)];
  });
}
