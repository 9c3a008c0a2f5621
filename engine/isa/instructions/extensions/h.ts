/** H: loads and stores as a guest would do them, and guest fences. @see Volume II, section 18.3 */
import { call, constant, raw, rs1, rs2, run, set, signExtend } from '../../semantics/index.ts';
import { rowsOf } from '../instruction.ts';

const row = rowsOf('H');

/** `execute` (HLVX): the page needs execute instead of read permission. */
const loadRow = (name: string, funct7: string, kind: string, bytes: number, signed: boolean, execute = false) => {
  const value = call('hlv', rs1, constant(bytes), constant(execute ? 1 : 0), raw);
  const bits = (bytes * 8) as 8 | 16 | 32;
  return row(name, `${funct7} ${kind} rs1 100 rd 1110011`, 'rd, (rs1)', set(signed ? signExtend(bits, value) : value));
};

const storeRow = (name: string, funct7: string, bytes: number) =>
  row(name, `${funct7} rs2 rs1 100 00000 1110011`, 'rs2, (rs1)', run('hsv', rs1, rs2, constant(bytes), raw));

export const H = [
  loadRow('hlv.b', '0110000', '00000', 1, true),
  loadRow('hlv.bu', '0110000', '00001', 1, false),
  loadRow('hlv.h', '0110010', '00000', 2, true),
  loadRow('hlv.hu', '0110010', '00001', 2, false),
  loadRow('hlvx.hu', '0110010', '00011', 2, false, true),
  loadRow('hlv.w', '0110100', '00000', 4, true),
  loadRow('hlv.wu', '0110100', '00001', 4, false),
  loadRow('hlvx.wu', '0110100', '00011', 4, false, true),
  loadRow('hlv.d', '0110110', '00000', 8, false),
  storeRow('hsv.b', '0110001', 1),
  storeRow('hsv.h', '0110011', 2),
  storeRow('hsv.w', '0110101', 4),
  storeRow('hsv.d', '0110111', 8),
  row('hfence.vvma', '0010001 rs2 rs1 000 00000 1110011', 'rs1, rs2', run('hfenceVvma', rs1, rs2, raw)),
  row('hfence.gvma', '0110001 rs2 rs1 000 00000 1110011', 'rs1, rs2', run('hfenceGvma', rs1, rs2, raw)),
];
