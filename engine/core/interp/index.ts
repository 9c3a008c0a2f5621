/** The interpreter, generated from the ISA table, and the table by which its slots are decoded. */
export { encodeDecodeTable } from './decode-table.ts';
export { generateInterp } from './generate.ts';
