/**
 * Programs as those of `tlb`, but with page tables that mostly work: so that a short run makes accesses of every form
 * in every mode, and hardware sets A and D bits in both stages, over and over.
 */
import fc from 'fast-check';
import {
  ACCESSES,
  type Access,
  DATA,
  DATA_PAGES,
  firstRoot,
  guestRoot,
  leaf,
  levelOf,
  OF_LEVEL,
  PAGE,
  POOL,
  POOL_PAGES,
  type Program,
  type Step,
  TICKS,
  throughPool,
  USED,
} from '../tlb/index.ts';

/** Of user pages, which everybody may access with SUM: complete, or such that hardware sets D, or A and D. */
const FLAGS = [0xdf, 0x5f, 0x1f, 0x1f].map(BigInt);
const SUM = 1n << 18n;
/** One page holds all entries of the last level, so that those that are rewritten are met again. */
const LEAVES = OF_LEVEL[0][0];

const anyLeaf = fc
  .tuple(fc.nat(DATA_PAGES + POOL_PAGES - 1), fc.constantFrom(...FLAGS))
  .map(([n, flags]) => leaf(n < DATA_PAGES ? DATA + n * PAGE : POOL + (n - DATA_PAGES) * PAGE, flags));
const entryOf = (level: number): fc.Arbitrary<bigint> => {
  if (level === 0) return anyLeaf;
  const [first, count] = OF_LEVEL[level - 1]!;
  return fc.nat(level === 1 ? 0 : count - 1).map((n) => leaf(POOL + (first + n) * PAGE, 1n));
};

const NAMES = (Object.keys(ACCESSES) as Access[]).filter((name) => !/fence|inval|call/.test(name));
const mode = fc.constantFrom('HS', 'U', 'VS', 'VU', 'VS', 'VU');
const value = fc.oneof(fc.constantFrom(0n, 1n, 0xffff_ffff_ffff_ffffn), anyLeaf);
const values = fc.tuple(value, value);
const anyAccess = fc.constantFrom(...NAMES);
const lower = throughPool.filter((address) => address < 1n << 57n);

const accessing = <K extends 'access' | 'mprv'>(kind: K, at: fc.Arbitrary<bigint>) =>
  fc.record({ kind: fc.constant(kind), mode, access: fc.oneof(fc.constant('load' as const), anyAccess), at, values });
const leafPlace = fc.nat(USED - 1).map((n) => POOL + LEAVES * PAGE + 8 * n);
const rewritten: fc.Arbitrary<Step> = fc.record({
  kind: fc.constant('entry'),
  at: leafPlace,
  values: fc.tuple(anyLeaf, anyLeaf),
});
const root = fc.oneof(firstRoot('satp'), firstRoot('vsatp'), guestRoot);
const stepAt = (at: fc.Arbitrary<bigint>): fc.Arbitrary<Step> =>
  fc.oneof(
    { weight: 14, arbitrary: accessing('access', at) },
    { weight: 5, arbitrary: accessing('mprv', at) },
    { weight: 4, arbitrary: rewritten },
    { weight: 1, arbitrary: root.map((drawn) => ({ kind: 'root' as const, ...drawn })) },
  );
const allowed: Step[] = ['mstatus', 'vsstatus'].map((csr) => ({ kind: 'bits', csr, bits: SUM, on: true }));
/** Few steps at few addresses: what has been accessed is accessed again. */
const steps = fc
  .array(lower, { minLength: 1, maxLength: 3 })
  .chain((few) => fc.array(stepAt(fc.constantFrom(...few)), { minLength: 5, maxLength: 14, size: 'max' }))
  .map((drawn) => [...allowed, ...drawn]);

export const WORKING: fc.Arbitrary<Program> = fc.record({
  harts: fc.constantFrom(1, 2),
  pool: fc.tuple(...Array.from({ length: POOL_PAGES * USED }, (_, n) => entryOf(levelOf(Math.floor(n / USED))))),
  roots: fc.tuple(firstRoot('satp'), firstRoot('vsatp'), guestRoot),
  steps: fc.tuple(steps, steps),
  pokes: fc.array(fc.record({ ticks: fc.integer({ min: 100, max: TICKS }), at: leafPlace, value: anyLeaf }), {
    minLength: 2,
    maxLength: 8,
  }),
});
