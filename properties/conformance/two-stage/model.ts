/**
 * Two-stage address translation, written down from the privileged manual once more: slow, obvious, on bigints. The
 * second judge of the engine's walks: it shares no code and no tables with the engine, and remembers nothing between
 * accesses. Covers VS-stage and G-stage of every mode, Svnapot, Svpbmt, and A and D bits set by hardware or not.
 * Does not cover PMP (all memory is open), misaligned accesses, or devices (what is not RAM does not answer).
 */

/** Physical memory as the model needs it. */
export interface Memory {
  /** undefined outside RAM. */
  read64(paddr: bigint): bigint | undefined;
  write64(paddr: bigint, value: bigint): void;
  isRam(paddr: bigint): boolean;
}

/** What decides a translation, as architectural fields. */
export interface Setup {
  /** Privilege of the access inside the VM: hstatus.SPVP. */
  readonly supervisor: boolean;
  readonly vsatp: bigint;
  readonly hgatp: bigint;
  /** vsstatus. */
  readonly sum: boolean;
  readonly guestMxr: boolean;
  /** mstatus.MXR. */
  readonly mxr: boolean;
  /** henvcfg.ADUE, for the VS-stage, and menvcfg.ADUE, for the G-stage. */
  readonly guestAdue: boolean;
  readonly adue: boolean;
  /** henvcfg.PBMTE and menvcfg.PBMTE. */
  readonly guestPbmte: boolean;
  readonly pbmte: boolean;
}

/** `execute`: a load that needs execute permission instead of read permission (HLVX). */
export type Access = 'load' | 'execute' | 'store';

export type Outcome =
  | { readonly paddr: bigint }
  /** mcause; the faulting guest-physical address for guest-page faults; mtinst when it must be a pseudo-instruction. */
  | { readonly cause: number; readonly gpa: bigint; readonly pseudo: bigint };

/** Exceptions as loads and stores report them (HLVX reports as a load). */
const CAUSE = { access: { load: 5, store: 7 }, page: { load: 13, store: 15 }, guest: { load: 21, store: 23 } } as const;
/** Pseudo-instructions of implicit accesses on RV64 ("Transformed Instruction or Pseudoinstruction"). */
const IMPLICIT_READ = 0x3000n;
const IMPLICIT_WRITE = 0x3020n;

class Fault {
  readonly outcome: Outcome;
  constructor(kind: keyof typeof CAUSE, access: Access, gpa = 0n, pseudo = 0n) {
    this.outcome = { cause: CAUSE[kind][access === 'store' ? 'store' : 'load'], gpa, pseudo };
  }
}

/** Where an access by HLV, HLVX or HSV goes, or how it traps. Sets A and D bits in `memory` as hardware would. */
export function access(memory: Memory, setup: Setup, va: bigint, kind: Access): Outcome {
  try {
    const gpa = vsStage(memory, setup, va, kind);
    const paddr = gStage(memory, setup, gpa, kind, kind, 0n);
    if (!memory.isRam(paddr)) throw new Fault('access', kind);
    return { paddr };
  } catch (fault) {
    if (fault instanceof Fault) return fault.outcome;
    throw fault;
  }
}

/** Levels of a translation mode; 0 is Bare. */
const LEVELS: Readonly<Record<number, number>> = { 0: 0, 8: 3, 9: 4, 10: 5 };
const modeOf = (atp: bigint): number => LEVELS[Number(atp >> 60n)] ?? 0;
const PPN = (1n << 44n) - 1n;
const field = (value: bigint, low: number, bits: number): bigint =>
  (value >> BigInt(low)) & ((1n << BigInt(bits)) - 1n);

function vsStage(memory: Memory, setup: Setup, va: bigint, kind: Access): bigint {
  const levels = modeOf(setup.vsatp);
  if (levels === 0) return va;
  const width = 12 + 9 * levels;
  // Bits above the most significant one must all equal it.
  if (BigInt.asUintN(64, BigInt.asIntN(width, va)) !== va) throw new Fault('page', kind);
  let table = (setup.vsatp & PPN) << 12n;
  for (let level = levels - 1; level >= 0; level--) {
    const pteGpa = table + field(va, 12 + 9 * level, 9) * 8n;
    const ptePaddr = gStage(memory, setup, pteGpa, 'load', kind, IMPLICIT_READ);
    const pte = memory.read64(ptePaddr);
    if (pte === undefined) throw new Fault('access', kind);
    const fault = new Fault('page', kind);
    const entry = decode(pte, level, setup.guestPbmte, fault);
    if (entry.pointer) {
      table = entry.ppn << 12n;
      continue;
    }
    const { r, w, x, u } = entry;
    const readable = kind === 'execute' ? x : r || ((setup.mxr || setup.guestMxr) && x);
    if (!(kind === 'store' ? w : readable)) throw fault;
    if (u ? setup.supervisor && !setup.sum : !setup.supervisor) throw fault;
    const page = pageOf(entry, level, va, fault);
    const updated = withAccessedAndDirty(pte, kind);
    if (updated !== pte) {
      if (!setup.guestAdue) throw fault;
      // The update is an implicit store of the guest's: its page must be writable in the G-stage.
      memory.write64(gStage(memory, setup, pteGpa, 'store', kind, IMPLICIT_WRITE), updated);
    }
    return page;
  }
  throw new Fault('page', kind);
}

/** `kind`: what is done at `gpa`; `original`: what the instruction does, which names the exception. */
function gStage(memory: Memory, setup: Setup, gpa: bigint, kind: Access, original: Access, pseudo: bigint): bigint {
  const levels = modeOf(setup.hgatp);
  if (levels === 0) return gpa;
  const fault = new Fault('guest', original, gpa, pseudo);
  // Guest-physical addresses are two bits wider, and zero above.
  if (gpa >> BigInt(14 + 9 * levels) !== 0n) throw fault;
  let table = (setup.hgatp & PPN & ~3n) << 12n;
  for (let level = levels - 1; level >= 0; level--) {
    const indexBits = level === levels - 1 ? 11 : 9;
    const ptePaddr = table + field(gpa, 12 + 9 * level, indexBits) * 8n;
    const pte = memory.read64(ptePaddr);
    if (pte === undefined) throw new Fault('access', original);
    const entry = decode(pte, level, setup.pbmte, fault);
    if (entry.pointer) {
      table = entry.ppn << 12n;
      continue;
    }
    const { r, w, x, u } = entry;
    // Every access is made as if by U-mode; vsstatus.MXR has no say here, mstatus.MXR only on explicit loads.
    const readable = kind === 'execute' ? x : r || (setup.mxr && pseudo === 0n && x);
    if (!u || !(kind === 'store' ? w : readable)) throw fault;
    const page = pageOf(entry, level, gpa, fault);
    const updated = withAccessedAndDirty(pte, kind);
    if (updated !== pte) {
      if (!setup.adue) throw fault;
      memory.write64(ptePaddr, updated);
    }
    return page;
  }
  throw fault;
}

interface Entry {
  readonly pointer: boolean;
  readonly r: boolean;
  readonly w: boolean;
  readonly x: boolean;
  readonly u: boolean;
  readonly napot: boolean;
  readonly ppn: bigint;
}

/** Takes a page-table entry apart; reserved encodings fault ("Virtual Address Translation Process", steps 3 and 4). */
function decode(pte: bigint, level: number, pbmte: boolean, fault: Fault): Entry {
  const bit = (n: number) => field(pte, n, 1) === 1n;
  const [v, r, w, x, u, a, d] = [bit(0), bit(1), bit(2), bit(3), bit(4), bit(6), bit(7)];
  if (!v || (w && !r)) throw fault;
  if (field(pte, 54, 7) !== 0n) throw fault;
  const type = field(pte, 61, 2);
  const napot = bit(63);
  const pointer = !r && !x;
  if (pointer) {
    if (u || a || d || type !== 0n || napot) throw fault;
  } else {
    if (type === 3n || (type !== 0n && !pbmte)) throw fault;
    if (napot && (level !== 0 || field(pte, 10, 4) !== 8n)) throw fault;
  }
  return { pointer, r, w, x, u, napot, ppn: field(pte, 10, 44) };
}

/** The address that a leaf gives `address`: superpages must be aligned, NAPOT ranges take four bits of the address. */
function pageOf(entry: Entry, level: number, address: bigint, fault: Fault): bigint {
  const low = entry.napot ? 16n : BigInt(12 + 9 * level);
  const base = entry.napot ? (entry.ppn & ~15n) << 12n : entry.ppn << 12n;
  const mask = (1n << low) - 1n;
  if ((base & mask) !== 0n) throw fault;
  return base | (address & mask);
}

function withAccessedAndDirty(pte: bigint, kind: Access): bigint {
  return pte | (1n << 6n) | (kind === 'store' ? 1n << 7n : 0n);
}
