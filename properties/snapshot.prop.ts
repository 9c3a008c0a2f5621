/**
 * Snapshot ∘ restore = identity: a run that is interrupted, put back, or moved to another machine goes on as if nothing
 * had happened, wherever that is done. Positions are virtual times: they also lie inside traps and idle time.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compareStates, createMachine, type Machine, type Snapshot, type StopReason } from '../engine/index.ts';
import type { PlannedInput } from '../replay/index.ts';
import { moments, type ScenarioBounds, scenarios } from './arbitraries.ts';
import { check } from './check.ts';
import { ChangingObservers, type ObserverSet, observerSets } from './observers.fixtures.ts';
import {
  eventText,
  IMAGES,
  IO_IMAGES,
  IO_PAGES,
  IO_ROUNDS,
  IO_SOFTWARE,
  ONE_ROUND,
  PAGES,
} from './scenario.fixtures.ts';
import {
  type Scenario,
  type ScenarioImages,
  type ScenarioSoftware,
  scenarioCommand,
  scenarioConfig,
  scenarioInputs,
} from './scenario.ts';

interface Interrupted {
  readonly scenario: Scenario;
  /** Observers from the first snapshot on, others from each that follows. */
  readonly sets: readonly ObserverSet[];
  /** Ticks at which snapshots are taken, ascending. */
  readonly at: readonly number[];
}
const interrupted = (bounds: ScenarioBounds, ticks: number, pages: readonly number[]): fc.Arbitrary<Interrupted> =>
  fc.record({
    scenario: scenarios({ ...bounds, maxFaults: 1 }),
    sets: observerSets(pages),
    at: fc.uniqueArray(moments(ticks), { minLength: 1, maxLength: 3 }).map((at) => at.toSorted((a, b) => a - b)),
  });

/** Where a scenario's trigger strikes, or begins to count. */
function startOf(trigger: PlannedInput['trigger']): number {
  if (trigger.kind === 'moment') return trigger.moment;
  if (trigger.kind === 'hypervisor') return trigger.after;
  throw new Error(`scenarios have no triggers of kind ${trigger.kind}`);
}

/** Goes to a virtual time, inputs at their moments on the way, or until the machine stops. */
class Run {
  readonly machine: Machine;
  readonly events: string[] = [];
  /** Inputs that have been applied. */
  applied = 0;
  readonly #scenario: Scenario;
  readonly #inputs;
  readonly #observers: ChangingObservers | undefined;
  constructor(scenario: Scenario, machine: Machine, observers?: ChangingObservers) {
    this.#observers = observers;
    this.#scenario = scenario;
    this.machine = machine;
    this.#inputs = scenarioInputs(scenario)
      .map(({ trigger, event }) => ({ moment: startOf(trigger), event }))
      .sort((a, b) => a.moment - b.moment);
    machine.onEvent = (event) => {
      // Those that only observers ask for.
      if (event.kind !== 'access' && event.kind !== 'csr') this.events.push(eventText(event));
    };
  }

  to(ticks: number): StopReason {
    const { machine } = this;
    for (;;) {
      const next = this.#inputs[this.applied];
      const limit = {
        ticks,
        moment: Math.min(next?.moment ?? this.#scenario.maxMoment, this.#scenario.maxMoment),
      };
      const stop = this.#observers ? this.#observers.run(machine, limit) : machine.run(limit);
      if (stop.kind !== 'moment' || !next || next.moment > machine.moment) return stop;
      this.applied++;
      machine.apply(next.event);
    }
  }
}

const END = Number.MAX_SAFE_INTEGER;

interface Checked {
  readonly name: string;
  readonly runs: number;
  readonly arbitrary: fc.Arbitrary<Interrupted>;
  readonly images: ScenarioImages;
  readonly software?: ScenarioSoftware;
  /** Told of each machine at its snapshots. */
  readonly seen?: (machine: Machine) => void;
}

function checkSnapshots({ name, runs, arbitrary, images, software, seen: look }: Checked): Promise<void> {
  const reproduce = ({ scenario, at }: Interrupted) =>
    `${scenarioCommand(scenario, software)}  # snapshots at ticks ${at.join(', ')}`;
  return check({ name, runs, reproduce }, arbitrary, ({ scenario, at, sets }) => {
    const config = scenarioConfig(scenario, images);
    const straight = new Run(scenario, createMachine(config));
    const stop = straight.to(END);
    const end = straight.machine.snapshot();

    const observers = new ChangingObservers(sets);
    const run = new Run(scenario, createMachine(config), observers);
    const kept: { snapshot: Snapshot; applied: number; seen: number }[] = [];
    for (const ticks of at) {
      run.to(ticks);
      look?.(run.machine);
      observers.change(run.machine);
      kept.push({ snapshot: run.machine.snapshot(), applied: run.applied, seen: run.events.length });
    }
    const expectSameEnd = (other: Run, how: string) => {
      expect(other.to(END), how).toEqual(stop);
      expect(compareStates(end, other.machine.snapshot(), config), how).toEqual([]);
      expect(other.machine.digest(), how).toBe(end.digest);
    };
    expectSameEnd(run, 'interrupted');
    expect(run.events).toEqual(straight.events);
    // The same machine, from the latest to the earliest and forth again; then a fresh one.
    for (const { snapshot, applied, seen } of [...kept.toReversed(), ...kept]) {
      observers.change(run.machine);
      run.machine.restore(snapshot);
      run.applied = applied;
      run.events.length = 0;
      expect(run.machine.digest()).toBe(snapshot.digest);
      expectSameEnd(run, `back at tick ${snapshot.ticks}`);
      expect(run.events).toEqual(straight.events.slice(seen));
    }
    const fresh = new Run(scenario, createMachine(config));
    const { snapshot, applied } = kept[0]!;
    fresh.machine.restore(snapshot);
    fresh.applied = applied;
    expectSameEnd(fresh, `moved at tick ${snapshot.ticks}`);
  });
}

test('a snapshot can be gone back to, anywhere', async () => {
  const arbitrary = interrupted({ ...ONE_ROUND, devices: { min: 0, max: 2 } }, 1_800_000, PAGES);
  await checkSnapshots({ name: 'a snapshot can be gone back to', runs: 10, arbitrary, images: IMAGES });
});

test('a snapshot can be gone back to in the middle of input and output', async () => {
  const tally = { all: 0, waiting: 0 };
  await checkSnapshots({
    name: 'a snapshot can be gone back to in the middle of input and output',
    runs: 15,
    arbitrary: interrupted(IO_ROUNDS, 330_000, IO_PAGES),
    images: IO_IMAGES,
    software: IO_SOFTWARE,
    seen(machine) {
      tally.all++;
      // The guest sleeps only while a device works for it.
      if (machine.hart(0).waiting) tally.waiting++;
    },
  });
  if (!process.env.FC_PATH && !process.env.FC_RUNS) expect(tally.waiting / tally.all).toBeGreaterThan(0.2);
});
