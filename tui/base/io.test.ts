/** Output helpers: colour only where wanted, progress only on terminals, numbers as people read them. */

import { execFileSync } from 'node:child_process';
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as unit } from 'vitest';
import { shellLine, visible } from '../../engine/index.ts';
import { escapeFilter } from '../cli/commands/live-console.ts';
import { toJson } from '../cli/json/index.ts';
import { byteSize, grouped, table, virtualTime } from './format.ts';
import { type Outside, openIo, progressLine } from './io.ts';

/** A door to buffers. */
function door(parts: Partial<Outside> = {}) {
  const written = { out: '', err: '' };
  const io = openIo({
    writeOut: (data) => (written.out += typeof data === 'string' ? data : Buffer.from(data).toString('latin1')),
    writeErr: (text) => (written.err += text),
    errColumns: () => 20,
    outIsTerminal: true,
    errIsTerminal: true,
    env: {},
    ...parts,
  } as Outside);
  return { io, written };
}

describe('the door to the terminal', () => {
  const EVIL = '\x1b]0;X\x07\x1b[2J\x9b31m\u202egpj\ra';
  const SHOWN = '\\u001b]0;X\\u0007\\u001b[2J\\u009b31m\\u202egpj\\ra';

  unit('shows what a terminal would act upon, on both streams, on terminals and in pipes', () => {
    for (const isTerminal of [true, false]) {
      const { io, written } = door({ outIsTerminal: isTerminal, errIsTerminal: isTerminal });
      io.out(`${EVIL}\n`);
      io.err(`${EVIL}\n`);
      expect(written).toEqual({ out: `${SHOWN}\n`, err: `${SHOWN}\n` });
    }
  });

  unit('a status line is one line, cut to the terminal, whatever is in it', () => {
    const { io, written } = door();
    io.status([`a\n${EVIL}`]);
    expect(written.err).toBe('a\\n\\u001b]0;X\\u0007');
  });

  unit('only the guest’s live console passes as it is', () => {
    const { io, written } = door();
    io.guestConsole(Buffer.from('\x1b[2Jlogin: \x9b', 'latin1'));
    expect(written.out).toBe('\x1b[2Jlogin: \x9b');
  });

  unit('colours only on a terminal, and never with NO_COLOR', () => {
    const red = (parts: Partial<Outside>) => {
      const { io, written } = door(parts);
      io.out('x\x1b[2J', 'red');
      return written.out;
    };
    expect(red({})).toBe('\x1b[31mx\\u001b[2J\x1b[39m');
    expect(red({ env: { NO_COLOR: '1' } })).toBe('x\\u001b[2J');
    expect(red({ outIsTerminal: false })).toBe('x\\u001b[2J');
  });
});

describe('the progress line', () => {
  const written = (errIsTerminal: boolean) => {
    const { io, written } = door({ errIsTerminal });
    const progress = progressLine(io);
    progress.show(() => 'one');
    progress.show(() => 'too soon');
    progress.clear();
    progress.clear();
    return written.err;
  };
  unit('rewrites itself and disappears', () => expect(written(true)).toBe('one\r\x1b[J'));
  unit('is silent in a pipe', () => expect(written(false)).toBe(''));
  unit('makes room for a message', () => {
    const { io, written } = door();
    io.status(['one', 'two']);
    io.err('dejavm: message\n');
    io.status(['three']);
    expect(written.err).toBe('one\ntwo\r\x1b[1A\x1b[Jdejavm: message\nthree');
  });
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
  unit('a cell of a table is one line', () => {
    expect(
      table([
        ['a\nb', '1'],
        ['c', '\x1b[2J'],
      ]),
    ).toBe('a\\nb  1\nc     \\u001b[2J');
  });
  unit('JSON holds 64-bit integers as hexadecimal', () => {
    const print = toJson as (shape: string, value: unknown) => string;
    expect(JSON.parse(print('', { digest: 2n ** 63n, none: -1n, bytes: Uint8Array.of(0, 255) }))).toEqual({
      digest: '0x8000000000000000',
      none: '-0x1',
      bytes: '00ff',
    });
  });
  unit('reproducers survive a shell', () => {
    expect(shellLine(['dejavm', '--script', "f; it's"])).toBe("dejavm --script 'f; it'\\''s'");
  });
  test.prop(
    [
      fc.array(
        fc.string({ unit: 'binary-ascii', minLength: 1 }).filter((text) => !text.includes('\0')),
        { minLength: 1 },
      ),
    ],
    {
      numRuns: 20,
    },
  )('a shell reads a line back to the same arguments', (argv) => {
    const line = shellLine([...argv, "\u202e'\\\x9bé"]);
    expect(visible(line)).toBe(line);
    const printed = execFileSync('bash', ['-c', `printf '%s\\0' ${line}`], { encoding: 'utf8' });
    expect(printed.split('\0').slice(0, -1)).toEqual([...argv, "\u202e'\\\x9bé"]);
  });
});
