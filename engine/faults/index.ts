/** Faults: their models, their text, and what each does to a machine. */
export { applyFault, type FaultTarget, resolveFault } from './apply.ts';
export { formatFault, parseFault, readFault, readPlannedFault } from './text.ts';
export {
  type ArmedFault,
  FAULT_CSRS,
  type Fault,
  type FaultCsr,
  NEXT_HART,
  PC_REGISTER,
  WINDOW_BITS,
} from './types.ts';
