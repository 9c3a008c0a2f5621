/** What `dejavm who-wrote` prints with `--json`. Relies on fields.ts. */
import { z } from 'zod';
import { count, flag, hex64, moment, named, text, ticks } from './fields.ts';
import { mode, path, source } from './traces.ts';

const part = named('AccessedBytes', 'Bytes that an access touched.', {
  paddr: count.describe('physical address of the first'),
  bytes: count.describe('1, 2, 4 or 8'),
  before: hex64.describe('as a little-endian number'),
  after: hex64.describe('the same afterwards; of a read what it was'),
  variable: text
    .exactOptional()
    .describe(
      'the part of a variable of firmware or hypervisor that lies there, by debug information: heap_lock.owner',
    ),
});
const ranges = z.array(
  named('PhysicalRange', 'Bytes of RAM.', {
    paddr: count.describe('physical address of the first'),
    bytes: count.describe('how many'),
  }),
);
const inputs = z.enum(['pending', 'applied']).describe('of that position: applied, or pending where it is one of them');

const who = {
  moment,
  ticks: ticks.describe('virtual time right before, ns: where -g 123ns goes'),
  inputs,
  by: z
    .enum(['load', 'store', 'table-read', 'table-write', 'dma-read', 'dma-write', 'input', 'reset'])
    .describe('the instruction itself; the page walk on its behalf; a device; a poke or fault; a reset'),
  hart: count.exactOptional().describe('whose instruction it was'),
  mode: mode.exactOptional().describe('its privilege mode'),
  vmid: count.exactOptional().describe('VMID when the hart was inside a VM'),
  pc: hex64.exactOptional().describe('of the instruction'),
  symbol: text.exactOptional().describe('of that, when an image has one'),
  source,
  device: text.exactOptional().describe('such as virtio7'),
  request: named('DeviceRequest', 'A request that a device serves.', {
    queue: count.describe('number of the virtqueue'),
    head: count.describe('index of its first descriptor'),
  }).exactOptional(),
};

export const whoWrote = z.strictObject({
  trace: path,
  address: text.describe('spa:…, vmN:… or va:…@hartN'),
  bytes: count.describe('how many bytes from there on'),
  what: z.enum(['writes', 'changes', 'reads']).describe('which accesses count'),
  before: named('Before', 'Where the search ends.', { moment, ticks, here: inputs }),
  hits: z
    .array(
      z
        .discriminatedUnion('kind', [
          z.strictObject({
            kind: z.literal('access'),
            ...who,
            parts: z.array(part).describe('what was accessed'),
            furtherParts: count.describe('parts that are not listed'),
          }),
          z.strictObject({
            kind: z.literal('mapping'),
            ...who,
            entry: part.describe('the table entry'),
            from: ranges.describe('where the bytes were'),
            to: ranges.describe('where they are since'),
          }),
        ])
        .meta({ id: 'MemoryHit', description: 'An access, or a change of where the address leads.' }),
    )
    .describe('the last one, or none; with --all in order of time'),
  more: flag.describe('whether there are more than are listed'),
});
