/**
 * Values of attributes: where the bytes of each form end, and what they mean (DWARF 5, 7.5.6). Strings, addresses and
 * what is in other sections are looked up when they are asked for. Does not read location lists and range lists.
 */
import { type Bytes, Cursor, type DwarfError } from './bytes.ts';

/** What forms depend on: a unit's format, and where its part of other sections begins. */
export interface FormContext {
  readonly is64: boolean;
  readonly addressBytes: number;
  readonly version: number;
  /** Offset of the unit in .debug_info: references count from there. */
  readonly start: number;
}

/** An attribute's value as it stands in the entry. */
export interface RawValue {
  readonly form: number;
  /** The number that stands there, or the length of a block. */
  readonly value: number | bigint;
  /** Where a block or a string begins in .debug_info. */
  readonly at: number;
}

export const FORM = {
  addr: 0x01,
  block2: 0x03,
  block4: 0x04,
  data2: 0x05,
  data4: 0x06,
  data8: 0x07,
  string: 0x08,
  block: 0x09,
  block1: 0x0a,
  data1: 0x0b,
  flag: 0x0c,
  sdata: 0x0d,
  strp: 0x0e,
  udata: 0x0f,
  ref_addr: 0x10,
  ref1: 0x11,
  ref2: 0x12,
  ref4: 0x13,
  ref8: 0x14,
  ref_udata: 0x15,
  indirect: 0x16,
  sec_offset: 0x17,
  exprloc: 0x18,
  flag_present: 0x19,
  strx: 0x1a,
  addrx: 0x1b,
  ref_sup4: 0x1c,
  strp_sup: 0x1d,
  data16: 0x1e,
  line_strp: 0x1f,
  ref_sig8: 0x20,
  implicit_const: 0x21,
  loclistx: 0x22,
  rnglistx: 0x23,
  ref_sup8: 0x24,
  strx1: 0x25,
  strx2: 0x26,
  strx3: 0x27,
  strx4: 0x28,
  addrx1: 0x29,
  addrx2: 0x2a,
  addrx3: 0x2b,
  addrx4: 0x2c,
} as const;

/** Reads the value of a form, and goes behind it. @throws DwarfError when it is cut off, or the form is not known */
export function readForm(cursor: Cursor, form: number, implicit: number, unit: FormContext): RawValue {
  const at = cursor.at;
  const plain = (value: number | bigint): RawValue => ({ form, value, at });
  switch (form) {
    case FORM.addr:
      return plain(cursor.unsigned(unit.addressBytes));
    case FORM.data1:
    case FORM.flag:
    case FORM.ref1:
    case FORM.strx1:
    case FORM.addrx1:
      return plain(cursor.u8());
    case FORM.data2:
    case FORM.ref2:
    case FORM.strx2:
    case FORM.addrx2:
      return plain(cursor.u16());
    case FORM.strx3:
    case FORM.addrx3:
      return plain(cursor.u24());
    case FORM.data4:
    case FORM.ref4:
    case FORM.strx4:
    case FORM.addrx4:
    case FORM.ref_sup4:
      return plain(cursor.u32());
    case FORM.data8:
    case FORM.ref8:
    case FORM.ref_sig8:
    case FORM.ref_sup8:
      return plain(cursor.u64());
    case FORM.sdata:
      return plain(cursor.sleb64());
    case FORM.udata:
    case FORM.ref_udata:
    case FORM.strx:
    case FORM.addrx:
    case FORM.loclistx:
    case FORM.rnglistx:
      return plain(cursor.uleb64());
    case FORM.strp:
    case FORM.line_strp:
    case FORM.sec_offset:
    case FORM.strp_sup:
      return plain(cursor.offset(unit.is64));
    case FORM.ref_addr:
      // Version 2 has it as large as an address.
      return plain(unit.version <= 2 ? cursor.unsigned(unit.addressBytes) : cursor.offset(unit.is64));
    case FORM.flag_present:
      return plain(1);
    case FORM.implicit_const:
      return plain(implicit);
    case FORM.string: {
      skipText(cursor);
      return plain(0);
    }
    case FORM.data16:
      return { form, value: 16, at: cursor.skip(16) };
    default:
      return readBlock(cursor, form, unit);
  }
}

function readBlock(cursor: Cursor, form: number, unit: FormContext): RawValue {
  const of = (bytes: number): RawValue => ({ form, value: bytes, at: cursor.skip(bytes) });
  switch (form) {
    case FORM.exprloc:
    case FORM.block:
      return of(cursor.uleb());
    case FORM.block1:
      return of(cursor.u8());
    case FORM.block2:
      return of(cursor.u16());
    case FORM.block4:
      return of(cursor.u32());
    case FORM.indirect: {
      const real = cursor.uleb();
      if (real === FORM.indirect || real === FORM.implicit_const) throw unknownForm(cursor, real);
      return readForm(cursor, real, 0, unit);
    }
    default:
      throw unknownForm(cursor, form);
  }
}

const unknownForm = (cursor: Cursor, form: number): DwarfError =>
  cursor.wrong(`has a value in a form that is not known: 0x${form.toString(16)}`);

function skipText(cursor: Cursor): void {
  const end = cursor.of.bytes.subarray(cursor.at, cursor.end).indexOf(0);
  if (end < 0) throw cursor.wrong('has a string without end');
  cursor.skip(end + 1);
}

const STRING_INDEX: readonly number[] = [FORM.strx, FORM.strx1, FORM.strx2, FORM.strx3, FORM.strx4];
const ADDRESS_INDEX: readonly number[] = [FORM.addrx, FORM.addrx1, FORM.addrx2, FORM.addrx3, FORM.addrx4];
const BLOCKS: readonly number[] = [FORM.exprloc, FORM.block, FORM.block1, FORM.block2, FORM.block4];
const UNIT_REFERENCES: readonly number[] = [FORM.ref1, FORM.ref2, FORM.ref4, FORM.ref8, FORM.ref_udata];

/** Sections that values lie in. */
export interface ValueSections {
  readonly info: Bytes;
  section(name: string): Bytes | undefined;
}

/** Where a unit's entries of these tables begin; undefined: it has none. */
export interface UnitBases {
  readonly strings: number | undefined;
  readonly addresses: number | undefined;
}

/** The text of a string; undefined: the value is none, or in a file of its own. */
export function textOf(
  raw: RawValue,
  unit: FormContext & { readonly bases: UnitBases },
  from: ValueSections,
): string | undefined {
  const { form, value, at } = raw;
  if (form === FORM.string) return new Cursor(from.info, at).text();
  if (form === FORM.strp) return textIn(from.section('.debug_str'), Number(value));
  if (form === FORM.line_strp) return textIn(from.section('.debug_line_str'), Number(value));
  const table = STRING_INDEX.includes(form) ? from.section('.debug_str_offsets') : undefined;
  if (!table) return undefined;
  const bytes = unit.is64 ? 8 : 4;
  const entry = new Cursor(table, (unit.bases.strings ?? 2 * bytes) + Number(value) * bytes);
  return textIn(from.section('.debug_str'), entry.offset(unit.is64));
}

const textIn = (section: Bytes | undefined, at: number): string | undefined =>
  section && new Cursor(section, at).text();

/** An address; undefined: the value is none. */
export function addressOf(
  { form, value }: RawValue,
  unit: FormContext & { readonly bases: UnitBases },
  from: ValueSections,
): bigint | undefined {
  if (form === FORM.addr) return BigInt(value);
  return ADDRESS_INDEX.includes(form) ? indexedAddress(Number(value), unit, from) : undefined;
}

/** The address with this number in the unit's part of .debug_addr. */
export function indexedAddress(
  index: number,
  unit: FormContext & { readonly bases: UnitBases },
  from: ValueSections,
): bigint | undefined {
  const table = from.section('.debug_addr');
  const base = unit.bases.addresses ?? (unit.is64 ? 16 : 8);
  return table && new Cursor(table, base + index * unit.addressBytes).unsigned(unit.addressBytes);
}

/** The bytes of a block or an expression; undefined: the value is none. */
export function blockOf({ form, value, at }: RawValue, { info }: ValueSections): Bytes | undefined {
  if (!BLOCKS.includes(form)) return undefined;
  return { section: info.section, bytes: info.bytes.subarray(at, at + Number(value)), address: 0n };
}

/** A number; undefined: the value is none that is plain. */
export function numberOf({ form, value }: RawValue): bigint | undefined {
  const isNumber =
    [FORM.data1, FORM.data2, FORM.data4, FORM.data8, FORM.udata, FORM.sdata, FORM.implicit_const].includes(
      form as never,
    ) || form === FORM.flag;
  return isNumber ? BigInt(value) : undefined;
}

/** Offset in .debug_info of the entry that is referred to; undefined: the value is no reference that is followed. */
export function referenceOf({ form, value }: RawValue, unit: FormContext): number | undefined {
  if (form === FORM.ref_addr) return Number(value);
  return UNIT_REFERENCES.includes(form) ? unit.start + Number(value) : undefined;
}

/** Offset in a section of lists, or the number of a list in the unit's table of them. */
export const isIndexed = ({ form }: RawValue): boolean => form === FORM.rnglistx || form === FORM.loclistx;
