/**
 * Every command that this project prints for people to type: in documents, in `--help`, in its own messages. Relies on
 * commands being written as Markdown code, as examples of verbs, or between backticks or quotes in messages.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cli } from '../../tui/cli/test-io.ts';
import { VERBS } from '../../tui/cli/verbs.ts';
import { markdownFiles } from '../markdown.ts';
import { readSources } from '../tidy.ts';

export interface Printed {
  /** File and line, or the command whose output it stands in. */
  readonly where: string;
  /** As bash reads it: one command or several. */
  readonly script: string;
}

/** What a person types for a word in capitals, and for optional parts. */
const IN_PLACE_OF: readonly (readonly [RegExp, string])[] = [
  [/ \[.*\]/g, ''],
  [/\bDB#ROW\b/g, 'smoke.sqlite#17'],
  [/\bresults\.sqlite#n\b/g, 'smoke.sqlite#17'],
  [/\b(TRACE|T)\b/g, 'run.djvm'],
  [/\b(FILE|NEW)\b/g, 'new.djvm'],
  [/ A B\b/g, ' golden.djvm faulted.djvm'],
  [/\bVERB\b/g, 'record'],
  [/\bplan\.yaml\b/g, 'mine.yaml'],
];

/** What was true of older versions. */
const HISTORY = 'CHANGELOG.md';
const PROGRAMS = /^(npx |npm |node |dejavm |for |source <\(dejavm )/;

/** Blocks of commands, and commands in the text, of every document. */
export function printedInDocuments(root: string): Printed[] {
  return markdownFiles(root)
    .filter((file) => file !== HISTORY)
    .flatMap((file) => printedInMarkdown(file, readFileSync(join(root, file), 'utf8')));
}

export function printedInMarkdown(file: string, text: string): Printed[] {
  const at = (index: number) => `${file}:${text.slice(0, index).split('\n').length}`;
  const blocks = [...text.matchAll(/^```\w*\n(.*?)^```$/gms)];
  const scripts = blocks.filter(([, body = '']) => PROGRAMS.test(body));
  const prose = text.replace(/^```.*?^```$/gms, (block) => block.replace(/[^\n]/g, ' '));
  return [
    ...scripts.map(({ index, 1: body = '' }) => ({ where: at(index), script: body })),
    ...[...prose.matchAll(/`([^`\n]+)`/g)].map(({ index, 1: code = '' }) => ({ where: at(index), script: code })),
  ].filter(({ script }) => PROGRAMS.test(script) && !isOnlyNamed(script));
}

/** Commands between backticks or quotes in the program's own messages. */
export function printedInSources(root: string): Printed[] {
  const sources = readSources(root).filter(({ path }) => !/^scripts\/|\.(test|slow|prop|peer|fixtures)\./.test(path));
  return sources.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, n) => {
      if (/^\s*(\*|\/\/|\/\*)/.test(line)) return [];
      const quoted = [...line.matchAll(/(?<=[`'"(; ])[`']((?:npx )?dejavm [^`'$]+)[`']/g)].map(
        ([, script = '']) => script,
      );
      return quoted.filter((script) => !isOnlyNamed(script)).map((script) => ({ where: `${path}:${n + 1}`, script }));
    }),
  );
}

/** First steps, and each verb's examples, as `--help` prints them. */
export async function printedInHelp(): Promise<Printed[]> {
  const pages = ['', ...VERBS.map(({ name }) => name)].map((verb) => [verb, '--help'].filter(Boolean));
  const printed = await Promise.all(
    pages.map(async (argv) => {
      const { out } = await cli(argv);
      const [, examples = ''] = /^(?:First steps|Examples):\n((?: {2}.*(?:\n|$))+)/m.exec(out) ?? [];
      const lines = examples.trimEnd().split('\n');
      return lines.map((line) => ({ where: `dejavm ${argv.join(' ')}`, script: line.slice(2) }));
    }),
  );
  return printed.flat();
}

/** What a command printed for its reader to type next: behind a colon, or alone behind a label of its own. */
export function printedNext(where: string, output: string): Printed[] {
  const lines = output.matchAll(/^(.*(?:: | {3,})|\s+)((?:npx )?dejavm [a-z]+(?: .*)?)$/gm);
  const byLabel = new Map<string, string>();
  for (const [, label = '', script = ''] of lines) {
    if (label.startsWith('Usage:')) continue;
    const kind = label.replace(/\d+/g, 'N');
    if (!byLabel.has(kind)) byLabel.set(kind, script);
  }
  return [...byLabel.values()].map((script) => ({ where, script }));
}

/** The script as it can be typed: without optional parts, with files in place of the words that stand for them. */
export const typed = ({ script }: Printed): string =>
  IN_PLACE_OF.reduce((text, [word, file]) => text.replace(word, file), script);

/** What commands that are the same have in common: without comments, and however dejavm is called. */
export const withoutComments = (script: string): string => {
  const lines = script.split('\n').map((line) => line.replace(/\s+#\s.*$/, '').replace(/\bnpx (?=dejavm )/g, ''));
  return lines.join('\n').trim();
};

/** A usage line (`dejavm inject [ROW]`), a row of the verbs' table, or a verb that is named without what it needs. */
function isOnlyNamed(script: string): boolean {
  const [, name, rest = ''] = /^(?:npx )?dejavm (\S+) ?(.*)$/.exec(script) ?? [];
  const verb = VERBS.find((candidate) => candidate.name === name);
  if (!verb) return false;
  const needed = verb.arguments.filter(({ optional }) => !optional).length > 0 || name === 'inject';
  const words = verb.arguments.map(({ name, optional, many }) => {
    const typed = `${name.toUpperCase()}${many ? '...' : ''}`;
    return optional ? `[${typed}]` : typed;
  });
  const usage = words.join(' ');
  return (needed && /^(-.*)?$/.test(rest) && !/--(fault|setup)/.test(rest)) || (usage !== '' && rest === usage);
}
