/**
 * Programs that do to page tables whatever can be done: they change them through their own mappings, through aliases,
 * from another hart and from outside, in the middle of both stages and in the wide roots of the second; switch modes
 * (Sv39, Sv48, Sv57 and their x4 forms), roots, ASIDs and VMIDs, with fences of every kind and without; let hardware
 * set A and D bits or not; and access memory in every way there is.
 *
 * All tables come from a pool of pages that may stand at any level of any stage. Whatever traps goes to M-mode, where
 * the handler folds cause and address into s11 and goes on with the next step. Laid out in memory by image.ts.
 */
import fc from 'fast-check';

export const PAGE = 4096;
export const RAM = 0x8000_0000;
export const TICKS = 10_000;
export const POOL = RAM + 0x10_0000;
/**
 * By level: 0 and 1 are meant as Sv39's roots, 2 and 3 as the tables below, 4–7 as the last level; 8–11 stand above.
 */
export const POOL_PAGES = 12;
/** Entries that programs use in each pool page: these, and the last one, where addresses of the upper half lead. */
export const USED = 4;
const LAST_ENTRY = 511;
export const DATA = RAM + 0x18_0000;
export const DATA_PAGES = 4;
/** Two roots for each mode of the G-stage, of 16 KiB; the second of each finds the data pages in another order. */
export const GROOT_BYTES = 4 * PAGE;
export const groot = (mode: 8 | 9 | 10, n: number): number => RAM + 0x20_0000 + ((mode - 8) * 2 + n) * GROOT_BYTES;
/** Below the roots of Sv48x4 and Sv57x4: tables of level 2 and of level 3. */
export const gtable = (level: 2 | 3, n: number): number => RAM + 0x22_0000 + ((level - 2) * 2 + n) * PAGE;

/** V R W X U G A D and the bits that extensions give a meaning. */
const FLAGS = [
  0xcf, 0xcf, 0xcf, 0xdf, 0xdf, 0xdf, 0x43, 0x53, 0xc7, 0xd7, 0x49, 0x59, 0x01, 0x01, 0x01, 0x01, 0x00, 0x0f, 0x1f,
  0x5f, 0x8f, 0xef, 0xff, 0x05, 0x07,
].map(BigInt);
const HIGH = [0n, 0n, 0n, 0n, 0n, 0n, 1n << 63n, 1n << 61n, 1n << 54n];
export const leaf = (page: number | bigint, flags: bigint): bigint => ((BigInt(page) >> 12n) << 10n) | flags;

/** Any entry at all: a page of the pool (a table, or a table seen as data), of data, or elsewhere. */
const anyEntry: fc.Arbitrary<bigint> = fc
  .tuple(
    fc.oneof(
      { weight: 3, arbitrary: fc.nat(POOL_PAGES - 1).map((n) => BigInt(POOL + n * PAGE)) },
      { weight: 2, arbitrary: fc.nat(DATA_PAGES - 1).map((n) => BigInt(DATA + n * PAGE)) },
      {
        weight: 1,
        arbitrary: fc.constantFrom(
          ...[RAM, RAM + 0x20_0000, 0x1000_0000, 0x8040_0000].map(BigInt),
          // Guest-physical only: through entries that a wide root has above 511, and beyond Sv39x4.
          BigInt(DATA) | (1n << 39n),
          BigInt(POOL) | (1n << 40n),
          BigInt(DATA) | (1n << 49n),
        ),
      },
    ),
    fc.constantFrom(...FLAGS),
    fc.constantFrom(...HIGH),
  )
  .map(([page, flags, high]) => leaf(page, flags) | high);
export const levelOf = (page: number): number => (page < 2 ? 2 : page < 4 ? 1 : page < 8 ? 0 : page < 10 ? 3 : 4);
/** Where the pool pages of a level begin, and how many there are. */
export const OF_LEVEL = [
  [4, 4],
  [2, 2],
  [0, 2],
  [8, 2],
  [10, 2],
] as const;
/** Some without A, or with A and without D: hardware sets them, or the access traps. */
const WORKING = [0xcf, 0xcf, 0xdf, 0xdf, 0x43, 0x53, 0xc7, 0x0f, 0x1f, 0x4f, 0x5f].map(BigInt);
/** Where superpages of levels 1 to 4 may lie. */
const ALIGNED = [RAM + 0x20_0000, RAM, 0, 0];
/** An entry that takes a walk further, or ends it well. */
const working = (level: number): fc.Arbitrary<bigint> => {
  if (level > 0) {
    const [first, count] = OF_LEVEL[level - 1]!;
    const pointer = fc.nat(count - 1).map((n) => leaf(POOL + (first + n) * PAGE, 1n));
    const superpage = fc.constantFrom(...WORKING).map((flags) => leaf(ALIGNED[level - 1]!, flags));
    return fc.oneof({ weight: 9, arbitrary: pointer }, { weight: 1, arbitrary: superpage });
  }
  return fc
    .tuple(fc.nat(POOL_PAGES + DATA_PAGES - 1), fc.constantFrom(...WORKING))
    .map(([n, flags]) => leaf(n < POOL_PAGES ? POOL + n * PAGE : DATA + (n - POOL_PAGES) * PAGE, flags));
};
const entryFor = (level: number) =>
  fc.oneof({ weight: 5, arbitrary: working(level) }, { weight: 1, arbitrary: anyEntry });
const entry = fc.nat(4).chain(entryFor);
const index = fc.nat(USED - 1);

/** An entry of a table, and the level that it is meant for. */
interface Place {
  readonly at: number;
  readonly level: number;
}
const poolPlace: fc.Arbitrary<Place> = fc
  .tuple(fc.nat(POOL_PAGES - 1), fc.constantFrom(0, 1, 2, 3, LAST_ENTRY))
  .map(([page, n]) => ({ at: POOL + page * PAGE + 8 * n, level: levelOf(page) }));
/** Of the G-stage's roots, in each of their four pages, and of the tables below them. */
const guestPlace: fc.Arbitrary<Place> = fc
  .tuple(
    fc.constantFrom<[at: number, level: number, wide: number]>(
      ...[0, 1].flatMap((n): [number, number, number][] => [
        [groot(8, n), 2, 3],
        [groot(9, n), 3, 3],
        [groot(10, n), 4, 3],
        [gtable(2, n), 2, 0],
        [gtable(3, n), 3, 0],
      ]),
    ),
    fc.constantFrom(0, 0, 1, 1, 2, 3),
    fc.constantFrom(0, 0, 1, 2, 3),
  )
  .map(([[at, level, wide], n, part]) => ({ at: at + 8 * (n + 512 * Math.min(part, wide)), level }));
const anyPlace = fc.oneof({ weight: 3, arbitrary: poolPlace }, { weight: 1, arbitrary: guestPlace });
/** Of the tables that these registers name: what their walks read first. */
const rootPlace = (roots: readonly Root[]): fc.Arbitrary<Place> =>
  fc
    .tuple(fc.constantFrom(...roots), fc.constantFrom(0, 0, 0, 1, 2), fc.constantFrom(0, 0, 0, 0, 1, 2, 3))
    .map(([{ csr, value: atp }, n, part]) => ({
      at: Number(BigInt.asUintN(44, atp) << 12n) + 8 * (n + 512 * (csr === 'hgatp' ? part : 0)),
      // Of a Bare one, whatever it names.
      level: Math.max(2, Number(atp >> 60n) - 6),
    }));
const placeOf = (roots: readonly Root[]) => fc.oneof(anyPlace, rootPlace(roots));

/**
 * First entries above Sv39x4, as they are when the program begins: a change may also be one back to where code is
 * found.
 */
const ORIGINAL = new Map(
  [0, 1].flatMap((n) => [
    ...[0, 1, 2, 3].flatMap((part): [number, bigint][] => [
      [groot(9, n) + part * PAGE, leaf(gtable(2, n), 1n)],
      [groot(10, n) + part * PAGE, leaf(gtable(3, n), 1n)],
    ]),
    [gtable(3, n), leaf(gtable(2, n), 1n)],
  ]),
);

/** Through the pool by the indices in use, in the lower half or the upper one of a mode. */
export const throughPool = fc
  .tuple(
    fc.constantFrom<[width: number, levels: number]>([39, 3], [39, 3], [48, 4], [57, 5]),
    fc.constantFrom(0, 0, 1, LAST_ENTRY),
    fc.tuple(fc.nat(1), fc.nat(1), fc.nat(1)),
    index,
    fc.constantFrom(0, 8, 16, 24, 4, 3, PAGE - 4),
  )
  .map(([[width, levels], top, between, last, offset]) => {
    const indices = [top, ...between.slice(0, levels - 2), last];
    const page = indices.reduce((sum, its) => (sum << 9n) | BigInt(its), 0n);
    return BigInt.asUintN(64, BigInt.asIntN(width, (page << 12n) | BigInt(offset)));
  });
/** Virtual addresses through the pool, where tables and data are found as they are, and off the end. */
const anyAddress: fc.Arbitrary<bigint> = fc.oneof(
  { weight: 9, arbitrary: throughPool },
  { weight: 2, arbitrary: anyPlace.map(({ at }) => BigInt(at)) },
  // Guest-physical addresses as they are, where vsatp is Bare: into the other pages of a wide root, and beyond.
  {
    weight: 1,
    arbitrary: fc
      .tuple(throughPool, fc.constantFrom(39n, 40n, 48n, 49n, 57n, 58n, 59n))
      .map(([address, bit]) => BigInt.asUintN(38, address) | (1n << bit)),
  },
  { weight: 1, arbitrary: fc.constantFrom(BigInt(DATA), 1n << 38n, 0xffff_ffff_c000_0000n, 4094n, 1n << 40n) },
);

/** In a snippet of their own, to be run in any mode. */
export const ACCESSES = {
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
  swap: 'amocas.d zero, a1, (a0)',
  pair: 'amocas.q zero, a0, (a0)',
  single: 'flw f0, 0(a0)',
  double: 'fsd f0, 0(a0)',
  zero: 'cbo.zero (a0)',
  sfence: 'sfence.vma a0, a1',
  sinval: 'sinval.vma a0, a1',
  hfenceVvma: 'hfence.vvma a0, a1',
  hfenceGvma: 'hfence.gvma a0, a1',
  hinvalVvma: 'hinval.vvma a0, a1',
  hinvalGvma: 'hinval.gvma a0, a1',
} as const;
export type Access = keyof typeof ACCESSES;
export const NAMES = Object.keys(ACCESSES) as Access[];

/** From M-mode: by address, by ASID or VMID, by both and by none. */
const FENCES = [
  ...['sfence.vma', 'sinval.vma', 'hfence.vvma', 'hinval.vvma', 'hfence.gvma', 'hinval.gvma'].flatMap((name) =>
    ['zero, zero', 'a0, zero', 'zero, a1', 'a0, a1'].map((operands) => `${name} ${operands}`),
  ),
  'sfence.w.inval',
  'sfence.inval.ir',
  'fence.i',
  'fence',
] as const;
export const MODES = { HS: 1n << 11n, U: 0n, VS: (1n << 11n) | (1n << 39n), VU: 1n << 39n } as const;
export type Mode = keyof typeof MODES;

/** What is stored in every other round of the program, and in the rounds between. */
export type Values = readonly [bigint, bigint];
export interface Root {
  readonly csr: 'satp' | 'vsatp' | 'hgatp';
  readonly value: bigint;
}
export type Step =
  | {
      /** `mprv`: from M-mode. */
      readonly kind: 'access' | 'mprv';
      readonly mode: Mode;
      readonly access: Access;
      readonly at: bigint;
      readonly values: Values;
    }
  | { readonly kind: 'entry'; readonly at: number; readonly values: Values }
  | { readonly kind: 'fence'; readonly fence: string; readonly at: bigint; readonly id: number }
  | ({ readonly kind: 'root' } & Root)
  | { readonly kind: 'bits'; readonly csr: string; readonly bits: bigint; readonly on: boolean };

export interface Program {
  readonly harts: number;
  /** Entries of the pool when the program begins: page by page. */
  readonly pool: readonly bigint[];
  /** Roots when it begins. */
  readonly roots: readonly Root[];
  /** Each hart does one of the two over and over. */
  readonly steps: readonly [readonly Step[], readonly Step[]];
  /** Entries written from outside. */
  readonly pokes: readonly { readonly ticks: number; readonly at: number; readonly value: bigint }[];
}

const modeField = fc.constantFrom(8 as const, 9 as const, 10 as const);
const translating = fc.oneof({ weight: 4, arbitrary: modeField }, { weight: 1, arbitrary: fc.constant(0 as const) });
/** `csr` with a root that suits its mode, or now and then any page of the pool: a table at two levels. */
export const firstRoot = (csr: 'satp' | 'vsatp'): fc.Arbitrary<Root> =>
  fc.tuple(translating, fc.nat(3), fc.nat(1), fc.nat(POOL_PAGES - 1), fc.nat(5)).map(([mode, id, n, any, odd]) => {
    const page = odd === 0 || mode === 0 ? any : OF_LEVEL[mode - 6]![0] + n;
    return { csr, value: (BigInt(mode) << 60n) | (BigInt(id) << 44n) | BigInt((POOL >>> 12) + page) };
  });
export const guestRoot: fc.Arbitrary<Root> = fc
  .tuple(translating, fc.nat(3), fc.nat(1), modeField, fc.nat(5))
  .map(([mode, id, n, any, odd]) => {
    const at = groot(odd === 0 || mode === 0 ? any : mode, n);
    return { csr: 'hgatp', value: (BigInt(mode) << 60n) | (BigInt(id) << 44n) | BigInt(at >>> 12) };
  });
const root = fc.oneof(firstRoot('satp'), firstRoot('vsatp'), guestRoot);

type Bits = [csr: string, bits: bigint];
const statusBits = fc.constantFrom<Bits>(
  // SUM, MXR and TVM; R and W of the one PMP entry; ADUE and PBMTE; SPVP and VTVM.
  ['mstatus', 1n << 18n],
  ['mstatus', 1n << 19n],
  ['mstatus', 1n << 20n],
  ['vsstatus', 1n << 18n],
  ['vsstatus', 1n << 19n],
  ['pmpcfg0', 1n << 2n],
  ['pmpcfg0', 1n << 1n],
  ['menvcfg', 1n << 61n],
  ['menvcfg', 1n << 62n],
  ['henvcfg', 1n << 61n],
  ['henvcfg', 1n << 62n],
  ['hstatus', 1n << 8n],
  ['hstatus', 1n << 20n],
);
/** Another mode, ASID or VMID for the same root, and another root with the same. */
const rootBits = fc.tuple(
  fc.constantFrom('satp', 'vsatp', 'hgatp'),
  fc.constantFrom(1n << 60n, 2n << 60n, 1n << 44n, 4n),
);
const bits: fc.Arbitrary<Bits> = fc.oneof({ weight: 3, arbitrary: statusBits }, { weight: 1, arbitrary: rootBits });
const mode = fc.constantFrom<Mode>('HS', 'U', 'VS', 'VU', 'VS', 'HS');
const value = fc.oneof(
  { weight: 3, arbitrary: entry },
  { weight: 1, arbitrary: fc.constantFrom(0n, 1n, 0x0000_8067_0000_0013n) },
);
const values = fc.tuple(value, value);
const access = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<Access>('load', 'store', 'store') },
  { weight: 5, arbitrary: fc.constantFrom(...NAMES) },
);
/** Steps that access memory at the given addresses: few of them, so that what has been cached is met again. */
const stepAt = (address: fc.Arbitrary<bigint>, place: fc.Arbitrary<Place>): fc.Arbitrary<Step> => {
  const accessing = <K extends string>(kind: K) =>
    fc.record({ kind: fc.constant(kind), mode, access, at: address, values });
  return fc.oneof(
    { weight: 10, arbitrary: accessing('access' as const) },
    { weight: 3, arbitrary: accessing('mprv' as const) },
    {
      weight: 4,
      arbitrary: place.chain(({ at, level }) => {
        const original = ORIGINAL.get(at);
        const its = fc.oneof(
          { weight: 4, arbitrary: entryFor(level) },
          { weight: 1, arbitrary: value },
          { weight: original === undefined ? 0 : 4, arbitrary: fc.constant(original ?? 0n) },
        );
        return fc.tuple(its, its).map((drawn) => ({ kind: 'entry' as const, at, values: drawn }));
      }),
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
    { weight: 3, arbitrary: root.map((drawn) => ({ kind: 'root' as const, ...drawn })) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(bits, fc.boolean())
        .map(([[csr, mask], on]) => ({ kind: 'bits' as const, csr, bits: mask, on })),
    },
  );
};

const stepsIn = (place: fc.Arbitrary<Place>) =>
  fc
    .array(anyAddress, { minLength: 2, maxLength: 5 })
    .map((few) => fc.array(stepAt(fc.constantFrom(...few), place), { minLength: 3, maxLength: 40, size: 'max' }))
    .chain((list) => fc.tuple(list, list));
/** The first entry of the uppermost tables leads down, so that code is found in every mode when the program begins. */
const firstEntry = (n: number) => {
  const level = levelOf(Math.floor(n / USED));
  return level > 2 && n % USED === 0 ? working(level) : entryFor(level);
};

export const PROGRAM: fc.Arbitrary<Program> = fc
  .tuple(firstRoot('satp'), firstRoot('vsatp'), guestRoot)
  .chain((roots) => {
    const place = placeOf(roots);
    return fc.record({
      harts: fc.constantFrom(1, 2),
      pool: fc.tuple(...Array.from({ length: POOL_PAGES * USED }, (_, n) => firstEntry(n))),
      roots: fc.constant(roots),
      steps: stepsIn(place),
      pokes: fc.array(
        place.chain(({ at, level }) =>
          fc.record({ ticks: fc.integer({ min: 100, max: TICKS }), at: fc.constant(at), value: entryFor(level) }),
        ),
        { maxLength: 6 },
      ),
    });
  });
