/**
 * The model's view of a real machine's insides: engine/introspect behind the `Introspection` interface. Relies on the
 * images' symbols.
 */
import { disassembleAround, listVms, type MachineSymbols, summariseVm } from '../../engine/index.ts';
import type { Introspection } from '../panels/index.ts';

/** `symbols`: of the machine's images. */
export function machineIntrospection(symbols: MachineSymbols): Introspection {
  return {
    disassemble: (m, hart, pc, before, after) => disassembleAround(m, hart, pc, before, after, symbols),
    code: (m, hart, address) => {
      const { mode, vmid } = m.hart(hart);
      return symbols.codeAt(mode, address, vmid);
    },
    vms: (m) => listVms(m, symbols.hypervisor).vms.map((vm) => ({ name: vm.name, vmid: vm.vmid, ...summariseVm(vm) })),
  };
}
