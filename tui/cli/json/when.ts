/** What `dejavm when` and `dejavm bisect --when` print with `--json`. Relies on fields.ts. */
import { z } from 'zod';
import { count, flag, hex64, moment, named, text, ticks } from './fields.ts';
import { mode, path, source, whereabouts } from './traces.ts';

const condition = text.describe('as it was typed');

export const when = z.strictObject({
  trace: path,
  condition,
  check: z
    .enum(['execution', 'memory', 'events', 'instructions'])
    .describe('when it is looked at: before instructions there, when memory is written, at traps and the like, always'),
  wanted: z.enum(['first', 'last', 'count', 'list']).describe('what was asked for'),
  count: count.describe('moments found; with first and last at most one'),
  hits: z
    .array(
      named('FoundMoment', 'A moment at which a condition holds.', {
        moment,
        ticks: ticks.describe('virtual time, ns: where -g 123ns goes'),
        inputs: z.enum(['pending', 'applied']).describe('whether the inputs of that position have been applied'),
        hart: count.describe('whose instruction is next'),
        mode: mode.describe('its privilege mode'),
        pc: hex64.describe('its pc'),
        symbol: text.exactOptional().describe('of that, when an image has one'),
        source,
      }),
    )
    .describe('with count none'),
  more: flag.describe('whether there are more than are listed'),
});

export const bisectWhen = z.strictObject({
  trace: path,
  condition,
  outcome: z.enum(['always', 'not at the end', 'found']).describe('from the beginning on; never at last; from here on'),
  probes: count.describe('states that were looked at'),
  moment,
  ticks,
  ...whereabouts,
});
