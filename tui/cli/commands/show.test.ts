import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-show-'));
afterAll(() => rmSync(folder, { recursive: true }));
const [trace, endless] = ['lazarus.djvm', 'endless.djvm'].map((name) => join(folder, name)) as [string, string];
const show = (...words: string[]) => cli(['show', trace, ...words]);
const json = async (...words: string[]) => JSON.parse((await show('--json', ...words)).out);

beforeAll(async () => {
  // A jump to itself.
  const flat = join(folder, 'endless.bin');
  writeFileSync(flat, Uint8Array.of(0x6f, 0, 0, 0));
  for (const words of [
    ['-o', trace, '--max-moment', '1400k', '--poke', '1350k:0x87000000:07'],
    ['-o', endless, '--max-moment', '1k', '--bios', flat],
  ]) {
    const { code, err } = await cli(['record', ...words]);
    expect([code, err]).toEqual([EXIT.ok, err]);
  }
});

describe('show', () => {
  it('shows registers and VMs at the end, unless it is told otherwise', async () => {
    const { code, out } = await show();
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(/^moment 1,400,000, /);
    expect(out.match(/^hart \d: /gm)).toEqual(['hart 0: ', 'hart 1: ']);
    expect(out).toMatch(/^VM 1 {2}vm1 {2}running {2}hart \d {2}pc 0x8000/m);
  });

  it('has the same as JSON', async () => {
    const shown = await json('-g', 'hypercall#3', 'regs,csr,vms,where,locks,sched', '--hart', '1');
    const name = expect.stringMatching(/^vm[12]$/);
    expect(shown).toMatchObject({
      inputs: 'applied',
      registers: [
        { hart: 1, registers: { pc: expect.any(String), sp: expect.any(String), scause: expect.any(String) } },
      ],
      vms: {
        source: 'layout',
        problems: [],
        vms: [
          { vmid: 1, name: 'vm1' },
          { vmid: 2, name: 'vm2' },
        ],
      },
      locks: { problems: [], locks: expect.arrayContaining([{ name: 'heap', paddr: expect.any(Number) }]) },
      sched: {
        problems: [],
        harts: [{ current: { name, state: 'running' } }, { current: { name, state: 'running' } }],
      },
    });
    expect(shown.registers).toHaveLength(1);
    expect(shown.where.harts.find(({ next }: { next: boolean }) => next).symbol).toBe('hypercall');
  });

  it('shows memory, through whatever leads there', async () => {
    const { places } = await json('mem', 'vm1:counter', 'mem', 'heap_lock', '--bytes', '32');
    const [counter, lock] = places;
    expect(counter).toMatchObject({ kind: 'mem', symbol: 'counter', address: expect.stringMatching(/^vm1:0x8000_/) });
    expect(Buffer.from(lock.data, 'hex').toString('latin1')).toContain('heap\0');
    expect([counter.variable, lock.variable]).toEqual(['counter', expect.stringMatching(/^heap_lock\.\w+$/)]);
    expect((await show('mem', 'heap_lock')).out).toMatch(/, lazarus heap_lock, heap_lock\.\w+:$/m);
    const physical = counter.ranges[0].paddr;
    const again = await json('mem', `[spa:${physical}]:8`);
    expect(counter.data.slice(0, 16)).toBe(again.places[0].data);
    const { out } = await show('mem', 'spa:0x87fffff0', '--bytes', '48');
    expect(out).toMatch(
      / {2}87fffff0 {2}(00 ){8} (00 ){7}00 {2}\|\.{16}\|\n! there is no RAM at 0x8800_0000: it lies at /,
    );
  });

  it('sees an input from both sides', async () => {
    expect((await show('-g', 'input-', '[spa:0x87000000]:1')).out).toMatch(/before its inputs\n\n.* = 0\n$/);
    expect((await show('-g', 'input', '[spa:0x87000000]:1')).out).toMatch(/ = 7\n$/);
  });

  it('shows code around a place, and both stages of a translation', async () => {
    const { out } = await show('dis', 'hypercall', 'walk', 'vm1:0x80001000', 'walk vm1:0x40000000');
    expect(out).toMatch(/^> {2}0x802\w+ {2}\w+ +addi sp,sp,-\d+ +hypercall \(hypercall\.c:\d+\)$/m);
    expect(out).toMatch(/G-stage {2}level 0 .* VRWXU-AD page (0x\w+)\n {2}leads to spa \1; PMP entry \d allows it$/m);
    expect(out).toContain('\n\nvm1:0x8000_1000, translated for a load:\n');
    expect(out).toContain('a load takes a guest-page fault at guest-physical 0x4000_0000');
  });

  it('says the value of expressions', async () => {
    const { out } = await show(
      '-g',
      'hypercall#3',
      'vm1.state == running && moment > 1000',
      'vm1.state',
      'ticks >> 60',
    );
    expect(out.split('\n\n').slice(1)).toEqual([
      'vm1.state == running && moment > 1000 = 1',
      'vm1.state = running',
      'ticks >> 60 = 0\n',
    ]);
  });

  it('says plainly what a hypervisor does not publish', async () => {
    const { out } = await cli(['show', endless, 'vms,locks,sched']);
    expect(out).toContain('no hart has a VM\n! the hypervisor image has no symbols');
    expect(out).toContain('! the hypervisor does not publish layout.spinlock.owner: its locks are not known');
    expect(out).toContain('its run queues are not known');
  });
});

describe('a mistake in what to show', () => {
  it.each([
    [['reggs'], "there is no 'reggs' to show (did you mean regs?), and there is no symbol 'reggs'"],
    [['regs,cssr'], "there is no 'cssr' to show (did you mean csr?): expected regs, float"],
    [['regs,mem'], "'mem' takes a place: give it as an argument of its own, 'mem PLACE'"],
    [['mem'], "expected a place behind 'mem', such as heap_lock"],
    [['mem', 'hart0.a0'], 'that is no memory: for what it points to, write va:hart0.x10'],
    [['mem', '0x80000000'], '0x80000000 could be an address of several kinds'],
    [['walk', 'spa:0x80000000'], 'a physical address is not translated'],
    [['regs', '--hart', '5'], 'there is no hart 5: this machine has harts 0 to 1'],
    [['mem', 'vm7:0'], 'there is no VM 7 at moment 1400000: there are 1, 2'],
    [
      ['mem', 'heap_lok'],
      "there is no symbol 'heap_lok' in lazarus or firmware or guest-compute (did you mean heap_lock?)",
    ],
    [['hart0.a0 +'], 'expected a number or a place, got the end\n  hart0.a0 +\n            ^'],
    [['-g', 'detected'], "there is no 'detected' in "],
    [['-g', 'x y'], 'expected a moment such as 8M'],
  ])('%j', async (words, message) => {
    const { code, out, err } = await show(...words);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toContain(message);
  });
});
