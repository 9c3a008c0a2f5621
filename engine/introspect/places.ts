/**
 * The symbols of everything on the machine, and which table speaks for an address in which mode: firmware and
 * hypervisor for M and HS (at physical addresses or those that they are linked for), the guest image for VS and VU.
 * Relies on tables read before (images.ts).
 * Does not see code that a guest or hypervisor loads by itself.
 */
import type { Mode } from '../machine/index.ts';
import type { SymbolTable } from './symbols.ts';

export interface MachineSymbols {
  readonly firmware: SymbolTable;
  /** The kernel image. */
  readonly hypervisor: SymbolTable | undefined;
  /** The initrd image, when it is an ELF file (Lazarus loads its guests from there). */
  readonly guest: SymbolTable | undefined;
  /** `name+0x10` for an address as code in `mode` uses it. */
  describe(mode: Mode, address: bigint): string | undefined;
  /** `lazarus heap_lock`, for a physical address of firmware or hypervisor. */
  describePhysical(paddr: number): string | undefined;
}

/** Joins the tables of the images. */
export function joinSymbols(
  firmware: SymbolTable,
  hypervisor: SymbolTable | undefined,
  guest: SymbolTable | undefined,
): MachineSymbols {
  const host = hypervisor ? [hypervisor, firmware] : [firmware];
  return {
    firmware,
    hypervisor,
    guest,
    describe: (mode, address) => {
      const tables = mode === 'VS' || mode === 'VU' ? [guest] : mode === 'M' ? host.toReversed() : host;
      return firstOf(tables, (table) => table?.describe(address));
    },
    describePhysical: (paddr) =>
      firstOf(host, (table) => {
        const text = table.describe(BigInt(paddr));
        return text && `${table.image} ${text}`;
      }),
  };
}

function firstOf<T>(items: readonly T[], describe: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const text = describe(item);
    if (text !== undefined) return text;
  }
  return undefined;
}
