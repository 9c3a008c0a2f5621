/**
 * Environment variables that dejavm reads, for `--help` and the manual page. Relies on replay's rule for the trace
 * folder.
 */
import { TRACE_FOLDER_RULE } from '../../replay/index.ts';

const { variable, otherwise, name } = TRACE_FOLDER_RULE;

/** Each variable with what it does. */
export const ENVIRONMENT: readonly (readonly [variable: string, effect: string])[] = [
  [variable, `traces, and what latest means, are kept in its folder ${name} (default: ~/${otherwise.join('/')})`],
  ['NO_COLOR', 'if set and not empty: no colours'],
  ['TERM', 'dumb: no colours in the terminal UI'],
  ['DEJAVM_DEBUG', 'if set and not empty: errors are printed with their stack'],
];
