/** Trap return, wait for interrupt, supervisor fence; the helpers check privilege. @see Volume II, sections 3.3, 12.2 */
import { raw, rs1, rs2, run } from '../expression.ts';
import { rowsOf } from '../instruction.ts';

const row = rowsOf('S');

export const PRIVILEGED = [
  row('sret', '0001000 00010 00000 000 00000 1110011', '', run('sret', raw)),
  row('mret', '0011000 00010 00000 000 00000 1110011', '', run('mret', raw)),
  row('wfi', '0001000 00101 00000 000 00000 1110011', '', run('wfi', raw)),
  row('sfence.vma', '0001001 rs2 rs1 000 00000 1110011', 'rs1, rs2', run('sfenceVma', rs1, rs2, raw)),
];
