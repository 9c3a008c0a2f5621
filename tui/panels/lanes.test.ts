/** Lanes against a list of what every hart did at every moment. */
import { fc, test } from '@fast-check/vitest';
import { expect, test as unit } from 'vitest';
import { ACTIVITY, activityOf, createLanes, VM_BASE } from './lanes.ts';

const LENGTH = 200;
const changes = fc.array(fc.tuple(fc.nat(LENGTH - 1), fc.constantFrom(0, 2, 3, VM_BASE + 1)), { maxLength: 40 });

function lanesOf(list: readonly (readonly [number, number])[]) {
  const lanes = createLanes(1);
  const naive: number[] = new Array(LENGTH).fill(ACTIVITY.unknown);
  for (const [moment, activity] of list.toSorted((a, b) => a[0] - b[0])) {
    lanes.push(0, moment, activity);
    naive.fill(activity, moment);
  }
  lanes.scannedTo = LENGTH;
  return { lanes, naive };
}

test.prop([changes])('at() tells what the last change before said', (list) => {
  const { lanes, naive } = lanesOf(list);
  expect(Array.from({ length: LENGTH }, (_, moment) => lanes.at(0, moment))).toEqual(naive);
});

test.prop([changes, fc.nat(150), fc.integer({ min: 1, max: 25 }), fc.integer({ min: 1, max: 4 })])(
  'a cell shows an activity that no other one exceeds in it',
  (list, from, width, perCell) => {
    const { lanes, naive } = lanesOf(list);
    const to = Math.min(LENGTH, from + width * perCell);
    fc.pre((to - from) % width === 0);
    const size = (to - from) / width;
    lanes.cells(0, from, to, width).forEach((shown, cell) => {
      const part = naive.slice(from + cell * size, from + (cell + 1) * size);
      const count = (activity: number) => part.filter((one) => one === activity).length;
      const known = part.filter((one) => one !== ACTIVITY.unknown);
      if (known.length === 0) expect(shown).toBe(ACTIVITY.unknown);
      else expect(count(shown)).toBe(Math.max(...known.map(count)));
    });
  },
);

unit('what has not been scanned is unknown', () => {
  const lanes = createLanes(1);
  lanes.push(0, 0, ACTIVITY.M);
  lanes.scannedTo = 50;
  expect(lanes.cells(0, 0, 100, 4)).toEqual([ACTIVITY.M, ACTIVITY.M, ACTIVITY.unknown, ACTIVITY.unknown]);
});

unit('too many changes coarsen the lane instead of filling the memory', () => {
  const lanes = createLanes(1);
  const changesCount = (1 << 20) + 10;
  for (let i = 0; i < changesCount; i++) lanes.push(0, i, i % 2 === 0 ? ACTIVITY.M : ACTIVITY.HS);
  lanes.push(0, changesCount + 100, VM_BASE + 1);
  lanes.scannedTo = changesCount + 1000;
  expect(lanes.at(0, changesCount + 500)).toBe(VM_BASE + 1);
  expect([ACTIVITY.M, ACTIVITY.HS]).toContain(lanes.at(0, 1000));
});

unit('VS and VU of one VM are one activity', () => {
  expect(activityOf('VS', 3)).toBe(activityOf('VU', 3));
  expect(activityOf('VS', 3)).not.toBe(activityOf('VS', 4));
});
