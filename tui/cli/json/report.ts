/** What `report` prints with `--json`: everything that its tables are made of. Relies on fields.ts. */
import { z } from 'zod';
import { DETECTORS, FAULT_CLASSES, SECOND_MISSED, UNDETECTED } from '../../../properties/index.ts';
import { count, named, rate, region, text } from './fields.ts';
import { overheadSummary } from './overhead.ts';

const recovery = z.enum(['none', 'rehype', 'nilihype']).describe('recovery mechanism');
const classes = z.enum(FAULT_CLASSES).describe('class of faults');
const subject = {
  setup: text.describe('set-up'),
  faultClass: text.describe('class of faults'),
  mechanism: text.describe('as tables call it'),
};
const cells = z.array(count).describe('numbers of its cells');
const enhance = z.array(text).describe('enhancements that are on');
const checks = z.array(text).exactOptional().describe('self-checks that are on, where they are not all');
const source = text.describe('where it is published');
const share = z.number().min(0).max(1);
const command = text.describe('the command that shows it');

const spread = named('Spread', 'A sample of lengths.', {
  n: count.describe('size of the sample'),
  mean: z.number().describe('mean'),
  median: z.number().describe('median'),
  p95: z.number().describe('95th percentile'),
  max: z.number().describe('longest'),
});

const coverage = named('Coverage', 'One outcome over three totals.', {
  detected: rate.describe('of the faults that were detected'),
  manifested: rate.describe('of these and of those that did harm undetected, as the papers count'),
  manifestedOrLatent: rate.describe('of these and of the latent: the stricter way'),
  injected: rate.describe('of all that struck; those that did no harm count as good'),
});

const seedKind = z
  .enum(['evaluation', 'development'])
  .describe('of evaluation seeds, which follow from the images; or of development seeds: not to be reported');
const evaluation = count.exactOptional().describe('which evaluation seed it is, from 0; missing: a development seed');

const group = named('Group', 'Cells of one set-up, fault class and mechanism.', {
  ...subject,
  seedKind,
  bySeed: z
    .array(
      named('SeedCounts', 'What one seed did in a group.', {
        seed: count.describe('the seed'),
        evaluation,
        injected: count.describe('faults that struck'),
        harmless: count.describe('of these, without a visible effect'),
        detected: count.describe('of these, detected'),
        success: count.describe('recovered, of the detected'),
        noVmf: count.describe('with no VM affected, of the detected'),
      }),
    )
    .describe('seed by seed'),
  faultClass: classes,
  recovery,
  enhance,
  checks,
  planned: count.describe('injections of the plan'),
  errors: count.describe('rows that dejavm itself failed on'),
  cells,
  detectionLatencies: z.array(count).describe('instructions from injection to detection, ascending'),
  regions: z
    .array(
      named('RegionShare', 'Injections that struck harts that did the same.', {
        region: region.describe('what the harts were executing'),
        share: rate.describe('of all that struck'),
        nobody: rate.describe('on behalf of no VM'),
        detected: rate.describe('detected'),
        undetected: rate.describe('harm that nothing detected'),
        success: rate.describe('recovered, of the detected'),
      }),
    )
    .describe('what was executed where they struck'),
  run: count.describe('injections that have run'),
  notReached: count.describe('whose trigger never came'),
  injected: count.describe('faults that struck'),
  manifested: count.describe('detected, or harm undetected'),
  effects: named('Effects', 'Effects, of the faults that struck.', {
    nonManifested: rate.describe('nothing changed'),
    latent: rate.describe('only state changed'),
    announcedError: rate.describe('undetected: a VM reported an error'),
    undetectedHang: rate.describe('undetected: a VM or the machine never ended'),
    machineDeath: rate.describe('undetected: the machine stopped itself'),
    sdc: rate.describe('undetected: an output was silently wrong'),
    detected: rate.describe('detected'),
  }).describe('what became of them'),
  proper: named('Proper', 'NiLiHype, a fall-back to a reboot counted as a failure.', {
    fellBack: rate.describe('of the detected: the microreset failed and a reboot followed'),
    success: coverage.describe('recovered'),
    noVmf: coverage.describe('recovered, and no VM was affected'),
  })
    .nullable()
    .describe('of NiLiHype alone'),
  success: coverage.describe('recovered'),
  noVmf: coverage.describe('recovered, and no VM was affected'),
  vmsAffected: z.array(count).describe('how many detected runs lost 0, 1, … VMs'),
  vmsAffectedSilently: z.array(count).describe('the same over those that nothing detected'),
  detectors: z
    .array(
      named('DetectorShare', 'A detector.', {
        detector: z.enum([...DETECTORS, 'unknown']).describe('its name'),
        share: rate.describe('of the detected'),
        latency: spread.nullable().describe('instructions from injection to detection'),
      }),
    )
    .describe('what detected them'),
  detectionLatency: spread.nullable().describe('instructions from injection to detection, all detectors'),
  causes: z
    .array(
      named('CauseShare', 'A cause of failure.', {
        cause: z
          .enum([
            ...(['recovery not entered', 'recovery failed', 'failed again', 'hang after recovery'] as const),
            ...(['privvm failed', 'new vm failed', 'several vms affected', 'one vm affected'] as const),
          ])
          .describe('its name'),
        share: rate.describe('of the detected'),
      }),
    )
    .describe('why recoveries failed'),
  detectedAgain: rate.describe('runs with more than one detection, of the detected'),
  equivalence: named('EquivalenceCounts', 'VM-state equivalence over many runs.', {
    equivalent: rate.describe('recoveries that changed no VM, of those compared'),
    reasons: z
      .array(
        named('ReasonCount', 'A reason.', { reason: text.describe('why not'), count: count.describe('how often') }),
      )
      .describe('why the others are not'),
  }).describe('whether recoveries changed VMs'),
});

const ladder = named('Ladder', 'A ladder of enhancements.', {
  ladder: text.describe('its name in the plan'),
  kind: z.enum(['cumulative', 'leave-one-out']).describe('one more each, or all but one'),
  setup: subject.setup,
  faultClass: subject.faultClass,
  recovery,
  title: text.describe('for people'),
  seedKind,
  rungs: z
    .array(
      named('RungSummary', 'A rung.', {
        step: count.describe('its place'),
        name: text.describe('its name'),
        enhance,
        checks,
        cells,
        seeds: count.describe('from how many seeds its rows are'),
        injected: count.describe('faults that struck'),
        success: rate.describe('recovered, of the detected'),
        noVmf: rate.describe('with no VM affected, of the detected'),
        silent: rate.describe('silent data corruption, of the injected'),
        against: named('Against', 'A rung against another one.', {
          name: text.describe('the other one'),
          points: z.number().describe('difference in success, percentage points'),
          separated: z.enum(['higher', 'lower', 'none']).describe('whether the 95 % intervals do not overlap'),
          p: z.number().nullable().describe('exact McNemar, not adjusted; null: no pair was detected on both'),
        })
          .exactOptional()
          .describe('against the rung before, or the full set'),
      }),
    )
    .describe('its rungs'),
});

const latency = named('Latency', 'How long recoveries take.', {
  setup: subject.setup,
  recovery,
  mechanism: subject.mechanism,
  recoveries: count.describe('how many'),
  steps: z
    .array(
      named('StepLength', 'A step of recoveries.', {
        name: text.describe('its name'),
        seen: count.describe('recoveries that had it; in others its length is 0'),
        instructions: spread.describe('in instructions of all harts'),
        ticks: spread.describe('in virtual time, ns'),
      }),
    )
    .describe('in their order'),
  totalInstructions: spread.describe('all steps, in instructions'),
  totalTicks: spread.describe('all steps, in virtual time, ns'),
});

const pair = { first: text.describe('one mechanism'), second: text.describe('the other') };
const failureKind = z.enum(['failed', 'vm lost', ...UNDETECTED]).describe('not recovered; one VM lost; undetected');

const published = named('Published', "The papers' figures.", {
  caveat: text.describe('what must be known to compare'),
  outcomes: z
    .array(
      named('PublishedOutcome', 'Outcomes.', {
        faultClass: z.enum(['failstop', 'register', 'code']).describe('class of faults'),
        setup: z.literal('3AppVM').describe('set-up'),
        injected: count.describe('faults injected'),
        nonManifested: share.describe('share without effect'),
        sdc: share.describe('share of silent corruption'),
        detected: share.describe('share of the detected'),
        ...(() => {
          const rates = named('PublishedRates', "One mechanism's outcomes.", {
            detected: count.describe('faults detected'),
            success: share.describe('share recovered'),
            noVmf: share.describe('share with no VM affected'),
          });
          return { rehype: rates.describe('ReHype'), nilihype: rates.describe('NiLiHype') };
        })(),
        source,
      }),
    )
    .describe('outcomes'),
  ladders: z
    .array(
      named('PublishedLadder', 'A ladder.', {
        recovery: z.enum(['rehype', 'nilihype']).describe('recovery mechanism'),
        title: text.describe('its name'),
        setup: subject.setup,
        faultClass: z.literal('failstop').describe('class of faults'),
        rungs: z
          .array(
            named('PublishedRung', 'A rung.', {
              name: text.describe('its name'),
              success: share.describe('share recovered'),
              half: z.number().nullable().describe('half of its 95 % interval; null: not given'),
            }),
          )
          .describe('its rungs'),
        source,
      }),
    )
    .describe('ladders'),
  latency: z
    .array(
      named('PublishedLatency', 'Lengths of a recovery.', {
        recovery: z.enum(['rehype', 'nilihype']).describe('recovery mechanism'),
        totalMs: z.number().describe('all of it, ms'),
        steps: z
          .array(
            named('PublishedStep', 'A step.', {
              name: text.describe('its name'),
              ms: z.number().describe('its length, ms'),
            }),
          )
          .describe('its steps'),
        source,
      }),
    )
    .describe('latencies'),
  overhead: z
    .array(
      named('PublishedOverhead', 'Cycles of the hypervisor added.', {
        workload: text.describe('workload'),
        withUndoLog: share.describe('with the undo log'),
        withoutUndoLog: share.describe('without it'),
        source,
      }),
    )
    .describe('overheads'),
  causes: named('PublishedCauses', 'Why recoveries fail.', { text: text.describe('in words'), source }).describe(
    'causes',
  ),
});

export const report = z.strictObject({
  warning: text
    .nullable()
    .describe('why rates may not be reported: they, or some, are of development seeds; null: none'),
  campaign: named('Campaign', 'A campaign.', {
    name: text.describe('its name'),
    database: text.describe('path of the results'),
    toolVersion: text.describe('the dejavm that ran it'),
    images: z.record(text, text).describe('sha256 of each image, by name'),
    plan: text.describe('the campaign file'),
    cells: count.describe('number of cells'),
    planned: count.describe('injections of the plan'),
    run: count.describe('injections that have run'),
    errors: count.describe('rows that dejavm itself failed on'),
    seeds: named('Seeds', 'The seeds of a campaign.', {
      kind: z
        .enum(['evaluation', 'development', 'mixed'])
        .nullable()
        .describe('evaluation seeds were checked against the images; null: there are no cells'),
      setups: z
        .array(
          named('SetupSeeds', 'The seeds of one kind in a set-up.', {
            setup: subject.setup,
            kind: seedKind,
            seeds: z.array(count).describe('the seeds'),
            numbers: z.array(count).describe('which evaluation seeds these are, from 0; empty: development seeds'),
            cells,
          }),
        )
        .describe('by kind and set-up'),
    }).describe('its seeds'),
  }).describe('the campaign'),
  groups: z.array(group).describe('outcomes by set-up, fault class and mechanism, outside ladders'),
  ladders: z.array(ladder).describe('ladders of enhancements'),
  latency: z.array(latency).describe('how long recoveries take'),
  latencyRatios: z
    .array(
      named('LatencyRatio', 'Mean recovery of ReHype over that of NiLiHype.', {
        setup: subject.setup,
        instructions: z.number().describe('in instructions'),
        ticks: z.number().describe('in virtual time'),
        instructionsBesidesFrames: z.number().nullable().describe('without the page-frame check; null: it is all'),
      }),
    )
    .describe('ReHype over NiLiHype'),
  paired: z
    .array(
      named('PairComparison', 'Two mechanisms under the same faults.', {
        setup: subject.setup,
        faultClass: subject.faultClass,
        ...pair,
        metric: z.enum(['success', 'noVMF', 'good end']).describe('what is compared'),
        pairs: count.describe('pairs'),
        both: count.describe('good in both'),
        onlyFirst: count.describe('good in the first alone'),
        onlySecond: count.describe('good in the second alone'),
        neither: count.describe('good in neither'),
        p: z.number().describe('exact McNemar, not adjusted'),
        holm: z.number().describe('p after Holm over the whole table'),
      }),
    )
    .describe('mechanisms under the same faults'),
  alignment: z
    .array(
      named('PairAlignment', 'How far pairs are pairs.', {
        setup: subject.setup,
        faultClass: subject.faultClass,
        ...pair,
        samePlan: rate.describe('the same injection is planned, of all with the same number'),
        samePlace: rate.describe('it struck the same place, of those that both reached'),
      }),
    )
    .describe('how far pairs are pairs'),
  overhead: z.array(overheadSummary).describe('what undo log and self-checks cost'),
  targets: z
    .array(
      named('Target', 'What became of faults in one target.', {
        ...subject,
        faultClass: classes,
        target: text.describe('CSR, kind of memory, interrupt and effect, kind of device, classes of two faults'),
        injected: count.describe('faults that struck'),
        harmUnseen: rate.describe('something went wrong, and no detector fired'),
        latent: rate.describe('only state changed'),
        detected: rate.describe('detected'),
        success: rate.describe('recovered, of the detected'),
        noVmf: rate.describe('with no VM affected, of the detected'),
      }),
    )
    .describe('by what was hit'),
  seconds: z
    .array(
      named('Seconds', 'Two faults in one run.', {
        ...subject,
        faultClass: classes,
        first: count.describe('runs that the first fault struck'),
        missed: z
          .array(
            named('Missed', 'Runs that the second fault never struck.', {
              why: z.enum(SECOND_MISSED).describe('why it never struck'),
              count: count.describe('how many'),
              success: rate.describe('recovered, of the detected'),
            }),
          )
          .describe('runs that the second never struck'),
        both: count.describe('runs that both struck'),
        detected: rate.describe('of these, detected'),
        success: rate.describe('recovered, of these detected'),
        noVmf: rate.describe('with no VM affected, of these detected'),
        fellBack: rate.describe('of these detected: a microreset failed and a reboot followed'),
      }),
    )
    .describe('injections of two faults'),
  clusters: z
    .array(
      named('Cluster', 'Runs that ended badly and hit the same.', {
        setup: subject.setup,
        faultClass: subject.faultClass,
        hit: text.describe('what was hit'),
        bad: count.describe('injections that ended badly under some mechanism'),
        of: count.describe('injections that hit it'),
        expected: z.number().describe('how many would end badly at the rate of their set-up and fault class'),
        p: z.number().describe('exact, one-sided, not adjusted'),
        holm: z.number().describe('p after Holm over all clusters'),
        ends: z
          .array(named('ClusterEnd', 'An end.', { end: text.describe('cause or kind'), count: count.describe('rows') }))
          .describe('what became of the rows'),
        commands: z.array(text).describe('commands that show up to three of them'),
      }),
    )
    .describe('what was hit when runs ended badly, the least likely by chance first'),
  failureGroups: z
    .array(
      named('FailureGroup', 'Failures alike.', {
        kind: failureKind,
        ...subject,
        cause: text.describe('the cause'),
        count: count.describe('how many'),
        ids: z.array(count).describe('the rows to look at first'),
        command,
      }),
    )
    .describe('failures alike'),
  failures: z
    .array(
      named('Failure', 'A row that did not end well.', {
        id: count.describe('its number'),
        kind: failureKind,
        ...subject,
        recovery,
        rung: text.nullable().describe('its rung; null: it is on no ladder'),
        cause: text.describe('the cause'),
        detail: text.describe('the same for people'),
        hit: text.describe('where the fault struck'),
        detection: text.describe('what detected it'),
        command,
      }),
    )
    .describe('every row that did not end well'),
  internalErrors: z
    .array(
      named('InternalError', 'A row that dejavm itself failed on.', {
        id: count.describe('its number'),
        message: text.describe('what went wrong'),
        command,
      }),
    )
    .describe('rows that dejavm itself failed on'),
  published: published.describe("the papers' figures"),
});
