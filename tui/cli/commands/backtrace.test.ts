import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import type { JsonShapes } from '../json/shapes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-backtrace-'));
afterAll(() => rmSync(folder, { recursive: true }));
const trace = join(folder, 'lazarus.djvm');
const backtrace = (...words: string[]) => cli(['backtrace', trace, ...words]);
type Printed = JsonShapes['backtrace'];
const json = async (...words: string[]): Promise<Printed> => JSON.parse((await backtrace(...words, '--json')).out);
const names = ({ frames }: Printed['parts'][number]) => frames.map(({ symbol }) => symbol?.replace(/\+.*/, ''));

beforeAll(async () => {
  const words = ['--max-moment', '2500k', '--fault', 'failstop@2.4M+3'];
  const { code, err } = await cli(['record', '-o', trace, ...words]);
  expect([code, err]).toEqual([EXIT.ok, err]);
});

describe('backtrace', () => {
  it('shows who called a function, with source lines', async () => {
    const { parts, end } = await json('-g', 'heap_alloc#3');
    expect([parts.length, end]).toEqual([1, 'whole']);
    expect(names(parts[0]!)).toEqual([
      'heap_alloc',
      'gstage_create',
      'domain_new',
      'guest_build',
      'build_domains',
      'boot_main',
      'boot_entry',
    ]);
    expect(parts[0]!.ended).toBe('outermost');
    for (const { source, sure } of parts[0]!.frames)
      expect([source, sure]).toEqual([expect.stringMatching(/:\d+$/), true]);
  });

  it('goes on behind an exit with the stack of the guest, as it was there', async () => {
    const found = await json('-g', 'vm_run#3');
    const [hypervisor, guest] = found.parts;
    expect(names(hypervisor!).slice(0, 2)).toEqual(['vm_run', 'sched_loop']);
    expect(hypervisor).toMatchObject({ mode: 'HS', ended: 'outermost' });
    expect(guest).toMatchObject({
      mode: 'VS',
      vmid: expect.any(Number),
      vcpu: 0,
      trap: { cause: 10, interrupt: false, name: 'environment call from VS-mode', pc: guest!.frames[0]!.pc },
      ended: 'outermost',
    });
    expect(names(guest!).slice(-3)).toEqual(['guest_main', 'guest_start', '_start']);
    // Looked at there, it is the guest's own stack.
    const there = await json('-g', `${guest!.ticks}ns`, '--hart', `${found.hart}`);
    expect(there.parts[0]!.frames).toEqual(guest!.frames);
    expect(found.parts).toHaveLength(2);
  });

  it('leads from firmware through the hypervisor that failed into the guest', async () => {
    const { parts } = await json('-g', 'detected', '--hart', '1');
    expect(parts.map(({ mode }) => mode)).toEqual(['M', 'HS', 'VS']);
    expect(names(parts[0]!)).toEqual(['recovery_run', 'trap_entry']);
    expect(parts[0]!.ended).toBe('handler');
    // The fault has put its pc where no code is.
    expect(parts[1]).toMatchObject({
      trap: { name: 'instruction access fault' },
      ended: 'lost',
      frames: [{ pc: '0x0' }],
    });
    const { out } = await backtrace('-g', 'detected', '--hart', '1');
    expect(out).toMatch(/^hart 1 at moment 2,4\d\d,\d{3}, /);
    expect(out).toMatch(/\n--- trap from HS: instruction access fault, at moment 2,4[\d,]+, [\d.]+ ms ---\n#2 {2}0x0/);
    expect(out).toMatch(/\n {4}no further: no symbol or debug information says/);
    expect(out).toMatch(/\n--- trap from VS of VM \d vCPU 0: .*---\n#3 .*\bguest_main\S* \(compute\.c:\d+\)/s);
  });

  it('begins anew where firmware has begun a hypervisor anew', async () => {
    const { parts, end, anew } = await json('-g', 'recovery_main');
    expect(names(parts[0]!)).toEqual(['recovery_main', 'recovery_entry']);
    expect([parts.length, end]).toEqual([1, 'anew']);
    expect(anew).toMatchObject({ from: 'M' });
    expect((await backtrace('-g', 'recovery_main')).out).toMatch(
      /\n--- begun anew by M-mode, at moment 2,4[\d,]+ ---$/m,
    );
  });

  it('has as many frames as are asked for', async () => {
    const { parts, end } = await json('-g', 'vm_run#3', '--depth', '1');
    expect([parts.length, parts[0]!.frames.length, end]).toEqual([1, 1, 'depth']);
    expect((await backtrace('-g', 'vm_run#3', '--depth', '2')).out).toMatch(/more than 2 frames/);
    expect((await backtrace('-g', 'vm_run#3', '--depth', '5')).out).toMatch(/#4 /);
  });

  it.each<[words: string[], code: number, says: RegExp]>([
    [['-g', '99M'], EXIT.usage, /past the end/],
    [['-g', '1M', '--hart', '2'], EXIT.usage, /there is no hart 2: this machine has harts 0 to 1/],
    [['-g', 'heap_aloc#1'], EXIT.usage, /did you mean heap_alloc\?/],
    [['--depth', '0'], EXIT.usage, /1 to 10000/],
    [['--hart', 'x'], EXIT.usage, /--hart/],
  ])('refuses %j in one line', async (words, code, says) => {
    const printed = await backtrace(...words);
    expect([printed.code, printed.out]).toEqual([code, '']);
    expect(printed.err).toMatch(says);
  });
});
