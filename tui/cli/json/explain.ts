/** What `dejavm explain` prints with `--json`. Relies on fields.ts. */
import { z } from 'zod';
import { count, hex64, moment, named, position, text, ticks } from './fields.ts';
import { mode } from './traces.ts';
import { whyCause, whyStep } from './why.ts';

const place = named('SymptomPlace', 'Where something happens, right before it.', {
  moment,
  ticks,
  hart: count.exactOptional().describe('that does it; missing: a device does it by itself, or it is the end of a run'),
  pc: hex64.exactOptional().describe('of its next instruction'),
  mode: mode.exactOptional().describe('its privilege mode'),
  vmid: count.exactOptional().describe('VMID in hgatp'),
});

const symptom = named('Symptom', 'What a user sees of a failed run, next to its golden run.', {
  kind: z
    .enum(['detected', 'output', 'missing', 'stuck', 'ended', 'disk'])
    .describe(
      'the hypervisor says that it has failed; another console line; a line, or an end of a VM, that never comes; a VM ' +
        'that is not entered, or left, any more; another end of the run; another disk',
    ),
  text: text.describe('for people'),
  at: place.exactOptional().describe('in this run; missing: it never happens'),
  golden: place.exactOptional().describe('in the golden run'),
});

const followed = named('Followed', 'A symptom, followed back.', {
  symptom: count.describe('its index among the symptoms, from 0'),
  steps: z.array(whyStep).describe('from the symptom back in time'),
  more: count.describe('further steps that --depth leaves out'),
  cause: whyCause.describe('what began it, or why that is not known'),
  instructions: count.describe('of all harts, from there to the symptom; to the end of the run where one is missing'),
  visited: count.describe('values and partings that were looked at'),
  sentence: text.describe('the cause, for people'),
});

export const explain = z.strictObject({
  name: text.describe('the trace, or the row of a campaign, as it was typed'),
  trace: text.exactOptional().describe('path; missing: of a row whose traces are not kept'),
  golden: text.exactOptional().describe('path of the golden run, as trace'),
  symptoms: z.array(symptom).describe('in order of time; none: the run does not fail'),
  firstDifference: named('FirstDifference', 'Where the states of both runs begin to differ.', {
    equalAt: position.exactOptional().describe("the last position known to be equal: the cause's, when it is that"),
    differsAt: position.exactOptional().describe('the first one known to differ; missing: there is none'),
  }).describe('from the states around the cause, else from recorded digests'),
  explained: followed.exactOptional().describe('the earliest symptom that leads to a cause; missing: none does'),
  tried: z.array(followed).describe('symptoms that were followed before and led to none'),
});
