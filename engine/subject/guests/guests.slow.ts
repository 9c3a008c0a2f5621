/**
 * The guests on Lazarus, from the bundle: the papers' set-ups end well and print the same on any number of harts and
 * under any schedule; netbench answers a sender outside; and what is planted into a guest's memory is noticed by that
 * guest.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type Address, checksum, ipv4, PROTOCOL_UDP, readFrame, readUdp, udp } from '../../devices/net/packet.ts';
import { readSymbols } from '../../machine/board/elf.ts';
import { createMachine } from '../../machine/machine.ts';
import type { Machine, MachineConfig, Mode, VirtioConfig } from '../../machine/types.ts';

const file = (name: string) => readFileSync(new URL(`../images/${name}`, import.meta.url));
const image = (name: string) => ({ name, bytes: file(name) });
const images = { bios: image('firmware.elf'), kernel: image('lazarus.elf'), initrd: image('guests.bundle') };
/** A millisecond in ticks. */
const MS = 1_000_000;
const DISK_BYTES = 8 << 20;

interface Run {
  readonly machine: Machine;
  console: string;
  /** Frames that left through the cable, and when. */
  readonly frames: { readonly ticks: number; readonly bytes: Uint8Array }[];
}

const disk: VirtioConfig = {
  kind: 'block',
  slot: 0,
  image: { name: 'disk', bytes: new Uint8Array(DISK_BYTES) },
  readOnly: false,
  serial: '',
};
const net = (cable: 'switch' | 'outside'): VirtioConfig => ({ kind: 'net', slot: 1, mac: '52:54:00:12:34:56', cable });
const FIXED = { policy: 'fixed', ticks: 1000, seed: 0n } as const;

function boot(append: string, change: Partial<MachineConfig> = {}): Run {
  const virtio = [disk, net('switch')];
  const machine = createMachine({
    harts: 4,
    ramBytes: 128 << 20,
    quantum: FIXED,
    append,
    virtio,
    ...images,
    ...change,
  });
  const run: Run = { machine, console: '', frames: [] };
  machine.onEvent = (event) => {
    if (event.kind === 'console') run.console += String.fromCharCode(event.byte);
    if (event.kind === 'net') run.frames.push({ ticks: event.ticks, bytes: event.bytes.slice() });
  };
  return run;
}

/** Runs to the end, but no further than 150 M instructions; returns how it ended. */
function finish(run: Run): string {
  const stop = run.machine.run({ moment: 150_000_000 });
  return stop.kind === 'halted' ? stop.status : stop.kind;
}

/** What each VM printed, whatever came between. */
const outputs = (run: Run) =>
  [1, 2, 3, 4].map((vmid) => run.console.split('\n').filter((line) => line.startsWith(`vm${vmid}: `)));

const SETUP = 'vms=unixbench,netbench later=blkbench@120';
const golden = boot(SETUP);
const goldenEnd = finish(golden);
const expected = outputs(golden);

describe('the set-up 3AppVM, without a fault', () => {
  it('ends well: every guest checks itself', () => {
    expect(goldenEnd, golden.console).toBe('pass');
    const [privvm, unixbench, netbench, blkbench] = expected;
    expect(unixbench?.at(-1)).toMatch(/^vm2: sum 0x[0-9a-f]+ ok$/);
    expect(netbench?.at(-1)).toBe('vm3: echo ok');
    expect(blkbench?.at(-1)).toMatch(/^vm4: sum 0x[0-9a-f]+ ok$/);
    expect(privvm?.slice(-3)).toEqual([
      'vm1: vm2 unixbench: status 0',
      'vm1: vm3 netbench: status 0',
      'vm1: vm4 blkbench: status 0',
    ]);
  });

  it('takes a fifth of a second of virtual time and more, and at most 60 M instructions', () => {
    expect(golden.machine.ticks).toBeGreaterThan(200 * MS);
    expect(golden.machine.ticks).toBeLessThan(400 * MS);
    expect(golden.machine.moment).toBeLessThan(60_000_000);
  });

  it.each([1, 2, 8])('%i harts print the same', (harts) => {
    const run = boot(SETUP, { harts });
    expect(finish(run)).toBe('pass');
    expect(outputs(run)).toEqual(expected);
  });

  it('another schedule, and other latencies of the disk, print the same', () => {
    const run = boot(SETUP, { quantum: { policy: 'jittered', ticks: 700, seed: 7n }, seed: 99n });
    expect(finish(run)).toBe('pass');
    expect(outputs(run)).toEqual(expected);
    expect(run.machine.digest()).not.toBe(golden.machine.digest());
  });

  it('again, it ends in the same state', () => {
    const run = boot(SETUP);
    finish(run);
    expect(run.machine.digest()).toBe(golden.machine.digest());
  });
});

it('eight AppVMs share four harts, the disk and the network', () => {
  const run = boot('vms=unixbench,unixbench,blkbench,blkbench,netbench,netbench,idle,compute unixrounds=3 blkrounds=3');
  expect(finish(run), run.console).toBe('pass');
  expect(run.console.match(/^vm1: vm\d \w+: status 0$/gm)).toHaveLength(8);
  expect(run.console.match(/sum 0x[0-9a-f]+ ok$/gm)).toHaveLength(5);
});

describe('several vCPUs', () => {
  const team = (append: string, change: Partial<MachineConfig> = {}) => {
    const run = boot(`vms=team,team ${append}`, change);
    expect(finish(run), run.console).toBe('pass');
    const lines = outputs(run);
    expect(lines[1]?.at(-1)).toMatch(/^vm2: sum [0-9]+ ok$/);
    return lines.slice(1, 3);
  };

  it.each([1, 2, 4, 8])('each with a page of its own at the same address, on %i harts, pinned and not', (harts) => {
    const pinned = team('vcpus=4', { harts });
    expect(team('vcpus=4 pinning=off', { harts, quantum: { policy: 'jittered', ticks: 700, seed: 3n } })).toEqual(
      pinned,
    );
  });

  /** On which harts VM 2, which belongs to hart 1 as VM 6 does, was seen inside. */
  function seen(append: string) {
    const run = boot(`vms=unixbench,idle,idle,idle,unixbench unixrounds=3 idlems=20 ${append}`);
    const harts = new Set<number>();
    while (run.machine.run({ moment: run.machine.moment + 10_000 }).kind !== 'halted')
      for (let hart = 0; hart < 4; hart++) if (run.machine.hart(hart).vmid === 2) harts.add(hart);
    expect(run.console.match(/status 0$/gm)).toHaveLength(5);
    return [...harts].sort();
  }

  it('a vCPU that is not pinned is run by a hart that has nothing else to do', () => {
    expect(seen('')).toEqual([1]);
    expect(seen('pinning=off').length).toBeGreaterThan(1);
  });

  it.each([
    ['vcpus=5', 'vcpus= takes 1 to 4'],
    ['pinning=maybe', 'pinning= takes on or off'],
  ])('%s is refused', (option, message) => {
    const run = boot(`vms=team ${option}`);
    expect(finish(run)).toBe('fail');
    expect(run.console).toContain(message);
  });
});

describe('options', () => {
  it('scale multiplies the rounds and sleeps of all', () => {
    const run = boot('vms=idle,blkbench scale=2 blkrounds=1 idlems=20');
    expect(finish(run)).toBe('pass');
    expect(run.console).toContain('vm2: idle for 40 ms');
    expect(run.console).toContain('vm3: round 2/2 create f-0002 ok');
    expect(run.machine.ticks).toBeGreaterThan(40 * MS);
  });

  it.each(['unixrounds=x', 'scale=1k'])('%s is refused', (option) => {
    const run = boot(`vms=unixbench ${option}`);
    expect(finish(run)).toBe('fail');
    expect(run.console).toContain(`vm2: ${option.split('=')[0]}= needs a number`);
    expect(run.console).toContain('vm1: vm2 unixbench: status 1');
  });

  it('without a disk blkbench says so and fails, and unixbench needs none', () => {
    const run = boot('vms=blkbench,unixbench unixrounds=1', { virtio: [] });
    expect(finish(run)).toBe('fail');
    expect(run.console).toContain('vm2: cannot make a file system on the disk');
    expect(run.console).toContain('vm1: vm2 blkbench: status 1');
    expect(run.console).toContain('vm1: vm3 unixbench: status 0');
  });
});

describe('netbench', () => {
  const sender: Address = { mac: Uint8Array.of(0x52, 0x55, 10, 0, 2, 9), ip: Uint8Array.of(10, 0, 2, 9) };
  const server: Address = { mac: Uint8Array.of(0x52, 0x54, 0, 0, 0, 2), ip: Uint8Array.of(10, 0, 2, 102) };
  const frameOf = (n: number, toPort = 7) => {
    const payload = Uint8Array.from({ length: 26 + (n % 3) * 333 }, (_, at) => n + at * 7);
    return ipv4(sender, server, PROTOCOL_UDP, udp(sender, server, { fromPort: 5000 + n, toPort, payload }));
  };
  const send = (run: Run, bytes: Uint8Array) => run.machine.apply({ kind: 'net', slot: 1, bytes });
  /** One datagram a millisecond, from 20 to 180 ms. */
  function converse(run: Run, each: (n: number) => Uint8Array): void {
    for (let n = 0; n < 160; n++) {
      run.machine.run({ ticks: (20 + n) * MS });
      send(run, each(n));
    }
  }

  const run = boot('vms=netbench', { virtio: [net('outside')] });
  converse(run, (n) => frameOf(n));
  const end = finish(run);
  const answers = run.frames.flatMap(({ ticks, bytes }) => {
    const packet = readFrame(bytes);
    const datagram = packet?.kind === 'ipv4' && packet.protocol === PROTOCOL_UDP ? readUdp(packet.payload) : undefined;
    return packet?.kind === 'ipv4' && datagram ? [{ ticks, bytes, packet, datagram }] : [];
  });

  it('introduces itself, and answers each datagram with the same bytes', () => {
    expect(end).toBe('pass');
    const [hello] = run.frames.map(({ bytes }) => readFrame(bytes));
    expect(hello).toEqual({ kind: 'arp request', from: server, target: server.ip });
    expect(answers.map(({ datagram }) => datagram.toPort)).toEqual(Array.from({ length: 160 }, (_, n) => 5000 + n));
    answers.forEach(({ packet, datagram, bytes }, n) => {
      const { payload } = readUdp((readFrame(frameOf(n)) as typeof packet).payload)!;
      expect(datagram).toEqual({ fromPort: 7, toPort: 5000 + n, payload });
      expect(packet.from).toEqual(server);
      expect(checksum(bytes.subarray(14, 34))).toBe(0);
    });
  });

  it('answers within two milliseconds', () => {
    const late = answers.map(({ ticks }, n) => (ticks - (20 + n) * MS) / MS).filter((ms) => ms > 2);
    expect(late).toEqual([]);
  });

  it('prints the same whatever comes, and leaves other ports and damaged datagrams alone', () => {
    const other = boot('vms=netbench', { virtio: [net('outside')] });
    converse(other, (n) => {
      const frame = frameOf(n, n % 2 === 0 ? 9 : 7);
      if (n % 2 === 1) frame[frame.length - 1]! ^= 0x10;
      return frame;
    });
    expect(finish(other)).toBe('pass');
    expect(outputs(other)).toEqual(outputs(run));
    expect(other.frames).toHaveLength(1);
  });

  it('answers ARP for its address, and for no other', () => {
    const asked = boot('vms=netbench', { virtio: [net('outside')] });
    const request = (last: number) => {
      const frame = new Uint8Array(60);
      frame.fill(0xff, 0, 6);
      frame.set(sender.mac, 6);
      frame.set([8, 6, 0, 1, 8, 0, 6, 4, 0, 1, ...sender.mac, ...sender.ip, 0, 0, 0, 0, 0, 0, 10, 0, 2, last], 12);
      return frame;
    };
    asked.machine.run({ ticks: 20 * MS });
    send(asked, request(103));
    send(asked, request(102));
    finish(asked);
    expect(asked.frames).toHaveLength(2);
    const reply = asked.frames[1]!.bytes;
    expect([...reply.subarray(0, 6)]).toEqual([...sender.mac]);
    expect([...reply.subarray(20, 42)]).toEqual([0, 2, ...server.mac, ...server.ip, ...sender.mac, ...sender.ip]);
  });
});

describe('a canary: what is changed behind a guest’s back does not pass', () => {
  /** Runs on until VM 2, which is on hart 1, is about to execute there. */
  function untilInside(run: Run, mode: Mode): void {
    const hart = () => run.machine.hart(1);
    for (let n = 0; n < 100_000 && (hart().vmid !== 2 || hart().mode !== mode); n++)
      run.machine.run({ moment: run.machine.moment + 97 });
    expect(hart().mode).toBe(mode);
  }

  /** Inverts the word at a guest's symbol. */
  function spoil(run: Run, guest: string, name: string, offset = 0): void {
    const symbol = readSymbols(file(`guest-${guest}.elf`)).find((each) => each.name === name);
    const paddr = run.machine.translate(1, BigInt.asIntN(64, (symbol?.address ?? 0n) + BigInt(offset)));
    if (paddr === undefined) throw new Error(`${guest} does not map ${name}`);
    const bytes = run.machine.readPhysical(paddr, 8).map((byte) => byte ^ 0xff);
    run.machine.apply({ kind: 'poke', paddr, bytes });
  }

  it('unixbench: the counter that the store must agree with', () => {
    const run = boot('vms=unixbench unixrounds=4');
    run.machine.run({ ticks: 25 * MS });
    untilInside(run, 'VS');
    spoil(run, 'unixbench', 'counter');
    expect(finish(run)).toBe('fail');
    expect(run.console).toContain('vm2: wrong: store_add');
    expect(run.console).toMatch(/vm2: sum 0x[0-9a-f]+ WRONG/);
  });

  it('unixbench: a register of a process', () => {
    const run = boot('vms=unixbench unixrounds=1');
    untilInside(run, 'VU');
    for (let n = 0; n < 40; n++) {
      run.machine.run({ moment: run.machine.moment + 5_000 });
      if (run.machine.hart(1).mode !== 'VU') continue;
      run.machine.apply({ kind: 'fault', fault: { model: 'register', hart: 1, register: 11 + (n % 7), bit: 3 } });
    }
    expect(finish(run)).toBe('fail');
    expect(run.console).toContain('vm2: wrong: registers of a process');
    expect(run.console).toContain('vm1: vm2 unixbench: status 1');
  });

  it('blkbench: a page between the disk and its comparison', () => {
    const run = boot('vms=blkbench blkrounds=2');
    untilInside(run, 'VS');
    for (let n = 0; n < 200; n++) {
      run.machine.run({ moment: run.machine.moment + 10_000 });
      if (run.machine.hart(1).mode === 'VS' && run.machine.hart(1).vmid === 2) spoil(run, 'blkbench', 'buffer', 8 * n);
    }
    expect(finish(run)).toBe('fail');
    expect(run.console).toMatch(/vm2: round \d\/2 \w+ \S+ FAILED/);
    expect(run.console).toMatch(/vm2: sum 0x[0-9a-f]+ WRONG/);
  });
});
