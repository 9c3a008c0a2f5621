import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../errors.ts';
import { applyFault, type Fault, type FaultTarget, formatFault, parseFault, resolveFault } from './index.ts';

const hart = fc.integer({ min: -1, max: 7 });
const anyFault: fc.Arbitrary<Fault> = fc.oneof(
  fc.record({ model: fc.constant('failstop' as const), hart }),
  fc.record({
    model: fc.constant('register' as const),
    hart,
    register: fc.integer({ min: 1, max: 32 }),
    bit: fc.integer({ min: 0, max: 63 }),
  }),
  fc.record({
    model: fc.constant('memory' as const),
    paddr: fc.integer({ min: 0, max: 2 ** 40 }),
    bit: fc.integer({ min: 0, max: 7 }),
  }),
);

describe('fault text', () => {
  it('reads back what it writes', () => {
    fc.assert(
      fc.property(anyFault, (fault) => {
        expect(parseFault(formatFault(fault))).toEqual(fault);
      }),
    );
  });

  it('reads the documented forms', () => {
    expect(parseFault('failstop')).toEqual({ model: 'failstop', hart: -1 });
    expect(parseFault('failstop,hart=1')).toEqual({ model: 'failstop', hart: 1 });
    expect(parseFault('register=x10,bit=5,hart=0')).toEqual({ model: 'register', hart: 0, register: 10, bit: 5 });
    expect(parseFault('register=pc, bit=63')).toEqual({ model: 'register', hart: -1, register: 32, bit: 63 });
    expect(parseFault('memory=0x80201000,bit=3')).toEqual({ model: 'memory', paddr: 0x80201000, bit: 3 });
  });

  it.each([
    ['', /it is empty/],
    ['crash', /no fault model 'crash'/],
    ['failstop=3', /takes no value/],
    ['register=x0,bit=1', /x1…x31 or pc, not 'x0'/],
    ['register=x32,bit=1', /x1…x31/],
    ['register,bit=1', /x1…x31/],
    ['register=x3', /needs 'bit=0…63'/],
    ['register=x3,bit=64', /from 0 to 63, not '64'/],
    ['register=x3,bit=1e1', /from 0 to 63/],
    ['register=x3,bit=1,bit=2', /given twice/],
    ['memory=80 00,bit=0', /integer/],
    ['memory,bit=0', /needs a physical address/],
    ['memory=0x80000000,bit=8', /from 0 to 7/],
    ['memory=0x80000000,bit=1,hart=0', /'hart' does not belong to 'memory'/],
    ['failstop,hart', /name=value/],
    ['failstop,hart=-1', /from 0 to 7/],
  ])('refuses %j and says why', (text, why) => {
    expect(() => parseFault(text)).toThrow(UserError);
    expect(() => parseFault(text)).toThrow(why);
  });
});

describe('injection', () => {
  const target = (): FaultTarget & { registers: Map<string, bigint>; bytes: Uint8Array } => {
    const registers = new Map<string, bigint>();
    const bytes = new Uint8Array(16);
    return {
      hartCount: 2,
      registers,
      bytes,
      readRegister: (n, register) => registers.get(`${n}.${register}`) ?? 0x80000004n,
      writeRegister: (n, register, value) => void registers.set(`${n}.${register}`, value),
      readByte: (paddr) => bytes[paddr - 0x80000000],
      writeByte: (paddr, value) => void (bytes[paddr - 0x80000000] = value),
    };
  };

  it('failstop sets pc to 0 on its hart only', () => {
    const machine = target();
    applyFault(machine, { model: 'failstop', hart: 1 });
    expect([...machine.registers]).toEqual([['1.32', 0n]]);
  });

  it('flips exactly one bit, and flipping twice restores', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 31 }), fc.integer({ min: 0, max: 63 }), (register, bit) => {
        const machine = target();
        applyFault(machine, { model: 'register', hart: 0, register, bit });
        expect(machine.readRegister(0, register) ^ 0x80000004n).toBe(1n << BigInt(bit));
        applyFault(machine, { model: 'register', hart: 0, register, bit });
        expect(machine.readRegister(0, register)).toBe(0x80000004n);
      }),
    );
  });

  it('never makes a pc odd', () => {
    const machine = target();
    applyFault(machine, { model: 'register', hart: 0, register: 32, bit: 0 });
    expect(machine.readRegister(0, 32)).toBe(0x80000004n);
  });

  it('flips a bit of memory', () => {
    const machine = target();
    applyFault(machine, { model: 'memory', paddr: 0x80000003, bit: 7 });
    expect(machine.bytes[3]).toBe(0x80);
  });

  it('refuses a hart or an address that the machine does not have', () => {
    expect(() => applyFault(target(), { model: 'failstop', hart: 2 })).toThrow(/harts 0…1/);
    expect(() => applyFault(target(), { model: 'memory', paddr: 0x70000000, bit: 0 })).toThrow(/no RAM/);
  });

  it('resolves the next hart before the fault is recorded', () => {
    const machine = { next: () => ({ hart: 3 }) };
    expect(resolveFault(machine, { model: 'failstop', hart: -1 })).toEqual({ model: 'failstop', hart: 3 });
    expect(resolveFault(machine, { model: 'failstop', hart: 0 })).toEqual({ model: 'failstop', hart: 0 });
  });
});
