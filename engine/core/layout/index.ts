/** The words of hart and machine state, declared once; AssemblyScript gets its constants from here. */
export { type Block, type FieldType, field, offsetOf, placeBlock } from './block.ts';
export { CONSTANTS, CSR, DECODE, HART, hartAddress, MACHINE, SLOT, TLB } from './layout.ts';
export { ACCESS, EVENT, STEP, WALK_STEP, WATCH } from './observed.ts';
