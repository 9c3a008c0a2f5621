/**
 * The shape of a table row, and the builders with which the extension files write their rows.
 */

import type { Effect } from '../semantics/index.ts';
import { type Encoding, parseEncoding } from './encoding.ts';

/** A full-size instruction: how it is encoded, written, and what it does. */
export interface Instruction {
  readonly name: string;
  readonly extension: string;
  readonly encoding: Encoding;
  /**
   * Operands as assembly writes them. Words: `rd rs1 rs2` registers, with an `f` before them floating-point ones, `rm`
   * a rounding mode, `imm` a number, `upper` imm >> 12, `csr` a CSR's name, `line` imm without its five low bits,
   * `target` the address pc + imm, `zimm` a small number, `pred succ` sets of `iorw`. The rest stands for itself.
   */
  readonly syntax: string;
  readonly effect: Effect;
}

/** A 16-bit form of an instruction. */
export interface Compressed {
  readonly name: string;
  readonly extension: string;
  readonly encoding: Encoding;
  readonly syntax: string;
  /** Name of the instruction it stands for. */
  readonly expandsTo: string;
  /** Operands of that instruction: another field of this row, or a constant. Unlisted ones keep their name. */
  readonly operands: Readonly<Record<string, string | number>>;
}

/** Builds rows of one extension: `row(name, drawing, syntax, effect)`. */
export const rowsOf =
  (extension: string) =>
  (name: string, drawing: string, syntax: string, effect: Effect): Instruction => ({
    name,
    extension,
    encoding: parseEncoding(drawing),
    syntax,
    effect,
  });
