/** Clusters of failures in campaigns where one place is bad on purpose. */
import { describe, expect, it } from 'vitest';
import type { CampaignResults } from '../types.ts';
import { htmlReport, markdownReport, summarise, textReport } from './index.ts';
import { hypergeometricTail } from './statistics.ts';
import { NILIHYPE, REHYPE, syntheticResults } from './synthetic.fixtures.ts';

/** Rows of two mechanisms; `struck` says what row n hits and whether it fails. */
function campaign(struck: (n: number) => { register: number; place: string; fails: boolean }): CampaignResults {
  const cell = { faultClass: 'register', failed: 300, noVmf: 0 } as const;
  const results = syntheticResults([
    { ...cell, mechanism: REHYPE },
    { ...cell, mechanism: NILIHYPE },
  ]);
  return {
    ...results,
    rows: results.rows.map((row) => {
      const { register, place, fails } = struck(row.index);
      const ended = fails ? {} : { success: true, noVmf: true };
      const hit = { ...row.result!.hit!, symbol: place, target: `x${register}` };
      return { ...row, result: { ...row.result!, hit, ...ended } };
    }),
  };
}

const clustersOf = (results: CampaignResults, path = 'r.sqlite') => summarise(results, path).clusters;

/** One in ten fails everywhere; half of all rows are at one place. */
const even = (n: number) => ({
  register: 1 + (n % 7),
  place: n % 2 === 0 ? 'popular+0x4' : `quiet${n % 13}`,
  fails: n % 10 < 2 && n % 20 < 10,
});

describe('clusters', () => {
  it('begin with the register and place that are bad', () => {
    const [first] = clustersOf(campaign((n) => (n % 25 === 3 ? { register: 9, place: 'bad', fails: true } : even(n))));
    expect(first!.hit).toBe('x9 in bad');
    expect([first!.bad, first!.of]).toEqual([12, 12]);
    expect(first!.holm).toBeLessThan(1e-6);
    expect(first!.commands).toEqual(['#4', '#29', '#54'].map((row) => `dejavm inject r.sqlite${row}`));
    expect(first!.ends.reduce((sum, { count }) => sum + count, 0)).toBe(24);
  });

  it('do not call a place bad for being popular', () => {
    const found = clustersOf(campaign(even));
    expect(found.filter(({ holm }) => holm < 0.05)).toEqual([]);
    expect(found[0]!.hit).not.toContain('popular');
    expect(found.length).toBeLessThanOrEqual(20);
  });

  it('show hostile text, and do not send it', () => {
    const evil = '<script>alert(1)</script>\u001b[2J\u202e';
    const report = summarise(
      campaign((n) => ({ register: 1, place: n % 9 === 0 ? evil : 'f', fails: n % 9 === 0 })),
      'r.sqlite',
    );
    expect(report.clusters[0]!.hit).toContain(evil);
    expect(htmlReport(report)).not.toContain('<script');
    for (const write of [htmlReport, textReport, markdownReport]) {
      for (const sent of ['\u001b', '\u202e']) expect(write(report)).not.toContain(sent);
    }
  });
});

describe('hypergeometricTail', () => {
  it('is the tail of the distribution, counted out', () => {
    const choose = (n: number, k: number): number =>
      k < 0 || k > n ? 0 : k === 0 ? 1 : (choose(n - 1, k - 1) * n) / k;
    for (const [sample, marked, total] of [
      [4, 5, 12],
      [9, 8, 12],
      [1, 1, 1],
      [3, 0, 7],
      [6, 6, 6],
    ] as const) {
      for (let hits = 0; hits <= Math.min(sample, marked); hits++) {
        let sum = 0;
        for (let k = hits; k <= sample; k++) sum += choose(marked, k) * choose(total - marked, sample - k);
        expect(hypergeometricTail(hits, sample, marked, total)).toBeCloseTo(sum / choose(total, sample), 10);
      }
    }
  });
});
