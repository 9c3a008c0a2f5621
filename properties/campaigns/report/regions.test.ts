/** Outcomes by what was executed, counted from campaigns in which that is known. */
import { describe, expect, it } from 'vitest';
import type { CampaignResults } from '../types.ts';
import { csvReport, summarise, textReport } from './index.ts';
import { REHYPE, syntheticResults } from './synthetic.fixtures.ts';

/** 30 detected: every third in M-mode, for nobody, and lost; the others in handlers. 10 silent ones, while idle. */
function campaign(): CampaignResults {
  const results = syntheticResults([{ faultClass: 'register', mechanism: REHYPE, noVmf: 30, sdc: 10, notReached: 5 }]);
  const rows = results.rows.map((row) => {
    const { hit, effect, ...result } = row.result!;
    if (!hit) return row;
    const isLost = effect === 'detected' && row.index % 3 === 0;
    const region = effect === 'sdc' ? 'idle' : isLost ? 'M-mode' : 'handler';
    const ended = isLost ? { success: false, noVmf: false } : {};
    return { ...row, result: { ...result, ...ended, effect, hit: { ...hit, region, vmid: isLost ? 0 : 2 } } as const };
  });
  return { ...results, rows };
}

describe('outcomes by region', () => {
  const report = summarise(campaign(), 'r.sqlite');
  const regions = report.groups[0]!.regions;
  const of = (name: string) => regions.find(({ region }) => region === name)!;

  it('count what struck, in the order of tables, and leave out what was never reached', () => {
    expect(regions.map(({ region }) => region)).toEqual(['handler', 'idle', 'M-mode']);
    expect(regions.reduce((sum, { share }) => sum + share.hits, 0)).toBe(40);
    expect(of('handler').share.hits + of('M-mode').share.hits).toBe(30);
  });

  it('have rates of their own', () => {
    expect([of('idle').undetected.share, of('idle').detected.share, of('idle').success.of]).toEqual([1, 0, 0]);
    expect([of('M-mode').nobody.share, of('M-mode').success.share]).toEqual([1, 0]);
    expect([of('handler').nobody.share, of('handler').success.share]).toEqual([0, 1]);
  });

  it('stand in the table and among the numbers', () => {
    expect(textReport(report)).toMatch(/Where faults struck/);
    expect(csvReport(report)).toMatch(/^regions,.*,M-mode,success,0,/m);
  });
});
