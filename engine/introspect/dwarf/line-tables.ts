/**
 * Headers of line number programs, with their tables of folders and files (DWARF 5, 6.2.4; versions 2 to 4 as DWARF 4
 * has them). Does not run the programs (lines.ts).
 */
import { type Bytes, Cursor, type DwarfError } from './bytes.ts';

/** The string tables that a header may refer to. */
export interface LineStrings {
  readonly lineStr: () => Bytes | undefined;
  readonly str: () => Bytes | undefined;
}

export interface LineProgram {
  readonly version: number;
  /** Bytes that addresses advance by in one unit. */
  readonly step: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  /** How many LEB128 operands a standard opcode takes, by its number less one. */
  readonly operands: readonly number[];
  /** Where the program begins and ends in .debug_line. */
  readonly from: number;
  readonly to: number;
  /**
   * The path of a file by the number that the program uses, its folder joined; undefined: there is none.
   * @throws DwarfError when its name is damaged
   */
  readonly file: (number: number) => string | undefined;
}

interface NamedFile {
  /** Read when it is asked for: names may overlap, so that all of them could be larger than the file. */
  readonly name: () => string;
  readonly folder: number;
}

const DW_LNCT = { path: 1, directory: 2 } as const;
const DW_FORM = {
  block2: 3,
  block4: 4,
  data2: 5,
  data4: 6,
  data8: 7,
  string: 8,
  block: 9,
  block1: 10,
  data1: 11,
  strp: 14,
  udata: 15,
  data16: 0x1e,
  line_strp: 0x1f,
} as const;

/**
 * Reads the header of the unit that `body` holds.
 * @throws DwarfError when it is damaged, or of a version that is not known
 */
export function readLineProgram(body: Cursor, is64: boolean, strings: LineStrings): LineProgram {
  const version = body.u16();
  if (version < 2 || version > 5) throw body.wrong(`is of version ${version}: 2 to 5 are read`);
  if (version >= 5) {
    const addressBytes = body.u8();
    const selectorBytes = body.u8();
    if (addressBytes !== 8 || selectorBytes !== 0) throw body.wrong('is not for 64-bit addresses');
  }
  const headerBytes = body.offset(is64);
  const from = body.at + headerBytes;
  if (from > body.end) throw body.wrong('has a header that is longer than it');
  const step = body.u8();
  if (version >= 4 && body.u8() !== 1) throw body.wrong('is for a machine with several operations in an instruction');
  body.skip(1);
  const lineBase = body.i8();
  const lineRange = body.u8();
  const opcodeBase = body.u8();
  if (lineRange === 0 || opcodeBase === 0) throw body.wrong('has a header of zeros');
  const operands = Array.from({ length: opcodeBase - 1 }, () => body.u8());
  const file = version >= 5 ? tables5(body, from, is64, strings) : tables4(body, from);
  return { version, step, lineBase, lineRange, opcodeBase, operands, from, to: body.end, file };
}

/** Up to version 4: folder 0 is that of the compilation, files count from 1, and a program may define further ones. */
function tables4(body: Cursor, limit: number): LineProgram['file'] {
  const table = new Cursor(body.of, body.at, limit);
  const folders: (() => string)[] = [() => ''];
  for (let name = table.text(); name !== ''; name = table.text()) folders.push(constant(name));
  const files: NamedFile[] = [];
  for (let name = table.text(); name !== ''; name = table.text()) {
    const folder = table.uleb();
    table.uleb();
    table.uleb();
    files.push({ name: constant(name), folder });
  }
  return (number) => pathOf(files[number - 1], folders, () => '');
}

/** Version 5: tables that say what their columns are. Folder 0 is that of the compilation. */
function tables5(body: Cursor, limit: number, is64: boolean, strings: LineStrings): LineProgram['file'] {
  const table = new Cursor(body.of, body.at, limit);
  const folders = table5(table, is64, strings).map(({ name }) => name);
  const files = table5(table, is64, strings);
  return (number) => pathOf(files[number], folders, folders[0] ?? (() => ''));
}

function table5(table: Cursor, is64: boolean, strings: LineStrings): NamedFile[] {
  const columns = Array.from({ length: table.u8() }, () => ({ content: table.uleb(), form: table.uleb() }));
  const count = table.uleb();
  // An entry without columns has no bytes: the count alone would bound nothing.
  if (columns.length === 0 && count > 0) throw table.wrong('has a table of files without columns');
  const files: NamedFile[] = [];
  for (let n = 0; n < count; n++) {
    let name = () => '';
    let folder = 0;
    for (const { content, form } of columns) {
      if (content === DW_LNCT.path) name = pathIn(table, form, is64, strings);
      else if (content === DW_LNCT.directory) folder = numberIn(table, form);
      else skipForm(table, form, is64);
    }
    files.push({ name, folder });
  }
  return files;
}

const constant = (text: string) => () => text;

function pathIn(table: Cursor, form: number, is64: boolean, strings: LineStrings): () => string {
  if (form === DW_FORM.string) return constant(table.text());
  if (form !== DW_FORM.line_strp && form !== DW_FORM.strp) throw unknownForm(table, form);
  const at = table.offset(is64);
  const from = form === DW_FORM.strp ? strings.str() : strings.lineStr();
  if (!from) throw table.wrong('names files in a section that is not there');
  return () => new Cursor(from, at).text();
}

function numberIn(table: Cursor, form: number): number {
  if (form === DW_FORM.data1) return table.u8();
  if (form === DW_FORM.data2) return table.u16();
  if (form === DW_FORM.udata) return table.uleb();
  throw unknownForm(table, form);
}

const FIXED_BYTES: ReadonlyMap<number, number> = new Map([
  [DW_FORM.data1, 1],
  [DW_FORM.data2, 2],
  [DW_FORM.data4, 4],
  [DW_FORM.data8, 8],
  [DW_FORM.data16, 16],
]);

/** Goes past what is not looked at: times, sizes, MD5 sums, and what vendors add. */
function skipForm(table: Cursor, form: number, is64: boolean): void {
  const fixed = FIXED_BYTES.get(form);
  if (fixed !== undefined) table.skip(fixed);
  else if (form === DW_FORM.udata) table.uleb();
  else if (form === DW_FORM.string) table.text();
  else if (form === DW_FORM.strp || form === DW_FORM.line_strp) table.offset(is64);
  else if (form === DW_FORM.block) table.skip(table.uleb());
  else if (form === DW_FORM.block1) table.skip(table.u8());
  else if (form === DW_FORM.block2) table.skip(table.u16());
  else if (form === DW_FORM.block4) table.skip(table.u32());
  else throw unknownForm(table, form);
}

const unknownForm = (table: Cursor, form: number): DwarfError =>
  table.wrong(`has a table of files in a form that is not known: 0x${form.toString(16)}`);

/** Folder and name, joined; folders relative to that of the compilation with it in front, unless that is `.`. */
function pathOf(
  file: NamedFile | undefined,
  folders: readonly (() => string)[],
  compiledIn: () => string,
): string | undefined {
  if (!file) return undefined;
  const folder = folders[file.folder]?.() ?? '';
  const base = file.folder === 0 ? '' : compiledIn();
  return join(join(base, folder), file.name());
}

function join(folder: string, name: string): string {
  if (folder === '' || folder === '.' || name.startsWith('/')) return name;
  return `${folder.replace(/\/$/, '')}/${name}`;
}
