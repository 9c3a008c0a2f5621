import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-calls-'));
afterAll(() => rmSync(folder, { recursive: true }));
const trace = join(folder, 'lazarus.djvm');
const calls = (...words: string[]) => cli(['calls', trace, ...words]);
const json = async (...words: string[]) => JSON.parse((await calls(...words, '--json')).out);

beforeAll(async () => {
  const { code, err } = await cli(['record', '-o', trace, '--max-moment', '1300k']);
  expect([code, err]).toEqual([EXIT.ok, err]);
});

describe('calls', () => {
  it('lists those that `when` finds at the same place, each with its end', async () => {
    const { calls: list, more } = await json('heap_alloc', '--returns');
    const found = await cli(['when', trace, 'hart0.pc == heap_alloc || hart1.pc == heap_alloc', '--list', '--json']);
    const { hits } = JSON.parse(found.out);
    expect(more).toBe(false);
    expect(list.map(({ ticks }: { ticks: number }) => ticks)).toEqual(
      hits.map(({ ticks }: { ticks: number }) => ticks),
    );
    expect(list.length).toBeGreaterThan(3);
    for (const one of list) {
      expect(one).toMatchObject({ by: 'call', mode: 'HS', symbol: 'heap_alloc', end: { kind: 'returned' } });
      // As its debug information says; with --args as many as are asked for.
      expect([one.names, one.arguments.length]).toEqual([expect.arrayContaining(['bytes']), one.names.length]);
      expect(one.caller).toMatch(/^\w+\+0x[0-9a-f]+$/);
      // A pointer into RAM: a0 of what it returns is where the blocks are.
      expect(Number(one.end.results[0])).toBeGreaterThan(0x8020_0000);
    }
  });

  it('tells VMs that run the same image apart, and those of one', async () => {
    const both = await json('guest:guest_main', '--returns');
    expect(
      both.calls.map(({ vmid, mode, end }: { vmid: number; mode: string; end: object }) => [vmid, mode, end]),
    ).toEqual([
      [2, 'VS', { kind: 'open' }],
      [1, 'VS', { kind: 'open' }],
    ]);
    expect((await json('vm1:guest_main')).calls).toMatchObject([{ vmid: 1 }]);
    expect((await json('guest:guest_main', '--hart', '1')).calls).toMatchObject([{ hart: 1 }]);
    expect((await json('guest:guest_main', '--from', '1224100')).calls).toMatchObject([{ vmid: 1 }]);
  });

  it('prints them for people, and says what is left out', async () => {
    const { code, out, err } = await calls('heap_alloc', '--returns', '--args', '1', '--limit', '1');
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(
      /heap_alloc\(\w+=0x[0-9a-f]+\) {2}0x80[0-9a-f]+, 0x[0-9a-f]+ at [\d,]+, [\d,]+ instructions later/,
    );
    expect(err).toMatch(/only the first 1 are listed.*\n.*dejavm show \S+ -g \d+ns$/m);
    expect((await json('heap_alloc', '--args', '3', '--limit', '1')).calls[0].arguments).toHaveLength(3);
    expect((await json('vm_exit', '--limit', '1')).calls[0].arguments).toHaveLength(8);
    expect((await calls('heap_alloc', '--to', '100k')).out).toBe('0 calls\n');
    expect((await calls('vm_run', '--returns', '--to', '1250k')).out).toMatch(/not up to the end/);
    expect((await calls('vm_exit', '--returns', '--to', '1250k')).out).toMatch(
      /not known: ra .*entered without a call/,
    );
  });

  it.each<[words: string[], says: RegExp]>([
    [['heap_aloc'], /did you mean heap_alloc\?/],
    [['lazarus:guest_main'], /there is no symbol 'guest_main' in lazarus/],
    [['heap_alloc', '--hart', '2'], /there is no hart 2: this machine has harts 0 to 1/],
    [['heap_alloc hart=7'], /hart 7/],
    [['heap_alloc mode=XS'], /'XS'/],
    [['heap_alloc', '--from', '9M'], /past the end/],
    [['0x80200000'], /could be an address of several kinds/],
    [['spa:0x10'], /there is no RAM at 0x10/],
    [['heap_alloc+1'], /even/],
    [['heap_alloc', '--args', '9'], /0 to 8/],
    [['vm1:guest_man'], /did you mean guest_main\?/],
  ])('refuses %j in one line', async (words, says) => {
    const { code, out, err } = await calls(...words);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(says);
  });
});
