import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../engine/index.ts';
import type { Trigger } from '../base/types.ts';
import { formatTime, formatTrigger, parseTrigger } from './trigger-text.ts';

const count = fc.integer({ min: 1, max: 1e9 });
const position = fc.nat({ max: 1e12 });
/** HS-mode is what is counted unless said otherwise. */
const of = fc.constantFrom('machine' as const, 'privileged' as const);
const anyTrigger: fc.Arbitrary<Trigger> = fc.oneof(
  fc.record({ kind: fc.constant('moment' as const), moment: position }),
  fc.record({ kind: fc.constant('ticks' as const), ticks: position }),
  fc.record(
    { kind: fc.constant('hypervisor' as const), after: position, k: count, of },
    { requiredKeys: ['kind', 'after', 'k'] },
  ),
  fc.record(
    { kind: fc.constant('two-level' as const), ticks: position, k: count, of },
    { requiredKeys: ['kind', 'ticks', 'k'] },
  ),
  fc.record({
    kind: fc.constant('symbol' as const),
    symbol: fc.constantFrom('schedule', '_start', 'vm_exit.part.0', 'k3', 'f'),
    offset: fc.nat({ max: 0xffff }),
    n: count,
    ticks: position,
  }),
);

describe('trigger text', () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(anyTrigger, (trigger) => {
        expect(parseTrigger(formatTrigger(trigger))).toEqual(trigger);
      }),
    );
  });

  it('reads the documented forms', () => {
    const place = { kind: 'symbol', symbol: 'store_add', offset: 0x28, n: 1, ticks: 0 };
    expect(parseTrigger('8M')).toEqual({ kind: 'moment', moment: 8e6 });
    expect(parseTrigger('8M+3')).toEqual({ kind: 'hypervisor', after: 8e6, k: 3 });
    expect(parseTrigger('8M+1')).toEqual({ kind: 'hypervisor', after: 8e6, k: 1 });
    expect(parseTrigger('5ms')).toEqual({ kind: 'ticks', ticks: 5e6 });
    expect(parseTrigger('5.25ms+120')).toEqual({ kind: 'two-level', ticks: 5_250_000, k: 120 });
    const counted = { kind: 'two-level', ticks: 5e6, k: 120 };
    expect(parseTrigger('5ms+120@privileged')).toEqual({ ...counted, of: 'privileged' });
    expect(parseTrigger('5ms+120@machine')).toEqual({ ...counted, of: 'machine' });
    expect(parseTrigger('store_add+0x28')).toEqual(place);
    expect(parseTrigger('store_add+40#3')).toEqual({ ...place, n: 3 });
    expect(parseTrigger('5ms+store_add#2')).toEqual({ ...place, offset: 0, n: 2, ticks: 5e6 });
  });

  it('writes times in the largest unit of which they are a whole number', () => {
    expect([2e9, 5e6, 3000, 1500, 7, 0].map(formatTime)).toEqual(['2s', '5ms', '3us', '1500ns', '7ns', '0s']);
  });

  it.each([
    '',
    '+',
    '1+',
    '1+0',
    '5ms+0',
    'f#0',
    '8x',
    'f+x',
    '5parsecs+f',
    '1+2+3',
    '0.5',
    '5ms@machine',
    '5ms+2@guest',
    '5ms+2@',
  ])("refuses '%s'", (text) => {
    expect(() => parseTrigger(text)).toThrow(UserError);
  });
});
