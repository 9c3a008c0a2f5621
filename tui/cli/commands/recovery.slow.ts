/** What the verbs say about recoveries, faults that never came, and a console whose input ends, on real machines. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assemble } from '../../../engine/index.ts';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-recovery-'));
const env = { XDG_DATA_HOME: folder };
const file = (name: string) => join(folder, `${name}.djvm`);
const FAULT = ['--fault', 'failstop@1100000+40'];

beforeAll(async () => {
  process.env.XDG_DATA_HOME = folder;
  const record = (name: string, ...more: string[]) =>
    cli(['record', '-o', file(name), '--max-moment', '4M', ...more], { env });
  await record('golden', '-append', 'steps=1');
  await record('recovered', '-append', 'steps=1', ...FAULT);
  await record('lost', '-append', 'steps=1 recovery=none', ...FAULT);
});
afterAll(() => rmSync(folder, { recursive: true }));

test('verify says that a recovery changed nothing that a VM can see', async () => {
  const { code, out } = await cli(['verify', file('recovered'), '--golden', file('golden')], { env });
  expect(out).toContain('VM states before and after the recovery:');
  expect(out).toContain('output as in the golden run');
  expect(out).toContain('\n  EQUIVALENT: ');
  expect(code).toBe(EXIT.ok);
});

test('verify exits 1 when VMs did not survive', async () => {
  const { code, out } = await cli(['verify', file('lost'), '--json'], { env });
  const { replay, equivalence } = JSON.parse(out);
  expect(replay.ok).toBe(true);
  expect(equivalence.equivalent).toBe(false);
  expect(code).toBe(EXIT.difference);
});

test('verify does not speak of recovery where there was none', async () => {
  const { code, out } = await cli(['verify', file('golden'), '--json'], { env });
  expect(JSON.parse(out).equivalence).toBeNull();
  expect(code).toBe(EXIT.ok);
});

test('a fault whose moment never came is a warning', async () => {
  const { code, err } = await cli(['record', '-o', file('early'), '--max-moment', '1k', '--fault', 'failstop@2k'], {
    env,
  });
  expect(err).toContain('the run ended before the moment of the fault failstop: it was not applied');
  expect(code).toBe(EXIT.ok);
});

/** An executable of one segment at the start of RAM. */
function executable(source: string): Uint8Array {
  const { bytes } = assemble(source, 0x8000_0000);
  const elf = new Uint8Array(120 + bytes.length);
  const view = new DataView(elf.buffer);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint32(16, (243 << 16) | 2, true);
  view.setBigUint64(24, 0x8000_0000n, true);
  view.setBigUint64(32, 64n, true);
  view.setUint32(54, (1 << 16) | 56, true);
  view.setUint32(64, 1, true);
  for (const [at, value] of [
    [72, 120],
    [80, 0x8000_0000],
    [88, 0x8000_0000],
    [96, bytes.length],
    [104, bytes.length],
  ] as const)
    view.setBigUint64(at, BigInt(value), true);
  elf.set(bytes, 120);
  return elf;
}

test('an idle machine waits for a live console, and ends with it', async () => {
  const bios = join(folder, 'idle.elf');
  writeFileSync(bios, executable('again:\n wfi\n j again\n'));
  const stdin = new PassThrough();
  const running = cli(['record', '-o', file('idle'), '-smp', '1', '-bios', bios, '--console'], { env, stdin });
  stdin.write('hello');
  setTimeout(() => stdin.end(), 100);
  const { code, err } = await running;
  expect(err).toContain('every hart waits for nothing');
  expect(code).toBe(EXIT.ok);
});

/** Prints what it reads, byte by byte; 'q' ends the run. */
const READER = `
  li s1, 0x10000000
next:
  lbu t1, 5(s1)
  andi t1, t1, 1
  beqz t1, next
  lbu a0, 0(s1)
  sb a0, 0(s1)
  li t1, 0x71
  bne a0, t1, next
  li t0, 0x100000
  li t1, 0x5555
  sw t1, 0(t0)
  j .
`;

test('all that is piped in arrives, and what the guest does not read any more is a warning', async () => {
  const bios = join(folder, 'reader.elf');
  writeFileSync(bios, executable(READER));
  const text = `${'some words of input\n'.repeat(10_000)}q`;
  const run = async (name: string, rest: string) => {
    const stdin = new PassThrough();
    stdin.end(text + rest);
    return cli(['record', '-o', file(name), '-smp', '1', '-bios', bios, '--console'], { env, stdin });
  };
  const whole = await run('piped', '');
  expect(whole.out === text).toBe(true);
  expect(whole.err).not.toContain('warning');
  const more = await run('more', 'z'.repeat(77));
  expect(more.out === text).toBe(true);
  expect(more.err).toContain('warning: the guest never read 77 bytes of its console input\n');
  expect((await cli(['replay', file('piped')], { env })).code).toBe(EXIT.ok);
});
