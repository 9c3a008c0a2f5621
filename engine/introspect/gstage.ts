/**
 * Walks G-stage page tables in physical memory (manual, H extension, sections "Two-Stage Address Translation" and
 * "Hypervisor Guest Address Translation and Protection Register"): Sv39x4, Sv48x4, Sv57x4.
 * Relies on nothing but the bytes it reads: any table content gives a result, with what is wrong in `problems`.
 * Does not check access permissions or A/D bits; it reports them.
 */
import { CONSTANTS } from '../core/index.ts';
import { asAddress, hex, type PhysicalMemory, readRam, view } from './memory.ts';

export type GStageMode = 'bare' | 'sv39x4' | 'sv48x4' | 'sv57x4' | 'reserved';

/** The fields of hgatp. */
export interface Hgatp {
  readonly mode: GStageMode;
  readonly vmid: number;
  /** Physical address of the root table. */
  readonly root: number;
}

/** One leaf: a page or superpage. */
export interface GuestMapping {
  readonly gpa: bigint;
  /** Physical address it maps to (supervisor physical address, SPA). */
  readonly spa: number;
  readonly sizeBytes: number;
  readonly read: boolean;
  readonly write: boolean;
  readonly execute: boolean;
  readonly accessed: boolean;
  readonly dirty: boolean;
}

export interface GuestAddressSpace {
  readonly hgatp: Hgatp;
  /** By ascending GPA. */
  readonly mappings: readonly GuestMapping[];
  /** Physical addresses of the pages that hold the tables (the root counts as four), ascending. */
  readonly tablePages: readonly number[];
  /** What no hypervisor means to write: tables outside RAM, reserved bits, misaligned superpages, too much of it. */
  readonly problems: readonly string[];
}

const MODES: Readonly<Record<number, GStageMode>> = { 0: 'bare', 8: 'sv39x4', 9: 'sv48x4', 10: 'sv57x4' };
const LEVELS: Readonly<Record<GStageMode, number>> = { bare: 0, reserved: 0, sv39x4: 3, sv48x4: 4, sv57x4: 5 };

const PAGE = CONSTANTS.PAGE_BYTES;
/** The root has 2 more index bits than the other levels: 2048 entries, 16 KiB. */
const ROOT_ENTRIES = 2048;
const ENTRIES = 512;
/** Bounds of one walk; corrupt tables that point to themselves would otherwise unfold for ever. */
const MAX_TABLES = 4096;
const MAX_MAPPINGS = 1 << 20;
const MAX_PAGES = 1 << 20;
const MAX_PROBLEMS = 16;

const PTE = { V: 1, R: 2, W: 4, X: 8, U: 16, A: 64, D: 128 } as const;
/** Bits of an entry's high word: reserved ones, memory type (Svpbmt), N (Svnapot). */
const RESERVED = 0x7f << 22;
const PBMT = 3 << 29;
const NAPOT = 1 << 31;

/** Takes hgatp apart. */
export function parseHgatp(hgatp: bigint): Hgatp {
  return {
    mode: MODES[Number(hgatp >> 60n)] ?? 'reserved',
    vmid: Number((hgatp >> 44n) & 0x3fffn),
    // The root is 16 KiB aligned; bits 1–0 of its PPN read as zero in these modes.
    root: Number(hgatp & 0xfff_ffff_fffcn) * PAGE,
  };
}

/** Every mapping of the tables that `hgatp` points to. Bare and reserved modes have none. */
export function walkGStage(memory: PhysicalMemory, hgatp: bigint): GuestAddressSpace {
  const parsed = parseHgatp(hgatp);
  const mappings: GuestMapping[] = [];
  const tablePages = new Set<number>();
  const problems: string[] = [];
  let tables = 0;
  const complain = (text: string) => {
    if (problems.length < MAX_PROBLEMS) problems.push(text);
  };
  const visit = (table: number, level: number, base: bigint, entries: number) => {
    const bytes = readRam(memory, table, entries * 8);
    if (!bytes) return complain(`table for gpa ${hex(base)} lies outside RAM: ${hex(table)}`);
    if (++tables > MAX_TABLES) return complain(`more than ${MAX_TABLES} tables: the walk stops at gpa ${hex(base)}`);
    for (let at = 0; at < entries * 8; at += PAGE) tablePages.add(table + at);
    const words = view(bytes);
    for (let index = 0; index < entries; index++) {
      const low = words.getUint32(index * 8, true);
      if (!(low & PTE.V)) continue;
      const gpa = base + (BigInt(index) << BigInt(12 + 9 * level));
      const entry = decode(low, words.getUint32(index * 8 + 4, true), level, gpa);
      if (entry.kind === 'table' && tables <= MAX_TABLES) visit(entry.table, level - 1, gpa, ENTRIES);
      else if (entry.kind === 'invalid') complain(entry.problem);
      else if (entry.kind === 'leaf') {
        if (mappings.length >= MAX_MAPPINGS) return complain(`more than ${MAX_MAPPINGS} mappings: the walk stops`);
        mappings.push(entry.mapping);
      }
    }
  };
  const levels = LEVELS[parsed.mode];
  if (levels > 0) visit(parsed.root, levels - 1, 0n, ROOT_ENTRIES);
  return { hgatp: parsed, mappings, tablePages: [...tablePages].sort((a, b) => a - b), problems };
}

/** Where a guest-physical address lies, or undefined when the tables do not map it. Bare maps it to itself. */
export function translateGuest(memory: PhysicalMemory, hgatp: bigint, gpa: bigint): GuestMapping | undefined {
  const { mode, root } = parseHgatp(hgatp);
  if (mode === 'bare') return bareMapping(gpa);
  const levels = LEVELS[mode];
  if (levels === 0 || gpa < 0n || gpa >> BigInt(14 + 9 * levels) !== 0n) return undefined;
  let table = root;
  for (let level = levels - 1; level >= 0; level--) {
    const mask = level === levels - 1 ? ROOT_ENTRIES - 1 : ENTRIES - 1;
    const index = Number(gpa >> BigInt(12 + 9 * level)) & mask;
    const bytes = readRam(memory, table + index * 8, 8);
    if (!bytes) return undefined;
    const words = view(bytes);
    const pageBits = BigInt(12 + 9 * level);
    const entry = decode(words.getUint32(0, true), words.getUint32(4, true), level, (gpa >> pageBits) << pageBits);
    if (entry.kind === 'leaf') return entry.mapping;
    if (entry.kind === 'invalid') return undefined;
    table = entry.table;
  }
  return undefined;
}

/** The SPA of a guest-physical address inside a mapping that covers it. */
export const spaOf = (mapping: GuestMapping, gpa: bigint): number => mapping.spa + Number(gpa - mapping.gpa);

/** Each 4 KiB page of the mappings that lies in RAM: GPA to SPA, by ascending GPA; at most a million. */
export function guestPages(memory: PhysicalMemory, space: GuestAddressSpace): Map<bigint, number> {
  const pages = new Map<bigint, number>();
  const ramEnd = CONSTANTS.RAM_BASE + memory.config.ramBytes;
  for (const { gpa, spa, sizeBytes } of space.mappings) {
    const end = Math.min(spa + sizeBytes, ramEnd);
    for (let at = Math.max(spa, CONSTANTS.RAM_BASE); at < end && pages.size < MAX_PAGES; at += PAGE) {
      pages.set(gpa + BigInt(at - spa), at);
    }
  }
  return pages;
}

type Entry =
  | { readonly kind: 'table'; readonly table: number }
  | { readonly kind: 'leaf'; readonly mapping: GuestMapping }
  | { readonly kind: 'invalid'; readonly problem: string };

/** One valid-looking PTE. Rules: manual section "Virtual Address Translation Process", with U required (G-stage). */
function decode(low: number, high: number, level: number, gpa: bigint): Entry {
  const invalid = (problem: string): Entry => ({ kind: 'invalid', problem: `gpa ${hex(gpa)}: ${problem}` });
  if (!(low & PTE.V)) return invalid('not mapped');
  if ((high & RESERVED) !== 0) return invalid('reserved PTE bits are set');
  if (low & PTE.W && !(low & PTE.R)) return invalid('PTE is writable but not readable');
  let spa = ((low >>> 10) + (high & 0x3fffff) * 2 ** 22) * PAGE;
  if (!(low & (PTE.R | PTE.X))) {
    if (low & (PTE.U | PTE.A | PTE.D)) return invalid('pointer to a table has U, A or D set');
    if ((high & (NAPOT | PBMT)) !== 0) return invalid('pointer to a table has N or a memory type');
    return level === 0 ? invalid('pointer to a table below the last level') : { kind: 'table', table: spa };
  }
  const sizeBytes = PAGE * 512 ** level;
  if ((high & PBMT) === PBMT) return invalid('memory type 3 is reserved');
  if ((high & NAPOT) !== 0) {
    if (level !== 0 || (spa / PAGE) % 16 !== 8) return invalid('N in an entry that maps no 64 KiB');
    // One page of the 64 KiB: the entry of each other page maps that one.
    spa += Number(gpa & 0xffffn) - 0x8000;
  } else if (spa % sizeBytes !== 0) return invalid(`superpage at ${hex(spa)} is misaligned`);
  if (!(low & PTE.U)) return invalid('G-stage PTE without U');
  const has = (bit: number) => (low & bit) !== 0;
  return {
    kind: 'leaf',
    mapping: {
      gpa,
      spa,
      sizeBytes,
      read: has(PTE.R),
      write: has(PTE.W),
      execute: has(PTE.X),
      accessed: has(PTE.A),
      dirty: has(PTE.D),
    },
  };
}

function bareMapping(gpa: bigint): GuestMapping | undefined {
  const page = asAddress((gpa >> 12n) << 12n);
  if (page === undefined) return undefined;
  const all = { read: true, write: true, execute: true, accessed: true, dirty: true };
  return { gpa: BigInt(page), spa: page, sizeBytes: PAGE, ...all };
}
