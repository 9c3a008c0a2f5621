/**
 * What each command prints with `--json`, one row each: docs/json.md is made from here, the compiler compares each with
 * the value that is printed (documented.ts), and tests read real output with it. Relies on zod, which only documents
 * and tests load: commands name a row by its type.
 */
import type { z } from 'zod';
import { whoWrote } from './accesses.ts';
import { backtrace } from './backtrace.ts';
import { bookmarks, dump, note } from './bookmarks.ts';
import { calls } from './calls.ts';
import { campaign, campaignExport, inject } from './campaigns.ts';
import { explain } from './explain.ts';
import { consoleLine, log, logSummary } from './log.ts';
import { report } from './report.ts';
import { show } from './show.ts';
import { bisect, cut, diff, info, ls, place, replay, rerun, verify } from './traces.ts';
import { bisectWhen, when } from './when.ts';
import { why, whyAlone } from './why.ts';

export interface JsonShape {
  /** As people type it. */
  readonly command: string;
  readonly schema: z.ZodType;
  /** It prints any number of these, one a line. */
  readonly lines?: true;
}

export const JSON_SHAPES = {
  replay: { command: 'dejavm replay TRACE --json', schema: replay },
  'replay --goto': { command: 'dejavm replay TRACE --goto 8M --json', schema: place },
  rerun: { command: 'dejavm rerun TRACE --json', schema: rerun },
  verify: { command: 'dejavm verify TRACE --json', schema: verify },
  info: { command: 'dejavm info TRACE --json', schema: info },
  show: { command: 'dejavm show TRACE -g 8M --json', schema: show },
  inject: { command: 'dejavm inject --fault failstop --at 3ms --json', schema: inject },
  ls: { command: 'dejavm ls --json', schema: ls },
  diff: { command: 'dejavm diff A B --json', schema: diff },
  dump: { command: 'dejavm dump TRACE --json', schema: dump, lines: true },
  cut: { command: 'dejavm cut TRACE --from fault --to detected --json', schema: cut },
  note: { command: "dejavm note TRACE -g 8M 'text' --json", schema: note },
  bookmarks: { command: 'dejavm bookmarks TRACE --json', schema: bookmarks },
  log: { command: 'dejavm log TRACE --json', schema: log, lines: true },
  'log --summary': { command: 'dejavm log TRACE --summary --json', schema: logSummary },
  console: { command: 'dejavm console TRACE --json', schema: consoleLine, lines: true },
  bisect: { command: 'dejavm bisect A B --json', schema: bisect },
  when: { command: "dejavm when TRACE 'hart0.pc == heap_alloc' --json", schema: when },
  'bisect --when': { command: "dejavm bisect TRACE --when 'hart0.mode == HS' --json", schema: bisectWhen },
  'who-wrote': { command: 'dejavm who-wrote TRACE heap_lock --json', schema: whoWrote },
  why: { command: 'dejavm why failed.djvm output --against reference.djvm --json', schema: why },
  'why alone': { command: 'dejavm why TRACE hart0.a0 --json', schema: whyAlone },
  explain: { command: 'dejavm explain failed.djvm --golden reference.djvm --json', schema: explain },
  calls: { command: 'dejavm calls TRACE heap_alloc --json', schema: calls },
  backtrace: { command: 'dejavm backtrace TRACE -g 8M --json', schema: backtrace },
  campaign: { command: 'dejavm campaign smoke --json', schema: campaign },
  'campaign --export': { command: 'dejavm campaign smoke --export json', schema: campaignExport },
  report: { command: 'dejavm report smoke.sqlite --json', schema: report },
} as const satisfies Record<string, JsonShape>;

/** What each prints, as a type. */
export type JsonShapes = { readonly [N in keyof typeof JSON_SHAPES]: z.output<(typeof JSON_SHAPES)[N]['schema']> };
