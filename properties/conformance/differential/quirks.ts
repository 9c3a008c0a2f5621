/**
 * What QEMU 7.2 does of its own with single instructions, and what only its board has. A quirk changes where a case
 * goes from there on, so it cannot be a difference between fields: a case that differs and meets one is run again with
 * a NOP in place of the instruction, and must agree then. Everything is judged by what our machine was seen to do
 * (observe.ts).
 */
import type { Case } from './case.ts';
import { type Access, isRam, type Step } from './observe.ts';

export interface Quirk {
  readonly reason: string;
  /** The index of the step whose instruction is left out, or undefined. `n` is the step that is looked at. */
  readonly culprit: (steps: readonly Step[], n: number) => number | undefined;
  /** How else to leave it out, when no instruction can be: the very first fetch meets it, or a NOP does. */
  readonly without?: (its: Case) => Case;
}

/** `culprit`: what is met is not the doing of an instruction. */
export const NO_STEP = -1;

const isPmp = (name: string): boolean => name.startsWith('pmp');
/** The case with PMP open. */
export const withoutPmp = (its: Case): Case => ({
  ...its,
  csrs: Object.fromEntries(Object.entries(its.csrs).filter(([name]) => !isPmp(name))),
});

const FETCH_ACCESS = 1;
const LOAD_ACCESS = 5;
const STORE_MISALIGNED = 6;
const STORE_ACCESS = 7;
/** Access fault, page fault, guest-page fault. */
const STORE_FAULTS = [STORE_ACCESS, 15, 23];
/** mtinst and htinst of a failed update of a VS-stage page table. */
const IMPLICIT_WRITE = 0x3020n;

export const QUIRKS: readonly Quirk[] = [
  {
    reason: 'devices and ROM of the boards differ, and QEMU runs code from devices, which we take for access faults',
    culprit: (steps, n) => {
      const { access } = at(steps, n);
      return access?.paddr !== undefined && isDevice(access.paddr) ? byKind(steps, n) : undefined;
    },
  },
  {
    reason: 'page fault instead of access fault when a page table lies outside RAM',
    culprit: (steps, n) => {
      const { access } = at(steps, n);
      return faults(steps, n) && access?.tableOutside !== undefined ? byKind(steps, n) : undefined;
    },
  },
  {
    reason: 'guest-page fault instead of access fault for what PMP forbids under two stages, their tables included',
    culprit: (steps, n) => {
      const { access } = at(steps, n);
      return faults(steps, n) && access?.twoStage && (access.pmpForbids || access.pmpForbidsTable)
        ? byKind(steps, n)
        : undefined;
    },
    without: (its) => (Object.keys(its.csrs).some(isPmp) ? withoutPmp(its) : its),
  },
  {
    // The field by itself is in known.ts; code that reads tval takes it elsewhere.
    reason: 'a misaligned load outside RAM is split before it is found to fail: tval is that of its first part',
    culprit: (steps, n) => {
      const { access } = at(steps, n);
      const misaligned = access && access.va % BigInt(access.bytes) !== 0n;
      return faults(steps, n) && access?.kind === 'load' && misaligned && isOutside(access) ? n : undefined;
    },
  },
  {
    reason: 'the second page of an access is translated before it is seen that the first lies outside RAM',
    culprit: (steps, n) => {
      const { access } = at(steps, n);
      return faults(steps, n) && access && isOutside(access) && crossesPage(access) ? n : undefined;
    },
  },
  {
    reason: 'what crosses pages is put to PMP as a whole, by us as its two parts; the manual allows both',
    culprit: (steps, n) => {
      const { access, trap } = at(steps, n);
      return access && crossesPage(access) && access.pmpForbids && !trap ? n : undefined;
    },
  },
  {
    reason: 'AMO outside RAM: tried as a load first, so a load access fault instead of that of a store',
    culprit: (steps, n) => {
      const { instruction, access, trap } = at(steps, n);
      const isAmo = instruction?.extension === 'A' && instruction.name.startsWith('amo');
      const outside = access !== undefined && isOutside(access);
      const cause = trap?.interrupt === false && (trap.cause === STORE_ACCESS || trap.cause === STORE_MISALIGNED);
      return isAmo && outside && cause ? n : undefined;
    },
  },
  {
    reason: 'updates of A and D in VS-stage tables ask the G-stage for no more than reads do',
    culprit: (steps, n) => {
      const { trap, tinst } = at(steps, n);
      const isGuestPageFault = trap?.interrupt === false && trap.cause >= 20 && trap.cause !== 22;
      return isGuestPageFault && tinst === IMPLICIT_WRITE ? byKind(steps, n) : undefined;
    },
    without: (its) => (its.vsatp?.unset.length ? { ...its, vsatp: { ...its.vsatp, unset: [] } } : its),
  },
  {
    reason: 'SC compares what is there with what LR loaded: a store of the hart itself in between makes it fail',
    culprit: (steps, n) => {
      if (!isSc(at(steps, n)) || at(steps, n).result !== 0n) return undefined;
      for (let back = n - 1; back >= 0; back--) {
        const { instruction, access } = at(steps, back);
        if (instruction?.name.startsWith('lr.')) return undefined;
        if (access?.kind === 'store' && overlaps(access.paddr, at(steps, n).access?.paddr)) return n;
      }
      return undefined;
    },
  },
  {
    reason: 'SC to another address than that of its LR fails before it is translated',
    culprit: (steps, n) => {
      const { trap, access } = at(steps, n);
      const stores = trap?.interrupt === false && STORE_FAULTS.includes(trap.cause);
      if (!isSc(at(steps, n)) || !stores) return undefined;
      const lr = lastLr(steps, n);
      return lr >= 0 && at(steps, lr).access?.va !== access?.va ? n : undefined;
    },
  },
  {
    reason: 'WFI between LR and SC ends the reservation on our machine, which the manual allows; QEMU keeps it',
    culprit: (steps, n) => {
      if (!isSc(at(steps, n)) || at(steps, n).result !== 1n) return undefined;
      const lr = lastLr(steps, n);
      const waits = steps.slice(lr + 1, n).some(({ instruction }) => instruction?.name === 'wfi');
      return lr >= 0 && waits ? n : undefined;
    },
  },
  {
    reason: 'SC without a reservation fails before the alignment of its address is looked at',
    culprit: (steps, n) => {
      const { trap } = at(steps, n);
      return isSc(at(steps, n)) && trap?.interrupt === false && trap.cause === STORE_MISALIGNED ? n : undefined;
    },
  },
  {
    reason: 'setting or clearing no bit of fcsr by a register that is zero is no write, and leaves FS',
    culprit: (steps, n) => (marksDirtyByNothing(at(steps, n)) ? n : undefined),
  },
  {
    reason: 'a guest that writes fcsr makes only its own FS dirty',
    culprit: (steps, n) => (isGuestWithCleanHost(at(steps, n)) && writesFcsr(at(steps, n)) ? n : undefined),
  },
  {
    reason: 'a flag raised by what writes no f register leaves FS as it was',
    culprit: (steps, n) => {
      const step = at(steps, n);
      const raises = /^f(eq|lt|le|cvt\.[wl]u?)\./.test(step.instruction?.name ?? '') && step.fcsr !== step.csr('fcsr');
      return raises && isFloatClean(step) ? n : undefined;
    },
  },
  {
    reason: 'a user page that supervisor mode loaded from or stored to by SUM may then be executed by it, too',
    culprit: (steps, n) => {
      const { access, mode } = at(steps, n);
      if (!access?.userCode) return undefined;
      const touched = steps
        .slice(0, n)
        .findLastIndex((step) => (step.mode === mode || step.mode === 'M') && touches(step, access.va >> 12n));
      const fenced = steps.slice(touched + 1, n).some(({ instruction }) => instruction?.name === 'sfence.vma');
      return touched >= 0 && !fenced ? byKind(steps, n) : undefined;
    },
  },
  {
    reason: 'UXL can be written, and user mode then runs as RV32',
    culprit: (steps, n) =>
      /^csr/.test(at(steps, n).instruction?.name ?? '') && writesUxl(at(steps, n)) ? n : undefined,
  },
];

const at = (steps: readonly Step[], n: number): Step => {
  const step = steps[n];
  if (!step) throw new RangeError(`there is no step ${n}`);
  return step;
};

/** A fetch is the doing of the step before: a jump, or a CSR that changed what the address means. */
const byKind = (steps: readonly Step[], n: number): number | undefined =>
  at(steps, n).access?.kind !== 'fetch' ? n : n > 0 ? n - 1 : NO_STEP;

const faults = (steps: readonly Step[], n: number): boolean => {
  const { trap } = at(steps, n);
  return trap?.interrupt === false && [FETCH_ACCESS, LOAD_ACCESS, STORE_ACCESS].includes(trap.cause);
};

/** Translated, but to no RAM. */
const isOutside = ({ paddr }: Access): boolean => paddr !== undefined && !isRam(paddr);

/** Loads and stores; fetches come in halves. */
const crossesPage = ({ kind, va, bytes }: Access): boolean =>
  kind !== 'fetch' && (va & 0xfffn) + BigInt(bytes) > 0x1000n;

/** Whether a load or store reached the page with this number. */
const touches = ({ access }: Step, page: bigint): boolean =>
  access !== undefined &&
  access.kind !== 'fetch' &&
  access.paddr !== undefined &&
  access.va >> 12n <= page &&
  (access.va + BigInt(access.bytes) - 1n) >> 12n >= page;

/** The LR before step n; -1: none. */
const lastLr = (steps: readonly Step[], n: number): number =>
  steps.slice(0, n).findLastIndex(({ instruction }) => instruction?.name.startsWith('lr.'));
const isSc = (step: Step): boolean => step.instruction?.name.startsWith('sc.') ?? false;
const overlaps = (a: bigint | undefined, b: bigint | undefined): boolean =>
  a !== undefined && b !== undefined && a >> 3n === b >> 3n;

const FFLAGS = 1;
const FCSR = 3;
const FS = 3n << 13n;
const isGuest = ({ mode }: Step): boolean => mode === 'VS' || mode === 'VU';
const isDirty = ({ csr }: Step, name: 'mstatus' | 'vsstatus'): boolean => (csr(name) & FS) === FS;
const isGuestWithCleanHost = (step: Step): boolean => isGuest(step) && !isDirty(step, 'mstatus');
/** Whether a level of FS that counts is not dirty. */
const isFloatClean = (step: Step): boolean =>
  !isDirty(step, 'mstatus') || (isGuest(step) && !isDirty(step, 'vsstatus'));

/** A CSR instruction that writes fflags, frm or fcsr. */
function writesFcsr({ instruction, operands }: Step): boolean {
  const { imm = 0, rs1 = 0, zimm = 0 } = operands;
  const name = instruction?.name ?? '';
  return /^csrr/.test(name) && imm >= FFLAGS && imm <= FCSR && (name.startsWith('csrrw') || (rs1 | zimm) !== 0);
}

/** CSRRS or CSRRC of fflags, frm or fcsr, not by x0 but by a register that holds 0, while FS is not dirty. */
function marksDirtyByNothing(step: Step): boolean {
  const { instruction, operands, x } = step;
  const byNothing = /^csrr[sc]$/.test(instruction?.name ?? '') && x[operands.rs1 ?? 0] === 0n;
  return byNothing && writesFcsr(step) && isFloatClean(step);
}

const SSTATUS = 0x100;
const MSTATUS = 0x300;
/** Whether a CSR instruction puts 1 or 3 into UXL; zero is ignored by QEMU too, 2 is what it always is here. */
function writesUxl({ instruction, operands, x, mode }: Step): boolean {
  if (operands.imm !== SSTATUS && operands.imm !== MSTATUS) return false;
  if (mode === 'VU' || mode === 'U') return false;
  const source = (x[operands.rs1 ?? 0] ?? 0n) >> 32n;
  const uxl = instruction?.name === 'csrrw' ? source & 3n : instruction?.name === 'csrrs' ? (source & 3n) | 2n : 2n;
  return uxl !== 2n && uxl !== 0n;
}

/** Physical ranges of ROM and devices on QEMU 7.2's virt board; ours has some of them. */
const DEVICES: readonly (readonly [start: bigint, end: bigint, name: string])[] = [
  [0x1000n, 0x1_0000n, 'boot ROM'],
  [0x10_0000n, 0x10_1000n, 'test finisher'],
  [0x10_1000n, 0x10_2000n, 'RTC'],
  [0x200_0000n, 0x201_0000n, 'CLINT'],
  [0x300_0000n, 0x301_0000n, 'PCIe I/O'],
  [0x400_0000n, 0x600_0000n, 'platform bus'],
  [0xc00_0000n, 0x1000_0000n, 'PLIC'],
  [0x1000_0000n, 0x1000_0100n, 'UART'],
  [0x1000_1000n, 0x1000_9000n, 'virtio'],
  [0x1010_0000n, 0x1010_0018n, 'fw_cfg'],
  [0x2000_0000n, 0x2400_0000n, 'flash'],
  [0x3000_0000n, 0x4000_0000n, 'PCIe ECAM'],
  [0x4000_0000n, 0x8000_0000n, 'PCIe memory'],
  [0x4_0000_0000n, 0x8_0000_0000n, 'PCIe memory, 64 bits'],
];
const isDevice = (paddr: bigint): boolean => DEVICES.some(([start, end]) => paddr >= start && paddr < end);
