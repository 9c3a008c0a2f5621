/** Parts of what `--json` prints that occur in several shapes. Relies on zod; the texts become docs/json.md. */
import { z } from 'zod';
import { FAULT_CSRS } from '../../../engine/index.ts';
import { REGIONS } from '../../../properties/index.ts';

/** An object with exactly these fields, that has a name of its own in the documentation. */
export const named = <S extends z.ZodRawShape>(id: string, description: string, shape: S) =>
  z.strictObject(shape).meta({ id, description });

export const text = z.string();
export const flag = z.boolean();
export const count = z.int().min(0);
/** Of a hart, or none: a fault that hits the next one. */
const hartOrNext = z.int().min(-1).describe('the hart; -1: the one whose instruction is next');

export const hex64 = z
  .string()
  .regex(/^-?0x[0-9a-f]{1,16}$/)
  .meta({ id: 'Hex', description: 'A 64-bit integer: 0x and hexadecimal digits, without leading zeros.' });

export const bytes = z
  .string()
  .regex(/^([0-9a-f]{2})*$/)
  .meta({ id: 'Bytes', description: 'Bytes, two hexadecimal digits each.' });

export const moment = count.describe('instructions retired before');
export const ticks = count.describe('virtual time, ns');

export const position = named('Position', 'A place in a run.', { moment, ticks });

const bit = count.describe('number of the bit that is flipped');
export const fault = z
  .discriminatedUnion('model', [
    z.strictObject({ model: z.literal('failstop'), hart: hartOrNext }),
    z.strictObject({
      model: z.literal('register'),
      hart: hartOrNext,
      register: z.int().min(1).max(32).describe('1 to 31: x1 to x31; 32: pc'),
      bit,
    }),
    z.strictObject({ model: z.literal('memory'), paddr: count.describe('physical address'), bit }),
    z.strictObject({
      model: z.literal('code'),
      hart: hartOrNext,
      span: z.enum(['instruction', 'window']).describe('of the instruction at pc, or of the 16 bytes from there on'),
      bit,
      repair: z.enum(['on-detection', 'never', 'stuck']).describe('when the bit is put right'),
    }),
    z.strictObject({
      model: z.literal('csr'),
      hart: hartOrNext,
      csr: z.enum(FAULT_CSRS).describe("the CSR's name"),
      bit,
    }),
    z.strictObject({
      model: z.literal('interrupt'),
      hart: hartOrNext,
      line: z.union([z.enum(['ipi', 'timer']), z.int()]).describe('which one; a number is a source of the PLIC'),
      effect: z.enum(['lost', 'duplicated', 'late']).describe('what becomes of it'),
      ticks: count.describe('how much later it comes; 0 unless late'),
    }),
    z.strictObject({
      model: z.literal('device'),
      slot: count.describe('virtio slot'),
      effect: z.enum(['io-error', 'drop-frame']).describe('what becomes of its next request or frame'),
    }),
  ])
  .meta({ id: 'Fault', description: 'A fault, by its model.' });

export const inputEvent = z
  .discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('console'), bytes: bytes.describe('what was typed') }),
    z.strictObject({
      kind: z.literal('net'),
      slot: count.describe('virtio slot of the network device'),
      bytes: bytes.describe('the Ethernet frame'),
    }),
    z.strictObject({ kind: z.literal('fault'), fault: fault.describe('the fault') }),
    z.strictObject({
      kind: z.literal('poke'),
      paddr: count.describe('physical address'),
      bytes: bytes.describe('what is written there'),
    }),
  ])
  .meta({ id: 'Input', description: 'What enters a machine from outside.' });

/** Fields of a word of state in which two machines differ. */
export const stateDifference = {
  where: text.describe('such as hart0.x10, plic.pending[0], virtio7.disk+0x200; ram'),
  paddr: count.exactOptional().describe('physical address, where it is ram'),
  a: hex64.describe('in A, or as recorded'),
  b: hex64.describe('in B, or as replayed'),
};

export const mechanism = named('Mechanism', 'A recovery mechanism.', {
  recovery: z.enum(['none', 'rehype', 'nilihype']).describe('its name'),
  enhance: z.array(text).describe('enhancements that are on'),
  checks: z.array(text).readonly().optional().describe('self-checks that are on; all unless given'),
});

export const rate = named('Rate', 'A count out of a total.', {
  hits: count.describe('the count'),
  of: count.describe('the total'),
  share: z.number().nullable().describe('hits / of; null of nothing'),
  interval: named('Interval', 'Bounds of a share, 0 to 1.', {
    low: z.number().describe('lower bound'),
    high: z.number().describe('upper bound'),
  })
    .nullable()
    .describe("95 % interval of the share: Wilson's, of several seeds widened by a cluster bootstrap over them"),
});

/** What a hart executes. */
export const region = z.enum(REGIONS);
