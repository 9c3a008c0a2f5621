import { describe, expect, it } from 'vitest';
import type { Mode } from '../../engine/index.ts';
import type { Transition } from '../search/index.ts';
import { History } from './open-trap.ts';

let ticks = 0;
const registers = { at: () => 0n };
const event = (from: Mode, to: Mode, pc: bigint, rest: Partial<Transition> = {}): Transition => ({
  ...{ kind: 'transition', moment: ticks, ticks: ++ticks, hart: 0, from, to, pc, vmid: 1, context: 0x100n, registers },
  ...rest,
});
const trap = (from: Mode, to: Mode, pc: bigint, rest: Partial<Transition> = {}) =>
  event(from, to, pc, { trap: { cause: 8, interrupt: false, tval: 0n, gpa: 0n }, ...rest });

/** How a mode of hart 0 was entered last; each stretch is a window of its own, the newest looked at first. */
function entered(mode: Mode, ...stretches: readonly (readonly Transition[])[]) {
  let later: History | undefined;
  for (const stretch of stretches.toReversed()) {
    const history = new History(0);
    for (const one of stretch) history.feed(one);
    if (later) history.append(later);
    const found = history.last(mode);
    if (found) return [found.kind, found.transition];
    later = history;
  }
  return undefined;
}

describe('the trap that is open', () => {
  it('is the last one that has not returned, in whatever stretches of the run they are', () => {
    const exit = trap('VS', 'HS', 0x10n);
    const call = trap('HS', 'M', 0x20n);
    const back = event('M', 'HS', 0x24n);
    const nested = trap('HS', 'HS', 0x30n);
    const unnested = event('HS', 'HS', 0x30n);
    expect(entered('HS', [exit, call, back])).toEqual(['trap', exit]);
    expect(entered('HS', [exit], [call], [back])).toEqual(['trap', exit]);
    expect(entered('HS', [exit, nested])).toEqual(['trap', nested]);
    expect(entered('HS', [exit, nested], [unnested])).toEqual(['trap', exit]);
    expect(entered('HS', [call], [back])).toBeUndefined();
    expect(entered('M', [exit, call])).toEqual(['trap', call]);
    // Other harts have nothing to do with it.
    expect(entered('HS', [exit, trap('VS', 'HS', 0x40n, { hart: 1, context: 0x200n })])).toEqual(['trap', exit]);
  });

  it('is over where firmware returns to another place, but not behind an instruction that it has done', () => {
    const exit = trap('VS', 'HS', 0x10n);
    const call = trap('HS', 'M', 0x20n);
    for (const pc of [0x20n, 0x22n, 0x24n])
      expect(entered('HS', [exit, call, event('M', 'HS', pc)])).toEqual(['trap', exit]);
    const anew = event('M', 'HS', 0x8000n);
    expect(entered('HS', [exit, call, anew])).toEqual(['anew', anew]);
    expect(entered('HS', [exit, call], [anew])).toEqual(['anew', anew]);
  });

  it('may have been handed down by firmware, or by a hypervisor to its guest', () => {
    const delegated = trap('VS', 'M', 0x10n);
    expect(entered('HS', [delegated, event('M', 'HS', 0x9000n)])).toEqual(['trap', delegated]);
    const fault = trap('VU', 'HS', 0x10n);
    expect(entered('VS', [fault, event('HS', 'VS', 0xa000n)])).toEqual(['trap', fault]);
    // Another vCPU was entered: no trap of its own.
    expect(entered('VS', [fault, event('HS', 'VS', 0xa000n, { context: 0x200n })])).toBeUndefined();
  });

  it('of a vCPU is found on the hart where it was taken, among those of others', () => {
    const own = trap('VU', 'VS', 0x10n, { hart: 1 });
    const run = [
      trap('VU', 'VS', 0x20n, { hart: 1, context: 0x300n }),
      own,
      trap('VS', 'HS', 0x30n, { hart: 1 }),
      event('HS', 'VS', 0x34n),
      trap('VU', 'VS', 0x40n, { hart: 1, context: 0x200n, vmid: 2 }),
    ];
    expect(entered('VS', run)).toEqual(['trap', own]);
    for (let n = 1; n < run.length; n++) {
      expect(entered('VS', run.slice(0, n), run.slice(n))).toEqual(['trap', own]);
    }
  });

  it('is not looked for before a reset', () => {
    const history = new History(0);
    history.feed(trap('VS', 'HS', 0x10n));
    history.reset();
    expect([history.last('HS'), history.isOver]).toEqual([undefined, true]);
  });

  it('is remembered among any number of others', () => {
    const history = new History(0);
    for (let n = 0n; n < 20_000n; n++) history.feed(trap('M', 'M', n));
    expect(history.last('M')).toMatchObject({ kind: 'trap', transition: { pc: 19_999n } });
  });
});
