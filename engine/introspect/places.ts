/**
 * The symbols of everything on the machine, and which table speaks for an address in which mode: firmware and
 * hypervisor for M and HS (at physical addresses or those that they are linked for), the guest image for VS and VU.
 * Relies on tables read before (images.ts).
 * Does not see code that a guest or hypervisor loads by itself.
 */
import type { Mode } from '../machine/index.ts';
import type { SymbolHit, SymbolTable } from './symbols.ts';

export interface MachineSymbols {
  readonly firmware: SymbolTable;
  /** The kernel image. */
  readonly hypervisor: SymbolTable | undefined;
  /** The initrd image, when it is an ELF file (Lazarus loads its guests from there). */
  readonly guest: SymbolTable | undefined;
  /** `name+0x10` for an address as code in `mode` uses it. */
  describe(mode: Mode, address: bigint): string | undefined;
  /** The symbol that covers an address as code in `mode` uses it. */
  lookup(mode: Mode, address: bigint): SymbolHit | undefined;
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
  const tablesOf = (mode: Mode) => (mode === 'VS' || mode === 'VU' ? [guest] : mode === 'M' ? host.toReversed() : host);
  return {
    firmware,
    hypervisor,
    guest,
    describe: (mode, address) => firstOf(tablesOf(mode), (table) => table?.describe(address)),
    lookup: (mode, address) => firstOf(tablesOf(mode), (table) => table?.lookup(address)),
    describePhysical: (paddr) =>
      firstOf(host, (table) => {
        const text = table.describe(BigInt(paddr));
        return text && `${table.image} ${text}`;
      }),
  };
}

function firstOf<T, R>(items: readonly T[], ask: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const answer = ask(item);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
