import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitmix64 } from '../../../engine/index.ts';
import { binomial, clusterInterval, pooledRate, rateOfRows, type SeedCount } from './bootstrap.ts';
import { rateOf, wilsonInterval } from './statistics.ts';

const seedCount = fc.nat(400).chain((of) => fc.nat(of).map((hits): SeedCount => ({ hits, of })));
const seeds = fc.array(seedCount, { minLength: 1, maxLength: 8 });
const same = (n: number, hits: number, of: number): SeedCount[] => Array.from({ length: n }, () => ({ hits, of }));

describe('an interval over several seeds', () => {
  it('is as wide as the seeds differ: of seeds that are all or nothing, that of a draw of five seeds', () => {
    // Shares of a replicate are X/5 with X binomial (5, 2/5): P(X = 0) = 0.078, P(X = 5) = 0.010, P(X >= 4) = 0.087.
    const all = [...same(3, 0, 100), ...same(2, 100, 100)];
    expect(clusterInterval(all)).toEqual({ low: 0, high: 0.8 });
    expect(pooledRate(all).interval).toEqual({ low: 0, high: 0.8 });
    const alone = wilsonInterval(200, 500);
    expect(alone.low).toBeGreaterThan(0.35);
    expect(alone.high).toBeLessThan(0.45);
  });

  it("is about Wilson's where seeds do not differ", () => {
    for (const [hits, of] of [
      [160, 200],
      [190, 200],
      [100, 200],
    ] as const) {
      const plain = wilsonInterval(5 * hits, 5 * of);
      const { low, high } = clusterInterval(same(5, hits, of))!;
      expect(Math.abs(low - plain.low)).toBeLessThan(0.005);
      expect(Math.abs(high - plain.high)).toBeLessThan(0.005);
    }
  });

  it('has the variance of both stages: between seeds, and within', () => {
    const all = Array.from({ length: 40 }, (_, i) => ({ hits: 500 + 10 * i, of: 1000 }));
    const shares = all.map(({ hits, of }) => hits / of);
    const mean = shares.reduce((sum, p) => sum + p, 0) / 40;
    const between = shares.reduce((sum, p) => sum + (p - mean) ** 2, 0) / 40;
    const within = shares.reduce((sum, p) => sum + (p * (1 - p)) / 1000, 0) / 40;
    const expected = 1.96 * Math.sqrt((between + within) / 40);
    const { low, high } = clusterInterval(all)!;
    expect((high - low) / 2 / expected).toBeGreaterThan(0.94);
    expect((high - low) / 2 / expected).toBeLessThan(1.06);
    expect((high + low) / 2).toBeCloseTo(mean, 2);
  });

  it("holds a system's share about as often as it says, where seeds differ and Wilson's does not", () => {
    // Shares of seeds about 0.9, with a standard deviation of 0.03.
    const random = splitmix64(7n, 200_000).values();
    const next = () => Number(random.next().value! >> 11n) / 2 ** 53;
    const systems = 300;
    let [held, heldByWilson] = [0, 0];
    for (let system = 0; system < systems; system++) {
      const all = Array.from({ length: 5 }, () => {
        const share = 0.9 + 0.06 * (next() + next() + next() - 1.5);
        return { hits: binomial(200, share)(next()), of: 200 };
      });
      const { hits, of, interval } = pooledRate(all);
      const alone = wilsonInterval(hits, of);
      if (interval!.low <= 0.9 && 0.9 <= interval!.high) held++;
      if (alone.low <= 0.9 && 0.9 <= alone.high) heldByWilson++;
    }
    expect(held / systems).toBeGreaterThan(0.9);
    expect(heldByWilson / systems).toBeLessThan(0.8);
  });

  it("is never narrower than Wilson's, holds the share, and is the same each time", () => {
    fc.assert(
      fc.property(seeds, (all) => {
        const rate = pooledRate(all);
        const plain = rateOf(rate.hits, rate.of);
        expect({ ...rate, interval: null }).toEqual({ ...plain, interval: null });
        if (!plain.interval) {
          expect(rate).toEqual(plain);
          return;
        }
        expect(rate.interval!.low).toBeLessThanOrEqual(plain.interval.low);
        expect(rate.interval!.high).toBeGreaterThanOrEqual(plain.interval.high);
        expect(rate.interval!.low).toBeGreaterThanOrEqual(0);
        expect(rate.interval!.high).toBeLessThanOrEqual(1);
        expect(pooledRate(all)).toEqual(rate);
      }),
      { numRuns: 40 },
    );
  });

  it("is Wilson's of one seed, of none, at nothing and at all", () => {
    expect(pooledRate(same(1, 7, 9))).toEqual(rateOf(7, 9));
    expect(pooledRate([...same(1, 7, 9), ...same(3, 0, 0)])).toEqual(rateOf(7, 9));
    expect(pooledRate([])).toEqual(rateOf(0, 0));
    expect(pooledRate(same(5, 0, 80))).toEqual(rateOf(0, 400));
    expect(pooledRate(same(5, 80, 80))).toEqual(rateOf(400, 400));
  });

  it('takes rows by their seed', () => {
    const rows = [3, 3, 4, 4, 4, 5].map((seed, i) => ({ seed, good: i % 2 === 0 }));
    expect(rateOfRows(rows, ({ good }) => good)).toEqual(
      pooledRate([
        { hits: 1, of: 2 },
        { hits: 2, of: 3 },
        { hits: 0, of: 1 },
      ]),
    );
  });
});

describe('binomial quantiles', () => {
  /** By definition, in logarithms. */
  const slow = (n: number, p: number, uniform: number): number => {
    let sum = 0;
    let logTerm = n * Math.log1p(-p);
    for (let k = 0; k < n; k++) {
      sum += Math.exp(logTerm);
      if (sum > uniform) return k;
      logTerm += Math.log((n - k) / (k + 1)) + Math.log(p) - Math.log1p(-p);
    }
    return n;
  };

  it('equal adding up terms', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }).chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 1, max: n }))),
        // Not so near the ends that the rounding of either sum decides.
        fc.double({ min: 1e-6, max: 1 - 1e-6, noNaN: true }),
        ([n, hits], uniform) => {
          const p = hits / (n + 1);
          expect(Math.abs(binomial(n, p)(uniform) - slow(n, p, uniform))).toBeLessThanOrEqual(0);
        },
      ),
    );
  });

  it('know certainty, and thousands of trials', () => {
    expect(binomial(9, 0)(0.99)).toBe(0);
    expect(binomial(9, 1)(0.01)).toBe(9);
    expect(binomial(5000, 0.5)(0.5)).toBe(2500);
    expect(binomial(5000, 0.0002)(0.3)).toBe(0);
  });
});
