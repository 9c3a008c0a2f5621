/**
 * The boot images in RAM: laid there when the machine is switched on, and again when software resets it. All other RAM
 * keeps what software left there, as on QEMU.
 * Relies on the core to flag every page that is written. Does not decide where images lie.
 */
import { type ArchExports, CONSTANTS } from '../../core/index.ts';
import { RAM_BASE } from './board.ts';
import type { Segment } from './elf.ts';
import type { Hash } from './media.ts';

const PAGE_BYTES = CONSTANTS.PAGE_BYTES;
const ZEROS = new Uint8Array(PAGE_BYTES);

/** RAM as this needs it. */
export interface BootRam {
  readonly arch: Pick<ArchExports, 'updatePageHashes'>;
  /** XXH64 of each page of RAM, as of the last `updatePageHashes`. */
  readonly pageHashes: BigUint64Array;
  readonly hash: Hash;
  store(paddr: number, bytes: Uint8Array): void;
}

export interface BootMemory {
  /** Lays images into RAM that holds zeros. */
  fill(segments: readonly Segment[]): void;
  /**
   * Lays them over what software made of RAM, zeros behind them included. Costs little where they are unchanged:
   * software may reset the machine all the time.
   */
  refill(segments: readonly Segment[]): void;
}

/** Hashes that the pages of a segment's image have, from its first whole page on. */
interface Known {
  readonly bytes: Uint8Array;
  readonly hashes: BigUint64Array;
}

/** The boot images of one machine. */
export function createBootMemory(ram: BootRam): BootMemory {
  let known: readonly Known[] = [];

  const knownOf = (its: Segment, n: number): Known => {
    const before = known[n];
    if (before && isSame(before.bytes, its.bytes)) return before;
    const { first, end } = wholePages(its);
    const hashes = Array.from({ length: Math.max(0, end - first) }, (_, page) => {
      const at = pageAddress(first + page);
      return ram.hash(content(its, at, at + PAGE_BYTES));
    });
    return { bytes: its.bytes, hashes: BigUint64Array.from(hashes) };
  };
  const refillOne = (its: Segment, { hashes }: Known): void => {
    const { first, end } = wholePages(its);
    const stop = its.paddr + its.memBytes;
    for (let at = its.paddr; at < stop; ) {
      const page = pageOf(at);
      const to = Math.min(pageAddress(page + 1), stop);
      const isWhole = page >= first && page < end;
      if (!isWhole || ram.pageHashes[page] !== hashes[page - first]) ram.store(at, content(its, at, to));
      at = to;
    }
  };
  return {
    fill(segments) {
      for (const { paddr, bytes } of segments) ram.store(paddr, bytes);
    },
    refill(segments) {
      ram.arch.updatePageHashes();
      known = segments.map(knownOf);
      for (const [n, its] of segments.entries()) refillOne(its, known[n]!);
    },
  };
}

const isSame = (a: Uint8Array, b: Uint8Array) =>
  a.buffer === b.buffer && a.byteOffset === b.byteOffset && a.length === b.length;
const pageOf = (paddr: number) => Math.floor((paddr - RAM_BASE) / PAGE_BYTES);
const pageAddress = (page: number) => RAM_BASE + page * PAGE_BYTES;
const wholePages = ({ paddr, memBytes }: Segment) => ({
  first: pageOf(paddr + PAGE_BYTES - 1),
  end: pageOf(paddr + memBytes),
});

/** What a segment has from one physical address to another, at most a page further. */
function content({ paddr, bytes }: Segment, from: number, to: number): Uint8Array {
  const part = bytes.subarray(Math.min(from - paddr, bytes.length), Math.min(to - paddr, bytes.length));
  if (part.length === to - from) return part;
  const filled = ZEROS.slice(0, to - from);
  filled.set(part);
  return filled;
}
