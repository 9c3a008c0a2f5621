/**
 * Symbols that an expression names, looked up in the images of a machine: firmware, hypervisor, guest. Relies on the
 * images' own symbol tables; software that loads other code, or moves itself, is not known here.
 */
import {
  didYouMean,
  type MachineSymbols,
  noSuchName,
  type SymbolTable,
  UserError,
  visible,
} from '../../engine/index.ts';
import type { SymbolNode } from './syntax.ts';

/** Who runs an image: `host` in M-, HS- or U-mode, `guest` inside a VM. */
export type Side = 'host' | 'guest';

export interface FoundSymbol {
  readonly name: string;
  readonly side: Side;
  /** The VM that was named; undefined: any that runs the image. */
  readonly vmid: number | undefined;
  /** As linked; the value itself of a symbol that names none. */
  readonly address: bigint;
  /** Where it was loaded: supervisor-physical of the host's, guest-physical of a guest's. */
  readonly loaded: bigint;
  /** 0: it is a value and no place. */
  readonly bytes: bigint;
}

interface NamedTable {
  /** What it is to the machine. */
  readonly part: string;
  readonly side: Side | 'any';
  /** Of the only VM that runs it. */
  readonly vmid?: number;
  readonly table: SymbolTable;
}

/**
 * The symbol that a node names.
 * @throws UserError when no image has it, the image is none, or several images have it and none is named
 */
export function findSymbol(node: SymbolNode, symbols: MachineSymbols): FoundSymbol {
  const among = tablesFor(node, symbols);
  const found = among.flatMap((named) => symbolIn(named, node));
  if (found.length === 1) return found[0]!.symbol;
  if (found.length > 1) {
    const choices = found.map(({ part }) => `${part}:${node.name}`).join(' or ');
    throw new UserError(`several images have a symbol '${node.name}': say ${choices}`);
  }
  const images = among.map(({ table }) => table.image);
  if (images.length === 0) throw new UserError(`there is no symbol '${node.name}': ${noImage(node)}`);
  throw noSuchSymbol(
    node.name,
    among.map(({ table }) => table),
    images.join(' or '),
  );
}

/** The error for a symbol that none of the tables has, with near matches. `where`: what the tables are of. */
export function noSuchSymbol(name: string, tables: readonly SymbolTable[], where: string): UserError {
  const guess = didYouMean(
    name,
    tables.flatMap((table) => [...table.placeNames()]),
  );
  return new UserError(`there is no symbol '${visible(name)}' in ${visible(where)}${visible(guess)}`);
}

const noImage = ({ vmid }: SymbolNode): string =>
  vmid === undefined ? "the machine's images have no symbols" : "the guest's image has none, or is no ELF file";

function tablesFor({ image, vmid }: SymbolNode, symbols: MachineSymbols): readonly NamedTable[] {
  const all = tablesOf(symbols);
  if (vmid !== undefined) {
    const table = symbols.guestOf(vmid);
    const running: readonly NamedTable[] = table ? [{ part: 'guest', side: 'guest', table }] : [];
    const others = all.filter((its) => its.side !== 'host' && (its.vmid === undefined || its.vmid === vmid));
    return [...running, ...others];
  }
  if (image === undefined) return all;
  const named = all.filter(({ part, table }) => image === part || image === table.image);
  if (named.length > 0) return named;
  const names = all.flatMap(({ part, table }) => (part === table.image ? [part] : [part, table.image]));
  throw new UserError(noSuchName('image with symbols', image, names.map(visible)));
}

/** The images that have symbols, and the files that were named besides: `symbols`, `symbols2` and so on. */
function tablesOf({ hypervisor, firmware, guest, named }: MachineSymbols): NamedTable[] {
  const parts = [
    { part: 'hypervisor', side: 'host', table: hypervisor },
    { part: 'firmware', side: 'host', table: firmware },
    { part: 'guest', side: 'guest', table: guest },
    ...named.map((its, n) => ({ ...its, part: n === 0 ? 'symbols' : `symbols${n + 1}` })),
  ] as const;
  return parts.flatMap(({ table, ...rest }) => (table && table.size > 0 ? [{ ...rest, table }] : []));
}

function symbolIn(
  { part, table, ...its }: NamedTable,
  { name, vmid = its.vmid }: SymbolNode,
): { readonly part: string; readonly symbol: FoundSymbol }[] {
  // What runs nobody has said where is the host's, unless a VM is named.
  const side = its.side === 'any' ? (vmid === undefined ? 'host' : 'guest') : its.side;
  const place = table.place(name);
  if (place) {
    const loaded = table.loadAddress(name) ?? place.address;
    return [{ part, symbol: { name, side, vmid, ...place, loaded } }];
  }
  const value = table.value(name);
  if (value === undefined) return [];
  return [{ part, symbol: { name, side, vmid, address: value, loaded: value, bytes: 0n } }];
}
