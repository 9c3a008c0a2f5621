/**
 * Where trap loops begin that a run ends in. Looks back from the end in growing steps, and then between the last two,
 * for when the hart did nothing else; so what is executed grows with the logarithm of how long the loop has lasted.
 */
import type { MachineEvent, TrapLoop } from '../../engine/index.ts';
import { observe, type Slices, type Spent } from '../search/index.ts';
import type { TraceTimeline } from '../timeline/index.ts';
import { endPlace } from './place.ts';
import type { SymptomPlace } from './types.ts';

/** Ticks that are looked at, at least: several turns of each hart. */
const LEAST_TICKS = 1 << 16;

/** Right before the first trap of a loop; the end where none is seen. Moves the timeline. @throws TraceError */
export function* loopStart(run: TraceTimeline, loop: TrapLoop, spent: Spent): Slices<SymptomPlace> {
  const { harts, quantum } = run.machine.config;
  const stretch = Math.max(LEAST_TICKS, 4 * harts * quantum.ticks);
  const last = run.last.ticks;
  let [from, to] = [last, last];
  for (let step = stretch; from > 0; step *= 2) {
    to = from;
    from = Math.max(0, last - step);
    if (!(yield* look(run, loop, from, from + stretch, spent)).nothingElse) break;
  }
  while (to - from > stretch) {
    const middle = Math.floor((from + to) / 2);
    if ((yield* look(run, loop, middle, middle + stretch, spent)).nothingElse) to = middle;
    else from = middle;
  }
  return (yield* look(run, loop, from, to + stretch, spent)).first ?? endPlace(run);
}

interface Look {
  /** The hart has trapped so again and again, and not otherwise. */
  readonly nothingElse: boolean;
  /** The first trap behind which there is no other one. */
  readonly first?: SymptomPlace;
}

/** Runs from one virtual time to another and looks at the exceptions that the hart takes where the loop's are taken. */
function* look(run: TraceTimeline, loop: TrapLoop, from: number, to: number, spent: Spent): Slices<Look> {
  let first: SymptomPlace | undefined;
  let [same, others] = [0, 0];
  const seen = (event: MachineEvent): undefined => {
    if (event.kind !== 'transition' || !event.trap || event.trap.interrupt) return;
    const { hart, pc, from: mode, vmid, moment, ticks } = event;
    if (hart !== loop.hart || event.to !== loop.to) return;
    if (pc === loop.pc && event.trap.cause === loop.cause && mode === loop.from) {
      same++;
      first ??= { moment, ticks: ticks - 1, hart, pc, mode, vmid };
    } else {
      others++;
      first = undefined;
    }
  };
  run.toTicks(from, 'applied');
  const place = { ticks: Math.min(to, run.last.ticks), here: 'applied' } as const;
  yield* observe(run, place, { transitions: 'all', seen }, () => false, spent);
  return { nothingElse: same > 1 && others === 0, ...(first && { first }) };
}
