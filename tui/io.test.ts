/** Output helpers: colour only where wanted, progress only on terminals, numbers as people read them. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as unit } from 'vitest';
import { escapeFilter } from './commands/live-console.ts';
import { byteSize, grouped, shellLine, table, toJson, virtualTime } from './format.ts';
import { type Io, paint, progressLine } from './io.ts';

const io = (parts: Partial<Io>): Io => ({ outIsTerminal: true, errIsTerminal: true, env: {}, ...parts }) as Io;

describe('colour', () => {
  unit('only on a terminal, and never with NO_COLOR', () => {
    expect(paint(io({}), 'red', 'x')).toBe('\x1b[31mx\x1b[39m');
    expect(paint(io({ env: { NO_COLOR: '1' } }), 'red', 'x')).toBe('x');
    expect(paint(io({ outIsTerminal: false }), 'red', 'x')).toBe('x');
  });
});

describe('the progress line', () => {
  const written = (errIsTerminal: boolean) => {
    let text = '';
    const progress = progressLine(io({ errIsTerminal, err: (piece) => (text += piece) }));
    progress.show(() => 'one');
    progress.show(() => 'too soon');
    progress.clear();
    return text;
  };
  unit('rewrites itself and disappears', () => expect(written(true)).toBe('\r\x1b[Kone\r\x1b[K'));
  unit('is silent in a pipe', () => expect(written(false)).toBe(''));
});

describe('Ctrl-A', () => {
  const run = (...chunks: string[]) => {
    const filter = escapeFilter();
    const parts = chunks.map((chunk) => filter(Buffer.from(chunk, 'latin1')));
    return { text: Buffer.concat(parts.map((part) => part.bytes)).toString('latin1'), quit: parts.some((p) => p.quit) };
  };
  unit('x quits, also when the two keys arrive apart', () => {
    expect(run('ab\x01x')).toEqual({ text: 'ab', quit: true });
    expect(run('ab\x01', 'x')).toEqual({ text: 'ab', quit: true });
  });
  unit('Ctrl-A types one Ctrl-A; other keys are dropped', () => {
    expect(run('\x01\x01', '\x01qx')).toEqual({ text: '\x01x', quit: false });
  });
  test.prop([fc.array(fc.string().filter((text) => !text.includes('\x01')))])('everything else passes', (chunks) => {
    const latin1 = chunks.map((chunk) => Buffer.from(chunk, 'latin1').toString('latin1'));
    expect(run(...latin1)).toEqual({ text: latin1.join(''), quit: false });
  });
});

describe('numbers and lines', () => {
  unit('are grouped and carry units', () => {
    expect(grouped(1234567)).toBe('1,234,567');
    expect(byteSize(1536)).toBe('1.5 KiB');
    expect(byteSize(134217728)).toBe('128 MiB');
    expect([virtualTime(999), virtualTime(1500), virtualTime(12345678)]).toEqual(['999 ns', '1.5 µs', '12.346 ms']);
  });
  unit('tables align', () => {
    expect(
      table(
        [
          ['a', '1'],
          ['bcd', '22'],
        ],
        [1],
      ),
    ).toBe('a     1\nbcd  22');
  });
  unit('JSON holds 64-bit integers as hexadecimal', () => {
    expect(JSON.parse(toJson({ digest: 2n ** 63n, bytes: Uint8Array.of(0, 255) }))).toEqual({
      digest: '0x8000000000000000',
      bytes: '00ff',
    });
  });
  unit('reproducers survive a shell', () => {
    expect(shellLine(['dejavm', '--script', "f; it's"])).toBe("dejavm --script 'f; it'\\''s'");
  });
});
