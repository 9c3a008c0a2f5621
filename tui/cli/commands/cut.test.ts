/** `dejavm cut`: what people see, what is left behind, and what is refused. What cuts mean: replay/cut. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assemble } from '../../../engine/index.ts';
import { openTrace } from '../../../traces/index.ts';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-cut-'));
const env = { XDG_DATA_HOME: folder };
process.env.XDG_DATA_HOME = folder;
afterAll(() => rmSync(folder, { recursive: true }));
const inFolder = (name: string) => join(folder, name);
const whole = inFolder('whole.djvm');

beforeAll(async () => {
  writeFileSync(inFolder('spin.bin'), assemble('again: addi a0, a0, 1\n j again', 0x8000_0000).bytes);
  const machine = ['-bios', inFolder('spin.bin'), '-m', '2', '-smp', '1', '--max-moment', '5M', '--digest-every', '1M'];
  const poke = ['--poke', '2M:0x80001000:5a'];
  const { code, err } = await cli(['record', ...machine, ...poke, '-o', whole], { env });
  expect(code, err).toBe(EXIT.ok);
});

const cut = (...argv: string[]) => cli(['cut', whole, ...argv], { env });

test('says what is cut, and keeps bookmarks and moments', async () => {
  await cli(['note', whole, '-g', '1.5M', 'look here'], { env });
  const path = inFolder('part.djvm');
  const { code, out, err } = await cut('--from', '1M', '--to', '3M', '-o', path);
  expect([code, out]).toEqual([
    EXIT.ok,
    expect.stringMatching(
      /^moments 1,000,000 to 3,000,000 of .*whole\.djvm and 1 bookmark are in .*part\.djvm: .* of /,
    ),
  ]);
  // Of a run in which nothing happens, digests are all that can be left out.
  expect(err).toBe(
    'dejavm: it is no smaller: the state that it begins with takes more than what was left out\n' +
      `dejavm: replay it with: dejavm replay ${path}\n`,
  );
  const { header } = openTrace(whole);
  const info = (await cli(['info', path], { env })).out;
  expect(info).toMatch(/^length +2,000,000 instructions, 2\.000 ms of virtual time$/m);
  expect(info).toMatch(
    new RegExp(`^cut +of run ${header.id}, moments 1,000,000 to 3,000,000, from 1\\.000 ms on$`, 'm'),
  );
  expect((await cli(['bookmarks', path], { env })).out).toMatch(/1,500,000 +look here$/m);
  expect(await cli(['replay', path], { env })).toMatchObject({ code: EXIT.ok, out: expect.stringMatching(/agrees/) });
  expect((await cli(['console', path, '--json'], { env })).code).toBe(EXIT.ok);
  const screen = async (script: string) =>
    (await cli(['tui', path, '--frame', '--script', script], { env })).out.split('\n').slice(0, 2).join('\n');
  expect(await screen('')).toMatch(/^moment 1,000,000 of 3,000,000 .*\nmoment +V·+3,000,000/);
  expect(await screen('goto 2M; goto')).toMatch(/^moment 1,000,000 of/);
  expect(await screen('goto end')).toMatch(/^moment 3,000,000 of .*\nmoment +1,000,000·+V/);
  const early = await cli(['replay', path, '-g', '999999'], { env });
  expect([early.code, early.err]).toEqual([EXIT.usage, expect.stringMatching(/before the start: .* it is a cut/)]);
  const wrote = async (before: string) =>
    (await cli(['who-wrote', path, 'spa:0x80001000', '--before', before], { env })).out;
  expect(await wrote('1.9M')).toMatch(new RegExp(`as this trace begins with it, .*recording ${header.id}\n$`));
  expect(await wrote('2.1M')).toMatch(/^by +input from outside/m);
});

test('without -o it is a new file in the trace folder; without --to it goes to the end', async () => {
  const { code, out } = await cut('--from', '4M', '--json');
  expect(code).toBe(EXIT.ok);
  const { path, from, to } = JSON.parse(out) as { path: string; from: { moment: number }; to: { moment: number } };
  expect(path).toBe(join(folder, 'dejavm', 'cut.djvm'));
  expect([from.moment, to.moment]).toEqual([4_000_000, 5_000_000]);
  expect(openTrace(path).end).toEqual(openTrace(whole).end);
});

test('Ctrl-C on the way leaves nothing', async () => {
  const path = inFolder('stopped.djvm');
  const before = readdirSync(folder).sort();
  const { code, err } = await cli(['cut', whole, '--from', '0', '-o', path], {
    env,
    onInterruptible: (interrupt) => setImmediate(interrupt),
  });
  expect([code, err]).toEqual([EXIT.interrupted, 'dejavm: stopped by Ctrl-C: nothing was cut\n']);
  expect(readdirSync(folder).sort()).toEqual(before);
});

test('is refused in one line', async () => {
  mkdirSync(inFolder('sub'));
  writeFileSync(inFolder('mine.txt'), 'mine');
  const refusals: readonly (readonly [readonly string[], RegExp])[] = [
    [[], /expected where to cut: --from, --to or both/],
    [['--from', '3M', '--to', '3M'], /nothing to cut: --from is moment 3000000, --to is moment 3000000/],
    [['--from', '3M', '--to', '2M'], /expected one behind it/],
    [['--to', '6M'], /past the end: .* has moments 0 to 5000000/],
    [['--from', 'detected'], /there is no 'detected'/],
    [['--to', '2M', '-o', whole], /is the trace that is to be cut/],
    [['--to', '2M', '-o', inFolder('sub')], /is a folder/],
    [['--to', '2M', '-o', inFolder('mine.txt')], /exists and is not a trace/],
    [['--to', '2M', '-o', inFolder('none/x.djvm')], /folder|no such/],
  ];
  for (const [argv, why] of refusals) {
    const { code, out, err } = await cut(...argv);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(why);
    expect(err.trim().split('\n')).toHaveLength(1);
  }
});

test('onto a full disk: one line, and nothing is left of it', async () => {
  const { code, out, err } = await cut('--to', '2M', '-o', '/dev/full');
  expect([code, out]).toEqual([EXIT.usage, '']);
  expect(err).toMatch(/^dejavm: \/dev\/full: no space left on device; .*\n$/);
});
