/** The views in a real terminal emulator at 80 x 24: what the screen buffer holds, what keys do, what is left behind. */
import { PassThrough } from 'node:stream';
import xterm from '@xterm/headless';
import { describe, expect, test } from 'vitest';
import { fakeIntrospection, fakePlayer, fakeTravel, RECOVERED_RUN } from '../fake-travel.ts';
import { createLanes } from '../model/lanes.ts';
import { createScanner } from '../model/scan.ts';
import { screenOf } from '../model/screen.ts';
import { createSession } from '../model/session.ts';
import { runApp } from './app.tsx';
import { frameText } from './frame.tsx';

function startApp(colour = false, introspection = fakeIntrospection) {
  const terminal = new xterm.Terminal({ cols: 80, rows: 24, allowProposedApi: true, convertEol: true });
  const stdout = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 });
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => stdin, ref() {}, unref() {} });
  let raw = '';
  terminal.write('$ dejavm tui\r\n');
  stdout.on('data', (chunk: Buffer) => {
    raw += chunk.toString();
    terminal.write(chunk);
  });
  const lanes = createLanes(RECOVERED_RUN.harts);
  const session = createSession(fakeTravel(), introspection, lanes);
  const frames: number[] = [];
  const abort = new AbortController();
  const ended = runApp(
    {
      session,
      scanner: createScanner(fakePlayer(), RECOVERED_RUN.lastMoment, lanes),
      colour,
      stdin: stdin as unknown as NodeJS.ReadStream,
      stdout: stdout as unknown as NodeJS.WriteStream,
      onFrame: (ms) => frames.push(ms),
    },
    abort.signal,
  );
  const rows = () => {
    const { active } = terminal.buffer;
    return Array.from({ length: 24 }, (_, y) => active.getLine(active.viewportY + y)?.translateToString(true) ?? '');
  };
  const shows = (text: string | RegExp) =>
    expect.poll(() => rows().join('\n'), { timeout: 900_000, interval: 20 }).toMatch(text);
  return {
    terminal,
    session,
    frames,
    rows,
    shows,
    ended,
    abort,
    raw: () => raw,
    type: (text: string) => stdin.write(text),
  };
}

describe('the terminal UI at 80 x 24', () => {
  test('shows timeline, code, registers, VMs and console, and takes keys', async () => {
    const app = startApp();
    await app.shows(/^moment 0 of 10,000/);
    await app.shows(/>hart 0 M+H+1+M+H+1+/);
    app.type('f');
    await app.shows(/^moment 4,000 of 10,000/);
    await app.shows('fault: failstop, hart 1');
    app.type('10s');
    await app.shows(/10 instructions forward/);
    app.type(':goto 2000\r');
    await app.shows(/^moment 2,000 [\s\S]*vm1: step 1\/4/);
    const rows = app.rows();
    expect(rows).toHaveLength(24);
    expect(rows.some((row) => row.includes('code, hart 0') && row.includes('registers, hart 0'))).toBe(true);
    expect(rows.some((row) => row.includes('VMs') && row.includes('console'))).toBe(true);
    expect(rows.some((row) => row.startsWith('>80200000  addi a0,a0,0'))).toBe(true);
    expect(rows.some((row) => /^ 1 vm1 running hart 0/.test(row))).toBe(true);
    app.type('q');
    await app.ended;
  });

  test('q leaves the alternate screen and shows the cursor again', async () => {
    const app = startApp();
    await app.shows(/^moment 0/);
    expect(app.terminal.buffer.active.type).toBe('alternate');
    app.type('q');
    await app.ended;
    await app.shows(/^\$ dejavm tui/);
    expect(app.terminal.buffer.active.type).toBe('normal');
    expect(app.raw().lastIndexOf('\x1b[?25h')).toBeGreaterThan(app.raw().lastIndexOf('\x1b[?25l'));
  });

  test('an abort (SIGTERM) restores the terminal too', async () => {
    const app = startApp();
    await app.shows(/^moment 0/);
    app.abort.abort();
    await app.ended;
    await app.shows(/^\$ dejavm tui/);
    expect(app.terminal.buffer.active.type).toBe('normal');
  });

  test('a failure of ours ends the program with the terminal restored', async () => {
    const app = startApp(false, {
      ...fakeIntrospection,
      vms: (machine) => {
        if (machine.moment === 4000) throw new Error('expected a list, observed nonsense');
        return [];
      },
    });
    const failed = expect(app.ended).rejects.toThrow('observed nonsense');
    await app.shows(/^moment 0/);
    app.type('f');
    await failed;
    await app.shows(/^\$ dejavm tui/);
    expect(app.terminal.buffer.active.type).toBe('normal');
  });

  test('without colour no colour sequence is written', async () => {
    const app = startApp(false);
    await app.shows(/hart 1 M+H+2+/);
    app.type('f');
    await app.shows('fault: failstop');
    app.type('q');
    await app.ended;
    // SGR 30–37, 38, 90–97 set colours.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
    expect(app.raw()).not.toMatch(/\x1b\[(3[0-8]|9[0-7])[;m]/);
  });

  test('a frame is drawn in less than 50 ms', async () => {
    const app = startApp();
    await app.shows(/hart 1 M+H+2+/);
    for (const key of ['s', 's', 's', 'S', 'f', 'd', 'r', 'G', 'h', '+']) {
      const before = app.frames.length;
      app.type(key);
      await expect.poll(() => app.frames.length, { timeout: 900_000, interval: 5 }).toBeGreaterThan(before);
    }
    app.type('q');
    await app.ended;
    const median = [...app.frames].sort((a, b) => a - b)[app.frames.length >> 1]!;
    const begin = performance.now();
    for (let i = 0; i < 10; i++) screenOf(app.session);
    expect(median + (performance.now() - begin) / 10).toBeLessThan(50);
  });
});

test('a frame as text equals what the terminal shows', async () => {
  const app = startApp();
  await app.shows(/>hart 0 M+H+1+M+H+1+/);
  await app.shows(/^(?![\s\S]*timeline \d+%)/);
  expect(frameText(app.session)).toBe(app.rows().join('\n'));
  app.type('q');
  await app.ended;
});
