/**
 * The symbols of everything on the machine, and which table speaks for an address in which mode: firmware and
 * hypervisor for M and HS (at physical addresses or those that they are linked for), the guest image for VS and VU.
 * Relies on tables read before (images.ts).
 * Does not see code that a guest or hypervisor loads by itself.
 */
import { visible } from '../base/index.ts';
import type { Mode } from '../machine/index.ts';
import type { DebugPlace, SymbolHit, SymbolTable } from './symbols.ts';

/** What is known of code at an address. */
export interface CodeName {
  /** `name+0x10`. */
  readonly symbol?: string;
  /** `lazarus/sched.c:123`, the path as it was compiled; printable. */
  readonly source?: string;
}

export interface MachineSymbols {
  readonly firmware: SymbolTable;
  /** The kernel image. */
  readonly hypervisor: SymbolTable | undefined;
  /** The initrd image, when it is an ELF file (Lazarus loads its guests from there). */
  readonly guest: SymbolTable | undefined;
  /** The image that a VM runs, where the initrd is a bundle of several and the VM is there. */
  guestOf(vmid: number): SymbolTable | undefined;
  /** Files that somebody named besides, in their order. */
  readonly named: readonly NamedTable[];
  /** `name+0x10` for an address as code in `mode` uses it. `vmid`: of the VM that it runs in, where that is known. */
  describe(mode: Mode, address: bigint, vmid?: number): string | undefined;
  /** The symbol that covers an address as code in `mode` uses it. */
  lookup(mode: Mode, address: bigint, vmid?: number): SymbolHit | undefined;
  /** The debug information of the image that covers an address as code in `mode` uses it. */
  debugAt(mode: Mode, address: bigint, vmid?: number): DebugPlace | undefined;
  /** Symbol and source line of an address as code in `mode` uses it. */
  codeAt(mode: Mode, address: bigint, vmid?: number): CodeName;
  /** Which part of which variable has a byte, `heap_lock.owner`, as code in `mode` uses its address; printable. */
  variableAt(mode: Mode, address: bigint, vmid?: number): string | undefined;
  /** `lazarus heap_lock`, for a physical address of firmware or hypervisor. */
  describePhysical(paddr: number): string | undefined;
}

/** A table of a file that somebody named, and for what it speaks. */
export interface NamedTable {
  readonly table: SymbolTable;
  /** Who runs it: `host` in M-, HS- and U-mode, `guest` inside VMs. */
  readonly side: 'host' | 'guest' | 'any';
  /** Of the only VM that it is for. */
  readonly vmid?: number;
  /** It was said where it lies: it is asked before the machine's images, and not only where those have nothing. */
  readonly isPlaced: boolean;
}

/** Joins the tables of the images, and those of files that were named besides. */
export function joinSymbols(
  firmware: SymbolTable,
  hypervisor: SymbolTable | undefined,
  guest: SymbolTable | undefined,
  named: readonly NamedTable[] = [],
  guestOf: MachineSymbols['guestOf'] = () => undefined,
): MachineSymbols {
  const host = hypervisor ? [hypervisor, firmware] : [firmware];
  const guestsOf = (vmid?: number) => {
    const own = (vmid === undefined ? undefined : guestOf(vmid)) ?? guest;
    return own ? [own] : [];
  };
  const tablesOf = (mode: Mode, vmid?: number): readonly SymbolTable[] => {
    const isGuest = mode === 'VS' || mode === 'VU';
    const images = isGuest ? guestsOf(vmid) : mode === 'M' ? host.toReversed() : host;
    if (named.length === 0) return images;
    const fitting = named.filter(
      (its) => its.side !== (isGuest ? 'host' : 'guest') && (its.vmid === undefined || its.vmid === vmid),
    );
    const [placed, others] = [true, false].map((is) => fitting.filter((its) => its.isPlaced === is));
    return [...placed!.map(({ table }) => table), ...images, ...others!.map(({ table }) => table)];
  };
  const describe: MachineSymbols['describe'] = (mode, address, vmid) =>
    firstOf(tablesOf(mode, vmid), (table) => table.describe(address));
  const debugAt: MachineSymbols['debugAt'] = (mode, address, vmid) =>
    firstOf(tablesOf(mode, vmid), (table) => table.debugAt(address));
  return {
    firmware,
    hypervisor,
    guest,
    guestOf,
    named,
    describe,
    lookup: (mode, address, vmid) => firstOf(tablesOf(mode, vmid), (table) => table.lookup(address)),
    debugAt,
    codeAt: (mode, address, vmid) => {
      const symbol = describe(mode, address, vmid);
      const at = debugAt(mode, address, vmid);
      const line = at?.debug.lineAt(at.address);
      return { ...(symbol !== undefined && { symbol }), ...(line && { source: visible(`${line.file}:${line.line}`) }) };
    },
    variableAt: (mode, address, vmid) => {
      const at = debugAt(mode, address, vmid);
      const variable = at?.debug.variableAt(at.address);
      return variable && visible(variable.name);
    },
    describePhysical: (paddr) =>
      firstOf(tablesOf('HS'), (table) => {
        const text = table.describe(BigInt(paddr));
        return text && `${table.image} ${text}`;
      }),
  };
}

/** `heap_alloc+0x1c (heap.c:123)`, or what of that is known; empty when nothing is. */
export function codeText({ symbol, source }: CodeName): string {
  const line = source?.replace(/^.*\//, '');
  return [...(symbol === undefined ? [] : [visible(symbol)]), ...(line === undefined ? [] : [`(${line})`])].join(' ');
}

function firstOf<T, R>(items: readonly T[], ask: (item: T) => R | undefined): R | undefined {
  for (const item of items) {
    const answer = ask(item);
    if (answer !== undefined) return answer;
  }
  return undefined;
}
