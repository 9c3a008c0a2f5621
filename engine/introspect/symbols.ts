/**
 * Symbol tables: addresses to `name+0x10` and names to addresses. Software that is linked for other addresses than it
 * is loaded at runs at both: physical ones until it has turned translation on.
 * Relies on the symbols that an ELF file lists (engine/machine/board/elf.ts reads them). Does not check that the code
 * in memory is the code of the file; a hypervisor that moved itself shows wrong names.
 */

import type { ElfSymbol, MovedRange } from '../machine/index.ts';
import type { DebugInfo } from './dwarf/index.ts';

export type { ElfSymbol };

export interface SymbolHit {
  readonly name: string;
  /** Bytes from the symbol's address. */
  readonly offset: bigint;
}

export interface SymbolPlace {
  readonly address: bigint;
  readonly bytes: bigint;
}

/** Debug information that speaks for an address. */
export interface DebugPlace {
  readonly debug: DebugInfo;
  /** The address as the image is linked, as `debug` takes it. */
  readonly address: bigint;
}

export interface SymbolTable {
  /** What the table is of, for people: `lazarus`, `firmware`. */
  readonly image: string;
  readonly size: number;
  /** The symbol that covers an address: one that the image is linked for, or else one that it is loaded at. */
  lookup(address: bigint): SymbolHit | undefined;
  /** `name`, or `name+0x10`; undefined when no symbol covers the address. */
  describe(address: bigint): string | undefined;
  /**
   * Address of a symbol as the image is linked, or value of an absolute one; the first listed when several share the
   * name.
   */
  address(name: string): bigint | undefined;
  /** The same as a physical address: where the symbol was loaded. */
  loadAddress(name: string): bigint | undefined;
  /**
   * The place that a symbol names, as the image is linked: of one without a size, up to the next place, a page at most.
   * undefined: there is none, or it is a value.
   */
  place(name: string): SymbolPlace | undefined;
  /** Names of places in the image, as `lookup` finds them; some are shared by several. */
  placeNames(): Iterable<string>;
  /** The value of an absolute symbol: an offset, a constant. */
  value(name: string): bigint | undefined;
  /** Absolute symbols whose name starts with `prefix`, by the rest of their name. */
  absolutes(prefix: string): ReadonlyMap<string, bigint>;
  /** The image's debug information, where it has some and its memory has the address: as `lookup` finds it. */
  debugAt(address: bigint): DebugPlace | undefined;
}

/** What a table may have besides symbols. */
export interface TableOptions {
  /** What is loaded elsewhere than it is linked for. */
  readonly moved?: readonly MovedRange[];
  /** Bytes from where it is linked for to where it runs: of software that was relocated as a whole. */
  readonly shift?: bigint;
  /** Called at most once, when it is first asked for. Its addresses are those before the shift. */
  readonly debug?: () => DebugInfo | undefined;
}

/** Builds a table. Sections, files and mapping symbols (`$x`) are left out; local labels (`.L…`) too. */
export function createSymbolTable(
  image: string,
  listed: readonly ElfSymbol[],
  { moved = [], shift = 0n, debug: readDebug = () => undefined }: TableOptions = {},
): SymbolTable {
  const symbols = shift === 0n ? listed : listed.map((symbol) => shifted(symbol, shift));
  let debugInfo: { readonly read: DebugInfo | undefined } | undefined;
  const debugOf = () => {
    debugInfo ??= { read: readDebug() };
    return debugInfo.read;
  };
  const values = new Map<string, bigint>();
  for (const symbol of symbols) {
    if (symbol.name !== '' && !values.has(symbol.name)) values.set(symbol.name, symbol.address);
  }
  const places = symbols.filter(isPlace).sort(byAddress);
  let named: ReadonlyMap<string, ElfSymbol> | undefined;
  const byName = () => {
    // Reversed, so that the first listed of several stays.
    named ??= new Map(
      symbols
        .filter(isPlace)
        .toReversed()
        .map((symbol) => [symbol.name, symbol]),
    );
    return named;
  };
  let valued: ReadonlyMap<string, bigint> | undefined;
  const absolutes = () => {
    valued ??= new Map(
      symbols
        .filter((symbol) => symbol.absolute && symbol.type !== 'file')
        .map((symbol) => [symbol.name, symbol.address]),
    );
    return valued;
  };
  const lookup = (address: bigint) => find(places, address) ?? find(places, linkAddress(moved, address));
  return {
    image,
    size: values.size,
    lookup,
    describe: (address) => {
      const hit = lookup(address);
      return hit && (hit.offset === 0n ? hit.name : `${hit.name}+0x${hit.offset.toString(16)}`);
    },
    address: (name) => values.get(name),
    loadAddress: (name) => {
      const address = values.get(name);
      return address === undefined ? undefined : loadAddress(moved, address);
    },
    place: (name) => {
      const named = byName().get(name);
      return named && { address: named.address, bytes: named.size > 0n ? named.size : reachOf(places, named) };
    },
    placeNames: () => places.values().map(({ name }) => name),
    value: (name) => absolutes().get(name),
    absolutes: (prefix) =>
      new Map(
        [...absolutes()]
          .filter(([name]) => name.startsWith(prefix))
          .map(([name, value]) => [name.slice(prefix.length), value]),
      ),
    debugAt: (address) => {
      const debug = debugOf();
      const linked = [address, linkAddress(moved, address)].map((at) => BigInt.asUintN(64, at - shift));
      const found = debug && linked.find((at) => debug.covers(at));
      return found === undefined ? undefined : { debug: debug!, address: found };
    },
  };
}

const shifted = (symbol: ElfSymbol, shift: bigint): ElfSymbol =>
  symbol.absolute ? symbol : { ...symbol, address: BigInt.asUintN(64, symbol.address + shift) };

/** Where software expects what lies at a physical address. */
function linkAddress(moved: readonly MovedRange[], paddr: bigint): bigint {
  const range = moved.find((its) => paddr >= its.paddr && paddr - its.paddr <= its.bytes);
  return range ? paddr - range.paddr + range.vaddr : paddr;
}

/** The reverse. The end of a range belongs to it, because symbols name ends. */
function loadAddress(moved: readonly MovedRange[], address: bigint): bigint {
  const range = moved.find((its) => address >= its.vaddr && address - its.vaddr <= its.bytes);
  return range ? address - range.vaddr + range.paddr : address;
}

function isPlace(symbol: ElfSymbol): boolean {
  const named = symbol.name !== '' && !symbol.name.startsWith('$') && !symbol.name.startsWith('.L');
  return named && !symbol.absolute && symbol.type !== 'section' && symbol.type !== 'file';
}

/** By address; at the same one, symbols with a size come last so that they are found first from above. */
function byAddress(a: ElfSymbol, b: ElfSymbol): number {
  if (a.address !== b.address) return a.address < b.address ? -1 : 1;
  if (a.size !== b.size) return a.size < b.size ? -1 : 1;
  return a.name < b.name ? 1 : a.name > b.name ? -1 : 0;
}

/** How far a symbol without a size may reach: labels in assembly are near what they name, ends of images are not. */
const UNSIZED_REACH = 0x1000n;
/** Linker symbols for the first address behind something: `_end`, `bss_end`, `__stop_x`. */
const END_MARKER = /(^|_)end$|^__stop_|^_e(text|data)$/;
/** Sized symbols looked at below the nearest one, for addresses behind a small symbol inside a large one. */
const LOOK_BACK = 16;

/** Bytes from a symbol without a size to where the next one begins. */
function reachOf(places: readonly ElfSymbol[], { name, address }: ElfSymbol): bigint {
  const most = END_MARKER.test(name) ? 1n : UNSIZED_REACH;
  const next = places[lastAtOrBelow(places, address) + 1];
  return next && next.address - address < most ? next.address - address : most;
}

function find(places: readonly ElfSymbol[], address: bigint): SymbolHit | undefined {
  const nearest = lastAtOrBelow(places, address);
  const hit = (symbol: ElfSymbol): SymbolHit => ({ name: symbol.name, offset: address - symbol.address });
  for (let i = nearest; i >= 0 && i > nearest - LOOK_BACK; i--) {
    const symbol = places[i]!;
    if (symbol.size > 0n && address - symbol.address < symbol.size) return hit(symbol);
  }
  const symbol = places[nearest];
  if (!symbol || symbol.size > 0n) return undefined;
  const reach = END_MARKER.test(symbol.name) ? 1n : UNSIZED_REACH;
  return address - symbol.address < reach ? hit(symbol) : undefined;
}

function lastAtOrBelow(places: readonly ElfSymbol[], address: bigint): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (places[middle]!.address <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
