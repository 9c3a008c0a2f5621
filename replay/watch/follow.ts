/**
 * Where the bytes of an address lie now, and the table entries that decide it: whoever watches those learns when it
 * lies somewhere else. Address spaces are named by their roots, as hgatp, vsatp and satp were when the question was
 * asked, so the answer for an earlier moment does not depend on who runs there.
 * Relies on the core's own walk. Does not see a hypervisor that gives a VM another root.
 */
import { type AddressSpace, isRam, type Machine, PAGE_BYTES } from '../../engine/index.ts';
import type { Addressed, PhysicalRange } from '../language/index.ts';

export interface Followed {
  /** Where the bytes are, in order; what is not mapped or is no RAM is left out. */
  readonly ranges: readonly PhysicalRange[];
  /** Physical addresses of the 8-byte table entries that were read on the way, each once. */
  readonly entries: readonly number[];
}

const ENTRY_BYTES = 8;

/** Looks up `bytes` bytes at an address. */
export function follow(machine: Machine, at: Addressed, bytes: number): Followed {
  const ranges: { paddr: number; bytes: number }[] = [];
  const entries = new Set<number>();
  for (let done = 0; done < bytes; ) {
    const address = BigInt.asUintN(64, at.address + BigInt(done));
    const length = Math.min(bytes - done, PAGE_BYTES - Number(address & BigInt(PAGE_BYTES - 1)));
    const space = spaceOf(at);
    const paddr = space ? translated(machine, address, space, entries) : Number(address);
    if (paddr !== undefined && isRam(machine, paddr, length)) {
      const last = ranges.at(-1);
      if (last && last.paddr + last.bytes === paddr) last.bytes += length;
      else ranges.push({ paddr, bytes: length });
    }
    done += length;
  }
  return { ranges, entries: [...entries].filter((paddr) => isRam(machine, paddr, ENTRY_BYTES)) };
}

/** Whether two look-ups lead to the same bytes. */
export function sameRanges(a: readonly PhysicalRange[], b: readonly PhysicalRange[]): boolean {
  return a.length === b.length && a.every(({ paddr, bytes }, n) => paddr === b[n]!.paddr && bytes === b[n]!.bytes);
}

/** undefined: addresses are physical. */
function spaceOf(at: Addressed): AddressSpace | undefined {
  if (at.space === 'gpa') return { hgatp: at.hgatp };
  return at.space === 'va' && Object.keys(at.roots).length > 0 ? at.roots : undefined;
}

function translated(machine: Machine, address: bigint, space: AddressSpace, entries: Set<number>): number | undefined {
  const { steps, paddr } = machine.explainTranslation(0, address, 'load', space);
  for (const step of steps) entries.add(Number(step.paddr));
  return paddr === undefined ? undefined : Number(paddr);
}
