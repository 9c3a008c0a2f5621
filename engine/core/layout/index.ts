/** The words of hart and machine state, declared once; AssemblyScript gets its constants from here. */
export {
  type Block,
  CONSTANTS,
  CSR,
  DECODE,
  EVENT,
  type FieldType,
  field,
  HART,
  hartAddress,
  MACHINE,
  offsetOf,
  placeBlock,
  SLOT,
  TLB,
} from './layout.ts';
