/**
 * The comparison from a seed: draws cases in rounds, runs them, shrinks and describes what differs. A case is named by
 * seed and number; a round is drawn from one generator, because fast-check draws larger cases later.
 */
import fc from 'fast-check';
import { cases } from './arbitrary.ts';
import type { Case } from './case.ts';
import { describe } from './describe.ts';
import { createSession, type Verdict } from './session.ts';
import { shrink } from './shrink.ts';

export interface CompareOptions {
  readonly cases: number;
  readonly seed: number;
  /** The number of the one case to run. */
  readonly only?: number | undefined;
  /** Stops looking after so many. */
  readonly maxFailures: number;
  readonly log: (line: string) => void;
}

export interface Outcome {
  readonly cases: number;
  readonly timedOut: number;
  /** Trap causes met, by name of the mode of the case. */
  readonly causes: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

const ROUND = 400;

/** Compares the two machines; what differs is in `failures`, as text for people. */
export function compare(options: CompareOptions): Outcome {
  const { seed, only, log } = options;
  const session = createSession();
  log(`qemu-system-riscv64 -M virt -cpu ${session.cpu}`);
  const arbitrary = cases(session.drawable);
  const draw = (round: number): Case[] => fc.sample(arbitrary, { seed: seed + round * 1_000_003, numRuns: ROUND });
  const failures: string[] = [];
  const causes = new Map<string, number>();
  let timedOut = 0;
  const first = only ?? 0;
  const end = only === undefined ? options.cases : only + 1;
  let done = first;
  while (done < end && failures.length < options.maxFailures) {
    const from = done % ROUND;
    const verdicts = session.run(draw(Math.floor(done / ROUND)).slice(from, from + Math.min(ROUND - from, end - done)));
    for (const [n, verdict] of verdicts.entries()) {
      if (verdict.qemu.kind === 'timed out') timedOut++;
      countCauses(verdict, causes);
      if (verdict.differences.length === 0 || failures.length >= options.maxFailures) continue;
      // Again and alone: what was only a neighbour's doing, or QEMU's host being slow, does not come back.
      const again = session.run([verdict.case])[0];
      if (!again || again.differences.length === 0) {
        log(`case ${done + n} differed once, and not when run alone: ${verdict.differences[0]?.field}`);
        continue;
      }
      const text = describe(shrink(session, again), `npm run test:differential -- --seed ${seed} --only ${done + n}`);
      failures.push(text);
      log(text);
    }
    done += verdicts.length;
  }
  log(`${done - first} cases, ${timedOut} timed out, ${failures.length} failures; trap causes: ${summary(causes)}`);
  return { cases: done - first, timedOut, causes, failures };
}

function countCauses({ qemu }: Verdict, causes: Map<string, number>): void {
  if (qemu.kind !== 'done') return;
  for (const [field, value] of qemu.fields) {
    if (!/mcause$|^[sv]+cause$/.test(field) || field === 'mcause') continue;
    const name = value >> 63n ? `i${value & 0xffn}` : `${value}`;
    if (value < 24n || (value >> 63n && (value & ~(1n << 63n)) < 16n)) causes.set(name, (causes.get(name) ?? 0) + 1);
  }
}

const summary = (causes: ReadonlyMap<string, number>) =>
  [...causes]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([name, count]) => `${name}×${count}`)
    .join(' ');
