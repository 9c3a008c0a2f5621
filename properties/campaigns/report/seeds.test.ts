/** That no rate is mistaken for one that may be reported, and that seeds are pooled and paired as they should be. */
import { describe, expect, it } from 'vitest';
import { csvReport } from './csv.ts';
import { htmlReport } from './html/index.ts';
import { markdownReport } from './markdown.ts';
import { wilsonInterval } from './statistics.ts';
import { summarise } from './summarise.ts';
import { type CellSpec, NILIHYPE, REHYPE, syntheticResults } from './synthetic.fixtures.ts';
import { textReport } from './text.ts';

const results = (specs: readonly CellSpec[]) => syntheticResults(specs);
const report = (specs: readonly CellSpec[]) => summarise(results(specs), 'r.sqlite');

/** The same cell for each of so many evaluation seeds; `ends` say how many of its 10 rows fail. */
const seeded = (spec: CellSpec, ...failed: number[]): CellSpec[] =>
  failed.map((count, evaluation) => ({ ...spec, evaluation, failed: count, noVmf: 10 - count }));

const EVALUATION = seeded({ mechanism: REHYPE }, 0, 1, 2, 3, 4);
const DEVELOPMENT: CellSpec = { mechanism: REHYPE, seed: 7, noVmf: 9, failed: 1 };

const firstLines = (specs: readonly CellSpec[]) => {
  const summary = report(specs);
  const body = htmlReport(summary).split('<body>\n')[1]!;
  return [textReport(summary), markdownReport(summary), body].map((text) => text.split('\n')[0]!);
};

describe('a report of evaluation seeds', () => {
  it('names them, and says that they were checked', () => {
    const text = textReport(report(EVALUATION));
    expect(text.split('\n')[0]).toMatch(/^campaign /);
    expect(text).toMatch(/^seeds +evaluation seeds 0–4, derived from the images: checked$/m);
    const { seeds } = report(EVALUATION).campaign;
    expect(text).toContain(`seeds of 1AppVM  ${seeds.setups[0]!.seeds.join(', ')}`);
    expect(text).toContain(`sha256 ${'a'.repeat(64)}`);
    expect(seeds).toMatchObject({ kind: 'evaluation', setups: [{ numbers: [0, 1, 2, 3, 4], cells: [1, 2, 3, 4, 5] }] });
    expect(report(EVALUATION).warning).toBeNull();
    expect(text).not.toMatch(/not to be reported|dev\. seed/);
  });

  it('is refused where a seed is not that of the images', () => {
    const good = results(EVALUATION);
    const changes = [
      { images: { ...good.images, firmware: 'c'.repeat(64) } },
      { imagesOf: { '1AppVM': ['firmware'] } },
      { cells: good.cells.map((cell) => (cell.id === 1 ? { ...cell, seed: 7 } : cell)) },
    ];
    for (const change of changes) {
      expect(() => summarise({ ...good, ...change }, 'r.sqlite')).toThrow(
        /^the results of campaign 'synthetic' contradict themselves: cell 1 has seed \d+, but evaluation seed 0 of/,
      );
    }
  });

  it('pools the seeds of a combination, and shows each', () => {
    const { groups } = report(EVALUATION);
    expect(groups.map(({ injected, cells, seedKind }) => [injected, cells, seedKind])).toEqual([
      [50, [1, 2, 3, 4, 5], 'evaluation'],
    ]);
    expect(groups[0]!.bySeed.map(({ evaluation, detected, success }) => [evaluation, detected, success])).toEqual([
      [0, 10, 10],
      [1, 10, 9],
      [2, 10, 8],
      [3, 10, 7],
      [4, 10, 6],
    ]);
    const text = textReport(report(EVALUATION));
    expect(text).toMatch(/^1AppVM {2}failstop {2}ReHype +4 +10 +10 +60\.0 /m);
    // Five small dots and two marks, in each of two drawings.
    const html = htmlReport(report(EVALUATION));
    const figure = html.slice(
      html.indexOf('id="figure-rates"'),
      html.indexOf('</figure>', html.indexOf('id="figure-rates"')),
    );
    expect(figure.match(/r="1.8"/g)?.length).toBe(2 * 5);
  });
});

describe('intervals', () => {
  const widthOf = (...failed: number[]) => {
    const { low, high } = report(seeded({ mechanism: REHYPE }, ...failed)).groups[0]!.success.detected.interval!;
    return high - low;
  };

  it('are as wide as seeds differ, whatever is counted', () => {
    // 10 of 50 fail in each.
    expect(widthOf(10, 0, 0, 0, 0)).toBeGreaterThan(1.5 * widthOf(2, 2, 2, 2, 2));
    const [group] = report(seeded({ mechanism: REHYPE }, 10, 0, 0, 0, 0)).groups;
    const alone = wilsonInterval(40, 50);
    for (const rate of [group!.success.manifested, group!.success.injected, group!.noVmf.detected]) {
      expect(rate.interval!.low).toBeLessThan(alone.low);
    }
    const rung = { ladder: 'rehype cumulative', step: 0, name: 'basic' };
    const [ladder] = report(seeded({ mechanism: REHYPE, rung }, 10, 0, 0, 0, 0)).ladders;
    expect(ladder!.rungs[0]!.success).toEqual(group!.success.detected);
    expect(ladder!.rungs[0]!.seeds).toBe(5);
  });

  it('say how they were made: from several seeds, from one, or from both', () => {
    const note = (specs: readonly CellSpec[]) => textReport(report(specs)).replaceAll('\n', ' ');
    expect(note(EVALUATION)).toContain('and of a cluster bootstrap (2000 times, seeds with replacement,');
    expect(note(EVALUATION)).not.toContain('is not in them');
    expect(note([DEVELOPMENT])).toContain('of runs of one seed: the variance between seeds is not in them.');
    expect(note([DEVELOPMENT])).not.toContain('cluster bootstrap');
    expect(note([...EVALUATION, DEVELOPMENT])).toContain("of one seed, Wilson's alone: the variance between seeds");
  });
});

describe('a report of development seeds', () => {
  it('says in its first line that its rates are not to be reported', () => {
    for (const line of firstLines([DEVELOPMENT])) {
      expect(line).toContain('Rates of development seeds');
      expect(line).toContain('not to be reported');
    }
    const json = JSON.stringify(report([DEVELOPMENT]));
    expect(json).toMatch(/^\{"warning":"Rates of development seeds: for finding causes, not to be reported\./);
    expect(textReport(report([DEVELOPMENT]))).toContain('development seed 7 in cells 1 (1AppVM): not to be reported');
    expect(csvReport(report([DEVELOPMENT]))).toContain('success,1AppVM,failstop,ReHype,development,,of_detected,0.9,');
  });

  it('says nothing of the sort before there is anything', () => {
    expect(report([]).warning).toBeNull();
  });
});

describe('a report of both', () => {
  const both = [...EVALUATION, DEVELOPMENT, { ...DEVELOPMENT, mechanism: NILIHYPE }];

  it('keeps them apart, and says so first', () => {
    for (const line of firstLines(both)) expect(line).toContain('Some rates are of development seeds');
    const { groups, paired } = report(both);
    expect(groups.map(({ mechanism, injected, seedKind }) => [mechanism, injected, seedKind])).toEqual([
      ['ReHype', 50, 'evaluation'],
      ['ReHype, dev. seed', 10, 'development'],
      ['NiLiHype, dev. seed', 10, 'development'],
    ]);
    expect(new Set(paired.map(({ first, second }) => `${first} : ${second}`))).toEqual(
      new Set(['ReHype, dev. seed : NiLiHype, dev. seed']),
    );
  });

  it('keeps ladders apart', () => {
    const rung = { ladder: 'rehype cumulative', step: 0, name: 'basic' };
    const { ladders } = report([...seeded({ mechanism: REHYPE, rung }, 1, 1), { ...DEVELOPMENT, rung }]);
    expect(ladders.map(({ title, rungs }) => [title, rungs[0]!.injected])).toEqual([
      ['ReHype, cumulative', 20],
      ['ReHype, cumulative, development seed', 10],
    ]);
  });
});

describe('pairs over several seeds', () => {
  const step = (n: number, ...failed: number[]) => {
    const rung = { ladder: 'rehype cumulative', step: n, name: `step ${n}` };
    return seeded({ mechanism: { recovery: 'rehype', enhance: ['a', 'b'].slice(0, n) }, rung }, ...failed);
  };

  it('are made within each seed, and added up', () => {
    const { paired } = report([...seeded({ mechanism: REHYPE }, 0, 1, 0), ...seeded({ mechanism: NILIHYPE }, 2, 1, 1)]);
    const success = paired.find(({ metric }) => metric === 'success')!;
    expect(success).toMatchObject({ pairs: 30, both: 26, onlyFirst: 3, onlySecond: 0, neither: 1 });
  });

  it('are those of ladders, too', () => {
    const [ladder] = report([...step(0, 4, 4, 4), ...step(1, 0, 2, 0)]).ladders;
    expect(ladder!.rungs[1]!.injected).toBe(30);
    // 10 pairs in which only the upper rung recovered, none the other way: 2 / 2^10.
    expect(ladder!.rungs[1]!.against!.p).toBeCloseTo(2 ** -9, 12);
  });

  it('measure a rung that was left out against all seeds of the full set', () => {
    const rung = { ladder: 'rehype leave-one-out', step: 1, name: 'all but x' };
    const less = { recovery: 'rehype', enhance: ['a'] } as const;
    const [ladder] = report([
      ...seeded({ mechanism: REHYPE }, 0, 1, 2),
      ...seeded({ mechanism: less, rung }, 5, 5, 5),
    ]).ladders;
    expect(ladder!.rungs[0]!.against).toMatchObject({ name: 'all', points: 100 * (15 / 30 - 27 / 30) });
    expect(ladder!.rungs[0]!.against!.p).toBeCloseTo(2 ** -11, 12);
  });
});
