/**
 * The model's view of a real machine's insides: engine/introspect behind the `Introspection` interface. Relies on the
 * images' symbols. Instructions in front of pc are decoded from the start of pc's function when that is near, else from
 * the earliest place whose decoding lands on pc: without symbols, the first lines shown may be misaligned.
 */
import {
  disassembleAt,
  listVms,
  type Machine,
  readMachineSymbols,
  summariseVm,
  type VmInfo,
} from '../../engine/index.ts';
import type { DisassembledLine, Introspection, VmRow } from '../panels/index.ts';

/** Reads the symbols of the machine's images once. */
export function machineIntrospection(machine: Machine): Introspection {
  const symbols = readMachineSymbols(machine.config);
  return {
    disassemble: (m, hart, pc, before, after) => {
      const onwards = disassembleAt(m, hart, pc, after + 1, symbols);
      return [...linesBefore(m, hart, pc, before), ...onwards];
    },
    symbol: (m, hart, address) => symbols.describe(m.hart(hart).mode, address),
    vms: (m) => listVms(m, symbols.hypervisor).vms.map(vmRow),
  };

  /** Up to `count` instructions that end right in front of pc. */
  function linesBefore(m: Machine, hart: number, pc: bigint, count: number): readonly DisassembledLine[] {
    if (count === 0) return [];
    const offset = offsetIn(symbols.describe(m.hart(hart).mode, pc));
    if (offset !== undefined && offset <= NEAR_BYTES) {
      const lines = disassembleAt(m, hart, pc - BigInt(offset), offset / 2 + 1, symbols);
      const end = lines.findIndex((line) => line.address === pc);
      if (end >= 0 || offset === 0) return lines.slice(Math.max(0, end - count), Math.max(0, end));
    }
    let best: readonly DisassembledLine[] = [];
    // Instructions are 2 or 4 bytes long: the earliest start whose decoding meets pc wins.
    for (let start = pc - BigInt(count) * 4n; start < pc; start += 2n) {
      if (start < 0n) continue;
      const lines = disassembleAt(m, hart, start, count * 2, symbols);
      const end = lines.findIndex((line) => line.address === pc);
      if (end > best.length) best = lines.slice(0, end);
      if (end > 0) break;
    }
    return best.slice(-count);
  }
}

/** Functions longer than this are not decoded from their start. */
const NEAR_BYTES = 2048;

/** Bytes into the function: 16 for `name+0x10`. */
function offsetIn(symbol: string | undefined): number | undefined {
  if (symbol === undefined) return undefined;
  const match = /\+0x([0-9a-f]+)$/.exec(symbol);
  return match ? Number.parseInt(match[1]!, 16) : 0;
}

function vmRow(vm: VmInfo): VmRow {
  return { name: vm.name, vmid: vm.vmid, ...summariseVm(vm) };
}
