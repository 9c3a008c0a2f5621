/**
 * Variables that have an address of their own: which one is it, and which part of it. All units are read when the first
 * is asked for.
 */
import { type Bytes, Cursor } from './bytes.ts';
import { indexedAddress } from './forms.ts';
import type { Types } from './types.ts';
import { AT, type Entries, type Entry, TAG, type Unit } from './units.ts';

export interface DebugVariable {
  /** `sched.vcpus[2].state`. */
  readonly name: string;
  /** Of that part, as in C. */
  readonly type: string;
  /** Bytes from where that part begins. */
  readonly offset: number;
  /** The whole variable: its name, where it is, how large it is. */
  readonly variable: { readonly name: string; readonly address: bigint; readonly bytes: number };
}

interface Placed {
  readonly address: bigint;
  readonly bytes: number;
  readonly entry: Entry;
}

const DW_OP_addr = 0x03;
const DW_OP_addrx = 0xa1;

/** Finds variables. */
export class Variables {
  readonly #entries: Entries;
  readonly #units: readonly Unit[];
  readonly #types: Types;
  readonly #placed: readonly Placed[];

  /** `attempt` runs what may find damage, and says so; the other units are read. */
  constructor(entries: Entries, units: readonly Unit[], types: Types, attempt: (work: () => void) => void) {
    this.#entries = entries;
    this.#units = units;
    this.#types = types;
    const placed: Placed[] = [];
    for (const unit of units) {
      attempt(() => {
        for (const { entry } of entries.all(unit)) {
          const address = entry.tag === TAG.variable ? this.#addressOf(entry) : undefined;
          if (address === undefined) continue;
          const bytes = types.size(types.of(entry));
          if (bytes !== undefined && bytes > 0) placed.push({ address, bytes, entry });
        }
      });
    }
    this.#placed = placed.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : a.bytes - b.bytes));
  }

  /** @throws DwarfError when its type is damaged */
  at(address: bigint): DebugVariable | undefined {
    let low = 0;
    let high = this.#placed.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#placed[middle]!.address <= address) low = middle + 1;
      else high = middle;
    }
    const found = this.#placed[low - 1];
    if (!found || address - found.address >= BigInt(found.bytes)) return undefined;
    const name = this.#entries.name(found.entry, this.#units) ?? '?';
    const part = this.#types.partAt(this.#types.of(found.entry), Number(address - found.address));
    return {
      name: `${name}${part.path}`,
      type: part.type,
      offset: part.offset,
      variable: { name, address: found.address, bytes: found.bytes },
    };
  }

  /** An expression that is an address and nothing else. */
  #addressOf(entry: Entry): bigint | undefined {
    const expression: Bytes | undefined = this.#entries.block(entry, AT.location);
    if (!expression || expression.bytes.length === 0) return undefined;
    const cursor = new Cursor(expression);
    const operation = cursor.u8();
    const address =
      operation === DW_OP_addr
        ? cursor.u64()
        : operation === DW_OP_addrx
          ? indexedAddress(cursor.uleb(), entry.unit, this.#entries)
          : undefined;
    return cursor.isAtEnd ? address : undefined;
  }
}
