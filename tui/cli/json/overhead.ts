/** What `report` prints with `--json` of normal operation. Relies on fields.ts. */
import { z } from 'zod';
import { count, named, rate, text } from './fields.ts';

const recovery = z.enum(['none', 'rehype', 'nilihype']).describe('recovery mechanism');

const cost = named('Cost', 'Instructions added, as a share of all instructions of the run with everything off.', {
  hypervisor: z.number().describe('in HS-mode'),
  machine: z.number().describe('in M-mode'),
  all: z.number().describe('of all'),
});

const operation = named('OperationSummary', 'Runs without a fault, added up.', {
  undoLog: z.boolean().describe('whether the undo log is written'),
  checks: z.array(text).exactOptional().describe('self-checks that are on, where they are not all'),
  name: text.describe('as tables call it'),
  hypervisorInstructions: count.describe('instructions in HS-mode'),
  machineInstructions: count.describe('instructions in M-mode'),
  totalInstructions: count.describe('instructions of all'),
  vmExits: count.describe('exits of VMs'),
  hypervisorShare: z.number().nullable().describe('instructions in HS-mode, of all'),
  machineShare: z.number().nullable().describe('instructions in M-mode, of all'),
  added: cost.nullable().describe('against everything off; null: that has not run'),
  addedToHypervisor: z.number().nullable().describe('instructions in HS-mode added, as a share of those'),
});

const checkCost = named('CheckSummary', 'What a self-check costs and is worth.', {
  check: text.describe('its name'),
  leftOut: cost.nullable().describe('what all checks cost more than all but this one; null: has not run'),
  alone: cost.nullable().describe('what it costs by itself; null: has not run'),
  worth: z
    .array(
      named('CheckWorth', 'A rung that leaves a check out.', {
        faultClass: text.describe('class of faults'),
        recovery,
        success: rate.describe('successes without it, over detected'),
        successOfAll: rate.describe('the same with all checks'),
        silent: rate.describe('silent data corruption without it, over injected'),
        silentOfAll: rate.describe('the same with all checks'),
      }),
    )
    .describe('what becomes of faults without it'),
});

/** What normal operation costs. */
export const overheadSummary = named('OverheadSummary', 'What normal operation costs.', {
  setup: text.describe('set-up'),
  operations: z.array(operation).describe('by what is on'),
  added: z.number().nullable().describe('what the undo log alone adds to instructions in HS-mode'),
  addedInAll: z.number().nullable().describe('what it adds to all instructions'),
  checks: z.array(checkCost).describe('by self-check'),
});
