/**
 * Translation caches cannot be seen: a machine that forgets everything derived every few ticks goes the same way as one
 * that keeps its caches. Programs change page tables through their own mappings, through aliases, from another hart and
 * from outside, switch roots, ASIDs and VMIDs, with fences and without, and access memory in every way there is.
 *
 * All tables come from a pool of pages that may stand at any level of any stage. Whatever traps goes to M-mode, where the
 * handler folds cause and address into s11 and goes on with the next step.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assemble } from '../engine/index.ts';
import { expectSameState, Pair, type Poke, RAM } from './bare.fixtures.ts';
import { check } from './check.ts';

const PAGE = 4096;
const SNIPPETS = RAM + 0x8000;
/** The same code, mapped for U. */
const SNIPPETS_USER = SNIPPETS + PAGE;
/** First-level tables that the program never changes keep the snippets reachable; everything else hangs in the pool. */
const POOL = RAM + 0x10_0000;
const POOL_PAGES = 8;
/** Two G-stage roots; the second finds the data pages in another order. */
const GROOT = RAM + 0x20_0000;
const GROOT_BYTES = 4 * PAGE;
const DATA = RAM + 0x18_0000;
const DATA_PAGES = 4;
const TICKS = 8000;
/** Steps are longer than this: what is cached in one of them is forgotten before the next. */
const FORGET_EVERY = 7;
/** Entries that programs use in each pool page. */
const USED = 4;

/** V R W X U G A D and the bits that extensions give a meaning. */
const FLAGS = [
  0xcf, 0xcf, 0xcf, 0xdf, 0xdf, 0xdf, 0x43, 0x53, 0xc7, 0xd7, 0x49, 0x59, 0x01, 0x01, 0x01, 0x01, 0x00, 0x0f, 0x1f,
  0x5f, 0x8f, 0xef, 0xff, 0x05, 0x07,
].map(BigInt);
const HIGH = [0n, 0n, 0n, 0n, 0n, 0n, 1n << 63n, 1n << 61n, 1n << 54n];
const leaf = (page: number, flags: bigint) => (BigInt(page >>> 12) << 10n) | flags;

/** Any entry at all: a page of the pool (a table, or a table seen as data), of data, or elsewhere. */
const anyEntry: fc.Arbitrary<bigint> = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.nat(POOL_PAGES - 1).map((n) => POOL + n * PAGE) },
      { weight: 2, arbitrary: fc.nat(DATA_PAGES - 1).map((n) => DATA + n * PAGE) },
      { weight: 1, arbitrary: fc.constantFrom(RAM, RAM + 0x20_0000, 0x1000_0000, 0x8040_0000) },
    ),
    fc.constantFrom(...FLAGS),
    fc.constantFrom(...HIGH),
  )
  .map(([page, flags, high]) => leaf(page, flags) | high);
/** Pages 0 and 1 are meant as roots, 2 and 3 as the tables below, the others as the last level. */
const levelOf = (page: number): number => (page < 2 ? 2 : page < 4 ? 1 : 0);
const WORKING = [0xcf, 0xcf, 0xdf, 0xdf, 0x43, 0x53, 0xc7].map(BigInt);
/** An entry that takes a walk further, or ends it well. */
const working = (level: number): fc.Arbitrary<bigint> => {
  if (level > 0) return fc.nat(level === 2 ? 1 : 3).map((n) => leaf(POOL + (n + (level === 2 ? 2 : 4)) * PAGE, 1n));
  return fc
    .tuple(fc.nat(POOL_PAGES + DATA_PAGES - 1), fc.constantFrom(...WORKING))
    .map(([n, flags]) => leaf(n < POOL_PAGES ? POOL + n * PAGE : DATA + (n - POOL_PAGES) * PAGE, flags));
};
const entryFor = (level: number) =>
  fc.oneof({ weight: 5, arbitrary: working(level) }, { weight: 1, arbitrary: anyEntry });
const entry = fc.nat(2).chain(entryFor);
const index = fc.nat(USED - 1);
/** An entry of the pool, and what to write there. */
const change = fc
  .tuple(fc.nat(POOL_PAGES - 1), index)
  .chain(([page, n]) => entryFor(levelOf(page)).map((value) => ({ at: POOL + page * PAGE + 8 * n, value })));
/** Virtual addresses through the pool, where tables and data are found as they are, and off the end. */
const anyAddress: fc.Arbitrary<bigint> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.nat(1), fc.nat(1), index, fc.constantFrom(0, 8, 16, 24, 4, 3))
      .map(([a, b, c, offset]) => BigInt(a * 2 ** 30 + b * 2 ** 21 + c * 2 ** 12 + offset)),
  },
  { weight: 2, arbitrary: change.map(({ at }) => BigInt(at)) },
  { weight: 1, arbitrary: fc.constantFrom(BigInt(DATA), 1n << 38n, 0xffff_ffff_c000_0000n, 4094n, 1n << 40n) },
);

const ACCESSES = {
  load: 'ld a1, 0(a0)',
  word: 'lw a1, 0(a0)',
  store: 'sd a1, 0(a0)',
  byte: 'sb a1, 0(a0)',
  add: 'amoadd.d a1, a1, (a0)',
  reserve: 'lr.d a1, (a0)',
  conditional: 'sc.d a1, a1, (a0)',
  call: 'jalr ra, 0(a0)',
  hlv: 'hlv.d a1, (a0)',
  hlvx: 'hlvx.wu a1, (a0)',
  hsv: 'hsv.d a1, (a0)',
} as const;
type Access = keyof typeof ACCESSES;
const NAMES = Object.keys(ACCESSES) as Access[];
/** Bytes of one snippet: the access, `ecall`. */
const SNIPPET_BYTES = 8;

const FENCES = [
  'sfence.vma',
  'sfence.vma a0, zero',
  'sfence.vma zero, a1',
  'hfence.vvma',
  'hfence.vvma a0, a1',
  'hfence.gvma',
  'hfence.gvma a0, a1',
  'fence.i',
  'fence',
] as const;
const MODES = { HS: 1n << 11n, U: 0n, VS: (1n << 11n) | (1n << 39n), VU: 1n << 39n } as const;
type Mode = keyof typeof MODES;
const MPP_MPV = (3n << 11n) | (1n << 39n);

/** What is stored in every other round of the program, and in the rounds between. */
type Values = readonly [bigint, bigint];
type Step =
  | {
      readonly kind: 'access';
      readonly mode: Mode;
      readonly access: Access;
      readonly at: bigint;
      readonly values: Values;
    }
  /** From M-mode with MPRV. */
  | {
      readonly kind: 'mprv';
      readonly mode: Mode;
      readonly access: Access;
      readonly at: bigint;
      readonly values: Values;
    }
  | { readonly kind: 'entry'; readonly at: number; readonly values: Values }
  | { readonly kind: 'fence'; readonly fence: (typeof FENCES)[number]; readonly at: bigint; readonly id: number }
  | { readonly kind: 'root'; readonly csr: 'satp' | 'vsatp' | 'hgatp'; readonly value: bigint }
  | { readonly kind: 'bits'; readonly csr: string; readonly bits: bigint; readonly on: boolean };

const root = fc.oneof(
  fc
    .tuple(fc.constantFrom('satp' as const, 'vsatp' as const), fc.constantFrom(8n, 8n, 8n, 0n), fc.nat(3), fc.nat(1))
    .map(([csr, mode, id, page]) => ({
      csr,
      value: (mode << 60n) | (BigInt(id) << 44n) | BigInt((POOL >>> 12) + page),
    })),
  fc.tuple(fc.constantFrom(8n, 8n, 0n), fc.nat(1), fc.nat(1)).map(([mode, id, n]) => ({
    csr: 'hgatp' as const,
    value: (mode << 60n) | (BigInt(id) << 44n) | BigInt((GROOT + n * GROOT_BYTES) >>> 12),
  })),
);
const bits = fc.constantFrom<[csr: string, bits: bigint, mostly?: boolean]>(
  ['mstatus', 1n << 18n],
  ['mstatus', 1n << 19n],
  ['vsstatus', 1n << 18n],
  ['vsstatus', 1n << 19n],
  ['pmpcfg0', 1n << 2n, true],
  ['pmpcfg0', 1n << 1n, true],
  ['menvcfg', 1n << 61n],
  ['menvcfg', 1n << 62n],
  ['henvcfg', 1n << 61n],
  ['hstatus', 1n << 8n],
);
const mode = fc.constantFrom<Mode>('HS', 'U', 'VS', 'VU', 'VS', 'HS');
const value = fc.oneof(
  { weight: 3, arbitrary: entry },
  { weight: 1, arbitrary: fc.constantFrom(0n, 1n, 0x0000_8067_0000_0013n) },
);
const values = fc.tuple(value, value);
const access = fc.constantFrom(...NAMES, 'load' as const, 'store' as const, 'store' as const);
/** Steps that access memory at the given addresses: few of them, so that what has been cached is met again. */
const stepAt = (address: fc.Arbitrary<bigint>): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 10, arbitrary: fc.record({ kind: fc.constant('access' as const), mode, access, at: address, values }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('mprv' as const), mode, access, at: address, values }) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(change, value)
        .map(([{ at, value: one }, other]) => ({ kind: 'entry' as const, at, values: [one, other] as const })),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('fence' as const),
        fence: fc.constantFrom(...FENCES),
        at: address,
        id: fc.nat(3),
      }),
    },
    { weight: 2, arbitrary: root.map((drawn) => ({ kind: 'root' as const, ...drawn })) },
    {
      weight: 3,
      arbitrary: fc
        .tuple(bits, fc.boolean())
        .map(([[csr, mask], on]) => ({ kind: 'bits' as const, csr, bits: mask, on })),
    },
  );

interface Program {
  readonly harts: number;
  /** Entries of the pool when the program begins: page by page. */
  readonly pool: readonly bigint[];
  /** Roots when it begins. */
  readonly roots: readonly { readonly csr: string; readonly value: bigint }[];
  /** Each hart does one of the two over and over. */
  readonly steps: readonly [readonly Step[], readonly Step[]];
  /** Entries written from outside. */
  readonly pokes: readonly { readonly ticks: number; readonly at: number; readonly value: bigint }[];
}
const steps = fc
  .array(anyAddress, { minLength: 2, maxLength: 5 })
  .map((few) => fc.array(stepAt(fc.constantFrom(...few)), { minLength: 3, maxLength: 40, size: 'max' }))
  .chain((list) => fc.tuple(list, list));
const PROGRAM: fc.Arbitrary<Program> = fc.record({
  harts: fc.constantFrom(1, 2),
  pool: fc.tuple(...Array.from({ length: POOL_PAGES * USED }, (_, n) => entryFor(levelOf(Math.floor(n / USED))))),
  roots: fc.array(root, { minLength: 3, maxLength: 3 }),
  steps,
  pokes: fc.array(
    fc.tuple(fc.integer({ min: 100, max: TICKS }), change).map(([ticks, drawn]) => ({ ticks, ...drawn })),
    { maxLength: 6 },
  ),
});

/** The value of this round in a1. */
const valueText = ([one, other]: Values) => `
        li a1, ${one}
        li t0, ${one ^ other}
        and t0, t0, s9
        xor a1, a1, t0`;

function stepText(step: Step): string {
  switch (step.kind) {
    case 'access': {
      const code = step.mode === 'U' || step.mode === 'VU' ? SNIPPETS_USER : SNIPPETS;
      return `
        li a0, ${step.at}
        ${valueText(step.values)}
        li t0, ${MPP_MPV}
        csrc mstatus, t0
        li t0, ${MODES[step.mode]}
        csrs mstatus, t0
        li t0, ${code + NAMES.indexOf(step.access) * SNIPPET_BYTES}
        csrw mepc, t0
        jal s10, enter`;
    }
    case 'mprv':
      return `
        li a0, ${step.at}
        ${valueText(step.values)}
        li t0, ${MPP_MPV}
        csrc mstatus, t0
        li t0, ${MODES[step.mode] | (1n << 17n)}
        li t1, ${SNIPPETS + NAMES.indexOf(step.access) * SNIPPET_BYTES}
        jal s10, call`;
    case 'entry':
      return `
        li a0, ${step.at}
        ${valueText(step.values)}
        sd a1, 0(a0)`;
    case 'fence':
      return `
        li a0, ${step.at}
        li a1, ${step.id}
        ${step.fence}`;
    case 'root':
      return `
        li t0, ${step.value}
        csrw ${step.csr}, t0`;
    case 'bits':
      return `
        li t0, ${step.bits}
        ${step.on ? 'csrs' : 'csrc'} ${step.csr}, t0`;
  }
}

const programText = ({ steps, roots }: Program) => `
    la t0, handler
    csrw mtvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 31
    csrw pmpcfg0, t0
    ${roots.map((its) => stepText({ kind: 'root', csr: its.csr as 'satp', value: its.value })).join('\n')}
    li s11, 0
    li s9, 0
    csrr t0, mhartid
    la t1, second
    bnez t0, go
    la t1, first
  go:
    jr t1
  enter:
    mret
  call:
    csrs mstatus, t0
    jr t1
    .balign 4
  handler:
    li t0, ${1n << 17n}
    csrc mstatus, t0
    slli t0, s11, 5
    sub s11, t0, s11
    csrr t0, mcause
    add s11, s11, t0
    csrr t0, mtval
    add s11, s11, t0
    csrr t0, mtval2
    add s11, s11, t0
    csrr t0, mtinst
    add s11, s11, t0
    add s11, s11, a1
    jr s10
  first:
    not s9, s9
    ${steps[0].map(stepText).join('\n')}
    j first
  second:
    not s9, s9
    ${steps[1].map(stepText).join('\n')}
    j second
`;

const SNIPPET_CODE = assemble(NAMES.map((name) => `${ACCESSES[name]}\n ecall`).join('\n'), SNIPPETS).bytes;
/** Identity in 2 MiB and 4 KiB pages: what lets code, tables and data be found where they are. */
const IDENTITY_TABLES = RAM + 0x24_0000;

/** What stands in RAM when the program begins. */
function imageOf(program: Program): Poke[] {
  const { bytes } = assemble(programText(program), RAM);
  expect(bytes.length).toBeLessThanOrEqual(SNIPPETS - RAM);
  const words = (...entries: bigint[]) => new Uint8Array(BigUint64Array.from(entries).buffer);
  const pool = Array.from({ length: POOL_PAGES }, (_, n) => ({
    paddr: POOL + n * PAGE,
    bytes: words(...program.pool.slice(n * USED, (n + 1) * USED)),
  }));
  // Roots 0 and 1 of the pool, and the G-stage root: entry 2 leads to RAM, one mid table for each privilege.
  const [mid, low] = [IDENTITY_TABLES, IDENTITY_TABLES + PAGE];
  const rest = leaf(RAM + 0x20_0000, 0xdfn);
  const pages = (entryOf: (page: number) => bigint) =>
    words(...Array.from({ length: 512 }, (_, n) => entryOf(RAM + n * PAGE)));
  const stages = [0, 1].flatMap((n): Poke[] => {
    const groot = GROOT + n * GROOT_BYTES;
    const gmid = IDENTITY_TABLES + (2 + 2 * n) * PAGE;
    const isData = (page: number) => page >= DATA && page < DATA + DATA_PAGES * PAGE;
    const placed = (page: number) => (n === 1 && isData(page) ? DATA + ((page - DATA) ^ PAGE) : page);
    return [
      { paddr: groot, bytes: words(...program.pool.slice(0, 2), leaf(gmid, 1n), program.pool[3]!) },
      { paddr: gmid, bytes: words(leaf(gmid + PAGE, 1n), rest) },
      { paddr: gmid + PAGE, bytes: pages((page) => leaf(placed(page), 0xdfn)) },
    ];
  });
  return [
    { paddr: RAM, bytes },
    { paddr: SNIPPETS, bytes: SNIPPET_CODE },
    { paddr: SNIPPETS_USER, bytes: SNIPPET_CODE },
    ...pool,
    { paddr: POOL + 16, bytes: words(leaf(mid, 1n)) },
    { paddr: POOL + PAGE + 16, bytes: words(leaf(mid, 1n)) },
    { paddr: mid, bytes: words(leaf(low, 1n), rest) },
    { paddr: low, bytes: pages((page) => leaf(page, page === SNIPPETS_USER ? 0xdfn : 0xcfn)) },
    ...stages,
    ...program.pokes.map(({ ticks, at, value }) => ({ ticks, paddr: at, bytes: words(value) })),
  ];
}

const pairs = new Map([1, 2].map((harts) => [harts, new Pair(harts)]));
const CUTS = Array.from({ length: Math.floor((TICKS - 1) / FORGET_EVERY) }, (_, n) => (n + 1) * FORGET_EVERY);

test('translation caches cannot be seen', async () => {
  const causes = new Set<string>();
  await check({ name: 'translation caches cannot be seen', runs: 100 }, PROGRAM, (program) => {
    const pair = pairs.get(program.harts)!;
    const image = imageOf(program);
    pair.reset();
    const cached = pair.straight(image, TICKS);
    pair.reset();
    const forgetful = pair.interrupted(image, TICKS, CUTS, false);
    expectSameState(cached.end, forgetful.end, pair.config);
    for (const event of cached.events) causes.add(/"cause":(\d+)/.exec(event)?.[1] ?? '');
  });
  if (process.env.FC_PATH || process.env.FC_RUNS) return;
  // Faults of both stages, and calls from every mode: the programs go where they are meant to.
  expect([...causes]).toEqual(expect.arrayContaining(['8', '9', '10', '12', '13', '15', '20', '21', '23']));
});
