import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Driver, type VirtioBench, virtioBench } from '../../machine/virtio-testing.ts';

/** Queues of the device in a slot: its own 64 KiB of RAM. */
const queues = (slot: number) => {
  const at = (slot % 4) * 0x10000;
  return {
    receive: { queue: 0, size: 8, desc: at, avail: at + 0x400, used: at + 0x600 },
    transmit: { queue: 1, size: 8, desc: at + 0x1000, avail: at + 0x1400, used: at + 0x1600 },
    buffers: at + 0x2000,
    packet: at + 0x8000,
  };
};
const BUFFER_BYTES = 1600;
const SLOTS = [7, 6, 5] as const;
const mac = (slot: number) => `52:54:00:00:00:0${slot}`;
const macBytes = (slot: number) => Uint8Array.of(0x52, 0x54, 0, 0, 0, slot);
const card = (slot: number, cable: 'switch' | 'outside' = 'switch') =>
  ({ kind: 'net', slot, mac: mac(slot), cable }) as const;
const BROADCAST = new Uint8Array(6).fill(0xff);
const GATEWAY = Uint8Array.of(0x52, 0x55, 10, 0, 2, 2);

function start(bench: VirtioBench, slot: number): Driver {
  const driver = new Driver(bench, slot);
  const its = queues(slot);
  expect(driver.start([its.receive, its.transmit])).toBe(true);
  for (let n = 0; n < its.receive.size; n++) {
    driver.add(its.receive, n, [], [{ at: its.buffers + n * BUFFER_BYTES, bytes: BUFFER_BYTES }], 0);
  }
  return driver;
}

function send(driver: Driver, slot: number, frame: Uint8Array): void {
  const { transmit, packet } = queues(slot);
  driver.bench.ram.fill(0, packet, packet + 12);
  driver.bench.ram.set(frame, packet + 12);
  driver.add(transmit, 0, [{ at: packet, bytes: 12 + frame.length }], [], 0);
  driver.notify(transmit);
}

/** Frames that arrived since the `from`-th. Gives their buffers back. */
function received(driver: Driver, slot: number, from: number): Uint8Array[] {
  const { receive, buffers } = queues(slot);
  const frames: Uint8Array[] = [];
  for (let n = from; n !== driver.usedIndex(receive); n++) {
    const { head, written } = driver.returned(receive, n);
    const at = buffers + head * BUFFER_BYTES;
    expect([...driver.bench.ram.slice(at, at + 12)]).toEqual([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
    frames.push(driver.bench.ram.slice(at + 12, at + written));
    driver.add(receive, head, [], [{ at, bytes: BUFFER_BYTES }], 0);
  }
  return frames;
}

function settle(bench: VirtioBench, most = 200): void {
  for (let n = 0; bench.toDeadline(); n++) expect(n).toBeLessThan(most);
}

const ethernet = (to: Uint8Array, from: Uint8Array, body: readonly number[]) => Uint8Array.of(...to, ...from, ...body);

describe('the virtio network device', () => {
  it('describes itself', () => {
    const driver = new Driver(virtioBench([card(7)]), 7);
    expect([driver.get(8), driver.get(0x34)]).toEqual([1, 1024]);
    const config = Array.from({ length: 8 }, (_, n) => driver.get(0x100 + n, 1));
    expect(config).toEqual([0x52, 0x54, 0, 0, 0, 7, 1, 0]);
  });

  it('carries frames between ports as a switch does, whenever the state is copied', () => {
    const frame = fc.record({
      from: fc.constantFrom(...SLOTS),
      to: fc.constantFrom<number | 'all' | 'nobody'>(...SLOTS, 'all', 'nobody'),
      bytes: fc.integer({ min: 2, max: 1504 }),
      fill: fc.nat(255),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 20 }), fc.nat(20), fc.nat(3), (frames, cut, steps) => {
        let bench = virtioBench(SLOTS.map((slot) => card(slot)));
        for (const slot of SLOTS) start(bench, slot);
        const taken = new Map(SLOTS.map((slot) => [slot, 0]));
        for (const [n, { from, to, bytes, fill }] of frames.entries()) {
          const target = to === 'all' ? BROADCAST : macBytes(to === 'nobody' ? 1 : to);
          const sent = ethernet(target, macBytes(from), [0x88, 0xb5, ...Array<number>(bytes - 2).fill(fill)]);
          send(new Driver(bench, from), from, sent);
          if (n === cut) {
            for (let step = 0; step < steps; step++) bench.toDeadline();
            bench = bench.copy();
          }
          settle(bench);
          for (const slot of SLOTS) {
            const came = received(new Driver(bench, slot), slot, taken.get(slot)!);
            taken.set(slot, (taken.get(slot)! + came.length) & 0xffff);
            const hears = slot !== from && (to === slot || typeof to === 'string');
            expect(came.map((its) => Buffer.from(its).toString('hex'))).toEqual(
              hears ? [Buffer.from(sent).toString('hex')] : [],
            );
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  it('holds frames back while the driver has no buffers, and loses them when its backlog is full', () => {
    const bench = virtioBench([card(7, 'outside')]);
    const driver = new Driver(bench, 7);
    const { receive, transmit, buffers } = queues(7);
    const fresh = (n: number) => ethernet(macBytes(7), macBytes(1), [0, n, ...Array<number>(1500).fill(n)]);
    bench.frame(7, fresh(0));
    driver.start([receive, transmit]);
    for (let n = 1; n <= 40; n++) bench.frame(7, fresh(n));
    settle(bench);
    expect(driver.usedIndex(receive)).toBe(0);
    const seen: number[] = [];
    for (let round = 0; round < 6; round++) {
      const before = driver.usedIndex(receive);
      for (let n = 0; n < 8; n++) {
        driver.add(receive, n, [], [{ at: buffers + n * BUFFER_BYTES, bytes: BUFFER_BYTES }], 0);
      }
      driver.notify(receive);
      settle(bench);
      for (let n = before; n < driver.usedIndex(receive); n++) {
        seen.push(bench.ram[buffers + driver.returned(receive, n).head * BUFFER_BYTES + 12 + 13]!);
      }
      if (driver.usedIndex(receive) - before < 8) break;
    }
    // 32 KiB hold 21 frames of 1516 bytes and their lengths; none came before the driver was up.
    expect(seen).toEqual(Array.from({ length: 21 }, (_, n) => n + 1));
  });

  it('gives frames for outside to the observer, with their time', () => {
    const bench = virtioBench([card(7, 'outside')]);
    const driver = start(bench, 7);
    const frame = ethernet(BROADCAST, macBytes(7), [0x12, 0x34, 1, 2, 3]);
    send(driver, 7, frame);
    const at = bench.deadline();
    settle(bench);
    expect(bench.log).toEqual([`0/${at} frame 7 ${Buffer.from(frame).toString('hex')}`]);
  });
});

const SELF = [10, 0, 2, 15];
const ones = (bytes: readonly number[]): number => {
  let sum = 0;
  for (let n = 0; n < bytes.length; n += 2) sum += bytes[n]! * 256 + (bytes[n + 1] ?? 0);
  while (sum > 65535) sum = (sum % 65536) + Math.floor(sum / 65536);
  return sum;
};
const patch = (bytes: number[], at: number) => {
  const sum = 65535 - ones(bytes);
  bytes.splice(at, 2, sum >> 8, sum & 255);
  return bytes;
};
/** An IPv4 packet to the station, written out from RFC 791. */
const packet = (protocol: number, payload: readonly number[]) => {
  const total = 20 + payload.length;
  const header = [0x45, 0, total >> 8, total & 255, 0, 9, 0, 0, 64, protocol, 0, 0, ...SELF, 10, 0, 2, 2];
  return ethernet(GATEWAY, macBytes(7), [8, 0, ...patch(header, 10), ...payload]);
};
const datagram = (from: number, to: number, payload: readonly number[]) => {
  const length = 8 + payload.length;
  return packet(17, [from >> 8, from & 255, to >> 8, to & 255, length >> 8, length & 255, 0, 0, ...payload]);
};

describe('the station of the built-in network', () => {
  const talk = (frames: readonly Uint8Array[]) => {
    const bench = virtioBench([card(7)]);
    const driver = start(bench, 7);
    const answers: number[][] = [];
    let taken = 0;
    const collect = () => {
      const came = received(driver, 7, taken);
      taken += came.length;
      answers.push(...came.map((its) => [...its]));
    };
    for (const frame of frames) {
      send(driver, 7, frame);
      for (let n = 0; bench.toDeadline(); n++) {
        expect(n).toBeLessThan(1000);
        collect();
      }
    }
    return { answers };
  };

  it('says who it is', () => {
    const ask = (ip: readonly number[]) =>
      ethernet(BROADCAST, macBytes(7), [
        8,
        6,
        0,
        1,
        8,
        0,
        6,
        4,
        0,
        1,
        ...macBytes(7),
        ...SELF,
        0,
        0,
        0,
        0,
        0,
        0,
        ...ip,
      ]);
    const { answers } = talk([ask([10, 0, 2, 3]), ask([10, 0, 2, 2])]);
    expect(answers.length).toBe(1);
    expect(answers[0]!.slice(0, 42)).toEqual([
      ...[...macBytes(7), ...GATEWAY, 8, 6, 0, 1, 8, 0, 6, 4, 0, 2],
      ...[...GATEWAY, 10, 0, 2, 2, ...macBytes(7), ...SELF],
    ]);
  });

  it('answers pings of any length with the same bytes and right checksums', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 1400 }), fc.nat(65535), (payload, id) => {
        const echo = patch([8, 0, 0, 0, id >> 8, id & 255, 0, 1, ...payload], 2);
        const { answers } = talk([packet(1, echo)]);
        expect(answers.length).toBe(1);
        const reply = answers[0]!;
        const total = reply[16]! * 256 + reply[17]!;
        expect(ones(reply.slice(14, 34))).toBe(65535);
        expect([...reply.slice(26, 34)]).toEqual([10, 0, 2, 2, ...SELF]);
        const icmp = reply.slice(34, 14 + total);
        expect(ones(icmp)).toBe(65535);
        expect([icmp[0], ...icmp.slice(4)]).toEqual([0, ...echo.slice(4)]);
      }),
      { numRuns: 40 },
    );
  });

  it('echoes datagrams, swallows some, and sends as many as it is asked for, in time', () => {
    const echoed = talk([datagram(1234, 7, [1, 2, 3]), datagram(1234, 9, [4]), datagram(1234, 10, [5])]).answers;
    expect(echoed.map((frame) => frame.slice(34, 45))).toEqual([
      [0, 7, 4, 210, 0, 11, echoed[0]![40], echoed[0]![41], 1, 2, 3],
    ]);
    const pseudo = [10, 0, 2, 2, ...SELF, 0, 17, 0, 11];
    expect(ones([...pseudo, ...echoed[0]!.slice(34, 45)])).toBe(65535);
    const { answers } = talk([datagram(5000, 19, [0, 0, 0, 5, 0, 0, 3, 232, 0, 10])]);
    expect(answers.map((frame) => frame.slice(42, 52))).toEqual(
      [0, 1, 2, 3, 4].map((n) => [0, 0, 0, n, 4, 5, 6, 7, 8, 9]),
    );
  });

  it('says nothing to nonsense', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 0, maxLength: 200 }), fc.constantFrom(0x0800, 0x0806), (body, type) => {
        const { answers } = talk([ethernet(GATEWAY, macBytes(7), [type >> 8, type & 255, ...body])]);
        expect(answers).toEqual([]);
      }),
      { numRuns: 60 },
    );
  });
});
