import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTraceWriter, openTrace } from '../../../traces/index.ts';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-log-'));
const path = join(folder, 'run.djvm');
afterAll(() => rmSync(folder, { recursive: true }));
// Lazarus enters its VMs at 1.22 M.
beforeAll(async () => {
  await cli(['record', '-o', path, '--max-moment', '1400k', '--checkpoint-every', '400k']);
});
const dejavm = (verb: string, ...args: readonly string[]) => cli([verb, path, ...args]);
const lines = (text: string) => text.trimEnd().split('\n');

describe('log', () => {
  it('prints an entry a line, with names of calls as the hypervisor publishes them', async () => {
    const { code, out } = await dejavm('log', '--kind', 'hypercall', '--vm', '2', '--from', '1.2M');
    expect(code).toBe(EXIT.ok);
    expect(lines(out)[0]).toMatch(/^ +1,\d{3},\d{3} {2}h1 vm2 +hypercall {2}get_vmid\(\) = 0x2 {2}pc 0x\w+/);
    expect(out).toMatch(/store_put\(0x\w+, 0x\w+\) = 0x0/);
  });

  it('counts, and says how long VMs were inside and outside', async () => {
    const { code, out } = await dejavm('log', '--summary');
    expect(code).toBe(EXIT.ok);
    expect(out).toMatch(/^hypercall +\d/m);
    expect(out).toMatch(/VM 2: inside, and outside by why it was left\n.*mean.*\ninside +\d+ +\d/);
    expect(out).toMatch(/^HSM hart_start +1 /m);
  });

  it('counts the kinds that were asked for, whatever the times need', async () => {
    const { out } = await dejavm('log', '--summary', '--kind', 'sbi,exit', '--json');
    const { kinds, vms } = JSON.parse(out);
    expect(kinds.map(({ kind }: { kind: string }) => kind).sort()).toEqual(['exit', 'sbi']);
    expect(vms).toHaveLength(2);
  });

  it('prints JSON, an object a line, and no more than was asked for', async () => {
    const { out } = await dejavm('log', '--json', '--limit', '7', '--kind', 'exit,csr,mmio');
    const entries = lines(out).map((line) => JSON.parse(line));
    expect(entries).toHaveLength(7);
    expect(entries[0]).toMatchObject({ kind: 'csr', csr: { name: expect.any(String) } });
  });

  it('follows a trace that has ended to its end', async () => {
    const all = await dejavm('log', '--kind', 'sched,note');
    expect(await dejavm('log', '-f', '--kind', 'sched,note')).toEqual(all);
    expect(lines(all.out)).toHaveLength(4);
  });

  it('prints what it has when it is interrupted', async () => {
    const { code, out } = await cli(['log', path, '--summary'], { onInterruptible: (interrupt) => interrupt() });
    expect(code).toBe(EXIT.interrupted);
    expect(out).toMatch(/^kind +count/);
  });

  it('says up to where it is true of a run that leaves its recording', async () => {
    const { header, digests, image, end } = openTrace(path);
    const parted = join(folder, 'parted.djvm');
    const writer = createTraceWriter(
      parted,
      header,
      header.images.map(({ role }) => ({ role, ...image(role)! })),
    );
    for (const at of digests) writer.digest({ ...at, digest: at.digest ^ 1n });
    writer.finish(end!);
    const { code, out, err } = await cli(['log', parted, '--kind', 'note,mmio']);
    expect(code).toBe(EXIT.difference);
    expect(out).toMatch(/firmware up/);
    expect(lines(err)).toHaveLength(1);
    expect(err).toMatch(/agrees with the recording at moment [\d,]+, and no more at 1,000,000; the log ends there/);
  });

  it.each([
    [['--kind', 'exti'], /there is no kind of entry 'exti' \(did you mean exit\?\)/],
    [['--vm', '9', '--kind', 'mmio'], /--vm 9: no such VM runs in what was looked at of .*; VMs that run there: 1, 2/],
    [['--hart', '2'], /--hart 2: the machine of .* has harts 0 to 1/],
    [['--from', '2M'], /2000000 is past the end/],
    [['--from', '1M', '--to', '900k'], /--to is moment 900,000, before --from, 1,000,000/],
    [['--limit', '0'], /expected a whole number from 1/],
  ])('refuses %j in one line', async (args, message) => {
    const { code, out, err } = await dejavm('log', ...args);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toMatch(message);
    expect(lines(err)).toHaveLength(1);
  });
});

describe('console', () => {
  it('prints each line with its moment', async () => {
    const { code, out } = await dejavm('console');
    expect(code).toBe(EXIT.ok);
    expect(lines(out)[0]).toMatch(/^ +[\d,]+ {2}\S/);
    const grepped = await dejavm('console', '--grep', '^lazarus: \\d harts', '--json');
    expect(JSON.parse(grepped.out)).toMatchObject({ text: expect.stringMatching(/^lazarus: 2 harts/) });
  });

  it('takes any pattern in no time, or refuses it', async () => {
    // What goes back tries 2^40 ways.
    expect((await dejavm('console', '--grep', '(.+)+(.+)+(.+)+!$')).code).toBe(EXIT.ok);
    for (const [pattern, message] of [
      ['(a', /unterminated group/],
      ['(l)\\1', /could take for ever/],
      ['(?=l)', /could take for ever/],
    ] as const) {
      const { code, err } = await dejavm('console', '--grep', pattern);
      expect([code, lines(err).length]).toEqual([EXIT.usage, 1]);
      expect(err).toMatch(message);
    }
  });

  it('says so when a VM printed nothing', async () => {
    const { code, err } = await dejavm('console', '--vm', '9');
    expect(code).toBe(EXIT.usage);
    expect(err).toMatch(/--vm 9: this VM printed nothing/);
  });
});
