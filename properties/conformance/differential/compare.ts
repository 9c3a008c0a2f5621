/**
 * The comparison from a seed: draws cases in rounds, runs them, shrinks and describes what differs. A case is named by
 * seed and number; a round is drawn from one generator, because fast-check draws larger cases later.
 */
import fc from 'fast-check';
import { cases } from './arbitrary.ts';
import type { Case } from './case.ts';
import { describe } from './describe.ts';
import { judge } from './judge.ts';
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
  /** Cases that go on for ever: judged by what has settled. */
  readonly endless: number;
  /** Trap causes met, by name of the mode of the case. */
  readonly causes: ReadonlyMap<string, number>;
  /** Cases that were judged without instructions that meet a quirk, by its reason. */
  readonly quirks: ReadonlyMap<string, number>;
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
  const quirks = new Map<string, number>();
  let endless = 0;
  let once = 0;
  const first = only ?? 0;
  const end = only === undefined ? options.cases : only + 1;
  let done = first;
  while (done < end && failures.length < options.maxFailures) {
    const from = done % ROUND;
    const round = draw(Math.floor(done / ROUND)).slice(from, from + Math.min(ROUND - from, end - done));
    for (const [n, judgement] of judge(session, round).entries()) {
      const { verdict } = judgement;
      if (verdict.qemu.kind === 'endless') endless++;
      countCauses(verdict, causes);
      for (const reason of judgement.quirks) count(quirks, reason);
      if (judgement.once) once++;
      if (verdict.differences.length === 0 || failures.length >= options.maxFailures) continue;
      const text = describe(shrink(session, verdict), `npm run test:differential -- --seed ${seed} --only ${done + n}`);
      failures.push(text);
      log(text);
    }
    done += round.length;
  }
  log(`${done - first} cases, ${endless} endless, ${failures.length} failures; trap causes: ${summary(causes)}`);
  if (once > 0) log(`  ${once} cases agreed only when they were run alone and longer: QEMU's time is real`);
  for (const [reason, times] of quirks) log(`  ${times} cases were judged without what meets this: ${reason}`);
  return { cases: done - first, endless, causes, quirks, failures };
}

const count = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);

function countCauses({ qemu }: Verdict, causes: Map<string, number>): void {
  if (qemu.kind !== 'done') return;
  for (const [field, value] of qemu.fields) {
    if (!/mcause$|^[sv]+cause$/.test(field) || field === 'mcause') continue;
    const name = value >> 63n ? `i${value & 0xffn}` : `${value}`;
    if (value < 24n || (value >> 63n && (value & ~(1n << 63n)) < 16n)) count(causes, name);
  }
}

const summary = (causes: ReadonlyMap<string, number>) =>
  [...causes]
    .sort(([a], [b]) => a.localeCompare(b, 'en', { numeric: true }))
    .map(([name, count]) => `${name}×${count}`)
    .join(' ');
