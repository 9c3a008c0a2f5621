import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-when-'));
afterAll(() => rmSync(folder, { recursive: true }));
const trace = join(folder, 'lazarus.djvm');
const when = (...words: string[]) => cli(['when', trace, ...words]);
const json = async (...words: string[]) => JSON.parse((await when(...words, '--json')).out);

beforeAll(async () => {
  const { code, err } = await cli(['record', '-o', trace, '--max-moment', '1300k', '--poke', '1250k:0x87000000:07']);
  expect([code, err]).toEqual([EXIT.ok, err]);
});

describe('when', () => {
  it('finds executions: the first, the last, how many, and all of them', async () => {
    const list = await json('hart0.pc == heap_alloc', '--list');
    expect(list).toMatchObject({ check: 'execution', wanted: 'list', more: false });
    expect(list.hits.length).toBeGreaterThan(3);
    expect(new Set(list.hits.map(({ symbol }: { symbol: string }) => symbol))).toEqual(new Set(['heap_alloc']));
    expect((await json('hart0.pc == heap_alloc')).hits).toEqual(list.hits.slice(0, 1));
    expect((await json('hart0.pc == heap_alloc', '--last')).hits).toEqual(list.hits.slice(-1));
    expect((await when('hart0.pc == heap_alloc', '--count')).out).toBe(`${list.hits.length}\n`);
    const short = await when('hart0.pc == heap_alloc', '--list', '--limit', '2');
    expect(short.err).toMatch(/only the first 2 are listed/);
    // The moments language counts the same executions.
    const third = await cli(['replay', trace, '-g', 'heap_alloc#3', '--json']);
    expect(JSON.parse(third.out).ticks).toBe(list.hits[2].ticks);
  });

  it('says how it looks before it does, and where to look then', async () => {
    const { out, err } = await when('[spa:0x87000000]:1 == 7');
    expect(err).toMatch(/^dejavm: looks when the memory that it reads is written \(watchpoints\)\n/);
    expect(err).toMatch(/dejavm show \S+ -g \d+ns$/m);
    expect(out).toMatch(/^\[spa:0x87000000\]:1 == 7 holds first at\n\nmoment 1,250,000, /);
    const all = await when('hart0.sp == 0', '--every', 'instruction', '--to', '20k');
    expect(all.err).toMatch(/before each of up to 20,000 instructions/);
    const registers = await when('hart0.sp == 0 && hart0.mode == HS');
    expect(registers.err).toMatch(/hart0\.x2 can change in between: --every instruction looks there, too/);
  });

  it.each([
    ['moment > 1_000_000', 'moment'],
    ['[spa:0x87000000]:1 == 7 && ticks > 5', 'ticks'],
    ['hart0.mip != 0', 'hart0.mip'],
    ['hart0.mstatus != 1', 'hart0.mstatus'],
    ['hart1.fflags == 3', 'hart1.fflags'],
    ['hart0.waiting == 1', 'hart0.waiting'],
    ['[va:0x80200000]:4 == 1', 'whose instruction is next'],
  ])('says of %s what it may miss', async (text, what) => {
    const { code, err } = await when(text, '--to', '100k');
    expect([code, err]).toEqual([EXIT.ok, expect.stringContaining(`; ${what} can change in between`)]);
  });

  it('finds what time alone makes true', async () => {
    const words = ['moment > 5000', '--to', '10k', '--every', 'instruction'];
    expect((await json(...words)).hits).toMatchObject([{ moment: 5001 }]);
    expect((await json('hart0.scause == 9 || hart0.satp == 5', '--to', '9k')).check).toBe('events');
    expect((await when('hart0.scause == 9', '--to', '9k')).err).not.toMatch(/in between/);
  });

  it('answers with nothing found in plain words, and keeps to its stretch', async () => {
    expect(await when('[spa:0x87000000]:1 == 9')).toMatchObject({
      code: EXIT.ok,
      out: expect.stringMatching(/no moment/),
    });
    expect((await json('[spa:0x87000000]:1 == 7', '--from', '100k', '--to', '200k')).hits).toEqual([]);
    const standing = (await json('[spa:0x87000000]:1 == 7', '--from', '1260k')).hits;
    expect(standing).toMatchObject([{ moment: 1_260_000 }]);
  });

  it('bisects one run for what stays true', async () => {
    const bisected = await cli(['bisect', trace, '--when', '[spa:0x87000000]:1 == 7', '--json']);
    expect(JSON.parse(bisected.out)).toMatchObject({ outcome: 'found', moment: 1_250_000 });
    const never = await cli(['bisect', trace, '--when', '[spa:0x87000000]:1 == 8']);
    expect(never.out).toMatch(/does not hold at the end/);
    const always = await cli(['bisect', trace, '--when', '[spa:0x87000000]:1 < 9']);
    expect(always.out).toMatch(/holds from the beginning on/);
  });

  it.each<[words: string[], says: RegExp]>([
    [['hart0.modex == VS'], /no register 'modex' \(did you mean mode\?\)\n {2}hart0\.modex == VS\n {2}\^/],
    [['hart0.pc = 5'], /'=' means nothing here: '==' compares/],
    [['hart7.pc == 5'], /hart 7/],
    [['hart0.pc == heap_aloc'], /did you mean heap_alloc\?/],
    [['hart0.pc == 5', '--first', '--last'], /--first and --last: say one of them/],
    [['hart0.pc == 5', '--every', 'sometimes'], /no event named 'sometimes'|event 'sometimes'/],
    [['hart0.pc == 5', '--from', '9M'], /past the end/],
  ])('refuses %j in one line', async (words, says) => {
    const { code, out, err } = await when(...words);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(says);
  });

  it('refuses to bisect what is neither two traces nor a condition', async () => {
    for (const words of [[trace], [trace, trace, '--when', '1 == 1']]) {
      expect(await cli(['bisect', ...words])).toMatchObject({
        code: EXIT.usage,
        err: expect.stringMatching(/two traces/),
      });
    }
  });
});
