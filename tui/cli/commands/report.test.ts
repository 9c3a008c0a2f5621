/** What `dejavm report` refuses, and what it leaves alone. */
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-report-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const other = join(folder, 'notes.txt');
writeFileSync(other, 'not a database at all, but long enough to look like something'.repeat(20));

describe('dejavm report refuses', () => {
  it.each([
    ['a file that is not there', [join(folder, 'none.sqlite')], /none\.sqlite: no such file; `dejavm campaign` writes/],
    ['two formats for one output', [other, '--json', '--csv'], /give one of --json, --csv: both go to standard output/],
    ['to write over the results', [other, '--html', other], /is the results database itself: give another file/],
    ['to guess', [], /missing required argument 'results'/],
  ])('%s', async (_what, args, why) => {
    const { code, out, err } = await cli(['report', ...args]);
    expect(code).toBe(EXIT.usage);
    expect(err).toMatch(why);
    expect(err).not.toMatch(/\n.*at /);
    expect(out).toBe('');
  });

  it('and writes no report then', async () => {
    const before = readFileSync(other);
    const target = join(folder, 'out.html');
    await cli(['report', other, '--html', target]);
    expect(existsSync(target)).toBe(false);
    expect(readFileSync(other).equals(before)).toBe(true);
  });
});
