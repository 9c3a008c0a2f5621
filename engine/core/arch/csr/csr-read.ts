/**
 * Values of CSRs as software sees them: by row of the table, and what is computed. No privilege checks and no side
 * effects.
 */
import {
  COUNTER_CY,
  COUNTER_IR,
  CSR_SOURCE_CYCLE,
  CSR_SOURCE_HENVCFG,
  CSR_SOURCE_INSTRET,
  CSR_SOURCE_MISA,
  CSR_SOURCE_NO_TRIGGER,
  CSR_SOURCE_PENDING,
  CSR_SOURCE_STATE,
  CSR_SOURCE_STATUS,
  CSR_SOURCE_TIME,
  FS,
  HART_CYCLE_OFFSET,
  HART_HTIMEDELTA,
  HART_INSTRET,
  HART_MCOUNTINHIBIT,
  HART_TRAPS,
  MISA_LETTERS,
  SD,
} from '../layout.gen';
import { shiftOf, sourceOf, stateOf, visibleOf } from './csr-table';
import { pendingAt } from '../state/interrupts';
import { get, get32, henvcfg, mtimeAt, now, spent, virt } from '../state/state';

/** RV64, and the letters of engine/isa/instructions/extension-list.ts. */
const MISA: u64 = (2 << 62) | MISA_LETTERS;
/** tinfo.info when the selected trigger does not exist (Debug specification, Sdtrig). */
const NO_TRIGGER: u64 = 1;

/** The value of the CSR of a row. */
export function readCsr(hart: u32, row: u32): u64 {
  return (sourceValue(hart, row) & visibleOf(hart, row)) >> shiftOf(row);
}

function sourceValue(hart: u32, row: u32): u64 {
  switch (sourceOf(row)) {
    case CSR_SOURCE_STATE:
      return get(hart, stateOf(row));
    case CSR_SOURCE_STATUS:
      return withSd(get(hart, stateOf(row)));
    case CSR_SOURCE_PENDING:
      return pendingAt(hart, now(hart));
    case CSR_SOURCE_CYCLE:
      return get(hart, HART_CYCLE_OFFSET) + (get(hart, HART_MCOUNTINHIBIT) & COUNTER_CY ? 0 : now(hart));
    case CSR_SOURCE_TIME:
      return mtimeAt(now(hart)) + (virt(hart) ? get(hart, HART_HTIMEDELTA) : 0);
    case CSR_SOURCE_INSTRET:
      return get(hart, HART_INSTRET) + (get(hart, HART_MCOUNTINHIBIT) & COUNTER_IR ? 0 : retiredBefore(hart));
    case CSR_SOURCE_HENVCFG:
      return henvcfg(hart);
    case CSR_SOURCE_MISA:
      return MISA;
    case CSR_SOURCE_NO_TRIGGER:
      return NO_TRIGGER;
    default:
      return 0;
  }
}

/** A status register with its summary bit. */
function withSd(status: u64): u64 {
  return (status & FS) == FS ? status | SD : status;
}

/** Instructions that the hart retired in this slice before the current one. */
function retiredBefore(hart: u32): u64 {
  const ticks = spent(hart);
  return ticks == 0 ? 0 : <u64>(ticks - 1 - get32(hart, HART_TRAPS));
}
