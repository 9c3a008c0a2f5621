export { applyFault, type FaultTarget, resolveFault } from './apply.ts';
export { formatFault, parseFault } from './text.ts';
export { type Fault, NEXT_HART, PC_REGISTER } from './types.ts';
