/**
 * Page tables of a case: a window (the arena, or its guest-physical place) mapped through one stage, with planted
 * flaws. Leaves may lack A and D: both machines set them (menvcfg.ADUE; QEMU 7.2 always does).
 */
import { ARENA_AT, PAGE, PAGES } from './layout.ts';

export const PTE = { V: 1n, R: 2n, W: 4n, X: 8n, U: 16n, G: 32n, A: 64n, D: 128n } as const;

/** A change to one entry on the way to a page of the window. */
export interface Flaw {
  /** Level of the entry: 0 is the leaf table. */
  readonly level: number;
  /** Which entry of the leaf table; entries above are shared by the whole window. */
  readonly page: number;
  /** Bits that are flipped. */
  readonly flip: bigint;
}

export interface Stage {
  /** satp.MODE: 8 Sv39, 9 Sv48, 10 Sv57; the G-stage's has two more bits at the top. */
  readonly mode: number;
  /** Where the window begins: a multiple of 2 MiB. */
  readonly window: bigint;
  /** Level at which the leaf is: 0 pages, 1 megapages, 2 gigapages. */
  readonly level: number;
  /** Permission bits for each page; a superpage takes those of the first. */
  readonly flags: readonly bigint[];
  /** Which of A and D each page's leaf lacks. */
  readonly unset: readonly bigint[];
  readonly flaws: readonly Flaw[];
}

/** Levels of tables: 3 for Sv39. */
export const levelsOf = (mode: number): number => mode - 5;

/** Words of the tables from `root` up (the root takes four pages in the G-stage): physical address and entry. */
export function tableWords(stage: Stage, root: number, target: bigint, gstage: boolean): [number, bigint][] {
  const words: [number, bigint][] = [];
  const levels = levelsOf(stage.mode);
  const tableAt = (level: number) =>
    level === levels - 1 ? root : root + (gstage ? 4 : 1) * PAGE + (levels - 2 - level) * PAGE;
  // Tables point to each other as the stage's own accesses see them.
  const seen = (address: number) => (gstage ? BigInt(address) : BigInt(address) + target - ARENA);
  for (let level = levels - 1; level > stage.level; level--) {
    const entry = tableAt(level) + 8 * indexAt(stage.window, level, level === levels - 1 && gstage);
    words.push([entry, flawed(stage, level, 0, (seen(tableAt(level - 1)) >> 2n) | PTE.V)]);
  }
  const entries = stage.level === 0 ? PAGES.count : 1;
  for (let page = 0; page < entries; page++) {
    const address = stage.window + BigInt(page * PAGE);
    const span = 1n << BigInt(12 + 9 * stage.level);
    const entry = tableAt(stage.level) + 8 * indexAt(address, stage.level, stage.level === levels - 1 && gstage);
    const place = (target + BigInt(page * PAGE)) & ~(span - 1n);
    const flags = (stage.flags[page] ?? 0n) | PTE.V | ((PTE.A | PTE.D) & ~(stage.unset[page] ?? 0n));
    words.push([entry, readable(flawed(stage, stage.level, page, (place >> 2n) | flags), gstage)]);
  }
  return words;
}

const ARENA = BigInt(ARENA_AT);

const indexAt = (address: bigint, level: number, wide: boolean): number =>
  Number((address >> BigInt(12 + 9 * level)) & (wide ? 0x7ffn : 0x1ffn));

/** In the G-stage X comes with R: see arbitrary.ts. */
const readable = (entry: bigint, gstage: boolean) => (gstage && entry & PTE.X ? entry | PTE.R : entry);

function flawed(stage: Stage, level: number, page: number, entry: bigint): bigint {
  let changed = entry;
  for (const flaw of stage.flaws) {
    if (flaw.level === level && (level > stage.level || stage.level > 0 || flaw.page === page)) changed ^= flaw.flip;
  }
  return changed;
}
