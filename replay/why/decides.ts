/**
 * Whether an instruction went by a lock or by what the scheduler goes by: where its operand was copied from.
 * Relies on what the hypervisor's image publishes. Moves the run.
 */
import { type Decision, decisionAt, listVms } from '../../engine/index.ts';
import { finish } from '../search/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { copiedFrom, type Use } from './flow.ts';
import { producerOf } from './producer.ts';
import type { RunSteps, StepNumber } from './steps.ts';

/** Copies that are passed over, and records that are looked at for each. */
const MOST_COPIES = 16;
const NEAR = 100_000;

/** What the operand of a step is a copy of, when that decides something; undefined: it does not. */
export function decidedBy(run: RunSteps, timeline: TraceTimeline, use: Use, at: StepNumber): Decision | undefined {
  const paddr = wordOf(run, use, at);
  if (paddr === undefined) return undefined;
  run.run.toTicks(run.get(at).ticks, 'applied');
  const { machine, symbols } = timeline;
  return decisionAt(machine, symbols.hypervisor, listVms(machine, symbols.hypervisor), paddr);
}

/** The memory that a register was loaded from, through other registers. */
function wordOf(run: RunSteps, start: Use, found: StepNumber): number | undefined {
  let [use, at] = [start, found];
  for (let n = 0; n < MOST_COPIES; n++) {
    const { location } = use;
    if (location.kind === 'memory') return location.paddr;
    if (location.kind === 'csr') return undefined;
    // Registers are looked for in the log, which takes no turns.
    const producer = finish(producerOf(run, use, at, { most: NEAR }));
    const from = producer.kind === 'step' ? copiedFrom(run.get(producer.step), use) : undefined;
    if (!from || producer.kind !== 'step') return undefined;
    [use, at] = [from, producer.step];
  }
  return undefined;
}
