import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createMachine } from '../machine/machine.ts';
import type { Machine } from '../machine/types.ts';
import { disassembleAt } from './disassembly.ts';
import { guestPages, translateGuest, walkGStage } from './gstage.ts';
import { readMachineSymbols } from './images.ts';
import { readOwnership } from './ownership.ts';
import { vmDigests } from './vm-digests.ts';
import { listVms } from './vms.ts';

const image = (name: string) => ({ name, bytes: readFileSync(new URL(`../subject/images/${name}`, import.meta.url)) });
const config = {
  harts: 2,
  ramBytes: 64 << 20,
  quantum: { policy: 'fixed', ticks: 1000, seed: 0n },
  bios: image('firmware.elf'),
  kernel: image('lazarus.elf'),
  initrd: image('guest-compute.elf'),
  append: 'steps=2',
} as const;
const symbols = readMachineSymbols(config);

/** Runs until hart 0 is inside a VM. */
function insideAVm(): Machine {
  const machine = createMachine(config);
  machine.run({ moment: 600_000 });
  for (let n = 0; n < 5000 && machine.hart(0).mode !== 'VS'; n++) machine.run({ moment: machine.moment + 100 });
  expect(machine.hart(0).mode).toBe('VS');
  return machine;
}

describe('Lazarus seen from outside', () => {
  const machine = insideAVm();
  const { vms, source, problems } = listVms(machine, symbols.hypervisor);

  it('has two VMs, one of them inside on hart 0', () => {
    expect(problems).toEqual([]);
    expect(source).toBe('layout');
    expect(vms.map(({ vmid, name, state }) => [vmid, name, state])).toEqual([
      [1, 'vm1', 'running'],
      [2, 'vm2', 'running'],
    ]);
    const [running] = vms.filter(({ onHarts }) => onHarts.some(({ hart, inside }) => hart === 0 && inside));
    expect(running?.vmid).toBe(machine.hart(0).vmid);
    expect(running?.vcpus.map(({ state }) => state)).toEqual(['running']);
  });

  it('is the same through hgatp alone, for the VMs that harts hold', () => {
    const seen = listVms(machine, undefined).vms;
    expect(seen.length).toBeGreaterThan(0);
    for (const vm of seen) expect(vms.find(({ vmid }) => vmid === vm.vmid)?.hgatp).toBe(vm.hgatp);
  });

  it('translates guest code as the hart does, and knows whose page it is', () => {
    const { pc, vmid } = machine.hart(0);
    const paddr = machine.translate(0, pc, 'fetch')!;
    const [owner] = readOwnership(machine, symbols).guestsAt(paddr);
    expect(owner?.vmid).toBe(vmid);
    const mapping = translateGuest(machine, machine.csr(0, 'hgatp'), owner!.gpa)!;
    expect(mapping.spa + Number(owner!.gpa - mapping.gpa)).toBe(paddr);
    expect(mapping.execute).toBe(true);
  });

  it('never shares a page between VMs', () => {
    const owners = readOwnership(machine, symbols);
    for (const page of machine.snapshot().pages.keys()) {
      expect(owners.guestsAt(0x8000_0000 + page * 4096).length).toBeLessThanOrEqual(1);
    }
  });

  it('disassembles the guest at its pc with the guest’s symbols', () => {
    const lines = disassembleAt(machine, 0, machine.hart(0).pc, 5, symbols);
    expect(lines).toHaveLength(5);
    expect(lines[0]!.symbol).toBe(symbols.guest!.describe(machine.hart(0).pc));
    expect(lines[0]!.symbol).toBeDefined();
    for (const { text } of lines) expect(text).not.toMatch(/unknown|illegal/);
  });
});

describe('the digests of the VMs', () => {
  const machine = insideAVm();
  const digests = () => new Map(vmDigests(machine, symbols.hypervisor).map(({ vmid, digest }) => [vmid, digest]));
  const before = digests();
  const flip = (paddr: number) => {
    const bytes = machine.readPhysical(paddr, 1).map((byte) => byte ^ 0x10);
    machine.apply({ kind: 'poke', paddr, bytes });
  };
  const pagesOf = (vmid: number) => {
    const vm = listVms(machine, symbols.hypervisor).vms.find((candidate) => candidate.vmid === vmid)!;
    return [...guestPages(machine, walkGStage(machine, vm.hgatp)).values()];
  };

  it('exist for both, and differ', () => {
    expect([...before.keys()]).toEqual([1, 2]);
    expect(before.get(1)).not.toBe(before.get(2));
  });

  it('change with any page of that VM, back when it changes back, and with nobody else', () => {
    const pages = pagesOf(2);
    for (const spa of [pages[0]!, pages[Math.floor(pages.length / 2)]!, pages.at(-1)!]) {
      flip(spa + 123);
      expect(digests().get(1)).toBe(before.get(1));
      expect(digests().get(2)).not.toBe(before.get(2));
      flip(spa + 123);
      expect(digests()).toEqual(before);
    }
  });

  it('do not change with the memory of the hypervisor', () => {
    flip(Number(symbols.hypervisor!.address('cpus')));
    expect(digests()).toEqual(before);
    flip(Number(symbols.hypervisor!.address('cpus')));
  });

  it('depend on where a page is for the VM', () => {
    const [a, b] = pagesOf(1) as [number, number];
    const [bytesA, bytesB] = [machine.readPhysical(a, 4096), machine.readPhysical(b, 4096)];
    expect(bytesA).not.toEqual(bytesB);
    machine.apply({ kind: 'poke', paddr: a, bytes: bytesB });
    machine.apply({ kind: 'poke', paddr: b, bytes: bytesA });
    expect(digests().get(1)).not.toBe(before.get(1));
    expect(digests().get(2)).toBe(before.get(2));
  });
});
