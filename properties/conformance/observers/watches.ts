/**
 * Random things to observe in the programs of `tlb`: what they change, what they execute, and what they never touch.
 */
import fc from 'fast-check';
import type { Watch } from '../../../engine/index.ts';
import {
  DATA,
  DATA_PAGES,
  groot,
  gtable,
  IDENTITY_TABLES,
  PAGE,
  POOL,
  POOL_PAGES,
  RAM,
  SEEN,
  SNIPPETS,
} from '../tlb/index.ts';

/** What is observed at one time. */
export interface Observation {
  readonly watches: readonly Watch[];
  readonly breakAt: readonly number[];
  readonly breakAtVirtual: readonly bigint[];
}

const pagesFrom = (first: number, count: number) => Array.from({ length: count }, (_, n) => first + n * PAGE);

const POOL_ALL = pagesFrom(POOL, POOL_PAGES);
const DATA_ALL = pagesFrom(DATA, DATA_PAGES);

type Range = Pick<Watch, 'paddr' | 'bytes'>;
const RAM_BYTES = 4 << 20;
const COLD = RAM + 0x3f_0000;

const hotPage = fc.oneof(
  { weight: 4, arbitrary: fc.nat(POOL_PAGES - 1).map((n) => POOL + n * PAGE) },
  { weight: 3, arbitrary: fc.nat(DATA_PAGES - 1).map((n) => DATA + n * PAGE) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      ...([8, 9, 10] as const).flatMap((mode) => [groot(mode, 0), groot(mode, 1)]),
      ...([2, 3] as const).flatMap((level) => [gtable(level, 0), gtable(level, 1)]),
      ...[0, 1, 2, 3, 4, 5].map((n) => IDENTITY_TABLES + n * PAGE),
    ),
  },
  { weight: 1, arbitrary: fc.constantFrom(SEEN, RAM, SNIPPETS, SNIPPETS + PAGE, COLD) },
);
/** Some bytes of a page: mostly about its first words, which programs use, or about its end. */
const part = fc
  .tuple(hotPage, fc.oneof(fc.nat(40), fc.integer({ min: PAGE - 12, max: PAGE - 1 })), fc.integer({ min: 1, max: 20 }))
  .map(([page, from, bytes]): Range => ({ paddr: page + from, bytes }));
const range: fc.Arbitrary<Range> = fc.oneof(
  { weight: 6, arbitrary: part },
  { weight: 3, arbitrary: hotPage.map((paddr) => ({ paddr, bytes: PAGE })) },
  { weight: 2, arbitrary: fc.constant({ paddr: POOL, bytes: POOL_PAGES * PAGE }) },
  { weight: 2, arbitrary: fc.constant({ paddr: DATA, bytes: DATA_PAGES * PAGE }) },
  { weight: 2, arbitrary: fc.constant({ paddr: RAM, bytes: RAM_BYTES }) },
);
const asked = fc
  .tuple(fc.constantFrom('reads', 'writes', 'writes', 'both', 'both', 'neither'), fc.nat(3))
  .map(([kind, stops]) => ({
    reads: kind === 'reads' || kind === 'both',
    writes: kind === 'writes' || kind === 'both',
    stops: stops === 0,
  }));
const watch: fc.Arbitrary<Watch> = fc.tuple(range, asked).map(([its, what]) => ({ ...its, ...what }));
/** In each page of the pool, of data, or of both: small ranges side by side, so that most accesses meet several. */
const tiles: fc.Arbitrary<readonly Watch[]> = fc
  .tuple(
    fc.integer({ min: 3, max: 7 }),
    fc.array(asked, { minLength: 6, maxLength: 6 }),
    fc.constantFrom(POOL_ALL, DATA_ALL, DATA_ALL, [...POOL_ALL, ...DATA_ALL]),
  )
  .map(([bytes, all, pages]) =>
    pages.flatMap((page) =>
      all.map((what, n) => ({ paddr: n === 0 ? page + PAGE - bytes : page + n * bytes, bytes, ...what })),
    ),
  );

/** Of the program's own code and the handler's, of the snippets, and wherever else it may jump to. */
const codeAddress = fc.oneof(
  { weight: 2, arbitrary: fc.nat(255).map((n) => RAM + 4 * n) },
  { weight: 2, arbitrary: fc.nat(60).map((n) => SNIPPETS + 4 * n) },
  { weight: 1, arbitrary: fc.nat(60).map((n) => SNIPPETS + PAGE + 4 * n) },
  { weight: 1, arbitrary: hotPage.map((page) => page + 8) },
);

export const OBSERVATION: fc.Arbitrary<Observation> = fc.record({
  watches: fc.oneof(
    { weight: 5, arbitrary: fc.array(watch, { minLength: 1, maxLength: 6, size: 'max' }) },
    { weight: 1, arbitrary: fc.array(watch, { minLength: 10, maxLength: 40, size: 'max' }) },
    { weight: 2, arbitrary: tiles },
  ),
  breakAt: fc.array(codeAddress, { maxLength: 3 }),
  breakAtVirtual: fc.array(codeAddress.map(BigInt), { maxLength: 3 }),
});
