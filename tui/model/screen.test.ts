/**
 * The screen at every size from 1 x 1 to 300 x 100, after any keys: it fits, it is full, and no number on it is a
 * piece of another one.
 */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as unit } from 'vitest';
import { CSR_NAMES } from '../panels/registers.ts';
import { textOf } from '../panels/text.ts';
import type { Introspection, Session } from '../panels/types.ts';
import { ACTIONS } from './actions.ts';
import { fakeIntrospection, RECOVERED_RUN } from './fake-travel.ts';
import { screenOf } from './screen.ts';
import { change } from './session.ts';
import { command, openSession, press, rowsOf, wholeText } from './test-session.ts';
import { workingSession } from './test-work.ts';

/** Long names, long numbers, high addresses, characters that a terminal obeys. */
const WORDY: Introspection = {
  disassemble: (...args) =>
    fakeIntrospection.disassemble(...args).map((line) => ({
      ...line,
      address: line.address + 0xffff_ffff_0000_0000n,
      text: `beqz\ta5,0x${(line.address + 0x64n).toString(16)} <reintegrate_domains+0x${(line.address & 0xfffn).toString(16)}>`,
      symbol: line.symbol?.replace(/^\w+/, 'reintegrate_domains\x1b[2J'),
    })),
  code: (_machine, _hart, address) => ({
    symbol: `recovery_run_in_protected_memory+0x${(address & 0xffffn).toString(16)}`,
  }),
  vms: () =>
    Array.from({ length: 9 }, (_, i) => ({
      name: `a-guest-with-a-long-name-${i}`,
      vmid: 100 + i,
      state: 'running',
      hart: i % 2,
      pc: 0xffff_ffff_8020_0654n + BigInt(i),
    })),
};

const sizes = fc.record({ columns: fc.integer({ min: 1, max: 300 }), rows: fc.integer({ min: 1, max: 100 }) });
const edges = fc.record({ columns: fc.constantFrom(19, 20, 21, 79, 80, 120), rows: fc.constantFrom(4, 5, 6, 23, 24) });
const keys = fc.array(
  fc.oneof(
    fc.constantFrom(...ACTIONS.flatMap((action) => action.keys).filter((key) => !['q', 'C-c'].includes(key))),
    fc.constantFrom('1', '2', '9', '0', ':', 'return', 'escape'),
  ),
  { maxLength: 25 },
);
const harts = fc.integer({ min: 1, max: 8 });

function openAt(size: { columns: number; rows: number }, hartCount: number, introspection = WORDY): Session {
  const session = openSession({ ...RECOVERED_RUN, harts: hartCount }, introspection);
  change(session, size);
  return session;
}

/** Numbers as a reader sees them; the lanes of the timeline are letters that may be digits. */
const numbersOf = (text: string) =>
  [...text.matchAll(/(?<![\w,.+-])(?:0x[0-9a-f]+|\d[\d,]*|[0-9a-f]{8,})(?![\w])|(?<=\+)0x[0-9a-f]+/gi)].map(([one]) =>
    one.replace(/,$/, ''),
  );

describe('the screen at any size', () => {
  test.prop([fc.oneof(sizes, edges), harts, keys], { numRuns: 300 })(
    'fills the terminal and fits',
    (size, n, typed) => {
      const session = openAt(size, n);
      press(session, ...typed);
      const rows = rowsOf(screenOf(session));
      for (const row of rows) expect(row.length, row).toBeLessThanOrEqual(size.columns);
      if (size.columns >= 20 && size.rows >= 5) expect(rows).toHaveLength(size.rows);
      else expect(rows.length).toBeLessThanOrEqual(size.rows);
      for (const panel of screenOf(session).panels.flat()) expect(panel.lines.length).toBeLessThan(panel.height);
      const { from, to } = session.state;
      expect(session.travel.moment).toBeGreaterThanOrEqual(Math.max(0, from));
      expect(session.travel.moment).toBeLessThanOrEqual(Math.min(10_000, to));
    },
  );

  test.prop([fc.oneof(sizes, edges), harts, keys], { numRuns: 300 })(
    'shows no number that is a piece of another; the overlay of `w` has every one in full',
    (size, n, typed) => {
      fc.pre(size.columns >= 20 && size.rows >= 5);
      const session = openAt(size, n);
      press(session, ...typed, 'escape', 'escape');
      fc.pre(!session.state.overlay);
      const screen = screenOf(session);
      const lanes = /^(?:>| )hart \d .*$|^events .*$/;
      const shown = rowsOf(screen)
        .filter((row) => !lanes.test(row))
        .flatMap(numbersOf);
      // Rows of the overlay part a number only where it is longer than the row.
      const whole = wholeText(session);
      const known = new Set([...numbersOf(whole), ...numbersOf(whole.replaceAll('\n', ''))]);
      expect(shown.filter((number) => !known.has(number))).toEqual([]);
    },
  );

  test.prop([sizes, keys])('has the focused panel, whatever else has no room', (size, typed) => {
    fc.pre(size.columns >= 20 && size.rows >= 5);
    const session = openAt(size, 2);
    press(session, ...typed, 'escape', 'escape');
    fc.pre(!session.state.overlay);
    const focused = screenOf(session)
      .panels.flat()
      .filter((panel) => textOf(panel.title).startsWith('= '));
    expect(focused.map(({ name }) => name)).toEqual([session.state.panel]);
    expect(focused[0]!.height).toBeGreaterThanOrEqual(3);
  });
});

describe('what is cut', () => {
  unit('is a symbol with its offset, marked, and in full under w', () => {
    const session = openAt({ columns: 75, rows: 24 }, 2);
    command(session, '2025');
    expect(rowsOf(screenOf(session))[0]).toBe(
      'moment 2,025  hart 0 VS VM 1 0x80200064 recovery_run_in_protected_memory+…',
    );
    expect(wholeText(session)).toContain('recovery_run_in_protected_memory+0x64');
  });

  unit('is the source line before the end of the run', () => {
    const session = openAt({ columns: 70, rows: 24 }, 2);
    command(session, '2025');
    const code = () => ({ symbol: 'lock_acquire+0x34', source: 'lazarus/lock.c:20' });
    const header = (columns: number) => {
      const introspection = { ...session.introspection, code };
      return rowsOf(screenOf({ ...session, introspection, state: { ...session.state, columns } }))[0];
    };
    expect(header(90)).toMatch(/^moment 2,025 of 10,000 .* lock_acquire\+0x34 \(lock\.c:20\)$/);
    expect(header(70)).toMatch(/^moment 2,025 of 10,000 .* lock_acquire\+0x34$/);
  });

  unit('is found in the registers too: where a value has no room beside its name, it stands below', () => {
    const session = openAt({ columns: 20, rows: 12 }, 1);
    press(session, 'tab', ':', ...'7777', 'return', ...'8j');
    expect(rowsOf(screenOf(session)).join('\n')).toMatch(/\*a0\n +1e61\n/);
  });

  unit('ends what is typed at its beginning', () => {
    const session = openAt({ columns: 20, rows: 5 }, 1);
    press(session, ':', ...'goto 1234567890123456789');
    expect(rowsOf(screenOf(session)).at(-1)).toBe('…234567890123456789_');
  });

  unit('is first of all what is said elsewhere: the moment stays', () => {
    for (let columns = 20; columns <= 120; columns++) {
      const session = openAt({ columns, rows: 24 }, 1);
      command(session, '9876');
      expect(rowsOf(screenOf(session))[0], String(columns)).toMatch(/^moment 9,876\b/);
    }
  });
});

unit('a terminal too small for anything says how large it must be', () => {
  expect(rowsOf(screenOf(openAt({ columns: 19, rows: 30 }, 1))).join(' ')).toBe('expected 20x5 or more, got 19x30');
  expect(rowsOf(screenOf(openAt({ columns: 1, rows: 2 }, 1)))).toEqual(['e', 'x']);
});

describe('work', () => {
  const EIGHT_HARTS = { ...RECOVERED_RUN, harts: 8 };
  const frame = (session: Session) => () => void screenOf(session);

  test.prop([fc.oneof(sizes, edges), harts, keys], { numRuns: 300 })(
    'of a frame: three looks inside, one hart, as many instructions as there are rows',
    (size, n, typed) => {
      const { session, during } = workingSession({ ...RECOVERED_RUN, harts: n });
      change(session, size);
      press(session, ...typed, 'escape', 'escape');
      fc.pre(!session.state.overlay);
      const { looks, inside, decoded, journeys } = during(frame(session));
      // The code lies on two pages at most, each of which is looked up for breakpoints.
      expect(looks).toBeLessThanOrEqual(3 + CSR_NAMES.length + 2);
      expect(inside).toBeLessThanOrEqual(3);
      // The code panel's rows, the instruction at pc, the VMs; and what was scrolled over, which is at most 1000.
      expect(decoded).toBeLessThanOrEqual(size.rows + 3 + Math.abs(session.state.scroll.disassembly));
      expect(journeys).toBe(0);
    },
  );

  test.prop([keys, fc.constantFrom(...ACTIONS.flatMap((action) => action.keys)), fc.integer({ min: 1, max: 10 ** 9 })])(
    'of a key: one journey at most, whatever its count',
    (typed, key, count) => {
      const { session, during } = workingSession(EIGHT_HARTS);
      press(session, ...typed, 'escape', 'escape');
      fc.pre(!session.state.overlay);
      const { looks, inside, decoded, journeys } = during(() => press(session, ...String(count), key));
      expect(journeys).toBeLessThanOrEqual(1);
      expect(looks).toBeLessThanOrEqual(2 + 8 * (1 + CSR_NAMES.length));
      expect(inside).toBeLessThanOrEqual(1);
      expect(decoded).toBeLessThanOrEqual(2000);
    },
  );
});
