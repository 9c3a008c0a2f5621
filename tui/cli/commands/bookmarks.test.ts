import { appendFileSync, copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DUMPED_KINDS } from '../../../traces/index.ts';
import { EXIT } from '../../base/exit-codes.ts';
import { EVIL } from '../every-verb.fixtures.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-notes-'));
const trace = join(folder, 'run.djvm');
const env = { XDG_DATA_HOME: folder };
const ok = async (...argv: string[]) => {
  const { code, out, err } = await cli(argv, { env });
  expect([err, code]).toEqual(['', EXIT.ok]);
  return out;
};
const refused = async (...argv: string[]) => {
  const { code, err } = await cli(argv, { env });
  expect(code).toBe(EXIT.usage);
  return err;
};
beforeAll(async () => {
  const length = ['--max-moment', '60k', '--digest-every', '20k', '--checkpoint-every', '30k'];
  await cli(['record', '-o', trace, ...length, '--poke', '50k:0x80700000:5a'], { env });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('note and bookmarks', () => {
  it('keep findings at moments of a run, list them in its order, and take them away', async () => {
    expect(await ok('bookmarks', trace)).toBe('no bookmarks\n');
    expect(await ok('note', trace, '-g', '50k', 'the poke\nis seen')).toBe('bookmark 1 at moment 50,000\n');
    expect(await ok('note', trace, '-g', 'input-', 'before it')).toBe('bookmark 2 at moment 50,000\n');
    expect(await ok('note', trace, '-g', 'start', `evil ${EVIL}`)).toBe('bookmark 3 at moment 0\n');
    const listed = await ok('bookmarks', trace);
    expect(listed.split('\n').map((line) => line.trim().split(/ {2,}/))).toMatchObject([
      ['moment', 'note'],
      ['3', '0', expect.stringMatching(/^evil .*X/)],
      ['1', '50,000', 'the poke / is seen'],
      ['2', '50,000-', 'before it'],
      [''],
    ]);
    for (const control of ['\x1b', '\u202e', '\x9b']) expect(listed).not.toContain(control);
    expect(await ok('bookmarks', trace, '--delete', '3')).toMatch(/^deleted bookmark 3: evil/);
    const json = JSON.parse(await ok('bookmarks', trace, '--json')) as { bookmarks: { id: number; text: string }[] };
    expect(json.bookmarks).toMatchObject([
      { id: 1, text: 'the poke\nis seen', here: 'applied', isOfThisRun: true },
      { id: 2, here: 'pending' },
    ]);
  });

  it('travel with the trace, and say what cannot be read', async () => {
    const copy = join(folder, 'copy.djvm');
    copyFileSync(trace, copy);
    copyFileSync(`${trace}.bookmarks`, `${copy}.bookmarks`);
    appendFileSync(`${copy}.bookmarks`, '{"key":');
    const { out, err } = await cli(['bookmarks', copy], { env });
    expect(out).toContain('before it');
    expect(err).toBe('dejavm: warning: 1 line beside the bookmarks cannot be read\n');
  });

  it('refuse in one line', async () => {
    expect(await refused('note', trace, 'x')).toMatch(
      /^dejavm: expected -g and a moment, such as -g 8M or -g detected\n$/,
    );
    expect(await refused('note', trace, '-g', '1k', ' ')).toMatch(
      /^dejavm: expected a text to note, got an empty one\n$/,
    );
    expect(await refused('note', trace, '-g', '70k', 'x')).toMatch(
      /70000 is past the end: .* has moments 0 to 60000\n$/,
    );
    expect(await refused('note', trace, '-g', '1k', 'x'.repeat(4097))).toMatch(
      /a bookmark of 4097 bytes: expected 1 to/,
    );
    expect(await refused('bookmarks', trace, '--delete', '9')).toMatch(/has no bookmark 9: there are 1, 2\n$/);
  });
});

describe('dump', () => {
  it('prints every record in order of the run, the same each time, and parts of it as parts', async () => {
    const whole = await ok('dump', trace);
    expect(await ok('dump', trace)).toBe(whole);
    const lines = whole.trimEnd().split('\n');
    expect(lines.filter((line) => !line.startsWith('console'))).toEqual([
      expect.stringMatching(/^header formatMajor=1 .* machine=\{"harts":2,.* commandLine=\[/),
      expect.stringMatching(/^checkpoints moment=0 ticks=0 digest=0x[0-9a-f]+$/),
      expect.stringMatching(/^digests moment=20000 ticks=\d+ digest=0x/),
      expect.stringMatching(/^notes moment=28226 ticks=\d+ hart=0 code=4097 arg=2$/),
      expect.stringMatching(/^checkpoints moment=30000 /),
      expect.stringMatching(/^digests moment=40000 /),
      expect.stringMatching(/^inputs moment=50000 ticks=\d+ kind="poke" data=\{.*"bytes":"5a"/),
      expect.stringMatching(/^digests moment=60000 /),
      expect.stringMatching(/^checkpoints moment=60000 /),
      expect.stringMatching(/^end moment=60000 .* reason="moment"$/),
    ]);
    const part = await ok('dump', trace, '--from', '28226', '--to', 'input', '--kind', 'notes,inputs,digests');
    expect(part.trimEnd().split('\n')).toEqual(
      lines.filter((line) => /^(notes|inputs|digests) moment=(28226|40000|50000) /.test(line)),
    );
    const json = (await ok('dump', trace, '--json')).trimEnd().split('\n');
    expect(json.map((line) => (JSON.parse(line) as { record: string }).record)).toEqual(
      lines.map((line) => line.split(' ')[0]),
    );
  });

  it('names the kinds that there are for one that there is not', async () => {
    expect(await refused('dump', trace, '--kind', 'digest')).toMatch(/'digest' \(did you mean digests\?\)/);
    expect(DUMPED_KINDS).toContain('digests');
  });
});
