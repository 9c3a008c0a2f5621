/** What `dejavm backtrace` prints with `--json`. Relies on fields.ts. */
import { z } from 'zod';
import { count, flag, hex64, moment, named, text, ticks } from './fields.ts';
import { mode, path } from './traces.ts';

const frame = named('StackFrame', 'A function that has not returned.', {
  pc: hex64.describe('its next instruction, or where the call in it returns to'),
  sp: hex64.exactOptional().describe('its stack pointer there; missing: not known'),
  symbol: text.exactOptional().describe('of pc, when an image has one'),
  source: text.exactOptional().describe('file and line, when there is debug information'),
  by: z
    .enum(['pc', 'dwarf', 'code', 'frame pointer', 'ra'])
    .describe("how it was found: where the hart is; call-frame information; the called function's code; s0; ra alone"),
  sure: flag.describe('false: the call leads elsewhere than to the function above, through a tail call perhaps'),
});

const part = named('StackPart', 'Frames of one program, innermost first.', {
  moment,
  ticks: ticks.describe('virtual time, ns: where it is executed, or was interrupted'),
  inputs: z.enum(['pending', 'applied']).describe('whether the inputs of that position have been applied'),
  hart: count.describe('that executes it, or did'),
  mode: mode.describe('its privilege mode'),
  vmid: count.exactOptional().describe('VMID, inside a VM'),
  vcpu: count.exactOptional().describe('which vCPU of it was interrupted, counted from 0, when that is known'),
  trap: named('InterruptedBy', 'The trap that interrupted it.', {
    cause: count.describe('of mcause or scause, without the interrupt bit'),
    interrupt: flag.describe('the interrupt bit'),
    name: text.describe('of the cause'),
    tval: hex64.describe('mtval, stval or vstval'),
    pc: hex64.describe('where it was taken'),
  })
    .exactOptional()
    .describe('missing in the first part'),
  frames: z.array(frame).describe('at least one'),
  ended: z
    .enum(['outermost', 'handler', 'lost', 'depth'])
    .describe('nobody has called the last; it handles a trap; its caller is not known; as many as were asked for'),
  why: text.describe('the same for people, in more detail'),
});

export const backtrace = z.strictObject({
  trace: path,
  moment,
  ticks: ticks.describe('virtual time, ns'),
  hart: count.describe('whose stack it is'),
  parts: z.array(part).describe('first what is executed, then what that has interrupted'),
  end: z
    .enum(['whole', 'anew', 'depth'])
    .describe('the last part has interrupted nothing; firmware has begun it anew; there may be more'),
  anew: named('BegunAnew', 'A return to another place than firmware was called from.', {
    moment,
    from: mode.describe('mode that returned'),
    pc: hex64.describe('to where'),
  }).exactOptional(),
});
