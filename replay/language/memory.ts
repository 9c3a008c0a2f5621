/**
 * Addresses of every space to bytes of RAM, at the moment that a machine stands at. Changes nothing in the machine.
 * Relies on the engine's side-effect-free translation. Does not see devices' registers: reading those has effects.
 */
import {
  hex,
  listVms,
  type Machine,
  type MachineSymbols,
  type Mode,
  PAGE_BYTES,
  RAM_BASE,
  spaOf,
  translateGuest,
  type VmInfo,
} from '../../engine/index.ts';
import { AbsentError } from './errors.ts';

/** A machine at a moment, and the symbols of its images. */
export interface Context {
  readonly machine: Machine;
  readonly symbols: MachineSymbols;
}

export interface PhysicalRange {
  readonly paddr: number;
  readonly bytes: number;
}

/** Where an address points, and what that depends on. */
export type Addressed =
  | { readonly space: 'spa'; readonly address: bigint }
  | { readonly space: 'gpa'; readonly address: bigint; readonly vmid: number; readonly hgatp: bigint }
  | {
      readonly space: 'va';
      readonly address: bigint;
      readonly hart: number;
      readonly mode: Mode;
      /** Of the tables that translate it: satp; inside a VM vsatp and hgatp; none in M-mode. */
      readonly roots: Readonly<Partial<Record<'satp' | 'vsatp' | 'hgatp', bigint>>>;
    };

/** Bytes of memory. */
export type MemoryPlace = Addressed & {
  readonly kind: 'memory';
  readonly bytes: number;
  /** Where they lie now, in order: all of them, or those in front of what `missing` says. */
  readonly ranges: readonly PhysicalRange[];
  /** Why the ranges end early: not mapped, or no RAM. */
  readonly missing: string | undefined;
};

/** Looks up where `bytes` bytes at an address lie now. */
export function locate(machine: Machine, at: Addressed, bytes: number): MemoryPlace {
  const ranges: { paddr: number; bytes: number }[] = [];
  let missing: string | undefined;
  for (let done = 0; done < bytes && missing === undefined; ) {
    const address = BigInt.asUintN(64, at.address + BigInt(done));
    const length = Math.min(bytes - done, PAGE_BYTES - Number(address & BigInt(PAGE_BYTES - 1)));
    const paddr = physical(machine, at, address);
    missing = paddr === undefined ? `${addressText(at, address)} is not mapped` : outsideRam(machine, paddr, length);
    if (paddr === undefined || missing !== undefined) break;
    const last = ranges.at(-1);
    if (last && last.paddr + last.bytes === paddr) last.bytes += length;
    else ranges.push({ paddr, bytes: length });
    done += length;
  }
  return { kind: 'memory', ...at, bytes, ranges, missing };
}

/** The bytes of a place. @throws AbsentError when not all of them are mapped to RAM now */
export function readPlace(machine: Machine, place: MemoryPlace): Uint8Array {
  if (place.missing !== undefined) throw new AbsentError(`moment ${machine.moment}: ${place.missing}`);
  const bytes = new Uint8Array(place.bytes);
  let done = 0;
  for (const range of place.ranges) {
    bytes.set(machine.readPhysical(range.paddr, range.bytes), done);
    done += range.bytes;
  }
  return bytes;
}

/** A virtual address as a hart would use it now. */
export function virtualAt(machine: Machine, hart: number, address: bigint): Addressed {
  const { mode } = machine.hart(hart);
  const csr = (name: string) => machine.csr(hart, name);
  const isGuest = mode === 'VS' || mode === 'VU';
  const host = mode === 'M' ? {} : { satp: csr('satp') };
  const roots = isGuest ? { vsatp: csr('vsatp'), hgatp: csr('hgatp') } : host;
  return { space: 'va', address, hart, mode, roots };
}

/** A guest-physical address of a VM. */
export const guestAt = ({ vmid, hgatp }: VmInfo, address: bigint): Addressed => ({
  space: 'gpa',
  address,
  vmid,
  hgatp,
});

/** The VM with a VMID. @throws AbsentError when there is none at this moment */
export function vmWith({ machine, symbols }: Context, vmid: number): VmInfo {
  const { vms } = listVms(machine, symbols.hypervisor);
  const found = vms.find((vm) => vm.vmid === vmid);
  if (found) return found;
  const others = vms.length === 0 ? 'there is none' : `there are ${vms.map((vm) => vm.vmid).join(', ')}`;
  throw new AbsentError(`there is no VM ${vmid} at moment ${machine.moment}: ${others}`);
}

/** As people write it: `spa:0x8020_1000`, `vm1:0x8000_0000`, `va:0x1000@hart0`. */
export function addressText(at: Addressed, address = at.address): string {
  if (at.space === 'gpa') return `vm${at.vmid}:${hex(address)}`;
  return `${at.space}:${hex(address)}${at.space === 'va' ? `@hart${at.hart}` : ''}`;
}

function physical(machine: Machine, at: Addressed, address: bigint): number | undefined {
  if (at.space === 'va') return machine.translate(at.hart, address);
  if (at.space === 'spa') return Number(address);
  const mapping = translateGuest(machine, at.hgatp, address);
  return mapping && spaOf(mapping, address);
}

function outsideRam({ config }: Machine, paddr: number, bytes: number): string | undefined {
  const end = RAM_BASE + config.ramBytes;
  if (paddr >= RAM_BASE && paddr + bytes <= end) return undefined;
  return `there is no RAM at ${hex(BigInt(paddr))}: it lies at ${hex(RAM_BASE)} to ${hex(end - 1)}`;
}
