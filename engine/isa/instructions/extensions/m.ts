/** M: multiplication and division. Division by zero and overflow give values, not traps. @see Volume I, chapter 13 */

import {
  type Arithmetic,
  and,
  binary,
  call,
  choose,
  constant,
  type Expression,
  type HelperName,
  rs1,
  rs2,
  set,
  signExtend,
  zeroExtend,
} from '../../semantics/index.ts';
import { rowsOf } from '../instruction.ts';

const row = rowsOf('M');

const registers = (funct3: string) => `0000001 rs2 rs1 ${funct3} rd 0110011`;
const words = (funct3: string) => `0000001 rs2 rs1 ${funct3} rd 0111011`;

const highRow = (name: HelperName, funct3: string) =>
  row(name, registers(funct3), 'rd, rs1, rs2', set(call(name, rs1, rs2)));

const isZero = (e: Expression) => binary('eq', e, constant(0));
/** -2^63 / -1, whose quotient does not fit. */
const overflows = and(binary('eq', rs1, constant(-(2n ** 63n))), binary('eq', rs2, constant(-1)));

const wordRow = (name: string, funct3: string, op: Arithmetic, extend: typeof signExtend, byZero: Expression) => {
  const [a, b] = [extend(32, rs1), extend(32, rs2)];
  // In 64 bits the one overflowing word quotient, 2^31, fits; its low half is the value that the manual wants.
  const value = choose(isZero(b), byZero, binary(op, a, b));
  return row(name, words(funct3), 'rd, rs1, rs2', set(signExtend(32, value)));
};

export const M = [
  row('mul', registers('000'), 'rd, rs1, rs2', set(binary('mul', rs1, rs2))),
  highRow('mulh', '001'),
  highRow('mulhsu', '010'),
  highRow('mulhu', '011'),
  row(
    'div',
    registers('100'),
    'rd, rs1, rs2',
    set(choose(isZero(rs2), constant(-1), choose(overflows, rs1, binary('divS', rs1, rs2)))),
  ),
  row('divu', registers('101'), 'rd, rs1, rs2', set(choose(isZero(rs2), constant(-1), binary('divU', rs1, rs2)))),
  row(
    'rem',
    registers('110'),
    'rd, rs1, rs2',
    set(choose(isZero(rs2), rs1, choose(overflows, constant(0), binary('remS', rs1, rs2)))),
  ),
  row('remu', registers('111'), 'rd, rs1, rs2', set(choose(isZero(rs2), rs1, binary('remU', rs1, rs2)))),
  row('mulw', words('000'), 'rd, rs1, rs2', set(signExtend(32, binary('mul', rs1, rs2)))),
  wordRow('divw', '100', 'divS', signExtend, constant(-1)),
  wordRow('divuw', '101', 'divU', zeroExtend, constant(-1)),
  wordRow('remw', '110', 'remS', signExtend, rs1),
  wordRow('remuw', '111', 'remU', zeroExtend, rs1),
];
