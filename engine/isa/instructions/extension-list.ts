/**
 * The extensions that the machine implements, declared once: the ISA string of the device tree, the letters of misa and
 * the status table in docs/machine.md derive from this list. `extension-list.test.ts` holds it against the instruction
 * table; whether the privileged architecture keeps what is said here is for the tests of engine/core.
 */

export interface Extension {
  /** As the ISA string writes it: `m`, `zba`. */
  readonly name: string;
  /** What it brings, in a few words. */
  readonly brings: string;
  /**
   * Where it is implemented: rows of the instruction table; hints, which are other spellings of instructions without
   * effect; or the privileged architecture (CSRs, traps, translation).
   */
  readonly as: 'instructions' | 'hints' | 'privileged';
  /** What somebody who knows the manual should know besides. */
  readonly note?: string;
  /** Only in misa: QEMU's ISA string leaves the privilege modes out. */
  readonly misaOnly?: true;
  /** In no string, as on QEMU's default CPU: there for software that uses it unasked, or that M-mode enables it for. */
  readonly unlisted?: true;
}

/** In no particular order: whoever prints them sorts. */
export const EXTENSIONS: readonly Extension[] = [
  { name: 'i', brings: 'base integer instructions', as: 'instructions' },
  { name: 'm', brings: 'multiplication and division', as: 'instructions' },
  { name: 'a', brings: 'atomic memory operations, LR and SC', as: 'instructions' },
  { name: 'f', brings: 'single-precision floating point', as: 'instructions' },
  { name: 'd', brings: 'double-precision floating point', as: 'instructions' },
  { name: 'c', brings: '16-bit forms', as: 'instructions' },
  { name: 'h', brings: 'hypervisor: VS and VU modes, two-stage translation', as: 'instructions' },
  { name: 's', brings: 'supervisor mode; Sv39, Sv48 and Sv57, and their x4 forms', as: 'instructions', misaOnly: true },
  { name: 'u', brings: 'user mode', as: 'privileged', misaOnly: true },
  { name: 'zicsr', brings: 'CSR instructions', as: 'instructions' },
  { name: 'zifencei', brings: 'instruction-fetch fence', as: 'instructions', note: 'decoded code is coherent without' },
  {
    name: 'zicntr',
    brings: 'cycle, time and instret',
    as: 'privileged',
    note: 'cycle and time are virtual time, instret counts this hart',
  },
  {
    name: 'zihpm',
    brings: 'hardware performance counters 3–31',
    as: 'privileged',
    note: 'counters and event selectors are hardwired to 0',
  },
  {
    name: 'zicbom',
    brings: 'cache-block management',
    as: 'instructions',
    note: 'no caches: permission checks only; blocks of 64 bytes',
  },
  { name: 'zicbop', brings: 'prefetch', as: 'hints' },
  { name: 'zicboz', brings: 'cache-block zero', as: 'instructions', note: 'blocks of 64 bytes' },
  { name: 'zihintntl', brings: 'non-temporal locality', as: 'hints' },
  { name: 'zihintpause', brings: 'pause in spin loops', as: 'hints' },
  { name: 'zacas', brings: 'atomic compare-and-swap', as: 'instructions' },
  {
    name: 'zawrs',
    brings: 'wait on reservation set',
    as: 'instructions',
    note: 'waits until the turn of the hart ends',
  },
  { name: 'zba', brings: 'address generation: shift and add', as: 'instructions' },
  { name: 'zbb', brings: 'basic bit manipulation', as: 'instructions' },
  { name: 'zbc', brings: 'carry-less multiplication', as: 'instructions' },
  { name: 'zbs', brings: 'single-bit instructions', as: 'instructions' },
  { name: 'sstc', brings: 'stimecmp and vstimecmp', as: 'privileged' },
  {
    name: 'svadu',
    brings: 'A and D bits set by hardware',
    as: 'privileged',
    note: 'ADUE is set at reset; without it, page faults (Svade)',
    unlisted: true,
  },
  { name: 'svinval', brings: 'fine-grained invalidation of translations', as: 'instructions' },
  { name: 'svnapot', brings: '64 KiB ranges in page tables', as: 'privileged', unlisted: true },
  {
    name: 'svpbmt',
    brings: 'memory types in page tables',
    as: 'privileged',
    note: 'needs menvcfg.PBMTE; types are checked and have no effect',
    unlisted: true,
  },
];

/**
 * The order of letters in ISA strings, also of the letters after Z. @see Volume I, "ISA Extension Naming Conventions"
 */
const LETTERS = 'iemafdqlcbkjtpvhsu';

/** Single letters, then Z extensions by the letter after it, then S extensions; names of one group by alphabet. */
export const extensionsInOrder = (): Extension[] =>
  EXTENSIONS.toSorted((a, b) => {
    const [x, y] = [rank(a.name), rank(b.name)];
    return x - y || (a.name < b.name ? -1 : 1);
  });

function rank(name: string): number {
  if (name.length === 1) return LETTERS.indexOf(name);
  return (name.startsWith('z') ? 100 : 200) + (name.startsWith('z') ? LETTERS.indexOf(name.charAt(1)) : 0);
}

/** `riscv,isa` of the device tree, e.g. `rv64imac_zicsr`. */
export function isaString(): string {
  const names = extensionsInOrder()
    .filter((e) => !e.misaOnly && !e.unlisted)
    .map((e) => e.name);
  const letters = names.filter((name) => name.length === 1).join('');
  return [`rv64${letters}`, ...names.filter((name) => name.length > 1)].join('_');
}

/** misa.Extensions: a bit for each letter, A in bit 0. */
export const misaLetters = (): number =>
  EXTENSIONS.filter((e) => e.name.length === 1).reduce((bits, e) => bits + 2 ** (e.name.charCodeAt(0) - 97), 0);
