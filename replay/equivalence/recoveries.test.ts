import { describe, expect, it } from 'vitest';
import { NOTES, type NoteName, RESET_NOTE } from '../../engine/index.ts';
import type { NoteAt } from '../base/types.ts';
import { hasFinished, recoveriesIn } from './recoveries.ts';

/** Notes at ticks 10, 20, …: by name, or a reset; each may have an argument. */
const notes = (...said: (NoteName | 'reset' | [NoteName, number])[]): NoteAt[] =>
  said.map((one, n) => {
    const [name, arg] = Array.isArray(one) ? one : [one, 0];
    const code = name === 'reset' ? RESET_NOTE : NOTES[name].code;
    return { moment: n + 1, ticks: 10 * (n + 1), hart: 0, code, arg };
  });

describe('recoveries', () => {
  const found = (...said: Parameters<typeof notes>) =>
    recoveriesIn(notes(...said)).map(({ detected, frozen, resumed, failure }) => [
      detected.moment,
      frozen?.moment,
      resumed?.moment,
      failure,
    ]);

  it('go from the first detection to the resumption, whatever is detected meanwhile', () => {
    expect(found('HYPERVISOR_UP', 'DETECTED_TRAP', 'FROZEN', 'DETECTED_HANG', 'FROZEN', 'RESUMED', 'VM_DONE')).toEqual([
      [2, 3, 6, undefined],
    ]);
    expect(found('DETECTED_HANG', 'RESUMED', 'DETECTED_TRAP', 'FROZEN', 'RESUMED')).toEqual([
      [1, undefined, 2, undefined],
      [3, 4, 5, undefined],
    ]);
  });

  it('begin with a detection alone', () => {
    expect(found('FROZEN', 'RESUMED', 'RECOVERY_FAILED', 'reset')).toEqual([]);
  });

  it('fail by giving up, by a reset, or by the end of the run, and say which', () => {
    expect(found('DETECTED_TRAP', ['RECOVERY_FAILED', 5])).toEqual([
      [1, undefined, undefined, 'the recovery gave up (reason 5)'],
    ]);
    expect(found('DETECTED_TRAP', 'reset', 'RESUMED')).toEqual([
      [1, undefined, undefined, 'the machine was reset before a VM was resumed'],
    ]);
    expect(found('DETECTED_TRAP', ['RECOVERY_FAILED', 2], 'reset')[0]![3]).toBe('the recovery gave up (reason 2)');
    expect(found('DETECTED_TRAP', 'FROZEN')).toEqual([[1, 2, undefined, 'no VM was resumed after the detection']]);
    // Given up and tried once more, with success.
    expect(found('DETECTED_TRAP', 'RECOVERY_FAILED', 'RESUMED')).toEqual([[1, undefined, 3, undefined]]);
  });

  it('are bounded', () => {
    const many = (n: number) => recoveriesIn(Array.from({ length: n }, () => notes('DETECTED_TRAP', 'RESUMED')).flat());
    expect(many(10_000)).toHaveLength(10_000);
    expect(() => many(10_001)).toThrow('more than 10000 recoveries');
  });
});

describe('a VM has finished', () => {
  const list = notes(['VM_PROGRESS', 1], ['VM_DONE', 1], 'reset', ['VM_DONE', 2], ['RESUMED', 3]);
  it.each([
    ['not before it says so', 1, 19, false],
    ['from where it says so', 1, 20, true],
    ['until the machine is reset', 1, 29, true],
    ['and no more afterwards', 1, 30, false],
    ['nor when another one says so', 1, 99, false],
    ['whatever others do', 2, 99, true],
    ['not before the other', 2, 39, false],
    ['by no other note', 3, 99, false],
  ])('%s', (_, vmid, ticks, finished) => {
    expect(hasFinished(list, vmid, { ticks })).toBe(finished);
  });
});
