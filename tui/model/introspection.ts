/**
 * The model's view of a real machine's insides: engine/introspect behind the `Introspection` interface. Relies on the
 * images' symbols.
 */
import { disassembleAround, listVms, type Machine, readMachineSymbols, summariseVm } from '../../engine/index.ts';
import type { Introspection } from '../panels/index.ts';

/** Reads the symbols of the machine's images once. */
export function machineIntrospection(machine: Machine): Introspection {
  const symbols = readMachineSymbols(machine.config);
  return {
    disassemble: (m, hart, pc, before, after) => disassembleAround(m, hart, pc, before, after, symbols),
    symbol: (m, hart, address) => symbols.describe(m.hart(hart).mode, address),
    vms: (m) => listVms(m, symbols.hypervisor).vms.map((vm) => ({ name: vm.name, vmid: vm.vmid, ...summariseVm(vm) })),
  };
}
