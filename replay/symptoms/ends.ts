/** Whether a run ended as its golden run did: reset, halted, idle, in trap loops, or not at all. */
import { RESET_NOTE, type TrapLoop, trapLoops } from '../../engine/index.ts';
import { endReason } from '../base/index.ts';
import type { Slices, Spent } from '../search/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { coverOf, endedText, hadTimeFor, type Known } from './cover.ts';
import { loopStart } from './loops.ts';
import { endPlace, placeBefore } from './place.ts';
import type { EndedSymptom } from './types.ts';

/** Resets, and the end itself. Moves both timelines. @throws TraceError when a run leaves its recording */
export function* otherEnd(a: TraceTimeline, g: TraceTimeline, known: Both, spent: Spent): Slices<EndedSymptom[]> {
  return [otherReset(a, known), yield* otherLast(a, g, known, spent)].filter((its) => its !== undefined);
}

interface Both {
  readonly a: Known;
  readonly g: Known;
}

/** The first reset that the golden run does not have. */
function otherReset(a: TraceTimeline, known: Both): EndedSymptom | undefined {
  const resets = ({ trace }: Known) => trace.notes.filter(({ code }) => code === RESET_NOTE);
  const further = resets(known.a)[resets(known.g).length];
  if (!further || further.ticks > coverOf(known.g)) return undefined;
  const end = 'reset: the machine starts over';
  return { kind: 'ended', how: 'reset', at: placeBefore(a, further), end, loops: [] };
}

function* otherLast(a: TraceTimeline, g: TraceTimeline, known: Both, spent: Spent): Slices<EndedSymptom | undefined> {
  const { ended } = known.a;
  const hasGoldenEnd = known.g.ended !== undefined;
  if (hasGoldenEnd && ended === known.g.ended) return undefined;
  const golden = hasGoldenEnd && { golden: { end: endedText(known.g), at: endPlace(g) } };
  const symptom = { kind: 'ended', at: endPlace(a), end: endedText(known.a), loops: [], ...golden } as const;
  const loops = loopsOf(a, g);
  if (loops.length > 0) {
    const begun: EndedSymptom['loops'][number][] = [];
    for (const loop of loops) begun.push({ ...loop, since: yield* loopStart(a, loop, spent) });
    const at = begun.map(({ since }) => since).reduce((x, y) => (y.ticks < x.ticks ? y : x));
    return { ...symptom, how: 'trap-loop', at, loops: begun };
  }
  if (ended === undefined) {
    return hasGoldenEnd && hadTimeFor(known.a, g.last.ticks) ? { ...symptom, how: 'goes-on' } : undefined;
  }
  // The golden run's recording may have been stopped right before it ended so, too. A run that says of itself that all
  // is well has ended too soon only if something is missing.
  if (!hasGoldenEnd && (a.last.ticks > g.last.ticks || ended === GOOD)) return undefined;
  return { ...symptom, how: 'end' };
}

const GOOD = endReason({ kind: 'halted', status: 'pass', code: 0 });

/** Harts in trap loops where a run ends, which the golden run does not have by then. */
function loopsOf(a: TraceTimeline, g: TraceTimeline): TrapLoop[] {
  const loops = loopsAt(a, a.last.ticks);
  if (loops.length === 0) return [];
  const others = loopsAt(g, Math.min(a.last.ticks, g.last.ticks));
  return loops.filter(
    (its) => !others.some(({ hart, pc, cause }) => hart === its.hart && pc === its.pc && cause === its.cause),
  );
}

function loopsAt(run: TraceTimeline, ticks: number): TrapLoop[] {
  run.toTicks(ticks, 'applied');
  return trapLoops(run.machine);
}
