import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CHECKS } from '../../../engine/index.ts';
import type { CampaignResults } from '../types.ts';
import { summarise } from './summarise.ts';
import {
  type CellSpec,
  ENHANCEMENTS,
  NILIHYPE,
  NONE,
  REHYPE,
  syntheticCampaign,
  syntheticResults,
} from './synthetic.fixtures.ts';

const report = (specs: readonly CellSpec[], others: Partial<CampaignResults> = {}) =>
  summarise(syntheticResults(specs, others), 'r.sqlite');

describe('a group', () => {
  const counts = fc.record({
    pending: fc.nat(3),
    notReached: fc.nat(5),
    nonManifested: fc.nat(20),
    latent: fc.nat(5),
    announcedError: fc.nat(5),
    undetectedHang: fc.nat(5),
    machineDeath: fc.nat(5),
    sdc: fc.nat(5),
    noVmf: fc.nat(20),
    vmLost: fc.nat(5),
    failed: fc.nat(5),
  });

  it('counts what ran, each end once, over three denominators', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 99 }), (given, shuffle) => {
        const [group] = report([{ mechanism: REHYPE, ...given, shuffle }]).groups;
        const detected = given.noVmf + given.vmLost + given.failed;
        const undetected = given.sdc + given.announcedError + given.undetectedHang + given.machineDeath;
        const injected = given.nonManifested + given.latent + undetected + detected;
        const harmless = given.nonManifested + given.latent;
        expect(group).toMatchObject({
          planned: injected + given.notReached + given.pending,
          run: injected + given.notReached,
          notReached: given.notReached,
          injected,
          manifested: detected + undetected,
          effects: {
            nonManifested: { hits: given.nonManifested, of: injected },
            latent: { hits: given.latent, of: injected },
            announcedError: { hits: given.announcedError, of: injected },
            undetectedHang: { hits: given.undetectedHang, of: injected },
            machineDeath: { hits: given.machineDeath, of: injected },
            sdc: { hits: given.sdc, of: injected },
            detected: { hits: detected, of: injected },
          },
          success: {
            detected: { hits: given.noVmf + given.vmLost, of: detected },
            manifested: { hits: given.noVmf + given.vmLost, of: detected + undetected },
            manifestedOrLatent: { hits: given.noVmf + given.vmLost, of: detected + undetected + given.latent },
            injected: { hits: given.noVmf + given.vmLost + harmless, of: injected },
          },
          noVmf: {
            detected: { hits: given.noVmf, of: detected },
            manifested: { hits: given.noVmf, of: detected + undetected },
            injected: { hits: given.noVmf + harmless, of: injected },
          },
        });
        expect(group!.vmsAffected.reduce((a, b) => a + b, 0)).toBe(detected);
        expect(group!.vmsAffected[0] ?? 0).toBe(given.noVmf);
        expect(group!.detectors.reduce((sum, { share }) => sum + share.hits, 0)).toBe(detected);
        const failed = group!.causes.filter(({ cause }) => cause !== 'one vm affected');
        expect(failed.reduce((sum, { share }) => sum + share.hits, 0)).toBe(given.failed);
      }),
    );
  });

  it('pools seeds, and keeps set-ups, classes and mechanisms apart', () => {
    const { groups } = report([
      { mechanism: NILIHYPE, noVmf: 1 },
      { mechanism: REHYPE, noVmf: 2 },
      { mechanism: REHYPE, noVmf: 4, seed: 2 },
      { mechanism: REHYPE, noVmf: 8, faultClass: 'code' },
      { mechanism: { recovery: 'rehype', enhance: ['irq'] }, noVmf: 16 },
      { mechanism: NONE, failed: 32 },
      { mechanism: REHYPE, noVmf: 64, setup: '3AppVM' },
    ]);
    expect(groups.map((g) => `${g.setup} ${g.faultClass} ${g.mechanism} ${g.injected} ${g.cells}`)).toEqual([
      '1AppVM failstop no recovery 32 6',
      '1AppVM failstop ReHype 6 2,3',
      '1AppVM failstop ReHype (irq) 16 5',
      '1AppVM failstop NiLiHype 1 1',
      '1AppVM code ReHype 8 4',
      '3AppVM failstop ReHype 64 7',
    ]);
  });

  it('has the name that the campaign file gives to its mechanism', () => {
    const { groups } = report([
      { mechanism: REHYPE, mechanismName: 'rehype', noVmf: 1 },
      { mechanism: { recovery: 'rehype', enhance: ['irq'] }, mechanismName: 'half', noVmf: 2 },
    ]);
    expect(groups.map(({ mechanism, injected }) => `${mechanism} ${injected}`)).toEqual(['ReHype 1', 'half 2']);
  });

  it('counts rows on which dejavm itself failed apart, in no rate', () => {
    const { groups, campaign, internalErrors } = report([{ mechanism: REHYPE, noVmf: 2, error: 3 }]);
    expect(groups[0]).toMatchObject({ planned: 5, run: 2, errors: 3, injected: 2 });
    expect(campaign).toMatchObject({ planned: 5, run: 2, errors: 3 });
    expect(internalErrors.map(({ command }) => command)).toEqual([1, 2, 3].map((id) => `dejavm inject r.sqlite#${id}`));
  });

  it('without any detection has no rates over detected, and with no rows none at all', () => {
    const [silent, empty] = report([{ mechanism: REHYPE, nonManifested: 3 }, { mechanism: NILIHYPE }]).groups;
    expect(silent!.success.detected).toEqual({ hits: 0, of: 0, share: null, interval: null });
    expect(silent!.success.injected.share).toBe(1);
    expect(silent!.detectionLatency).toBeNull();
    expect(empty!.success.injected.share).toBeNull();
    expect(empty!.effects.sdc.interval).toBeNull();
  });
});

it('an empty campaign is an empty report', () => {
  const { groups, ladders, latency, paired, failures, campaign } = report([]);
  expect([groups, ladders, latency, paired, failures]).toEqual([[], [], [], [], []]);
  expect(campaign).toMatchObject({ planned: 0, run: 0, cells: 0 });
});

it('refuses rows without their cell', () => {
  const { cells: _lost, ...rest } = syntheticResults([{ mechanism: REHYPE, noVmf: 1 }]);
  expect(() => summarise({ ...rest, cells: [] }, 'r.sqlite')).toThrow(/row 1 belongs to cell 1, which is missing/);
});

describe('latency', () => {
  it('adds up by step, of runs that recovered at their only detection', () => {
    const { latency } = report([{ mechanism: NILIHYPE, noVmf: 50, failed: 3 }]);
    const [summary] = latency;
    expect(summary).toMatchObject({ mechanism: 'NiLiHype', recoveries: 50 });
    expect(summary!.steps.map(({ name }) => name)).toEqual([
      'freeze',
      'discard stacks',
      'fix-ups',
      'frame check',
      'resume',
    ]);
    const mean = (unit: 'instructions' | 'ticks') => summary!.steps.reduce((sum, step) => sum + step[unit].mean, 0);
    expect(mean('instructions')).toBeCloseTo(summary!.totalInstructions.mean, 6);
    expect(mean('ticks')).toBeCloseTo(summary!.totalTicks.mean, 6);
  });

  it('does not count a run that recovered only at its second detection', () => {
    const results = syntheticResults([{ mechanism: NILIHYPE, noVmf: 3 }]);
    const rows = results.rows.map((row) =>
      row.id === 2 ? { ...row, result: { ...row.result!, detections: 2 } } : row,
    );
    const { latency, groups } = summarise({ ...results, rows }, 'r.sqlite');
    expect(latency[0]!.recoveries).toBe(2);
    expect(groups[0]!.detectedAgain).toMatchObject({ hits: 1, of: 3 });
  });

  it('puts a step that few runs have where they have it', () => {
    const results = syntheticResults([{ mechanism: NILIHYPE, noVmf: 2 }]);
    const [, second] = results.rows;
    const step = (name: string) => ({ name, instructions: 10, ticks: 20 });
    const steps = ['freeze', 'acknowledge', 'discard stacks', 'resume', 'retry'].map(step);
    const changed = { ...second!, result: { ...second!.result!, steps } };
    const { latency } = summarise({ ...results, rows: [results.rows[0]!, changed] }, 'r.sqlite');
    expect(latency[0]!.steps.map(({ name, seen }) => `${name} ${seen}`)).toEqual([
      'freeze 2',
      'acknowledge 1',
      'discard stacks 2',
      'fix-ups 1',
      'frame check 1',
      'resume 2',
      'retry 1',
    ]);
  });

  it('compares mechanisms as a ratio where both recovered', () => {
    const { latencyRatios } = report([
      { mechanism: REHYPE, noVmf: 20 },
      { mechanism: NILIHYPE, noVmf: 20 },
      { mechanism: REHYPE, noVmf: 20, setup: '3AppVM' },
    ]);
    expect(latencyRatios.map(({ setup }) => setup)).toEqual(['1AppVM']);
    expect(latencyRatios[0]!.instructions).toBeCloseTo(1290 / 41.7, 0);
    expect(latencyRatios[0]!.instructionsBesidesFrames! / (960 / 14.7)).toBeCloseTo(1, 1);
  });
});

it('faults that are drawn in several ways are no pool: groups, pairs and names keep them apart', () => {
  const variant = 'triggers.over privileged';
  const both = report([
    { mechanism: REHYPE, noVmf: 5, failed: 5 },
    { mechanism: NILIHYPE, noVmf: 5, failed: 5 },
    { mechanism: REHYPE, noVmf: 10, variant },
    { mechanism: NILIHYPE, noVmf: 10, variant },
  ]);
  expect(both.groups.map(({ mechanism, success }) => [mechanism, success.detected.hits, success.detected.of])).toEqual([
    ['ReHype, triggers.over privileged', 10, 10],
    ['ReHype, usual draws', 5, 10],
    ['NiLiHype, triggers.over privileged', 10, 10],
    ['NiLiHype, usual draws', 5, 10],
  ]);
  const met = new Set(both.paired.map(({ first, second }) => `${first} : ${second}`));
  expect(met).toEqual(
    new Set(['ReHype, usual draws : NiLiHype, usual draws', `ReHype, ${variant} : NiLiHype, ${variant}`]),
  );
  const [alone] = report([{ mechanism: REHYPE, noVmf: 10, variant }]).groups;
  expect(alone!.mechanism).toBe('ReHype');
});

it('mechanisms that differ in self-checks only are two groups, with names of their own', () => {
  const [{ groups }, [code, none]] = [
    report([
      { mechanism: { ...REHYPE, checks: [] }, noVmf: 1 },
      { mechanism: REHYPE, noVmf: 2 },
      { mechanism: { ...REHYPE, checks: CHECKS.filter((name) => name !== 'code') }, noVmf: 3 },
      { mechanism: { recovery: 'rehype', enhance: ['locks'], checks: ['code', 'exits'] }, noVmf: 4 },
    ]),
    [CHECKS.filter((name) => name !== 'code'), []],
  ];
  expect(groups.map(({ mechanism, checks, injected }) => [mechanism, checks, injected])).toEqual([
    ['ReHype', undefined, 2],
    ['ReHype (self-checks all but code)', code, 3],
    ['ReHype (no self-checks)', none, 1],
    ['ReHype (locks; self-checks code, exits)', ['code', 'exits'], 4],
  ]);
});

describe('pairs', () => {
  it('match rows by index and count who did better', () => {
    // As listed: indexes 0–9 good in both, 10–12 good for ReHype only, 13 bad in both.
    const { paired, alignment } = report([
      { mechanism: NILIHYPE, noVmf: 10, failed: 4 },
      { mechanism: REHYPE, noVmf: 13, failed: 1 },
    ]);
    const success = paired.find(({ metric }) => metric === 'success')!;
    expect(success).toMatchObject({
      first: 'ReHype',
      second: 'NiLiHype',
      pairs: 14,
      both: 10,
      onlyFirst: 3,
      onlySecond: 0,
      neither: 1,
    });
    expect(success.p).toBeCloseTo(0.25, 12);
    expect(success.holm).toBeCloseTo(0.75, 12);
    expect(alignment[0]!.samePlan).toMatchObject({ hits: 14, of: 14 });
  });

  it('judge success only where both detected, and the end wherever both reached', () => {
    const { paired } = report([
      { mechanism: REHYPE, notReached: 1, nonManifested: 2, sdc: 1, noVmf: 2 },
      { mechanism: NILIHYPE, notReached: 1, nonManifested: 1, sdc: 1, noVmf: 2, failed: 1 },
    ]);
    const counts = Object.fromEntries(paired.map(({ metric, ...rest }) => [metric, rest]));
    expect(counts.success).toMatchObject({ pairs: 2, both: 1, onlyFirst: 1, onlySecond: 0 });
    // Index 1: both harmless; 2: harmless, SDC; 3: SDC, recovered; 4: both recovered; 5: recovered, failed.
    expect(counts['good end']).toMatchObject({ pairs: 5, both: 2, onlyFirst: 2, onlySecond: 1 });
  });

  it('call a lost VM a success, but not noVMF', () => {
    const { paired } = report([
      { mechanism: REHYPE, noVmf: 5 },
      { mechanism: NILIHYPE, noVmf: 3, vmLost: 2 },
    ]);
    const onlyFirst = Object.fromEntries(paired.map(({ metric, ...counts }) => [metric, counts.onlyFirst]));
    expect(onlyFirst).toEqual({ success: 0, noVMF: 2, 'good end': 0 });
  });

  it('find each other by index, whatever has not run yet', () => {
    // ReHype lacks indexes 0 and 1. As listed, NiLiHype fails at indexes 3 to 5.
    const results = syntheticResults([
      { mechanism: REHYPE, pending: 2, noVmf: 4 },
      { mechanism: NILIHYPE, noVmf: 3, failed: 3, shuffle: 0 },
    ]);
    const { paired } = summarise({ ...results, rows: results.rows.toReversed() }, 'r.sqlite');
    expect(paired[0]).toMatchObject({ pairs: 4, both: 1, onlyFirst: 3, onlySecond: 0, neither: 0 });
  });

  it('need the same seed, size and plan', () => {
    expect(
      report([
        { mechanism: REHYPE, noVmf: 2 },
        { mechanism: NILIHYPE, noVmf: 2, seed: 2 },
      ]).paired,
    ).toEqual([]);
    expect(
      report([
        { mechanism: REHYPE, noVmf: 2 },
        { mechanism: NILIHYPE, noVmf: 3 },
      ]).paired,
    ).toEqual([]);
    const results = syntheticResults([
      { mechanism: REHYPE, noVmf: 2 },
      { mechanism: NILIHYPE, noVmf: 2 },
    ]);
    const moved = { trigger: { kind: 'moment', moment: 5 }, fault: { model: 'failstop', hart: 0 } } as const;
    const rows = results.rows.map((row) => (row.id === 3 ? { ...row, injection: moved } : row));
    const { paired, alignment } = summarise({ ...results, rows }, 'r.sqlite');
    expect(alignment[0]!.samePlan).toMatchObject({ hits: 1, of: 2 });
    expect(paired[0]!.pairs).toBe(1);
  });
});

describe('ladders', () => {
  const { ladders } = summarise(syntheticCampaign(), 'r.sqlite');

  it('go up rung by rung, each against the one before', () => {
    const cumulative = ladders.find(({ ladder }) => ladder === 'nilihype cumulative')!;
    expect(cumulative.kind).toBe('cumulative');
    expect(cumulative.rungs.map(({ name }) => name)).toEqual(['basic', ...ENHANCEMENTS.map((name) => `+ ${name}`)]);
    expect(cumulative.rungs[0]!.against).toBeUndefined();
    const second = cumulative.rungs[1]!;
    expect(second.success).toMatchObject({ hits: 151, of: 1000 });
    expect(second.against).toMatchObject({ name: 'basic', separated: 'higher' });
    expect(second.against!.points).toBeCloseTo(15.1, 9);
    expect(second.against!.p).toBeLessThan(1e-9);
  });

  it('leave one out, each against all', () => {
    const without = ladders.find(({ ladder }) => ladder === 'rehype leave-one-out')!;
    expect(without.kind).toBe('leave-one-out');
    expect(without.rungs.slice(1).every(({ against }) => against?.name === 'all')).toBe(true);
    expect(without.rungs[1]!.against!.separated).toBe('lower');
  });

  it('of self-checks are measured against all of them, and keep apart from those of enhancements', () => {
    const checks = CHECKS.filter((name) => name !== 'code');
    const rung = (step: number, name: string, of: string) => ({ ladder: `rehype leave-one-out${of}`, step, name });
    const without = (of: string[]) => ({ mechanism: { ...REHYPE, checks: of } });
    const own = report([
      { mechanism: REHYPE, rung: rung(0, 'all', ' of self-checks'), noVmf: 10 },
      { ...without(checks), rung: rung(1, 'all but code', ' of self-checks'), noVmf: 5, failed: 5 },
      { mechanism: REHYPE, rung: rung(0, 'all', ''), noVmf: 10 },
    ]).ladders;
    expect(own.map(({ title }) => title)).toEqual(['ReHype, leave-one-out of self-checks', 'ReHype, cumulative']);
    expect(own[0]!.rungs[1]).toMatchObject({ checks, against: { name: 'all', points: -50 } });
    const [beside] = report([
      { ...without(checks), rung: rung(1, 'all but code', ''), noVmf: 5, failed: 5 },
      { ...without([]), noVmf: 1, failed: 9 },
      { mechanism: REHYPE, noVmf: 10 },
    ]).ladders;
    expect(beside!.rungs[0]!.against).toMatchObject({ name: 'all', points: -50 });
  });

  it('find the full set beside them when they have none themselves', () => {
    const rung = { ladder: 'l', step: 1, name: 'all but irq' };
    const enhance = ENHANCEMENTS.filter((name) => name !== 'irq');
    const [ladder] = report([
      { mechanism: { recovery: 'rehype', enhance }, rung, noVmf: 5, failed: 5 },
      { mechanism: REHYPE, noVmf: 10 },
    ]).ladders;
    expect(ladder!.rungs[0]!.against).toMatchObject({ name: 'all', points: -50 });
    expect(ladder!.rungs[0]!.against!.p).toBeCloseTo(0.0625, 12);
  });
});

describe('normal operation', () => {
  const run = (hypervisorInstructions: number, machineInstructions: number, guest = 9000) => ({
    setup: 's',
    seed: 1,
    hypervisorInstructions,
    machineInstructions,
    totalInstructions: guest + hypervisorInstructions + machineInstructions,
    vmExits: 10,
  });
  const allBut = (check: string) => CHECKS.filter((name) => name !== check);
  const overhead = [
    { ...run(1200, 500), undoLog: true },
    { ...run(900, 100), undoLog: false, checks: [] },
    { ...run(990, 100), undoLog: true, checks: [] },
    { ...run(1150, 100), undoLog: true, checks: allBut('code') },
    { ...run(1010, 300), undoLog: true, checks: ['code'] },
    { ...run(0, 0, 0), setup: 'half', undoLog: true },
  ];

  it('costs what is added to everything off, HS- and M-mode apart', () => {
    const [its, half] = report([], { overhead }).overhead;
    expect(its!.operations.map(({ name }) => name)).toEqual([
      'no undo log; no self-checks',
      'undo log; no self-checks',
      'undo log; all self-checks',
      'undo log; self-checks all but code',
      'undo log; self-checks code',
    ]);
    expect(its!.added).toBeCloseTo(0.1, 12);
    expect(its!.addedInAll).toBeCloseTo(0.009, 12);
    expect(its!.operations[0]).toMatchObject({ hypervisorShare: 0.09, machineShare: 0.01, addedToHypervisor: 0 });
    expect(its!.operations[2]!.added).toEqual({ hypervisor: 0.03, machine: 0.04, all: 0.07 });
    expect(half).toMatchObject({ added: null, checks: [], operations: [{ hypervisorShare: null, added: null }] });
  });

  it('has the cost of each check beside what becomes of faults without it', () => {
    const rung = (step: number, name: string) => ({ ladder: 'of self-checks', step, name });
    const [{ checks } = { checks: [] }] = report(
      [
        { setup: 's', mechanism: REHYPE, rung: rung(0, 'all'), noVmf: 10, sdc: 0 },
        {
          setup: 's',
          mechanism: { ...REHYPE, checks: allBut('code') },
          rung: rung(1, 'all but code'),
          noVmf: 6,
          sdc: 4,
        },
        { setup: 's', mechanism: { ...REHYPE, checks: allBut('walks') }, rung: rung(2, 'all but walks'), noVmf: 10 },
        { setup: 'half', mechanism: { ...REHYPE, checks: allBut('exits') }, rung: rung(0, 'all but exits'), noVmf: 10 },
      ],
      { overhead },
    ).overhead;
    expect(checks.map(({ check }) => check)).toEqual(['code', 'walks']);
    expect(checks[0]).toMatchObject({
      leftOut: { hypervisor: 0.005, machine: 0.04, all: 0.045 },
      alone: { hypervisor: 0.002, machine: 0.02, all: 0.022 },
      worth: [{ recovery: 'rehype', success: { hits: 6, of: 6 }, silent: { hits: 4, of: 10 } }],
    });
    expect(checks[0]!.worth[0]).toMatchObject({ silentOfAll: { hits: 0, of: 10 }, successOfAll: { hits: 10, of: 10 } });
    expect(checks[1]).toMatchObject({ leftOut: null, alone: null });
  });
});

it('failures are listed with the command that shows them again', () => {
  const { failures, failureGroups } = summarise(
    syntheticResults([{ mechanism: REHYPE, noVmf: 2, vmLost: 1, failed: 2, sdc: 1 }]),
    "it's here.sqlite",
  );
  expect(failures.map(({ id, kind }) => `${id} ${kind}`)).toEqual(['1 sdc', '4 vm lost', '5 failed', '6 failed']);
  expect(failures[0]!.command).toBe("dejavm inject 'it'\\''s here.sqlite#1'");
  expect(failureGroups.reduce((sum, { count }) => sum + count, 0)).toBe(4);
  expect(failureGroups.map(({ kind }) => kind)).toEqual(
    [...failureGroups.map(({ kind }) => kind)].sort(
      (a, b) => ['failed', 'vm lost', 'sdc'].indexOf(a) - ['failed', 'vm lost', 'sdc'].indexOf(b),
    ),
  );
  const rung = { ladder: 'l', step: 0, name: 'basic' };
  const onPurpose = report([
    { mechanism: NONE, failed: 2 },
    { mechanism: REHYPE, rung, failed: 3 },
  ]);
  expect(onPurpose.failures.length).toBe(5);
  expect(onPurpose.failureGroups).toEqual([]);
});
