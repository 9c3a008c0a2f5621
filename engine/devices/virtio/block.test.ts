import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Buffer, Driver, type DriverOptions, virtioBench } from '../../machine/virtio-testing.ts';

const SECTORS = 41;
const IMAGE = Uint8Array.from({ length: 512 * SECTORS }, (_, n) => (n * 7 + (n >> 9)) & 0xff);
const disk = (readOnly = false) =>
  ({ kind: 'block', slot: 7, image: { name: 'd.img', bytes: IMAGE }, readOnly, serial: 'serial-1' }) as const;
const QUEUE = { queue: 0, size: 16, desc: 0, avail: 0x1000, used: 0x2000 };
const HEADER_AT = 0x3000;
const DATA_AT = 0x4000;
const STATUS_AT = 0x3f00;
const TABLE_AT = 0x3800;

interface Request {
  readonly type: number;
  readonly sector: number;
  readonly data: Uint8Array;
  /** Bytes of the data buffer that the device may write. */
  readonly room: number;
  /** Where buffers are cut, so that no framing is assumed. */
  readonly cuts: readonly number[];
  readonly indirect: boolean;
}

interface Answer {
  readonly status: number;
  readonly written: number;
  readonly data: readonly number[];
}

/** What the disk must do, told directly from section 5.2.6. */
function model(content: Uint8Array, { type, sector, data, room }: Request, readOnly: boolean): Answer {
  const fits = (bytes: number) => bytes % 512 === 0 && 512 * sector + bytes <= content.length;
  const done = (status: number, bytes: Uint8Array = new Uint8Array(0)) => ({
    status,
    written: bytes.length + 1,
    data: [...bytes],
  });
  if (type === 0) return fits(room) ? done(0, content.slice(512 * sector, 512 * sector + room)) : done(1);
  if (type === 1) {
    if (readOnly || !fits(data.length)) return done(1);
    content.set(data, 512 * sector);
    return done(0);
  }
  if (type === 4) return done(0);
  if (type === 8) return done(0, new TextEncoder().encode('serial-1'.padEnd(20, '\0')).slice(0, room));
  if (type !== 11 && type !== 13) return done(2);
  if (data.length !== 16) return done(1);
  const view = new DataView(data.buffer, data.byteOffset);
  const [first, count, flags] = [view.getUint32(0, true), view.getUint32(8, true), view.getUint32(12, true)];
  if (flags & (type === 13 ? ~1 : ~0)) return done(2);
  if (readOnly || 512 * (first + count) > content.length) return done(1);
  content.fill(0, 512 * first, 512 * (first + count));
  return done(0);
}

/** Cuts a range into buffers, none empty. */
function pieces({ at, bytes }: Buffer, cuts: readonly number[]): Buffer[] {
  const found: Buffer[] = [];
  let done = 0;
  for (const cut of cuts) {
    const length = Math.min(1 + cut, bytes - done);
    if (length <= 0) break;
    found.push({ at: at + done, bytes: length });
    done += length;
  }
  return done < bytes ? [...found, { at: at + done, bytes: bytes - done }] : found;
}

/** Asks, without waiting. */
function ask(driver: Driver, { type, sector, data, room, cuts }: Request): void {
  const { bench, view } = driver;
  view.setUint32(HEADER_AT, type, true);
  view.setUint32(HEADER_AT + 4, 0, true);
  view.setBigUint64(HEADER_AT + 8, BigInt(sector), true);
  bench.ram.set(data, HEADER_AT + 16);
  bench.ram.fill(0xee, DATA_AT, DATA_AT + room);
  bench.ram[STATUS_AT] = 0xee;
  const out = pieces({ at: HEADER_AT, bytes: 16 + data.length }, cuts);
  const into = [...(room ? pieces({ at: DATA_AT, bytes: room }, cuts) : []), { at: STATUS_AT, bytes: 1 }];
  driver.add(QUEUE, 0, out, into, TABLE_AT);
  driver.notify(QUEUE);
}

function answer(driver: Driver, before: number): Answer {
  expect(driver.usedIndex(QUEUE)).toBe((before + 1) & 0xffff);
  const { head, written } = driver.returned(QUEUE, before);
  expect(head).toBe(0);
  expect(driver.get(0x60) & 1).toBe(1);
  driver.set(0x64, 1);
  const data = [...driver.bench.ram.slice(DATA_AT, DATA_AT + written - 1)];
  return { status: driver.bench.ram[STATUS_AT]!, written, data };
}

const sectors = fc.oneof({ weight: 9, arbitrary: fc.nat(SECTORS - 1) }, fc.constantFrom(SECTORS, 2 ** 40, 2 ** 53 - 1));
const request = fc
  .record({
    type: fc.constantFrom(0, 0, 1, 1, 4, 8, 11, 13, 5, 999),
    sector: sectors,
    count: fc.integer({ min: 1, max: 3 }),
    odd: fc.constantFrom(0, 0, 0, 0, 1),
    flags: fc.constantFrom(0, 0, 0, 1, 2),
    fill: fc.nat(255),
    cuts: fc.array(fc.nat(700), { maxLength: 4 }),
    indirect: fc.boolean(),
  })
  .map(({ type, sector, count, odd, flags, fill, cuts, indirect }): Request => {
    const data = new Uint8Array(type === 1 ? 512 * count - odd : type === 11 || type === 13 ? 16 - odd : 0).fill(fill);
    if (data.length === 16) {
      const view = new DataView(data.buffer);
      view.setBigUint64(0, BigInt(Math.min(sector, SECTORS)), true);
      view.setUint32(8, count, true);
      view.setUint32(12, flags, true);
    }
    return { type, sector, data, room: type === 0 ? 512 * count - odd : type === 8 ? 20 - odd : 0, cuts, indirect };
  });

describe('the virtio block device', () => {
  it('does what a plain array does, and goes on from a copy of its state in the middle of any request', () => {
    fc.assert(
      fc.property(
        fc.array(request, { minLength: 1, maxLength: 14 }),
        fc.boolean(),
        fc.nat(14),
        fc.boolean(),
        (requests, readOnly, cut, eventIndex) => {
          let bench = virtioBench([disk(readOnly)]);
          const content = IMAGE.slice();
          const options: DriverOptions = { eventIndex, indirect: true };
          expect(new Driver(bench, 7, options).start([QUEUE])).toBe(true);
          for (const [n, its] of requests.entries()) {
            const asking = new Driver(bench, 7, { ...options, indirect: its.indirect });
            if (eventIndex) asking.view.setUint16(QUEUE.avail + 4 + 2 * QUEUE.size, n, true);
            ask(asking, its);
            if (n === cut) {
              const straight = bench.copy();
              expect(straight.toDeadline()).toBe(true);
              bench = bench.copy();
              expect(bench.toDeadline()).toBe(true);
              expect(bench.media.digest()).toBe(straight.media.digest());
              expect(Buffer.compare(Buffer.from(bench.memory), Buffer.from(straight.memory))).toBe(0);
            } else expect(bench.toDeadline()).toBe(true);
            expect(answer(new Driver(bench, 7, options), n)).toEqual(model(content, its, readOnly));
          }
          expect(bench.media.disk(7)!.read(0, IMAGE.length)).toEqual(content);
        },
      ),
      { numRuns: 150 },
    );
  });

  it('describes itself', () => {
    const driver = new Driver(virtioBench([disk()]), 7);
    expect([0, 4, 8, 0xc].map((at) => driver.get(at))).toEqual([0x74726976, 2, 2, 0x554d4551]);
    expect([driver.get(0x100), driver.get(0x104), driver.get(0x114)]).toEqual([SECTORS, 0, 512]);
    const offered = driver.get(0x10);
    expect([9, 13, 14, 28, 29].every((bit) => (offered >>> bit) & 1)).toBe(true);
    expect((offered >>> 5) & 1).toBe(0);
    driver.set(0x14, 1);
    expect(driver.get(0x10)).toBe(1);
    const readOnly = new Driver(virtioBench([disk(true)]), 7).get(0x10);
    expect([5, 13, 14].map((bit) => (readOnly >>> bit) & 1)).toEqual([1, 0, 0]);
  });

  it('takes its time, which the seed decides', () => {
    const times = (seed: bigint) => {
      const bench = virtioBench([disk()], seed);
      const driver = new Driver(bench, 7);
      driver.start([QUEUE]);
      return Array.from({ length: 6 }, () => {
        ask(driver, { type: 4, sector: 0, data: new Uint8Array(0), room: 0, cuts: [], indirect: false });
        const at = Number(bench.deadline());
        bench.toDeadline();
        bench.toDeadline();
        return at;
      });
    };
    expect(times(1n)).toEqual(times(1n));
    expect(times(1n)).not.toEqual(times(2n));
    expect(times(1n).every((at, n, all) => at - (all[n - 1] ?? 0) >= 20_000)).toBe(true);
  });

  it('never touches the image', () => {
    const before = IMAGE.slice();
    const bench = virtioBench([disk()]);
    const driver = new Driver(bench, 7);
    driver.start([QUEUE]);
    ask(driver, { type: 1, sector: 3, data: new Uint8Array(512), room: 0, cuts: [], indirect: false });
    bench.toDeadline();
    expect(bench.media.disk(7)!.read(3 * 512, 512)).toEqual(new Uint8Array(512));
    expect(IMAGE).toEqual(before);
    expect([...bench.pages().values()].map(({ bytes }) => bytes.length)).toEqual([4096]);
  });
});
