/**
 * Call-frame information: .debug_frame (DWARF 5, 6.4) and .eh_frame (LSB 5, 10.6), which covers the same with other
 * pointers. Which functions there are is read once; the rules at an address when they are asked for.
 */
import { type Bytes, Cursor, DwarfError } from './bytes.ts';
import { type CfaRule, type FrameProgram, type RegisterRule, runRules, type Stretch } from './frame-rules.ts';
import type { DebugSections } from './sections.ts';

/** How the frame of the caller is found at an address. */
export interface FrameRules {
  /** The code that these call-frame instructions are for, usually a function: first address, and the one behind it. */
  readonly low: bigint;
  readonly high: bigint;
  readonly cfa: CfaRule;
  /** Number of the register that has the return address: 1 (ra), unless somebody chose otherwise. */
  readonly returnRegister: number;
  /** Where the return address is; `undefined`: there is no caller. */
  readonly returnAddress: RegisterRule;
  /**
   * Registers by their number that have a rule, that of the return address included. Of the others, those that calls
   * preserve (sp by the CFA, s0–s11) are the same as the caller's.
   */
  readonly registers: ReadonlyMap<number, RegisterRule>;
  /** The frame of a trap handler: the caller goes on *at* the return address, not behind a call. */
  readonly isSignalFrame: boolean;
}

export interface FrameTable {
  /**
   * The rules in force when the instruction at this address is next; undefined: no call-frame information covers it.
   * @throws DwarfError when it is damaged
   */
  frameAt(address: bigint): FrameRules | undefined;
}

/** What entries for functions have in common. */
interface Cie extends FrameProgram {
  readonly returnRegister: number;
  readonly isSignalFrame: boolean;
  /** How addresses are encoded (.eh_frame). */
  readonly encoding: number;
  /** Whether entries have augmentation data, which begins with its length. */
  readonly hasData: boolean;
  readonly initial: Stretch;
}

interface Fde {
  readonly low: bigint;
  readonly high: bigint;
  readonly cie: Cie;
  readonly own: Stretch;
  readonly section: Bytes;
}

const SAME: RegisterRule = { kind: 'same' };
/** The encodings of pointers that linkers write (LSB 5, 10.5.1). */
const DW_EH_PE = {
  absptr: 0,
  uleb128: 1,
  udata2: 2,
  udata4: 3,
  udata8: 4,
  sleb128: 9,
  sdata2: 10,
  sdata4: 11,
} as const;
const DW_EH_PE_sdata8 = 12;
const DW_EH_PE_pcrel = 0x10;
/** Functions that overlap: an entry below the nearest one may reach further. */
const LOOK_BACK = 16;

/** The call-frame information of a file. `problem` is called with one line for each entry that cannot be read. */
export function readFrames(sections: DebugSections, problem: (why: string) => void): FrameTable {
  const entries = ['.debug_frame', '.eh_frame'].flatMap((name) => {
    try {
      const section = sections.section(name);
      return section ? readEntries(section, name === '.eh_frame', problem) : [];
    } catch (error) {
      if (!(error instanceof DwarfError)) throw error;
      problem(error.message);
      return [];
    }
  });
  // Of two for one function that of .debug_frame comes last and so is found first.
  const sorted = entries.filter(({ low }) => sections.isInImage(low)).reverse();
  sorted.sort((a, b) => (a.low < b.low ? -1 : a.low > b.low ? 1 : 0));
  return { frameAt: (address) => frameIn(sorted, address) };
}

function frameIn(entries: readonly Fde[], address: bigint): FrameRules | undefined {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (entries[middle]!.low <= address) low = middle + 1;
    else high = middle;
  }
  for (let n = low - 1; n >= 0 && n > low - 1 - LOOK_BACK; n--) {
    const entry = entries[n]!;
    if (address < entry.high) return rulesOf(entry, address);
  }
  return undefined;
}

function rulesOf({ low, high, cie, own, section }: Fde, address: bigint): FrameRules {
  const { cfa, registers } = runRules(section, cie, { initial: cie.initial, own }, { low, address });
  if (!cfa) throw new DwarfError(`${section.section} says nothing of the frame at 0x${address.toString(16)}`);
  const { returnRegister, isSignalFrame } = cie;
  const returnAddress = registers.get(returnRegister) ?? SAME;
  return { low, high, cfa, returnRegister, returnAddress, registers, isSignalFrame };
}

function readEntries(section: Bytes, isEh: boolean, problem: (why: string) => void): Fde[] {
  const cies = new Map<number, Cie | undefined>();
  const entries: Fde[] = [];
  const cursor = new Cursor(section);
  while (!cursor.isAtEnd) {
    if (isEh && isTerminator(cursor)) continue;
    const { body, is64 } = cursor.unit();
    try {
      const at = body.at;
      const pointer = isEh ? BigInt(body.u32()) : body.unsigned(is64 ? 8 : 4);
      if (isCie(pointer, isEh, is64)) continue;
      const from = isEh ? at - Number(pointer) : Number(pointer);
      if (!cies.has(from)) cies.set(from, readCie(new Cursor(section, from), isEh));
      const cie = cies.get(from);
      if (cie) entries.push(readFde(body, cie, section));
    } catch (error) {
      if (!(error instanceof DwarfError)) throw error;
      problem(error.message);
    }
  }
  return entries;
}

/** An .eh_frame may be several that were put together, each with a zero length at its end. */
function isTerminator(cursor: Cursor): boolean {
  if (cursor.end - cursor.at < 4) return cursor.skip(cursor.end - cursor.at) >= 0;
  const at = cursor.at;
  if (cursor.u32() === 0) return true;
  cursor.at = at;
  return false;
}

const isCie = (pointer: bigint, isEh: boolean, is64: boolean): boolean =>
  isEh ? pointer === 0n : pointer === (is64 ? 0xffffffffffffffffn : 0xffffffffn);

/** Reads a common entry. @throws DwarfError when it is damaged, or of a kind that is not known */
function readCie(at: Cursor, isEh: boolean): Cie {
  const { body, is64 } = at.unit();
  const id = isEh ? BigInt(body.u32()) : body.unsigned(is64 ? 8 : 4);
  if (!isCie(id, isEh, is64)) throw body.wrong('has an entry that refers to none that is common');
  const version = body.u8();
  if (version !== 1 && version !== 3 && version !== 4) throw body.wrong(`has an entry of version ${version}`);
  const augmentation = body.text();
  if (version === 4) {
    const addressBytes = body.u8();
    if (addressBytes !== 8 || body.u8() !== 0) throw body.wrong('is not for 64-bit addresses');
  }
  const codeStep = body.uleb();
  const dataStep = body.sleb();
  const returnRegister = version === 1 ? body.u8() : body.uleb();
  const { encoding, isSignalFrame } = readAugmentation(body, augmentation);
  const isPlain = encoding === DW_EH_PE.absptr;
  return {
    codeStep,
    dataStep,
    addressBytes: isPlain ? 8 : undefined,
    returnRegister,
    isSignalFrame,
    encoding,
    hasData: augmentation.startsWith('z'),
    initial: { from: body.at, to: body.end },
  };
}

/** `zR`, `zPLRS` …: what else the entries have. Goes behind it. */
function readAugmentation(
  body: Cursor,
  augmentation: string,
): { readonly encoding: number; readonly isSignalFrame: boolean } {
  let encoding: number = DW_EH_PE.absptr;
  let isSignalFrame = false;
  if (augmentation === '') return { encoding, isSignalFrame };
  if (!augmentation.startsWith('z')) throw body.wrong(`has an augmentation that is not known`);
  const bytes = body.uleb();
  const from = body.skip(bytes);
  const data = new Cursor(body.of, from, from + bytes);
  for (const letter of augmentation.slice(1)) {
    if (letter === 'R') encoding = data.u8();
    else if (letter === 'S') isSignalFrame = true;
    else if (letter === 'L') data.u8();
    else if (letter === 'P') pointerIn(data, data.u8(), data.of);
    else break;
  }
  return { encoding, isSignalFrame };
}

function readFde(body: Cursor, cie: Cie, section: Bytes): Fde {
  const low = pointerIn(body, cie.encoding, section);
  // The size of the range has the same format, without being relative to anything.
  const bytes = pointerIn(body, cie.encoding & 0xf, section);
  if (cie.hasData) body.skip(body.uleb());
  return { low, high: low + bytes, cie, own: { from: body.at, to: body.end }, section };
}

function pointerIn(cursor: Cursor, encoding: number, section: Bytes): bigint {
  const place = section.address + BigInt(cursor.at);
  const value = numberIn(cursor, encoding & 0xf);
  const relative = encoding & 0x70;
  if (relative !== 0 && relative !== DW_EH_PE_pcrel) throw cursor.wrong('has pointers that are relative to data');
  return BigInt.asUintN(64, relative === 0 ? value : value + place);
}

function numberIn(cursor: Cursor, format: number): bigint {
  switch (format) {
    case DW_EH_PE.absptr:
    case DW_EH_PE.udata8:
    case DW_EH_PE_sdata8:
      return cursor.u64();
    case DW_EH_PE.uleb128:
      return cursor.uleb64();
    case DW_EH_PE.udata2:
      return BigInt(cursor.u16());
    case DW_EH_PE.udata4:
      return BigInt(cursor.u32());
    case DW_EH_PE.sleb128:
      return cursor.sleb64();
    case DW_EH_PE.sdata2:
      return BigInt(cursor.i16());
    case DW_EH_PE.sdata4:
      return BigInt(cursor.i32());
    default:
      throw cursor.wrong(`has pointers in an encoding that is not known: 0x${format.toString(16)}`);
  }
}
