/**
 * Where scenarios come from. Sizes are bounded so that one run stays within a few million instructions; shrinking goes
 * towards one hart, fixed turns, no inputs and no faults.
 */
import fc from 'fast-check';
import type { Scenario, ScenarioDevice } from './scenario.ts';

export interface ScenarioBounds {
  /** Kernel command line of every drawn scenario. */
  readonly append: string;
  /** Faults and inputs arrive before this moment. */
  readonly horizon: number;
  readonly maxMoment: number;
  readonly maxFaults?: number;
  readonly maxTyped?: number;
  /** Virtio devices; none unless given. */
  readonly devices?: { readonly min: number; readonly max: number };
}

/** Scenarios over schedules, typed input and fault moments on a small board with 1, 2 or 4 harts. */
export function scenarios(bounds: ScenarioBounds): fc.Arbitrary<Scenario> {
  return fc.record({
    harts: fc.constantFrom(1, 2, 4),
    ramMiB: fc.constant(64),
    quantum: quanta(),
    append: fc.constant(bounds.append),
    typed: fc.array(fc.record({ moment: moments(bounds.horizon), text: fc.string({ minLength: 1, maxLength: 8 }) }), {
      maxLength: bounds.maxTyped ?? 2,
    }),
    faults: fc.array(fc.record({ trigger: triggers(bounds.horizon), fault: faults() }), {
      maxLength: bounds.maxFaults ?? 1,
    }),
    maxMoment: fc.constant(bounds.maxMoment),
    ...(bounds.devices && { devices: devices(bounds.devices), deviceSeed: fc.nat({ max: 0xffff }) }),
  });
}

/** Disks, networks, consoles and entropy devices, each in a slot of its own. */
export function devices({ min, max }: { min: number; max: number }): fc.Arbitrary<readonly ScenarioDevice[]> {
  const slot = fc.nat({ max: 7 });
  const block: fc.Arbitrary<ScenarioDevice> = fc.record({
    kind: fc.constant('block' as const),
    slot,
    // Also ones that end in the middle of a page.
    sectors: fc.integer({ min: 1, max: 40 }),
    seed: fc.nat({ max: 0xffff }),
    readOnly: fc.boolean(),
  });
  const other: fc.Arbitrary<ScenarioDevice> = fc.record({ kind: fc.constantFrom('net', 'console', 'entropy'), slot });
  return fc.uniqueArray(fc.oneof(block, other), { minLength: min, maxLength: max, selector: (its) => its.slot });
}

/** Lengths of a hart's turn: fixed or jittered, from frantic to lazy. */
export const quanta = (): fc.Arbitrary<Scenario['quantum']> =>
  fc.record({
    policy: fc.constantFrom('fixed' as const, 'jittered' as const),
    ticks: fc.constantFrom(1000, 64, 333, 5000, 50_000),
    seed: fc.nat({ max: 0xffff }),
  });

export const moments = (horizon: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: horizon });

/** Moments, and the papers' two-level trigger (DSN 2018, section VI). */
export const triggers = (horizon: number) =>
  fc.oneof(
    fc.record({ kind: fc.constant('moment' as const), moment: moments(horizon) }),
    fc.record({
      kind: fc.constant('hypervisor' as const),
      after: moments(horizon),
      k: fc.integer({ min: 1, max: 400 }),
    }),
  );

/** Fault texts: failstop, one bit of x1–x31, on whichever hart is next. */
export const faults = (): fc.Arbitrary<string> =>
  fc.oneof(
    fc.constant('failstop'),
    fc.tuple(fc.integer({ min: 1, max: 31 }), fc.nat({ max: 63 })).map(([x, bit]) => `register=x${x},bit=${bit}`),
  );
