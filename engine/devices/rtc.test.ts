import fc from 'fast-check';
import { expect, it } from 'vitest';
import { virtioBench } from '../machine/virtio-testing.ts';

const RTC = 0x101000;
const RTC_IRQ = 11;
const U64 = (1n << 64n) - 1n;

/** The goldfish RTC as its users see it. */
class Model {
  now = 0n;
  offset = 0n;
  high = 0n;
  alarm = 0n;
  on = false;
  pending = false;
  enabled = 0;
  get time() {
    return (this.now + this.offset) & U64;
  }
  advance(to: bigint) {
    this.now = to;
  }
  load(at: number): number {
    if (at === 0) {
      this.high = this.time >> 32n;
      return Number(this.time & 0xffffffffn);
    }
    if (at === 4) return Number(this.high);
    if (at === 8) return Number(this.alarm & 0xffffffffn);
    if (at === 12) return Number(this.alarm >> 32n);
    if (at === 16) return this.enabled;
    return at === 24 ? Number(this.on) : 0;
  }
  store(at: number, value: number): void {
    const low = (before: bigint) => (before & ~0xffffffffn) | BigInt(value);
    const high = (before: bigint) => (before & 0xffffffffn) | (BigInt(value) << 32n);
    if (at === 0) this.offset += low(this.time) - this.time;
    if (at === 4) this.offset += high(this.time) - this.time;
    if (at === 12) this.alarm = high(this.alarm);
    if (at === 8) {
      this.alarm = low(this.alarm);
      this.due = this.now + this.alarm - this.time;
      this.on = this.alarm > this.time;
      this.pending ||= !this.on;
    }
    if (at === 16) this.enabled = value & 1;
    if (at === 20) this.on = false;
    if (at === 28) this.pending = false;
  }
  due = 0n;
}

it('keeps time, goes off and can be set, as a model does', () => {
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('load'), at: fc.constantFrom(0, 4, 8, 12, 16, 24), value: fc.constant(0) }),
    fc.record({ kind: fc.constant('store'), at: fc.constantFrom(0, 4, 8, 12, 16, 20, 28), value: fc.nat(5) }),
    fc.record({ kind: fc.constant('store'), at: fc.constantFrom(0, 8, 16), value: fc.nat(100_000) }),
    fc.record({ kind: fc.constant('wait'), at: fc.constant(0), value: fc.nat(60_000) }),
  );
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 50 }), fc.nat(50), (operations, cut) => {
      let bench = virtioBench([]);
      const model = new Model();
      for (const [n, { kind, at, value }] of operations.entries()) {
        if (n === cut) bench = bench.copy();
        if (kind === 'load') expect(bench.load(RTC + at, 4)).toBe(model.load(at));
        else if (kind === 'store') {
          bench.store(RTC + at, 4, value);
          model.store(at, value);
        } else {
          const to = model.now + BigInt(value);
          while (bench.deadline() <= to && bench.toDeadline());
          bench.setTicks(Number(to));
          model.advance(to);
          if (model.on && model.due <= to) {
            model.on = false;
            model.pending = true;
          }
        }
        expect(bench.input(RTC_IRQ)).toBe(model.pending && model.enabled !== 0);
      }
    }),
    { numRuns: 200 },
  );
});

it('never wakes for an alarm that lies beyond all time', () => {
  const bench = virtioBench([]);
  bench.store(RTC + 12, 4, 0xffffffff);
  bench.store(RTC + 8, 4, 0xffffffff);
  expect(bench.load(RTC + 24, 4)).toBe(1);
  expect(bench.toDeadline()).toBe(false);
});
