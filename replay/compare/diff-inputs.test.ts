import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { type InputEvent, UserError } from '../../engine/index.ts';
import { describeEvent, differingInputs, type TimedInput } from './diff-inputs.ts';

const poke = (value: number): InputEvent => ({ kind: 'poke', paddr: 0x80200000, bytes: Uint8Array.of(value) });
const at = (ticks: number, event: InputEvent): TimedInput => ({ moment: Math.floor(ticks / 2), ticks, event });

const differences = (a: TimedInput[], b: TimedInput[]) => [...differingInputs(a, b)];

describe('differingInputs', () => {
  it('lists positions where only one run has something', () => {
    const fault: InputEvent = { kind: 'fault', fault: { model: 'failstop', hart: 0 } };
    const shared = at(10, poke(1));
    expect(differences([shared, at(30, fault)], [shared, at(20, poke(2))])).toEqual([
      { moment: 10, ticks: 20, onlyA: [], onlyB: [poke(2)] },
      { moment: 15, ticks: 30, onlyA: [fault], onlyB: [] },
    ]);
  });

  it('sees different content and different order at one position', () => {
    expect(differences([at(4, poke(1))], [at(4, poke(2))])).toEqual([
      { moment: 2, ticks: 4, onlyA: [poke(1)], onlyB: [poke(2)] },
    ]);
    expect(differences([at(4, poke(1)), at(4, poke(2))], [at(4, poke(2)), at(4, poke(1))])).toEqual([
      { moment: 2, ticks: 4, onlyA: [], onlyB: [] },
    ]);
  });

  it('refuses more at one position than anybody applies there', () => {
    const many = (count: number) => Array.from({ length: count }, () => at(4, poke(1)));
    expect(differences(many(10_000), [])).toHaveLength(1);
    expect(() => differences(many(10_001), [])).toThrow(UserError);
  });
});

const inputs = fc
  .array(fc.tuple(fc.nat(12), fc.nat(3)), { maxLength: 12 })
  .map((rows) => rows.sort(([a], [b]) => a - b).map(([ticks, value]) => at(ticks, poke(value))));

test.prop([inputs])('equal lists do not differ', (list) => {
  expect(differences(list, structuredClone(list))).toEqual([]);
});

test.prop([inputs, inputs])('what it finds turns one list into the other, as sets per position', (a, b) => {
  const key = ({ ticks, event }: TimedInput) => `${ticks}:${describeEvent(event)}`;
  const keys = a.map(key);
  for (const { ticks, onlyA, onlyB } of differences(a, b)) {
    for (const event of onlyA) keys.splice(keys.indexOf(key(at(ticks, event))), 1);
    for (const event of onlyB) keys.push(key(at(ticks, event)));
  }
  expect(keys.sort()).toEqual(b.map(key).sort());
});

it('describes inputs as people write them', () => {
  expect(describeEvent(poke(255))).toBe('poke 0x80200000 = ff');
  expect(describeEvent({ kind: 'console', bytes: Uint8Array.of(0x6c, 0x73, 0x0a) })).toBe('console "ls\\n"');
  expect(describeEvent({ kind: 'fault', fault: { model: 'register', hart: 1, register: 10, bit: 5 } })).toBe(
    'fault register=x10,bit=5,hart=1',
  );
});
