/**
 * Isolation at the end of a run: no VM maps what belongs to the firmware, to the hypervisor's image, to another VM, or
 * page tables. Relies on the G-stage tables as they stand, and on roles: what an AppVM and the PrivVM share is granted.
 * Does not see a mapping that was made and taken away again.
 */
import { guestPages, listVms, type Machine, type MachineSymbols, RAM_BASE, walkGStage } from '../../../engine/index.ts';
import type { GoldenRun } from './golden.ts';

interface Mapped {
  readonly name: string;
  readonly pages: readonly number[];
}

/** Why isolation does not hold, one line each; empty when it does. */
export function brokenIsolation(machine: Machine, golden: GoldenRun): string[] {
  const now = mapped(machine, golden.booted.symbols);
  const image = imageRange(golden.booted.symbols);
  const reasons: string[] = [];
  const owners = new Map<number, string>();
  for (const { name, pages } of now.vms) {
    const say = (page: number, what: string) => reasons.push(`${name} maps ${what} at 0x${page.toString(16)}`);
    for (const page of pages) {
      if (page >= RAM_BASE && page < image.end)
        say(page, page < image.start ? "the firmware's memory" : "the hypervisor's image");
      if (now.tables.has(page)) say(page, 'a page table');
      const other = owners.get(page);
      if (other !== undefined && other !== name && !mayShare(golden, name, other)) say(page, `memory of ${other}`);
      owners.set(page, name);
    }
  }
  return reasons.slice(0, MAX_REASONS);
}

const MAX_REASONS = 8;

/** Status that each domain ended with, by VMID, from its published structure; empty when the image publishes none. */
export function vmStatuses(machine: Machine, { hypervisor }: MachineSymbols): Map<number, bigint> {
  const statuses = new Map<number, bigint>();
  const offset = hypervisor?.absolutes('layout.domain.').get('status');
  if (offset === undefined) return statuses;
  const end = RAM_BASE + machine.config.ramBytes;
  for (const { vmid, address } of listVms(machine, hypervisor).vms) {
    if (address === undefined || address + Number(offset) + 8 > end) continue;
    const bytes = machine.readPhysical(address + Number(offset), 8);
    statuses.set(vmid, new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  }
  return statuses;
}

function mapped(machine: Machine, symbols: MachineSymbols): { vms: Mapped[]; tables: Set<number> } {
  const tables = new Set<number>();
  const vms = listVms(machine, symbols.hypervisor).vms.map(({ name, hgatp }) => {
    const space = walkGStage(machine, hgatp);
    for (const page of space.tablePages) tables.add(page);
    return { name, pages: [...guestPages(machine, space)].map(([, spa]) => spa) };
  });
  return { vms, tables };
}

/** Firmware below, image from `start`, up to `end`. */
function imageRange({ hypervisor }: MachineSymbols): { start: number; end: number } {
  const at = (name: string) => Number(hypervisor?.loadAddress(name) ?? RAM_BASE);
  return { start: at('image_start'), end: at('bss_end') };
}

/** Whether two VMs may share memory: only AppVMs have nothing to do with each other. */
function mayShare(golden: GoldenRun, a: string, b: string): boolean {
  const isAppVm = (name: string) => golden.setup.vms.find((vm) => vm.name === name)?.role === 'appvm';
  return !isAppVm(a) || !isAppVm(b);
}
