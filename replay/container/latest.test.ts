import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { UserError } from '../../engine/index.ts';
import { findLatest, resolveTrace, setLatest } from './latest.ts';
import { namedTracePath, traceFolder } from './store.ts';

const base = mkdtempSync(join(tmpdir(), 'dejavm-latest-'));
const [one, two] = [join(base, 'one'), join(base, 'two')];
/** The working folder of whoever asks. */
let cwd = one;
vi.spyOn(process, 'cwd').mockImplementation(() => cwd);
afterAll(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  rmSync(base, { recursive: true });
});
beforeEach(() => {
  for (const folder of [join(base, 'dejavm'), one, two]) rmSync(folder, { recursive: true, force: true });
  for (const folder of [one, two]) mkdirSync(folder);
  vi.stubEnv('XDG_DATA_HOME', base);
  cwd = one;
});

const trace = (name: string) => {
  const path = namedTracePath(name);
  writeFileSync(path, '');
  return path;
};

describe('latest', () => {
  it('is the last one recorded in the working folder, whatever was recorded elsewhere since', () => {
    const [a, b] = [trace('a'), trace('b')];
    setLatest(a);
    cwd = two;
    setLatest(b);
    expect(findLatest()).toEqual({ path: b, here: true });
    cwd = one;
    expect(findLatest()).toEqual({ path: a, here: true });
    expect(resolveTrace('latest')).toBe(a);
  });

  it('is the last one of all where nothing was recorded', () => {
    expect(findLatest()).toBeUndefined();
    const a = trace('a');
    setLatest(a);
    cwd = two;
    expect(findLatest()).toEqual({ path: a, here: false });
    expect(resolveTrace('latest')).toBe(a);
  });

  it('is an absolute path, also of a name with blanks and line breaks at its ends', () => {
    setLatest('x\n ');
    expect(findLatest()).toEqual({ path: join(process.cwd(), 'x\n '), here: true });
  });

  it('says what to do when there is none, or it is gone', () => {
    expect(() => resolveTrace('latest')).toThrow(/no trace was recorded yet.*`dejavm demo`/);
    setLatest(join(base, 'gone.djvm'));
    expect(() => resolveTrace('latest')).toThrow(
      /the latest trace of this folder, .*gone\.djvm, is gone; give a trace/,
    );
    cwd = two;
    expect(() => resolveTrace('latest')).toThrow(/the latest trace, .*gone\.djvm, is gone/);
  });

  it('leaves nothing behind but the pointers', () => {
    for (let n = 0; n < 3; n++) setLatest(trace('a'));
    expect(readdirSync(traceFolder()).sort()).toEqual(['a.djvm', 'latest', 'latest-in']);
    expect(readdirSync(join(traceFolder(), 'latest-in'))).toHaveLength(1);
  });

  it('is forgotten of the folders where nothing was recorded for longest, beyond a thousand', () => {
    setLatest(trace('a'));
    const pointers = join(traceFolder(), 'latest-in');
    const [own] = readdirSync(pointers);
    for (let n = 0; n < 1001; n++) {
      writeFileSync(join(pointers, `folder-${n}`), 'x\n');
      utimesSync(join(pointers, `folder-${n}`), n, n);
    }
    setLatest(trace('b'));
    expect(readdirSync(pointers)).toHaveLength(1000);
    expect([own!, 'folder-2', 'folder-1', 'folder-0'].map((name) => existsSync(join(pointers, name)))).toEqual([
      true,
      true,
      false,
      false,
    ]);
  });

  it('of a folder that was removed is the last one of all', () => {
    const a = trace('a');
    vi.mocked(process.cwd).mockImplementationOnce(() => {
      throw new Error('ENOENT: uv_cwd');
    });
    setLatest(a);
    cwd = two;
    expect(findLatest()).toEqual({ path: a, here: false });
  });

  it('cannot be remembered where nothing can be written', () => {
    writeFileSync(join(base, 'file'), '');
    vi.stubEnv('XDG_DATA_HOME', join(base, 'file'));
    expect(() => setLatest('/x')).toThrow(UserError);
    expect(() => setLatest('/x')).toThrow(/^cannot remember \/x as latest: .*; set XDG_DATA_HOME/);
  });
});

describe('a word for a trace', () => {
  it('is a path, or a name in the trace folder', () => {
    const path = namedTracePath('run');
    writeFileSync(path, '');
    expect(resolveTrace('run')).toBe(path);
    expect(resolveTrace('run.djvm')).toBe(path);
    expect(resolveTrace(path)).toBe(path);
    expect(resolveTrace('none.djvm')).toBe('none.djvm');
    expect(resolveTrace('./run')).toBe('./run');
  });
});
