/**
 * Classification from what a run showed: made-up runs of two set-ups, each verdict by the rules of papers.md section 3.
 */
import { describe, expect, it } from 'vitest';
import { NOTES, type NoteName, STUCK_CODE } from '../../../engine/index.ts';
import type { GoldenRun } from './golden.ts';
import { type Ending, RunLog } from './observe.ts';
import { echoRequests } from './sender.ts';
import type { Hit, VmCriterion } from './types.ts';
import { judge } from './verdict.ts';

const vm = (name: string, change: Partial<VmCriterion> = {}): VmCriterion => ({
  name,
  role: 'appvm',
  criterion: 'output',
  createdLate: false,
  ...change,
});
const FOUR = [vm('privvm', { role: 'privvm' }), vm('vm1'), vm('vm2'), vm('vm3', { createdLate: true })];
const GOLDEN_DIGEST = 77n;
const HIT = {
  moment: 1000,
  ticks: 1100,
  hart: 0,
  pc: 0,
  instruction: '',
  target: 'pc',
  vmid: 0,
  region: 'idle',
} satisfies Hit;

/** A log of lines and notes; notes are `[NAME, argument, moment]`, ticks are ten times the moment. */
function logOf(lines: readonly string[], notes: readonly (readonly [NoteName, number, number])[]): RunLog {
  const log = new RunLog();
  for (const line of lines) {
    for (const byte of Buffer.from(`${line}\n`)) log.add({ kind: 'console', moment: 0, ticks: 20_000, byte });
  }
  for (const [name, arg, moment] of notes) {
    log.add({ kind: 'note', moment, ticks: 10 * moment, hart: 0, code: NOTES[name].code, arg });
  }
  return log;
}

const linesOf = (vms: readonly VmCriterion[]) => vms.flatMap(({ name }) => [`${name}: begins`, `${name}: ends`]);
const doneOf = (vms: readonly VmCriterion[]) => vms.map((_, vmid) => ['VM_DONE', vmid, 5000] as const);

/** Only what the verdict reads. */
function goldenOf(vms: readonly VmCriterion[], change: object = {}): GoldenRun {
  const known = vms.map(({ name }, vmid) => ({ name, vmid, hgatp: 0n }));
  return {
    setup: { vms, ...change },
    points: [{ vms: known }],
    log: logOf(linesOf(vms), doneOf(vms)),
    end: { moment: 9000, ticks: 90_000, digest: GOLDEN_DIGEST },
    booted: { symbols: { describe: () => 'f+0x4' }, inputs: [] },
  } as unknown as GoldenRun;
}

const PASS = { kind: 'halted', status: 'pass', code: 0 } as const;
const endingOf = (log: RunLog, change: Partial<Ending> = {}): Ending => ({
  log,
  stop: PASS,
  converged: false,
  moment: 9100,
  ticks: 91_000,
  digest: 78n,
  isolation: [],
  isGolden: false,
  statuses: new Map(),
  ...change,
});

const FAIL = { kind: 'halted', status: 'fail', code: 1 } as const;

/** The golden run's state again, after another line of vm1. */
function metAgain(line: string): Ending {
  const golden = logOf(linesOf(FOUR), doneOf(FOUR));
  const { console, ...mark } = golden.mark();
  const lines = linesOf(FOUR);
  const before = logOf(lines.slice(0, 3).with(2, line), doneOf(FOUR));
  const known = lines.slice(0, 3).join('\n').length + 1;
  const log = before.continuedAs(golden, { ...mark, console: Math.min(known, console) });
  return endingOf(log, { converged: true, isGolden: true, digest: GOLDEN_DIGEST });
}

/** The PrivVM prints all, and does not end. */
function unfinished(change: Partial<Ending> = {}): Ending {
  return endingOf(logOf(linesOf(FOUR), doneOf(FOUR).slice(1)), change);
}

/** vm2 prints other lines and ends with a status; so the hypervisor ends the machine in order. */
function announcing(...lines: readonly string[]): Ending {
  const log = logOf([...linesOf(FOUR).filter((line) => !line.startsWith('vm2')), ...lines], doneOf(FOUR));
  return endingOf(log, { stop: FAIL, statuses: new Map([[2, 1n]]) });
}

const DETECTED = [['DETECTED_TRAP', 1, 1128]] as const;
const RECOVERED = [
  ...DETECTED,
  ['FROZEN', 2, 1200],
  ['VM_PROGRESS', 1, 1210],
  ['REBOOTED', 1, 1300],
  ['FIXUP', 0, 1350],
  ['RESUMED', 1, 1500],
] as const;

describe('without a detection', () => {
  const golden = goldenOf(FOUR);
  const whole = logOf(linesOf(FOUR), doneOf(FOUR));

  it('the golden state is non-manifested, another one latent', () => {
    expect(judge(golden, HIT, endingOf(whole, { digest: GOLDEN_DIGEST, isGolden: true }), undefined)).toMatchObject({
      effect: 'non-manifested',
      detections: 0,
      success: false,
    });
    expect(judge(golden, HIT, endingOf(whole), undefined)).toMatchObject({
      effect: 'latent',
      endDigest: '000000000000004e',
    });
  });

  it('converged runs end as the golden run', () => {
    expect(
      judge(golden, HIT, endingOf(whole, { converged: true, isGolden: true, digest: GOLDEN_DIGEST }), undefined),
    ).toMatchObject({
      effect: 'non-manifested',
      endMoment: 9000,
      endTicks: 90_000,
      converged: true,
    });
  });

  it.each([
    ['an output that differs', endingOf(logOf(linesOf(FOUR).with(2, 'vm1: begun'), doneOf(FOUR))), /vm1: line 1 is/],
    ['the same, in a run that met the golden run again', metAgain('vm1: begun'), /vm1: line 1 is "begun"/],
    ['a status without a word', endingOf(whole, { statuses: new Map([[2, 1n]]) }), /vm2: status 1/],
    ['a wrong line before the error is reported', announcing('vm2: begun', 'vm2: WRONG'), /vm2: line 1/],
    [
      'lines missing at the end of a VM',
      endingOf(logOf(linesOf(FOUR).toSpliced(5, 1), doneOf(FOUR))),
      /vm2: output stops/,
    ],
    ['a VM that does not end while the machine passes', unfinished(), /privvm: did not finish/],
    ['broken isolation', endingOf(whole, { isolation: ['vm1 maps a page table at 0x80300000'] }), /maps a page table/],
  ])('%s is silent corruption', (_what, ending, why) => {
    const result = judge(golden, HIT, ending, undefined);
    expect(result).toMatchObject({ effect: 'sdc', success: false, noVmf: false, detections: 0 });
    expect(result.causeDetail).toMatch(why);
  });

  it.each([
    ['a machine that does not end', endingOf(whole, { stop: { kind: 'ticks' } }), /the machine did not end/],
    ['a VM that runs nowhere', unfinished({ stop: { kind: 'ticks' } }), /privvm: did not finish; the machine did not/],
    ['harts that wait for nothing', unfinished({ stop: { kind: 'idle' } }), /every hart waits/],
    ['nothing but traps', unfinished({ stop: { ...FAIL, code: STUCK_CODE } }), /nothing but traps/],
    [
      'a VM that reports an error and never ends',
      endingOf(logOf(linesOf(FOUR).with(3, 'vm1: failed: the disk'), doneOf(FOUR).toSpliced(1, 1)), {
        stop: { kind: 'ticks' },
      }),
      /vm1: line 2 is "failed: the disk"/,
    ],
  ])('%s is an undetected hang', (_what, ending, why) => {
    const result = judge(golden, HIT, ending, undefined);
    expect(result.effect).toBe('undetected-hang');
    expect(result.causeDetail).toMatch(why);
  });

  it.each([
    ['the firmware', 'firmware: hart 1: own trap: cause 5 at 0x80001000, value 0x0', { ...FAIL, code: 254 }],
    ['the hypervisor', 'lazarus: no memory for a VM', { ...FAIL, code: 1 }],
    ['nobody, but it resets', 'x', { kind: 'halted', status: 'reset', code: 0 }],
  ] as const)('a machine that %s stops is a machine death, with its last words', (_who, words, stop) => {
    const log = logOf([...linesOf(FOUR).slice(0, 5), words], doneOf(FOUR).slice(0, 1));
    const result = judge(golden, HIT, endingOf(log, { stop, statuses: new Map([[2, 0n]]) }), undefined);
    expect(result.effect).toBe('machine-death');
    if (words !== 'x') expect(result.causeDetail).toContain(words);
  });

  it.each([
    ['prints that it failed', announcing('vm2: failed: the disk reports an error')],
    ['whose last line says WRONG', announcing('vm2: begins', 'vm2: ends WRONG')],
    ['that crashed, as the hypervisor says', announcing('lazarus: vm2 crashed: cause 13 at 0x80000000, value 0x0')],
  ])('a VM %s and has a status is an announced error', (_what, ending) => {
    expect(judge(golden, HIT, ending, undefined)).toMatchObject({ effect: 'announced-error', vmsAffected: 1 });
  });

  it('an announced error is no excuse for a machine that dies with VMs at work', () => {
    const dead = announcing('vm2: failed: the disk reports an error');
    const ending = { ...dead, statuses: new Map([...dead.statuses, [9, 0n] as const]) };
    expect(judge(golden, HIT, ending, undefined).effect).toBe('machine-death');
  });
});

describe('the detector', () => {
  const judged = (name: NoteName, arg: number) =>
    judge(
      goldenOf(FOUR),
      HIT,
      endingOf(logOf(['recovery: hart 1 failed: cause 5 at 80200004 '], [[name, arg, 1128]])),
      undefined,
    );

  it.each([
    ['DETECTED_TRAP', 5, 'trap'],
    ['DETECTED_TRAP', 0x100, 'panic'],
    ['DETECTED_TRAP', 0x101, 'code check'],
    ['DETECTED_HANG', 1, 'hang'],
  ] as const)('%s with argument %i is a %s', (name, arg, detector) => {
    expect(judged(name, arg)).toMatchObject({ effect: 'detected', detector, detectionInstructions: 128 });
  });

  it("says what the firmware said, with the place's symbol", () => {
    expect(judged('DETECTED_TRAP', 5).detection).toBe('hart 1 failed: cause 5 at 80200004 (f+0x4)');
  });
});

describe('the recovery', () => {
  const golden = goldenOf(FOUR);
  const run = (
    notes: readonly (readonly [NoteName, number, number])[],
    lost: readonly string[] = [],
    change: Partial<Ending> = {},
  ) => {
    const alive = FOUR.filter(({ name }) => !lost.includes(name));
    const done = FOUR.flatMap(({ name }, vmid) => (lost.includes(name) ? [] : [['VM_DONE', vmid, 5000] as const]));
    return judge(golden, HIT, endingOf(logOf(linesOf(alive), [...notes, ...done]), change), undefined);
  };

  it('steps are what lies between notes of the recovery, in instructions and ns', () => {
    expect(run(RECOVERED)).toMatchObject({
      success: true,
      noVmf: true,
      steps: [
        { name: 'frozen', instructions: 72, ticks: 720 },
        { name: 'rebooted', instructions: 100, ticks: 1000 },
        { name: 'fix-up locks', instructions: 50, ticks: 500 },
        { name: 'resumed', instructions: 150, ticks: 1500 },
      ],
      recoveryInstructions: 372,
      recoveryTicks: 3720,
    });
  });

  it.each([
    ['nothing but a detection', DETECTED, [], 'recovery not entered', false],
    [
      'given up at once',
      [...DETECTED, ['RECOVERY_FAILED', 1, 1130]],
      FOUR.map(({ name }) => name),
      'recovery not entered',
      false,
    ],
    [
      'no resumption',
      [...DETECTED, ['FROZEN', 2, 1200], ['RECOVERY_FAILED', 2, 1300]],
      ['vm1'],
      'recovery failed',
      false,
    ],
    ['a detection behind the last resumption', [...RECOVERED, ['DETECTED_HANG', 0, 1600]], [], 'failed again', false],
    ['one AppVM lost', RECOVERED, ['vm2'], 'one vm affected', true],
    ['two AppVMs lost', RECOVERED, ['vm1', 'vm2'], 'several vms affected', false],
    ['the PrivVM lost', RECOVERED, ['privvm'], 'privvm failed', false],
    ['the VM that is made later lost', RECOVERED, ['vm3'], 'new vm failed', false],
  ] as const)('%s', (_what, notes, lost, cause, success) => {
    expect(run(notes, lost)).toMatchObject({
      effect: 'detected',
      cause,
      success,
      noVmf: false,
      vmsAffected: lost.length,
    });
  });

  it('with nothing lost on a machine that never ends is a hang', () => {
    const hang = { stop: { kind: 'ticks' } } as const;
    expect(run(RECOVERED, [], hang)).toMatchObject({ success: false, cause: 'hang after recovery', vmsAffected: 0 });
    expect(
      run(
        RECOVERED,
        FOUR.map(({ name }) => name),
        hang,
      ),
    ).toMatchObject({ cause: 'hang after recovery' });
    expect(run(RECOVERED, ['vm1'], hang)).toMatchObject({ success: true, cause: 'one vm affected' });
  });

  it('twice, with everything right in the end, is a success', () => {
    const twice = [...RECOVERED, ['DETECTED_TRAP', 1, 1600], ['FROZEN', 2, 1650], ['RESUMED', 1, 1700]] as const;
    expect(run(twice)).toMatchObject({ success: true, noVmf: true, detections: 2 });
  });

  it('of a microreset that a reboot follows has fallen back', () => {
    const failed = [
      ['DETECTED_TRAP', 1, 1500],
      ['FROZEN', 2, 1510],
      ['RESET', 1, 1520],
    ] as const;
    const again = (note: 'REBOOTED' | 'RESET') =>
      [
        ['DETECTED_TRAP', 1, 1530],
        ['FROZEN', 2, 1540],
        [note, 1, 1550],
        ['RESUMED', 1, 1560],
      ] as const;
    expect(run([...failed, ...again('REBOOTED')])).toMatchObject({ success: true, fellBack: true });
    expect(run([...failed, ...again('RESET')]).fellBack).toBeUndefined();
    expect(run(again('REBOOTED')).fellBack).toBeUndefined();
  });

  it('in a set-up with one AppVM may not lose it', () => {
    const one = [vm('vm1')];
    const result = judge(goldenOf(one), HIT, endingOf(logOf([], RECOVERED)), undefined);
    expect(result).toMatchObject({ success: false, cause: 'one vm affected' });
  });
});

describe('reception', () => {
  const vms = [vm('vm1'), vm('vm2', { criterion: 'reception' })];
  const sender = { slot: 6, vm: 'vm2', windowTicks: 10_000, patienceTicks: 500 };
  const golden = goldenOf(vms, { sender });
  const inputs = echoRequests({ slot: 6, vmid: 2, fromTicks: 0, everyTicks: 1000, count: 50 });
  const withSender = { ...golden, booted: { ...golden.booted, inputs } } as GoldenRun;

  it('is judged by the frames that left, not by what the VM printed', () => {
    const log = logOf(['vm1: begins', 'vm1: ends', 'vm2: anything'], doneOf(vms));
    const result = judge(withSender, HIT, endingOf(log), undefined);
    expect(result).toMatchObject({ effect: 'sdc', vmsAffected: 1 });
    expect(result.vms[1]!.reason).toBe('reception 0 % in the window from 0 ms');
  });
});

describe('an unmodified guest, whose lines have no prefix', () => {
  const vms = [vm('guest', { criterion: 'console' }), vm('vm2')];
  const golden = { ...goldenOf(vms), log: logOf(['boots', 'vm2: begins', 'works', 'vm2: ends'], doneOf(vms)) };
  const judged = (...lines: string[]) => judge(golden, HIT, endingOf(logOf(lines, doneOf(vms))), undefined);

  it('and the VM beside it are right when each has said the same, wherever their lines met', () => {
    expect(judged('vm2: begins', 'boots', 'wovm2: ends', 'rks').vms).toEqual([
      { name: 'guest', ok: true },
      { name: 'vm2', ok: true },
    ]);
  });

  it('is wrong when it said something else, and so is the VM', () => {
    const guest = judged('boots', 'vm2: begins', 'sulks', 'vm2: ends');
    expect([guest.effect, guest.vms.map(({ ok }) => ok)]).toEqual(['sdc', [false, true]]);
    expect(guest.vms[0]!.reason).toBe('line 2 is "sulks", expected "works"');
    expect(judged('boots', 'vm2: begins', 'works', 'vm2: bends').vms.map(({ ok }) => ok)).toEqual([true, false]);
  });
});
