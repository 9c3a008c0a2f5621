/**
 * Verdicts on cases: agree, differ, or differ only where QEMU has a quirk. A case that differs is run again alone and
 * with more time; then, as long as it meets quirks (quirks.ts), without the instructions that meet them.
 */
import type { Case } from './case.ts';
import type { Step } from './observe.ts';
import { QUIRKS } from './quirks.ts';
import type { Session, Verdict } from './session.ts';

export interface Judgement {
  /** Of the case, or of what was left of it without quirks. */
  readonly verdict: Verdict;
  /** Quirks that were left out. */
  readonly quirks: readonly string[];
  /** Differed among other cases and not alone: the host was slow, or a neighbour left something behind. */
  readonly once?: string | undefined;
}

const NOP = 0x00000013;
/** How often instructions may be left out: each time shows new ones. */
const MAX_AMENDS = 8;
/** How much more time a case gets that differs: QEMU's is real, and a busy host gives it little. */
const PATIENCE = [5, 60] as const;

/** Judges the cases, in order. */
export function judge(session: Session, cases: readonly Case[]): Judgement[] {
  const judged: Judgement[] = session.run(cases).map((verdict) => ({ verdict, quirks: [] }));
  let open = differing(judged);
  for (const n of open) {
    const first = judged[n]!.verdict;
    const verdict = patiently(session, first.case);
    const once = verdict.differences.length === 0 ? first.differences[0]?.field : undefined;
    judged[n] = { verdict, quirks: [], once };
  }
  for (let round = 0; round < MAX_AMENDS && open.length > 0; round++) {
    const amended = differing(judged).flatMap((n) => {
      const { verdict, quirks } = judged[n]!;
      const found = withoutQuirks(session, verdict.case);
      return found ? [{ n, its: found.its, quirks: [...new Set([...quirks, ...found.reasons])] }] : [];
    });
    open = amended.map(({ n }) => n);
    for (const { n, its, quirks } of amended) judged[n] = { verdict: patiently(session, its), quirks };
  }
  return judged;
}

/** A case alone, again with more time as long as QEMU may only have been slow. */
function patiently(session: Session, its: Case): Verdict {
  let verdict: Verdict | undefined;
  for (const patience of PATIENCE) {
    verdict = session.run([its], patience)[0]!;
    if (verdict.differences.length === 0 || verdict.qemu.kind !== 'endless') break;
  }
  return verdict!;
}

const differing = (judged: readonly Judgement[]): number[] =>
  judged.flatMap(({ verdict }, n) => (verdict.differences.length > 0 ? [n] : []));

/** The slot of a step; where it runs what is no code of the case, that of the instruction which led there. */
function lastOfCase(steps: readonly Step[], n: number): number | undefined {
  return steps.slice(0, n + 1).findLast(({ slot }) => slot !== undefined)?.slot;
}

/** The case with NOPs for what meets quirks; undefined when nothing does. */
function withoutQuirks(session: Session, its: Case): { its: Case; reasons: string[] } | undefined {
  const steps = session.observe(its);
  const reasons: string[] = [];
  const slots = [...its.slots];
  let found = its;
  for (const n of steps.keys()) {
    for (const { reason, culprit, without } of QUIRKS) {
      const step = culprit(steps, n);
      if (step === undefined) continue;
      const slot = lastOfCase(steps, step);
      if (slot !== undefined && slots[slot] !== NOP) slots[slot] = NOP;
      else if (without && without(found) !== found) found = without(found);
      else continue;
      reasons.push(reason);
    }
  }
  return reasons.length > 0 ? { its: { ...found, slots }, reasons } : undefined;
}
