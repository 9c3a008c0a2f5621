import { describe, expect, it, vi } from 'vitest';
import type { CampaignPlan } from '../../../properties/index.ts';
import { type Outside, openIo } from '../../base/io.ts';
import { campaignProgress, duration, headLine } from './campaign-progress.ts';

const plan = {
  cells: [
    {
      id: 1,
      setup: 'calm',
      faultClass: 'failstop',
      mechanism: { recovery: 'rehype', enhance: [] },
      mechanismName: 'rehype',
    },
    { id: 2, setup: 'calm', faultClass: 'code', mechanism: { recovery: 'none', enhance: [] }, mechanismName: 'none' },
  ].map((cell) => ({ ...cell, size: 100, seed: 1 })),
} as unknown as CampaignPlan;

const tally = (done: number) => ({
  size: 100,
  done,
  notReached: 0,
  nonManifested: 0,
  latent: 0,
  announcedError: 0,
  undetectedHang: 0,
  machineDeath: 0,
  sdc: 1,
  detected: done,
  success: done - 1,
  noVmf: done - 2,
  errors: 0,
});
const tallies = new Map([
  [1, tally(40)],
  [2, { ...tally(0), sdc: 0, success: 0, noVmf: 0 }],
]);

function display(isTerminal: boolean) {
  let err = '';
  const io = openIo({
    writeErr: (text) => {
      err += text;
    },
    errColumns: () => 80,
    errIsTerminal: isTerminal,
    env: {},
  } as Outside);
  return { progress: campaignProgress(io, plan), read: () => err };
}

describe('progress of a campaign', () => {
  it('says how far, how fast, and how long still', () => {
    const at = { phase: 'injections', total: 5000, done: 1250, tallies } as const;
    expect(headLine(at, 50_000, false)).toBe('injections 1,250 of 5,000 (25 %), 25.0 rows/s, 2 min 30 s to go');
    expect(headLine(at, 50_000, true)).toContain('injections [#####---------------] 1,250 of');
    expect(headLine({ ...at, done: 0 }, 10, false)).toBe('injections 0 of 5,000 (0 %)');
    expect([12, 60, 3599, 3600, 9000].map(duration)).toEqual([
      '12 s',
      '1 min 0 s',
      '59 min 59 s',
      '1 h 0 min',
      '2 h 30 min',
    ]);
  });

  it('redraws a bar and the rates of the cells under way on a terminal, and leaves nothing behind', () => {
    vi.useFakeTimers({ now: 1000 });
    const { progress, read } = display(true);
    progress.show({ phase: 'injections', total: 200, done: 39, tallies });
    vi.setSystemTime(3000);
    progress.show({ phase: 'injections', total: 200, done: 40, tallies });
    progress.end();
    vi.useRealTimers();
    const [first = '', second = ''] = read().split('\r\x1b[1A\x1b[J');
    expect(first.split('\n')).toHaveLength(2);
    expect(second.split('\n')).toEqual([
      'injections [####----------------] 40 of 200 (20 %), 20.0 rows/s, 8 s to go',
      '  calm failstop rehype: 40/100, success 97.5 %, noVMF 95.0 % of 40 detected, SDC 1'.slice(0, 79),
    ]);
    expect(read().endsWith('\r\x1b[1A\x1b[J')).toBe(true);
  });

  it('is a plain line every ten seconds elsewhere', () => {
    vi.useFakeTimers({ now: 1000 });
    const { progress, read } = display(false);
    for (let done = 0; done <= 30; done++) {
      vi.setSystemTime(1000 + done * 1000);
      progress.show({ phase: 'injections', total: 200, done, tallies });
    }
    progress.end();
    vi.useRealTimers();
    expect(read()).toBe(
      'dejavm: injections 10 of 200 (5 %), 1.0 rows/s, 3 min 10 s to go\n' +
        'dejavm: injections 20 of 200 (10 %), 1.0 rows/s, 3 min 0 s to go\n' +
        'dejavm: injections 30 of 200 (15 %), 1.0 rows/s, 2 min 50 s to go\n',
    );
  });
});
