import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { UserError } from '../engine/index.ts';
import { defaultTracePaths, traceFolder } from './store.ts';
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
  const manifest = fileURLToPath(new URL('../package.json', import.meta.url));
  expect(TOOL_VERSION).toBe((JSON.parse(readFileSync(manifest, 'utf8')) as { version: string }).version);
});
