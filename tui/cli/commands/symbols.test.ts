/** `--symbols` of the verbs that ask a trace. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { packageFile } from '../../base/index.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-symbols-'));
afterAll(() => rmSync(folder, { recursive: true }));
const trace = join(folder, 'lazarus.djvm');
const image = (name: string) => packageFile(`engine/subject/images/${name}`);

beforeAll(async () => {
  const { code, err } = await cli(['record', '-o', trace, '--max-moment', '1400k']);
  expect([code, err]).toEqual([EXIT.ok, err]);
});

describe('--symbols', () => {
  it('names places of software that was relocated, in expressions and beside addresses', async () => {
    const moved = ['--symbols', `${image('lazarus.debug')}@0x86000000`];
    const show = async (...words: string[]) => (await cli(['show', trace, '-g', 'end', ...words])).out;
    const [own] = /spa:0x8020_\w+/.exec(await show('mem', 'heap_lock'))!;
    expect(await show('mem', 'symbols:heap_lock', ...moved)).toContain(own.replace('spa:0x8020', 'spa:0x8600'));
    const both = await cli(['show', trace, '-g', 'end', 'mem', 'heap_lock', ...moved]);
    expect([both.code, both.err]).toEqual([
      EXIT.usage,
      expect.stringContaining('say hypervisor:heap_lock or symbols:heap_lock'),
    ]);
    const { out } = await cli(['who-wrote', trace, 'symbols:heap_lock', ...moved]);
    expect(out).toContain('is as the machine started with it');
  });

  it('names what a VM runs, and not what others run', async () => {
    const log = async (...words: string[]) =>
      (await cli(['log', trace, '--kind', 'exit', '--limit', '200', ...words])).out.split('\n');
    const [usual, named] = [await log(), await log('--symbols', `${image('guest-idle.debug')}@vm2:0x80000100`)];
    const of = (lines: string[], vm: number) => lines.filter((line) => line.includes(` vm${vm} `));
    expect(of(usual, 1).length).toBeGreaterThan(0);
    expect(of(usual, 2).length).toBeGreaterThan(0);
    expect(of(named, 1)).toEqual(of(usual, 1));
    expect(of(named, 2)).not.toEqual(of(usual, 2));
  });

  it('is not needed for guests of a bundle: what a VM runs is told by its memory', async () => {
    // Of today's images: debug information belongs to one build.
    const bundled = join(folder, 'bundled.djvm');
    const machine = ['-smp', '4', '-m', '128M', '-initrd', image('guests.bundle')];
    const options = ['-append', 'vms=unixbench,netbench', '--max-moment', '2500k'];
    expect((await cli(['record', '-o', bundled, ...machine, ...options])).code).toBe(EXIT.ok);
    const show = (...words: string[]) => cli(['show', bundled, ...words]);
    const { out } = await show(
      '-g',
      '2500k',
      'dis',
      'vm1:guest_main',
      'dis',
      'vm2:guest_main',
      'dis',
      'vm3:guest_main',
    );
    const first = [...out.matchAll(/^> .*guest_main \((\w+\.c):\d+\)$/gm)].map(([, file]) => file);
    expect(first).toEqual(['main.c', 'unixbench.c', 'netbench.c']);
    const log = await cli(['log', bundled, '--vm', '3', '--kind', 'exit', '--limit', '1']);
    expect(log.out).toMatch(/ vm3 .* pc 0x8\w+ \w+\+0x\w+ \(\w+\.[cS]:\d+\)$/m);
    // There is no VM yet that could run it.
    const early = await show('-g', '100k', 'dis', 'vm2:guest_main');
    expect([early.code, early.err]).toEqual([EXIT.usage, expect.stringContaining("there is no symbol 'guest_main'")]);
  });

  it('tells once what is damaged', async () => {
    const bytes = readFileSync(image('lazarus.debug'));
    const at = bytes.indexOf('\x78\x9c', 0x1000, 'latin1');
    bytes.fill(0xff, at + 2, at + 200);
    const path = join(folder, 'damaged.debug');
    writeFileSync(path, bytes);
    const { code, out, err } = await cli(['when', trace, 'hart0.pc == heap_alloc', '--list', '--symbols', path]);
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(/heap_alloc$/m);
    expect(err.match(/warning: .*/g)).toEqual([
      expect.stringMatching(/^warning: debug information of lazarus: \.debug_line\w* does not decompress to/),
    ]);
  });

  it('refuses files in words', async () => {
    const elf = readFileSync(image('lazarus.elf'));
    elf.writeUInt16LE(0, 60);
    const write = (name: string, content: Uint8Array | string) => {
      writeFileSync(join(folder, name), content);
      return join(folder, name);
    };
    for (const [value, why] of [
      [join(folder, 'nothing.elf'), /--symbols .*nothing\.elf: no such file/],
      [folder, /--symbols .*: is a folder; expected a file/],
      [write('text.elf', 'hello'), /'text\.elf' is not an ELF file: expected a 64-bit RISC-V executable/],
      [write('stripped.elf', elf), /'stripped\.elf' is stripped: it has neither symbols nor debug information/],
      [`${image('lazarus.elf')}@80200000`, /expected FILE, FILE@0x80200000, FILE@vm1 or .*, got '.*@80200000'/],
    ] as const) {
      const { code, out, err } = await cli(['who-wrote', trace, 'heap_lock', '--symbols', value]);
      expect([code, out, err]).toEqual([EXIT.usage, '', expect.stringMatching(why)]);
      expect(err.trim().split('\n').length).toBeLessThan(4);
    }
  });
});
