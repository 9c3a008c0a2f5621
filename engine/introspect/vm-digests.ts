/**
 * One digest per VM: its memory, by guest-physical address. A projection of the state digest that says *whose* state
 * changed. Relies on the list of VMs; a VM that no structure and no hart names has none.
 * Does not cover vCPU registers: where those are depends on the moment, which equivalence deals with.
 */
import type { Machine } from '../machine/index.ts';
import { parseHgatp } from './gstage.ts';
import type { SymbolTable } from './symbols.ts';
import { type Inspected, listVms } from './vms.ts';

export interface VmDigest {
  readonly vmid: number;
  readonly digest: bigint;
}

/** Digests of all VMs' memories, by VMID. Costs a walk of their G-stage tables in wasm, no copies. */
export function vmDigests(
  machine: Inspected & Pick<Machine, 'guestDigest'>,
  hypervisor: SymbolTable | undefined,
): VmDigest[] {
  return listVms(machine, hypervisor)
    .vms.filter((vm) => parseHgatp(vm.hgatp).mode !== 'bare')
    .map((vm) => ({ vmid: vm.vmid, digest: machine.guestDigest(vm.hgatp) }));
}
