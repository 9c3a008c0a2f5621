/**
 * Zicbom and Zicboz: cache-block operations. The helpers check the envcfg registers and the access. Prefetches (Zicbop)
 * are ORIs into x0: see aliases.ts. @see Volume I, chapter "CMO" Extensions for Base Cache Management Operation
 */
import { constant, raw, rs1, run } from '../../semantics/index.ts';
import { rowsOf } from '../instruction.ts';

const zicbom = rowsOf('Zicbom');
const zicboz = rowsOf('Zicboz');

const block = (operation: string) => `${operation} rs1 010 00000 0001111`;

/** Fields of menvcfg, senvcfg and henvcfg that permit an operation below M-mode. */
const CBIE = constant(3 << 4);
const CBCFE = constant(1 << 6);

export const ZICBO = [
  zicbom('cbo.inval', block('000000000000'), '(rs1)', run('cboManage', rs1, CBIE, raw)),
  zicbom('cbo.clean', block('000000000001'), '(rs1)', run('cboManage', rs1, CBCFE, raw)),
  zicbom('cbo.flush', block('000000000010'), '(rs1)', run('cboManage', rs1, CBCFE, raw)),
  zicboz('cbo.zero', block('000000000100'), '(rs1)', run('cboZero', rs1, raw)),
];
