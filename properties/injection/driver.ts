/**
 * Runs a machine with the inputs of its workload, each right before anything happens at its own virtual time. Stands
 * where those of that very time are not applied yet, as snapshots and digests do. Relies on inputs in order of time.
 */
import type { Machine, RunLimit, Snapshot, StopReason } from '../../engine/index.ts';
import type { TimedInput } from './types.ts';

export class Driver {
  readonly machine: Machine;
  readonly inputs: readonly TimedInput[];
  #applied = 0;

  constructor(machine: Machine, inputs: readonly TimedInput[]) {
    this.machine = machine;
    this.inputs = inputs;
  }

  /** Goes to a state that was reached with all inputs before its virtual time applied, and no others. */
  restore(snapshot: Snapshot): void {
    this.machine.restore(snapshot);
    this.#applied = inputsBefore(this.inputs, snapshot.ticks);
  }

  /** Runs to a virtual time, or to another limit before it; or until the machine stops by itself. */
  to(ticks: number, limit: Omit<RunLimit, 'ticks'> = {}): StopReason {
    const { machine } = this;
    const retired = machine.hypervisorInstructions;
    for (;;) {
      const input = this.inputs[this.#applied];
      const isDue = input !== undefined && input.ticks < ticks;
      const left =
        limit.hypervisor === undefined
          ? {}
          : { hypervisor: limit.hypervisor - (machine.hypervisorInstructions - retired) };
      const stop = machine.run({ ...limit, ...left, ticks: isDue ? Math.max(input.ticks, machine.ticks) : ticks });
      // An idle machine gets its next input early: nothing else can wake it.
      if (!isDue || (stop.kind !== 'ticks' && stop.kind !== 'idle')) return stop;
      machine.apply(input.event);
      this.#applied++;
    }
  }
}

/** How many inputs lie before a virtual time. */
function inputsBefore(inputs: readonly TimedInput[], ticks: number): number {
  const index = inputs.findIndex((input) => input.ticks >= ticks);
  return index < 0 ? inputs.length : index;
}
