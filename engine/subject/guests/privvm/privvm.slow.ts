/**
 * The PrivVM with its AppVMs on our machine: toolstack, back ends and drivers end to end, with and without devices,
 * with front ends that break the rules, and with failing hypervisors while DMA is in flight.
 * Every run is made twice and must end in the same state.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { noteName } from '../../../machine/bus/notes.ts';
import { createMachine } from '../../../machine/machine.ts';
import type { Machine, MachineConfig, VirtioConfig } from '../../../machine/types.ts';

const image = (name: string) => ({ name, bytes: readFileSync(new URL(`../../images/${name}`, import.meta.url)) });
const images = { bios: image('firmware.elf'), kernel: image('lazarus.elf'), initrd: image('guests.bundle') };
const DISK_BYTES = 8 << 20;
const NET_SLOT = 6;
const disk: VirtioConfig = {
  kind: 'block',
  slot: 7,
  image: { name: 'disk.img', bytes: new Uint8Array(DISK_BYTES) },
  readOnly: false,
  serial: '',
};
const net: VirtioConfig = { kind: 'net', slot: NET_SLOT, mac: '52:54:00:12:34:56', cable: 'switch' };

interface System {
  readonly machine: Machine;
  console: string;
  resumed: number;
  readonly frames: Uint8Array[];
}

function boot(
  append: string,
  { harts = 4, ramBytes = 128 << 20, virtio = [disk, net] }: Partial<MachineConfig> = {},
): System {
  const quantum = { policy: 'fixed', ticks: 1000, seed: 0n } as const;
  const machine = createMachine({ harts, ramBytes, quantum, append, virtio, ...images });
  const system: System = { machine, console: '', resumed: 0, frames: [] };
  machine.onEvent = (event) => {
    if (event.kind === 'console') system.console += String.fromCharCode(event.byte);
    if (event.kind === 'note' && noteName(event.code) === 'RESUMED') system.resumed++;
    if (event.kind === 'net') system.frames.push(event.bytes);
  };
  return system;
}

/** Runs to the end, but no further than a virtual second; how it ended. */
function finish({ machine }: System): string {
  const stop = machine.run({ ticks: 1_000_000_000 });
  return stop.kind === 'halted' ? stop.status : stop.kind;
}

const linesOf = (vm: number, { console }: System) => console.split('\n').filter((line) => line.startsWith(`vm${vm}: `));
const said = (vm: number, system: System) => linesOf(vm, system).map((line) => line.slice('vm1: '.length));
const outputs = (system: System) => [1, 2, 3, 4].map((vm) => said(vm, system));

/** A whole run, made twice. */
function run(append: string, config: Partial<MachineConfig> = {}): { system: System; end: string } {
  const [system, again] = [boot(append, config), boot(append, config)];
  const end = finish(system);
  expect(finish(again)).toBe(end);
  expect([again.console, again.machine.moment, again.machine.digest()]).toEqual([
    system.console,
    system.machine.moment,
    system.machine.digest(),
  ]);
  return { system, end };
}

describe('the toolstack', () => {
  const WHOLE = 'vms=unixbench,netbench later=blkbench@120';
  const golden = run(WHOLE);

  it('makes the VMs of the command line, one of them later, and all have success', () => {
    expect(golden.end).toBe('pass');
    expect(said(1, golden.system)).toEqual([
      'made vm2 from unixbench',
      'made vm3 from netbench',
      'made vm4 from blkbench',
      'vm2 unixbench: status 0',
      'vm3 netbench: status 0',
      'vm4 blkbench: status 0',
    ]);
  });

  it.each([1, 2, 8])('%i harts print the same', (harts) => {
    const { system, end } = run(WHOLE, { harts });
    expect(end).toBe('pass');
    expect(outputs(system)).toEqual(outputs(golden.system));
  });

  describe('in a machine that has no room for eight VMs', () => {
    const small = { harts: 2, ramBytes: 12 << 20 };

    it('makes eight, one after the other: their memory is given back', () => {
      const later = Array.from({ length: 7 }, (_, n) => `compute@${20 * (n + 1)}`).join(',');
      const { system, end } = run(`vms=compute later=${later} steps=2`, small);
      expect(end).toBe('pass');
      expect(said(1, system).filter((line) => line.endsWith('compute: status 0'))).toHaveLength(8);
    });

    it('says which of eight at once cannot be made, and runs the others', () => {
      const { system, end } = run(`vms=${Array(8).fill('compute').join(',')} steps=2`, small);
      expect(end).toBe('fail');
      const results = said(1, system).slice(-8);
      expect(results[0]).toBe('vm2 compute: status 0');
      expect(results[7]).toBe('vm9 compute: failed');
      expect(said(1, system)).toContain('failed: memory_populate');
    });
  });

  it.each([
    ['steps=2', 'no VM to make: vms= names images of the bundle'],
    ['vms=compute,nonsense', 'vms=: "nonsense" is no image of the bundle'],
    ['vms=compute,', 'vms=: "" is no image of the bundle'],
    [
      'vms=privvm-with-a-very-long-name-of-its-own',
      'vms=: "privvm-with-a-very-long-name-of" is no image of the bundle',
    ],
    ['vms=compute later=compute', 'later=: "compute" needs a time: NAME@MILLISECONDS'],
    ['vms=compute@5', 'vms=: "compute@5" has a time: such VMs go to later='],
    ['later=compute@soon', 'later=: "compute@soon" needs a number of milliseconds behind @'],
    [`vms=${Array(9).fill('idle').join(',')}`, 'vms=: "idle" is one VM too many: 8 are possible'],
  ])('refuses %s', (append, message) => {
    const { system, end } = run(append);
    expect(end).toBe('fail');
    expect(system.console).toContain(message);
  });
});

describe('without devices', () => {
  it('VMs that need none run', () => {
    expect(run('vms=compute,unixbench steps=2', { virtio: [] }).end).toBe('pass');
  });

  it('a VM that needs a disk fails, and is said to', () => {
    const { system, end } = run('vms=blkbench,compute steps=2', { virtio: [] });
    expect(end).toBe('fail');
    expect(said(1, system).slice(-2)).toEqual(['vm2 blkbench: status 1', 'vm3 compute: status 0']);
  });
});

describe('a hostile front end', () => {
  const { system, end } = run('vms=hostile,blkbench blkrounds=2');

  it('is refused each time, and disconnected at last', () => {
    expect(said(2, system).filter((line) => line.endsWith(': as it should be'))).toHaveLength(19);
    expect(said(2, system).filter((line) => line.includes('WRONG'))).toEqual([]);
    expect(said(1, system)).toContain('vm2 is disconnected: its disk has more requests than slots');
    expect(said(1, system)).toContain('vm2 is disconnected: its network device has more frames than slots');
  });

  it('does not disturb the others', () => {
    expect(end).toBe('pass');
    expect(said(1, system)).toContain('vm3 blkbench: status 0');
    expect(said(3, system)).toEqual(said(3, run('vms=idle,blkbench blkrounds=2').system));
  });
});

describe('disk slices', () => {
  it('are apart: VMs that write at the same time read what they wrote', () => {
    const { system, end } = run('vms=blkbench,blkbench,blkbench blkrounds=2');
    expect(end).toBe('pass');
    for (const vm of [2, 3, 4]) expect(said(vm, system).at(-1)).toMatch(/^sum 0x[0-9a-f]+ ok$/);
  });
});

describe('the switch', () => {
  const vmMac = [0x52, 0x54, 0, 0, 0, 2];
  const outside = [0x02, 0, 0, 0, 0, 9];
  /** Who has 10.0.2.102? */
  const arp = Uint8Array.from([
    ...Array(6).fill(0xff),
    ...outside,
    ...[8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
    ...outside,
    ...[10, 0, 2, 9],
    ...Array(6).fill(0),
    ...[10, 0, 2, 102],
    ...Array(18).fill(0),
  ]);

  it('carries frames from outside to a VM, and its answers back', () => {
    const system = boot('vms=netbench,compute steps=2', { virtio: [{ ...net, cable: 'outside' } as VirtioConfig] });
    system.machine.run({ ticks: 30_000_000 });
    for (let n = 0; n < 40; n++) {
      system.machine.apply({ kind: 'net', slot: NET_SLOT, bytes: arp });
      system.machine.run({ ticks: system.machine.ticks + 1_000_000 });
    }
    const replies = system.frames.filter((frame) => frame[12] === 8 && frame[13] === 6 && frame[21] === 2);
    expect(replies).toHaveLength(40);
    for (const reply of replies) {
      expect([...reply.subarray(0, 6)]).toEqual(outside);
      expect([...reply.subarray(6, 12)]).toEqual(vmMac);
    }
    expect(finish(system)).toBe('pass');
  });
});

describe('a failstop while the disk is busy', () => {
  const append = 'vms=blkbench,blkbench blkrounds=2';
  const golden = run(append);
  /** Somewhere in the hypervisor, at 12 moments of the VMs' work. */
  it.each(['rehype', 'nilihype'])('is survived by %s', (mechanism) => {
    const system = boot(`${append} recovery=${mechanism}`);
    const { machine } = system;
    const failures: string[] = [];
    for (let n = 0; n < 12; n++) {
      machine.run({ moment: 2_500_000 + 300_000 * n });
      while (machine.hart(machine.next().hart).mode !== 'HS') machine.step();
      const before = { snapshot: machine.snapshot(), console: system.console };
      const { hart, pc } = machine.next();
      system.resumed = 0;
      machine.apply({ kind: 'fault', fault: { model: 'failstop', hart } });
      const end = finish(system);
      const same = JSON.stringify(outputs(system)) === JSON.stringify(outputs(golden.system));
      if (end !== 'pass' || !same || system.resumed !== 1)
        failures.push(`moment ${before.snapshot.moment} hart ${hart} pc ${pc.toString(16)}: ${end}, same: ${same}`);
      machine.restore(before.snapshot);
      system.console = before.console;
    }
    expect(failures).toEqual([]);
  });
});
