import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { UserError } from '../../engine/index.ts';
import { setLatest } from './latest.ts';
import { defaultTracePaths, namedTracePath, traceFolder } from './store.ts';
import { TOOL_VERSION } from './version.ts';

const base = mkdtempSync(join(tmpdir(), 'dejavm-store-'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(base, { recursive: true });
});
beforeEach(() => {
  rmSync(join(base, 'dejavm'), { recursive: true, force: true });
  vi.stubEnv('XDG_DATA_HOME', base);
});

describe('the trace folder', () => {
  it('follows XDG_DATA_HOME, unless that is relative', () => {
    expect(traceFolder()).toBe(join(base, 'dejavm'));
    vi.stubEnv('XDG_DATA_HOME', 'relative');
    expect(traceFolder()).toBe(join(homedir(), '.local/share/dejavm'));
    vi.stubEnv('XDG_DATA_HOME', '');
    expect(traceFolder()).toBe(join(homedir(), '.local/share/dejavm'));
  });

  it('is in the home folder of the user database when HOME is empty or relative', () => {
    vi.stubEnv('XDG_DATA_HOME', '');
    for (const home of ['', 'relative', undefined]) {
      vi.stubEnv('HOME', home);
      expect(traceFolder()).toBe(join(userInfo().homedir, '.local/share/dejavm'));
    }
    vi.stubEnv('HOME', base);
    expect(traceFolder()).toBe(join(base, '.local/share/dejavm'));
  });

  it('is for its owner alone, whoever makes it', () => {
    const before = process.umask(0);
    try {
      for (const make of [() => namedTracePath('run'), () => setLatest('run.djvm')]) {
        rmSync(join(base, 'dejavm'), { recursive: true, force: true });
        make();
        expect(statSync(join(base, 'dejavm')).mode & 0o777).toBe(0o700);
      }
    } finally {
      process.umask(before);
    }
  });

  it('gives names to try, without end', () => {
    const names = defaultTracePaths('run');
    expect([names.next().value, names.next().value]).toEqual(
      ['dejavm/run.djvm', 'dejavm/run-2.djvm'].map((name) => join(base, name)),
    );
  });

  it('that cannot be created is the user’s to mend', () => {
    writeFileSync(join(base, 'file'), '');
    vi.stubEnv('XDG_DATA_HOME', join(base, 'file'));
    expect(() => defaultTracePaths('run').next()).toThrow(UserError);
    expect(() => defaultTracePaths('run').next()).toThrow(/give -o FILE or set XDG_DATA_HOME$/);
  });
});

it('traces name the version of this package', () => {
  const manifest = fileURLToPath(new URL('../../package.json', import.meta.url));
  expect(TOOL_VERSION).toBe((JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version);
});
