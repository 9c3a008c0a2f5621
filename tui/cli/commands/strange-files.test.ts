/** What stands where traces are expected and is none: no verb waits for it, and a listing goes on past it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { packageFile } from '../../base/package-root.ts';
import { cli } from '../test-io.ts';

const data = mkdtempSync(join(tmpdir(), 'dejavm-strange-'));
const folder = join(data, 'dejavm');
const inFolder = (name: string) => join(folder, name);
const socket = createServer();

/** Name in the trace folder → what is said of it. */
const STRANGE = {
  'fifo.djvm': 'is not a regular file; give a .djvm file',
  'socket.djvm': 'is not a regular file; give a .djvm file',
  'folder.djvm': 'is not a regular file; give a .djvm file',
  'zero.djvm': 'is not a regular file; give a .djvm file',
  'loop.djvm': 'cannot be read: too many symbolic links encountered',
  'dangling.djvm': 'no such file; `dejavm record -o FILE` makes a trace',
  'text.djvm': 'not a dejavm trace (wrong first bytes); give a .djvm file',
} as const;

/**
 * Processes that wait for somebody to open their FIFO, and say so each time: whoever does is not kept waiting by it.
 */
const waiting: { readonly child: ChildProcess; readonly opened: Promise<string> }[] = [];
function fifo(path: string): void {
  execFileSync('mkfifo', [path]);
  const child = spawn('sh', ['-c', 'trap "" PIPE; while [ -p "$0" ]; do echo >"$0"; echo opened; done', path], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let said = '';
  child.stdout!.on('data', (chunk) => {
    said += chunk;
  });
  waiting.push({ child, opened: new Promise((resolve) => child.on('close', () => resolve(said))) });
}

beforeAll(async () => {
  vi.stubEnv('XDG_DATA_HOME', data);
  mkdirSync(folder);
  copyFileSync(packageFile('traces/corpus/format-1.0.djvm'), inFolder('good.djvm'));
  await new Promise<void>((listening) => socket.listen(inFolder('socket.djvm'), listening));
  mkdirSync(inFolder('folder.djvm'));
  symlinkSync('/dev/zero', inFolder('zero.djvm'));
  symlinkSync('loop.djvm', inFolder('loop.djvm'));
  symlinkSync('nothing', inFolder('dangling.djvm'));
  writeFileSync(inFolder('text.djvm'), 'long enough to look like something');
  fifo(inFolder('fifo.djvm'));
  fifo(inFolder('latest'));
});
afterAll(async () => {
  vi.unstubAllEnvs();
  for (const { child } of waiting) child.kill();
  await new Promise((closed) => socket.close(closed));
  rmSync(data, { recursive: true });
});
test('ls lists them with the reason, next to the traces', async () => {
  const { code, out } = await cli(['ls', '--json']);
  expect(code).toBe(EXIT.ok);
  const { traces } = JSON.parse(out) as { traces: { path: string; problem?: string; moments?: number }[] };
  const said = Object.fromEntries(traces.map(({ path, problem }) => [path, problem]));
  const expected = Object.entries(STRANGE).map(([name, why]) => [
    name === 'zero.djvm' ? '/dev/zero' : inFolder(name),
    why,
  ]);
  expect(said).toEqual({ ...Object.fromEntries(expected), [inFolder('good.djvm')]: undefined });
  expect(traces.find(({ path }) => path === inFolder('good.djvm'))?.moments).toBeGreaterThan(0);
  expect((await cli(['ls'])).code).toBe(EXIT.ok);
});

describe.each(Object.entries(STRANGE))('%s', (name, why) => {
  const good = inFolder('good.djvm');
  test.each([
    ['info', [inFolder(name)]],
    ['verify', [inFolder(name)]],
    ['replay', [inFolder(name)]],
    ['rerun', [inFolder(name), '-o', inFolder('new.djvm')]],
    ['diff', [good, inFolder(name)]],
    ['tui', [inFolder(name), '--frame']],
  ])('is refused by %s in one line', async (verb, args) => {
    const { code, out, err } = await cli([verb, ...args]);
    expect([code, out]).toEqual([name === 'dangling.djvm' ? EXIT.usage : EXIT.damaged, '']);
    expect(err).toBe(`dejavm: ${inFolder(name)}: ${why}\n`);
  });
});

test('a FIFO in place of the pointer to the latest trace is no latest trace', async () => {
  expect(await cli(['info', 'latest'])).toMatchObject({ code: EXIT.usage });
});

test('nothing of it was opened', async () => {
  for (const { child } of waiting) child.kill();
  expect(await Promise.all(waiting.map(({ opened }) => opened))).toEqual(['', '']);
});
