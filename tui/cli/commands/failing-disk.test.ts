/** A disk that takes bytes and loses them: whoever makes a trace is told in one line, and no older trace is lost. */
import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { assemble } from '../../../engine/index.ts';
import { openTrace } from '../../../traces/index.ts';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const disk = vi.hoisted(() => ({ errno: 0, code: '' }));
vi.mock('node:fs', async (original) => {
  const real = await original<typeof import('node:fs')>();
  return {
    ...real,
    fdatasyncSync(fd: number) {
      if (disk.errno !== 0) throw Object.assign(new Error(`${disk.code}: planted, fdatasync`), disk);
      real.fdatasyncSync(fd);
    },
  };
});

const folder = fs.mkdtempSync(join(tmpdir(), 'dejavm-failing-'));
afterAll(() => {
  vi.unstubAllEnvs();
  fs.rmSync(folder, { recursive: true });
});
const inFolder = (name: string) => join(folder, name);
const RUN = ['-bios', inFolder('spin.bin'), '-m', '2', '-smp', '1', '--max-moment', '3000'];

beforeAll(async () => {
  vi.stubEnv('XDG_DATA_HOME', folder);
  fs.writeFileSync(inFolder('spin.bin'), assemble('again: addi a0, a0, 1\n j again', 0x8000_0000).bytes);
  for (const name of ['old.djvm', 'source.djvm']) await cli(['record', ...RUN, '-o', inFolder(name)]);
});

it.each([
  [{ errno: -5, code: 'EIO' }, 'cannot be written: i/o error; record elsewhere'],
  [{ errno: -28, code: 'ENOSPC' }, 'no space left on device; make room or record elsewhere'],
  [{ errno: -122, code: 'Unknown system error -122' }, 'disk quota exceeded; make room or record elsewhere'],
])('%s', async (failure, reason) => {
  const old = fs.readFileSync(inFolder('old.djvm'));
  for (const argv of [
    ['record', ...RUN],
    ['rerun', inFolder('source.djvm')],
  ]) {
    Object.assign(disk, failure);
    const { code, err } = await cli([...argv, '-o', inFolder('old.djvm')]);
    disk.errno = 0;
    expect([code, err]).toEqual([EXIT.usage, `dejavm: ${inFolder('old.part.djvm')}: ${reason}\n`]);
    expect(fs.readFileSync(inFolder('old.djvm')).equals(old)).toBe(true);
    // What was written is still there to be looked at.
    expect(openTrace(inFolder('old.part.djvm')).last.moment).toBe(3000);
    fs.rmSync(inFolder('old.part.djvm'));
    expect(fs.existsSync(inFolder('old.djvm.lock'))).toBe(false);
  }
});
