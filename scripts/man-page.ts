/**
 * The manual page dejavm(1), from the tables of verbs, flags, exit codes and the environment. Relies on those alone.
 */

import { ENVIRONMENT } from '../tui/base/environment.ts';
import { exitCodes } from '../tui/base/exit-codes.ts';
import { packageVersion } from '../tui/base/package-root.ts';
import type { Verb } from '../tui/cli/command.ts';
import { type FlagName, flagHelp, flagSpec, longName, spellingsOf } from '../tui/cli/flags.ts';
import { HELP_FLAG, SUMMARY, VERSION_FLAG } from '../tui/cli/help.ts';
import { SHARED } from '../tui/cli/qemu/options.ts';
import { VERBS } from '../tui/cli/verbs.ts';
import { bold, italic, paragraph, roff, section, subsection, tagged, verbatim } from './roff.ts';

/** The page in man(7)'s language. */
export function manPage(): string {
  const parts = [
    '.\\" Written by `npm run docs`; a test compares it.',
    `.TH DEJAVM 1 "" "${roff(`dejavm ${packageVersion()}`)}" "User Commands"`,
    // No stretched blanks.
    '.ad l',
    section('NAME', '.nh', `dejavm \\- ${roff(SUMMARY[0]!.toLowerCase() + SUMMARY.slice(1))}`),
    section(
      'SYNOPSIS',
      ...VERBS.map((verb, n) => `${n === 0 ? '' : '.br\n'}${usage(verb)}`),
      ...[VERSION_FLAG, HELP_FLAG].map(({ syntax }) => `.br\n${bold('dejavm')} ${option(syntax)}`),
    ),
    section(
      'VERBS',
      paragraph(
        'QEMU writes long options with one dash: so written, those that it has too are taken. Everything behind -- is an argument.',
      ),
      ...VERBS.map(verbPart),
    ),
    section('EXIT STATUS', ...exitCodes().map(([code, meaning]) => tagged(bold(String(code)), meaning))),
    section('ENVIRONMENT', ...ENVIRONMENT.map(([variable, effect]) => tagged(bold(variable), effect))),
  ];
  return `${parts.join('\n')}\n`;
}

function usage(verb: Verb): string {
  const words = verb.arguments.map(({ name, optional, many }) => {
    const typed = `${italic(name)}${many ? '...' : ''}`;
    return optional ? `[${typed}]` : typed;
  });
  const options = verb.flags.length === 0 ? [] : [`[${italic('options')}]`];
  return [`${bold('dejavm')} ${bold(verb.name)}`, ...options, ...words].join(' ');
}

function verbPart(verb: Verb): string {
  return subsection(
    `dejavm ${verb.name}`,
    paragraph(sentence(verb.summary)),
    ...verb.arguments.map(({ name, help }) => tagged(italic(name), help)),
    ...verb.flags.map((name) => tagged(flag(name), flagHelp(name))),
    '.PP',
    verb.examples.length === 1 ? 'Example:' : 'Examples:',
    '.PP',
    verbatim(verb.examples),
  );
}

const flag = (name: FlagName): string =>
  option(flagSpec(name).syntax, SHARED.includes(name) ? [`-${longName(name)}`] : []);

/**
 * `-o, --out <file>` in the fonts of a manual page: bold what is typed as it stands, italic what stands for something.
 */
function option(syntax: string, more: readonly string[] = []): string {
  const value = /<(.*)>/.exec(syntax)?.[1];
  const spelt = [...spellingsOf(syntax), ...more].map(bold).join(', ');
  return value === undefined ? spelt : `${spelt} ${italic(value)}`;
}

const sentence = (text: string): string => `${text[0]!.toUpperCase()}${text.slice(1)}.`;
