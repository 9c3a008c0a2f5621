/**
 * CSR instructions: which accesses are allowed, redirection of supervisor CSRs in VS-mode, read-modify-write, and what
 * a write means for the rest of the hart. Values live in csr-read.ts and csr-write.ts.
 * Privileged manual, "CSRs" and "Counter-Enable"; H extension, "Virtual Instruction Exceptions"; Sstc.
 */
import {
  HART_HCOUNTEREN,
  HART_HENVCFG,
  HART_HSTATUS,
  HART_MCOUNTEREN,
  HART_MENVCFG,
  HART_MIP,
  HART_MSTATUS,
  HART_RESYNC,
  HART_SCOUNTEREN,
  RESYNC_END_SLICE,
} from './layout.gen';
import { csrExists, FCSR, FFLAGS, readCsr } from './csr-read';
import { EFFECT_CONTEXTS, EFFECT_FLUSH, EFFECT_INTERRUPTS, EFFECT_TIMERS, writeCsr } from './csr-write';
import { floatEnabled } from './float-state';
import { interruptToTake, NONE } from './interrupts';
import { ENV_STCE, get, get32, HS_VTVM, M, now, priv, S, SEIP, set32, TVM, U, virt } from './state';
import { changeContexts, flushTranslations } from './tlb';
import { raiseIllegal, raiseVirtual } from './trap';

const ALLOWED: u32 = 0;
const ILLEGAL: u32 = 1;
const VIRTUAL: u32 = 2;

const STIMECMP: u32 = 0x14d;
const SATP: u32 = 0x180;
const VSTIMECMP: u32 = 0x24d;
const MIP_NUMBER: u32 = 0x344;
const HGATP: u32 = 0x680;
const TM: u64 = 2;

/**
 * CSRRW, CSRRS, CSRRC: `op` 0 writes, 1 sets, 2 clears; `access` bit 1 says whether it writes at all. Reads have no
 * side effects, so bit 0 is not needed. Returns the old value.
 */
export function csr(hart: u32, number: u64, operand: u64, op: u64, access: u64, raw: u64): u64 {
  let n = <u32>number;
  const writes = (access & 2) != 0;
  const verdict = checkAccess(hart, n, writes);
  if (verdict != ALLOWED) {
    if (verdict == ILLEGAL) raiseIllegal(hart, raw);
    else raiseVirtual(hart, raw);
    return 0;
  }
  if (virt(hart)) n = redirected(n);
  const old = readCsr(hart, n);
  if (!writes) return old;
  // The external interrupt line shows in mip.SEIP but is no part of what is modified (manual, "mip and mie").
  const base = n == MIP_NUMBER ? (old & ~SEIP) | (get(hart, HART_MIP) & SEIP) : old;
  apply(hart, writeCsr(hart, n, op == 0 ? operand : op == 1 ? base | operand : base & ~operand));
  return old;
}

/** Makes the rest of the hart follow a CSR write. */
function apply(hart: u32, effects: u32): void {
  if (effects == 0) return;
  if (effects & EFFECT_FLUSH) flushTranslations();
  if (effects & EFFECT_CONTEXTS) changeContexts(hart);
  if (effects & EFFECT_TIMERS || (effects & EFFECT_INTERRUPTS && interruptToTake(hart, now(hart)) != NONE)) {
    set32(hart, HART_RESYNC, get32(hart, HART_RESYNC) | RESYNC_END_SLICE);
  }
}

function checkAccess(hart: u32, n: u32, writes: bool): u32 {
  const readOnly = n >> 10 == 3;
  if ((readOnly && writes) || !csrExists(n)) return ILLEGAL;
  if (n >= FFLAGS && n <= FCSR && !floatEnabled(hart)) return ILLEGAL;
  const privilege = priv(hart);
  if (privilege == M) return ALLOWED;
  if (n >> 5 == 0xc00 >> 5) return checkCounter(hart, <u64>1 << (n & 31), privilege);
  const level = (n >> 8) & 3;
  const isVirtual = virt(hart);
  // What HS-mode may not do is illegal everywhere below; what only a guest may not do is a virtual instruction.
  if (level == 3) return ILLEGAL;
  if (!isVirtual && privilege == U && level > 0) return ILLEGAL;
  if ((n == SATP || n == HGATP) && get(hart, HART_MSTATUS) & TVM && !isVirtual) return ILLEGAL;
  const isTimer = n == STIMECMP || n == VSTIMECMP;
  if (isTimer && !(get(hart, HART_MENVCFG) & ENV_STCE && get(hart, HART_MCOUNTEREN) & TM)) return ILLEGAL;
  if (!isVirtual) return ALLOWED;
  // mstatus.TVM does not count: for a guest the exception is chosen as though it were clear.
  if (level == 2 || (level == 1 && privilege == U)) return VIRTUAL;
  if (n == SATP && get(hart, HART_HSTATUS) & HS_VTVM) return VIRTUAL;
  if (isTimer && !(get(hart, HART_HENVCFG) & ENV_STCE && get(hart, HART_HCOUNTEREN) & TM)) return VIRTUAL;
  return ALLOWED;
}

/** Counters readable below M: by mcounteren, then hcounteren for guests, then scounteren for user modes. */
function checkCounter(hart: u32, bit: u64, privilege: u32): u32 {
  if (!(get(hart, HART_MCOUNTEREN) & bit)) return ILLEGAL;
  if (virt(hart) && !(get(hart, HART_HCOUNTEREN) & bit)) return VIRTUAL;
  if (privilege == U && !(get(hart, HART_SCOUNTEREN) & bit)) return virt(hart) ? VIRTUAL : ILLEGAL;
  return ALLOWED;
}

/** In VS-mode the names of these supervisor CSRs mean their VS copies; senvcfg and scounteren have none. */
function redirected(n: u32): u32 {
  switch (n) {
    case 0x100:
    case 0x104:
    case 0x105:
    case 0x140:
    case 0x141:
    case 0x142:
    case 0x143:
    case 0x144:
    case STIMECMP:
    case SATP:
      return n + 0x100;
    default:
      return n;
  }
}
