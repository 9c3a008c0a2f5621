/**
 * Call-frame instructions (DWARF 5, 6.4.2), run up to a pc: how the caller's registers are found there. Does not
 * evaluate expressions; a rule that is one says so.
 */
import { type Bytes, Cursor } from './bytes.ts';

/** How a register of the caller is found. Registers are numbered as in DWARF: x0–x31 are 0–31, f0–f31 32–63. */
export type RegisterRule =
  /** It is what it is now. */
  | { readonly kind: 'same' }
  /** It is lost; of the return address: there is no caller. */
  | { readonly kind: 'undefined' }
  /** It was saved at CFA + offset. */
  | { readonly kind: 'saved'; readonly offset: number }
  /** It is CFA + offset. */
  | { readonly kind: 'value'; readonly offset: number }
  /** It is in another register. */
  | { readonly kind: 'register'; readonly register: number }
  /** A DWARF expression says where it is saved, or what it is. */
  | { readonly kind: 'expression'; readonly isValue: boolean; readonly bytes: Uint8Array };

/** The canonical frame address: the caller's sp at the call. */
export type CfaRule =
  | { readonly kind: 'register'; readonly register: number; readonly offset: number }
  | { readonly kind: 'expression'; readonly bytes: Uint8Array };

/** Rules in force at an address. */
export interface RuleSet {
  readonly cfa: CfaRule | undefined;
  /** Registers that are not listed have no rule: those that calls preserve are the same. */
  readonly registers: ReadonlyMap<number, RegisterRule>;
}

/** What a CIE says of the instructions that follow. */
export interface FrameProgram {
  readonly codeStep: number;
  readonly dataStep: number;
  /** Bytes of an address in DW_CFA_set_loc; undefined: in an encoding that is not plain. */
  readonly addressBytes: number | undefined;
}

/** A stretch of instructions in their section. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

interface State {
  cfa: CfaRule | undefined;
  registers: Map<number, RegisterRule>;
}

/** Rules saved at a time (DW_CFA_remember_state); compilers nest one or two. */
const MAX_REMEMBERED = 64;
/** Registers with rules of their own: there are 32 + 32 + 32, and CSRs. */
const MAX_REGISTERS = 4096 + 4096;

/**
 * Runs the instructions of a CIE and then those of an FDE that begins at `low`, up to `address`.
 * @throws DwarfError when they are damaged or not known
 */
export function runRules(
  section: Bytes,
  program: FrameProgram,
  { initial, own }: { readonly initial: Stretch; readonly own: Stretch },
  { low, address }: { readonly low: bigint; readonly address: bigint },
): RuleSet {
  const state: State = { cfa: undefined, registers: new Map() };
  const always = new Cursor(section, initial.from, initial.to);
  runUntil(always, program, state, new Map(), low, low);
  const rest = new Cursor(section, own.from, own.to);
  runUntil(rest, program, state, new Map(state.registers), low, address);
  return state;
}

/** Low two bits of the opcode byte: three instructions have an operand in the other six. */
const PRIMARY = { advance: 1, offset: 2, restore: 3 } as const;

function runUntil(
  cursor: Cursor,
  program: FrameProgram,
  state: State,
  initial: ReadonlyMap<number, RegisterRule>,
  low: bigint,
  address: bigint,
): void {
  let at = low;
  const remembered: State[] = [];
  const advance = (units: number) => {
    at += BigInt(units) * BigInt(program.codeStep);
  };
  const set = (register: number, rule: RegisterRule) => {
    if (register >= MAX_REGISTERS) throw cursor.wrong(`has a rule for register ${register}`);
    state.registers.set(register, rule);
  };
  const restore = (register: number) => {
    const rule = initial.get(register);
    if (rule) state.registers.set(register, rule);
    else state.registers.delete(register);
  };
  const factored = (value: number) => value * program.dataStep;
  const block = () => {
    const bytes = cursor.uleb();
    const from = cursor.skip(bytes);
    return cursor.of.bytes.subarray(from, from + bytes);
  };
  const cfa = (register: number | undefined, offset: number) => {
    if (register === undefined) throw cursor.wrong('changes a frame address that is not a register');
    state.cfa = { kind: 'register', register, offset };
  };
  const current = () => (state.cfa?.kind === 'register' ? state.cfa : undefined);
  while (!cursor.isAtEnd && at <= address) {
    const opcode = cursor.u8();
    const low6 = opcode & 0x3f;
    switch (opcode >> 6) {
      case PRIMARY.advance:
        advance(low6);
        continue;
      case PRIMARY.offset:
        set(low6, { kind: 'saved', offset: factored(cursor.uleb()) });
        continue;
      case PRIMARY.restore:
        restore(low6);
        continue;
    }
    switch (opcode) {
      case 0x00: // nop
        break;
      case 0x01: // set_loc
        if (program.addressBytes === undefined) throw cursor.wrong('sets a place in an encoding that is not read');
        at = cursor.unsigned(program.addressBytes);
        break;
      case 0x02: // advance_loc1, 2, 4
        advance(cursor.u8());
        break;
      case 0x03:
        advance(cursor.u16());
        break;
      case 0x04:
        advance(cursor.u32());
        break;
      case 0x05: // offset_extended
        set(cursor.uleb(), { kind: 'saved', offset: factored(cursor.uleb()) });
        break;
      case 0x06: // restore_extended
        restore(cursor.uleb());
        break;
      case 0x07: // undefined
        set(cursor.uleb(), { kind: 'undefined' });
        break;
      case 0x08: // same_value
        set(cursor.uleb(), { kind: 'same' });
        break;
      case 0x09: // register
        set(cursor.uleb(), { kind: 'register', register: cursor.uleb() });
        break;
      case 0x0a: // remember_state
        if (remembered.length >= MAX_REMEMBERED) throw cursor.wrong('remembers too many states');
        remembered.push({ cfa: state.cfa, registers: new Map(state.registers) });
        break;
      case 0x0b: {
        // restore_state
        const last = remembered.pop();
        if (!last) throw cursor.wrong('restores a state that was not remembered');
        state.cfa = last.cfa;
        state.registers = last.registers;
        break;
      }
      case 0x0c: // def_cfa
        cfa(cursor.uleb(), cursor.uleb());
        break;
      case 0x0d: // def_cfa_register
        cfa(cursor.uleb(), current()?.offset ?? 0);
        break;
      case 0x0e: // def_cfa_offset
        cfa(current()?.register, cursor.uleb());
        break;
      case 0x0f: // def_cfa_expression
        state.cfa = { kind: 'expression', bytes: block() };
        break;
      case 0x10: // expression
        set(cursor.uleb(), { kind: 'expression', isValue: false, bytes: block() });
        break;
      case 0x11: // offset_extended_sf
        set(cursor.uleb(), { kind: 'saved', offset: factored(cursor.sleb()) });
        break;
      case 0x12: // def_cfa_sf
        cfa(cursor.uleb(), factored(cursor.sleb()));
        break;
      case 0x13: // def_cfa_offset_sf
        cfa(current()?.register, factored(cursor.sleb()));
        break;
      case 0x14: // val_offset
        set(cursor.uleb(), { kind: 'value', offset: factored(cursor.uleb()) });
        break;
      case 0x15: // val_offset_sf
        set(cursor.uleb(), { kind: 'value', offset: factored(cursor.sleb()) });
        break;
      case 0x16: // val_expression
        set(cursor.uleb(), { kind: 'expression', isValue: true, bytes: block() });
        break;
      case 0x2e: // GNU_args_size
        cursor.uleb();
        break;
      default:
        throw cursor.wrong(`has a call-frame instruction that is not known: 0x${opcode.toString(16)}`);
    }
  }
}
