/** What `inject` and `campaign` print as JSON. Relies on fields.ts; which command prints what: shapes.ts. */
import { z } from 'zod';
import { DETECTORS, EFFECTS, FAULT_CLASSES, MEMORY_KINDS, SECOND_MISSED } from '../../../properties/index.ts';
import { count, fault, flag, mechanism, moment, named, rate, region, text, ticks } from './fields.ts';

const faultClass = z.enum(FAULT_CLASSES).describe('class of faults');
const setup = text.describe('set-up');
const seed = count.describe('seed of schedule, latencies and workload');
const evaluation = count
  .exactOptional()
  .describe('which evaluation seed of the images that is, from 0; missing: a development seed');

const twoLevel = z.strictObject({
  kind: z.literal('two-level'),
  ticks,
  k: count.describe('number of the instruction from there on, from 1'),
  of: z
    .enum(['hypervisor', 'machine', 'privileged'])
    .exactOptional()
    .describe('modes whose instructions are counted: HS unless said otherwise, M, or both'),
});

const secondTrigger = z
  .discriminatedUnion('kind', [
    twoLevel,
    z.strictObject({
      kind: z.literal('detection'),
      k: count.describe('number of the HS- or M-mode instruction from the first detection on, from 1'),
    }),
    z.strictObject({
      kind: z.literal('recovery'),
      share: count.describe('billionths of the recovery after the first fault alone, in such instructions'),
    }),
  ])
  .meta({ id: 'SecondTrigger', description: 'When the second of two faults strikes.' });

const injection = named('Injection', 'A fault, and when it strikes; or two.', {
  trigger: z
    .discriminatedUnion('kind', [
      twoLevel,
      z.strictObject({ kind: z.literal('moment'), moment }),
      z.strictObject({
        kind: z.literal('symbol'),
        symbol: text.describe('name of a place in the hypervisor'),
        offset: count.describe('bytes behind it'),
        n: count.describe('the how many-th time that it is executed, from 1'),
      }),
    ])
    .meta({ id: 'Trigger', description: 'When a fault strikes.' })
    .describe('when it strikes'),
  fault: fault.describe('the fault'),
  memory: z.enum(MEMORY_KINDS).exactOptional().describe('what a memory fault was drawn from'),
  second: named('SecondFault', 'The second of two faults in one run.', {
    trigger: secondTrigger.describe('when it strikes'),
    fault: fault.describe('the fault'),
  })
    .exactOptional()
    .describe('the second of two faults'),
});

const hit = named('Hit', 'Where a fault struck.', {
  moment,
  ticks,
  hart: count.describe('the hart'),
  pc: z.number().describe('address of its next instruction'),
  symbol: text.exactOptional().describe('where that is: name+0x10'),
  instruction: text.describe('disassembled'),
  target: text.describe('what the bit belongs to'),
  vmid: count.describe('VMID on whose behalf the hypervisor ran; 0: nobody'),
  region: region.describe('what the hart was executing'),
});

const result = named('Result', 'What became of an injection.', {
  effect: z
    .enum(EFFECTS)
    .describe(
      'the trigger never came; nothing changed; only state; undetected: a VM reported an error, something never ended, ' +
        'the machine stopped itself, an output is silently wrong; a detector fired',
    ),
  hit: hit.exactOptional().describe('missing: it was not reached'),
  second: named('Second', 'Where the second of two faults struck.', {
    hit: hit.exactOptional().describe('missing: it never struck'),
    missed: z.enum(SECOND_MISSED).exactOptional().describe('why it never struck'),
    k: count.exactOptional().describe('before the how many-th HS- or M-mode instruction after the first detection'),
    recoveryLength: count.exactOptional().describe('such instructions in the recovery after the first fault alone'),
  })
    .exactOptional()
    .describe('of injections of two faults, once the first has struck'),
  detector: z.enum(DETECTORS).exactOptional().describe('what detected it first'),
  detectionInstructions: z.int().exactOptional().describe('instructions of all harts from injection to detection'),
  detection: text.exactOptional().describe('the detection, for people'),
  success: flag.describe('recovered: the new VM runs, and at most one AppVM is affected'),
  noVmf: flag.describe('the same, and no VM is affected'),
  cause: z
    .enum([
      ...(['recovery not entered', 'recovery failed', 'failed again', 'hang after recovery'] as const),
      ...(['privvm failed', 'new vm failed', 'several vms affected', 'one vm affected'] as const),
    ])
    .exactOptional()
    .describe('why it is no success, or a VM was lost'),
  causeDetail: text.exactOptional().describe('the same for people'),
  fellBack: z.literal(true).exactOptional().describe('NiLiHype: the second try was a reboot'),
  detections: count.describe('detections in the run'),
  steps: z
    .array(
      named('Step', 'A step of a recovery.', {
        name: text.describe('its name'),
        instructions: z.int().describe('its length in instructions of all harts'),
        ticks: z.int().describe('its length in virtual time, ns'),
      }),
    )
    .describe('steps of the recovery'),
  recoveryInstructions: z.int().exactOptional().describe('sum over the steps'),
  recoveryTicks: z.int().exactOptional().describe('sum over the steps, ns'),
  vms: z
    .array(
      named('VmOutcome', 'What became of a VM.', {
        name: text.describe('its name'),
        ok: flag.describe('whether it did what it does without a fault'),
        reason: text.exactOptional().describe('why not'),
      }),
    )
    .describe('each VM'),
  vmsAffected: count.describe('how many did not'),
  equivalence: named('EquivalenceSummary', 'Whether a recovery changed anything that a VM can see.', {
    equivalent: flag.describe('whether it changed nothing'),
    reasons: z.array(text).describe('why not'),
  })
    .exactOptional()
    .describe('missing: nothing was recovered'),
  endMoment: moment.describe('moment of the end'),
  endTicks: ticks.describe('virtual time of the end, ns'),
  endDigest: z
    .string()
    .regex(/^[0-9a-f]{1,16}$/)
    .describe('digest of the machine there, hexadecimal digits'),
  converged: flag.describe('the state became that of the run without a fault again; the rest is known'),
});

export const inject = z.strictObject({
  setup,
  seed,
  mechanism: mechanism.describe('the mechanism'),
  injection: injection.describe('what is injected'),
  command: z.array(text).describe('the command that does it again'),
  result: result.describe('what became of it'),
  row: text.exactOptional().describe('the row of a campaign, where one is named'),
  asStored: flag.nullable().exactOptional().describe('whether it ended as it did there; null: it has no result there'),
});

const tally = named('Tally', "Counts of a cell's rows.", {
  size: count.describe('rows of the plan'),
  done: count.describe('rows that have a result'),
  notReached: count.describe('whose trigger never came'),
  nonManifested: count.describe('without any effect'),
  latent: count.describe('with an effect on state alone'),
  announcedError: count.describe('undetected: a VM reported an error'),
  undetectedHang: count.describe('undetected: a VM or the machine never ended'),
  machineDeath: count.describe('undetected: the machine stopped itself'),
  sdc: count.describe('undetected: an output was silently wrong'),
  detected: count.describe('that were detected'),
  success: count.describe('of these, recovered'),
  noVmf: count.describe('of these, with no VM affected'),
  errors: count.describe('that dejavm itself failed on; they have no result'),
});

export const campaign = z.strictObject({
  campaign: text.describe('its name'),
  results: text.describe('path of the results database'),
  cells: z
    .array(
      named('CellSummary', 'A cell of a campaign.', {
        id: count.describe('its number'),
        cell: text.describe('its name'),
        seed,
        evaluation,
        tally: tally.describe('its rows'),
        injected: count.describe('faults that struck'),
        success: rate.describe('recovered, of the detected'),
        noVmf: rate.describe('with no VM affected, of the detected'),
      }),
    )
    .describe('each cell, or those that --only names'),
});

export const campaignExport = z.strictObject({
  name: text.describe('its name'),
  plan: text.describe('the campaign file'),
  toolVersion: text.describe('the dejavm that ran it'),
  images: z.record(text, text).describe('sha256 of each image, by name'),
  imagesOf: z.record(text, z.array(text)).describe('names of the images that each set-up runs'),
  cells: z
    .array(
      named('Cell', 'A line of the plan.', {
        id: count.describe('its number'),
        setup,
        faultClass,
        mechanism: mechanism.describe('the mechanism'),
        mechanismName: text.exactOptional().describe('what the campaign file calls it'),
        rung: named('Rung', 'A rung of a ladder of enhancements.', {
          ladder: text.describe('the ladder'),
          step: count.describe('its place on it'),
          name: text.describe('its name'),
        })
          .exactOptional()
          .describe('missing: it is on no ladder'),
        size: count.describe('number of its rows'),
        seed,
        evaluation,
        variant: text.exactOptional().describe('what it draws otherwise than usual; missing: nothing'),
      }),
    )
    .describe('lines of the plan'),
  rows: z
    .array(
      named('Row', 'One injection of a campaign.', {
        id: count.describe('its number: dejavm inject DB#ID does it again'),
        cell: count.describe('the cell'),
        index: count.describe('its number in the cell: the same n of two cells of one seed is the same injection'),
        injection: injection.describe('what is injected'),
        result: result.exactOptional().describe('missing: it has not run'),
        error: text.exactOptional().describe('the program itself failed on it'),
      }),
    )
    .describe('all injections'),
  overhead: z
    .array(
      named('Overhead', 'A run without a fault.', {
        setup,
        undoLog: flag.describe('whether the undo log is written'),
        checks: z.array(text).exactOptional().describe('self-checks that are on, where they are not all'),
        seed,
        hypervisorInstructions: count.describe('instructions in HS-mode'),
        machineInstructions: count.describe('instructions in M-mode'),
        totalInstructions: count.describe('instructions of all'),
        vmExits: count.describe('exits of VMs'),
      }),
    )
    .describe('runs without a fault'),
});
