/** What the verbs that list records and bookmarks print with `--json`. Relies on fields.ts. */
import { z } from 'zod';
import { count, flag, hex64, moment, named, text, ticks } from './fields.ts';
import { headerFields } from './traces.ts';

const path = text.describe('path of the trace');
const at = { moment, ticks };
const digest = hex64.describe('digest there');

export const dump = z
  .discriminatedUnion('record', [
    z.strictObject({ record: z.literal('header'), ...headerFields }),
    z.strictObject({
      record: z.literal('inputs'),
      ...at,
      kind: text.describe('console, net, fault, poke'),
      data: z.unknown().describe('what enters'),
    }),
    z.strictObject({ record: z.literal('console'), ...at, byte: count.describe('what was printed') }),
    z.strictObject({
      record: z.literal('notes'),
      ...at,
      hart: count.describe('that wrote it'),
      code: count.describe('what it says'),
      arg: count.describe('its argument'),
    }),
    z.strictObject({ record: z.literal('digests'), ...at, digest }),
    z.strictObject({ record: z.literal('vm-digests'), ...at, vmid: count.describe('the VM'), digest }),
    z.strictObject({ record: z.literal('checkpoints'), ...at, digest }),
    z.strictObject({
      record: z.literal('end'),
      ...at,
      digest,
      reason: text.describe('how it stopped: halted pass 0, idle, moment, ticks, stopped, cut'),
    }),
  ])
  .meta({ description: 'A record of a trace.' });

const bookmark = named('Bookmark', 'What somebody noted at a place of a run.', {
  id: count.describe('its number, which stays'),
  ...at,
  here: z.enum(['pending', 'applied']).describe('before the inputs of that position, or behind them'),
  text: text.describe('the note'),
  isOfThisRun: flag.describe('false: it was made at another recording'),
});

export const note = z.strictObject({ path, bookmark: bookmark.describe('the new one') });

export const bookmarks = z.strictObject({
  path,
  bookmarks: z.array(bookmark).describe('in order of the run'),
  unreadable: count.describe('lines of the file that are no bookmarks'),
  isCut: flag.describe('whether the file is longer than what is read, 4 MiB'),
});
