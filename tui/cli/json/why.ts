/** What `dejavm why` prints with `--json`. Relies on fields.ts. */
import { z } from 'zod';
import { count, flag, hex64, moment, named, position, text, ticks } from './fields.ts';
import { mode, path } from './traces.ts';

const place = named('StepPlace', 'An instruction or trap of a run.', {
  moment,
  ticks: ticks.describe('virtual time right before, ns: where -g 123ns goes'),
  hart: count.describe('that does it'),
  mode: mode.describe('its privilege mode'),
  vmid: count.describe('VMID in hgatp: which VM is inside, or is served'),
  pc: hex64.describe('of the instruction'),
  symbol: text.exactOptional().describe('of that, when an image has one'),
  source: text.exactOptional().describe('file and line, when there is debug information'),
  text: text.describe('disassembled; of a trap its cause'),
});

export const whyStep = named('WhyStep', 'An instruction that both runs did, with something that differs.', {
  kind: z
    .enum(['computed', 'parted', 'translated'])
    .describe('it computed with it; went on elsewhere because of it; was translated by it'),
  at: place.describe('in this run'),
  goldenAt: place.describe('in the golden run'),
  operand: text.describe('what differed: a3, hgatp, [0x80217410]:8 (physical)'),
  value: hex64.describe('in this run'),
  golden: hex64.describe('in the golden run'),
  decision: named('Decision', 'A word that decides who may go on, or what runs next.', {
    by: z.enum(['lock', 'scheduler']).describe('what goes by it'),
    text: text.describe('lock heap_lock, held by hart 1; hart 0: current; vCPU of VM 2: queue_next'),
  })
    .exactOptional()
    .describe('what the value was read from, when it is one; of the 100 steps nearest to the question'),
});

export const whyCause = named('Cause', 'What began it.', {
  kind: z
    .enum(['register', 'csr', 'memory', 'code', 'pc', 'dma', 'device', 'time', 'interrupt', 'unexplained'])
    .describe(
      'up to pc: it changed and no instruction did it; dma: a device wrote it; device, time, interrupt: something ' +
        'outside of the harts answered otherwise; unexplained: see reason',
    ),
  position: position.describe('where: of a change right before it, inputs pending'),
  hart: count.exactOptional().describe('whose it is'),
  what: text.exactOptional().describe('a3, hgatp, pc, [0x80217410]:8'),
  symbol: text.exactOptional().describe('of memory, when an image has one'),
  before: hex64.exactOptional().describe('value before the change'),
  after: hex64.exactOptional().describe('value after it'),
  bits: z.array(count).exactOptional().describe('numbers of the bits that changed'),
  paddr: count.exactOptional().describe('physical address of memory'),
  bytes: count.exactOptional().describe('of memory: how many before and after are'),
  register: count.exactOptional().describe('0 to 31 integer, 32 to 63 floating point'),
  device: text.exactOptional().describe('such as virtio7'),
  inputs: z.array(text).describe("kinds of the recording's inputs at that position: fault, poke"),
  writtenBy: place.exactOptional().describe('the last instruction that wrote it'),
  foundBy: place.exactOptional().describe('the instruction that found it changed'),
  reason: text.exactOptional().describe('why it is unexplained'),
});

export const why = z.strictObject({
  trace: path,
  golden: text.describe('path of the golden run'),
  about: text.describe('what was asked, for people'),
  compared: named('Compared', 'The value that was asked about.', {
    what: text.describe('a3, hgatp, [0x80217410]:8'),
    value: hex64.describe('in this run'),
    golden: hex64.describe('in the golden run'),
    goldenAt: position.describe('the position of the golden run that matches'),
    isExact: flag.describe(
      "the hart does the same next in both; false: its path has left the golden run's, behind that position",
    ),
  })
    .exactOptional()
    .describe('missing: it was about something that a hart did or did not do'),
  steps: z.array(whyStep).describe('from the question back to the cause'),
  more: count.describe('further steps that --depth leaves out'),
  cause: whyCause.describe('what began it'),
  sentence: text.describe('the same for people'),
  instructions: count.describe('of all harts, from the cause to the question; of --not to the end of the run'),
  visited: count.describe('values and partings that were looked at'),
});

const source = named('WhySource', 'Where bytes of a value came from in one run.', {
  depth: count.describe(
    '0: of the value that was asked about; else an operand of the last step above that is one less',
  ),
  operand: text.describe('a3, hgatp, [0x80217410]:8 (physical)'),
  value: hex64.describe('that it had there'),
  role: z
    .enum(['data', 'address', 'entry', 'trapped'])
    .describe('computed with; looked up by; a page-table entry that translated; read by what trapped'),
  from: count.describe('first of the bytes of the operand'),
  bytes: count.describe('how many'),
  copies: count.describe('instructions on the way that only copied them'),
  fill: z.enum(['sign', 'zeros', 'ones']).exactOptional().describe('the bytes are no copy: what they are filled with'),
  kind: z
    .enum([
      ...([
        'step',
        'constant',
        'input',
        'fault',
        'image',
        'reset',
        'dma',
        'device',
        'walk',
        'time',
        'pending',
      ] as const),
      ...(['interrupt', 'far', 'seen', 'cut'] as const),
    ])
    .describe('an instruction that computed it; or where it began; seen: the step of that id; far, cut: not followed'),
  id: count.exactOptional().describe('number of the step'),
  wrote: text.exactOptional().describe('of a step: the place that it gave a value'),
  result: hex64.exactOptional().describe('that value'),
  at: place.exactOptional().describe('of a step, a constant, a device or an interrupt'),
  position: position.exactOptional().describe('of an input, a fault, DMA or a page walk'),
  text: text.describe('the same for people'),
});

export const whyAlone = z.strictObject({
  trace: path,
  about: text.describe('what was asked, for people'),
  at: position.describe('where the value was looked at'),
  what: text.describe('a3, hgatp, [0x80217410]:8'),
  value: hex64.describe('its value'),
  sources: z.array(source).describe('a tree: each step is followed by its operands'),
  nodes: count.describe('steps and beginnings'),
  visited: count.describe('instructions that were looked at'),
  cut: named('Cut', 'How many ends a bound made.', {
    depth: count.describe('--depth'),
    most: count.describe('as many lines as are listed'),
    work: count.describe('instructions executed to look for writers'),
  }),
});
