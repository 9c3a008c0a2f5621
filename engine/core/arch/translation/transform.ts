/**
 * Transformed instructions for mtinst and htinst (privileged manual, "Transformed Instruction or Pseudoinstruction for
 * mtinst or htinst"). Instructions that access no memory transform to 0.
 */
import { HART_PC, HART_WALK_PADDR, MODE_QUIET } from '../layout.gen';
import { hostOf } from '../pages/pages';
import { FETCH, get } from '../state/state';
import { fetchMode } from '../code/tlb';
import { walk } from './walk';

/**
 * The instruction at HART.pc, which is being executed and hence translates. `offset` is the distance of the faulting
 * address from the address that the instruction computes.
 */
export function transformedAtPc(hart: u32, offset: u32): u32 {
  return transformed(instructionAtPc(hart), offset);
}

function transformed(raw: u32, offset: u32): u32 {
  const at = offset << 15;
  if ((raw & 3) != 3) return compressed(raw, at);
  const opcode = raw & 0x7f;
  // Loads lose their immediate, stores theirs, in both cases rs1 gives way to the offset.
  if (opcode == 0x03 || opcode == 0x07) return (raw & 0x7fff) | at;
  if (opcode == 0x23 || opcode == 0x27) return (raw & 0x01f0707f) | at;
  const isHypervisorAccess = opcode == 0x73 && ((raw >> 12) & 7) == 4;
  if (opcode == 0x2f || isHypervisorAccess) return (raw & ~(31 << 15)) | at;
  return 0;
}

/**
 * C.LW, C.LD, C.FLD, their stores and their stack-pointer forms: the 32-bit equivalent with bit 1 cleared. Kinds
 * (funct3) 1–3 are loads, 5–7 the stores of the same: floating-point double-word, word, double-word.
 */
function compressed(raw: u32, at: u32): u32 {
  const quadrant = raw & 3;
  const kind = (raw >> 13) & 7;
  const width = kind & 3;
  if (quadrant == 1 || width == 0) return 0;
  const opcode: u32 = width == 1 ? 0x05 : 0x01;
  const funct3: u32 = (width == 2 ? 2 : 3) << 12;
  const low = (raw >> 2) & 7;
  if (kind >= 4) {
    const source = quadrant == 0 ? 8 + low : (raw >> 2) & 31;
    return opcode | 0x20 | (source << 20) | funct3 | at;
  }
  const target = quadrant == 0 ? 8 + low : (raw >> 7) & 31;
  return opcode | (target << 7) | funct3 | at;
}

/** As memory has it; 0 when it cannot be fetched any more. */
function instructionAtPc(hart: u32): u32 {
  const pc = get(hart, HART_PC);
  const first = quietParcel(hart, pc);
  if (first == 0) return 0;
  const half: u32 = load<u16>(first);
  if ((half & 3) != 3) return half;
  const second = quietParcel(hart, pc + 2);
  return second == 0 ? 0 : half | (<u32>load<u16>(second) << 16);
}

function quietParcel(hart: u32, va: u64): u32 {
  return walk(hart, va, FETCH, fetchMode(hart) | MODE_QUIET) ? hostOf(get(hart, HART_WALK_PADDR)) : 0;
}
