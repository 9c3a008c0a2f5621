/**
 * How operands are written: one table of operand words, each with its way to text and back. Disassembler and assembler
 * both walk a row's syntax through it.
 */
import { csrByName, csrByNumber } from '../csrs/index.ts';
import type { Operands } from '../instructions/index.ts';
import { FLOAT_REGISTER_NAMES, floatRegisterNumber, REGISTER_NAMES, registerNumber } from './registers.ts';

/** What turning text into operands needs to know. */
export interface ParseContext {
  /** Address of the instruction. */
  readonly pc: bigint;
  /** Value of an expression (number, symbol, symbol ± number), or undefined when it has none. */
  value(text: string): bigint | undefined;
}
export interface PrintContext {
  readonly pc: bigint;
  /** Name for a code address, e.g. `trap_entry+0x10`; undefined: none. */
  readonly symbolize?: ((address: bigint) => string | undefined) | undefined;
}

interface Word {
  /** The operand that the word shows. */
  readonly operand: string;
  print(value: number, context: PrintContext): string;
  /** undefined: not such an operand. */
  parse(text: string, context: ParseContext): number | undefined;
}

const register = (operand: string): Word => ({
  operand,
  print: (value) => REGISTER_NAMES[value] ?? `x${value}`,
  parse: (text) => registerNumber(text),
});

const floatRegister = (operand: string): Word => ({
  operand,
  print: (value) => FLOAT_REGISTER_NAMES[value] ?? `f${value}`,
  parse: (text) => floatRegisterNumber(text),
});

const number = (operand: string): Word => ({
  operand,
  print: (value) => String(value),
  parse: (text, context) => toNumber(context.value(text)),
});

const toNumber = (value: bigint | undefined) => (value === undefined ? undefined : Number(value));

/** Sets of the accesses that a fence orders: i, o, r, w from bit 3 down. */
const fenceSet = (operand: string): Word => ({
  operand,
  print: (value) => [...'iorw'].filter((_, index) => value & (8 >> index)).join('') || '0',
  parse: (text) => {
    if (text === '0') return 0;
    if (!/^i?o?r?w?$/.test(text)) return undefined;
    return [...'iorw'].reduce((sum, letter, index) => sum + (text.includes(letter) ? 8 >> index : 0), 0);
  },
});

/** Rounding modes; 5 and 6 are reserved and print as numbers. */
const ROUNDING_MODES = ['rne', 'rtz', 'rdn', 'rup', 'rmm', '5', '6', 'dyn'];

const WORDS: Readonly<Record<string, Word>> = {
  rd: register('rd'),
  rs1: register('rs1'),
  rs2: register('rs2'),
  frd: floatRegister('rd'),
  frs1: floatRegister('rs1'),
  frs2: floatRegister('rs2'),
  frs3: floatRegister('rs3'),
  rm: {
    operand: 'imm',
    print: (value) => ROUNDING_MODES[value] ?? String(value),
    parse: (text) => {
      const mode = ROUNDING_MODES.indexOf(text);
      return mode < 0 ? undefined : mode;
    },
  },
  imm: number('imm'),
  zimm: number('zimm'),
  pred: fenceSet('pred'),
  succ: fenceSet('succ'),
  upper: {
    operand: 'imm',
    print: (value) => `0x${((value >>> 12) & 0xfffff).toString(16)}`,
    parse: (text, context) => {
      const value = toNumber(context.value(text));
      // Both spellings that binutils accepts: 0 … 0xfffff, and the sign-extended ones.
      if (value === undefined || value < -0x80000 || value > 0xfffff) return undefined;
      return value << 12;
    },
  },
  line: {
    operand: 'imm',
    print: (value) => String(value & ~31),
    parse: (text, context) => {
      const value = toNumber(context.value(text));
      return value === undefined || value % 32 !== 0 ? undefined : value;
    },
  },
  target: {
    operand: 'imm',
    print: (value, { pc, symbolize }) => {
      const address = BigInt.asUintN(64, pc + BigInt(value));
      const name = symbolize?.(address);
      return `0x${address.toString(16)}${name ? ` <${name}>` : ''}`;
    },
    parse: (text, context) => {
      const address = context.value(text);
      return address === undefined ? undefined : Number(BigInt.asIntN(64, address - context.pc));
    },
  },
  csr: {
    operand: 'imm',
    print: (value) => csrByNumber(value)?.name ?? `0x${value.toString(16)}`,
    parse: (text, context) => csrByName(text)?.number ?? toNumber(context.value(text)),
  },
};

const pieces = (syntax: string): string[] => syntax.match(/[a-z]+\d*|[^a-z\s]+/g) ?? [];

/** Operands as text, e.g. `a0,16(sp)`. */
export function printOperands(syntax: string, operands: Operands, context: PrintContext): string {
  return pieces(syntax)
    .map((piece) => {
      const word = WORDS[piece];
      return word ? word.print(operands[word.operand] ?? 0, context) : piece;
    })
    .join('');
}

/** Operands from text, or a sentence saying what was expected. */
export function parseOperands(syntax: string, text: string, context: ParseContext): Operands | string {
  const words = pieces(syntax);
  const literal = (piece: string) => piece.replace(/[()]/g, '\\$&');
  const pattern = words.map((piece) => (WORDS[piece] ? '\\s*([^,()]*?)\\s*' : `${literal(piece)}\\s*`)).join('');
  const match = new RegExp(`^${pattern}$`).exec(text.trim());
  if (!match) return `expected operands ${syntax || '(none)'}, found ${text || '(none)'}`;
  const operands: Record<string, number> = {};
  const named = words.filter((piece) => WORDS[piece]);
  for (const [index, name] of named.entries()) {
    const word = WORDS[name];
    const written = match[index + 1] ?? '';
    // `(a0)` is `0(a0)`.
    const omitted = written === '' && syntax.includes(`${name}(`);
    const value = omitted ? 0 : word?.parse(written, context);
    if (word === undefined || value === undefined) return `${written || 'nothing'} is no ${name}`;
    operands[word.operand] = value;
  }
  return operands;
}
