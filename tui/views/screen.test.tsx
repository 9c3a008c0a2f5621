/** The views in a real terminal emulator at 80 x 24: what the screen buffer holds, what keys do. */
import { describe, expect, test } from 'vitest';
import { say } from '../model/session.ts';
import { frameText } from './frame.tsx';
import { startApp } from './test-app.ts';

describe('the terminal UI at 80 x 24', () => {
  test('shows timeline, code, registers, VMs and console, and takes keys', async () => {
    const app = startApp({ scanning: true });
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
    expect(await app.ended).toBe(true);
  });

  test('looks whether a recording has grown until it is over, and draws what has changed', async () => {
    let looks = 0;
    const app = startApp({
      growth: (session) => ({
        get isOver() {
          return looks === 2;
        },
        look() {
          say(session, `looked ${++looks} times`);
          return true;
        },
      }),
    });
    await app.shows('looked 1 times');
    await app.shows('looked 2 times');
    app.type('q');
    expect(await app.ended).toBe(true);
    expect(looks).toBe(2);
  });

  test('without colour no colour sequence is written', async () => {
    const app = startApp();
    await app.shows(/hart 1 M+H+2+/);
    app.type('f');
    await app.shows('fault: failstop');
    app.type('q');
    await app.ended;
    // SGR 30–37, 38, 90–97 set colours.
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is looked for
    expect(app.written()).not.toMatch(/\x1b\[(3[0-8]|9[0-7])[;m]/);
  });

  test('a frame as text equals what the terminal shows', async () => {
    const app = startApp();
    await app.shows(/>hart 0 M+H+1+M+H+1+/);
    expect(frameText(app.session)).toBe(app.rows().join('\n'));
    app.type('q');
    await app.ended;
  });

  test('a key draws one frame; keys that come at once share one', async () => {
    const app = startApp();
    await app.settles();
    const keys = ['s', 's', 'S', 'f', 'd', 'r', 'G', 'h', '+', 'j', '?', 'q', 'w', ':', 'x', '\r'];
    for (const key of keys) {
      const before = app.frames();
      app.type(key);
      await expect.poll(app.frames, { timeout: 900_000, interval: 5 }).toBeGreaterThan(before);
      await app.settles();
      expect(app.frames() - before, key).toBe(1);
    }
    const before = app.frames();
    app.type('s'.repeat(500));
    await app.settles();
    expect(app.frames() - before).toBeLessThanOrEqual(2);
    app.type('q');
    await app.ended;
  });
});
