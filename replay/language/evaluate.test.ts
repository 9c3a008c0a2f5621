import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createMachine, readMachineSymbols, UserError } from '../../engine/index.ts';
import { checkExpression } from './check.ts';
import { AbsentError } from './errors.ts';
import { evaluate, holds } from './evaluate.ts';
import { COUNTER, expressions, GUEST_OFFSET, label, oneVm } from './language.fixtures.ts';
import { parseExpression } from './parse.ts';
import { resolvePlace } from './place.ts';

const config = oneVm();
const machine = createMachine(config);
const context = { machine, symbols: readMachineSymbols(config) };
const start = machine.snapshot();
const value = (text: string) => evaluate(parseExpression(text), context);
const isSo = (text: string) => holds(parseExpression(text), context);

/** To the first position at which hart 0 is about to execute a label, in the guest or not. */
function runTo(name: string, offset = 0n): void {
  machine.restore(start);
  for (let n = 0; machine.next().hart !== 0 || machine.hart(0).pc !== label(name) - offset; n++) {
    if (n > 2000) throw new Error(`${name} is not reached`);
    // A trap retires nothing: steps of instructions would pass over where it leads.
    machine.run({ ticks: machine.ticks + 1 });
  }
}
const runToGuest = () => runTo('again', GUEST_OFFSET);

describe('arithmetic', () => {
  it.each<[string, bigint]>([
    ['0 - 1', 0xffff_ffff_ffff_ffffn],
    ['-1 > 5', 1n],
    ['1 << 63', 1n << 63n],
    ['1 << 64', 0n],
    ['(0 - 1) >> 64', 0n],
    ['3 * 0xffffffffffffffff', 0xffff_ffff_ffff_fffdn],
    ['6 & 3 | 8 ^ 1', 11n],
    ['~0 == -1 && !0 == 1', 1n],
    ['5 in 5..6 && !(6 in 5..6)', 1n],
    ['0 || 7', 1n],
  ])('%s', (text, expected) => expect(value(text)).toBe(expected));

  it('is that of numbers modulo 2^64', () => {
    const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
    fc.assert(
      fc.property(word, word, (a, b) => {
        expect(value(`${a} + ${b}`)).toBe((a + b) % 2n ** 64n);
        expect(value(`${a} * ${b}`)).toBe((a * b) % 2n ** 64n);
        expect(value(`${a} - ${b} + ${b}`)).toBe(a);
        expect(value(`${a} < ${b}`)).toBe(a < b ? 1n : 0n);
      }),
    );
  });
});

describe('registers, counters and VMs', () => {
  it('are those of the moment', () => {
    runToGuest();
    expect(value('moment')).toBe(BigInt(machine.moment));
    expect(value('ticks')).toBe(BigInt(machine.ticks));
    expect([value('hart0.pc'), value('hart0.sp'), value('hart0.s2')]).toEqual([
      label('again') - GUEST_OFFSET,
      0x80011000n,
      COUNTER,
    ]);
    expect([value('hart0.mode'), value('hart1.mode')]).toEqual(['VS', 'M']);
    expect(value('hart0.stvec')).toBe(label('trap_entry') - 0n);
    expect([value('hart0.vmid'), value('hart1.vmid'), value('hart0.f3')]).toEqual([1n, 0n, 0n]);
    expect([value('vm1.state'), value('vm1.hart'), value('vm1.hgatp')]).toEqual(['running', 0n, value('hart0.hgatp')]);
    expect(isSo('hart0.mode == VS && hart1.mode != VS && vm1.state == running && vm1.hart == 0')).toBe(true);
  });

  it('are not compared with states that no VM can be in', () => {
    const message = "there is no state of a VM 'runing' (did you mean running?): expected one of running, loaded";
    expect(() => value('vm1.state == runing')).toThrow(new UserError(message));
    const text = 'moment > 5 && vm1.state == runing';
    expect(() => checkExpression(parseExpression(text), context, text)).toThrow(
      new UserError(`${message}\n  ${text}\n  ${' '.repeat(14)}^${'~'.repeat(18)}`),
    );
  });

  it('are compared with names of modes and states', () => {
    runTo('trap_entry');
    expect(isSo('hart0.mode == HS && vm1.state == loaded && vm1.hart != none')).toBe(true);
  });
});

describe('symbols', () => {
  it('are their addresses, of the image that is named or the only one that has them', () => {
    expect(value('hypervisor + 4')).toBe(label('hypervisor') + 4n);
    expect([value('firmware:_start'), value('tiny:_start'), value('guest:_start')]).toEqual([
      label('_start'),
      label('_start'),
      label('guest') - GUEST_OFFSET,
    ]);
  });

  it.each([
    ['_start', "several images have a symbol '_start': say firmware:_start or guest:_start"],
    ['trap_entri', "there is no symbol 'trap_entri' in tiny or counting (did you mean trap_entry?)"],
    ['vm1:trap_entry', "there is no symbol 'trap_entry' in counting"],
    [
      'tinny:park',
      "there is no image with symbols 'tinny' (did you mean tiny?): expected one of firmware, tiny, guest, counting",
    ],
  ])('%s: %s', (text, message) => expect(() => value(text)).toThrow(new UserError(message)));

  it('hold a pc only where its hart runs their software', () => {
    runToGuest();
    expect(isSo('hart0.pc == guest:again && hart0.pc in vm1:again')).toBe(true);
    expect(isSo('hart0.pc in vm2:again')).toBe(false);
    expect(isSo('hart0.pc in firmware:again || hart0.pc == firmware:again')).toBe(false);
    runTo('trap_entry');
    expect(isSo('hart0.pc in trap_entry && hart0.pc == trap_entry && hart0.pc != trap_entry + 4')).toBe(true);
    expect(isSo('hart0.pc in hypervisor')).toBe(false);
    expect(isSo('hart0.stvec in trap_entry && hart0.stvec < hypervisor')).toBe(true);
  });
});

describe('memory', () => {
  it('is read through every address space', () => {
    runTo('trap_entry');
    const spa = COUNTER + GUEST_OFFSET;
    for (const text of [
      `[spa:${spa}]`,
      `[vm1:${COUNTER}]:8`,
      '[vm1:counter]',
      `[va:${spa}@hart0]:1`,
      `[va:${spa}]:4`,
    ]) {
      expect(value(text), text).toBe(1n);
    }
    expect(value('[trap_entry]:4')).toBe(value(`[spa:${label('trap_entry')}]:4`));
    expect(value('[hart0.sp - 0x1000]:8')).toBe(0x200000dfn);
    expect(value('[spa:(hart0.hgatp & 0xfffffffffff) * 0x1000]')).toBe(0x200000dfn);
    runToGuest();
    expect(value(`[va:${COUNTER}]`)).toBe(value('[va:hart0.s2@hart0]'));
  });

  it.each([
    ['[spa:0x1000]', 'there is no RAM at 0x1000: it lies at 0x8000_0000 to 0x80ff_ffff'],
    ['[spa:0x80fffffc]', 'there is no RAM at 0x8100_0000'],
    ['[vm1:0x40000000]', 'vm1:0x4000_0000 is not mapped'],
    ['[vm7:0]', 'there is no VM 7'],
    ['vm7.state', 'there is no VM 7'],
    ['vm1.pc', 'the pc of VM 1 is not known'],
  ])('%s: %s', (text, message) => {
    runTo('trap_entry');
    expect(() => value(text)).toThrow(message);
    expect(() => value(text)).toThrow(AbsentError);
    expect(isSo(`${text} == ${text.endsWith('state') ? 'running' : '0'}`)).toBe(false);
  });

  it.each([
    ['[0x80200000]', 'could be an address of several kinds: say spa:0x80200000 (physical), va:0x80200000 (virtual)'],
    ['[guest:counter]', "'counter' is a symbol of the guest: say of which VM, as vm1:counter"],
    ['hart2.pc', 'there is no hart 2: this machine has harts 0 to 1'],
  ])('%s: %s', (text, message) => {
    expect(() => value(text)).toThrow(message);
    expect(() => isSo(text)).toThrow(UserError);
  });
});

describe('a place', () => {
  const place = (text: string, bytes?: number) => resolvePlace(parseExpression(text), context, bytes);

  it('says in which space it is, where that lies now and what that depends on', () => {
    runToGuest();
    const paddr = Number(COUNTER + GUEST_OFFSET);
    const hgatp = value('hart0.hgatp');
    expect(place('[vm1:counter]:4')).toEqual({
      ...{ kind: 'memory', space: 'gpa', address: COUNTER, vmid: 1, hgatp, bytes: 4, missing: undefined },
      ranges: [{ paddr, bytes: 4 }],
    });
    expect(place('va:hart0.s2')).toMatchObject({
      ...{ space: 'va', hart: 0, mode: 'VS', bytes: 8, roots: { vsatp: 0n, hgatp } },
      ranges: [{ paddr, bytes: 8 }],
    });
    expect(place('trap_entry')).toMatchObject({ space: 'spa', address: label('trap_entry'), bytes: 16 });
    expect(place('spa:0x80fff000', 0x2000)).toMatchObject({
      ranges: [{ paddr: 0x80ff_f000, bytes: 0x1000 }],
      missing: 'there is no RAM at 0x8100_0000: it lies at 0x8000_0000 to 0x80ff_ffff',
    });
  });

  it('may be a register, a VM or a counter, and is no condition', () => {
    expect(place('hart0.a0')).toEqual({ kind: 'register', hart: 0, name: 'x10' });
    expect(place('vm2.state')).toEqual({ kind: 'vm', vmid: 2, field: 'state' });
    expect(place('ticks')).toEqual({ kind: 'counter', name: 'ticks' });
    expect(() => place('moment == 5')).toThrow("'moment == 5' is true or false, and no place");
  });
});

it('of any tree there is a value, or one clear line', () => {
  runToGuest();
  fc.assert(
    fc.property(expressions, (tree) => {
      try {
        const found = evaluate(tree, context);
        if (typeof found === 'bigint') expect(found).toBe(BigInt.asUintN(64, found));
        expect(holds(tree, context)).toBe(found !== 0n && typeof found === 'bigint');
      } catch (error) {
        expect(error).toBeInstanceOf(UserError);
        expect((error as Error).message).not.toContain('\n');
      }
    }),
    { numRuns: 500 },
  );
});
