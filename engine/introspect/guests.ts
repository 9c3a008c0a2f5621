/**
 * Which image of a bundle each VM runs. A bundle does not say, and VMs have other names than images, so it is told by
 * what lies in a VM's memory where an image's code is loaded. Relies on G-stage tables and on the bundle's layout
 * (engine/subject/images/bundle.ts). Does not see that a VM runs something else later.
 */
import { UserError } from '../base/index.ts';
import { type Image, isElf, type Machine, readElf } from '../machine/index.ts';
import { readBundle } from '../subject/index.ts';
import { spaOf, translateGuest } from './gstage.ts';
import { readRam } from './memory.ts';
import type { SymbolTable } from './symbols.ts';
import { listVms } from './vms.ts';

interface Candidate {
  readonly image: Image;
  /** Guest-physical address of its code. */
  readonly gpa: bigint;
  readonly code: Uint8Array;
}

const PAGE = 4096;
/** Code of a guest that is read for this, at most. */
const MAX_CODE_BYTES = 1 << 20;
/** Of its bytes; a fault, or the guest itself, may have changed a few. */
const MAX_CHANGED = 0.01;

/**
 * The table of the image that a VM runs, by its VMID, as the machine stands when it is first known; undefined: it is no
 * image of the bundle, or there is no such VM yet.
 */
export function createGuestFinder(
  bundle: Uint8Array,
  machine: Machine,
  hypervisor: SymbolTable | undefined,
  tableOf: (image: Image) => SymbolTable,
): (vmid: number) => SymbolTable | undefined {
  let read: readonly Candidate[] | undefined;
  const known = new Map<number, SymbolTable>();
  const tables = new Map<Image, SymbolTable>();
  /** Where it was looked for in vain. */
  const missed = new Map<number, number>();
  const tableFor = (image: Image): SymbolTable => {
    const table = tables.get(image) ?? tableOf(image);
    tables.set(image, table);
    return table;
  };
  return (vmid) => {
    const found = known.get(vmid);
    if (found || missed.get(vmid) === machine.ticks) return found;
    read ??= candidatesIn(bundle);
    const vm = read.length > 0 ? listVms(machine, hypervisor).vms.find((its) => its.vmid === vmid) : undefined;
    const running = vm && imageOf(machine, vm.hgatp, read);
    if (running) known.set(vmid, tableFor(running.image));
    else missed.set(vmid, machine.ticks);
    return known.get(vmid);
  };
}

/** The images of a bundle that have code; none when it is no bundle. */
function candidatesIn(bundle: Uint8Array): Candidate[] {
  return (readBundle(bundle) ?? []).flatMap(({ name, bytes }) => {
    const image = { name, bytes };
    const code = isElf(bytes) ? codeOf(image) : undefined;
    return code ? [{ image, gpa: BigInt(code.paddr), code: code.bytes.subarray(0, MAX_CODE_BYTES) }] : [];
  });
}

function codeOf(image: Image) {
  try {
    return readElf(image, 'bundled').segments.find(({ executable, bytes }) => executable && bytes.length > 0);
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** The candidate whose code lies there, as far as it is the only one that fits best. */
function imageOf(machine: Machine, hgatp: bigint, candidates: readonly Candidate[]): Candidate | undefined {
  let best: { readonly candidate: Candidate; readonly changed: number } | undefined;
  for (const candidate of candidates) {
    const limit = Math.min(candidate.code.length * MAX_CHANGED, best?.changed ?? Number.POSITIVE_INFINITY);
    const changed = changedBytes(machine, hgatp, candidate, limit);
    if (changed <= limit && (!best || changed < best.changed)) best = { candidate, changed };
  }
  return best?.candidate;
}

/** How many bytes of its code are others in the VM's memory; more than `limit` where it does not matter how many. */
function changedBytes(machine: Machine, hgatp: bigint, { gpa, code }: Candidate, limit: number): number {
  let changed = 0;
  for (let at = 0; at < code.length && changed <= limit; ) {
    const address = gpa + BigInt(at);
    const bytes = Math.min(code.length - at, PAGE - Number(address % BigInt(PAGE)));
    const mapping = translateGuest(machine, hgatp, address);
    const there = mapping && readRam(machine, spaOf(mapping, address), bytes);
    for (let n = 0; n < bytes; n++) if (there?.[n] !== code[at + n]) changed++;
    at += bytes;
  }
  return changed;
}
