import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PUBLISHED_OUTCOMES } from './published.ts';
import { holmAdjusted, mcnemarExact, rateOf, separation, spreadOf, wilsonInterval } from './statistics.ts';

const counts = fc.nat(5000).chain((of) => fc.tuple(fc.nat(of), fc.constant(of)));

describe('Wilson intervals', () => {
  it('are those of DSN18 (success, 3AppVM)', () => {
    const expected = {
      failstop: { rehype: [98.0, 99.4], nilihype: [97.7, 99.2] },
      register: { rehype: [94.9, 97.3], nilihype: [92.8, 95.7] },
      code: { rehype: [88.8, 92.3], nilihype: [86.7, 90.5] },
    };
    for (const row of PUBLISHED_OUTCOMES) {
      for (const recovery of ['rehype', 'nilihype'] as const) {
        const { success, detected } = row[recovery];
        const { low, high } = wilsonInterval(Math.round(success * detected), detected);
        const at = [Math.round(1000 * low) / 10, Math.round(1000 * high) / 10];
        expect(at, `${row.faultClass} ${recovery}`).toEqual(expected[row.faultClass][recovery]);
      }
    }
  });

  it('equal the published values of Newcombe 1998, table I', () => {
    // Method 3 (score without continuity correction).
    for (const [hits, of, low, high] of [
      [81, 263, 0.2553, 0.3662],
      [15, 148, 0.0624, 0.1605],
      [0, 20, 0, 0.1611],
      [1, 29, 0.0061, 0.1718],
    ] as const) {
      const interval = wilsonInterval(hits, of);
      expect(interval.low).toBeCloseTo(low, 4);
      expect(interval.high).toBeCloseTo(high, 4);
    }
  });

  it('hold the proportion, mirror, and bound the score statistic by z', () => {
    fc.assert(
      fc.property(counts, ([hits, of]) => {
        fc.pre(of > 0);
        const { low, high } = wilsonInterval(hits, of);
        const p = hits / of;
        expect(low).toBeLessThanOrEqual(p);
        expect(high).toBeGreaterThanOrEqual(p);
        const mirrored = wilsonInterval(of - hits, of);
        expect(mirrored.low).toBeCloseTo(1 - high, 12);
        // Its definition, solved the other way: at each bound p0, |p - p0| = z sqrt(p0 (1 - p0) / n).
        for (const bound of [low, high]) {
          if (bound === 0 || bound === 1) continue;
          expect((p - bound) ** 2).toBeCloseTo((1.959964 ** 2 * bound * (1 - bound)) / of, 6);
        }
      }),
    );
  });

  it('of nothing are no intervals', () => {
    expect(rateOf(0, 0)).toEqual({ hits: 0, of: 0, share: null, interval: null });
    expect(() => wilsonInterval(0, 0)).toThrow(/at least one trial/);
    expect(() => rateOf(3, 2)).toThrow(/got 3 of 2/);
  });
});

/** Two-sided exact binomial with integers only: 2 × sum of C(n, i) for i ≤ k, over 2^n, to 15 digits. */
function slowMcnemar(b: number, c: number): number {
  const n = BigInt(b + c);
  let choose = 1n;
  let tail = 0n;
  for (let i = 0n; i <= BigInt(Math.min(b, c)); i++) {
    tail += choose;
    choose = (choose * (n - i)) / (i + 1n);
  }
  const scale = 10n ** 330n;
  const scaled = (2n * tail * scale) / 2n ** n;
  return Math.min(1, Number(`${scaled}e-330`));
}

describe('exact McNemar', () => {
  it('equals the binomial in integers', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(300), (b, c) => {
        const slow = slowMcnemar(b, c);
        const fast = mcnemarExact(b, c);
        expect(Math.abs(fast - slow)).toBeLessThanOrEqual(1e-10 * slow);
        expect(mcnemarExact(c, b)).toBe(fast);
      }),
    );
  });

  it('knows textbook values', () => {
    expect(mcnemarExact(0, 0)).toBe(1);
    expect(mcnemarExact(7, 7)).toBe(1);
    expect(mcnemarExact(0, 5)).toBeCloseTo(0.0625, 12);
    expect(mcnemarExact(0, 6)).toBeCloseTo(0.03125, 12);
    expect(mcnemarExact(5, 15)).toBeCloseTo(0.041389, 6);
  });

  it('does not break on thousands of pairs', () => {
    expect(mcnemarExact(0, 5000)).toBe(0);
    expect(mcnemarExact(2500, 2501)).toBe(1);
  });
});

/** Holm by its definition: reject in order while p(i) ≤ alpha / (m - i). */
function holmRejects(p: readonly number[], alpha: number): boolean[] {
  const rejected = p.map(() => false);
  const order = p.map((_, i) => i).sort((a, b) => p[a]! - p[b]! || a - b);
  for (const [rank, index] of order.entries()) {
    if (p[index]! * (p.length - rank) > alpha) break;
    rejected[index] = true;
  }
  return rejected;
}

describe('Holm', () => {
  it('rejects what the step-down procedure rejects', () => {
    const p = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 });
    fc.assert(
      fc.property(p, fc.double({ min: 0.001, max: 0.5, noNaN: true }), (values, alpha) => {
        expect(holmAdjusted(values).map((adjusted) => adjusted <= alpha)).toEqual(holmRejects(values, alpha));
      }),
    );
  });

  it('equals a worked example', () => {
    expect(holmAdjusted([0.01, 0.04, 0.03, 0.005]).map((p) => Number(p.toFixed(6)))).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holmAdjusted([])).toEqual([]);
  });
});

describe('separation', () => {
  it('is said of intervals that do not touch', () => {
    expect(separation({ low: 0.1, high: 0.2 }, { low: 0.3, high: 0.4 })).toBe('higher');
    expect(separation({ low: 0.3, high: 0.4 }, { low: 0.1, high: 0.2 })).toBe('lower');
    expect(separation({ low: 0.1, high: 0.3 }, { low: 0.3, high: 0.4 })).toBe('none');
    expect(separation({ low: 0.1, high: 0.9 }, { low: 0.3, high: 0.4 })).toBe('none');
  });
});

describe('spread', () => {
  it('equals counting', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(1000), { minLength: 1, maxLength: 200 }), (sample) => {
        const { n, mean, median, p95, max } = spreadOf(sample)!;
        const atMost = (bound: number) => sample.filter((value) => value <= bound).length;
        expect(n).toBe(sample.length);
        expect(mean * n).toBeCloseTo(
          sample.reduce((a, b) => a + b),
          6,
        );
        expect(max).toBe(Math.max(...sample));
        expect(sample).toContain(p95);
        expect(atMost(p95)).toBeGreaterThanOrEqual(0.95 * n);
        for (const smaller of sample.filter((value) => value < p95)) expect(atMost(smaller)).toBeLessThan(0.95 * n);
        // As many lie above the median as below.
        expect(sample.filter((value) => value < median).length).toBeLessThanOrEqual(n / 2);
        expect(sample.filter((value) => value > median).length).toBeLessThanOrEqual(n / 2);
      }),
    );
    expect(spreadOf([4, 1, 3, 2])?.median).toBe(2.5);
    expect(spreadOf([])).toBeNull();
  });
});
