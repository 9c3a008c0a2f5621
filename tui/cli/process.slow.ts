/**
 * The program as a process: signals, closed pipes, exit statuses. Run from the sources, so no build is needed; what
 * the verbs print is tested in commands/.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { EXIT } from '../base/exit-codes.ts';
import { packageFile } from '../base/package-root.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-process-'));
afterAll(() => rmSync(folder, { recursive: true }));

const start = (...argv: string[]): ChildProcess =>
  spawn(process.execPath, [packageFile('tui/main.ts'), ...argv], { env: { ...process.env, XDG_DATA_HOME: folder } });

/** Exit status and everything on standard error. */
function ended(child: ChildProcess): Promise<{ code: number | null; err: string }> {
  let err = '';
  child.stderr!.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, err })));
}

const LONG = ['-append', 'steps=100000', '--max-moment', '20G'];

test.each(['SIGINT', 'SIGTERM'] as const)(
  '%s ends a recording in good order, and the trace replays',
  async (signal) => {
    const path = join(folder, `${signal}.djvm`);
    const child = start('record', '-o', path, ...LONG);
    const end = ended(child);
    child.stdout!.once('data', () => child.kill(signal));
    const { code, err } = await end;
    expect(code).toBe(EXIT.interrupted);
    expect(err).toContain(`dejavm replay ${path}`);
    const verify = await ended(start('verify', path));
    expect(verify).toEqual({ code: EXIT.ok, err: '' });
  },
);

test('a reader that goes away is no error: the recording goes on', async () => {
  const path = join(folder, 'pipe.djvm');
  const child = start('record', '-o', path);
  const end = ended(child);
  child.stdout!.once('data', () => child.stdout!.destroy());
  const { code, err } = await end;
  expect(code).toBe(EXIT.ok);
  expect(err).toContain('the machine halted: pass');
  expect(err).not.toContain('EPIPE');
});

test('exit statuses reach the shell', async () => {
  expect((await ended(start('frobnicate'))).code).toBe(EXIT.usage);
  expect((await ended(start('info', packageFile('package.json')))).code).toBe(EXIT.damaged);
});

test('recorders that start together get a name each, and with one name only one of them records', async () => {
  const startBoth = (...argv: string[]) => [1, 2].map(() => ended(start('record', '--max-moment', '200k', ...argv)));
  const unnamed = await Promise.all(startBoth());
  expect(unnamed.map(({ code }) => code)).toEqual([EXIT.ok, EXIT.ok]);
  const paths = unnamed.map(({ err }) => /dejavm replay (\S+\.djvm)/.exec(err)![1]!);
  expect(new Set(paths).size).toBe(2);
  const named = await Promise.all(startBoth('-o', join(folder, 'one.djvm')));
  for (const { code, err } of named) {
    if (code !== EXIT.ok) expect(err).toMatch(/^dejavm: \S+one\.djvm: is being written by process \d+; wait until/);
  }
  expect(named.map(({ code }) => code)).toContain(EXIT.ok);
  for (const path of [...paths, join(folder, 'one.djvm')]) {
    expect(await ended(start('verify', path))).toEqual({ code: EXIT.ok, err: '' });
  }
});
