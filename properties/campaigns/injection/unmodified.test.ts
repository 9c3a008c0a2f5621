/**
 * Set-ups that say which files they run: what their names mean, what is refused and how, and which lines are a guest's.
 * No machine runs longer than to its first words.
 */

import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UserError } from '../../../engine/index.ts';
import { identityOf, machineDifference } from '../plan/identity.ts';
import { bootSetup, goldenRun } from './golden.ts';
import { completeMechanism } from './mechanism.ts';
import { consoleOfGuest, linesOfGuest, linesOfVm } from './observe.ts';
import { findSetup } from './setups.ts';
import { isUnmodified, UNMODIFIED_FORMS } from './unmodified.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-unmodified-'));
afterAll(() => rmSync(folder, { recursive: true }));
const file = (name: string, bytes: Uint8Array | string): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};

/** A Linux Image is known by its header; this one has nothing else. */
const header = new Uint8Array(64);
header.set(Buffer.from('RSC\x05'), 56);
const linux = file('Image', header);
const ramdisk = file('ramdisk.cpio', 'a ramdisk');
/** Jumps to itself, for ever. */
const uboot = file('u-boot.bin', new Uint8Array([0x6f, 0, 0, 0]));

const refusal = (name: string): string => {
  try {
    findSetup(name);
  } catch (error) {
    expect(error).toBeInstanceOf(UserError);
    expect((error as Error).message).not.toContain('\n');
    return (error as Error).message;
  }
  throw new Error(`${name} was accepted`);
};

describe('the name of a set-up', () => {
  it('says kernel, ramdisk and boot arguments, and is the name of what it stands for', () => {
    const name = `linux@${linux},append=loglevel=8 quiet,initrd=${ramdisk}`;
    const setup = findSetup(name);
    const config = setup.config(3);
    expect(setup.name).toBe(name);
    expect(config.append).toMatch(/^console=ttyS0 .* loglevel=8 quiet$/);
    for (const content of [header, Buffer.from('a ramdisk')]) {
      expect(Buffer.from(config.initrd!.bytes).includes(content)).toBe(true);
    }
    expect(setup.config(0).quantum.policy).toBe('fixed');
    expect(config.quantum).toMatchObject({ policy: 'jittered', seed: 3n });
    expect(setup.inputs(0)).toEqual([]);
    expect(setup.vms.map(({ criterion }) => criterion)).toEqual(['console', 'output']);
  });

  it('of U-Boot has it typed a script, of lines that its shell takes', () => {
    const [typed, ...more] = findSetup(`uboot@${uboot}`).inputs(0);
    expect(more).toEqual([]);
    if (typed?.event.kind !== 'console') throw new Error('nothing is typed');
    const lines = Buffer.from(typed.event.bytes).toString().split('\r');
    expect(lines.at(-2)).toMatch(/; poweroff$/);
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(255);
    expect(typed.event.bytes.length).toBeLessThan(1024);
  });

  it('is told from those of the table', () => {
    expect(['linux@x', 'uboot@', `uboot@${uboot}`].map(isUnmodified)).toEqual([true, true, true]);
    expect(['compute', '3appvm@paper', 'linux', 'xlinux@y'].map(isUnmodified)).toEqual([false, false, false, false]);
    for (const form of UNMODIFIED_FORMS) expect(refusal('linus')).toContain(form);
  });

  it.each([
    ['uboot@', 'no file is named'],
    ['linux@,initrd=x', 'no file is named'],
    [`linux@${linux},quiet`, "',quiet' is no option of it"],
    [`linux@${linux},append=`, "',append=' is no option of it"],
    [`linux@${linux},`, "',' is no option of it"],
    [`linux@${linux},initrd=x,initrd=y`, 'initrd= is there twice'],
    [`uboot@${uboot},initrd=${ramdisk}`, 'U-Boot has no initial ramdisk'],
    ['uboot@a\nb', 'control characters'],
    [`uboot@${'x'.repeat(1000)}`, 'more than 1000 characters'],
  ])('is refused where it is wrong: %.30s', (name, why) => {
    expect(refusal(name)).toContain(`${why}: expected KIND@FILE[,initrd=FILE][,append=TEXT]`);
  });
});

describe('a file that is no guest', () => {
  mkdirSync(join(folder, 'folder'));
  const huge = file('huge', '');
  truncateSync(huge, 128 * 2 ** 20 + 1);
  it.each([
    ['is not there', `linux@${folder}/none`, 'none: there is no such file: expected a Linux Image for riscv64'],
    ['is a folder', `uboot@${folder}/folder`, 'folder: is no regular file: expected U-Boot for S-mode, raw'],
    ['is empty', `uboot@${file('empty', '')}`, 'empty: is empty'],
    ['is huge', `uboot@${huge}`, 'huge: is larger than 128 MiB'],
    ['is no Image', `linux@${ramdisk}`, 'no kernel: expected a Linux Image for riscv64, not compressed'],
    ['is an ELF file', `uboot@${file('u-boot', '\x7fELF')}`, 'an ELF file: expected U-Boot for S-mode as raw bytes'],
    [
      'is a ramdisk that is not there',
      `linux@${linux},initrd=${folder}/none`,
      'none: there is no such file: expected an',
    ],
  ])('%s: refused in a line', (_, name, why) => {
    expect(refusal(name)).toContain(why);
  });
});

it('another file of the same name is another image, by which results are told apart', () => {
  const path = file('changing', 'one');
  const images = () => {
    const { name, bytes } = findSetup(`uboot@${path}`).config(0).initrd!;
    return { [name]: createHash('sha256').update(bytes).digest('hex') };
  };
  const plan = { name: 'x', text: '', hash: '', cells: [], overhead: [], images: images(), imagesOf: {} };
  const known = identityOf(plan);
  expect(machineDifference(known, images())).toBeUndefined();
  writeFileSync(path, 'two');
  expect(machineDifference(known, images())).toMatch(/^image uboot@.*changing was sha256 \w+…, is sha256 \w+…$/);
});

it('a guest that does not power off is said to have no end', () => {
  const setup = { ...findSetup(`uboot@${uboot}`), maxTicks: 45_000_000 };
  const run = () => goldenRun(bootSetup(setup), completeMechanism('none'));
  expect(run).toThrow(/the run without a fault ends with 'no end within 0\.04\d* s of virtual time', expected 'pass'/);
});

describe('lines of the console', () => {
  const TEXT = [
    'lazarus: two VMs',
    'vm2: step 1',
    '[    0.000000] Linux version 6',
    'U-Boot Hit any key: vm2: step 2',
    ' 2 recovery: hart 0 failed',
    'lazarus: instance 2 runs',
    ' 1',
    'random: crng init done',
    'done in 35 ms',
    'vm22: not ours',
    '',
  ].join('\n');

  it("are the guest's without ours, wherever those stand", () => {
    expect(consoleOfGuest('ab lazarus: instance 1 runs\r\ncd\r\n')).toBe('ab cd\r\n');
    expect(linesOfGuest(TEXT)).toEqual(['Linux version 6', 'U-Boot Hit any key:  2  1', 'done in ', '']);
  });

  it("differ where the guest's do", () => {
    expect(linesOfGuest(TEXT.replace('Hit', 'Hot'))).not.toEqual(linesOfGuest(TEXT));
    expect(linesOfGuest(TEXT.replace('35 ms', '99 ms'))).toEqual(linesOfGuest(TEXT));
  });

  it('of a VM begin a line, or stand anywhere beside an unmodified guest', () => {
    expect(linesOfVm(TEXT, 'vm2')).toEqual(['step 1']);
    expect(linesOfVm(TEXT, 'vm2', true)).toEqual(['step 1', 'step 2']);
  });
});
