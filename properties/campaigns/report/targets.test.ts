/** Tables by what was hit, two faults in one run, and NiLiHype apart from the reboot that it falls back to. */
import { expect, it } from 'vitest';
import { parseFault } from '../../../engine/index.ts';
import type { Injection, InjectionResult } from '../injection/index.ts';
import type { CampaignResults } from '../types.ts';
import { summarise } from './summarise.ts';
import { NILIHYPE, REHYPE, syntheticResults } from './synthetic.fixtures.ts';
import { tablesOf } from './tables/index.ts';

/** The results with something changed in the rows of a cell, by index. */
function changed(
  results: CampaignResults,
  cell: number,
  change: (n: number) => { injection?: Partial<Injection>; result?: Partial<InjectionResult> },
): CampaignResults {
  const rows = results.rows.map((row) => {
    if (row.cell !== cell) return row;
    const { injection, result } = change(row.index);
    return {
      ...row,
      injection: { ...row.injection, ...injection },
      ...(row.result && { result: { ...row.result, ...result } }),
    };
  });
  return { ...results, rows };
}

const tableOf = (results: CampaignResults, id: string) =>
  tablesOf(summarise(results, 'x.sqlite')).find((table) => table.id === id);

it('outcomes are told apart by what was hit', () => {
  const plain = syntheticResults([{ mechanism: REHYPE, faultClass: 'csr', sdc: 2, noVmf: 3, failed: 1 }]);
  const faults = ['csr=hgatp,bit=1', 'csr=stvec,bit=1'].map(parseFault);
  const results = changed(plain, 1, (n) => ({ injection: { fault: faults[n % 2]! } }));
  const { targets } = summarise(results, 'x.sqlite');
  expect(
    targets.map(({ target, injected, harmUnseen, detected, success }) => [
      target,
      injected,
      harmUnseen.hits,
      [detected.hits, success.hits],
    ]),
  ).toEqual([
    ['hgatp', 3, 1, [2, 2]],
    ['stvec', 3, 1, [2, 1]],
  ]);
  expect(tableOf(results, 'targets')?.rows).toHaveLength(2);
  expect(tableOf(plain, 'seconds')).toBeUndefined();
});

it.each([
  ['memory', 'memory=0x80200000,bit=1', { memory: 'stack' }, 'stack'],
  ['interrupt', 'interrupt=7,effect=lost', {}, 'device lost'],
  ['interrupt', 'interrupt=timer,effect=duplicated', {}, 'timer duplicated'],
  ['device', 'device=7,effect=io-error', {}, 'disk'],
  ['device', 'device=6,effect=drop-frame', {}, 'network'],
] as const)('targets of class %s, %s, are named', (faultClass, fault, more, target) => {
  const results = changed(syntheticResults([{ mechanism: REHYPE, faultClass, noVmf: 1 }]), 1, () => ({
    injection: { fault: parseFault(fault), ...more },
  }));
  expect(summarise(results, 'x').targets.map((one) => one.target)).toEqual([target]);
});

it('a second fault that never struck is counted apart', () => {
  const plain = syntheticResults([{ mechanism: NILIHYPE, faultClass: 'in-recovery', noVmf: 6, failed: 2 }]);
  const second = {
    trigger: { kind: 'recovery', share: 5 },
    fault: parseFault('code=window,bit=1,repair=stuck'),
  } as const;
  const results = changed(plain, 1, (n) => ({
    injection: { fault: parseFault('failstop'), second },
    result: {
      second: n < 5 ? { hit: plain.rows[n]!.result!.hit!, k: 4 } : { missed: 'the recovery alone resumes nothing' },
      ...(n < 2 && { fellBack: true }),
    },
  }));
  const [summary] = summarise(results, 'x').seconds;
  expect(summary).toMatchObject({
    first: 8,
    both: 5,
    success: { hits: 5, of: 5 },
    fellBack: { hits: 2, of: 5 },
  });
  expect(summary!.missed.map(({ count, success }) => [count, success.hits, success.of])).toEqual([
    [0, 0, 0],
    [3, 1, 3],
    [0, 0, 0],
  ]);
  expect(summarise(results, 'x').targets[0]!.target).toBe('failstop, then code-permanent');
  expect(tableOf(results, 'seconds')?.rows[0]?.cells.slice(3, 8)).toEqual(['8', '0', '3', '0', '5']);
});

it('a fall-back to a reboot is a failure of NiLiHype proper, in rates and in pairs', () => {
  const plain = syntheticResults([
    { mechanism: REHYPE, noVmf: 10 },
    { mechanism: NILIHYPE, noVmf: 8, failed: 2 },
  ]);
  const fallen = changed(plain, 2, (n) => (n < 3 ? { result: { fellBack: true } } : {}));
  const { groups, paired } = summarise(fallen, 'x');
  expect(groups.map(({ success, proper }) => [success.detected.hits, proper?.success.detected.hits])).toEqual([
    [10, undefined],
    [8, 5],
  ]);
  expect(
    tableOf(fallen, 'success')!
      .rows.map(({ cells }) => cells[2])
      .slice(0, 3),
  ).toEqual(['ReHype', 'NiLiHype proper', 'NiLiHype, 3 by a reboot']);
  const wins = paired.filter(({ metric }) => metric === 'success').map(({ second, onlyFirst }) => [second, onlyFirst]);
  expect(wins).toEqual([
    ['NiLiHype', 2],
    ['NiLiHype proper', 5],
  ]);
  expect(summarise(plain, 'x').paired.map(({ second }) => second)).not.toContain('NiLiHype proper');
  expect(tableOf(plain, 'success')!.notes.join(' ')).toContain('none fell back');
});
