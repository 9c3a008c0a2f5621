/**
 * A VM's state as the machine holds it at a crossing: registers of its vCPU and memory through its G-stage tables.
 * Relies on the run standing at the crossing. The mask of what is not compared is here, with its reasons.
 */
import {
  guestPages,
  invariant,
  type Machine,
  PAGE_BYTES,
  RAM_BASE,
  type Snapshot,
  walkGStage,
} from '../../engine/index.ts';
import type { VmVerdict } from '../base/index.ts';
import type { Crossing } from './crossings.ts';

/**
 * CSRs of the vCPU that recovery must not change. Left out, because time and interrupts go on while a VM does not
 * run: vstimecmp, hvip and vsip (a timer that expired meanwhile is pending at the entry), henvcfg and hcounteren (the
 * hypervisor's, not the guest's). hgatp may name other tables as long as they map the same content.
 */
const GUEST_CSRS = ['vsstatus', 'vstvec', 'vsscratch', 'vsepc', 'vscause', 'vstval', 'vsatp'] as const;

/** By name: x1…x31, pc, privilege (0 VU, 1 VS), and the VS CSRs that are compared. */
export type VmRegisters = ReadonlyMap<string, bigint>;

/**
 * Registers of the vCPU at an exit or entry. Right after a trap or return the integer registers are still the guest's
 * and the VS CSRs of a vCPU that has not been switched out yet are live, so no saved copy is read.
 */
export function readRegisters(machine: Machine, crossing: Crossing): VmRegisters {
  const { hart, pc } = crossing;
  const state = machine.hart(hart);
  const pcs = [state.pc, machine.csr(hart, 'sepc'), machine.csr(hart, 'mepc')];
  invariant(
    pcs.includes(pc),
    `no pc of hart ${hart} at tick ${machine.ticks} is that of the crossing, ${pc.toString(16)}`,
  );
  const registers = new Map<string, bigint>();
  for (let n = 1; n < 32; n++) registers.set(`x${n}`, state.x[n]!);
  registers.set('pc', pc);
  registers.set('privilege', crossing.mode === 'VU' ? 0n : 1n);
  for (const name of GUEST_CSRS) registers.set(name, machine.csr(hart, name));
  return registers;
}

/** Registers whose values differ. */
export function compareRegisters(before: VmRegisters, after: VmRegisters): VmVerdict['registerDifferences'] {
  return [...before].flatMap(([name, value]) => {
    const now = after.get(name) ?? 0n;
    return now === value ? [] : [{ name, before: value, after: now }];
  });
}

/** A VM's memory at one moment: what is mapped where, and all of RAM. */
export interface VmMemory {
  /** GPA of each 4 KiB page to its index in RAM. */
  readonly pages: ReadonlyMap<bigint, number>;
  readonly snapshot: Snapshot;
}

const ZEROS = new Uint8Array(PAGE_BYTES);
/** Differing words listed for one VM. */
const MAX_WORDS = 64;

/** Memory of the VM whose tables `hgatp` points to. */
export function readMemory(machine: Machine, hgatp: bigint, snapshot: Snapshot): VmMemory {
  const pages = new Map<bigint, number>();
  for (const [gpa, spa] of guestPages(machine, walkGStage(machine, hgatp)))
    pages.set(gpa, (spa - RAM_BASE) / PAGE_BYTES);
  return { pages, snapshot };
}

/** Compares every page mapped at both times by GPA; a page may have moved in physical memory. */
export function compareMemory(
  before: VmMemory,
  after: VmMemory,
): Pick<VmVerdict, 'pagesCompared' | 'memoryDifferences'> {
  const memoryDifferences: { gpa: bigint; before: bigint; after: bigint }[] = [];
  let pagesCompared = 0;
  for (const [gpa, index] of before.pages) {
    const other = after.pages.get(gpa);
    if (other === undefined) continue;
    pagesCompared++;
    const was = before.snapshot.pages.get(index);
    const is = after.snapshot.pages.get(other);
    if (was === is || (was && is && was.hash === is.hash) || memoryDifferences.length >= MAX_WORDS) continue;
    memoryDifferences.push(...differingWords(gpa, was?.bytes ?? ZEROS, is?.bytes ?? ZEROS));
  }
  return { pagesCompared, memoryDifferences: memoryDifferences.slice(0, MAX_WORDS) };
}

function differingWords(gpa: bigint, before: Uint8Array, after: Uint8Array) {
  const [was, is] = [before, after].map((bytes) => new DataView(bytes.buffer, bytes.byteOffset, PAGE_BYTES));
  const found: { gpa: bigint; before: bigint; after: bigint }[] = [];
  for (let at = 0; at < PAGE_BYTES; at += 8) {
    const words = { before: was!.getBigUint64(at, true), after: is!.getBigUint64(at, true) };
    if (words.before !== words.after) found.push({ gpa: gpa + BigInt(at), ...words });
  }
  return found;
}
