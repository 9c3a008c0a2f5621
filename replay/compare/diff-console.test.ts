import { describe, expect, it } from 'vitest';
import type { TraceConsole } from '../../traces/index.ts';
import { linesOf } from '../timeline/index.ts';
import { compareOutput, linesByVm } from './diff-console.ts';

const said = (text: string): TraceConsole[] =>
  [...new TextEncoder().encode(text)].map((byte, n) => ({ moment: n * 10, ticks: n * 10, byte }));

describe('console lines', () => {
  it('carry the moment of their first byte, with or without a final newline', () => {
    expect([...linesOf(said('ab\r\n\nü'))]).toEqual([
      { moment: 0, text: 'ab' },
      { moment: 40, text: '' },
      { moment: 50, text: 'ü' },
    ]);
    expect([...linesOf(said('ab\n'))]).toEqual([{ moment: 0, text: 'ab' }]);
    expect([...linesOf([])]).toEqual([]);
  });

  it('belong to the VM of their prefix', () => {
    const lines = linesOf(said('lazarus: up\nvm1: a\nvm2: b\nvm1: c\nvm12: d: e\n'));
    expect([...linesByVm(lines)]).toEqual([
      [1, ['a', 'c']],
      [2, ['b']],
      [12, ['d: e']],
    ]);
  });

  it('beyond those that are kept are counted, and hashed in full', () => {
    const long = `vm1: ${'x'.repeat(1 << 25)}`;
    const [a, b] = ['vm1: a', 'vm1: b'].map((last) =>
      linesByVm(['vm1: first', long, last].map((text) => ({ moment: 0, text }))).get(1),
    );
    expect(a).toEqual(['first', expect.stringMatching(/^\(2 further lines, sha256 /)]);
    expect(b).not.toEqual(a);
  });
});

describe('comparing a VM’s output with the golden run’s', () => {
  const golden = ['step 1', 'step 2', 'sum ok'];
  it.each([
    [golden, undefined],
    [['step 1', 'step 2'], 'output stops after 2 of 3 lines'],
    [['step 2', 'step 1', 'sum ok'], 'same lines in another order from line 1 on'],
    [['step 1', 'step 2', 'step 2', 'sum ok'], 'same lines, some printed another number of times, from line 3 on'],
    [['step 1', 'step 2', 'sum BAD'], 'line 3 is "sum BAD", expected "sum ok"'],
    [[...golden, 'panic'], 'prints 1 lines more: "panic"'],
    [[], 'output stops after 0 of 3 lines'],
  ])('%j → %s', (actual, expected) => {
    expect(compareOutput(actual, golden)).toBe(expected);
  });
});
