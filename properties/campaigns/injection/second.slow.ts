/**
 * Two faults in one run, in the set-up `compute`: where the second strikes, that the run is recorded, replayed and
 * found again from what is printed, what is said when the second never strikes; and a bit of code that stays wrong.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { NOTES, type NoteName, parseFault, resolveFault } from '../../../engine/index.ts';
import { replayTrace } from '../../../replay/index.ts';
import { openTrace } from '../../../traces/index.ts';
import {
  bootSetup,
  completeMechanism,
  exactInjection,
  explain,
  findSetup,
  type GoldenRun,
  goldenRun,
  type Injection,
  injectionCommand,
  parseSecondTrigger,
  RECOVERY_SHARES,
  recordInjection,
  runInjection,
  type SecondTrigger,
} from './index.ts';
import { goToTrigger } from './trigger.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-second-'));
afterAll(() => rmSync(folder, { recursive: true }));

const setup = findSetup('compute');
const booted = bootSetup(setup);
const golden = {
  none: goldenRun(booted, completeMechanism('none')),
  rehype: goldenRun(booted, completeMechanism('rehype')),
  nilihype: goldenRun(booted, completeMechanism('nilihype')),
};
const FIRST = { kind: 'symbol', symbol: 'hypercall', offset: 0, n: 40 } as const;
const during = (part: number): SecondTrigger => ({ kind: 'recovery', share: Math.floor(part * RECOVERY_SHARES) });
const twice = (trigger: SecondTrigger, second = 'failstop', first = 'failstop'): Injection => ({
  ...{ trigger: FIRST, fault: parseFault(first) },
  second: { trigger, fault: parseFault(second) },
});

let recordings = 0;
/** Runs an injection, records it (which compares the ends), and replays the trace. */
async function runAndReplay(run: GoldenRun, injection: Injection) {
  const result = runInjection(run, injection);
  const path = join(folder, `${recordings++}.djvm`);
  await recordInjection(run, injection, result, { path, digestEvery: 500_000 });
  const trace = openTrace(path);
  expect(replayTrace(trace).ok).toBe(true);
  expect(trace.inputs.filter(({ kind }) => kind === 'fault')).toHaveLength(result.second?.hit ? 2 : 1);
  return result;
}

/** Virtual times of the first detection and the resumption in the run with the first fault alone. */
function alone(run: GoldenRun): { readonly detected: number; readonly resumed: number } {
  const first = twice(during(0));
  return { detected: goToNote(run, first, 'DETECTED_TRAP'), resumed: goToNote(run, first, 'RESUMED') };
}

describe.each(['rehype', 'nilihype'] as const)('a fault during the recovery of %s', (recovery) => {
  const run = golden[recovery];

  it.each([0, 0.001, 0.5, 0.99, 1 - 1 / RECOVERY_SHARES])('strikes at that share of it: %s', (part) => {
    const { detected, resumed } = alone(run);
    const { second, effect } = runInjection(run, twice(during(part), 'register=x5,bit=3'));
    expect(effect).toBe('detected');
    expect(second!.hit!.ticks).toBeGreaterThanOrEqual(detected);
    expect(second!.hit!.ticks).toBeLessThan(resumed);
    expect(second!.k).toBe(1 + Math.floor(second!.recoveryLength! * part));
    // Nothing but HS- and M-mode runs meanwhile on the hart that recovers.
    const after = (second!.hit!.ticks - detected) / (resumed - detected);
    expect(Math.abs(after - part)).toBeLessThan(0.1);
  });

  it('is survived by a second try, recorded, and found again from what is printed', async () => {
    const injection = twice(during(0.5));
    const result = await runAndReplay(run, injection);
    expect(result).toMatchObject({ effect: 'detected', success: true, noVmf: true, detections: 2 });
    expect(result.fellBack).toBe(recovery === 'nilihype' ? true : undefined);
    const words = injectionCommand(setup, run.mechanism, 0, injection, result);
    const at = words.at(-1)!;
    expect(at).toBe(`detection+${result.second!.k}`);
    const again = twice(parseSecondTrigger(at));
    expect(again).toEqual(exactInjection(injection, result));
    const { second, ...rest } = runInjection(run, again);
    const { recoveryLength: _, ...place } = result.second!;
    expect([second, rest]).toEqual(
      [place, { ...result, second: undefined }].map((of) => JSON.parse(JSON.stringify(of))),
    );
    const text = explain(result, { setup, mechanism: run.mechanism, injection }).join('\n');
    for (const expected of ['second hit', 'after the detection of the', 'the last fault before'])
      expect(text).toContain(expected);
    expect(text.includes('fell back to a reboot')).toBe(recovery === 'nilihype');
  });

  it('without which the recovery is counted as one, and falls back to nothing', () => {
    const result = runInjection(run, { trigger: FIRST, fault: parseFault('failstop') });
    expect(result).toMatchObject({ success: true, detections: 1 });
    expect([result.second, result.fellBack]).toEqual([undefined, undefined]);
  });
});

describe('a second fault later in the run', () => {
  const { resumed } = alone(golden.rehype);

  it('strikes after the first recovery, is recovered from as well, and is recorded', async () => {
    for (const run of [golden.rehype, golden.nilihype]) {
      const result = await runAndReplay(run, twice({ kind: 'two-level', ticks: resumed + 100_000, k: 20 }));
      expect(result).toMatchObject({ effect: 'detected', success: true, detections: 2 });
      expect(result.second!.hit!.ticks).toBeGreaterThan(resumed);
      expect(result.fellBack).toBeUndefined();
    }
  });

  it('is counted from behind the first one when its time is before', () => {
    const { hit, second } = runInjection(
      golden.rehype,
      twice({ kind: 'two-level', ticks: golden.rehype.up.ticks, k: 1 }),
    );
    expect(second!.hit!.ticks).toBeGreaterThan(hit!.ticks);
  });

  it('may be all that shows', async () => {
    const result = await runAndReplay(
      golden.rehype,
      twice({ kind: 'two-level', ticks: resumed, k: 20 }, 'failstop', 'csr=vsscratch,bit=3'),
    );
    expect(result).toMatchObject({ effect: 'detected', detections: 1 });
    expect(result.detectionInstructions).toBeLessThan(1000);
  });
});

describe('a second fault that never strikes leaves the run with the first one alone', () => {
  it.each([
    ['the first fault was not detected', golden.rehype, twice(during(0.5), 'failstop', 'register=x5,bit=3')],
    ['the recovery alone resumes nothing', golden.none, twice(during(0.5))],
    ['the run ended before', golden.rehype, twice({ kind: 'detection', k: 1e9 })],
    ['the run ended before', golden.rehype, twice({ kind: 'two-level', ticks: 1e12, k: 1 })],
  ] as const)('because %s', async (why, run, injection) => {
    const { second: _second, ...first } = injection;
    const { second, ...result } = await runAndReplay(run, injection);
    expect(second).toEqual({ missed: why });
    expect(result).toEqual(runInjection(run, first));
  });
});

describe('a bit of code that is flipped', () => {
  const at = (repair: string): Injection => ({
    trigger: FIRST,
    fault: parseFault(`code=window,bit=42,repair=${repair}`),
  });

  it.each([
    ['rehype', 'never', 0],
    ['rehype', 'stuck', 1],
    ['nilihype', 'never', 0],
    ['nilihype', 'stuck', 1],
  ] as const)('is in place after the recovery of %s, repair=%s: %i', async (recovery, repair, left) => {
    const run = golden[recovery];
    const injection = at(repair);
    const { effect, hit } = await runAndReplay(run, injection);
    expect(effect).toBe('detected');
    const byte = () => run.booted.machine.readPhysical(hit!.pc + (42 >> 3), 1)[0]!;
    goToTrigger(run, FIRST);
    const before = byte();
    goToNote(run, injection, 'RESUMED');
    expect(((byte() ^ before) >> (42 & 7)) & 1).toBe(left);
  });
});

/** Goes just behind the first note of a kind in the run with an injection's first fault; gives its virtual time. */
function goToNote(run: GoldenRun, { fault }: Injection, name: NoteName): number {
  goToTrigger(run, FIRST);
  const { machine, player } = run.booted;
  machine.apply({ kind: 'fault', fault: resolveFault(machine, fault) });
  run.timeline.leave();
  let found: number | undefined;
  machine.onEvent = (event) => {
    if (event.kind === 'note' && event.code === NOTES[name].code) found ??= event.ticks;
  };
  while (found === undefined) expect(player.advance({ ticks: machine.ticks + 1000 }, 'pending').kind).toBe('ticks');
  machine.onEvent = undefined;
  return found;
}
