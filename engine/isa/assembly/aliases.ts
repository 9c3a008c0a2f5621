/**
 * Pseudo-instructions that are another spelling of one instruction with some operands fixed. The disassembler takes the
 * first that fits; the assembler takes all. Those of several instructions (`li` in general, `la`) are the
 * assembler's. @see RISC-V Assembly Programmer's Manual, "Pseudoinstructions"
 */
import { FLOAT, impliedRounding, type Operands } from '../instructions/index.ts';

export interface Alias {
  readonly name: string;
  readonly of: string;
  readonly fixed: Operands;
  readonly syntax: string;
  /** The five low bits of imm choose the spelling; the operand word `line` shows the rest. */
  readonly low5?: number;
  /** Two operands that must be equal; the syntax names the first. */
  readonly equal?: readonly [string, string];
  /** Only understood, never printed: `bgt a,b` is `blt b,a`. */
  readonly inputOnly?: true;
}

const alias = (name: string, of: string, syntax: string, fixed: Operands): Alias => ({ name, of, fixed, syntax });
const input = (name: string, of: string, syntax: string, fixed: Operands = {}): Alias => ({
  name,
  of,
  fixed,
  syntax,
  inputOnly: true,
});

/** Prefetches are ORIs into x0. @see Volume I, "Zicbop" */
const prefetch = (name: string, low5: number): Alias => ({ ...alias(name, 'ori', 'line(rs1)', { rd: 0 }), low5 });
/** fmv, fneg, fabs: sign injections from the register itself. */
const signAliases = ['s', 'd'].flatMap((format) =>
  [
    ['fmv', 'fsgnj'],
    ['fneg', 'fsgnjn'],
    ['fabs', 'fsgnjx'],
  ].map(
    ([name, of]): Alias => ({
      ...alias(`${name}.${format}`, `${of}.${format}`, 'frd, frs1', {}),
      equal: ['rs1', 'rs2'],
    }),
  ),
);

/** The rounding mode is written only when it is not the usual one. */
const roundingAliases = FLOAT.filter(({ syntax }) => syntax.endsWith(', rm')).map((row) =>
  alias(row.name, row.name, row.syntax.slice(0, -', rm'.length), { imm: impliedRounding(row.name) }),
);

export const ALIASES: readonly Alias[] = [
  ...signAliases,
  ...roundingAliases,
  alias('nop', 'addi', '', { rd: 0, rs1: 0, imm: 0 }),
  alias('li', 'addi', 'rd, imm', { rs1: 0 }),
  alias('mv', 'addi', 'rd, rs1', { imm: 0 }),
  // Locality hints (Zihintntl): additions into x0.
  alias('ntl.p1', 'add', '', { rd: 0, rs1: 0, rs2: 2 }),
  alias('ntl.pall', 'add', '', { rd: 0, rs1: 0, rs2: 3 }),
  alias('ntl.s1', 'add', '', { rd: 0, rs1: 0, rs2: 4 }),
  alias('ntl.all', 'add', '', { rd: 0, rs1: 0, rs2: 5 }),
  alias('mv', 'add', 'rd, rs2', { rs1: 0 }),
  alias('not', 'xori', 'rd, rs1', { imm: -1 }),
  alias('neg', 'sub', 'rd, rs2', { rs1: 0 }),
  alias('negw', 'subw', 'rd, rs2', { rs1: 0 }),
  alias('sext.w', 'addiw', 'rd, rs1', { imm: 0 }),
  alias('zext.w', 'add.uw', 'rd, rs1', { rs2: 0 }),
  alias('zext.b', 'andi', 'rd, rs1', { imm: 255 }),
  alias('seqz', 'sltiu', 'rd, rs1', { imm: 1 }),
  alias('snez', 'sltu', 'rd, rs2', { rs1: 0 }),
  alias('sltz', 'slt', 'rd, rs1', { rs2: 0 }),
  alias('sgtz', 'slt', 'rd, rs2', { rs1: 0 }),
  alias('beqz', 'beq', 'rs1, target', { rs2: 0 }),
  alias('bnez', 'bne', 'rs1, target', { rs2: 0 }),
  alias('blez', 'bge', 'rs2, target', { rs1: 0 }),
  alias('bgez', 'bge', 'rs1, target', { rs2: 0 }),
  alias('bltz', 'blt', 'rs1, target', { rs2: 0 }),
  alias('bgtz', 'blt', 'rs2, target', { rs1: 0 }),
  input('bgt', 'blt', 'rs2, rs1, target'),
  input('ble', 'bge', 'rs2, rs1, target'),
  input('bgtu', 'bltu', 'rs2, rs1, target'),
  input('bleu', 'bgeu', 'rs2, rs1, target'),
  alias('j', 'jal', 'target', { rd: 0 }),
  alias('jal', 'jal', 'target', { rd: 1 }),
  input('call', 'jal', 'target', { rd: 1 }),
  input('tail', 'jal', 'target', { rd: 0 }),
  alias('ret', 'jalr', '', { rd: 0, rs1: 1, imm: 0 }),
  alias('jr', 'jalr', 'rs1', { rd: 0, imm: 0 }),
  alias('jr', 'jalr', 'imm(rs1)', { rd: 0 }),
  alias('jalr', 'jalr', 'rs1', { rd: 1, imm: 0 }),
  alias('jalr', 'jalr', 'imm(rs1)', { rd: 1 }),
  alias('fence', 'fence', '', { fm: 0, pred: 15, succ: 15, rs1: 0, rd: 0 }),
  // Zihintpause: a fence of nothing.
  alias('pause', 'fence', '', { fm: 0, pred: 1, succ: 0, rs1: 0, rd: 0 }),
  prefetch('prefetch.i', 0),
  prefetch('prefetch.r', 1),
  prefetch('prefetch.w', 3),
  alias('unimp', 'csrrw', '', { rd: 0, imm: 0xc00, rs1: 0 }),
  alias('rdcycle', 'csrrs', 'rd', { imm: 0xc00, rs1: 0 }),
  alias('rdtime', 'csrrs', 'rd', { imm: 0xc01, rs1: 0 }),
  alias('rdinstret', 'csrrs', 'rd', { imm: 0xc02, rs1: 0 }),
  ...['fflags', 'frm', 'fcsr'].flatMap((csr, index) => [
    alias(`fr${csr.replace(/^f/, '')}`, 'csrrs', 'rd', { imm: index + 1, rs1: 0 }),
    alias(`fs${csr.replace(/^f/, '')}`, 'csrrw', 'rs1', { imm: index + 1, rd: 0 }),
    alias(`fs${csr.replace(/^f/, '')}`, 'csrrw', 'rd, rs1', { imm: index + 1 }),
  ]),
  alias('csrr', 'csrrs', 'rd, csr', { rs1: 0 }),
  alias('csrw', 'csrrw', 'csr, rs1', { rd: 0 }),
  alias('csrs', 'csrrs', 'csr, rs1', { rd: 0 }),
  alias('csrc', 'csrrc', 'csr, rs1', { rd: 0 }),
  alias('csrwi', 'csrrwi', 'csr, zimm', { rd: 0 }),
  alias('csrsi', 'csrrsi', 'csr, zimm', { rd: 0 }),
  alias('csrci', 'csrrci', 'csr, zimm', { rd: 0 }),
  alias('sfence.vma', 'sfence.vma', '', { rs1: 0, rs2: 0 }),
  alias('sfence.vma', 'sfence.vma', 'rs1', { rs2: 0 }),
  alias('hfence.vvma', 'hfence.vvma', '', { rs1: 0, rs2: 0 }),
  alias('hfence.vvma', 'hfence.vvma', 'rs1', { rs2: 0 }),
  alias('hfence.gvma', 'hfence.gvma', '', { rs1: 0, rs2: 0 }),
  alias('hfence.gvma', 'hfence.gvma', 'rs1', { rs2: 0 }),
];

/** The spelling that the disassembler prefers for an instruction, or undefined for its own. */
export const printedAlias = (name: string, operands: Operands): Alias | undefined =>
  PRINTED.get(name)?.find(
    (a) =>
      Object.entries(a.fixed).every(([operand, value]) => operands[operand] === value) &&
      (a.low5 === undefined || ((operands.imm ?? 0) & 31) === a.low5) &&
      (!a.equal || operands[a.equal[0]] === operands[a.equal[1]]),
  );

/** Operands of the instruction that an alias with the given ones stands for. */
export const aliasOperands = ({ fixed, equal, low5 }: Alias, written: Operands): Operands => ({
  ...written,
  ...fixed,
  ...(equal ? { [equal[1]]: written[equal[0]] ?? 0 } : {}),
  ...(low5 ? { imm: (written.imm ?? 0) + low5 } : {}),
});

/** All spellings of that name. */
export const aliasesNamed = (name: string): readonly Alias[] => BY_NAME.get(name) ?? [];

const PRINTED = Map.groupBy(
  ALIASES.filter((a) => !a.inputOnly),
  (a) => a.of,
);
const BY_NAME = Map.groupBy(ALIASES, (a) => a.name);
