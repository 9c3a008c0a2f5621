import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { type CliSurroundings, cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-why-'));
afterAll(() => rmSync(folder, { recursive: true }));
const [golden, failed, poked] = ['golden', 'failed', 'poked'].map((name) => join(folder, `${name}.djvm`)) as [
  string,
  string,
  string,
];
const LENGTH = ['--max-moment', '900k', '--digest-every', '100k', '--checkpoint-every', '300k'];
const WORD = '[spa:0x80700000]:8';
const against = (...words: string[]) => cli(['why', failed, ...words, '--against', golden]);
const alone = (...words: string[]) => cli(['why', poked, ...words]);

beforeAll(async () => {
  for (const [path, ...inputs] of [
    [golden],
    [failed, '--fault', 'register=pc,bit=20,hart=0@700k'],
    [poked, '--poke', '700k:0x80700000:5a'],
  ] as const) {
    const { code, err } = await cli(['record', '-o', path, ...LENGTH, ...inputs]);
    expect([code, err]).toEqual([EXIT.ok, err]);
  }
});

describe('why, next to a golden run', () => {
  it('says of an instruction that did not happen what began it, and how to look there', async () => {
    const { code, out, err } = await against('--not', '800k');
    expect([code, err]).toEqual([
      EXIT.ok,
      expect.stringMatching(/^dejavm: right before it: dejavm show \S+ -g \d+ns-$/m),
    ]);
    expect(out).toMatch(/^what the golden run does at moment 800,000 on hart \d does not happen\n/);
    expect(out).toMatch(
      /^It began with bit 20 of pc on hart 0 \(0x\w+ became 0x\w+\) at moment 700,000, [\d,]+ instructions before the end of the run: nothing wrote it; the recording has a fault there\.$/m,
    );
    // That moment is where the command leads.
    const [, place] = /-g (\d+ns-)/.exec(err)!;
    expect(JSON.parse((await cli(['show', failed, '-g', place!, '--json'])).out)).toMatchObject({ moment: 700_000 });
  });

  it('says of a value which moment of the golden run it was compared with', async () => {
    const asked = ['why', poked, WORD, '--against', golden];
    const { cause, compared, steps, more, ...rest } = JSON.parse((await cli([...asked, '--json'])).out);
    expect(compared).toMatchObject({ value: '0x5a', golden: '0x0', isExact: true, goldenAt: { moment: 900_000 } });
    expect(cause).toMatchObject({ kind: 'memory', position: { moment: 700_000 }, inputs: ['poke'], after: '0x5a' });
    expect([steps, more, rest.instructions]).toEqual([[], 0, 200_000]);
    const { out } = await cli(asked);
    expect(out).toContain('in the golden run 0x0, at the matching moment 900,000\n');
    expect(out).toContain(`${rest.sentence}\n`);
  });

  it('names the lock that a hart waits for', async () => {
    const locks = JSON.parse((await cli(['show', golden, '-g', '700k', 'locks', '--json'])).out).locks.locks;
    const heap = locks.find(({ name }: { name: string }) => name === 'heap').paddr;
    const [free, stuck] = ['free', 'stuck'].map((name) => join(folder, `${name}.djvm`)) as [string, string];
    const length = ['--max-moment', '1600k', '--checkpoint-every', '400k'];
    await cli(['record', '-o', free, ...length]);
    await cli(['record', '-o', stuck, ...length, '--fault', `memory=0x${heap.toString(16)},bit=1@1500k`]);
    const { out } = await cli(['why', stuck, 'hart0.pc', '--against', free]);
    expect(out).toMatch(/went on elsewhere by a\d = 0x2, golden 0x0 \(lock heap, held by hart 1\)$/m);
    expect(out).toMatch(
      /^It began with bit 1 of \[0x\w+\]:1, lazarus heap_lock, \(0x0 became 0x2\) at moment 1,500,000/m,
    );
  });

  it.each<[words: string[], says: RegExp]>([
    [[], /expected WHERE, such as .*, or --not EVENT/],
    [['hart0.a0', '--not', '8k'], /one of the two/],
    [['output', '--at', '8k'], /an event has its own moment/],
    [['enter:vm1'], /ask why it is missing with --not/],
    [['output:vmx'], /expected a VM such as output:vm1, or output:host/],
    [['--not', 'enter:vm99999'], /expected a VM such as enter:vm1, got/],
    [['--not', '600k'], /this run does it, too, on hart \d at moment 600000: nothing is missing/],
    [['--not', '9M'], /past the end/],
    [['--not', '8m?'], /expected a moment .*; or an event: output:vm1, enter:vm1/],
    [['--not', '"no such line"'], /the golden run \S+ prints no line with "no such line"/],
    [['--not', 'enter:vm7'], /no entry is missing/],
    [['output:vm9'], /VM 9's console lines are those of the golden run/],
    [['hart0.a0', '--at', '9M'], /past the end/],
    [['hart0.a0', '--at', '600k'], /'hart0.x10' is the same in the golden run/],
    [['hart9.a0'], /there is no such hart/],
    [['vm1.state'], /no place that an instruction writes/],
    [['heap_lok'], /did you mean heap_lock\?/],
    [['hart0.a0', '--depth', '0'], /1 to 100000/],
  ])('refuses %j in one line, and shows the place in longer words', async (words, says) => {
    const { code, out, err } = await against(...words);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(says);
    expect(err.trimEnd().split('\n').length).toBeLessThan(4);
  });

  it('refuses a golden run that is none', async () => {
    const missing = await cli(['why', failed, 'hart0.a0', '--against', join(folder, 'nix.djvm')]);
    expect(missing.err).toMatch(/no such file/);
    const other = join(folder, 'other.djvm');
    await cli(['record', '-o', other, '--smp', '1', '--max-moment', '10k']);
    const { code, err } = await cli(['why', failed, 'hart0.a0', '--against', other]);
    expect([code, err]).toEqual([
      EXIT.usage,
      expect.stringMatching(/is no golden run of .*: harts is 1 there and 2 here/),
    ]);
  });

  it('says what was asked when Ctrl-C ends the search, and that nothing was found', async () => {
    // The way to the moment can be interrupted first, the search after it.
    const { code, out, err } = await cli(['why', poked, WORD, '--against', golden], interruptedAt(2));
    expect([code, out]).toEqual([EXIT.interrupted, `${WORD} at moment 900,000\n`]);
    expect(err).toMatch(/stopped by Ctrl-C: where it began was not found/);
  });
});

describe('why, of one run', () => {
  it('tells all that a value was computed from', async () => {
    const { code, out } = await alone(WORD);
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(/^\[0x80700000\]:8 = 0x5a, byte 0 +700,000 .*input 0 of the recording \(poke\)$/m);
    expect(out).toMatch(/It began with .*an input from outside/);
    const { sources, value } = JSON.parse((await alone(WORD, '--json')).out);
    expect(value).toBe('0x5a');
    expect(sources[0]).toMatchObject({ depth: 0, kind: 'input', from: 0, bytes: 1, position: { moment: 700_000 } });
  });

  it('goes as deep as --depth says', async () => {
    const depths = async (depth: string): Promise<number[]> =>
      JSON.parse((await alone('hart0.sp', '--depth', depth, '--json')).out).sources.map(
        (source: { depth: number }) => source.depth,
      );
    expect(Math.max(...(await depths('1')))).toBe(1);
    expect(Math.max(...(await depths('4')))).toBeGreaterThan(1);
  });

  it.each<[words: string[], says: RegExp]>([
    [['output'], /expected --against GOLDEN/],
    [['--not', '8k'], /expected --against GOLDEN/],
    [['cpus'], /'cpus' has \d+ bytes: say which 8 of them/],
    [['hart0.pc'], /is where a hart is, and has no operands/],
    [['hart0.time'], /counts by itself/],
    [['spa:0x10'], /no RAM/],
    [['spa:0x80700000', '--at', '700k-'], /inputs belong to that position/],
  ])('refuses %j in one line', async (words, says) => {
    const { code, out, err } = await alone(...words);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(says);
  });

  it('can be stopped', async () => {
    const { code, out } = await cli(['why', poked, WORD], interruptedAt(2));
    expect([code, out]).toEqual([EXIT.interrupted, '']);
  });
});

/** Plays Ctrl-C as soon as a search for the n-th time can be interrupted. */
function interruptedAt(n: number): CliSurroundings {
  let asked = 0;
  return { onInterruptible: (interrupt) => void (++asked === n && interrupt()) };
}
