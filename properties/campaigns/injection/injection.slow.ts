/**
 * Whole-machine injections into the set-up `compute`: faults of known effect are classified right, every fault model's
 * run is recorded and replayed, and what is equal must be exactly equal: the same injection in any order, one position
 * under three triggers, one hit under three mechanisms.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  type Fault,
  guestPages,
  hex,
  parseFault,
  RAM_BASE,
  spaOf,
  translateGuest,
  UserError,
  walkGStage,
} from '../../../engine/index.ts';
import { record, replayTrace } from '../../../replay/index.ts';
import { openTrace } from '../../../traces/index.ts';
import { memoryTargets, targetByte } from '../plan/targets.ts';
import {
  bootSetup,
  completeMechanism,
  explain,
  findSetup,
  type GoldenRun,
  goldenRun,
  type Injection,
  type InjectionTrigger,
  injectionCommand,
  MEMORY_KINDS,
  type MemoryKind,
  recordInjection,
  runInjection,
} from './index.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-inject-'));
afterAll(() => rmSync(folder, { recursive: true }));

const setup = findSetup('compute');
const booted = bootSetup(setup);
const golden = {
  none: goldenRun(booted, completeMechanism('none')),
  rehype: goldenRun(booted, completeMechanism('rehype')),
  nilihype: goldenRun(booted, completeMechanism('nilihype')),
};
const { up, end } = golden.rehype;
const place = (symbol: string, offset = 0, n = 1): InjectionTrigger => ({ kind: 'symbol', symbol, offset, n });
const later = (share: number, k = 1): InjectionTrigger => ({
  kind: 'two-level',
  ticks: up.ticks + Math.floor(share * (end.ticks - up.ticks)),
  k,
});
const inject = (run: GoldenRun, trigger: InjectionTrigger, fault: string | Fault) =>
  runInjection(run, { trigger, fault: typeof fault === 'string' ? parseFault(fault) : fault });

let recordings = 0;
/** Runs an injection, records it (which compares the ends), and replays the trace. */
async function runAndReplay(run: GoldenRun, injection: Injection) {
  const result = runInjection(run, injection);
  const path = join(folder, `${recordings++}.djvm`);
  await recordInjection(run, injection, result, { path, digestEvery: 500_000 });
  const trace = openTrace(path);
  expect(replayTrace(trace).ok).toBe(true);
  expect(trace.inputs.filter(({ kind }) => kind === 'fault')).toHaveLength(1);
  return result;
}

describe('the golden run', () => {
  it('is the same whenever it is run, and ends well under every mechanism', () => {
    const again = goldenRun(booted, completeMechanism('rehype'), { pointTicks: 1_000_000 });
    expect(again.end).toEqual(golden.rehype.end);
    expect(again.log.text()).toBe(golden.rehype.log.text());
    expect(again.hypervisorInstructions).toBe(golden.rehype.hypervisorInstructions);
    for (const run of Object.values(golden)) {
      expect(run.stop).toEqual({ kind: 'halted', status: 'pass', code: 0 });
      expect([run.end.moment, run.end.ticks]).toEqual([end.moment, end.ticks]);
      expect(run.hypervisorInstructions).toBeLessThan(run.totalInstructions);
      expect(run.vmExits).toBeGreaterThan(100);
    }
    expect(golden.none.end.digest).not.toBe(end.digest);
  });

  it('of another seed is another run', () => {
    const other = goldenRun(bootSetup(setup, 5), completeMechanism('none'));
    expect(other.end.ticks).not.toBe(golden.none.end.ticks);
  });
});

describe('faults of known effect', () => {
  it('a failstop in a hypercall is detected and survived by both mechanisms', async () => {
    for (const run of [golden.rehype, golden.nilihype]) {
      const result = await runAndReplay(run, { trigger: place('hypercall', 0, 40), fault: parseFault('failstop') });
      expect(result).toMatchObject({
        effect: 'detected',
        detector: 'trap',
        success: true,
        noVmf: true,
        detections: 1,
        vmsAffected: 0,
        converged: false,
        equivalence: { equivalent: true, reasons: [] },
      });
      expect(result.hit).toMatchObject({ symbol: 'hypercall', target: 'pc' });
      expect(result.detectionInstructions).toBeLessThan(1000);
      expect(result.cause).toBeUndefined();
      const names = result.steps.map(({ name }) => name);
      expect([names[0], names.at(-1)]).toEqual(['frozen', 'resumed']);
      expect(names).toContain(run === golden.rehype ? 'rebooted' : 'reset');
      expect(result.recoveryInstructions).toBe(result.steps.reduce((sum, step) => sum + step.instructions, 0));
    }
  });

  it('without a recovery mechanism it is the end', async () => {
    const result = await runAndReplay(golden.none, {
      trigger: place('hypercall', 0, 40),
      fault: parseFault('failstop'),
    });
    expect(result).toMatchObject({ effect: 'detected', success: false, noVmf: false, cause: 'recovery not entered' });
    expect(result.vmsAffected).toBe(2);
    expect(result.equivalence).toBeUndefined();
  });

  it('an end that comes before the last packet of a sender is recorded as well', async () => {
    const asked = goldenRun(bootSetup(findSetup('1appvm-netbench')), completeMechanism('none'));
    const trigger = { kind: 'two-level', ticks: 60_000_000, k: 100 } as const;
    const result = await runAndReplay(asked, { trigger, fault: parseFault('failstop') });
    expect(result).toMatchObject({ effect: 'detected', cause: 'recovery not entered' });
    expect(result.endTicks).toBeLessThan(asked.booted.inputs.at(-1)!.ticks);
  });

  it('a flipped bit of a register that is written before it is read is gone: the run is the golden run again', () => {
    // vm_run loads the guest's registers; t6 is not among those that it saves.
    const result = inject(golden.rehype, place('vm_run', 0, 30), 'register=x31,bit=17');
    expect(result).toMatchObject({ effect: 'non-manifested', converged: true, vmsAffected: 0, success: false });
    expect([result.endMoment, result.endTicks]).toEqual([end.moment, end.ticks]);
    expect(BigInt(`0x${result.endDigest}`)).toBe(end.digest);
  });

  it('a flipped bit of memory that nobody uses is latent', async () => {
    const used = new Set(golden.rehype.points.flatMap(({ snapshot }) => [...snapshot.pages.keys()]));
    const index = Array.from({ length: 1024 }, (_, n) => 12_000 + n).find((page) => !used.has(page))!;
    const fault = { model: 'memory', paddr: RAM_BASE + 4096 * index + 0x808, bit: 3 } as const;
    const result = await runAndReplay(golden.rehype, { trigger: later(0.3), fault });
    expect(result).toMatchObject({ effect: 'latent', converged: false, vmsAffected: 0, detections: 0 });
    expect(result.endMoment).toBe(end.moment);
  });

  it("a flipped bit of a VM's memory that its check finds is silent data corruption of that VM only", async () => {
    const { machine, symbols } = booted;
    machine.restore(golden.rehype.points[6]!.snapshot);
    const vm = golden.rehype.points[6]!.vms.find(({ name }) => name === 'vm2')!;
    const address = symbols.guest!.address('memory')!;
    // Within what step 4 sums up, which is the last to change it.
    const gpa = address + 0x80n;
    const fault = { model: 'memory', paddr: spaOf(translateGuest(machine, vm.hgatp, gpa)!, gpa), bit: 5 } as const;
    const result = await runAndReplay(golden.rehype, { trigger: later(0.4), fault });
    expect(result).toMatchObject({ effect: 'sdc', vmsAffected: 1, success: false });
    expect(result.vms.map(({ ok }) => ok)).toEqual([true, false]);
    expect(result.vms[1]!.reason).toMatch(/^line \d is/);
    expect(result.hit!.target).toMatch(/^vm2 gpa 0x/);
  });

  it('a wrong line that was printed before the run became the golden run again is silent corruption', () => {
    const { log, up } = golden.none;
    const first = log.console.find(({ ticks }) => ticks > up.ticks)!;
    // The address of the text that the firmware is asked to print.
    const trigger = { kind: 'two-level', ticks: first.ticks - 5_000, k: 5, of: 'machine' } as const;
    const result = inject(golden.none, trigger, 'register=x10,bit=2');
    expect(result).toMatchObject({ effect: 'sdc', converged: true, detections: 0 });
    expect(result.causeDetail).toMatch(/line 1 is "step 2\/4 crc/);
  });

  it('an enhancement that is missing is missed, at the very same hit', () => {
    const { enhance } = completeMechanism('nilihype');
    const without = goldenRun(booted, { recovery: 'nilihype', enhance: enhance.filter((name) => name !== 'locks') });
    // In the search loop, with the heap's lock held.
    const [all, some] = [golden.nilihype, without].map((run) => inject(run, place('heap_alloc', 0x82, 3), 'failstop'));
    expect(all).toMatchObject({ success: true, noVmf: true });
    expect(some).toMatchObject({ effect: 'detected', success: false, cause: 'failed again', hit: all!.hit });
    expect(some!.detections).toBeGreaterThan(1);
  });

  it("a VM's memory that changes while its harts are frozen is seen", async () => {
    const trigger = place('hypercall', 0, 40);
    const plain = inject(golden.rehype, trigger, 'failstop');
    const { machine } = booted;
    const last = golden.rehype.points.at(-1)!;
    machine.restore(last.snapshot);
    const vm = last.vms.find(({ name }) => name === 'vm1')!;
    const unused = [...guestPages(machine, walkGStage(machine, vm.hgatp))].find(
      ([, spa]) => !last.snapshot.pages.has((spa - RAM_BASE) / 4096),
    )!;
    const frozen = plain.hit!.ticks + plain.detectionInstructions! + plain.steps[0]!.ticks;
    const poke = { kind: 'poke', paddr: unused[1] + 8, bytes: Uint8Array.of(1) } as const;
    const poked = { ...setup, inputs: () => [{ ticks: frozen + 5000, event: poke }] };
    const run = goldenRun(bootSetup(poked), completeMechanism('rehype'));
    const result = await runAndReplay(run, { trigger, fault: parseFault('failstop') });
    expect(result).toMatchObject({ success: true, noVmf: true, hit: plain.hit });
    const where = hex(unused[0] + 8n);
    expect(result.equivalence).toEqual({
      equivalent: false,
      reasons: [`vm1: 1 word of memory changed, the first at gpa ${where}`],
    });
  });

  it('a trigger beyond the end is not reached, one before the hypervisor is up is refused', () => {
    expect(inject(golden.rehype, later(0.99, 1_000_000), 'failstop')).toMatchObject({
      effect: 'not-reached',
      success: false,
    });
    expect(inject(golden.rehype, place('hypercall', 0, 1_000_000), 'failstop').effect).toBe('not-reached');
    expect(inject(golden.rehype, { kind: 'moment', moment: end.moment }, 'failstop').effect).toBe('not-reached');
    expect(() => inject(golden.rehype, { kind: 'moment', moment: up.moment - 1 }, 'failstop')).toThrow(UserError);
    expect(() => inject(golden.rehype, { kind: 'two-level', ticks: 5, k: 1 }, 'failstop')).toThrow(
      /before the hypervisor is up/,
    );
    expect(() => inject(golden.rehype, place('nowhere'), 'failstop')).toThrow(/no symbol 'nowhere'/);
    expect(() => inject(golden.rehype, later(0.5), 'device=7,effect=io-error')).toThrow(/virtio slot 7/);
  });
});

describe('what is equal is exactly equal', () => {
  it('one place under three triggers', () => {
    const first = inject(golden.rehype, place('timer_interrupt', 0, 5), 'register=x10,bit=3');
    const { hit } = first;
    const counted = golden.rehype.points.findLast(({ ticks }) => ticks <= hit!.ticks)!;
    const { machine } = booted;
    machine.onEvent = undefined;
    machine.restore(counted.snapshot);
    const from = machine.retired('hypervisor');
    machine.run({ ticks: hit!.ticks });
    const k = machine.retired('hypervisor') - from + 1;
    const second = inject(golden.rehype, { kind: 'two-level', ticks: counted.ticks, k }, 'register=x10,bit=3');
    expect(second).toEqual(first);
    const third = inject(
      golden.rehype,
      { kind: 'moment', moment: hit!.moment },
      `register=x10,bit=3,hart=${hit!.hart}`,
    );
    for (const [of, k] of [
      ['machine', 7],
      ['privileged', 900],
    ] as const) {
      const { hit: there } = inject(
        golden.rehype,
        { kind: 'two-level', ticks: counted.ticks, k, of },
        'register=x10,bit=3',
      );
      machine.restore(counted.snapshot);
      const retired = machine.retired(of);
      machine.run({ ticks: there!.ticks });
      expect(machine.retired(of) - retired).toBe(k - 1);
      machine.step();
      expect(machine.retired(of) - retired).toBe(k);
    }
    // The first position of the moment may lie before a trap or idle time, so ticks may differ; what runs is the same.
    expect(third.hit).toMatchObject({ moment: hit!.moment, hart: hit!.hart });
  });

  it('a recording that finds the trigger by itself, as `dejavm record --fault` does', async () => {
    const fault = parseFault('failstop');
    const selection = golden.nilihype.selection.map(({ ticks, event }) => ({
      trigger: { kind: 'ticks', ticks } as const,
      event,
    }));
    for (const trigger of [place('heap_alloc', 0x82, 3), later(0.45, 310)]) {
      const result = inject(golden.nilihype, trigger, fault);
      const when = trigger.kind === 'symbol' ? { ...trigger, ticks: up.ticks } : trigger;
      const recorded = await record({
        path: join(folder, `${recordings++}.djvm`),
        config: booted.config,
        planned: [...selection, { trigger: when, event: { kind: 'fault', fault } }],
        maxMoment: Number.MAX_SAFE_INTEGER,
        digestEvery: 300_000,
        checkpointEvery: 10_000_000,
        commandLine: [],
      });
      expect(recorded.notReached).toEqual([]);
      expect(recorded.end).toEqual({
        moment: result.endMoment,
        ticks: result.endTicks,
        digest: BigInt(`0x${result.endDigest}`),
      });
    }
  });

  it('the same injection again, whatever ran in between', () => {
    const injections = [0.15, 0.35, 0.55, 0.75].flatMap((share, n) =>
      ['failstop', `register=x${8 + n},bit=${7 * n}`].map((fault) => ({ trigger: later(share, 100 * (n + 1)), fault })),
    );
    const go = () => injections.map(({ trigger, fault }) => inject(golden.nilihype, trigger, fault));
    const results = go();
    expect(go().toReversed()).toEqual(results.toReversed());
    const coarse = goldenRun(booted, completeMechanism('nilihype'), { pointTicks: 1_500_000 });
    expect(injections.map(({ trigger, fault }) => inject(coarse, trigger, fault))).toEqual(results);
  });

  it('the hit, under every mechanism', () => {
    for (const trigger of [later(0.2, 77), later(0.6, 1500), place('heap_alloc', 0, 7)]) {
      const hits = Object.values(golden).map((run) => inject(run, trigger, 'failstop').hit);
      expect(hits[1]).toEqual(hits[0]);
      expect(hits[2]).toEqual(hits[0]);
    }
  });
});

describe('every fault model is recorded and replays', () => {
  const models = [
    'register=pc,bit=4',
    'register=x2,bit=12',
    'code=instruction,bit=3',
    'code=window,bit=40,repair=never',
    'csr=stvec,bit=13',
    'csr=sscratch,bit=9',
    'interrupt=ipi,effect=lost',
    'interrupt=timer,effect=lost',
    'interrupt=timer,effect=late,ticks=400000',
    'interrupt=10,effect=duplicated',
  ];
  const NAMES: Partial<Record<MemoryKind, RegExp>> = {
    'page-table': /table/,
    'firmware-data': /^firmware [a-z]/,
    'firmware-stack': /^firmware (stack of hart \d \+0x|harts\[\d\]\.)/,
    'pristine-image': /^pristine image of lazarus /,
    handover: /^(saved copy of lazarus |firmware (descriptor|fdt_copy))/,
  };
  it.each(models)('%s', async (model) => {
    for (const run of [golden.rehype, golden.nilihype]) {
      await runAndReplay(run, { trigger: later(0.45, 310), fault: parseFault(model) });
    }
  });

  it('memory of every kind', async () => {
    const { machine, symbols } = booted;
    machine.restore(golden.rehype.points[5]!.snapshot);
    const targets = memoryTargets(machine, symbols);
    for (const kind of MEMORY_KINDS) {
      const fault = { model: 'memory', paddr: targetByte(targets, kind, 0x5a5a_5a5a), bit: 2 } as const;
      const result = await runAndReplay(golden.rehype, { trigger: later(0.45), fault });
      expect(result.hit!.target).toMatch(NAMES[kind] ?? /./);
    }
  });

  it('registers and code in M-mode', async () => {
    for (const [k, model] of [
      [3, 'register=x2,bit=40'],
      [900, 'register=x10,bit=3'],
      [1200, 'code=window,bit=19'],
      [1500, 'code=instruction,bit=2,repair=never'],
    ] as const) {
      const trigger = { ...later(0.3), k, of: 'machine' } as const;
      const { hit } = await runAndReplay(golden.rehype, { trigger, fault: parseFault(model) });
      expect(hit!.region).toBe('M-mode');
      expect(booted.symbols.firmware.describe(BigInt(hit!.pc))).toBe(hit!.symbol);
      expect(hit!.target).toMatch(model.startsWith('code') ? /^instructions? .* becomes? / : /^x(2|10)$/);
    }
  });

  it('device faults, in a set-up that has devices', async () => {
    const wired = {
      ...setup,
      config: (seed: number) => ({
        ...setup.config(seed),
        virtio: [{ kind: 'net', slot: 7, mac: '52:54:00:00:00:01', cable: 'outside' } as const],
      }),
    };
    const run = goldenRun(bootSetup(wired), completeMechanism('rehype'));
    const result = await runAndReplay(run, { trigger: later(0.45), fault: parseFault('device=7,effect=drop-frame') });
    // Nobody sends: the fault waits to the end, and was never there.
    expect(result).toMatchObject({ effect: 'non-manifested', converged: false, hit: { target: 'virtio7' } });
  });
});

describe('for people', () => {
  it('explains what was hit, how it was detected, each step and each VM; and how to run it again', () => {
    const injection: Injection = { trigger: place('hypercall', 0, 40), fault: parseFault('failstop') };
    const result = runInjection(golden.nilihype, injection);
    const text = explain(result, { setup, mechanism: golden.nilihype.mechanism, injection }).join('\n');
    for (const words of [
      'hypercall',
      'by an unexpected trap',
      'reset',
      'vm2',
      'recovered, no VM affected',
      result.endDigest,
    ]) {
      expect(text).toContain(words);
    }
    expect(injectionCommand(setup, golden.nilihype.mechanism, 3, injection).join(' ')).toBe(
      'dejavm inject --setup compute --recovery nilihype --enhance all --seed 3 --fault failstop --at hypercall#40',
    );
  });
});
