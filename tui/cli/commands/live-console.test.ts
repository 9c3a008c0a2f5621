import { PassThrough } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Io } from '../../base/io.ts';
import { openLiveConsole } from './live-console.ts';

const MIB = 1 << 20;
const turns = async (count = 50) => {
  for (let n = 0; n < count; n++) await setImmediate();
};
/** A pipe, and what its writer got rid of without being told to wait. */
function pipe() {
  const stdin = new PassThrough();
  const live = openLiveConsole({ stdin: stdin as unknown as NodeJS.ReadStream } as Io);
  return { stdin, live };
}

describe('standard input as a console', () => {
  it('gives what came, in order, and says when no more can come', async () => {
    const { stdin, live } = pipe();
    stdin.write('hello ');
    stdin.end('world');
    await turns();
    expect(live.notPolled).toEqual({ bytes: 11, ended: true });
    expect(String(live.poll())).toBe('hello world');
    expect(live.poll()).toBe('closed');
    expect(live.notPolled).toEqual({ bytes: 0, ended: true });
  });

  it('holds a pipe back while nobody polls, and loses nothing of it', async () => {
    const { stdin, live } = pipe();
    const sent = Buffer.from(Array.from({ length: 3 * MIB }, (_, n) => (n * 31) & 0xff));
    const chunk = 10_000;
    let written = 0;
    const write = () => {
      while (written < sent.length) {
        written += chunk;
        if (!stdin.write(sent.subarray(written - chunk, written))) return void stdin.once('drain', write);
      }
      stdin.end();
    };
    write();
    await turns();
    expect(live.notPolled.ended).toBe(false);
    // Here, and in the stream in between.
    expect(live.notPolled.bytes).toBeLessThan(80_000);
    expect(written).toBeLessThan(300_000);
    const got: Buffer[] = [];
    for (let bytes = live.poll(); bytes !== 'closed'; bytes = live.poll()) {
      if (bytes) got.push(Buffer.from(bytes));
      await setImmediate();
    }
    expect(Buffer.concat(got).equals(sent)).toBe(true);
  });

  it('that cannot be read has ended', async () => {
    const { stdin, live } = pipe();
    stdin.destroy(Object.assign(new Error('EISDIR: illegal operation on a directory, read'), { code: 'EISDIR' }));
    await turns();
    expect(live.poll()).toBe('closed');
  });
});
