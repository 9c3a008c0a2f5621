import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../base/errors.ts';
import { createMachine } from './machine.ts';
import { compareStates } from './state/compare.ts';
import { smallConfig } from './testing.ts';
import type { Machine, MachineConfig, MachineEvent, VirtioConfig } from './types.ts';
import { DRIVERS, LOW_WORD_DRIVERS } from './virtio-guest-testing.ts';

const SECTOR = new TextEncoder().encode('content '.repeat(64));
const IMAGE = new Uint8Array(8192);
IMAGE.set(SECTOR, 512);
const WRITTEN = SECTOR.map((byte) => byte ^ 32);
const VIRTIO = [
  { kind: 'block', slot: 7, image: { name: 'disk.img', bytes: IMAGE }, readOnly: false, serial: '' },
  { kind: 'net', slot: 6, mac: '52:54:00:12:34:56', cable: 'switch' },
] as const;
const machineWith = (change: Partial<MachineConfig> = {}) =>
  createMachine(smallConfig(DRIVERS, { virtio: VIRTIO, ...change }));
const printed = (machine: Machine): number[] => {
  const bytes: number[] = [];
  machine.onEvent = (event: MachineEvent) => {
    if (event.kind === 'console') bytes.push(event.byte);
  };
  return bytes;
};
/** "CONTENT\0", and the station's hardware address. */
const EXPECTED = [...WRITTEN.slice(0, 8), 0x52, 0x55, 10, 0, 2, 2];
const LIMIT = 1_000_000;

describe('a guest with virtio drivers', () => {
  it('reads, writes, is interrupted, and talks to the station', () => {
    const machine = machineWith();
    const bytes = printed(machine);
    expect(machine.run({ moment: LIMIT })).toEqual({ kind: 'halted', status: 'pass', code: 0 });
    expect(bytes).toEqual(EXPECTED);
    const disks = [...machine.snapshot().pages].filter(([index]) => index >= 2 ** 28);
    expect(disks.map(([index]) => index)).toEqual([8 * 2 ** 28]);
    expect(disks[0]![1].bytes.slice(1024, 1536)).toEqual(WRITTEN);
    expect(IMAGE.slice(1024, 1536)).toEqual(new Uint8Array(512));
  });

  it('does so, too, with drivers that write the low word of the features only', () => {
    const [machine, again] = [1, 2].map(() => createMachine(smallConfig(LOW_WORD_DRIVERS, { virtio: VIRTIO })));
    const bytes = printed(machine!);
    expect(machine!.run({ moment: LIMIT })).toEqual({ kind: 'halted', status: 'pass', code: 0 });
    expect(bytes).toEqual(EXPECTED);
    again!.run({ moment: LIMIT });
    expect(again!.digest()).toBe(machine!.digest());
  });

  it('goes on from a snapshot at any tick as if it had never stopped', () => {
    const straight = machineWith({ harts: 1 });
    straight.run({ moment: LIMIT });
    const end = straight.snapshot();
    const reused = machineWith();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: end.ticks }), fc.boolean(), (ticks, other) => {
        const machine = machineWith();
        machine.run({ ticks });
        const middle = machine.snapshot();
        const target = other ? reused : machine;
        if (!other) machine.run({ ticks: ticks + 20_000 });
        target.restore(middle);
        expect(target.digest()).toBe(middle.digest);
        expect(compareStates(target.snapshot(), middle, target.config)).toEqual([]);
        target.run({ moment: LIMIT });
        expect(compareStates(target.snapshot(), end, target.config)).toEqual([]);
        expect(target.digest()).toBe(end.digest);
      }),
      { numRuns: 25 },
    );
  });

  it('knows the next instruction also when a device has to act first', () => {
    const machine = machineWith();
    let asleep = 0;
    for (;;) {
      const isAsleep = machine.hart(0).waiting;
      const digest = isAsleep ? machine.digest() : undefined;
      const { hart, pc } = machine.next();
      expect(hart).toBe(0);
      if (isAsleep) {
        asleep++;
        expect(machine.digest()).toBe(digest);
      }
      // Only jumps go elsewhere.
      const code = machine.readPhysical(Number(pc) < 0x80000000 ? 0x80000000 : Number(pc), 4)[0]! & 0x7f;
      if (machine.step().kind === 'halted') break;
      if (pc >= 0x80000000n && ![0x63, 0x6f, 0x67, 0x73].includes(code)) expect(machine.hart(0).pc).toBe(pc + 4n);
    }
    expect(asleep).toBeGreaterThan(2);
  });

  it('says where two disks differ', () => {
    const machine = machineWith();
    machine.run({ moment: LIMIT });
    const after = machine.snapshot();
    const before = { ...after, pages: new Map([...after.pages].filter(([index]) => index < 2 ** 28)) };
    const found = compareStates(after, before, machine.config);
    expect(found.length).toBe(64);
    expect(found[0]).toEqual({
      where: 'virtio7.disk+0x400',
      a: new DataView(WRITTEN.buffer).getBigUint64(0, true),
      b: 0n,
    });
  });

  it('depends on the seed and nothing else', () => {
    const end = (seed: bigint) => {
      const machine = machineWith({ seed });
      machine.run({ moment: LIMIT });
      return [machine.ticks, machine.digest()];
    };
    expect(end(1n)).toEqual(end(1n));
    expect(end(1n)[0]).not.toBe(end(2n)[0]);
  });
});

describe('frames from outside', () => {
  it('reach the device that they are for, and no other', () => {
    const outside = [{ ...VIRTIO[1], cable: 'outside' as const }, VIRTIO[0]];
    const machine = machineWith({ virtio: outside });
    const sent: MachineEvent[] = [];
    const bytes = printed(machine);
    const listen = machine.onEvent!;
    machine.onEvent = (event) => {
      listen(event);
      if (event.kind === 'net') sent.push(event);
    };
    expect(machine.run({ moment: LIMIT }).kind).toBe('idle');
    expect(sent.map((event) => event.kind === 'net' && [event.slot, event.bytes.length])).toEqual([[6, 60]]);
    const frame = new Uint8Array(60).fill(7);
    // No frame has to wait for a device that is not there.
    expect(machine.takesFrame(7, 60)).toBe(true);
    expect(() => machine.apply({ kind: 'net', slot: 7, bytes: frame })).toThrow(UserError);
    machine.apply({ kind: 'net', slot: 6, bytes: frame });
    expect(machine.run({ moment: LIMIT })).toMatchObject({ kind: 'halted', status: 'pass' });
    expect(bytes.slice(8)).toEqual([7, 7, 7, 7, 7, 7]);
  });

  it('and frames to there do not pass over the switch', () => {
    // The driver of the device in slot 5 is up, and fetches nothing.
    const start = 'li a0, 0x10006000\n jal ra, begin\n jal ra, finish\n';
    const machine = createMachine(
      smallConfig(`${start}${DRIVERS}`, {
        virtio: [VIRTIO[0], { ...VIRTIO[1], cable: 'outside' }, { ...VIRTIO[1], slot: 5, mac: '52:54:00:12:34:57' }],
      }),
    );
    const initial = machine.snapshot();
    const waits = () =>
      compareStates(machine.snapshot(), initial, machine.config).filter(({ where }) => where === 'virtio5.bytes');
    machine.run({ moment: LIMIT });
    expect(waits()).toEqual([]);
    machine.apply({ kind: 'net', slot: 5, bytes: new Uint8Array(60) });
    expect(waits()).toHaveLength(1);
  });
});

describe('configurations', () => {
  const disk = (bytes: number) => ({ ...VIRTIO[0], image: { name: 'd.img', bytes: new Uint8Array(bytes) } });
  it.each<[string, readonly VirtioConfig[], RegExp]>([
    [
      'a disk of odd size',
      [disk(1000)],
      /'d.img' has 1000 bytes, expected a multiple of 512: pad it with 'truncate -s 1024'/,
    ],
    ['an empty disk', [disk(0)], /'d.img' is empty/],
    ['a slot twice', [VIRTIO[0], { kind: 'entropy', slot: 7 }], /two devices in virtio slot 7/],
    ['a slot that does not exist', [{ kind: 'entropy', slot: 8 }], /slots 0 to 7/],
    ['no hardware address', [{ ...VIRTIO[1], mac: 'x' }], /expected one such as 52:54/],
    ['a multicast hardware address', [{ ...VIRTIO[1], mac: '01:00:5e:00:00:01' }], /multicast/],
    ['a long serial', [{ ...VIRTIO[0], serial: 'x'.repeat(21) }], /at most 20/],
  ])('refuses %s', (_what, virtio, why) => {
    expect(() => machineWith({ virtio })).toThrow(UserError);
    expect(() => machineWith({ virtio })).toThrow(why);
  });
});
