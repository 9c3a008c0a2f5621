/**
 * Writes of CSRs by number: what is writable (WARL as QEMU's virt/rv64 7.2 where the manual leaves a choice), and which
 * parts of the hart depend on it. No privilege checks; read-only numbers are ignored.
 */
import {
  HART_CYCLE_OFFSET,
  HART_FCSR,
  HART_HCOUNTEREN,
  HART_HEDELEG,
  HART_HENVCFG,
  HART_HGATP,
  HART_HIDELEG,
  HART_HSTATUS,
  HART_HTIMEDELTA,
  HART_HTINST,
  HART_HTVAL,
  HART_HVIP,
  HART_INSTRET,
  HART_MCAUSE,
  HART_MCOUNTEREN,
  HART_MCOUNTINHIBIT,
  HART_MEDELEG,
  HART_MENVCFG,
  HART_MEPC,
  HART_MIDELEG,
  HART_MIE,
  HART_MIP,
  HART_MSCRATCH,
  HART_MSTATUS,
  HART_MTINST,
  HART_MTVAL,
  HART_MTVAL2,
  HART_MTVEC,
  HART_SATP,
  HART_SCAUSE,
  HART_SCOUNTEREN,
  HART_SENVCFG,
  HART_SEPC,
  HART_SSCRATCH,
  HART_STIMECMP,
  HART_STVAL,
  HART_STVEC,
  HART_TRAPS,
  HART_VSATP,
  HART_VSCAUSE,
  HART_VSEPC,
  HART_VSSCRATCH,
  HART_VSSTATUS,
  HART_VSTIMECMP,
  HART_VSTVAL,
  HART_VSTVEC,
} from './layout.gen';
import { FFLAGS, FFLAGS_MASK, FRM, FRM_SHIFT, INHIBIT_CYCLE, INHIBIT_INSTRET } from './csr-read';
import { markFloatDirty } from './float-state';
import { writePmpAddress, writePmpConfig } from './pmp';
import {
  ENV_CBCFE,
  ENV_CBIE,
  ENV_CBZE,
  ENV_FIOM,
  ENV_GATED,
  ENV_STCE,
  FS,
  get,
  get32,
  GVA,
  HS_GVA,
  HS_HU,
  HS_SPV,
  HS_SPVP,
  HS_VTSR,
  HS_VTVM,
  HS_VTW,
  M_INTERRUPTS,
  MIE,
  MPIE,
  MPP,
  MPRV,
  MPV,
  MXR,
  now,
  S_INTERRUPTS,
  SEIP,
  set,
  SIE,
  spent,
  SPIE,
  SPP,
  SSIP,
  STIP,
  SUM,
  TSR,
  TVM,
  TW,
  VS_INTERRUPTS,
  VSSIP,
} from './state';
import { isMode } from './walk';

/** What the caller has to bring in line after a write. */
export const EFFECT_CONTEXTS: u32 = 1;
export const EFFECT_INTERRUPTS: u32 = 2;
export const EFFECT_TIMERS: u32 = 4;
export const EFFECT_FLUSH: u32 = 8;

const SSTATUS_WRITABLE: u64 = SIE | SPIE | SPP | FS | SUM | MXR;
const MSTATUS_WRITABLE: u64 = SSTATUS_WRITABLE | MIE | MPIE | MPRV | TVM | TW | TSR | GVA | MPV;
/** What loads and stores are translated by, and whether floating point is on. */
const IN_CONTEXTS: u64 = FS | SUM | MXR | MPRV | MPP | MPV;
const HSTATUS_WRITABLE: u64 = HS_GVA | HS_SPV | HS_SPVP | HS_HU | HS_VTVM | HS_VTW | HS_VTSR;
/** Every exception but ecall from M-mode. */
const MEDELEG_WRITABLE: u64 = 0xf0b7ff;
/** Those that a guest can handle: neither ecall from S, VS or M nor guest-page faults nor virtual instructions. */
const HEDELEG_WRITABLE: u64 = 0xb1ff;
const COUNTEREN_WRITABLE: u64 = 0xffffffff;
/** The bits that senvcfg, menvcfg and henvcfg share. */
const ENV_SHARED: u64 = ENV_FIOM | ENV_CBIE | ENV_CBCFE | ENV_CBZE;
const ATP_PPN: u64 = 0xfffffffffff;
const HGATP_VMID: u64 = 0x3fff << 44;

/** Writes a CSR and says with EFFECT_* what else has to follow. */
export function writeCsr(hart: u32, n: u32, value: u64): u32 {
  switch (n >> 8) {
    case 0x0:
      return writeFloat(hart, n, value);
    case 0x1:
      return writeSupervisor(hart, n, value);
    case 0x2:
      return writeVirtualSupervisor(hart, n, value);
    case 0x3:
      return writeMachine(hart, n, value);
    case 0x6:
      return writeHypervisor(hart, n, value);
    case 0xb:
      return writeCounter(hart, n, value);
    default:
      return 0;
  }
}

/** fflags, frm and fcsr. A reserved rounding mode is kept; instructions that use it are illegal. */
function writeFloat(hart: u32, n: u32, value: u64): u32 {
  const fcsr = get(hart, HART_FCSR);
  if (n == FFLAGS) set(hart, HART_FCSR, (fcsr & ~FFLAGS_MASK) | (value & FFLAGS_MASK));
  else if (n == FRM) set(hart, HART_FCSR, (fcsr & FFLAGS_MASK) | ((value & 7) << FRM_SHIFT));
  else set(hart, HART_FCSR, value & 0xff);
  markFloatDirty(hart);
  return 0;
}

function writeSupervisor(hart: u32, n: u32, value: u64): u32 {
  switch (n) {
    case 0x100:
      return writeStatus(hart, HART_MSTATUS, value, SSTATUS_WRITABLE);
    case 0x104:
      merge(hart, HART_MIE, value, get(hart, HART_MIDELEG) & S_INTERRUPTS);
      return EFFECT_INTERRUPTS;
    case 0x105:
      return writeVector(hart, HART_STVEC, value);
    case 0x106:
      return plain(hart, HART_SCOUNTEREN, value & COUNTEREN_WRITABLE);
    case 0x10a:
      merge(hart, HART_SENVCFG, value, sharedWritable(value));
      return 0;
    case 0x140:
      return plain(hart, HART_SSCRATCH, value);
    case 0x141:
      return plain(hart, HART_SEPC, value & ~1);
    case 0x142:
      return plain(hart, HART_SCAUSE, value);
    case 0x143:
      return plain(hart, HART_STVAL, value);
    case 0x144:
      merge(hart, HART_MIP, value, get(hart, HART_MIDELEG) & SSIP);
      return EFFECT_INTERRUPTS;
    case 0x14d:
      set(hart, HART_STIMECMP, value);
      return EFFECT_TIMERS;
    case 0x180:
      return writeSatp(hart, HART_SATP, value);
    default:
      return 0;
  }
}

function writeVirtualSupervisor(hart: u32, n: u32, value: u64): u32 {
  switch (n) {
    case 0x200:
      return writeStatus(hart, HART_VSSTATUS, value, SSTATUS_WRITABLE);
    case 0x204:
      merge(hart, HART_MIE, value << 1, get(hart, HART_HIDELEG) & VS_INTERRUPTS);
      return EFFECT_INTERRUPTS;
    case 0x205:
      return writeVector(hart, HART_VSTVEC, value);
    case 0x240:
      return plain(hart, HART_VSSCRATCH, value);
    case 0x241:
      return plain(hart, HART_VSEPC, value & ~1);
    case 0x242:
      return plain(hart, HART_VSCAUSE, value);
    case 0x243:
      return plain(hart, HART_VSTVAL, value);
    case 0x244:
      merge(hart, HART_HVIP, value << 1, get(hart, HART_HIDELEG) & VSSIP);
      return EFFECT_INTERRUPTS;
    case 0x24d:
      set(hart, HART_VSTIMECMP, value);
      return EFFECT_TIMERS;
    case 0x280:
      return writeSatp(hart, HART_VSATP, value);
    default:
      return 0;
  }
}

function writeMachine(hart: u32, n: u32, value: u64): u32 {
  if (n >= 0x3b0 && n <= 0x3bf) {
    writePmpAddress(hart, n - 0x3b0, value);
    return EFFECT_FLUSH;
  }
  switch (n) {
    case 0x300:
      return writeMstatus(hart, value);
    case 0x302:
      return plain(hart, HART_MEDELEG, value & MEDELEG_WRITABLE);
    case 0x303:
      // The VS-level bits are hardwired to one: those interrupts never go to M-mode.
      set(hart, HART_MIDELEG, (value & S_INTERRUPTS) | VS_INTERRUPTS);
      return EFFECT_INTERRUPTS;
    case 0x304:
      set(hart, HART_MIE, value & (M_INTERRUPTS | S_INTERRUPTS | VS_INTERRUPTS));
      return EFFECT_INTERRUPTS;
    case 0x305:
      return writeVector(hart, HART_MTVEC, value);
    case 0x306:
      return plain(hart, HART_MCOUNTEREN, value & COUNTEREN_WRITABLE);
    case 0x30a:
      merge(hart, HART_MENVCFG, value, sharedWritable(value) | ENV_GATED);
      return EFFECT_TIMERS | EFFECT_CONTEXTS;
    case 0x320:
      return writeInhibit(hart, value);
    case 0x340:
      return plain(hart, HART_MSCRATCH, value);
    case 0x341:
      return plain(hart, HART_MEPC, value & ~1);
    case 0x342:
      return plain(hart, HART_MCAUSE, value);
    case 0x343:
      return plain(hart, HART_MTVAL, value);
    case 0x344:
      // STIP belongs to the comparator once Sstc is on; VSSIP is an alias of hvip's.
      merge(hart, HART_MIP, value, SSIP | SEIP | (get(hart, HART_MENVCFG) & ENV_STCE ? 0 : STIP));
      merge(hart, HART_HVIP, value, VSSIP);
      return EFFECT_INTERRUPTS;
    case 0x34a:
      return plain(hart, HART_MTINST, value);
    case 0x34b:
      return plain(hart, HART_MTVAL2, value);
    case 0x3a0:
      writePmpConfig(hart, 0, value);
      return EFFECT_FLUSH;
    case 0x3a2:
      writePmpConfig(hart, 1, value);
      return EFFECT_FLUSH;
    default:
      return 0;
  }
}

function writeHypervisor(hart: u32, n: u32, value: u64): u32 {
  switch (n) {
    case 0x600:
      merge(hart, HART_HSTATUS, value, HSTATUS_WRITABLE);
      return 0;
    case 0x602:
      return plain(hart, HART_HEDELEG, value & HEDELEG_WRITABLE);
    case 0x603:
      set(hart, HART_HIDELEG, value & VS_INTERRUPTS);
      return EFFECT_INTERRUPTS;
    case 0x604:
      merge(hart, HART_MIE, value, VS_INTERRUPTS);
      return EFFECT_INTERRUPTS;
    case 0x605:
      set(hart, HART_HTIMEDELTA, value);
      return EFFECT_TIMERS;
    case 0x606:
      return plain(hart, HART_HCOUNTEREN, value & COUNTEREN_WRITABLE);
    case 0x60a:
      // Read-only bits keep what they had, for when menvcfg enables them again.
      merge(hart, HART_HENVCFG, value, sharedWritable(value) | (get(hart, HART_MENVCFG) & ENV_GATED));
      return EFFECT_TIMERS | EFFECT_CONTEXTS;
    case 0x643:
      return plain(hart, HART_HTVAL, value);
    case 0x644:
      merge(hart, HART_HVIP, value, VSSIP);
      return EFFECT_INTERRUPTS;
    case 0x645:
      set(hart, HART_HVIP, value & VS_INTERRUPTS);
      return EFFECT_INTERRUPTS;
    case 0x64a:
      return plain(hart, HART_HTINST, value);
    case 0x680:
      return writeHgatp(hart, value);
    default:
      return 0;
  }
}

/** mcycle is kept as a distance from virtual time, minstret without the running slice's instructions. */
function writeCounter(hart: u32, n: u32, value: u64): u32 {
  const inhibit = get(hart, HART_MCOUNTINHIBIT);
  if (n == 0xb00) set(hart, HART_CYCLE_OFFSET, inhibit & INHIBIT_CYCLE ? value : value - now(hart));
  // The next instruction reads what was written (manual, "Hardware Performance Monitor").
  if (n == 0xb02) set(hart, HART_INSTRET, inhibit & INHIBIT_INSTRET ? value : value - retired(hart));
  return 0;
}

/** mcountinhibit: an inhibited counter holds its value, a running one its distance. */
function writeInhibit(hart: u32, value: u64): u32 {
  const before = get(hart, HART_MCOUNTINHIBIT);
  const after = value & (INHIBIT_CYCLE | INHIBIT_INSTRET);
  const changed = before ^ after;
  if (changed & INHIBIT_CYCLE) {
    const offset = get(hart, HART_CYCLE_OFFSET);
    set(hart, HART_CYCLE_OFFSET, after & INHIBIT_CYCLE ? offset + now(hart) : offset - now(hart));
  }
  if (changed & INHIBIT_INSTRET) {
    const instret = get(hart, HART_INSTRET);
    set(hart, HART_INSTRET, after & INHIBIT_INSTRET ? instret + retired(hart) : instret - retired(hart));
  }
  set(hart, HART_MCOUNTINHIBIT, after);
  return 0;
}

/** Instructions retired in this slice, the current one included. */
function retired(hart: u32): u64 {
  return <u64>(spent(hart) - get32(hart, HART_TRAPS));
}

function writeMstatus(hart: u32, value: u64): u32 {
  // MPP 2 is no privilege level: MPP keeps its value.
  const writable = (value & MPP) == <u64>2 << 11 ? MSTATUS_WRITABLE : MSTATUS_WRITABLE | MPP;
  return writeStatus(hart, HART_MSTATUS, value, writable);
}

/** The shared bits of an envcfg register that a write changes: CBIE 2 is reserved, and CBIE keeps its value. */
function sharedWritable(value: u64): u64 {
  return (value & ENV_CBIE) == <u64>2 << 4 ? ENV_SHARED & ~ENV_CBIE : ENV_SHARED;
}

/** Kernels write status registers at every trap: only bits that change have an effect. */
function writeStatus(hart: u32, field: u32, value: u64, writable: u64): u32 {
  const before = get(hart, field);
  merge(hart, field, value, writable);
  const changed = before ^ get(hart, field);
  return (changed & IN_CONTEXTS ? EFFECT_CONTEXTS : 0) | (changed & (SIE | MIE) ? EFFECT_INTERRUPTS : 0);
}

/** A vector mode other than direct and vectored is reserved: the write is ignored. */
function writeVector(hart: u32, field: u32, value: u64): u32 {
  if ((value & 3) < 2) set(hart, field, value);
  return 0;
}

/** satp and vsatp: a write with an unsupported mode has no effect at all. */
function writeSatp(hart: u32, field: u32, value: u64): u32 {
  if (!isMode(value >> 60)) return 0;
  set(hart, field, value);
  return EFFECT_CONTEXTS;
}

/** hgatp: an unsupported mode leaves the mode alone; the root is 16 KiB aligned, VMIDs have 14 bits. */
function writeHgatp(hart: u32, value: u64): u32 {
  let mode = value >> 60;
  if (!isMode(mode)) mode = get(hart, HART_HGATP) >> 60;
  set(hart, HART_HGATP, (mode << 60) | (value & (HGATP_VMID | (ATP_PPN & ~3))));
  return EFFECT_CONTEXTS;
}

// @ts-ignore: decorator
@inline
function plain(hart: u32, field: u32, value: u64): u32 {
  set(hart, field, value);
  return 0;
}

/** Replaces the bits of `writable`. */
// @ts-ignore: decorator
@inline
function merge(hart: u32, field: u32, value: u64, writable: u64): void {
  set(hart, field, (get(hart, field) & ~writable) | (value & writable));
}
