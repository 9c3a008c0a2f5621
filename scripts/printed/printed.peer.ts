/**
 * Every printed command that calls dejavm is typed, in a user's project: it does what it is for, and so does what it
 * says to type next. Large campaigns and operating systems are begun, and cut short (stand-in.ts). What starts tests
 * and builds is run by .ci/run itself. Needs Debian's packages of other people's software, and `script`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { shellLine } from '../../engine/index.ts';
import { userProject } from '../../properties/user-project.fixtures.ts';
import { EXIT } from '../../tui/base/exit-codes.ts';
import { callsOf } from './calls.ts';
import {
  type Printed,
  printedInDocuments,
  printedInHelp,
  printedInSources,
  printedNext,
  typed,
  withoutComments,
} from './collect.ts';
import { givenFiles, MADE_FIRST } from './given.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const callsDejavm = (each: Printed) => callsOf(typed(each)).some(([program]) => program === 'dejavm');

const all = [
  ...MADE_FIRST.map((script) => ({ where: 'made first', script })),
  ...(await printedInHelp()),
  ...printedInSources(root),
  // Documents last: one of them moves traces away, `latest` among them.
  ...printedInDocuments(root),
];
const same = (each: Printed) => withoutComments(typed(each));
const first = [...Map.groupBy(all, same).values()].map(([each]) => each!);
const scripts = first.filter((each) => each.where === 'made first' || callsDejavm(each));

/** Verbs whose job is to find a difference or a failure, and to say so by their exit code. */
const FINDERS = ['record', 'inject', 'diff', 'bisect', 'verify'];

const project = userProject();
const calls = project.path('calls.jsonl');
const failures = project.path('failures');
beforeAll(() => givenFiles(project, calls));
afterAll(() => project.remove());

interface Call {
  readonly argv: readonly string[];
  readonly code: number;
  readonly interrupted: boolean;
}

const endedWell = ({ argv, code, interrupted }: Call): boolean =>
  code === EXIT.ok ||
  (code === EXIT.difference && FINDERS.includes(argv[0]!)) ||
  (interrupted && code === EXIT.interrupted);

/** As a zsh of no user's settings reads the line behind what its comment says it stands behind. */
const zshLine = (line: string) => shellLine(['zsh', '-fec', `autoload -U compinit; compinit -D -u; ${line}`]);

/** Types a script; fails unless each call of dejavm ended as it may and every other command ended well. */
function type(script: string): string {
  writeFileSync(calls, '');
  writeFileSync(failures, '');
  const shell = /completion zsh/.test(script) ? zshLine(script) : script;
  const { out, err } = project.run(`trap 'echo "$BASH_COMMAND" >> failures' ERR\n${shell}`);
  const output = `${out}\n${err}`;
  const ended = readFileSync(calls, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Call);
  expect(
    ended.filter((call) => !endedWell(call)),
    output,
  ).toEqual([]);
  // Those of dejavm are judged above.
  const others = readFileSync(failures, 'utf8')
    .split('\n')
    .filter((line) => line && !/^(npx )?dejavm /.test(line));
  expect(others, output).toEqual([]);
  return output;
}

const next: Printed[] = [];
describe('typed as printed', () => {
  it.each(scripts.map((each) => [each.where, typed(each)] as const))('%s: %s', (where, script) => {
    next.push(...printedNext(where, type(script)));
    if (where !== 'made first') expect(readFileSync(calls, 'utf8')).not.toBe('');
  });
});

it('what they say to type next can be typed', () => {
  const seen = new Set(scripts.map(same));
  const verbs = new Set<string>();
  for (const each of next) {
    const script = same(each);
    if (seen.has(script)) continue;
    seen.add(script);
    verbs.add(callsOf(script)[0]![1]!);
    type(script);
  }
  // They are found at all.
  expect([...verbs].sort()).toEqual(expect.arrayContaining(['inject', 'replay', 'report']));
});
