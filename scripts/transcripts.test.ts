/**
 * Transcripts, and the story that docs/debugging.md tells with them: what a command asks for stands in the answers to
 * those before it. That the answers are real: docs.slow.ts.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { cli } from '../tui/cli/test-io.ts';
import { documentPath } from './docs.ts';
import { transcripts, withTranscripts } from './transcripts.ts';
import { twoVmsImage, twoVmsSource } from './two-vms.ts';

describe('a transcript', () => {
  const typed = (...lines: string[]) => ['text', '```', ...lines, '```', 'more', ''].join('\n');

  it('is a block that begins with a command; each command has what stands below it', () => {
    expect(transcripts(typed('$ a b', '  1', '', '2', '$ c', '$ d', '3'))).toEqual([
      { command: 'a b', output: '  1\n\n2' },
      { command: 'c', output: '' },
      { command: 'd', output: '3' },
    ]);
    expect(transcripts(typed('dejavm ls', '$ a'))).toEqual([]);
  });

  it('gets what its commands print now, on both streams, one after another in one folder', () => {
    const page = typed('$ echo 1 > file; cat file', 'old', '$ cat file file >&2', '', '$ true', 'old');
    const now = typed('$ echo 1 > file; cat file', '1', '$ cat file file >&2', '1', '1', '$ true');
    expect(withTranscripts(page + page)).toBe(now + now);
    expect(withTranscripts('`$ x`\n')).toBe('`$ x`\n');
  });

  it('is refused when a command fails', () => {
    expect(() => withTranscripts(typed('$ echo why; false'))).toThrow('echo why; false: exit code 1\nwhy\n');
  });
});

describe('docs/debugging.md', () => {
  const page = transcripts(readFileSync(documentPath('docs/debugging.md'), 'utf8'));
  const [recording, ...four] = page.slice(0, 6).map(({ command }) => command);

  /** What the pattern's first group is in a text. */
  const found = (pattern: RegExp, text = '') => pattern.exec(text)?.[1]?.replaceAll(/[,_]/g, '') ?? `no ${pattern}`;

  test('four commands lead from the wrong output to the store that did it', () => {
    expect(recording).toMatch(/^dejavm record .*two-vms\.elf -o wrong\.djvm$/);
    const [console, writer, walks, mapper, cause] = page.slice(1).map(({ output }) => output);
    const wrong = found(/^ *([\d,]+) {2}vm1: balance 1$/m, console);
    const written = found(/^moment +([\d,]+),/m, writer);
    expect(writer).toMatch(/^by +store, hart 1 in VS of VM 2$/m);
    const pages = [...walks!.matchAll(/level 0 {2}entry at (\S+) .* page (\S+)$/gm)];
    expect(pages).toHaveLength(2);
    expect(pages[0]![2]).toBe(pages[1]![2]);
    expect(mapper).toMatch(/^pc +0x\w+ {2}map_page\+0x8$/m);
    const mapped = found(/^moment +([\d,]+),/m, mapper);
    expect(cause).toMatch(/^pc +0x\w+ {2}all_mapped$/m);
    expect(four).toEqual([
      'dejavm console wrong.djvm --vm 1',
      `dejavm who-wrote wrong.djvm vm1:0x80002ff0 --before ${wrong}`,
      `dejavm show wrong.djvm -g ${written} walk vm1:0x80002ff0 walk vm2:0x80000ff0`,
      `dejavm who-wrote wrong.djvm spa:${pages[1]![1]!.replace('_', '')}`,
      `dejavm who-wrote wrong.djvm next_frame --before ${mapped}`,
    ]);
  });

  test('that store is the only mistake', async () => {
    const mistake = /( {4}beqz t6, all_mapped\n)( {4}li .*\n {4}add .*\n)/;
    const folder = mkdtempSync(join(tmpdir(), 'dejavm-two-vms-'));
    const image = join(folder, 'mended.elf');
    writeFileSync(image, twoVmsImage(twoVmsSource().replace(mistake, '$2$1')));
    const { out } = await cli(['record', '-kernel', image, '-o', join(folder, 'mended.djvm')]);
    rmSync(folder, { recursive: true });
    const balances = Array.from({ length: 8 }, (_, n) => `vm1: balance ${1010 + 10 * n}`);
    expect(out.match(/^vm1: .*$/gm)).toEqual(balances);
  });

  test('no answer is a mistake', () => {
    expect(page.length).toBeGreaterThan(10);
    for (const { command, output } of page) expect(output, command).toMatch(/\d/);
  });
});
