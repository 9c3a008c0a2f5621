/**
 * Source lines of addresses: the line number programs of .debug_line (DWARF 5, 6.2). Which stretches of code there are
 * is read once; the lines of a stretch when they are first asked for. Does not read the units that programs belong to.
 */
import { type Bytes, Cursor, DwarfError } from './bytes.ts';
import { type LineProgram, type LineStrings, readLineProgram } from './line-tables.ts';
import type { DebugSections } from './sections.ts';

export interface SourceLine {
  /** Path as it was compiled: relative to the folder of the compilation where that is `.`. */
  readonly file: string;
  /** From 1 on. */
  readonly line: number;
  /** From 1 on; 0: not known. */
  readonly column: number;
}

export interface LineTable {
  /** The line that an instruction at this address was compiled from. @throws DwarfError when that is damaged */
  lineAt(address: bigint): SourceLine | undefined;
}

/** Code in one piece, as one part of a program describes it: registers begin anew there, so it can be run by itself. */
interface Sequence {
  readonly program: LineProgram;
  readonly base: bigint;
  readonly bytes: number;
  /** Where its part of the program begins, and ends. */
  readonly from: number;
  readonly to: number;
}

/** Called for each row: bytes from the sequence's base. */
type Row = (offset: number, file: number, line: number, column: number) => void;

/** Sequences below the nearest one that are looked at: they may overlap. */
const LOOK_BACK = 16;
const OPCODE = {
  copy: 1,
  advancePc: 2,
  advanceLine: 3,
  setFile: 4,
  setColumn: 5,
  constAddPc: 8,
  fixedAdvancePc: 9,
} as const;
const EXTENDED = { endSequence: 1, setAddress: 2 } as const;

/**
 * The line table of a file. `problem` is called with one line for each program that cannot be read; the others are
 * used.
 */
export function readLines(sections: DebugSections, problem: (why: string) => void): LineTable {
  const section = sections.section('.debug_line');
  if (!section) return { lineAt: () => undefined };
  const sequences = readSequences(section, sections, problem);
  const rows = new Map<Sequence, Rows>();
  const rowsOf = (sequence: Sequence): Rows => {
    const known = rows.get(sequence) ?? decode(section, sequence);
    rows.set(sequence, known);
    return known;
  };
  return {
    lineAt: (address) => {
      const nearest = lastAtOrBelow(sequences, address);
      for (let n = nearest; n >= 0 && n > nearest - LOOK_BACK; n--) {
        const sequence = sequences[n]!;
        const offset = address - sequence.base;
        if (offset < BigInt(sequence.bytes)) return lineIn(sequence, rowsOf(sequence), Number(offset));
      }
      return undefined;
    },
  };
}

/** Rows of a sequence by ascending offset, four numbers each: offset, file, line, column. */
type Rows = Float64Array;
const ROW = 4;

function decode(section: Bytes, sequence: Sequence): Rows {
  const rows: number[] = [];
  let sorted = true;
  runSequence(new Cursor(section, sequence.from, sequence.to), sequence.program, (offset, file, line, column) => {
    if (rows.length > 0 && offset < rows[rows.length - ROW]!) sorted = false;
    rows.push(offset, file, line, column);
  });
  if (sorted) return Float64Array.from(rows);
  const each = Array.from({ length: rows.length / ROW }, (_, n) => rows.slice(n * ROW, (n + 1) * ROW));
  return Float64Array.from(each.sort((a, b) => a[0]! - b[0]!).flat());
}

/** The last row at or below an offset counts: rows at the same offset follow each other in order of importance. */
function lineIn({ program }: Sequence, rows: Rows, offset: number): SourceLine | undefined {
  let low = 0;
  let high = rows.length / ROW;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle * ROW]! <= offset) low = middle + 1;
    else high = middle;
  }
  if (low === 0) return undefined;
  const at = (low - 1) * ROW;
  const file = program.file(rows[at + 1]!);
  const line = rows[at + 2]!;
  // Line 0: no line of any source made this instruction.
  return file === undefined || line === 0 ? undefined : { file, line, column: rows[at + 3]! };
}

function readSequences(section: Bytes, sections: DebugSections, problem: (why: string) => void): Sequence[] {
  const strings: LineStrings = {
    lineStr: () => sections.section('.debug_line_str'),
    str: () => sections.section('.debug_str'),
  };
  const found: Sequence[] = [];
  const units = new Cursor(section);
  const attempt = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof DwarfError)) throw error;
      problem(error.message);
    }
  };
  attempt(() => {
    while (!units.isAtEnd) {
      const { body, is64 } = units.unit();
      attempt(() => {
        const program = readLineProgram(body, is64, strings);
        const cursor = new Cursor(section, program.from, program.to);
        while (!cursor.isAtEnd) {
          const from = cursor.at;
          const { base, bytes } = runSequence(cursor, program, () => undefined);
          if (bytes > 0 && sections.isInImage(base)) found.push({ program, base, bytes, from, to: cursor.at });
        }
      });
    }
  });
  return found.sort((a, b) => (a.base < b.base ? -1 : a.base > b.base ? 1 : a.bytes - b.bytes));
}

/** Runs a program from where a sequence begins up to behind its end. */
function runSequence(
  cursor: Cursor,
  program: LineProgram,
  row: Row,
): { readonly base: bigint; readonly bytes: number } {
  const { step, lineBase, lineRange, opcodeBase, operands } = program;
  let base = 0n;
  let [offset, file, line, column] = [0, 1, 1, 0];
  let isRowless = true;
  const advance = (units: number) => {
    offset += units * step;
    if (!Number.isSafeInteger(offset)) throw cursor.wrong('advances to no address');
  };
  while (!cursor.isAtEnd) {
    const opcode = cursor.u8();
    if (opcode >= opcodeBase) {
      const adjusted = opcode - opcodeBase;
      advance(Math.floor(adjusted / lineRange));
      line += lineBase + (adjusted % lineRange);
      row(offset, file, line, column);
      isRowless = false;
    } else if (opcode === 0) {
      const bytes = cursor.uleb();
      const at = cursor.skip(bytes);
      const extended = new Cursor(cursor.of, at, at + bytes);
      const which = bytes === 0 ? 0 : extended.u8();
      if (which === EXTENDED.endSequence) return { base, bytes: offset };
      if (which === EXTENDED.setAddress) {
        const address = extended.u64();
        if (isRowless) [base, offset] = [address, 0];
        else offset = Number(BigInt.asIntN(64, address - base));
        advance(0);
      }
    } else if (opcode === OPCODE.copy) {
      row(offset, file, line, column);
      isRowless = false;
    } else if (opcode === OPCODE.advancePc) advance(cursor.uleb());
    else if (opcode === OPCODE.advanceLine) line += cursor.sleb();
    else if (opcode === OPCODE.setFile) file = cursor.uleb();
    else if (opcode === OPCODE.setColumn) column = cursor.uleb();
    else if (opcode === OPCODE.constAddPc) advance(Math.floor((255 - opcodeBase) / lineRange));
    else if (opcode === OPCODE.fixedAdvancePc) offset += cursor.u16();
    else for (let n = operands[opcode - 1] ?? 0; n > 0; n--) cursor.uleb64();
  }
  throw cursor.wrong('has a sequence without end');
}

function lastAtOrBelow(sequences: readonly Sequence[], address: bigint): number {
  let low = 0;
  let high = sequences.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sequences[middle]!.base <= address) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
