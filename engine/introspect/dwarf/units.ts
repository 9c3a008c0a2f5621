/**
 * Units of .debug_info and their entries (DWARF 5, 7.5): headers, abbreviations, one entry at a time. Relies on
 * forms.ts for values. Type units and skeletons of split DWARF are left out.
 */
import { type Bytes, Cursor, DwarfError } from './bytes.ts';
import {
  addressOf,
  blockOf,
  type FormContext,
  numberOf,
  type RawValue,
  readForm,
  referenceOf,
  textOf,
  type UnitBases,
} from './forms.ts';
import type { DebugSections } from './sections.ts';

/** Attributes that are looked at (DWARF 5, 7.5.4). */
export const AT = {
  location: 0x02,
  name: 0x03,
  byte_size: 0x0b,
  low_pc: 0x11,
  high_pc: 0x12,
  upper_bound: 0x2f,
  abstract_origin: 0x31,
  count: 0x37,
  data_member_location: 0x38,
  bit_size: 0x0d,
  data_bit_offset: 0x6b,
  specification: 0x47,
  type: 0x49,
  ranges: 0x55,
  str_offsets_base: 0x72,
  addr_base: 0x73,
  rnglists_base: 0x74,
} as const;

/** Tags that are looked at (DWARF 5, 7.5.3). */
export const TAG = {
  array_type: 0x01,
  enumeration_type: 0x04,
  formal_parameter: 0x05,
  member: 0x0d,
  pointer_type: 0x0f,
  compile_unit: 0x11,
  structure_type: 0x13,
  subroutine_type: 0x15,
  typedef: 0x16,
  union_type: 0x17,
  unspecified_parameters: 0x18,
  inlined_subroutine: 0x1d,
  subrange_type: 0x21,
  base_type: 0x24,
  const_type: 0x26,
  subprogram: 0x2e,
  variable: 0x34,
  volatile_type: 0x35,
  restrict_type: 0x37,
  partial_unit: 0x3c,
  atomic_type: 0x47,
} as const;

export interface Unit extends FormContext {
  /** Where its first entry is, and where the unit ends, in .debug_info. */
  readonly first: number;
  readonly end: number;
  readonly abbreviations: ReadonlyMap<number, Abbreviation>;
  readonly bases: UnitBases & { readonly ranges: number | undefined };
}

interface Abbreviation {
  readonly tag: number;
  readonly hasChildren: boolean;
  readonly attributes: readonly { readonly name: number; readonly form: number; readonly implicit: number }[];
}

/** An entry with the attributes that it has. */
export interface Entry {
  readonly unit: Unit;
  /** In .debug_info. */
  readonly offset: number;
  readonly tag: number;
  readonly hasChildren: boolean;
  /** Where the next entry begins: the first child, if it has children. */
  readonly next: number;
  readonly attributes: ReadonlyMap<number, RawValue>;
}

/** An entry that only says where something is continued: this many in a row are followed. */
const MAX_REFERENCES = 8;
const UNIT_TYPE = { compile: 1, partial: 3 } as const;

/** The entries of a file's .debug_info. */
export class Entries {
  readonly info: Bytes;
  readonly #sections: DebugSections;
  readonly #abbreviations = new Map<number, ReadonlyMap<number, Abbreviation>>();
  #abbreviationBytes = 0;

  constructor(info: Bytes, sections: DebugSections) {
    this.info = info;
    this.#sections = sections;
  }

  /** A section by its name. @throws DwarfError when it is damaged */
  section(name: string): Bytes | undefined {
    return this.#sections.section(name);
  }

  /** All units in order. `problem` is called with a line for each that cannot be read. */
  units(problem: (why: string) => void): Unit[] {
    const units: Unit[] = [];
    const cursor = new Cursor(this.info);
    const attempt = (work: () => void) => {
      try {
        work();
      } catch (error) {
        if (!(error instanceof DwarfError)) throw error;
        problem(error.message);
      }
    };
    attempt(() => {
      while (!cursor.isAtEnd) {
        const start = cursor.at;
        const { body, is64 } = cursor.unit();
        attempt(() => {
          const unit = this.#unit(body, is64, start);
          if (unit) units.push(unit);
        });
      }
    });
    return units;
  }

  #unit(body: Cursor, is64: boolean, start: number): Unit | undefined {
    const version = body.u16();
    if (version < 2 || version > 5) throw body.wrong(`has a unit of version ${version}: 2 to 5 are read`);
    const type = version >= 5 ? body.u8() : UNIT_TYPE.compile;
    if (type !== UNIT_TYPE.compile && type !== UNIT_TYPE.partial) return undefined;
    const early = version >= 5 ? body.u8() : 0;
    const abbreviationsAt = body.offset(is64);
    const addressBytes = version >= 5 ? early : body.u8();
    if (addressBytes !== 8) throw body.wrong('is not for 64-bit addresses');
    const abbreviations = this.#abbreviationsAt(abbreviationsAt);
    const none = { strings: undefined, addresses: undefined, ranges: undefined };
    const bare: Unit = {
      ...{ is64, version, addressBytes, start, first: body.at, end: body.end, abbreviations },
      bases: none,
    };
    const top = this.entryAt(bare, bare.first);
    const base = (name: number) => {
      const raw = top?.attributes.get(name);
      return raw && Number(raw.value);
    };
    return {
      ...bare,
      bases: {
        strings: base(AT.str_offsets_base),
        addresses: base(AT.addr_base),
        ranges: base(AT.rnglists_base),
      },
    };
  }

  /**
   * The entry at an offset of .debug_info; undefined for the mark that ends a list of children, and past the unit's
   * end.
   * @throws DwarfError when it is damaged
   */
  entryAt(unit: Unit, offset: number): Entry | undefined {
    if (offset < unit.first || offset >= unit.end) return undefined;
    const cursor = new Cursor(this.info, offset, unit.end);
    const code = cursor.uleb();
    if (code === 0) return undefined;
    const abbreviation = unit.abbreviations.get(code);
    if (!abbreviation) throw cursor.wrong(`has an entry of a kind that is not declared: ${code}`);
    const attributes = new Map<number, RawValue>();
    for (const { name, form, implicit } of abbreviation.attributes) {
      attributes.set(name, readForm(cursor, form, implicit, unit));
    }
    const { tag, hasChildren } = abbreviation;
    return { unit, offset, tag, hasChildren, next: cursor.at, attributes };
  }

  /** All entries of a unit in order, with how deep they are; the unit's own is at 0. */
  *all(unit: Unit): Generator<{ readonly entry: Entry; readonly depth: number }> {
    let depth = 0;
    for (let at = unit.first; at < unit.end; ) {
      const entry = this.entryAt(unit, at);
      if (entry) {
        yield { entry, depth };
        if (entry.hasChildren) depth++;
        at = entry.next;
      } else {
        depth--;
        at = this.#behindMark(unit, at);
      }
      if (depth <= 0) return;
    }
  }

  /** The direct children of an entry, as long as no more than `most` entries are read for them. */
  *children(parent: Entry, most = MAX_CHILDREN): Generator<Entry> {
    if (!parent.hasChildren) return;
    let depth = 1;
    let at = parent.next;
    for (let n = 0; n < most && at < parent.unit.end; n++) {
      const entry = this.entryAt(parent.unit, at);
      if (entry) {
        if (depth === 1) yield entry;
        if (entry.hasChildren) depth++;
        at = entry.next;
      } else {
        if (--depth === 0) return;
        at = this.#behindMark(parent.unit, at);
      }
    }
  }

  /** The mark is a zero, which may be padded. */
  #behindMark(unit: Unit, at: number): number {
    const cursor = new Cursor(this.info, at, unit.end);
    cursor.uleb();
    return cursor.at;
  }

  /** The entry that an attribute refers to; of another unit only where that is among `units`. */
  referred(entry: Entry, attribute: number, units: readonly Unit[]): Entry | undefined {
    const raw = entry.attributes.get(attribute);
    const offset = raw && referenceOf(raw, entry.unit);
    if (offset === undefined) return undefined;
    const inside = (unit: Unit) => offset >= unit.first && offset < unit.end;
    const unit = inside(entry.unit) ? entry.unit : units.find(inside);
    return unit && this.entryAt(unit, offset);
  }

  /** An attribute of an entry, or of the declaration or the abstract function that it stands for. */
  attribute(
    entry: Entry,
    name: number,
    units: readonly Unit[],
  ): { readonly raw: RawValue; readonly of: Entry } | undefined {
    let of: Entry | undefined = entry;
    for (let n = 0; of && n < MAX_REFERENCES; n++) {
      const raw = of.attributes.get(name);
      if (raw) return { raw, of };
      of = this.referred(of, AT.abstract_origin, units) ?? this.referred(of, AT.specification, units);
    }
    return undefined;
  }

  /** Its name; undefined: it has none. */
  name(entry: Entry, units: readonly Unit[]): string | undefined {
    const found = this.attribute(entry, AT.name, units);
    return found && textOf(found.raw, found.of.unit, this);
  }

  address(entry: Entry, attribute: number): bigint | undefined {
    const raw = entry.attributes.get(attribute);
    return raw && addressOf(raw, entry.unit, this);
  }

  number(entry: Entry, attribute: number): bigint | undefined {
    const raw = entry.attributes.get(attribute);
    return raw && numberOf(raw);
  }

  block(entry: Entry, attribute: number): Bytes | undefined {
    const raw = entry.attributes.get(attribute);
    return raw && blockOf(raw, this);
  }

  /** Units of a file share tables of abbreviations, or have one each. */
  #abbreviationsAt(offset: number): ReadonlyMap<number, Abbreviation> {
    const known = this.#abbreviations.get(offset);
    if (known) return known;
    const section = this.section('.debug_abbrev');
    if (!section) throw new DwarfError('.debug_abbrev is missing');
    const cursor = new Cursor(section, offset);
    const read = readAbbreviations(cursor);
    this.#abbreviationBytes += cursor.at - offset;
    // Tables do not overlap; damaged offsets may point into all of them.
    if (this.#abbreviationBytes > 2 * section.bytes.length) throw cursor.wrong('has tables that overlap');
    this.#abbreviations.set(offset, read);
    return read;
  }
}

const DW_FORM_implicit_const = 0x21;
/** Of a function they are its variables, and what was inlined; of a structure its members. */
const MAX_CHILDREN = 65_536;
/** Of one entry. Some forms take no byte there, so that nothing else bounds them. */
const MAX_ATTRIBUTES = 200;

function readAbbreviations(cursor: Cursor): ReadonlyMap<number, Abbreviation> {
  const read = new Map<number, Abbreviation>();
  for (let code = cursor.uleb(); code !== 0; code = cursor.uleb()) {
    const tag = cursor.uleb();
    const hasChildren = cursor.u8() !== 0;
    const attributes: { name: number; form: number; implicit: number }[] = [];
    for (;;) {
      const name = cursor.uleb();
      const form = cursor.uleb();
      const implicit = form === DW_FORM_implicit_const ? cursor.sleb() : 0;
      if (name === 0 && form === 0) break;
      if (attributes.length === MAX_ATTRIBUTES) throw cursor.wrong('has a kind of entry with too many attributes');
      attributes.push({ name, form, implicit });
    }
    read.set(code, { tag, hasChildren, attributes });
    if (cursor.isAtEnd) break;
  }
  return read;
}
