import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { offsetOf } from '../core/layout/index.ts';
import { BOARD, slotOf } from '../machine/board/board.ts';
import { createBus } from '../machine/bus/bus.ts';
import { decodeHalt, PLIC_SOURCES, plic } from './index.ts';
import { type Bench, createBench } from './testing.ts';

const FINISHER = 0x100000;
const ACLINT = 0x2000000;
const PLIC = 0xc000000;
const UART = 0x10000000;
const bench = (from?: ArrayBuffer, harts = 2) =>
  createBench(
    (memory, observer) =>
      createBus(memory, observer, {
        board: BOARD,
        wallClock: 1_000_000_000,
        seed: 0n,
        disk: () => undefined,
        storeRam: () => expect.unreachable('nothing on the bare board stores to RAM'),
      }),
    from,
    harts,
  );

describe('the bus', () => {
  it('answers only where a device is, and only sizes that the device takes', () => {
    const its = bench();
    expect(its.load(0x102000, 4)).toBeUndefined();
    expect(its.load(0x300000, 4)).toBeUndefined();
    expect(its.store(0xffff_fff8, 4, 1)).toBe(false);
    expect(its.load(PLIC, 1)).toBeUndefined();
    expect(its.load(PLIC, 8)).toBeUndefined();
    expect(its.store(FINISHER, 1, 0x55)).toBe(false);
    expect(its.load(UART + 5, 1)).toBe(0x60);
  });
});

describe('the finisher', () => {
  it.each([
    [0x5555, { status: 'pass', code: 0 }],
    [0x3333 + 7 * 65536, { status: 'fail', code: 7 }],
    [0x7777, { status: 'reset', code: 0 }],
    [0xffff3333, { status: 'fail', code: 0xffff }],
  ])('ends the run on %i', (value, halt) => {
    const its = bench();
    its.store(FINISHER, 4, value);
    expect(decodeHalt(its.haltCode())).toEqual(halt);
  });

  it('takes notes and ignores everything else', () => {
    const its = bench();
    for (const value of [0, 0x5556, 0xfff, 0x2000, 0x1001 + 2 * 65536, 0x1fff]) its.store(FINISHER, 4, value);
    its.store(FINISHER + 4, 4, 0x5555);
    expect(its.log).toEqual(['0/0 note 0 1001 2', '0/0 note 0 1fff 0']);
    expect(decodeHalt(its.haltCode())).toBeUndefined();
    expect(its.load(FINISHER, 4)).toBe(0);
  });
});

describe('the ACLINT', () => {
  it('sets and clears software interrupts of one hart', () => {
    const its = bench();
    its.store(ACLINT + 4, 4, 0xffffffff);
    expect([its.lines(0), its.lines(1)]).toEqual([0, 1 << 3]);
    expect(its.load(ACLINT + 4, 4)).toBe(1);
    its.store(ACLINT + 4, 4, 0xfffffffe);
    expect(its.lines(1)).toBe(0);
    its.store(ACLINT + 8, 4, 1);
    expect(its.load(ACLINT + 8, 4)).toBe(0);
  });

  it('keeps mtimecmp whole or in halves', () => {
    const its = bench();
    expect(its.load(ACLINT + 0x4008, 4)).toBe(0xffffffff);
    its.store(ACLINT + 0x4008, 8, 0x89abcdef, 0x01234567);
    expect(its.load(ACLINT + 0x400c, 4)).toBe(0x01234567);
    its.store(ACLINT + 0x4008, 4, 5);
    expect(its.load(ACLINT + 0x4008, 8)).toBe(5);
    expect(its.high()).toBe(0x01234567);
    expect(its.load(ACLINT + 0x4000, 4)).toBe(0xffffffff);
  });

  it('counts mtime at 10 MHz exactly, also where doubles would round', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (ticks) => {
        const its = bench();
        its.setTicks(ticks);
        its.load(ACLINT + 0xbff8, 8);
        const read = BigInt(its.load(ACLINT + 0xbffc, 4)!) * 2n ** 32n + BigInt(its.load(ACLINT + 0xbff8, 4)!);
        expect(read).toBe(BigInt(ticks) / 100n);
      }),
    );
  });

  it('lets software set mtime, whole or in halves, from where it counts on and wraps', () => {
    const word = fc.integer({ min: 0, max: 0xffffffff });
    fc.assert(
      fc.property(fc.nat(2 ** 50), fc.nat(2 ** 40), word, word, word, (ticks, later, low, high, newLow) => {
        const its = bench();
        const read = () => {
          const [a, b] = [its.load(ACLINT + 0xbff8, 4), its.load(ACLINT + 0xbffc, 4)];
          return BigInt(b!) * 2n ** 32n + BigInt(a!);
        };
        its.setTicks(ticks);
        its.store(ACLINT + 0xbff8, 8, low, high);
        expect(read()).toBe(BigInt(high) * 2n ** 32n + BigInt(low));
        its.store(ACLINT + 0xbff8, 4, newLow);
        const set = BigInt(high) * 2n ** 32n + BigInt(newLow);
        expect(read()).toBe(set);
        its.setTicks(ticks + later);
        const passed = BigInt(ticks + later) / 100n - BigInt(ticks) / 100n;
        expect(read()).toBe(BigInt.asUintN(64, set + passed));
      }),
    );
  });
});

const MEIP = 1 << 11;
const SEIP = 1 << 9;
const CLAIM = (context: number) => PLIC + 0x200004 + 0x1000 * context;
const ENABLE = (context: number) => PLIC + 0x2000 + 0x80 * context;
const UART_IRQ = 10;

/** Raises inputs that no device of this board drives, in the record. */
function plicInputs(its: Bench) {
  const level = (slotOf('plic').record + offsetOf(plic.record, 'level')) >> 2;
  const words = new Uint32Array(its.memory);
  return { raise: (source: number) => (words[level + (source >>> 5)]! |= 1 << (source & 31)) };
}

describe('the PLIC', () => {
  /** Input 10 is the UART's: high while it holds a byte and IER asks for it. */
  const withInput = (its: Bench) => {
    its.store(UART + 1, 1, 1);
    its.receive('x');
    return its;
  };

  it('interrupts the contexts that enabled the source, above their thresholds', () => {
    const its = bench();
    its.store(PLIC + 4 * UART_IRQ, 4, 3);
    its.store(ENABLE(0), 4, 1 << UART_IRQ);
    its.store(ENABLE(3), 4, 1 << UART_IRQ);
    its.store(PLIC + 0x200000 + 0x3000, 4, 3);
    withInput(its);
    expect([its.lines(0), its.lines(1)]).toEqual([MEIP, 0]);
    its.store(PLIC + 0x200000 + 0x3000, 4, 2);
    expect([its.lines(0), its.lines(1)]).toEqual([MEIP, SEIP]);
    expect(its.load(PLIC + 0x1000, 4)).toBe(1 << UART_IRQ);
  });

  it('serves a source once: claim, then complete', () => {
    const its = withInput(bench());
    its.store(PLIC + 4 * UART_IRQ, 4, 7);
    its.store(ENABLE(1), 4, 1 << UART_IRQ);
    expect(its.lines(0)).toBe(SEIP);
    expect(its.load(CLAIM(1), 4)).toBe(UART_IRQ);
    expect(its.lines(0)).toBe(0);
    expect(its.load(CLAIM(1), 4)).toBe(0);
    its.store(CLAIM(0), 4, UART_IRQ);
    expect(its.lines(0)).toBe(0);
    its.store(CLAIM(1), 4, UART_IRQ);
    expect(its.lines(0)).toBe(SEIP);
  });

  it('claims whatever the threshold, which masks notifications only', () => {
    const its = bench();
    its.store(PLIC + 4 * UART_IRQ, 4, 3);
    its.store(ENABLE(0), 4, 1 << UART_IRQ);
    its.store(PLIC + 0x200000, 4, 7);
    // The transmitter is empty.
    its.store(UART + 1, 1, 2);
    expect([its.lines(0), its.load(CLAIM(0), 4), its.load(CLAIM(0), 4)]).toEqual([0, UART_IRQ, 0]);
  });

  it('never claims a source of priority 0', () => {
    const its = withInput(bench());
    its.store(ENABLE(0), 4, 1 << UART_IRQ);
    expect([its.lines(0), its.load(CLAIM(0), 4)]).toEqual([0, 0]);
  });

  it('keeps a request whose input falls before the claim, and makes no second one of it', () => {
    const its = withInput(bench());
    its.store(PLIC + 4 * UART_IRQ, 4, 1);
    its.store(ENABLE(0), 4, 1 << UART_IRQ);
    expect(its.load(UART, 1)).toBe('x'.charCodeAt(0));
    expect([its.lines(0), its.load(CLAIM(0), 4)]).toEqual([MEIP, UART_IRQ]);
    its.store(CLAIM(0), 4, UART_IRQ);
    expect([its.lines(0), its.load(CLAIM(0), 4)]).toEqual([0, 0]);
  });

  it('has as many sources as the device tree says', () => {
    const its = bench();
    const kept = Array.from({ length: 1024 }, (_, source) => {
      its.store(PLIC + 4 * source, 4, 1);
      return its.load(PLIC + 4 * source, 4);
    });
    expect(kept.lastIndexOf(1)).toBe(PLIC_SOURCES);
    expect(kept.filter((priority) => priority === 1)).toHaveLength(PLIC_SOURCES);
  });

  it('keeps 3 bits of priority, has no source 0, and reads 0 for harts that do not exist', () => {
    const its = bench();
    its.store(PLIC + 4, 4, 0xff);
    its.store(PLIC, 4, 7);
    its.store(ENABLE(0), 4, 0xffffffff);
    its.store(ENABLE(4), 4, 0xffffffff);
    expect([PLIC + 4, PLIC, ENABLE(0), ENABLE(4), CLAIM(4)].map((at) => its.load(at, 4))).toEqual([
      7, 0, 0xfffffffe, 0, 0,
    ]);
  });

  it('always claims the highest priority, lowest number first (against a direct model)', () => {
    const sources = fc.uniqueArray(fc.record({ source: fc.integer({ min: 1, max: 95 }), priority: fc.nat(7) }), {
      selector: (its) => its.source,
      minLength: 1,
      maxLength: 12,
    });
    fc.assert(
      fc.property(sources, fc.nat(7), (all, threshold) => {
        const its = bench();
        const record = plicInputs(its);
        for (const { source, priority } of all) {
          its.store(PLIC + 4 * source, 4, priority);
          record.raise(source);
        }
        for (const word of [0, 1, 2]) its.store(ENABLE(1) + 4 * word, 4, 0xffffffff);
        its.store(PLIC + 0x201000, 4, threshold);
        expect(its.lines(0)).toBe(all.some(({ priority }) => priority > threshold) ? SEIP : 0);
        const expected = all
          .filter(({ priority }) => priority > 0)
          .sort((a, b) => b.priority - a.priority || a.source - b.source)
          .map(({ source }) => source);
        const claimed = [...expected, 0].map(() => its.load(CLAIM(1), 4));
        expect(claimed).toEqual([...expected, 0]);
      }),
    );
  });
});

describe('the UART', () => {
  it('transmits at once and is always ready', () => {
    const its = bench();
    for (const byte of new TextEncoder().encode('ok')) its.store(UART, 1, byte);
    expect(its.log).toEqual(['0/0 console o', '0/0 console k']);
    expect(its.load(UART + 5, 1)).toBe(0x60);
  });

  it('keeps its divisor apart from its data', () => {
    const its = bench();
    its.store(UART + 3, 1, 0x83);
    its.store(UART, 1, 0x34);
    its.store(UART + 1, 1, 0x12);
    its.store(UART + 3, 1, 0x03);
    its.store(UART + 7, 1, 0xa5);
    expect(its.log).toEqual([]);
    expect([its.load(UART + 1, 1), its.load(UART + 7, 1), its.load(UART + 3, 1)]).toEqual([0, 0xa5, 3]);
    its.store(UART + 3, 1, 0x80);
    expect([its.load(UART, 1), its.load(UART + 1, 1)]).toEqual([0x34, 0x12]);
  });

  it('reports causes by priority: overrun, data, timeout, transmitter', () => {
    const its = bench();
    expect(its.load(UART + 2, 1)).toBe(0x01);
    its.store(UART + 1, 1, 0x02);
    expect([its.load(UART + 2, 1), its.load(UART + 2, 1)]).toEqual([0x02, 0x01]);
    its.store(UART, 1, 0x41);
    its.store(UART + 1, 1, 0x07);
    expect(its.load(UART + 2, 1)).toBe(0x02);
    its.store(UART + 2, 1, 0x41);
    its.receive('abc');
    expect(its.load(UART + 2, 1)).toBe(0xcc);
    its.receive('d');
    expect(its.load(UART + 2, 1)).toBe(0xc4);
    its.receive('e'.repeat(5000));
    expect(its.load(UART + 2, 1)).toBe(0xc6);
    expect([its.load(UART + 5, 1), its.load(UART + 5, 1)]).toEqual([0x63, 0x61]);
  });

  it('loses nothing while the sender has room, with FIFOs on or off', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 900 }), fc.boolean(), (text, fifos) => {
        const its = bench();
        its.store(UART + 2, 1, fifos ? 0x01 : 0x00);
        its.receive(text);
        const received: number[] = [];
        while (its.load(UART + 5, 1)! & 1) received.push(its.load(UART, 1)!);
        expect(new TextDecoder().decode(Uint8Array.from(received))).toBe(text.toWellFormed());
        expect(its.load(UART, 1)).toBe(0);
      }),
    );
  });

  it('loops back data and modem lines', () => {
    const its = bench();
    expect(its.load(UART + 6, 1)).toBe(0xb0);
    its.store(UART + 4, 1, 0x1a);
    expect(its.load(UART + 6, 1)! & 0xf0).toBe(0x90);
    its.store(UART, 1, 0x5a);
    expect([its.log.length, its.load(UART + 5, 1), its.load(UART, 1)]).toEqual([0, 0x61, 0x5a]);
  });

  it('drops received data when the FIFO is cleared', () => {
    const its = bench();
    its.store(UART + 2, 1, 1);
    its.receive('ab');
    its.store(UART + 2, 1, 3);
    expect(its.load(UART + 5, 1)).toBe(0x60);
  });
});

describe('every device', () => {
  const offsets = fc.oneof(
    fc.record({ base: fc.constant(UART), offset: fc.nat(8), size: fc.constant(1) }),
    fc.record({ base: fc.constant(PLIC), offset: fc.nat(96).map((n) => 4 * n), size: fc.constant(4) }),
    fc.record({
      base: fc.constant(PLIC),
      offset: fc.constantFrom(0x1000, 0x2000, 0x2004, 0x2080, 0x2180, 0x200000, 0x200004, 0x201000, 0x201004),
      size: fc.constant(4),
    }),
    fc.record({
      base: fc.constant(ACLINT),
      offset: fc.constantFrom(0, 4, 0x4000, 0x4008, 0xbff8),
      size: fc.constantFrom(4, 8),
    }),
    fc.record({ base: fc.constant(FINISHER), offset: fc.constantFrom(0, 4), size: fc.constantFrom(2, 4) }),
  );
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('load' as const), at: offsets }),
    fc.record({ kind: fc.constant('store' as const), at: offsets, value: fc.nat(0xffffffff) }),
    fc.record({ kind: fc.constant('store' as const), at: offsets, value: fc.nat(0x1f) }),
    fc.record({ kind: fc.constant('receive' as const), text: fc.string({ maxLength: 40 }) }),
  );
  type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;
  const perform = (its: Bench, op: Operation): unknown => {
    if (op.kind === 'receive') return its.receive(op.text);
    const { base, offset, size } = op.at;
    return op.kind === 'load' ? its.load(base + offset, size) : its.store(base + offset, size, op.value);
  };

  it('continues from a copy of its bytes as if never stopped', () => {
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 60 }), fc.nat(60), (operations, cut) => {
        const straight = bench();
        const expected = operations.map((op) => perform(straight, op));
        const first = bench();
        const seen = operations.slice(0, cut).map((op) => perform(first, op));
        const second = bench(first.memory);
        seen.push(...operations.slice(cut).map((op) => perform(second, op)));
        expect(seen).toEqual(expected);
        expect([...first.log, ...second.log]).toEqual(straight.log);
        expect(Buffer.compare(Buffer.from(second.memory), Buffer.from(straight.memory))).toBe(0);
      }),
      { numRuns: 300 },
    );
  });
});
