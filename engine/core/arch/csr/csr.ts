/**
 * CSR instructions: which accesses are allowed, redirection of supervisor CSRs in VS-mode, read-modify-write, and what
 * a write means for the rest of the hart. What a CSR is, its row says; values live in csr-read.ts and csr-write.ts.
 * Privileged manual, "CSRs" and "Counter-Enable"; H extension, "Virtual Instruction Exceptions"; Sstc.
 */
import {
  COUNTER_TM,
  CSR_EFFECT_CONTEXTS,
  CSR_EFFECT_FLUSH,
  CSR_EFFECT_INTERRUPTS,
  CSR_EFFECT_TIMERS,
  CSR_GUARD_COUNTER,
  CSR_GUARD_FLOAT,
  CSR_GUARD_SSTC,
  CSR_GUARD_VIRTUAL_MEMORY,
  CSR_WRITE_MIP,
  ENV_STCE,
  HART_HCOUNTEREN,
  HART_HENVCFG,
  HART_HSTATUS,
  HART_MCOUNTEREN,
  HART_MENVCFG,
  HART_MIP,
  HART_MSTATUS,
  HART_RESYNC,
  HART_SCOUNTEREN,
  HS_VTVM,
  OBSERVE_CSR_WRITES,
  RESYNC_END_SLICE,
  SEIP,
  TVM,
} from '../layout.gen';
import { readCsr } from './csr-read';
import { guardOf, isReadOnly, privilegeOf, rowOf, twinOf, writeRuleOf } from './csr-table';
import { writeCsr } from './csr-write';
import { logsSteps, stepOfCsr } from '../pages/steps';
import { observes, recordCsrWrite } from '../state/events';
import { floatEnabled } from '../state/float-state';
import { interruptToTake, NONE } from '../state/interrupts';
import { get, get32, M, now, priv, set32, U, virt } from '../state/state';
import { changeContexts, flushTranslations } from '../code/tlb';
import { raiseIllegal, raiseVirtual } from '../trap/trap';

const ALLOWED: u32 = 0;
const ILLEGAL: u32 = 1;
const VIRTUAL: u32 = 2;

/** Bits 9:8 of a CSR's number: H stands for HS-mode and for what VS-mode's names mean. */
const LEVEL_S: u32 = 1;
const LEVEL_H: u32 = 2;
const LEVEL_M: u32 = 3;

/**
 * CSRRW, CSRRS, CSRRC: `op` 0 writes, 1 sets, 2 clears; `access` bit 1 says whether it writes at all. Reads have no
 * side effects, so bit 0 is not needed. Returns the old value.
 */
export function csr(hart: u32, number: u64, operand: u64, op: u64, access: u64, raw: u64): u64 {
  const n = <u32>number;
  const named = rowOf(n);
  const writes = (access & 2) != 0;
  const verdict = named == 0 ? ILLEGAL : checkAccess(hart, named, n, writes);
  if (verdict != ALLOWED) {
    if (verdict == ILLEGAL) raiseIllegal(hart, raw);
    else raiseVirtual(hart, raw);
    return 0;
  }
  const row = virt(hart) ? twinOf(named) : named;
  const old = readCsr(hart, row);
  if (!writes) {
    if (logsSteps()) stepOfCsr(n, false, old, old);
    return old;
  }
  // The external interrupt line shows in mip.SEIP but is no part of what is modified (manual, "mip and mie").
  const base = writeRuleOf(row) == CSR_WRITE_MIP ? (old & ~SEIP) | (get(hart, HART_MIP) & SEIP) : old;
  apply(hart, writeCsr(hart, row, op == 0 ? operand : op == 1 ? base | operand : base & ~operand));
  if (logsSteps()) stepOfCsr(n, true, old, readCsr(hart, row));
  if (observes(OBSERVE_CSR_WRITES)) recordCsrWrite(hart, n, old, readCsr(hart, row));
  return old;
}

/** Makes the rest of the hart follow a CSR write. */
function apply(hart: u32, effects: u32): void {
  if (effects == 0) return;
  if (effects & CSR_EFFECT_FLUSH) flushTranslations();
  if (effects & CSR_EFFECT_CONTEXTS) changeContexts(hart);
  if (effects & CSR_EFFECT_TIMERS || (effects & CSR_EFFECT_INTERRUPTS && interruptToTake(hart, now(hart)) != NONE)) {
    set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_END_SLICE);
  }
}

function checkAccess(hart: u32, row: u32, n: u32, writes: bool): u32 {
  if (writes && isReadOnly(row)) return ILLEGAL;
  const guard = guardOf(row);
  if (guard == CSR_GUARD_FLOAT && !floatEnabled(hart)) return ILLEGAL;
  const privilege = priv(hart);
  if (privilege == M) return ALLOWED;
  if (guard == CSR_GUARD_COUNTER) return checkCounter(hart, <u64>1 << (n & 31), privilege);
  const level = privilegeOf(row);
  const isVirtual = virt(hart);
  // What HS-mode may not do is illegal everywhere below; what only a guest may not do is a virtual instruction.
  if (level == LEVEL_M) return ILLEGAL;
  if (!isVirtual && privilege == U && level > U) return ILLEGAL;
  const isMemory = guard == CSR_GUARD_VIRTUAL_MEMORY;
  if (isMemory && get(hart, HART_MSTATUS) & TVM && !isVirtual) return ILLEGAL;
  const isTimer = guard == CSR_GUARD_SSTC;
  if (isTimer && !(get(hart, HART_MENVCFG) & ENV_STCE && get(hart, HART_MCOUNTEREN) & COUNTER_TM)) return ILLEGAL;
  if (!isVirtual) return ALLOWED;
  // mstatus.TVM does not count: for a guest the exception is chosen as though it were clear.
  if (level == LEVEL_H || (level == LEVEL_S && privilege == U)) return VIRTUAL;
  if (isMemory && get(hart, HART_HSTATUS) & HS_VTVM) return VIRTUAL;
  if (isTimer && !(get(hart, HART_HENVCFG) & ENV_STCE && get(hart, HART_HCOUNTEREN) & COUNTER_TM)) return VIRTUAL;
  return ALLOWED;
}

/** Counters readable below M: by mcounteren, then hcounteren for guests, then scounteren for user modes. */
function checkCounter(hart: u32, bit: u64, privilege: u32): u32 {
  if (!(get(hart, HART_MCOUNTEREN) & bit)) return ILLEGAL;
  if (virt(hart) && !(get(hart, HART_HCOUNTEREN) & bit)) return VIRTUAL;
  if (privilege == U && !(get(hart, HART_SCOUNTEREN) & bit)) return virt(hart) ? VIRTUAL : ILLEGAL;
  return ALLOWED;
}
