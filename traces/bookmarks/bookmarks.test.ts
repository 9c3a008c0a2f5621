import { execFile } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc } from '@fast-check/vitest';
import { afterAll, expect, it } from 'vitest';
import { addBookmark, deleteBookmark, readBookmarks } from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-bookmarks-'));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;
const traceHere = (id = 'aaaa', path = join(folder, `${count++}.djvm`)) => ({
  path,
  header: { id },
  last: { moment: 1000, ticks: 2000 },
});
const fileOf = (trace: { readonly path: string }) => `${trace.path}.bookmarks`;
const at = (moment: number, text: string) => ({ moment, ticks: 2 * moment, here: 'applied' as const, text });
const texts = (trace: ReturnType<typeof traceHere>) => readBookmarks(trace).bookmarks.map(({ id, text }) => [id, text]);

it('keeps what is added, in order of the run, under numbers that stay; the file is its owner alone', () => {
  const trace = traceHere();
  expect(readBookmarks(trace)).toEqual({ bookmarks: [], unreadable: 0, isCut: false });
  expect(addBookmark(trace, at(700, 'here it hangs'))).toMatchObject({ id: 1, moment: 700, isOfThisRun: true });
  addBookmark(trace, at(300, 'two\nlines'));
  addBookmark(trace, { ...at(300, 'before the fault'), here: 'pending' });
  expect(texts(trace)).toEqual([
    [2, 'two\nlines'],
    [3, 'before the fault'],
    [1, 'here it hangs'],
  ]);
  expect(deleteBookmark(trace, 2)).toMatchObject({ text: 'two\nlines' });
  expect(deleteBookmark(trace, 2)).toBeUndefined();
  expect(deleteBookmark(trace, 9)).toBeUndefined();
  expect(addBookmark(trace, at(1, 'later')).id).toBe(4);
  expect(texts(trace).map(([id]) => id)).toEqual([4, 3, 1]);
  expect(statSync(fileOf(trace)).mode & 0o777).toBe(0o600);
});

it('says which were made at another recording of that name', () => {
  const trace = traceHere();
  addBookmark(trace, at(5, 'old'));
  const replaced = traceHere('bbbb', trace.path);
  addBookmark(replaced, at(6, 'new'));
  expect(readBookmarks(replaced).bookmarks.map((one) => one.isOfThisRun)).toEqual([false, true]);
});

it('loses nothing when several processes add and delete at once', async () => {
  const trace = traceHere();
  const door = new URL('./index.ts', import.meta.url).href;
  const script = `
    const { addBookmark, deleteBookmark } = await import(${JSON.stringify(door)});
    const trace = ${JSON.stringify(trace)};
    for (let n = 0; n < 25; n++) {
      const { id } = addBookmark(trace, { moment: n, ticks: n, here: 'applied', text: process.argv[1] + ' ' + n });
      if (n % 5 === 0) deleteBookmark(trace, id);
    }`;
  const writers = ['a', 'b', 'c'];
  await Promise.all(
    writers.map(
      (name) =>
        new Promise<void>((resolve, reject) =>
          execFile(process.execPath, ['--input-type=module', '-e', script, name], (error) =>
            error ? reject(error) : resolve(),
          ),
        ),
    ),
  );
  const { bookmarks, unreadable } = readBookmarks(trace);
  const expected = writers.flatMap((name) => Array.from({ length: 25 }, (_, n) => `${name} ${n}`));
  const left = expected.filter((_, n) => (n % 25) % 5 !== 0);
  expect([bookmarks.map(({ text }) => text).sort(), unreadable]).toEqual([left.sort(), 0]);
});

it('loses no more than the unfinished line of a writer that was killed, or whose disk was full', () => {
  const whole = traceHere();
  for (const n of [1, 2, 3]) addBookmark(whole, at(n, `finding ${n} ü`));
  const bytes = readFileSync(fileOf(whole));
  const ends = [...bytes.keys()].filter((n) => bytes[n] === 0x0a);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: bytes.length }), (cut) => {
      const trace = traceHere();
      writeFileSync(fileOf(trace), bytes.subarray(0, cut));
      const before = ends.filter((end) => end <= cut).length;
      expect(readBookmarks(trace).bookmarks.length).toBe(before);
      addBookmark(trace, at(9, 'afterwards'));
      expect(texts(trace).map(([, text]) => text)).toEqual([
        ...[1, 2, 3].slice(0, before).map((n) => `finding ${n} ü`),
        'afterwards',
      ]);
    }),
    { numRuns: 40 },
  );
});

it('takes a file for what it is: lines that are none are counted, and all is bounded', () => {
  const trace = traceHere();
  addBookmark(trace, at(1, 'mine'));
  const good = readFileSync(fileOf(trace), 'utf8').trim();
  const bad = [
    'null',
    '[]',
    '{"deleted":7}',
    '{"deleted":"../../etc"}',
    good.replace('"moment":1', '"moment":-1'),
    good.replace('"moment":1', '"moment":1e99'),
    good.replace('"applied"', '"elsewhere"'),
    good.replace('"mine"', '{"toString":1}'),
    good.replace('"mine"', JSON.stringify('x'.repeat(5000))),
    `${'['.repeat(20_000)}`,
    'x'.repeat(100_000),
    '\0\xff\x1b[2J',
  ];
  appendFileSync(fileOf(trace), `${bad.join('\n')}\n\n${good}\n`);
  expect(readBookmarks(trace)).toMatchObject({ unreadable: bad.length, isCut: false });
  expect(texts(trace)).toEqual([[1, 'mine']]);
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      const other = traceHere();
      writeFileSync(fileOf(other), bytes);
      expect(readBookmarks(other).bookmarks).toEqual([]);
    }),
  );
  const long = traceHere();
  writeFileSync(fileOf(long), `${good}\n`.repeat(Math.ceil((5 << 20) / good.length)));
  expect(readBookmarks(long)).toMatchObject({ isCut: true });
  expect(texts(long)).toEqual([[1, 'mine']]);
  expect(() => addBookmark(long, at(1, 'one more'))).toThrow(/has no room for another bookmark/);
  expect(() => addBookmark(trace, at(1, ''))).toThrow(RangeError);
  expect(() => addBookmark(trace, at(1, 'ü'.repeat(2049)))).toThrow('a bookmark of 4098 bytes: expected 1 to 4096');
});

it('follows no link, and reads and writes nothing but files', () => {
  const [linked, folded] = [traceHere(), traceHere()];
  const target = join(folder, 'target');
  writeFileSync(target, 'precious\n');
  symlinkSync(target, fileOf(linked));
  mkdirSync(fileOf(folded));
  expect(() => readBookmarks(linked)).toThrow(/bookmarks cannot be read: it is a symbolic link$/);
  expect(() => addBookmark(linked, at(1, 'x'))).toThrow(/no bookmark can be written: it is a symbolic link$/);
  expect(readFileSync(target, 'utf8')).toBe('precious\n');
  expect(() => readBookmarks(folded)).toThrow(/bookmarks cannot be read: it is no regular file$/);
  expect(() => addBookmark(folded, at(1, 'x'))).toThrow(/no bookmark can be written: /);
  expect(() => addBookmark(traceHere('a', '/nowhere/x.djvm'), at(1, 'x'))).toThrow(/no such file or directory$/);
});
