/**
 * Values of CSRs by number, as software sees them: views, aliases and hardwired fields. No privilege checks and no side
 * effects. The set of CSRs is that of QEMU's rv64 without V and vendor numbers.
 */
import {
  HART_CYCLE_OFFSET,
  HART_FCSR,
  HART_HART_ID,
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
  HART_MSCRATCH,
  HART_MSTATUS,
  HART_MTINST,
  HART_MTVAL,
  HART_MTVAL2,
  HART_MTVEC,
  HART_PMPADDR,
  HART_PMPCFG,
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
  MISA_LETTERS,
} from './layout.gen';
import { pendingAt } from './interrupts';
import {
  FS,
  henvcfg,
  get,
  get32,
  mtimeAt,
  MXR,
  now,
  S_INTERRUPTS,
  SD,
  SIE,
  spent,
  SPIE,
  SPP,
  SUM,
  UXL64,
  virt,
  VS_INTERRUPTS,
} from './state';

/** RV64, and the letters of engine/isa/extension-list.ts. */
const MISA: u64 = (2 << 62) | MISA_LETTERS;
export const FFLAGS: u32 = 1;
export const FRM: u32 = 2;
export const FCSR: u32 = 3;
export const FFLAGS_MASK: u64 = 31;
export const FRM_SHIFT: u64 = 5;
/** The part of mstatus that sstatus shows. */
export const SSTATUS: u64 = SIE | SPIE | SPP | FS | SUM | MXR | UXL64;
/** First and last register of the triggers, of which there are none: tselect, tdata1, tdata2, tdata3, tinfo. */
const TSELECT: u32 = 0x7a0;
const TINFO: u32 = 0x7a4;
/** tinfo.info when the selected trigger does not exist; tdata1.type says so with 0 (Debug specification, Sdtrig). */
const NO_TRIGGER: u64 = 1;
export const INHIBIT_CYCLE: u64 = 1;
export const INHIBIT_INSTRET: u64 = 4;

/** Whether the machine has the CSR. */
export function csrExists(n: u32): bool {
  switch (n >> 8) {
    case 0x0:
      return n >= FFLAGS && n <= FCSR;
    case 0x1:
      return (n >= 0x104 && n <= 0x106) || n == 0x100 || n == 0x10a || (n >= 0x140 && n <= 0x144) || n == 0x14d || n == 0x180;
    case 0x2:
      return n == 0x200 || n == 0x204 || n == 0x205 || (n >= 0x240 && n <= 0x244) || n == 0x24d || n == 0x280;
    case 0x3:
      if (n <= 0x306) return true;
      if (n >= 0x320 && n <= 0x33f) return n == 0x320 || n >= 0x323;
      if (n >= 0x3b0) return n <= 0x3bf;
      return n == 0x30a || (n >= 0x340 && n <= 0x344) || n == 0x34a || n == 0x34b || n == 0x3a0 || n == 0x3a2;
    case 0x6:
      return (n >= 0x600 && n <= 0x607 && n != 0x601) || n == 0x60a || (n >= 0x643 && n <= 0x645) || n == 0x64a || n == 0x680;
    case 0x7:
      return n >= TSELECT && n <= TINFO;
    case 0xb:
      return n <= 0xb1f && n != 0xb01;
    case 0xc:
      return n <= 0xc1f;
    case 0xe:
      return n == 0xe12;
    case 0xf:
      return n >= 0xf11 && n <= 0xf15;
    default:
      return false;
  }
}

/** The value of an existing CSR; 0 for one that does not exist. */
export function readCsr(hart: u32, n: u32): u64 {
  switch (n >> 8) {
    case 0x0:
      return readFloat(hart, n);
    case 0x1:
      return readSupervisor(hart, n);
    case 0x2:
      return readVirtualSupervisor(hart, n);
    case 0x3:
      return readMachine(hart, n);
    case 0x6:
      return readHypervisor(hart, n);
    case 0x7:
      return n == TINFO ? NO_TRIGGER : 0;
    case 0xb:
    case 0xc:
      return readCounter(hart, n);
    case 0xf:
      // mvendorid, marchid, mimpid and mconfigptr read as zero, as the manual allows.
      return n == 0xf14 ? get(hart, HART_HART_ID) : 0;
    default:
      return 0;
  }
}

function readFloat(hart: u32, n: u32): u64 {
  const fcsr = get(hart, HART_FCSR);
  return n == FFLAGS ? fcsr & FFLAGS_MASK : n == FRM ? fcsr >> FRM_SHIFT : fcsr;
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

function readCounter(hart: u32, n: u32): u64 {
  const inhibit = get(hart, HART_MCOUNTINHIBIT);
  switch (n & 31) {
    case 0:
      return get(hart, HART_CYCLE_OFFSET) + (inhibit & INHIBIT_CYCLE ? 0 : now(hart));
    case 1:
      return mtimeAt(now(hart)) + (virt(hart) ? get(hart, HART_HTIMEDELTA) : 0);
    case 2:
      return get(hart, HART_INSTRET) + (inhibit & INHIBIT_INSTRET ? 0 : retiredBefore(hart));
    default:
      return 0;
  }
}

function readSupervisor(hart: u32, n: u32): u64 {
  switch (n) {
    case 0x100:
      return withSd(get(hart, HART_MSTATUS) & SSTATUS);
    case 0x104:
      return get(hart, HART_MIE) & get(hart, HART_MIDELEG) & S_INTERRUPTS;
    case 0x105:
      return get(hart, HART_STVEC);
    case 0x106:
      return get(hart, HART_SCOUNTEREN);
    case 0x10a:
      return get(hart, HART_SENVCFG);
    case 0x140:
      return get(hart, HART_SSCRATCH);
    case 0x141:
      return get(hart, HART_SEPC);
    case 0x142:
      return get(hart, HART_SCAUSE);
    case 0x143:
      return get(hart, HART_STVAL);
    case 0x144:
      return pendingAt(hart, now(hart)) & get(hart, HART_MIDELEG) & S_INTERRUPTS;
    case 0x14d:
      return get(hart, HART_STIMECMP);
    case 0x180:
      return get(hart, HART_SATP);
    default:
      return 0;
  }
}

function readVirtualSupervisor(hart: u32, n: u32): u64 {
  switch (n) {
    case 0x200:
      return withSd(get(hart, HART_VSSTATUS));
    case 0x204:
      // One bit lower than in hie and hip, and only what hideleg passes on.
      return (get(hart, HART_MIE) & get(hart, HART_HIDELEG) & VS_INTERRUPTS) >> 1;
    case 0x205:
      return get(hart, HART_VSTVEC);
    case 0x240:
      return get(hart, HART_VSSCRATCH);
    case 0x241:
      return get(hart, HART_VSEPC);
    case 0x242:
      return get(hart, HART_VSCAUSE);
    case 0x243:
      return get(hart, HART_VSTVAL);
    case 0x244:
      return (pendingAt(hart, now(hart)) & get(hart, HART_HIDELEG) & VS_INTERRUPTS) >> 1;
    case 0x24d:
      return get(hart, HART_VSTIMECMP);
    case 0x280:
      return get(hart, HART_VSATP);
    default:
      return 0;
  }
}

function readMachine(hart: u32, n: u32): u64 {
  if (n >= 0x3b0 && n <= 0x3bf) return get(hart, HART_PMPADDR + (n - 0x3b0) * 8);
  switch (n) {
    case 0x300:
      return withSd(get(hart, HART_MSTATUS));
    case 0x301:
      return MISA;
    case 0x302:
      return get(hart, HART_MEDELEG);
    case 0x303:
      return get(hart, HART_MIDELEG);
    case 0x304:
      return get(hart, HART_MIE);
    case 0x305:
      return get(hart, HART_MTVEC);
    case 0x306:
      return get(hart, HART_MCOUNTEREN);
    case 0x30a:
      return get(hart, HART_MENVCFG);
    case 0x320:
      return get(hart, HART_MCOUNTINHIBIT);
    case 0x340:
      return get(hart, HART_MSCRATCH);
    case 0x341:
      return get(hart, HART_MEPC);
    case 0x342:
      return get(hart, HART_MCAUSE);
    case 0x343:
      return get(hart, HART_MTVAL);
    case 0x344:
      return pendingAt(hart, now(hart));
    case 0x34a:
      return get(hart, HART_MTINST);
    case 0x34b:
      return get(hart, HART_MTVAL2);
    case 0x3a0:
      return get(hart, HART_PMPCFG);
    case 0x3a2:
      return get(hart, HART_PMPCFG + 8);
    default:
      return 0;
  }
}

function readHypervisor(hart: u32, n: u32): u64 {
  switch (n) {
    case 0x600:
      return get(hart, HART_HSTATUS);
    case 0x602:
      return get(hart, HART_HEDELEG);
    case 0x603:
      return get(hart, HART_HIDELEG);
    case 0x604:
      return get(hart, HART_MIE) & VS_INTERRUPTS;
    case 0x605:
      return get(hart, HART_HTIMEDELTA);
    case 0x606:
      return get(hart, HART_HCOUNTEREN);
    case 0x60a:
      return henvcfg(hart);
    case 0x643:
      return get(hart, HART_HTVAL);
    case 0x644:
      return pendingAt(hart, now(hart)) & VS_INTERRUPTS;
    case 0x645:
      return get(hart, HART_HVIP);
    case 0x64a:
      return get(hart, HART_HTINST);
    case 0x680:
      return get(hart, HART_HGATP);
    default:
      // hgeie: there are no guest external interrupts (GEILEN is 0).
      return 0;
  }
}
