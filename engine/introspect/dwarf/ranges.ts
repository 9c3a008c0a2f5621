/**
 * The addresses that an entry's code has: one stretch, or a list of them in .debug_rnglists (DWARF 5, 7.25) or
 * .debug_ranges (DWARF 4, 2.17.3).
 */
import { type Bytes, Cursor } from './bytes.ts';
import { indexedAddress, isIndexed, numberOf } from './forms.ts';
import { AT, type Entries, type Entry } from './units.ts';

/** Code from `low` up to, and without, `high`. */
export interface CodeRange {
  readonly low: bigint;
  readonly high: bigint;
}

/** Stretches of a unit with each function in a section of its own; and of a function. */
const MAX_UNIT_RANGES = 65_536;
const MAX_RANGES = 1024;
const LAST_ADDRESS = (1n << 64n) - 1n;

/** The code of an entry; none when it has none. @throws DwarfError when it is damaged */
export function rangesOf(entries: Entries, entry: Entry, top: Entry): CodeRange[] {
  const list = entry.attributes.get(AT.ranges);
  if (list) return entry.unit.version >= 5 ? lists5(entries, entry, top) : lists4(entries, entry, top);
  const low = entries.address(entry, AT.low_pc);
  const high = entry.attributes.get(AT.high_pc);
  if (low === undefined || !high) return [];
  // A number is a size (DWARF 4, 2.17.2).
  const size = numberOf(high);
  const end = size === undefined ? entries.address(entry, AT.high_pc) : low + size;
  return end !== undefined && end > low ? [{ low, high: end }] : [];
}

const mostOf = (entry: Entry, top: Entry): number => (entry === top ? MAX_UNIT_RANGES : MAX_RANGES);

function lists4(entries: Entries, entry: Entry, top: Entry): CodeRange[] {
  const section = entries.section('.debug_ranges');
  const at = entry.attributes.get(AT.ranges);
  if (!section || !at) return [];
  const cursor = new Cursor(section, Number(at.value));
  let base = entries.address(top, AT.low_pc) ?? 0n;
  const ranges: CodeRange[] = [];
  for (let n = 0; n < mostOf(entry, top); n++) {
    const [low, high] = [cursor.u64(), cursor.u64()];
    if (low === 0n && high === 0n) return ranges;
    if (low === LAST_ADDRESS) base = high;
    else if (high > low) ranges.push({ low: base + low, high: base + high });
  }
  throw cursor.wrong('has a list without end');
}

function lists5(entries: Entries, entry: Entry, top: Entry): CodeRange[] {
  const section = entries.section('.debug_rnglists');
  const raw = entry.attributes.get(AT.ranges);
  if (!section || !raw) return [];
  const { unit } = entry;
  const address = (index: number) => indexedAddress(index, unit, entries) ?? 0n;
  const cursor = new Cursor(section, listOffset(section, entry));
  let base = entries.address(top, AT.low_pc) ?? 0n;
  const ranges: CodeRange[] = [];
  const push = (low: bigint, high: bigint) => {
    if (high > low) ranges.push({ low, high });
  };
  for (let n = 0; n < mostOf(entry, top); n++) {
    const kind = cursor.u8();
    if (kind === 0) return ranges;
    if (kind === 1) base = address(cursor.uleb());
    else if (kind === 2) push(address(cursor.uleb()), address(cursor.uleb()));
    else if (kind === 3) {
      const low = address(cursor.uleb());
      push(low, low + cursor.uleb64());
    } else if (kind === 4) {
      const low = base + cursor.uleb64();
      push(low, base + cursor.uleb64());
    } else if (kind === 5) base = cursor.u64();
    else if (kind === 6) push(cursor.u64(), cursor.u64());
    else if (kind === 7) {
      const low = cursor.u64();
      push(low, low + cursor.uleb64());
    } else throw cursor.wrong(`has a list of a kind that is not known: ${kind}`);
  }
  throw cursor.wrong('has a list without end');
}

function listOffset(section: Bytes, entry: Entry): number {
  const raw = entry.attributes.get(AT.ranges)!;
  if (!isIndexed(raw)) return Number(raw.value);
  const { is64, bases } = entry.unit;
  const base = bases.ranges ?? (is64 ? 20 : 12);
  return base + new Cursor(section, base + Number(raw.value) * (is64 ? 8 : 4)).offset(is64);
}
