/**
 * Devices against small models: whatever a driver does, register by register, the device answers as an obvious program
 * over plain objects does. At any operation the device may be taken out and put into another machine.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { offsetOf } from '../core/layout/index.ts';
import { BOARD, slotOf } from '../machine/board/board.ts';
import { createBus } from '../machine/bus/bus.ts';
import { isInputHigh } from '../machine/virtio-testing.ts';
import { plic } from './index.ts';
import { type Bench, createBench } from './testing.ts';

const ACLINT = 0x2000000;
const PLIC = 0xc000000;
const UART = 0x10000000;
const UART_IRQ = 10;
const HARTS = 2;
/** A machine of bare devices; `from`: with the memory of another. */
const bench = (from?: ArrayBuffer) =>
  createBench(
    (memory, observer) =>
      createBus(memory, observer, {
        board: BOARD,
        wallClock: 0,
        seed: 0n,
        disk: () => undefined,
        storeRam: () => expect.unreachable('nothing on the bare board stores to RAM'),
      }),
    from,
    HARTS,
  );
const MEIP = 11;
const SEIP = 9;

/** Performs operations on a device and on its model; before operation `move` the device moves to another machine. */
function compare<T>(
  operations: readonly T[],
  move: number,
  perform: (its: Bench, operation: T, n: number) => void,
): void {
  let its = bench();
  operations.forEach((operation, n) => {
    if (n === move) its = bench(its.memory);
    perform(its, operation, n);
  });
}
const lists = <T>(operation: fc.Arbitrary<T>) =>
  [fc.array(operation, { maxLength: 80, size: 'max' }), fc.nat(80)] as const;

/** RISC-V PLIC 1.0.0 with level-triggered gateways. */
class PlicModel {
  readonly priority = new Map<number, number>();
  readonly wires = new Set<number>();
  /** Sent by the gateways and not yet claimed; claimed and not yet completed. */
  readonly requests = new Set<number>();
  readonly served = new Set<number>();
  readonly enabled = [0, 1, 2, 3].map(() => new Set<number>());
  readonly threshold = [0, 0, 0, 0];

  wire(source: number, on: boolean): void {
    if (on) this.wires.add(source);
    else this.wires.delete(source);
    this.send(source);
  }
  send(source: number): void {
    if (this.wires.has(source) && !this.served.has(source)) this.requests.add(source);
  }
  rank(source: number): number {
    return this.priority.get(source) ?? 0;
  }
  claimable(context: number): readonly number[] {
    return [...this.requests]
      .filter((source) => this.enabled[context]!.has(source) && this.rank(source) > 0)
      .sort((a, b) => this.rank(b) - this.rank(a) || a - b);
  }
  claim(context: number): number {
    const [source = 0] = this.claimable(context);
    if (this.requests.delete(source)) this.served.add(source);
    return source;
  }
  complete(context: number, source: number): void {
    if (!this.enabled[context]!.has(source)) return;
    this.served.delete(source);
    this.send(source);
  }
  pending(word: number): number {
    return bitsOf([...this.requests], word);
  }
  lines(hart: number): number {
    const notified = (context: number) =>
      this.claimable(context).some((source) => this.rank(source) > this.threshold[context]!);
    return (notified(2 * hart) ? 1 << MEIP : 0) | (notified(2 * hart + 1) ? 1 << SEIP : 0);
  }
}
const bitsOf = (sources: readonly number[], word: number) =>
  sources.filter((source) => source >> 5 === word).reduce((bits, source) => bits | (1 << (source & 31)), 0) >>> 0;

type PlicOperation =
  | { readonly kind: 'wire'; readonly source: number; readonly on: boolean }
  | { readonly kind: 'priority'; readonly source: number; readonly value: number }
  | { readonly kind: 'enable'; readonly context: number; readonly word: number; readonly value: number }
  | { readonly kind: 'threshold'; readonly context: number; readonly value: number }
  | { readonly kind: 'claim' | 'complete'; readonly context: number; readonly source: number };

describe('the PLIC', () => {
  /** Sources that no device of the test drives by itself: few, so that they meet. */
  const source = fc.constantFrom(31, 32, 40, 64, 70, 95);
  const context = fc.nat(3);
  const operation: fc.Arbitrary<PlicOperation> = fc.oneof(
    fc.record({ kind: fc.constant('wire' as const), source, on: fc.boolean() }),
    fc.record({ kind: fc.constant('priority' as const), source, value: fc.nat(0xff) }),
    fc.record({
      kind: fc.constant('enable' as const),
      context,
      word: fc.nat(2),
      value: fc.constantFrom(0xffffffff, 0, 0x80000001, 0x141),
    }),
    fc.record({ kind: fc.constant('threshold' as const), context, value: fc.constantFrom(0, 0, 1, 3, 7, 15) }),
    fc.record({ kind: fc.constantFrom('claim' as const, 'complete' as const), context, source }),
  );

  /** Input wires live in the record; the next access makes the device look at them. */
  const setWire = (its: Bench, wire: number, on: boolean) => {
    const at = ((slotOf('plic').record + offsetOf(plic.record, 'level')) >> 2) + (wire >>> 5);
    const words = new Uint32Array(its.memory);
    words[at] = on ? words[at]! | (1 << (wire & 31)) : words[at]! & ~(1 << (wire & 31));
    its.store(PLIC + 4, 4, 0);
  };

  const step = (its: Bench, model: PlicModel, op: PlicOperation) => {
    switch (op.kind) {
      case 'wire':
        setWire(its, op.source, op.on);
        model.wire(op.source, op.on);
        return;
      case 'priority':
        its.store(PLIC + 4 * op.source, 4, op.value);
        model.priority.set(op.source, op.value & 7);
        expect(its.load(PLIC + 4 * op.source, 4)).toBe(op.value & 7);
        return;
      case 'enable':
        its.store(PLIC + 0x2000 + 0x80 * op.context + 4 * op.word, 4, op.value);
        for (let bit = 0; bit < 32; bit++) {
          const number = op.word * 32 + bit;
          if (number !== 0 && (op.value >>> bit) & 1) model.enabled[op.context]!.add(number);
          else model.enabled[op.context]!.delete(number);
        }
        return;
      case 'threshold':
        its.store(PLIC + 0x200000 + 0x1000 * op.context, 4, op.value);
        model.threshold[op.context] = op.value & 7;
        return;
      case 'claim':
        expect(its.load(PLIC + 0x200004 + 0x1000 * op.context, 4)).toBe(model.claim(op.context));
        return;
      case 'complete':
        its.store(PLIC + 0x200004 + 0x1000 * op.context, 4, op.source);
        model.complete(op.context, op.source);
    }
  };

  it('does what its model does', () => {
    fc.assert(
      fc.property(...lists(operation), (operations, move) => {
        const model = new PlicModel();
        compare(operations, move, (its, op) => {
          step(its, model, op);
          for (const hart of [0, 1]) expect(its.lines(hart)).toBe(model.lines(hart));
          for (const word of [0, 1, 2]) expect(its.load(PLIC + 0x1000 + 4 * word, 4)).toBe(model.pending(word));
          for (const which of [0, 1, 2, 3]) {
            const enabled = its.load(PLIC + 0x2000 + 0x80 * which + 8, 4);
            expect(enabled).toBe(bitsOf([...model.enabled[which]!], 2));
          }
        });
      }),
      { numRuns: 200 },
    );
  });
});

/** A 16550A whose transmitter is always empty and whose sender waits while there is no room. */
class UartModel {
  /** Received and not yet read, and still at the sender. */
  fifo: number[] = [];
  sender: number[] = [];
  ier = 0;
  fcr = 0;
  lcr = 0;
  mcr = 8;
  scr = 0;
  divisor = [0x0c, 0];
  emptied = false;
  overrun = false;
  readonly sent: number[] = [];

  get depth(): number {
    return this.fcr & 1 ? 16 : 1;
  }
  settle(): void {
    while (this.sender.length > 0 && this.fifo.length < this.depth) this.fifo.push(this.sender.shift()!);
  }
  cause(): number {
    const trigger = this.fcr & 1 ? [1, 4, 8, 14][this.fcr >> 6]! : 1;
    if (this.ier & 4 && this.overrun) return 6;
    if (this.ier & 1 && this.fifo.length > 0) return this.fifo.length >= trigger ? 4 : 12;
    return this.ier & 2 && this.emptied ? 2 : 1;
  }
  read(register: number): number {
    const latch = this.lcr >= 0x80;
    if (register < 2 && latch) return this.divisor[register]!;
    if (register === 0) {
      const byte = this.fifo.shift() ?? 0;
      this.settle();
      return byte;
    }
    if (register === 2) {
      const cause = this.cause();
      if (cause === 2) this.emptied = false;
      return cause | (this.fcr & 1 ? 0xc0 : 0);
    }
    if (register === 5) {
      const status = 0x60 | (this.fifo.length > 0 ? 1 : 0) | (this.overrun ? 2 : 0);
      this.overrun = false;
      return status;
    }
    // Loop-back: DTR, RTS, OUT1, OUT2 appear as DSR, CTS, RI, DCD.
    const looped = [0x20, 0x10, 0x40, 0x80].filter((_, bit) => (this.mcr >> bit) & 1);
    const modem = this.mcr & 0x10 ? looped.reduce((sum, bit) => sum + bit, 0) : 0xb0;
    return [0, this.ier, 0, this.lcr, this.mcr, 0, modem, this.scr][register]!;
  }
  write(register: number, value: number): void {
    if (register < 2 && this.lcr >= 0x80) this.divisor[register] = value;
    else if (register === 0) this.transmit(value);
    else if (register === 1) {
      if (value & 2 && !(this.ier & 2)) this.emptied = true;
      this.ier = value & 15;
    } else if (register === 2) {
      const clears = (value & 2) !== 0 || (value & 1) !== (this.fcr & 1);
      this.fcr = value & 1 ? value & 0xc1 : 0;
      if (clears) this.fifo = [];
      if (clears) this.settle();
    } else if (register === 3) this.lcr = value;
    else if (register === 4) this.mcr = value & 0x1f;
    else if (register === 7) this.scr = value;
  }
  private transmit(value: number): void {
    if (!(this.mcr & 0x10)) this.sent.push(value);
    else if (this.fifo.length < this.depth) this.fifo.push(value);
    else this.overrun = true;
    this.emptied = true;
  }
}

describe('the UART', () => {
  const register = fc.nat(7);
  const operation = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('read' as const), register }) },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('write' as const),
        register: fc.constantFrom(0, 0, 1, 1, 2, 3, 4, 7),
        value: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 3, 7, 0x10, 0x41, 0x81, 0xc3)),
      }),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('type' as const), text: fc.string({ maxLength: 24 }) }) },
  );

  it('does what its model does', () => {
    fc.assert(
      fc.property(...lists(operation), (operations, move) => {
        const model = new UartModel();
        const sent: string[] = [];
        let log: readonly string[] = [];
        compare(operations, move, (its, op) => {
          if (its.log !== log) sent.push(...log);
          log = its.log;
          if (op.kind === 'read') expect(its.load(UART + op.register, 1)).toBe(model.read(op.register));
          else if (op.kind === 'write') {
            its.store(UART + op.register, 1, op.value);
            model.write(op.register, op.value);
          } else {
            its.receive(op.text);
            for (const byte of new TextEncoder().encode(op.text)) {
              model.sender.push(byte);
              model.settle();
            }
          }
          expect(isInputHigh(its.memory, UART_IRQ)).toBe(model.cause() !== 1);
        });
        const bytes = [...sent, ...log].map((line) => line.slice(line.indexOf('console ') + 8));
        expect(bytes).toEqual(model.sent.map((byte) => String.fromCharCode(byte)));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the ACLINT', () => {
  const hart = fc.nat(HARTS);
  const word = fc.nat({ max: 0xffff_ffff });
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('msip' as const), hart, value: word }),
    fc.record({ kind: fc.constant('half' as const), hart, half: fc.nat(1), value: word }),
    fc.record({ kind: fc.constant('whole' as const), hart, value: word, high: word }),
    fc.record({ kind: fc.constant('time' as const), ticks: fc.nat({ max: 2 ** 50 }), value: word }),
  );

  it('does what its model does', () => {
    fc.assert(
      fc.property(...lists(operation), (operations, move) => {
        const pending = Array.from({ length: HARTS }, () => 0);
        const compares = Array.from({ length: HARTS }, () => [0xffff_ffff, 0xffff_ffff]);
        let offset = 0n;
        compare(operations, move, (its, op) => {
          if (op.kind === 'time') {
            its.setTicks(op.ticks);
            const now = BigInt(op.ticks) / 100n;
            const before = BigInt.asUintN(64, now + offset);
            expect(its.load(ACLINT + 0xbff8, 4)).toBe(Number(before & 0xffff_ffffn));
            // A store sets its half and leaves the other.
            its.store(ACLINT + 0xbff8, 4, op.value);
            const after = ((before >> 32n) << 32n) | BigInt(op.value);
            offset = after - now;
            expect(its.load(ACLINT + 0xbff8, 4)).toBe(op.value);
            expect(its.load(ACLINT + 0xbffc, 4)).toBe(Number(after >> 32n));
          } else if (op.kind === 'msip') {
            its.store(ACLINT + 4 * op.hart, 4, op.value);
            if (op.hart < HARTS) pending[op.hart] = op.value & 1;
          } else if (op.kind === 'half') {
            its.store(ACLINT + 0x4000 + 8 * op.hart + 4 * op.half, 4, op.value);
            if (op.hart < HARTS) compares[op.hart]![op.half] = op.value;
          } else {
            its.store(ACLINT + 0x4000 + 8 * op.hart, 8, op.value, op.high);
            if (op.hart < HARTS) compares[op.hart] = [op.value, op.high];
          }
          for (let n = 0; n <= HARTS; n++) {
            // A hart that does not exist reads as zero.
            expect(its.load(ACLINT + 4 * n, 4)).toBe(pending[n] ?? 0);
            const [low, high] = compares[n] ?? [0, 0];
            expect([its.load(ACLINT + 0x4000 + 8 * n, 4), its.load(ACLINT + 0x4004 + 8 * n, 4)]).toEqual([low, high]);
            if (n < HARTS) expect((its.lines(n) >> 3) & 1).toBe(pending[n]);
          }
        });
      }),
      { numRuns: 200 },
    );
  });
});
