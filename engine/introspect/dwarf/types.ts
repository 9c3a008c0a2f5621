/**
 * Types: what they are called, how large they are, and which part of one lies at an offset. Relies on entries; types
 * that refer to themselves, as damaged ones may, are followed so many steps.
 */
import { AT, type Entries, type Entry, TAG, type Unit } from './units.ts';

/** A part of a type. */
export interface TypePart {
  /** `.vcpus[2].state`; empty: the whole of it. */
  readonly path: string;
  /** What that is, `enum vcpu_state`. */
  readonly type: string;
  /** Bytes from where the part begins. */
  readonly offset: number;
}

/** Types inside types that are followed; people write fewer than ten. */
const MAX_DEPTH = 32;
/** Of one array. */
const MAX_DIMENSIONS = 16;
const QUALIFIERS: ReadonlyMap<number, string> = new Map([
  [TAG.const_type, 'const'],
  [TAG.volatile_type, 'volatile'],
  [TAG.restrict_type, 'restrict'],
  [TAG.atomic_type, '_Atomic'],
]);
const KINDS: ReadonlyMap<number, string> = new Map([
  [TAG.structure_type, 'struct'],
  [TAG.union_type, 'union'],
  [TAG.enumeration_type, 'enum'],
]);
const POINTER_BYTES = 8;

export class Types {
  readonly #entries: Entries;
  readonly #units: readonly Unit[];
  readonly #sizes = new Map<number, number | undefined>();

  constructor(entries: Entries, units: readonly Unit[]) {
    this.#entries = entries;
    this.#units = units;
  }

  /** The type of a variable, a member or a parameter; undefined: void, or not read. */
  of(entry: Entry): Entry | undefined {
    const found = this.#entries.attribute(entry, AT.type, this.#units);
    return found && this.#entries.referred(found.of, AT.type, this.#units);
  }

  /** As in C: `const struct vm *`, `u64[32]`. */
  name(type: Entry | undefined, depth = 0): string {
    if (!type) return 'void';
    if (depth === MAX_DEPTH) return '…';
    const inner = () => this.name(this.of(type), depth + 1);
    const qualifier = QUALIFIERS.get(type.tag);
    // What is qualified is the pointer, not what it leads to.
    if (qualifier !== undefined) return this.of(type)?.tag === TAG.pointer_type ? inner() : `${qualifier} ${inner()}`;
    if (type.tag === TAG.pointer_type) return this.#pointerName(inner());
    if (type.tag === TAG.array_type) {
      const counts = this.#dimensions(type).map((count) => `[${count ?? ''}]`);
      return `${inner()}${counts.join('')}`;
    }
    if (type.tag === TAG.subroutine_type) return `${inner()} ()`;
    const kind = KINDS.get(type.tag);
    const name = this.#entries.name(type, this.#units);
    return [kind, name ?? (kind === undefined ? '?' : '{…}')].filter(Boolean).join(' ');
  }

  /** Bytes; undefined: not known, as of void and of arrays without a size. */
  size(type: Entry | undefined, depth = 0): number | undefined {
    if (!type || depth === MAX_DEPTH) return undefined;
    if (!this.#sizes.has(type.offset)) this.#sizes.set(type.offset, this.#sizeOf(type, depth));
    return this.#sizes.get(type.offset);
  }

  /** The innermost part of a type that has the byte at an offset. */
  partAt(type: Entry | undefined, offset: number): TypePart {
    let [path, at, current] = ['', offset, type];
    for (let depth = 0; current && depth < MAX_DEPTH; depth++) {
      const bare: Entry | undefined = this.#bare(current);
      const step = bare && (this.#element(bare, at) ?? this.#member(bare, at));
      if (!step) break;
      path += step.path;
      at = step.offset;
      current = step.type;
    }
    return { path, type: this.name(current), offset: at };
  }

  #pointerName(to: string): string {
    if (to.endsWith(' ()')) return to.replace(/ \(\)$/, ' (*)()');
    return to.endsWith('*') ? `${to}*` : `${to} *`;
  }

  #sizeOf(type: Entry, depth: number): number | undefined {
    const said = this.#entries.number(type, AT.byte_size);
    if (said !== undefined) return said <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(said) : undefined;
    if (type.tag === TAG.pointer_type) return POINTER_BYTES;
    const inner = this.size(this.of(type), depth + 1);
    if (type.tag !== TAG.array_type) return inner;
    const counts = this.#dimensions(type);
    if (inner === undefined || counts.some((count) => count === undefined)) return undefined;
    const bytes = counts.reduce((product: number, count) => product * count!, inner);
    return Number.isSafeInteger(bytes) ? bytes : undefined;
  }

  /** How many elements an array has, from its outermost dimension on; undefined: it does not say. */
  #dimensions(array: Entry): (number | undefined)[] {
    const counts: (number | undefined)[] = [];
    for (const child of this.#entries.children(array, 2 * MAX_DIMENSIONS)) {
      if (counts.length === MAX_DIMENSIONS) break;
      if (child.tag !== TAG.subrange_type) continue;
      const bound = this.#entries.number(child, AT.upper_bound);
      const count = this.#entries.number(child, AT.count) ?? (bound === undefined ? undefined : bound + 1n);
      counts.push(count !== undefined && count >= 0n && count <= 0xffff_ffffn ? Number(count) : undefined);
    }
    return counts;
  }

  /** Without qualifiers and other names. */
  #bare(type: Entry): Entry | undefined {
    let bare: Entry | undefined = type;
    for (let n = 0; bare && n < MAX_DEPTH; n++) {
      if (bare.tag !== TAG.typedef && !QUALIFIERS.has(bare.tag)) return bare;
      bare = this.of(bare);
    }
    return undefined;
  }

  #element(array: Entry, offset: number): Step | undefined {
    if (array.tag !== TAG.array_type) return undefined;
    const type = this.of(array);
    const bytes = this.size(type);
    if (!bytes) return undefined;
    let index = Math.floor(offset / bytes);
    const indices: number[] = [];
    for (const count of this.#dimensions(array).toReversed()) {
      indices.unshift(count ? index % count : index);
      index = count ? Math.floor(index / count) : 0;
    }
    return { path: indices.map((n) => `[${n}]`).join(''), type, offset: offset % bytes };
  }

  #member(struct: Entry, offset: number): Step | undefined {
    if (struct.tag !== TAG.structure_type && struct.tag !== TAG.union_type) return undefined;
    for (const child of this.#entries.children(struct)) {
      if (child.tag !== TAG.member) continue;
      const { from, bytes } = this.#placeOf(child);
      if (from === undefined || offset < from || offset - from >= bytes) continue;
      const name = this.#entries.name(child, this.#units);
      return { path: name === undefined ? '' : `.${name}`, type: this.of(child), offset: offset - from };
    }
    return undefined;
  }

  /** Bytes from the beginning of its structure, and how many it has; an array without a size goes on. */
  #placeOf(member: Entry): { readonly from: number | undefined; readonly bytes: number } {
    const entries = this.#entries;
    const bits = entries.number(member, AT.data_bit_offset);
    const width = entries.number(member, AT.bit_size);
    if (bits !== undefined) {
      const last = (bits + (width ?? 1n) - 1n) / 8n;
      return { from: Number(bits / 8n), bytes: Number(last - bits / 8n + 1n) };
    }
    const location = entries.number(member, AT.data_member_location);
    // Members of a union say nothing; an expression is of languages that are not read.
    const isSaid = member.attributes.has(AT.data_member_location);
    const from = location === undefined ? (isSaid ? undefined : 0) : Number(location);
    return { from, bytes: this.size(this.of(member)) ?? Number.POSITIVE_INFINITY };
  }
}

interface Step {
  readonly path: string;
  readonly type: Entry | undefined;
  readonly offset: number;
}
