/** Whether a run can be the golden run of another one: what is said of two that do not belong together is nonsense. */
import { hex, UserError } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import { insistSameSetting } from '../compare/index.ts';
import { inputsFromTrace } from '../container/index.ts';
import { coverOf, type Known } from './cover.ts';

/** The same machine and images, and the same typed, as far as both go. @throws UserError that says what is other */
export function insistGolden(a: Trace, g: Trace): void {
  insistSameSetting(a, g);
  // What has been done before is counted.
  if (a.first.ticks !== g.first.ticks) {
    throw new UserError(
      `${g.path} begins at moment ${g.first.moment} and ${a.path} at ${a.first.moment}: ` +
        'symptoms are found in whole runs, or in cuts from the same moment on',
    );
  }
  insistSameTyping(a, g);
}

/** What was typed may come at another time, for it waits for room, and one run may end before all has come. */
function insistSameTyping(a: Trace, g: Trace): void {
  const [ofA, ofG] = [typedIn(a), typedIn(g)];
  for (let n = 0; ; n++) {
    const [x, y] = [ofA.next(), ofG.next()];
    if (x.done || y.done) return;
    if (x.value === y.value) continue;
    throw new UserError(
      `${g.path} is no golden run of ${a.path}: byte ${n} of what was typed is ${hex(y.value)} and not ${hex(x.value)}; ` +
        'record the same inputs without the fault',
    );
  }
}

/** The bytes of the console's input. Other inputs are not looked at. */
function* typedIn({ inputs, path }: Trace): Generator<number, undefined> {
  const typed = inputs.filter(({ kind }) => kind === 'console');
  for (const { event } of inputsFromTrace({ inputs: typed, path })) if (event.kind === 'console') yield* event.bytes;
  return undefined;
}

/** Nothing has been found: then the golden run must have gone on for as long. @throws UserError */
export function insistLongEnough(a: Trace, known: Known): void {
  const { trace: g } = known;
  if (coverOf(known) >= a.last.ticks) return;
  throw new UserError(
    `no symptom up to moment ${g.last.moment}, where the golden run ${g.path} ends: what ${a.path} does behind it, ` +
      `up to tick ${a.last.ticks}, cannot be judged; record the golden run for as long`,
  );
}
