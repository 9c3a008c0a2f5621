/** The rows of the instruction table, one file for each extension. */

export { A } from './a.ts';
export { B } from './b.ts';
export { C } from './c.ts';
export { FLOAT, impliedRounding } from './float.ts';
export { H } from './h.ts';
export { M } from './m.ts';
export { PRIVILEGED } from './privileged.ts';
export { RV64I } from './rv64i.ts';
export { ZICBO } from './zicbo.ts';
export { ZICSR } from './zicsr.ts';
