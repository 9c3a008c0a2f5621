import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONSTANTS } from '../../core/layout/index.ts';
import { RAM_BASE } from '../../machine/board/board.ts';
import type { VirtioConfig } from '../../machine/types.ts';
import { Driver, type VirtioBench, virtioBench } from '../../machine/virtio-testing.ts';
import { BENCH_RAM_BYTES } from '../testing.ts';

const ALL: readonly VirtioConfig[] = [
  { kind: 'block', slot: 7, image: { name: 'd', bytes: new Uint8Array(8192) }, readOnly: false, serial: '' },
  { kind: 'net', slot: 6, mac: '52:54:00:12:34:56', cable: 'switch' },
  { kind: 'console', slot: 5 },
  { kind: 'entropy', slot: 4 },
];
const Q = (queue: number) => ({
  queue,
  size: 8,
  desc: queue * 0x4000,
  avail: queue * 0x4000 + 0x1000,
  used: queue * 0x4000 + 0x2000,
});
const HARTS_FROM = CONSTANTS.HART_BASE;

describe('the transport', () => {
  it('shows empty slots as transports without a device', () => {
    const driver = new Driver(virtioBench([]), 3);
    driver.set(0x70, 1);
    expect([0, 4, 8, 0xc, 0x10, 0x70, 0x34].map((at) => driver.get(at))).toEqual([
      0x74726976, 2, 0, 0x554d4551, 0, 0, 0,
    ]);
    expect(driver.get(0, 1)).toBe(0);
    expect(driver.bench.load(0x10004200, 4)).toBeUndefined();
  });

  it.each(ALL.map(({ kind, slot }) => [kind, slot] as const))(
    'keeps FEATURES_OK whatever a driver takes, VERSION_1 or not, until it resets: %s',
    (_kind, slot) => {
      for (const taken of [[], [0], [1], [0, 1]]) {
        const driver = new Driver(virtioBench(ALL), slot);
        driver.set(0x70, 3);
        for (const word of taken) {
          driver.set(0x24, word);
          driver.set(0x20, 0xffffffff);
        }
        driver.set(0x70, 11);
        expect(driver.get(0x70)).toBe(11);
        driver.set(0x70, 0);
        expect(driver.get(0x70)).toBe(0);
      }
    },
  );

  it('hears at DRIVER_OK what it was notified of before, and consumes nothing earlier', () => {
    const bench = virtioBench(ALL);
    const driver = new Driver(bench, 4);
    driver.start([Q(0)]);
    driver.set(0x70, 11);
    driver.add(Q(0), 0, [], [{ at: 0x8000, bytes: 16 }], 0);
    driver.notify(Q(0));
    expect([bench.toDeadline(), driver.usedIndex(Q(0))]).toEqual([false, 0]);
    const copied = new Driver(bench.copy(), 4);
    for (const its of [driver, copied]) {
      its.set(0x70, 15);
      while (its.bench.toDeadline());
      expect(its.usedIndex(Q(0))).toBe(1);
    }
    expect(copied.bench.ram).toEqual(bench.ram);
    // Once: a reset forgets it.
    driver.set(0x70, 0);
    driver.start([Q(0)]);
    expect(bench.toDeadline()).toBe(false);
  });

  it('serves a queue whose size is no power of two', () => {
    const bench = virtioBench(ALL);
    const driver = new Driver(bench, 4);
    const odd = { ...Q(0), size: 6 };
    driver.start([odd]);
    for (let n = 0; n < 20; n++) {
      driver.add(odd, n % 6, [], [{ at: 0x8000, bytes: 16 }], 0);
      driver.notify(odd);
      while (bench.toDeadline());
      expect([driver.usedIndex(odd), driver.returned(odd, n)]).toEqual([n + 1, { head: n % 6, written: 16 }]);
    }
  });

  it('raises the interrupt of its slot until it is acknowledged', () => {
    const bench = virtioBench(ALL);
    const driver = new Driver(bench, 4);
    driver.start([Q(0)]);
    driver.add(Q(0), 0, [], [{ at: 0x8000, bytes: 16 }], 0);
    driver.notify(Q(0));
    expect(bench.input(5)).toBe(false);
    bench.toDeadline();
    expect(bench.input(5)).toBe(true);
    driver.set(0x64, 1);
    expect(bench.input(5)).toBe(false);
  });

  it('keeps quiet when the driver asked for it, by flag or by event index', () => {
    for (const eventIndex of [false, true]) {
      const bench = virtioBench(ALL);
      const driver = new Driver(bench, 4, { eventIndex });
      driver.start([Q(0)]);
      if (eventIndex) driver.view.setUint16(Q(0).avail + 4 + 2 * 8, 1, true);
      else driver.view.setUint16(Q(0).avail, 1, true);
      const once = () => {
        driver.add(Q(0), 0, [], [{ at: 0x8000, bytes: 16 }], 0);
        driver.notify(Q(0));
        while (bench.toDeadline());
        const raised = driver.get(0x60);
        driver.set(0x64, raised);
        return raised;
      };
      expect([once(), once(), once()]).toEqual(eventIndex ? [0, 1, 0] : [0, 0, 0]);
      if (eventIndex) expect(driver.view.getUint16(Q(0).used + 4 + 8 * 8, true)).toBe(3);
    }
  });

  const broken: [string, (driver: Driver) => void][] = [
    [
      'a loop',
      ({ view }) => {
        view.setUint32(8, 8, true);
        view.setUint16(12, 3, true);
      },
    ],
    [
      'a chain that leaves its table',
      ({ view }) => {
        view.setUint16(12, 3, true);
        view.setUint16(14, 200, true);
      },
    ],
    ['a buffer outside RAM', ({ view }) => view.setBigUint64(0, 0x1000n, true)],
    ['a buffer that leaves RAM', ({ view }) => view.setUint32(8, BENCH_RAM_BYTES, true)],
    ['an address of 64 bits', ({ view }) => view.setBigUint64(0, 0xffff_ffff_ffff_fff0n, true)],
    ['an empty buffer', ({ view }) => view.setUint32(8, 0, true)],
    ['an indirect table of odd size', ({ view }) => view.setUint16(12, 4, true)],
    ['a head beyond the table', ({ view }) => view.setUint16(Q(0).avail + 4, 8, true)],
    ['more chains than entries', ({ view }) => view.setUint16(Q(0).avail + 2, 9, true)],
  ];
  it.each(broken)('needs a reset after %s, and works again after it', (_what, damage) => {
    const bench = virtioBench(ALL);
    const driver = new Driver(bench, 4);
    driver.start([Q(0)]);
    driver.add(Q(0), 0, [], [{ at: 0x8000, bytes: 24 }], 0);
    damage(driver);
    driver.notify(Q(0));
    bench.toDeadline();
    expect([driver.get(0x70) & 64, driver.get(0x60)]).toEqual([64, 2]);
    expect(driver.usedIndex(Q(0))).toBe(0);
    expect(bench.toDeadline()).toBe(false);
    driver.start([Q(0)]);
    driver.add(Q(0), 0, [], [{ at: 0x8000, bytes: 24 }], 0);
    driver.notify(Q(0));
    bench.toDeadline();
    expect([driver.get(0x70), driver.get(0x60), driver.usedIndex(Q(0))]).toEqual([15, 1, 1]);
  });
});

describe('hostile drivers', () => {
  const registers = fc.constantFrom(
    ...[0x14, 0x20, 0x24, 0x30, 0x38, 0x44, 0x50, 0x64, 0x70, 0x80, 0x84, 0x90, 0x94, 0xa0, 0xa4, 0x100, 0x108],
  );
  const numbers = fc.oneof(
    fc.constantFrom(0, 1, 2, 8, 11, 15, 256, 1024, 0x80000000, RAM_BASE, RAM_BASE + 0x1000, 0xffffffff),
    fc.nat(0xffffffff),
    fc.nat(0x1fff).map((offset) => RAM_BASE + offset),
  );
  const operation = fc.oneof(
    fc.record({ kind: fc.constant('register' as const), at: registers, value: numbers }),
    fc.record({ kind: fc.constant('read' as const), at: fc.nat(0x1ff), value: fc.constantFrom(1, 2, 4) }),
    fc.record({ kind: fc.constant('memory' as const), at: fc.nat(0x3ff).map((n) => 4 * n), value: numbers }),
    fc.record({ kind: fc.constant('time' as const), at: fc.integer({ min: 1, max: 20 }), value: fc.constant(0) }),
    fc.record({ kind: fc.constant('type' as const), at: fc.constant(0), value: fc.nat(255) }),
  );
  const perform = (
    bench: VirtioBench,
    slot: number,
    { kind, at, value }: { kind: string; at: number; value: number },
  ) => {
    const driver = new Driver(bench, slot);
    if (kind === 'register') driver.set(at, value);
    else if (kind === 'read') return bench.load(driver.base + (at & -value), value);
    else if (kind === 'memory') driver.view.setUint32(at, value, true);
    else if (kind === 'type') bench.receive(String.fromCharCode(value & 0x7f));
    else for (let n = 0; n < at; n++) bench.toDeadline();
    return undefined;
  };

  it.each([7, 6, 5, 4])('harm nobody else through slot %i, and can be copied at any time', (slot) => {
    // Half of the runs begin with a driver that is up, on rings full of whatever follows.
    const run = fc.tuple(
      fc.boolean(),
      fc.uint8Array({ maxLength: 2048 }),
      fc.array(operation, { maxLength: 60 }),
      fc.nat(60),
    );
    fc.assert(
      fc.property(run, ([up, garbage, operations, cut]) => {
        let bench = virtioBench(ALL, 5n);
        if (up)
          new Driver(bench, slot, { eventIndex: true, indirect: true }).start(
            [0, 1].map((n) => ({ ...Q(n), desc: 0, avail: 0x400 * n, used: 0x200 + 0x300 * n })),
          );
        bench.ram.set(garbage, 0);
        const straight = bench.copy();
        // Everything of the harts and the core's own lies below the device records.
        const before = Buffer.from(bench.memory.slice(HARTS_FROM, CONSTANTS.DEVICES_BASE));
        for (const [n, op] of operations.entries()) {
          if (n === cut) bench = bench.copy();
          expect(perform(bench, slot, op)).toEqual(perform(straight, slot, op));
        }
        expect(Buffer.compare(Buffer.from(bench.memory), Buffer.from(straight.memory))).toBe(0);
        expect(bench.media.digest()).toBe(straight.media.digest());
        expect(Buffer.compare(Buffer.from(bench.memory.slice(HARTS_FROM, CONSTANTS.DEVICES_BASE)), before)).toBe(0);
      }),
      { numRuns: 150 },
    );
  });
});

describe('the virtio console', () => {
  it('prints what is sent, and receives what is typed once its driver is up; before, the UART does', () => {
    const bench = virtioBench(ALL);
    const driver = new Driver(bench, 5);
    bench.receive('u');
    expect(bench.load(0x10000000, 1)).toBe('u'.charCodeAt(0));
    driver.start([Q(0), Q(1)]);
    bench.ram.set(new TextEncoder().encode('hello'), 0x9000);
    driver.add(
      Q(1),
      0,
      [
        { at: 0x9000, bytes: 3 },
        { at: 0x9003, bytes: 2 },
      ],
      [],
      0,
    );
    driver.notify(Q(1));
    while (bench.toDeadline());
    expect(bench.log.map((line) => line.at(-1)).join('')).toBe('hello');
    bench.receive('typed');
    while (bench.toDeadline());
    expect(driver.usedIndex(Q(0))).toBe(0);
    driver.add(Q(0), 0, [], [{ at: 0xa000, bytes: 3 }], 0);
    driver.add(Q(0), 1, [], [{ at: 0xa003, bytes: 90 }], 0);
    driver.notify(Q(0));
    while (bench.toDeadline());
    expect([driver.returned(Q(0), 0), driver.returned(Q(0), 1)]).toEqual([
      { head: 0, written: 3 },
      { head: 1, written: 2 },
    ]);
    expect(new TextDecoder().decode(bench.ram.slice(0xa000, 0xa005))).toBe('typed');
    expect(bench.load(0x10000005, 1)! & 1).toBe(0);
  });

  it('has an emergency write that needs no driver', () => {
    const bench = virtioBench(ALL);
    new Driver(bench, 5).set(0x108, 'X'.charCodeAt(0));
    expect(bench.log).toEqual(['0/0 console X']);
  });
});

describe('the entropy device', () => {
  const draw = (seed: bigint, sizes: readonly number[]) => {
    const bench = virtioBench(ALL, seed);
    const driver = new Driver(bench, 4);
    driver.start([Q(0)]);
    return sizes.map((bytes, n) => {
      bench.ram.fill(0, 0x8000, 0x8000 + bytes);
      driver.add(Q(0), 0, [], [{ at: 0x8000, bytes }], 0);
      driver.notify(Q(0));
      while (bench.toDeadline());
      expect(driver.returned(Q(0), n)).toEqual({ head: 0, written: Math.min(bytes, 4096) });
      return Buffer.from(bench.ram.slice(0x8000, 0x8000 + bytes)).toString('hex');
    });
  };

  it('gives bytes that the seed decides, fills what it says, and looks random', () => {
    expect(draw(1n, [16, 5, 5000])).toEqual(draw(1n, [16, 5, 5000]));
    expect(draw(1n, [16])).not.toEqual(draw(2n, [16]));
    const [first, second] = draw(3n, [4096, 4096]);
    expect(first).not.toBe(second);
    const counts = new Array<number>(256).fill(0);
    for (const byte of Buffer.from(first! + second!, 'hex')) counts[byte]!++;
    // 32 of each are expected; six standard deviations.
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect(Math.max(...counts)).toBeLessThan(32 + 6 * 6);
  });
});
