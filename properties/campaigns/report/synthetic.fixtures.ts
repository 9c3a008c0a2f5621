/**
 * Campaign results with known counts, for tests: every number in a cell's specification comes back in the report.
 * Latencies and places are drawn from a small generator, so that figures have something to show. Nothing here was
 * measured.
 */

import { CHECKS } from '../../../engine/index.ts';
import {
  type Detector,
  type FailureCause,
  type Injection,
  type InjectionResult,
  isUndetected,
  type Mechanism,
  REGIONS,
  type RecoveryStep,
  type VmOutcome,
} from '../injection/types.ts';
import { operations } from '../plan/operations.ts';
import { evaluationSeedOf } from '../plan/seeds.ts';
import type { CampaignCell, CampaignResults, CampaignRow, FaultClass, OverheadRow } from '../types.ts';

/** How many rows of a cell ended how. */
export interface EndCounts {
  readonly pending?: number;
  /** Rows on which dejavm itself failed. */
  readonly error?: number;
  readonly notReached?: number;
  readonly nonManifested?: number;
  readonly latent?: number;
  readonly announcedError?: number;
  readonly undetectedHang?: number;
  readonly machineDeath?: number;
  readonly sdc?: number;
  readonly noVmf?: number;
  readonly vmLost?: number;
  readonly failed?: number;
}

export interface CellSpec extends EndCounts {
  readonly setup?: string;
  readonly faultClass?: FaultClass;
  readonly mechanism: Mechanism;
  readonly mechanismName?: string;
  readonly seed?: number;
  /** An evaluation seed in place of `seed`, from 0. */
  readonly evaluation?: number;
  /** What it draws otherwise than usual. */
  readonly variant?: string;
  readonly rung?: CampaignCell['rung'];
  /** Order of ends among indexes: 0 leaves them as listed, others shuffle. */
  readonly shuffle?: number;
}

export const ENHANCEMENTS = ['locks', 'irq', 'timer', 'sched', 'retry'] as const;
export const REHYPE: Mechanism = { recovery: 'rehype', enhance: ENHANCEMENTS };
export const NILIHYPE: Mechanism = { recovery: 'nilihype', enhance: ENHANCEMENTS };
export const NONE: Mechanism = { recovery: 'none', enhance: [] };

const ENDS = [
  ...(['pending', 'error', 'notReached', 'nonManifested', 'latent'] as const),
  ...(['announcedError', 'undetectedHang', 'machineDeath', 'sdc', 'noVmf', 'vmLost', 'failed'] as const),
] as const;
type End = (typeof ENDS)[number];

const CAUSES: readonly FailureCause[] = [
  'recovery not entered',
  'privvm failed',
  'failed again',
  'hang after recovery',
  'new vm failed',
  'several vms affected',
];
const DETECTORS: readonly Detector[] = ['trap', 'panic', 'trap', 'code check', 'hang'];
const PLACES = ['schedule+0x1c', 'page_release+0x20', 'hypercall+0x54', 'heap_alloc+0x80', 'trap_entry+0x18'];
const STEPS: Readonly<Record<Mechanism['recovery'], readonly (readonly [string, number])[]>> = {
  none: [],
  rehype: [
    ['freeze', 4_000],
    ['save static data', 61_000],
    ['reset image', 210_000],
    ['boot', 480_000],
    ['re-integrate heap', 190_000],
    ['frame check', 330_000],
    ['fix-ups', 9_000],
    ['resume', 6_000],
  ],
  nilihype: [
    ['freeze', 4_000],
    ['discard stacks', 1_200],
    ['fix-ups', 7_000],
    ['frame check', 27_000],
    ['resume', 2_500],
  ],
};

const SETUP = '1AppVM';
const IMAGES = { lazarus: 'a'.repeat(64), firmware: 'b'.repeat(64) };

/** Results of the given cells; ids count from 1. */
export function syntheticResults(
  specs: readonly CellSpec[],
  others: Partial<Omit<CampaignResults, 'cells' | 'rows'>> = {},
): CampaignResults {
  const cells: CampaignCell[] = [];
  const rows: CampaignRow[] = [];
  const setups = specs.map(({ setup = SETUP }) => setup);
  const { images = IMAGES, imagesOf = Object.fromEntries(setups.map((name) => [name, Object.keys(images)])) } = others;
  specs.forEach((spec, at) => {
    const id = at + 1;
    const { setup = SETUP, faultClass = 'failstop', mechanism, mechanismName, evaluation, rung, variant } = spec;
    const derived = evaluation === undefined ? 1 : evaluationSeedOf({ images, imagesOf }, setup, evaluation);
    const { seed = derived } = spec;
    const ends = shuffled(
      ENDS.flatMap((end) => new Array<End>(spec[end] ?? 0).fill(end)),
      spec.shuffle ?? 0,
    );
    const names = { ...(mechanismName && { mechanismName }), ...(rung && { rung }) };
    const drawn = {
      seed,
      ...(evaluation !== undefined && { evaluation }),
      ...(variant !== undefined && { variant }),
    };
    cells.push({ id, setup, faultClass, mechanism, size: ends.length, ...names, ...drawn });
    const draw = generator(seed * 1000 + id);
    ends.forEach((end, index) => {
      const injection = injectionOf(faultClass, seed, index);
      const row = { id: rows.length + 1, cell: id, index, injection };
      if (end === 'pending') rows.push(row);
      else if (end === 'error') rows.push({ ...row, error: 'internal error: planted' });
      else rows.push({ ...row, result: resultOf(end, mechanism, setup, index, draw) });
    });
  });
  return {
    name: 'synthetic',
    plan: 'name: synthetic\n',
    toolVersion: '0.0.0-test',
    overhead: [],
    ...others,
    images,
    imagesOf,
    cells,
    rows,
  };
}

/** A campaign of every kind of cell, shaped like the papers': for figures and layouts, not for conclusions. */
export function syntheticCampaign(scale = 1): CampaignResults {
  const n = (count: number) => Math.round(count * scale);
  const main = ['1AppVM', '3AppVM'].flatMap((setup, s) =>
    [REHYPE, NILIHYPE].flatMap((mechanism, m): CellSpec[] => {
      const bad = m + s;
      const cell = (faultClass: FaultClass, size: number, ends: EndCounts): CellSpec => {
        const given = Object.values(ends).reduce((sum, count) => sum + count, 0);
        // The same shuffle for both mechanisms: most pairs end alike.
        return { setup, mechanism, faultClass, shuffle: 7, ...ends, noVmf: size - given };
      };
      return [
        cell('failstop', n(1000), { vmLost: s * n(8), failed: n(4 + 2 * bad) }),
        cell('register', n(5000), {
          notReached: n(12),
          nonManifested: n(3391),
          latent: n(402),
          announcedError: n(11),
          undetectedHang: n(61),
          machineDeath: n(8),
          sdc: n(153 + 10 * s),
          vmLost: s * n(14),
          failed: n(12 + 5 * bad),
        }),
        cell('code', n(2000), {
          nonManifested: n(640),
          latent: n(81),
          sdc: n(201),
          vmLost: s * n(23),
          failed: n(31 + 6 * bad),
        }),
      ];
    }),
  );
  return syntheticResults([...main, ...ladderSpecs(n)], { name: 'synthetic-full', overhead: overheadRows() });
}

function ladderSpecs(n: (count: number) => number): CellSpec[] {
  return (['rehype', 'nilihype'] as const).flatMap((recovery) => {
    const successes = recovery === 'rehype' ? [112, 402, 618, 790, 803, 985] : [0, 151, 520, 771, 938, 969];
    const rung = (name: string, step: number, kind: string, enhance: readonly string[], good: number): CellSpec => ({
      mechanism: { recovery, enhance },
      rung: { ladder: `${recovery} ${kind}`, step, name },
      noVmf: n(good),
      failed: n(1000 - good),
      shuffle: 3,
    });
    const names = ['basic', ...ENHANCEMENTS.map((name) => `+ ${name}`)];
    const cumulative = names.map((name, i) => rung(name, i, 'cumulative', ENHANCEMENTS.slice(0, i), successes[i]!));
    const without = ENHANCEMENTS.map((name, i) => {
      const enhance = ENHANCEMENTS.filter((other) => other !== name);
      return rung(`all but ${name}`, i + 1, 'leave-one-out', enhance, [610, 705, 930, 820, 962][i]!);
    });
    return [...cumulative, rung('all', 0, 'leave-one-out', ENHANCEMENTS, successes.at(-1)!), ...without];
  });
}

function overheadRows(): OverheadRow[] {
  return ['1AppVM', '3AppVM', 'unixbench'].flatMap((setup, i) => {
    const hypervisorInstructions = 8_412_331 * (i + 1);
    const total = 301_220_114 * (i + 1);
    const log = Math.round(hypervisorInstructions * (0.021 + 0.007 * i));
    return operations(CHECKS).map((operation): OverheadRow => {
      // The first check compares in M-mode, the others in HS-mode.
      const on = operation.checks ?? CHECKS;
      const machine = 2_010_007 * (i + 1) + (on.includes(CHECKS[0]) ? 14_000_000 : 0);
      const hypervisor = hypervisorInstructions + (operation.undoLog ? log : 0) + 9000 * on.length;
      return {
        ...operation,
        setup,
        seed: 1,
        hypervisorInstructions: hypervisor,
        machineInstructions: machine,
        totalInstructions: total + hypervisor + machine,
        vmExits: 40_112 * (i + 1),
      };
    });
  });
}

function injectionOf(faultClass: FaultClass, seed: number, index: number): Injection {
  const trigger = {
    kind: 'two-level',
    ticks: 1_000_000 + seed * 7919 + index * 104_729,
    k: 1 + ((index * 37) % 2000),
  } as const;
  if (faultClass === 'failstop') return { trigger, fault: { model: 'failstop', hart: -1 } };
  if (faultClass === 'memory')
    return { trigger, fault: { model: 'memory', paddr: 0x80200000 + index, bit: index % 8 } };
  return { trigger, fault: { model: 'register', hart: -1, register: 1 + (index % 31), bit: (index * 11) % 64 } };
}

const EFFECTS_OF = {
  nonManifested: 'non-manifested',
  latent: 'latent',
  announcedError: 'announced-error',
  undetectedHang: 'undetected-hang',
  machineDeath: 'machine-death',
  sdc: 'sdc',
} as const;

function resultOf(
  end: Exclude<End, 'pending' | 'error'>,
  mechanism: Mechanism,
  setup: string,
  index: number,
  draw: () => number,
): InjectionResult {
  const place = draw() < 0.9 ? PLACES[index % PLACES.length]! : 'schedule+0x20';
  const base = {
    success: false,
    noVmf: false,
    detections: 0,
    steps: [],
    endDigest: index.toString(16).padStart(16, '0'),
  };
  const ended = { endMoment: 20_000_000 + index, endTicks: 30_000_000 + index, converged: end === 'nonManifested' };
  const hit = {
    moment: 1_000_000 + index * 31,
    ticks: 1_100_000 + index * 37,
    hart: index % 2,
    pc: 0x80200000 + index * 2,
    symbol: place,
    instruction: 'ld a5,0(s3)',
    target: `x${1 + (index % 31)}`,
    vmid: index % 4,
    region: REGIONS[index % 4]!,
  };
  if (end === 'notReached') return { ...base, ...ended, effect: 'not-reached', vms: vms(setup, 0), vmsAffected: 0 };
  if (end !== 'noVmf' && end !== 'vmLost' && end !== 'failed') {
    const effect = EFFECTS_OF[end];
    const affected = isUndetected(effect) ? 1 + (index % 2) : 0;
    return { ...base, ...ended, hit, effect, vms: vms(setup, affected), vmsAffected: affected };
  }
  const affected = end === 'noVmf' ? 0 : end === 'vmLost' ? 1 : 1 + Math.floor(draw() * 3);
  const detector = DETECTORS[Math.floor(draw() * DETECTORS.length)]!;
  const steps = end === 'failed' ? [] : stepsOf(mechanism.recovery, draw);
  const cause = end === 'failed' ? CAUSES[Math.floor(draw() ** 2 * CAUSES.length)]! : 'one vm affected';
  return {
    ...base,
    ...ended,
    hit,
    effect: 'detected',
    detector,
    detectionInstructions: detector === 'hang' ? 300_000_000 : Math.floor(10 ** (draw() * draw() * 6)),
    detection: `${detector} in ${place}`,
    success: end !== 'failed',
    noVmf: end === 'noVmf',
    ...(end === 'noVmf' ? {} : { cause }),
    ...(end === 'failed' ? { causeDetail: `${cause}: ${place}` } : {}),
    detections: end === 'failed' ? 2 : 1,
    steps,
    recoveryInstructions: steps.reduce((sum, step) => sum + step.instructions, 0),
    recoveryTicks: steps.reduce((sum, step) => sum + step.ticks, 0),
    vms: vms(setup, affected),
    vmsAffected: affected,
    ...(end === 'failed'
      ? {}
      : { equivalence: { equivalent: index % 400 !== 0, reasons: index % 400 ? [] : ['vm1: sstatus'] } }),
  };
}

function stepsOf(recovery: Mechanism['recovery'], draw: () => number): RecoveryStep[] {
  return STEPS[recovery].map(([name, length]) => {
    const instructions = Math.round(length * (0.97 + 0.06 * draw()));
    return { name, instructions, ticks: Math.round(instructions * 1.04) };
  });
}

function vms(setup: string, affected: number): VmOutcome[] {
  const names = setup.startsWith('3') ? ['privvm', 'vm1', 'vm2', 'vm3'] : ['privvm', 'vm1'];
  return names.map((name, i) =>
    names.length - i <= affected ? { name, ok: false, reason: 'did not finish' } : { name, ok: true },
  );
}

/** mulberry32: numbers in 0…1. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const out = [...items];
  if (seed === 0) return out;
  const draw = generator(seed);
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(draw() * (i + 1));
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}
