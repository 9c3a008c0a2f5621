/**
 * Every verb that takes a campaign's database refuses a file that is none in one line, with the exit code for damaged
 * files.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-database-'));
afterAll(() => rmSync(folder, { recursive: true }));

const made = (name: string, make: (path: string) => void): string => {
  const path = join(folder, name);
  make(path);
  return path;
};
const FILES: readonly (readonly [string, string])[] = [
  ['text', made('notes.txt', (path) => writeFileSync(path, 'long enough to look like something. '.repeat(99)))],
  ['a folder', made('folder.sqlite', (path) => mkdirSync(path))],
  ['a FIFO', made('fifo.sqlite', (path) => execFileSync('mkfifo', [path]))],
  ['a log without its database', made('gone.sqlite', (path) => writeFileSync(`${path}-wal`, 'rows'))],
];
const VERBS: readonly (readonly [string, (path: string) => string[]])[] = [
  ['report', (path) => ['report', path]],
  ['report --json', (path) => ['report', path, '--json']],
  ['inject', (path) => ['inject', `${path}#1`]],
  ['campaign', (path) => ['campaign', 'smoke', '-o', path]],
];

describe.each(FILES)('%s', (_what, path) => {
  test.each(VERBS)('%s', async (_verb, argv) => {
    const { code, out, err } = await cli(argv(path));
    expect([code, out]).toEqual([EXIT.damaged, '']);
    expect(err).toMatch(/^dejavm: .+\n$/);
    expect(err).toContain(path);
  });
});

test('an empty file is none to be read', async () => {
  const path = made('empty.sqlite', (path) => writeFileSync(path, ''));
  expect(await cli(['report', path])).toEqual({
    code: EXIT.damaged,
    out: '',
    err: `dejavm: ${path}: is empty; expected a campaign's database\n`,
  });
});
