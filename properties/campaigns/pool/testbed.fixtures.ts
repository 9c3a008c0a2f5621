/**
 * A testbed without a machine, for tests of what is around it: outcomes are drawn from the injection, so that every run
 * of a row ends alike. In set-up `frail` some rows throw, and some end their worker; `slow` takes its time.
 */
import { InvariantError, UserError } from '../../../engine/index.ts';
import type { Effect, Injection, InjectionResult, Mechanism } from '../injection/types.ts';
import { rowRandom } from '../plan/random.ts';
import { type Injector, OtherGoldenRun, type Testbed } from '../plan/testbed.ts';

const ENHANCEMENTS: Record<Mechanism['recovery'], readonly string[]> = {
  none: [],
  rehype: ['locks', 'irq', 'timer'],
  nilihype: ['irq', 'timer', 'sched'],
};
const EFFECTS: readonly Effect[] = [
  'not-reached',
  'non-manifested',
  'latent',
  'sdc',
  'detected',
  'detected',
  'detected',
];
const BEGIN_TICKS = 100_000;
const RUN_TICKS = 1_000_000;
const END_MOMENT = 9;
const SLOW_MS = 5;

export const testbed: Testbed = {
  catalogue: {
    setups: ['calm', 'frail', 'slow', 'broken'],
    isByPath: () => false,
    paperScale: () => undefined,
    faultClasses: () => ['failstop', 'register', 'code', 'memory', 'csr', 'two-faults'],
    enhancements: (recovery) => ENHANCEMENTS[recovery],
    checks: ['code', 'copies'],
    images(setup) {
      if (setup === 'broken') throw new UserError('image guest.elf is missing: run `npm run images`');
      return { [`${setup}.elf`]: setup.padEnd(64, '0') };
    },
  },
  place({ when, fault, second }, { beginTicks, endTicks, memory }) {
    if ([fault, second?.fault].some((drawn) => drawn?.kind === 'memory') && !memory) throw new Error('no memory map');
    const { runPpb, k } = when.over === 'time' ? when : { runPpb: when.share / 2 ** 20, k: 1 };
    const ticks = beginTicks + Math.floor(((endTicks - beginTicks) * runPpb) / 1e9);
    const trigger = { kind: 'two-level', ticks, k } as const;
    if (fault.kind === 'register') {
      return { trigger, fault: { model: 'register', hart: -1, register: fault.register, bit: fault.bit } };
    }
    if (fault.kind === 'memory') return { trigger, fault: { model: 'memory', paddr: fault.pick, bit: fault.bit } };
    return { trigger, fault: { model: 'failstop', hart: -1 } };
  },
  open: async () => injector,
};

const injector: Injector = {
  window: ({ setup, seed, checks }) => ({
    setup,
    seed,
    checks,
    beginTicks: BEGIN_TICKS,
    endTicks: BEGIN_TICKS + RUN_TICKS,
    endMoment: END_MOMENT,
    endDigest: '0x1',
    memory: [],
  }),
  run({ golden: { setup, endMoment }, mechanism }, injection) {
    if (endMoment !== END_MOMENT) throw new OtherGoldenRun(`the golden run of ${setup} ends at moment ${END_MOMENT}`);
    if (injection.trigger.kind === 'two-level' && injection.trigger.ticks < BEGIN_TICKS) {
      throw new UserError(`tick ${injection.trigger.ticks} is before the run`);
    }
    if (setup === 'slow') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SLOW_MS);
    if (setup === 'frail') {
      const fate = rowRandom('fate', JSON.stringify(injection)).integer(10);
      if (fate === 0) throw new InvariantError('internal error: planted');
      if (fate === 1) process.exit(3);
    }
    return resultOf(mechanism, injection);
  },
  overhead: ({ setup, seed, undoLog, checks }) => {
    const hypervisorInstructions = (undoLog ? 1040 : 1000) + 10 * (checks ?? testbed.catalogue.checks).length;
    const counts = {
      hypervisorInstructions,
      machineInstructions: 70,
      totalInstructions: 9000 + hypervisorInstructions,
    };
    return { setup, seed, undoLog, ...(checks && { checks }), ...counts, vmExits: 12 };
  },
};

function resultOf(mechanism: Mechanism, injection: Injection): InjectionResult {
  const random = rowRandom('result', JSON.stringify(injection), JSON.stringify(mechanism));
  const effect = random.pick(EFFECTS);
  const detected = effect === 'detected';
  const success = detected && random.integer(4) < mechanism.enhance.length;
  return {
    effect,
    ...(detected && { detector: 'panic', detection: 'trap 0x1, "store, add"' }),
    success,
    noVmf: success && random.integer(2) === 0,
    detections: detected ? 1 : 0,
    steps: detected ? [{ name: 'freeze', instructions: 10, ticks: 12 }] : [],
    vms: [{ name: 'vm1', ok: !detected || success }],
    vmsAffected: detected && !success ? 1 : 0,
    endMoment: random.integer(1e6),
    endTicks: random.integer(1e6),
    endDigest: `0x${random.integer(2 ** 48).toString(16)}`,
    converged: false,
  };
}
