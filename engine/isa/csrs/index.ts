/** Control and status registers: what there is, by name and number, and what their bits are called. */
export { CSR_EFFECTS, CSR_GUARDS, CSR_SOURCES, CSR_WRITES, type Csr } from './csr.ts';
export { ATP, type BitField, COUNTERS, ENVCFG, HSTATUS, INTERRUPTS, STATUS } from './fields.ts';
export { CSRS, csrByName, csrByNumber } from './table.ts';
