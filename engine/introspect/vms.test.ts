import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { readOwnership } from './ownership.ts';
import { joinSymbols } from './places.ts';
import { createSymbolTable, type ElfSymbol } from './symbols.ts';
import { buildGStage, FakeMachine, hgatpOf, RAM } from './testing.ts';
import { listVms } from './vms.ts';

const LIST = RAM + 0x8000;
const LAYOUT: Record<string, number> = {
  'domain.next': 0,
  'domain.vmid': 8,
  'domain.name': 16,
  'domain.state': 32,
  'domain.hgatp': 40,
  'domain.vcpu': 48,
  'domain.size': 64,
  'vcpu.domain': 0,
  'vcpu.state': 8,
  'vcpu.hart': 12,
  'vcpu.pc': 16,
  'vcpu.x': 24,
  'vcpu.size': 24 + 256,
  'vcpu_state.runnable': 0,
  'vcpu_state.running': 1,
  'vcpu_state.blocked': 2,
};
const symbols: ElfSymbol[] = [
  ...Object.entries(LAYOUT).map(([name, value]) => ({
    name: `layout.${name}`,
    address: BigInt(value),
    size: 0n,
    type: 'none' as const,
    absolute: true,
  })),
  { name: 'domain_list', address: BigInt(LIST), size: 8n, type: 'object', absolute: false },
];
const lazarus = createSymbolTable('lazarus', symbols);
const everything = joinSymbols(createSymbolTable('firmware', []), lazarus, undefined);

const DOMAIN = [RAM + 0x10000, RAM + 0x11000] as const;
const VCPU = [RAM + 0x10800, RAM + 0x11800] as const;
const ROOT = [RAM + 0x20000, RAM + 0x40000] as const;
const HGATP = [hgatpOf(8, 1, ROOT[0]), hgatpOf(8, 2, ROOT[1])] as const;

/** Two VMs: vm1 inside on hart 1, vm2 runnable. */
function twoVms(): FakeMachine {
  const machine = new FakeMachine(1 << 20, [
    { mode: 'HS', hgatp: 0n },
    { mode: 'VS', hgatp: HGATP[0] },
  ]);
  machine.writeU64(LIST, BigInt(DOMAIN[0]));
  for (const n of [0, 1] as const) {
    machine.writeU64(DOMAIN[n], n === 0 ? BigInt(DOMAIN[1]) : 0n);
    machine.writeU32(DOMAIN[n] + 8, n + 1);
    machine.writeText(DOMAIN[n] + 16, `vm${n + 1}`);
    machine.writeU64(DOMAIN[n] + 40, HGATP[n]);
    machine.writeU64(DOMAIN[n] + 48, BigInt(VCPU[n]));
    machine.writeU64(VCPU[n], BigInt(DOMAIN[n]));
    machine.writeU32(VCPU[n] + 8, n === 0 ? 1 : 0);
    machine.writeU32(VCPU[n] + 12, n === 0 ? 1 : 0xffffffff);
    machine.writeU64(VCPU[n] + 16, 0x8000_0000n + BigInt(n));
    machine.writeU64(VCPU[n] + 24 + 80, 42n);
    buildGStage(machine, 3, ROOT[n], [{ gpa: 0x8000_1000n, level: 0, spa: RAM + 0x60000 + n * 0x1000, flags: 0xdf }]);
  }
  return machine;
}

describe('listVms', () => {
  it('reads domains and vCPUs through the published layout', () => {
    const { vms, source, problems } = listVms(twoVms(), lazarus);
    expect(problems).toEqual([]);
    expect(source).toBe('layout');
    expect(vms.map(({ vmid, name, hgatp }) => ({ vmid, name, hgatp }))).toEqual([
      { vmid: 1, name: 'vm1', hgatp: HGATP[0] },
      { vmid: 2, name: 'vm2', hgatp: HGATP[1] },
    ]);
    expect(vms[0]!.onHarts).toEqual([{ hart: 1, mode: 'VS', inside: true }]);
    expect(vms[0]!.vcpus[0]).toMatchObject({ state: 'running', hart: 1, pc: 0x8000_0000n });
    expect(vms[1]!.vcpus[0]).toMatchObject({ state: 'runnable', hart: undefined, pc: 0x8000_0001n });
    expect(vms[1]!.vcpus[0]!.x[10]).toBe(42n);
  });

  it('falls back to what the harts show, for any hypervisor', () => {
    const { vms, source, problems } = listVms(twoVms(), undefined);
    expect(source).toBe('harts');
    expect(vms).toMatchObject([{ vmid: 1, name: 'vm1', onHarts: [{ hart: 1 }] }]);
    expect(problems).toEqual(['the hypervisor image has no symbols']);
  });

  it('says which symbols are missing', () => {
    const partial = createSymbolTable(
      'xvisor',
      symbols.filter(({ name }) => name !== 'layout.vcpu.pc'),
    );
    expect(listVms(twoVms(), partial).problems).toEqual(['xvisor does not publish layout.vcpu.pc']);
  });

  it.each([
    ['outside RAM', (m: FakeMachine) => m.writeU64(DOMAIN[1], 0x1234_5678_0000_0000n), 'outside RAM'],
    ['into the middle', (m: FakeMachine) => m.writeU64(DOMAIN[1], BigInt(DOMAIN[0] + 3)), 'misaligned'],
    ['back to the first', (m: FakeMachine) => m.writeU64(DOMAIN[1], BigInt(DOMAIN[0])), 'loops'],
  ])('reports a list that points %s and keeps what came before', (_what, corrupt, problem) => {
    const machine = twoVms();
    corrupt(machine);
    const { vms, problems } = listVms(machine, lazarus);
    expect(vms).toHaveLength(2);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(problem);
  });

  it('reports domains whose parts contradict each other', () => {
    const machine = twoVms();
    machine.writeU32(DOMAIN[1] + 8, 7);
    machine.writeU64(VCPU[0], BigInt(DOMAIN[1]));
    machine.writeU32(VCPU[1] + 8, 99);
    const { problems } = listVms(machine, lazarus);
    expect(problems.join('\n')).toMatch(/vmid is 7, but its hgatp says 2/);
    expect(problems.join('\n')).toMatch(/says its domain is 0x8001_1000/);
    expect(problems.join('\n')).toMatch(/state 99/);
  });

  it('shows a VM that runs although no domain owns it', () => {
    const machine = twoVms();
    machine.writeU64(LIST, BigInt(DOMAIN[1]));
    const { vms, problems } = listVms(machine, lazarus);
    expect(vms.map(({ vmid }) => vmid)).toEqual([1, 2]);
    expect(problems).toEqual(['hart 1 runs VMID 1, which no domain owns']);
  });
});

describe('ownership', () => {
  it('names VM pages, structures, tables and symbols', () => {
    const machine = twoVms();
    const owners = readOwnership(machine, everything);
    expect(owners.describe(RAM + 0x60010)).toBe('vm1 gpa 0x8000_1010');
    expect(owners.describe(RAM + 0x61000)).toBe('vm2 gpa 0x8000_1000');
    expect(owners.describe(VCPU[0] + 24 + 80)).toBe('lazarus vcpu of vm1: x+0x50');
    expect(owners.describe(DOMAIN[1] + 32)).toBe('lazarus domain vm2: state');
    expect(owners.describe(ROOT[1] + 8)).toBe('G-stage table of vm2');
    expect(owners.describe(LIST)).toBe('lazarus domain_list');
    expect(owners.describe(RAM + 0xf0000)).toBeUndefined();
  });

  it('shows sharing', () => {
    const machine = twoVms();
    buildGStage(machine, 3, ROOT[1], [{ gpa: 0x8000_0000n, level: 0, spa: RAM + 0x60000, flags: 0xdf }]);
    expect(readOwnership(machine, everything).describe(RAM + 0x60008)).toBe(
      'vm1 gpa 0x8000_1008 and vm2 gpa 0x8000_0008',
    );
  });
});

test.prop([fc.array(fc.tuple(fc.nat(0x20ff), fc.bigInt(0n, (1n << 64n) - 1n)), { maxLength: 30 })])(
  'no corruption makes listing or ownership throw',
  (writes) => {
    const machine = twoVms();
    for (const [slot, value] of writes) machine.writeU64(RAM + 0x8000 + (slot % 0x1500) * 8, value);
    // Half of them as plausible pointers, which lead further than noise does.
    for (const [slot, value] of writes)
      machine.writeU64(DOMAIN[0] + (slot % 0x300) * 8, BigInt(RAM) + ((value % 0x20000n) & ~7n));
    const { vms } = listVms(machine, lazarus);
    expect(vms.length).toBeLessThanOrEqual(66);
    readOwnership(machine, everything).describe(RAM + 0x60000);
  },
);
