import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-who-wrote-'));
afterAll(() => rmSync(folder, { recursive: true }));
const trace = join(folder, 'lazarus.djvm');
const who = (...words: string[]) => cli(['who-wrote', trace, ...words]);

beforeAll(async () => {
  const { code, err } = await cli(['record', '-o', trace, '--max-moment', '1400k', '--poke', '1350k:0x87000002:07']);
  expect([code, err]).toEqual([EXIT.ok, err]);
});

describe('who-wrote', () => {
  it('finds the last write, and says where to look', async () => {
    const { code, out, err } = await who('heap_lock');
    expect([code, out]).toEqual([
      EXIT.ok,
      expect.stringMatching(/^heap_lock \(spa:0x8020_\w{4}\), \d+ bytes, was last/),
    ]);
    expect(out).toMatch(/pc +0x\w+ {2}lock_release\+0x\w+ \(lock\.c:\d+\)\ninstruction +amoswap\.w zero,zero,\(a0\)\n/);
    expect(out).toMatch(/bytes +4 bytes at spa:0x8020\w{4} \(heap_lock\.owner\): 0x[12] → 0x0$/m);
    const [, place] = /-g (\d+ns)$/m.exec(err)!;
    // Right there the lock is still held, one instruction on it is not.
    const value = async (moment: string) => (await cli(['show', trace, '-g', moment, '[heap_lock]:4'])).out;
    expect(await value(place!)).toMatch(/:4 = [12]$/m);
    expect(await value(`${Number.parseInt(place!, 10) + 1}ns`)).toMatch(/:4 = 0$/m);
  });

  it('lists all, only changes, or reads; as JSON, too', async () => {
    const list = async (...words: string[]) => JSON.parse((await who('heap_lock', '--all', '--json', ...words)).out);
    const [writes, changes, reads] = [await list(), await list('--changes'), await list('--read')];
    expect(changes.hits.length).toBeGreaterThan(10);
    expect(writes.hits.length).toBeGreaterThanOrEqual(changes.hits.length);
    expect((await who('heap_lock', '--all', '--read')).out).not.toContain('→');
    expect(reads.hits.some(({ by }: { by: string }) => by === 'load')).toBe(true);
    const last = JSON.parse((await who('heap_lock', '--json')).out);
    expect(last.hits).toEqual([writes.hits.at(-1)]);
    const { err, out } = await who('heap_lock', '--all', '--limit', '3');
    expect(err).toMatch(/only the first 3 are listed/);
    expect(out.split('\n').filter((line) => /lock_(acquire|release)/.test(line))).toHaveLength(3);
  });

  it('tells inputs from instructions, and nothing from something', async () => {
    const { out, err } = await who('spa:0x87000000', '--bytes', '4');
    expect(out).toMatch(/by +input from outside \(fault or poke\)\nbytes +1 byte at spa:0x87000002: 0x0 → 0x7\n/);
    expect(err).toMatch(/-g \d+ns-$/m);
    const earlier = await who('spa:0x87000000', '--before', '1350k-');
    expect([earlier.code, earlier.out]).toEqual([EXIT.ok, expect.stringMatching(/^nothing wrote to spa:0x8700_0000/)]);
  });

  it('does not say that there is nothing when Ctrl-C ends the search', async () => {
    // The way to the moment asked about can be interrupted first, the search after it.
    let asked = 0;
    const onInterruptible = (interrupt: () => void) => {
      if (++asked === 2) interrupt();
    };
    const { code, out, err } = await cli(['who-wrote', trace, 'spa:0x87000008'], { onInterruptible });
    expect([code, out]).toEqual([EXIT.interrupted, '']);
    expect(err).toMatch(/stopped by Ctrl-C: what was not looked at may hold others/);
  });

  it('follows guest-physical addresses: the same bytes as by their place in RAM', async () => {
    const hitsOf = async (where: string) => JSON.parse((await who(where, '--all', '--json')).out).hits;
    const walk = await cli(['show', trace, 'walk', 'vm1:0x80001000', '--json']);
    const spa = /0x8[0-9a-f]{7}(?=")/.exec(walk.out.slice(walk.out.lastIndexOf('paddr')))?.[0];
    const guest = await hitsOf('vm1:0x80001000');
    expect(guest.length).toBeGreaterThan(0);
    const accesses = guest.filter(({ kind }: { kind: string }) => kind === 'access');
    if (spa) expect(await hitsOf(`spa:${spa}`)).toEqual(expect.arrayContaining(accesses));
  });

  it.each<[words: string[], says: RegExp]>([
    [['heap_lok'], /no symbol 'heap_lok'.*did you mean heap_lock\?/],
    [['vm7:0x80001000'], /there is no VM 7 at moment 1400000: there are 1, 2/],
    [['hart1.x10'], /'hart1.x10' is no memory: expected an address/],
    [['spa:0x10000000'], /there is no RAM at 0x1000_0000/],
    [['[spa:0x8020a000:4'], /expected '\]' behind the address, got ':'/],
    [['heap_lock', '--read', '--changes'], /--changes is about writes/],
    [['heap_lock', '--before', '2M'], /2000000 is past the end: .* has moments 0 to 1400000/],
  ])('refuses %j in one line', async (words, says) => {
    const { code, out, err } = await who(...words);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(says);
    expect(err).not.toMatch(/ at .*\.ts:/);
  });
});
