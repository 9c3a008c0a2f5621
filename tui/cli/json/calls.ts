/** What `dejavm calls` prints with `--json`. Relies on fields.ts. */
import { z } from 'zod';
import { count, flag, hex64, moment, named, text, ticks } from './fields.ts';
import { mode, path } from './traces.ts';

const end = z
  .discriminatedUnion('kind', [
    z.strictObject({
      kind: z.literal('returned'),
      moment,
      ticks: ticks.describe('virtual time right before what follows the call, ns'),
      hart: count.describe('on which it returned'),
      instructions: count
        .exactOptional()
        .describe('that its hart executed meanwhile, interrupts included; missing: it returned on another hart'),
      results: z.array(hex64).describe('a0 and a1'),
    }),
    z.strictObject({
      kind: z.literal('abandoned').describe('the same frame has called again: longjmp, or a stack begun anew'),
      moment,
      ticks,
    }),
    z.strictObject({ kind: z.literal('reset').describe('the machine was reset'), moment, ticks }),
    z.strictObject({ kind: z.literal('open').describe('not up to where was looked') }),
    z.strictObject({ kind: z.literal('unknown').describe('ra leads behind no call, as in a handler of traps') }),
  ])
  .meta({ id: 'CallEnd', description: 'How a call ended.' });

export const calls = z.strictObject({
  trace: path,
  function: text.describe('as it was typed'),
  calls: z
    .array(
      named('FunctionCall', 'A call of a function; its first instruction is next.', {
        moment,
        ticks: ticks.describe('virtual time, ns: where -g 123ns goes'),
        hart: count.describe('that calls'),
        mode: mode.describe('its privilege mode'),
        vmid: count.exactOptional().describe('VMID when the hart was inside a VM'),
        pc: hex64.describe('of the first instruction'),
        symbol: text.exactOptional().describe('of that, when an image has one'),
        by: z.enum(['call', 'jump', 'entry']).describe('an instruction that links; a tail call or loop; neither'),
        sp: hex64.describe('stack pointer'),
        ra: hex64.describe('where it returns to'),
        caller: text.exactOptional().describe('symbol of the call'),
        source: text.exactOptional().describe('its file and line, when there is debug information'),
        arguments: z.array(hex64).describe('from a0 on, as many as were asked for, or as it takes'),
        names: z.array(text).exactOptional().describe('of its parameters, when there is debug information'),
        end: end.exactOptional().describe('with --returns'),
      }),
    )
    .describe('in order of time'),
  more: flag.describe('whether there are more than are listed'),
});
