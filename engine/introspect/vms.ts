/**
 * Which VMs and vCPUs exist, as seen from outside: through the hypervisor's published layout when its image has one,
 * and for any hypervisor through each hart's hgatp.
 * Relies on physical memory and CSRs only. The hypervisor may be broken (that is when one looks): pointers are
 * bounded, loops are found, and whatever is wrong becomes a line in `problems`.
 */
import type { Machine, Mode } from '../machine/index.ts';
import { parseHgatp } from './gstage.ts';
import { followList } from './lists.ts';
import { hex, type PhysicalMemory, readRam, readText, readU32, readU64, view } from './memory.ts';
import { type PublishedLayout, readPublishedLayout } from './published.ts';
import type { SymbolTable } from './symbols.ts';

export interface VcpuInfo {
  /** Physical address of the structure. */
  readonly address: number;
  /** Published name of the state, or its number. */
  readonly state: string;
  /** Where the hypervisor says it runs or last ran; undefined when on none. */
  readonly hart: number | undefined;
  /** Registers as the hypervisor saved them: stale while the vCPU runs. */
  readonly pc: bigint;
  readonly x: readonly bigint[];
}

export interface VmInfo {
  readonly vmid: number;
  readonly name: string;
  /** Raw hgatp; the G-stage tables. */
  readonly hgatp: bigint;
  /** Published name of the domain's state or its number; undefined when seen through a hart only. */
  readonly state: string | undefined;
  /** Physical address of the domain structure; undefined when seen through a hart only. */
  readonly address: number | undefined;
  readonly vcpus: readonly VcpuInfo[];
  /** Harts whose hgatp names this VM now, and whether they are inside it. */
  readonly onHarts: readonly { readonly hart: number; readonly mode: Mode; readonly inside: boolean }[];
}

export interface VmList {
  /** By VMID, then address. */
  readonly vms: readonly VmInfo[];
  /** `layout`: from the hypervisor's own structures; `harts`: only what hgatp shows. */
  readonly source: 'layout' | 'harts';
  /** Why `source` is `harts`, and everything that looked corrupt. */
  readonly problems: readonly string[];
}

/** What listing needs of a machine. */
export type Inspected = PhysicalMemory &
  Pick<Machine, 'hart' | 'csr'> & { readonly config: { readonly harts: number } };

const MAX_DOMAINS = 64;
const MAX_VCPUS = 64;

/** Lists the VMs. `hypervisor` is the symbol table of the hypervisor's image, if it is known. */
export function listVms(machine: Inspected, hypervisor: SymbolTable | undefined): VmList {
  const layout = hypervisor ? readPublishedLayout(hypervisor) : 'the hypervisor image has no symbols';
  const problems: string[] = [];
  const harts = seenByHarts(machine);
  let vms: VmInfo[] = [];
  if (typeof layout === 'string') problems.push(layout);
  else vms = listDomains(machine, layout, problems).map((vm) => ({ ...vm, onHarts: onHarts(harts, vm) }));
  for (const { hgatp, ...at } of harts) {
    const { mode, vmid } = parseHgatp(hgatp);
    if (mode === 'bare' || vms.some((vm) => vm.hgatp === hgatp)) continue;
    const seen = { vmid, name: `vm${vmid}`, hgatp, state: undefined, address: undefined, vcpus: [] };
    if (typeof layout !== 'string') problems.push(`hart ${at.hart} runs VMID ${vmid}, which no domain owns`);
    vms.push({ ...seen, onHarts: onHarts(harts, seen) });
  }
  vms.sort((a, b) => a.vmid - b.vmid || (a.address ?? 0) - (b.address ?? 0));
  return { vms, source: typeof layout === 'string' ? 'harts' : 'layout', problems };
}

/** What one says of a VM in a line: its first vCPU's state, where it runs, and its pc as the hypervisor saved it. */
export interface VmSummary {
  /** The vCPU's published state, or the domain's; without either `running` inside a hart, or `loaded`. */
  readonly state: string;
  /** The hart that is inside it, or else has its hgatp, or else is said to run it; undefined: none. */
  readonly hart: number | undefined;
  readonly pc: bigint | undefined;
}

/** A VM in short. */
export function summariseVm(vm: VmInfo): VmSummary {
  const running = vm.onHarts.find((at) => at.inside) ?? vm.onHarts[0];
  const vcpu = vm.vcpus[0];
  return {
    state: vcpu?.state ?? vm.state ?? (running?.inside ? 'running' : 'loaded'),
    hart: running?.hart ?? vcpu?.hart,
    pc: vcpu?.pc,
  };
}

/** Every state that `summariseVm` may tell of, given the hypervisor's symbols. */
export function vmStates(hypervisor: SymbolTable | undefined): string[] {
  const layout = hypervisor ? readPublishedLayout(hypervisor) : undefined;
  const published = typeof layout === 'object' ? [...layout.vcpuStates.values(), ...layout.domainStates.values()] : [];
  return [...new Set([...published, 'running', 'loaded'])];
}

interface HartView {
  readonly hart: number;
  readonly mode: Mode;
  readonly hgatp: bigint;
}

function seenByHarts(machine: Inspected): HartView[] {
  return Array.from({ length: machine.config.harts }, (_, hart) => ({
    hart,
    mode: machine.hart(hart).mode,
    hgatp: machine.csr(hart, 'hgatp'),
  }));
}

const onHarts = (harts: readonly HartView[], vm: { readonly hgatp: bigint }): VmInfo['onHarts'] =>
  harts
    .filter((view) => view.hgatp === vm.hgatp && vm.hgatp !== 0n)
    .map(({ hart, mode }) => ({ hart, mode, inside: mode === 'VS' || mode === 'VU' }));

type Domain = Omit<VmInfo, 'onHarts'>;

function listDomains(memory: PhysicalMemory, layout: PublishedLayout, problems: string[]): Domain[] {
  const extent = Math.max(layout.domainBytes, ...layout.fields.domain.map((field) => field.offset + 8));
  const list = { head: layout.domainList, next: layout.domain.next, extent, limit: MAX_DOMAINS, what: 'domain list' };
  return followList(memory, list, problems).map((address): Domain => {
    const at = (offset: number) => address + offset;
    const vmid = readU32(memory, at(layout.domain.vmid)) ?? 0;
    const state = readU32(memory, at(layout.domain.state)) ?? 0;
    const hgatp = readU64(memory, at(layout.domain.hgatp)) ?? 0n;
    const name = readText(memory, at(layout.domain.name), 16) ?? '';
    const parsed = parseHgatp(hgatp);
    if (parsed.mode !== 'bare' && parsed.vmid !== vmid) {
      problems.push(`domain at ${hex(address)}: vmid is ${vmid}, but its hgatp says ${parsed.vmid}`);
    }
    return {
      vmid,
      name: name === '' ? `vm${vmid}` : name,
      hgatp,
      state: layout.domainStates.get(state) ?? `${state}`,
      address,
      vcpus: listVcpus(memory, layout, address, problems),
    };
  });
}

function listVcpus(memory: PhysicalMemory, layout: PublishedLayout, domain: number, problems: string[]): VcpuInfo[] {
  const { vcpu } = layout;
  const extent = Math.max(layout.vcpuBytes, vcpu.x + 32 * 8);
  const list = { head: domain + layout.domain.vcpu, next: vcpu.next, extent, limit: MAX_VCPUS, what: 'vCPU list' };
  return followList(memory, list, problems).map((address) => {
    const state = readU32(memory, address + vcpu.state) ?? 0;
    const hart = (readU32(memory, address + vcpu.hart) ?? 0) | 0;
    const owner = readU64(memory, address + vcpu.domain) ?? 0n;
    const known = layout.vcpuStates.get(state);
    if (owner !== BigInt(domain)) problems.push(`vCPU at ${hex(address)} says its domain is ${hex(owner)}`);
    if (known === undefined) problems.push(`vCPU at ${hex(address)} is in state ${state}, which has no name`);
    const words = view(readRam(memory, address + vcpu.x, 32 * 8) ?? new Uint8Array(256));
    return {
      address,
      state: known ?? `${state}`,
      hart: hart < 0 ? undefined : hart,
      pc: readU64(memory, address + vcpu.pc) ?? 0n,
      x: Array.from({ length: 32 }, (_, n) => words.getBigUint64(n * 8, true)),
    };
  });
}
