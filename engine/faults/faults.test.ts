import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../base/errors.ts';
import {
  type ArmedFault,
  applyFault,
  FAULT_CSRS,
  type Fault,
  type FaultTarget,
  formatFault,
  parseFault,
  readFault,
  resolveFault,
} from './index.ts';

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
  fc.record({
    model: fc.constant('code' as const),
    hart,
    span: fc.constantFrom('instruction' as const, 'window' as const),
    bit: fc.integer({ min: 0, max: 31 }),
    repair: fc.constantFrom('on-detection' as const, 'never' as const, 'stuck' as const),
  }),
  fc.record({
    model: fc.constant('csr' as const),
    hart,
    csr: fc.constantFrom(...FAULT_CSRS),
    bit: fc.integer({ min: 0, max: 63 }),
  }),
  fc
    .record({
      model: fc.constant('interrupt' as const),
      hart,
      line: fc.oneof(fc.constantFrom('ipi' as const, 'timer' as const), fc.integer({ min: 1, max: 95 })),
      effect: fc.constantFrom('lost' as const, 'duplicated' as const, 'late' as const),
      ticks: fc.integer({ min: 1, max: 1e9 }),
    })
    .map((fault) => ({
      ...fault,
      hart: typeof fault.line === 'number' ? -1 : fault.hart,
      ticks: fault.effect === 'late' ? fault.ticks : 0,
    })),
  fc.record({
    model: fc.constant('device' as const),
    slot: fc.integer({ min: 0, max: 7 }),
    effect: fc.constantFrom('io-error' as const, 'drop-frame' as const),
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

  it('takes data for a fault only if it is one, with a definite hart', () => {
    fc.assert(
      fc.property(anyFault, (fault) => {
        const isDefinite =
          !('hart' in fault) || fault.hart !== -1 || ('line' in fault && typeof fault.line === 'number');
        expect(readFault(fault)).toEqual(isDefinite ? fault : undefined);
      }),
    );
    for (const data of [
      {},
      { model: 'memory' },
      { model: 'csr', hart: 0, csr: 'mstatus', bit: 1 },
      { model: 'memory', paddr: 1.5, bit: 0 },
    ]) {
      expect(readFault(data)).toBeUndefined();
    }
  });

  it('reads the documented forms', () => {
    expect(parseFault('failstop')).toEqual({ model: 'failstop', hart: -1 });
    expect(parseFault('failstop,hart=1')).toEqual({ model: 'failstop', hart: 1 });
    expect(parseFault('register=x10,bit=5,hart=0')).toEqual({ model: 'register', hart: 0, register: 10, bit: 5 });
    expect(parseFault('register=pc, bit=63')).toEqual({ model: 'register', hart: -1, register: 32, bit: 63 });
    expect(parseFault('memory=0x80201000,bit=3')).toEqual({ model: 'memory', paddr: 0x80201000, bit: 3 });
    const code = { model: 'code', hart: -1, span: 'instruction', bit: 7, repair: 'on-detection' };
    expect(parseFault('code=instruction,bit=7')).toEqual(code);
    expect(parseFault('code=window,bit=127,repair=never')).toEqual({
      ...code,
      span: 'window',
      bit: 127,
      repair: 'never',
    });
    expect(parseFault('csr=hgatp,bit=44,hart=1')).toEqual({ model: 'csr', hart: 1, csr: 'hgatp', bit: 44 });
    const late = { model: 'interrupt', hart: 1, line: 'timer', effect: 'late', ticks: 100_000 };
    expect(parseFault('interrupt=timer,effect=late,ticks=100000,hart=1')).toEqual(late);
    const lost = { model: 'interrupt', hart: -1, line: 10, effect: 'lost', ticks: 0 };
    expect(parseFault('interrupt=10,effect=lost')).toEqual(lost);
    expect(parseFault('device=7,effect=io-error')).toEqual({ model: 'device', slot: 7, effect: 'io-error' });
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
    ['code=line,bit=1', /one of instruction, window, not 'line'/],
    ['code=instruction,bit=32', /from 0 to 31/],
    ['code=window,bit=3,repair=later', /stuck', not 'later'/],
    ['csr=mstatus,bit=1', /one of sstatus/],
    ['interrupt=ipi', /needs 'effect=lost/],
    ['interrupt=0,effect=lost', /no interrupt source 0/],
    ['interrupt=timer,effect=late', /needs 'ticks/],
    ['interrupt=timer,effect=lost,ticks=5', /'ticks' does not belong/],
    ['interrupt=10,effect=lost,hart=1', /'hart' does not belong/],
    ['device=8,effect=io-error', /from 0 to 7/],
    ['failstop,hart', /name=value/],
    ['failstop,hart=-1', /from 0 to 7/],
  ])('refuses %j and says why', (text, why) => {
    expect(() => parseFault(text)).toThrow(UserError);
    expect(() => parseFault(text)).toThrow(why);
  });
});

describe('injection', () => {
  interface TestTarget extends FaultTarget {
    readonly registers: Map<string, bigint>;
    readonly bytes: Uint8Array;
    readonly armed: ArmedFault[];
    readonly raised: unknown[];
  }
  const target = (): TestTarget => {
    const registers = new Map<string, bigint>();
    const bytes = new Uint8Array(16);
    const armed: ArmedFault[] = [];
    const raised: unknown[] = [];
    return {
      hartCount: 2,
      armed,
      raised,
      csr: (n, name) => registers.get(`${n}.${name}`) ?? (name === 'time' ? 500n : 0n),
      writeCsr: (n, name, value) => void registers.set(`${n}.${name}`, value),
      translate: (_hart, va) => Number(va),
      arm: (fault) => void armed.push(fault),
      raise: (line) => void raised.push(line),
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

  it('flips a bit of the instruction at pc, whatever its length, and has it repaired', () => {
    const code = { model: 'code', hart: 0, span: 'instruction', bit: 21, repair: 'on-detection' } as const;
    const compressed = target();
    applyFault(compressed, code);
    expect([...compressed.bytes.subarray(4, 8)]).toEqual([1 << 5, 0, 0, 0]);
    expect(compressed.armed).toEqual([{ kind: 'repair', ramOffset: 4, mask: 1 << 5, value: 0 }]);
    const long = target();
    long.bytes.set([0x13, 0, 0xff, 0], 4);
    applyFault(long, { ...code, repair: 'never' });
    expect([...long.bytes.subarray(4, 8)]).toEqual([0x13, 0, 0xff ^ (1 << 5), 0]);
    expect(long.armed).toEqual([]);
    const stuck = target();
    applyFault(stuck, { ...code, repair: 'stuck' });
    expect(stuck.armed).toEqual([{ kind: 'stuck', ramOffset: 4, mask: 1 << 5, value: 1 << 5 }]);
    const window = target();
    applyFault(window, { ...code, span: 'window', bit: 88 });
    expect(window.bytes[15]).toBe(1);
    expect(() => applyFault(window, { ...code, span: 'window', bit: 127 })).toThrow(/no code in RAM/);
  });

  it('flips a bit of a CSR, and disturbs timers', () => {
    const machine = target();
    applyFault(machine, { model: 'csr', hart: 1, csr: 'hgatp', bit: 60 });
    expect(machine.registers.get('1.hgatp')).toBe(1n << 60n);
    const timer = { model: 'interrupt', hart: 0, line: 'timer', ticks: 0 } as const;
    machine.writeCsr(0, 'stimecmp', 1000n);
    applyFault(machine, { ...timer, effect: 'late', ticks: 250 });
    expect(machine.csr(0, 'stimecmp')).toBe(1003n);
    applyFault(machine, { ...timer, effect: 'duplicated' });
    expect(machine.csr(0, 'stimecmp')).toBe(500n);
    applyFault(machine, { ...timer, effect: 'lost' });
    expect(machine.csr(0, 'stimecmp')).toBe((1n << 64n) - 1n);
    applyFault(machine, { ...timer, effect: 'late', ticks: 1e9 });
    expect(machine.csr(0, 'stimecmp')).toBe((1n << 64n) - 1n);
  });

  it('leaves to the machine what has to wait', () => {
    const machine = target();
    applyFault(machine, { model: 'interrupt', hart: 1, line: 'ipi', effect: 'late', ticks: 7 });
    applyFault(machine, { model: 'interrupt', hart: -1, line: 10, effect: 'lost', ticks: 0 });
    applyFault(machine, { model: 'device', slot: 3, effect: 'drop-frame' });
    expect(machine.armed).toEqual([
      { kind: 'ipi', hart: 1, ticks: 7 },
      { kind: 'source', source: 10, ticks: 0 },
      { kind: 'drop-frame', slot: 3 },
    ]);
    applyFault(machine, { model: 'interrupt', hart: 1, line: 'ipi', effect: 'duplicated', ticks: 0 });
    applyFault(machine, { model: 'interrupt', hart: -1, line: 10, effect: 'duplicated', ticks: 0 });
    expect(machine.raised).toEqual([{ hart: 1 }, { source: 10 }]);
  });

  it('refuses a hart or an address that the machine does not have', () => {
    expect(() => applyFault(target(), { model: 'failstop', hart: 2 })).toThrow(/harts 0…1/);
    expect(() => applyFault(target(), { model: 'memory', paddr: 0x70000000, bit: 0 })).toThrow(/no RAM/);
  });

  it('resolves the next hart before the fault is recorded', () => {
    const machine = { config: { harts: 4 }, next: () => ({ hart: 3 }) };
    expect(resolveFault(machine, { model: 'failstop', hart: -1 })).toEqual({ model: 'failstop', hart: 3 });
    expect(resolveFault(machine, { model: 'failstop', hart: 0 })).toEqual({ model: 'failstop', hart: 0 });
    expect(() => resolveFault(machine, { model: 'failstop', hart: 4 })).toThrow(
      /fault on hart 4: the machine has harts 0…3/,
    );
  });
});
