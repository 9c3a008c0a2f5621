/**
 * Who owns a piece of physical memory: a VM through its G-stage tables, a structure or symbol of the hypervisor,
 * or the firmware. One `Ownership` describes one moment: tables and lists change while the machine runs.
 * Relies on listVms and the walks. Does not know heap blocks that no domain or vCPU structure explains.
 */
import { type GuestAddressSpace, walkGStage } from './gstage.ts';
import { hex, isRam } from './memory.ts';
import type { MachineSymbols } from './places.ts';
import { type NamedOffset, type PublishedLayout, readPublishedLayout } from './published.ts';
import type { SymbolTable } from './symbols.ts';
import { type Inspected, listVms, type VmInfo, type VmList } from './vms.ts';

export interface GuestOwner {
  readonly vmid: number;
  readonly name: string;
  readonly gpa: bigint;
}

export interface Ownership {
  readonly list: VmList;
  /** The VMs that map a physical address, by VMID; more than one = shared. */
  guestsAt(paddr: number): readonly GuestOwner[];
  /** `vm1 gpa 0x8000_1000`, `lazarus heap_lock`, `lazarus vcpu of vm1: x+0x50`; undefined when nobody is known. */
  describe(paddr: number): string | undefined;
}

/** Reads every VM's tables and the hypervisor's lists as they are now. */
export function readOwnership(machine: Inspected, symbols: MachineSymbols): Ownership {
  const list = listVms(machine, symbols.hypervisor);
  const spaces = list.vms.map((vm) => ({ vm, space: walkGStage(machine, vm.hgatp) }));
  const pages = mappedPages(spaces);
  const tables = new Map(spaces.flatMap(({ vm, space }) => space.tablePages.map((page) => [page, vm] as const)));
  const structures = findStructures(machine, symbols.hypervisor, list);
  const guestsAt = (paddr: number) => guestOwners(pages, paddr);
  return {
    list,
    guestsAt,
    describe: (paddr) => {
      const guests = guestsAt(paddr);
      if (guests.length > 0) return guests.map(({ name, gpa }) => `${name} gpa ${hex(gpa)}`).join(' and ');
      const inside = structures.find((at) => paddr >= at.address && paddr < at.address + at.sizeBytes);
      if (inside) return `${inside.label}${fieldAt(inside.fields, paddr - inside.address)}`;
      const table = tables.get(paddr - (paddr % 4096));
      return table ? `G-stage table of ${table.name}` : symbols.describePhysical(paddr);
    },
  };
}

interface MappedRange {
  readonly vm: VmInfo;
  readonly spa: number;
  readonly sizeBytes: number;
  readonly gpa: bigint;
}

/** Mappings by their first 4 KiB frame for pages, and in a short list for superpages. */
interface MappedPages {
  readonly byFrame: ReadonlyMap<number, readonly MappedRange[]>;
  readonly large: readonly MappedRange[];
}

function mappedPages(spaces: readonly { vm: VmInfo; space: GuestAddressSpace }[]): MappedPages {
  const byFrame = new Map<number, MappedRange[]>();
  const large: MappedRange[] = [];
  for (const { vm, space } of spaces) {
    for (const { spa, sizeBytes, gpa } of space.mappings) {
      const range = { vm, spa, sizeBytes, gpa };
      if (sizeBytes > 4096) large.push(range);
      else byFrame.set(spa, [...(byFrame.get(spa) ?? []), range]);
    }
  }
  return { byFrame, large };
}

function guestOwners(pages: MappedPages, paddr: number): GuestOwner[] {
  const candidates = [...(pages.byFrame.get(paddr - (paddr % 4096)) ?? []), ...pages.large];
  return candidates
    .filter(({ spa, sizeBytes }) => paddr >= spa && paddr < spa + sizeBytes)
    .map(({ vm, spa, gpa }) => ({ vmid: vm.vmid, name: vm.name, gpa: gpa + BigInt(paddr - spa) }))
    .sort((a, b) => a.vmid - b.vmid || (a.gpa < b.gpa ? -1 : 1));
}

interface Structure {
  readonly label: string;
  readonly address: number;
  readonly sizeBytes: number;
  readonly fields: readonly NamedOffset[];
}

function findStructures(machine: Inspected, hypervisor: SymbolTable | undefined, list: VmList): Structure[] {
  const layout = hypervisor && readPublishedLayout(hypervisor);
  if (!layout || typeof layout === 'string') return [];
  const found = list.vms.flatMap((vm) => vmStructures(vm, layout, hypervisor.image));
  return found.filter(({ address, sizeBytes }) => isRam(machine, address, sizeBytes));
}

function vmStructures(vm: VmInfo, layout: PublishedLayout, image: string): Structure[] {
  if (vm.address === undefined) return [];
  const domain = {
    label: `${image} domain ${vm.name}`,
    address: vm.address,
    sizeBytes: layout.domainBytes,
    fields: layout.fields.domain,
  };
  const vcpus = vm.vcpus.map(({ address }) => ({
    label: `${image} vcpu of ${vm.name}`,
    address,
    sizeBytes: layout.vcpuBytes,
    fields: layout.fields.vcpu,
  }));
  return [...vcpus, domain];
}

/** `: x+0x50` for the published field at or below the offset. */
function fieldAt(fields: readonly NamedOffset[], offset: number): string {
  const field = fields.findLast((candidate) => candidate.offset <= offset);
  if (!field) return `+0x${offset.toString(16)}`;
  const into = offset - field.offset;
  return into === 0 ? `: ${field.name}` : `: ${field.name}+0x${into.toString(16)}`;
}
