/** Counts: whatever moves, scrolls or zooms does so N times when N is typed before it. */
import { fc, test } from '@fast-check/vitest';
import { describe, expect, test as unit } from 'vitest';
import type { Session } from '../panels/types.ts';
import { ACTIONS } from './actions.ts';
import { RECOVERED_RUN } from './fake-travel.ts';
import { zoom } from './session.ts';
import { command, openSession, press } from './test-session.ts';

/** Many faults, detections and resumptions, several events at a moment, and a console longer than its panel. */
const EVENTFUL = {
  ...RECOVERED_RUN,
  inputs: [700, 700, 4000, 7000].map((moment) => ({
    moment,
    ticks: moment,
    kind: 'fault' as const,
    data: { fault: { model: 'failstop', hart: 1 } },
  })),
  notes: [800, 4200, 7100].flatMap((moment) =>
    [0x1011, 0x1021, 0x1030].map((code) => ({ moment: moment + code - 0x1011, ticks: moment, hart: 0, code, arg: 1 })),
  ),
  console: Array.from({ length: 90 }, (_, i) => ({ moment: i * 10, text: `line ${i}` })),
};

/** `hart N` picks a hart; every other N repeats. */
const REPEATING = ACTIONS.filter((action) => action.argument === 'N' && action.name !== 'hart');

const shown = ({ travel, state }: Session) => ({
  moment: travel.moment,
  range: state.to - state.from,
  panel: state.panel,
  scroll: state.scroll,
  overlay: state.overlay,
});

const anywhere = fc.record({
  moment: fc.nat(10_000),
  zoomedIn: fc.nat(2),
  panel: fc.nat(3),
});

describe('counts', () => {
  test.prop([anywhere, fc.constantFrom(...REPEATING), fc.integer({ min: 1, max: 12 })], { numRuns: 400 })(
    'N and a key do what the key does N times',
    (start, action, count) => {
      const [once, often] = [openSession(EVENTFUL), openSession(EVENTFUL)];
      for (const session of [once, often]) {
        command(session, String(start.moment));
        for (let i = 0; i < start.zoomedIn; i++) zoom(session, 1 / 4);
        for (let i = 0; i < start.panel; i++) press(session, 'tab');
      }
      const [key] = action.keys;
      press(once, ...String(count), key!);
      for (let i = 0; i < count; i++) press(often, key!);
      expect(shown(once)).toEqual(shown(often));
    },
  );

  unit('behind a command are the same as before its key', () => {
    for (const { name, keys } of REPEATING) {
      const [typed, keyed] = [openSession(EVENTFUL), openSession(EVENTFUL)];
      command(typed, `${name} 3`);
      press(keyed, '3', keys[0]!);
      expect(shown(typed), name).toEqual(shown(keyed));
    }
  });

  unit('are never dropped: what takes none says so, and does nothing', () => {
    for (const { name, keys } of ACTIONS.filter((action) => action.argument === undefined)) {
      const session = openSession();
      const before = { ...shown(session), ...session.state };
      press(session, '3', keys[0]!);
      // These two concern the terminal, also while a count is half typed.
      if (['suspend', 'redraw'].includes(name)) continue;
      expect(session.state.message, name).toBe(`'${name}' takes no count and no argument`);
      expect({ ...shown(session), ...session.state, message: '', isError: false }).toEqual({
        ...before,
        message: '',
        isError: false,
      });
    }
  });

  unit.each(['s', 'S', 'c', ']', 'f', 'l', 'j', '+', 'tab'])('0 %s is refused, and moves nothing', (key) => {
    const session = openSession();
    command(session, '500');
    const before = shown(session);
    press(session, '0', key);
    expect(session.state).toMatchObject({ isError: true, message: 'expected a count of 1 or more, got 0' });
    expect(shown(session)).toEqual(before);
  });

  unit('3] moves three events on, and 99] to the last one', () => {
    const session = openSession();
    press(session, '3', ']');
    expect(session.travel.moment).toBe(4000);
    press(session, '2', '[');
    expect(session.travel.moment).toBe(300);
    press(session, '9', '9', ']');
    expect(session.travel.moment).toBe(10_000);
  });
});

describe('scrolling', () => {
  unit('stops where the lines end, so that one key comes back at once', () => {
    for (const panel of [0, 1, 2, 3]) {
      const session = openSession(EVENTFUL);
      command(session, '5000');
      for (let i = 0; i < panel; i++) press(session, 'tab');
      const { panel: name } = session.state;
      const [onwards, back] = name === 'console' ? ['k', 'j'] : ['j', 'k'];
      press(session, ...'100000', onwards!);
      const furthest = session.state.scroll[name];
      expect(furthest).toBeLessThanOrEqual(1000);
      press(session, back!);
      expect(session.state.scroll[name]).toBe(Math.max(0, furthest - 1));
      press(session, ...'100000', back!);
      press(session, onwards!);
      expect(Math.abs(session.state.scroll[name])).toBeLessThanOrEqual(1000);
    }
  });

  unit('code ends at its first instruction: scrolling back stops there', () => {
    const session = openSession();
    command(session, '5');
    press(session, ...'50k');
    const { disassembly } = session.state.scroll;
    expect(disassembly).toBeGreaterThanOrEqual(-5);
    expect(disassembly).toBeLessThanOrEqual(0);
  });
});
