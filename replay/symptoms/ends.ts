/** Whether a run ended as its golden run did: reset, halted, idle, in trap loops, or not at all. */
import { RESET_NOTE, type TrapLoop, trapLoops } from '../../engine/index.ts';
import type { Trace, TraceEnd } from '../../traces/index.ts';
import { endReason, endText } from '../base/index.ts';
import type { Slices, Spent } from '../search/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { coverOf, hadTimeFor, ownEnd } from './cover.ts';
import { loopStart } from './loops.ts';
import { endPlace, placeBefore } from './place.ts';
import type { EndedSymptom } from './types.ts';

/** Resets, and the end itself. Moves both timelines. @throws TraceError when a run leaves its recording */
export function* otherEnd(a: TraceTimeline, g: TraceTimeline, spent: Spent): Slices<EndedSymptom[]> {
  return [otherReset(a, g), yield* otherLast(a, g, spent)].filter((its) => its !== undefined);
}

/** The first reset that the golden run does not have. */
function otherReset(a: TraceTimeline, g: TraceTimeline): EndedSymptom | undefined {
  const resets = (trace: Trace) => trace.notes.filter(({ code }) => code === RESET_NOTE);
  const [ofA, ofG] = [resets(a.trace), resets(g.trace)];
  const further = ofA[ofG.length];
  if (!further || further.ticks > coverOf(g.trace)) return undefined;
  const end = 'reset: the machine starts over';
  return { kind: 'ended', how: 'reset', at: placeBefore(a, further), end, loops: [] };
}

function* otherLast(a: TraceTimeline, g: TraceTimeline, spent: Spent): Slices<EndedSymptom | undefined> {
  const [ownA, ownG] = [ownEnd(a.trace), ownEnd(g.trace)];
  const golden = ownG && { end: endText(ownG), at: endPlace(g) };
  const ended = { kind: 'ended', at: endPlace(a), ...(golden && { golden }) } as const;
  if (ownA && ownG && ownA.reason === ownG.reason) return undefined;
  const loops = loopsOf(a, g);
  if (loops.length > 0) {
    const begun: EndedSymptom['loops'][number][] = [];
    for (const loop of loops) begun.push({ ...loop, since: yield* loopStart(a, loop, spent) });
    const at = begun.map(({ since }) => since).reduce((x, y) => (y.ticks < x.ticks ? y : x));
    return { ...ended, how: 'trap-loop', at, end: ownA ? endText(ownA) : 'it has not ended', loops: begun };
  }
  if (ownA) {
    // The golden run's recording may have been stopped right before it ended so, too. A run that says of itself that
    // all is well has ended too soon only if something is missing.
    if (!ownG && (a.last.ticks > g.last.ticks || isGood(ownA))) return undefined;
    return { ...ended, how: 'end', end: endText(ownA), loops: [] };
  }
  if (!ownG || !hadTimeFor(a.trace, g.last.ticks)) return undefined;
  return { ...ended, how: 'goes-on', end: 'it has not ended', loops: [] };
}

const isGood = ({ reason }: Pick<TraceEnd, 'reason'>): boolean =>
  reason === endReason({ kind: 'halted', status: 'pass', code: 0 });

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
