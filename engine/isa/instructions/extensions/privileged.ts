/**
 * Trap return, wait for interrupt, supervisor fences and Svinval's; the helpers check privilege.
 * @see Volume II, sections 3.3 and 12.2, and chapter "Svinval"
 */
import { raw, rs1, rs2, run } from '../../semantics/index.ts';
import { rowsOf } from '../instruction.ts';

const row = rowsOf('S');
const svinval = rowsOf('Svinval');

export const PRIVILEGED = [
  row('sret', '0001000 00010 00000 000 00000 1110011', '', run('sret', raw)),
  row('mret', '0011000 00010 00000 000 00000 1110011', '', run('mret', raw)),
  row('wfi', '0001000 00101 00000 000 00000 1110011', '', run('wfi', raw)),
  row('sfence.vma', '0001001 rs2 rs1 000 00000 1110011', 'rs1, rs2', run('sfenceVma', rs1, rs2, raw)),
  // The translation caches are coherent: invalidation is a permission check, whichever instruction asks for it.
  svinval('sinval.vma', '0001011 rs2 rs1 000 00000 1110011', 'rs1, rs2', run('sfenceVma', rs1, rs2, raw)),
  svinval('sfence.w.inval', '0001100 00000 00000 000 00000 1110011', '', run('sfenceOrder', raw)),
  svinval('sfence.inval.ir', '0001100 00001 00000 000 00000 1110011', '', run('sfenceOrder', raw)),
  svinval('hinval.vvma', '0010011 rs2 rs1 000 00000 1110011', 'rs1, rs2', run('hfenceVvma', rs1, rs2, raw)),
  svinval('hinval.gvma', '0110011 rs2 rs1 000 00000 1110011', 'rs1, rs2', run('hfenceGvma', rs1, rs2, raw)),
];
