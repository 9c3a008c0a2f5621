/**
 * The command line as shells see it: every verb with every spelling of its options and what may stand behind each. Made
 * from the tables of verbs and flags, and the same for all shells. Relies on qemu/options.ts for flags with one dash.
 */
import { invariant } from '../../../engine/index.ts';
import type { Verb } from '../command.ts';
import { flagSpec, longName, spellingsOf } from '../flags.ts';
import { HELP_FLAG, HELP_VERB, VERSION_FLAG } from '../help.ts';
import { SHARED } from '../qemu/index.ts';
import type { Takes } from '../takes.ts';
import { type Suggestion, suggestions } from './suggestions.ts';

export interface CompletedValue extends Suggestion {
  /** What it is called in help: `file`. */
  readonly name: string;
}

export interface CompletedOption {
  /** `-o` and its like. */
  readonly short: readonly string[];
  /** `--kernel`. */
  readonly long: string;
  /** `-kernel`, as QEMU has it. */
  readonly oneDash?: string;
  readonly summary: string;
  readonly value?: CompletedValue;
  readonly many: boolean;
}

export interface CompletedVerb {
  readonly name: string;
  readonly summary: string;
  readonly options: readonly CompletedOption[];
  /** In the order in which they are typed. */
  readonly places: readonly CompletedValue[];
}

export interface CommandLine {
  readonly verbs: readonly CompletedVerb[];
  /** Those without a verb. */
  readonly options: readonly CompletedOption[];
}

/** The command line that a table of verbs makes. */
export function describeCommandLine(verbs: readonly Verb[]): CommandLine {
  const offers = suggestions(verbs);
  for (const { words } of Object.values(offers)) {
    for (const word of words) invariant(/^[\w=,@-]+$/.test(word), `a word that shells take apart: ${word}`);
  }
  const place = ({ name, takes }: { readonly name: string; readonly takes: Takes }) => ({ name, ...offers[takes] });
  const option = (name: Verb['flags'][number]): CompletedOption => {
    const { syntax, help, takes, many = false } = flagSpec(name);
    return {
      ...spelt(syntax, help),
      ...(SHARED.includes(name) && { oneDash: `-${longName(name)}` }),
      ...(takes && { value: place({ name: placeholder(syntax), takes }) }),
      many,
    };
  };
  const help = { ...spelt(HELP_FLAG.syntax, HELP_FLAG.help), many: false };
  const described = verbs.map(({ name, summary, flags, arguments: places }) => {
    return { name, summary, options: [...flags.map(option), help], places: places.map(place) };
  });
  const { name, summary, argument } = HELP_VERB;
  const version = { ...spelt(VERSION_FLAG.syntax, VERSION_FLAG.help), many: false };
  return {
    verbs: [...described, { name, summary, options: [], places: [place(argument)] }],
    options: [version, help],
  };
}

function spelt(syntax: string, help: string): Pick<CompletedOption, 'short' | 'long' | 'summary'> {
  const all = spellingsOf(syntax);
  return {
    short: all.filter((text) => !text.startsWith('--')),
    long: all.find((text) => text.startsWith('--'))!,
    summary: brief(help),
  };
}

/** Every spelling of an option. */
export const spellingsIn = ({ short, long, oneDash }: CompletedOption): string[] =>
  [...short, long, oneDash].filter((text) => text !== undefined);

const placeholder = (syntax: string): string => /<(.*)>/.exec(syntax)![1]!;

/**
 * The first clause of a help text, without what is said of repeating and defaults: it stands beside others in a list.
 */
export const brief = (help: string): string =>
  help
    .replace(/ \([^)]*\)/g, '')
    .split(/[;:](?: |$)|\. /)[0]!
    .trim();
