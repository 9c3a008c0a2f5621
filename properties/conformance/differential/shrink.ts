/**
 * Makes a failing case simpler: each round tries every single simplification in one batch and keeps the one that
 * removes most while both machines still differ in a field of the same kind.
 */
import type { Case } from './case.ts';
import { judge } from './judge.ts';
import { withoutPmp } from './quirks.ts';
import type { Session, Verdict } from './session.ts';

const MAX_ROUNDS = 40;
/** Cases that do not end take their time. */
const MAX_ENDLESS_ROUNDS = 3;
const NOP = 0x00000013;

/** The simplest failing case found. */
export function shrink(session: Session, first: Verdict): Verdict {
  const rounds = first.qemu.kind === 'endless' ? MAX_ENDLESS_ROUNDS : MAX_ROUNDS;
  let best = first;
  for (let round = 0; round < rounds; round++) {
    const wanted = signature(best);
    const failing = session
      .run(simpler(best.case))
      .find((verdict) => signature(verdict) === wanted && isFailure(session, verdict.case));
    if (!failing) return best;
    best = failing;
  }
  return best;
}

/** Whether a case differs in its own right: not for a quirk of QEMU that it has come upon. */
const isFailure = (session: Session, its: Case): boolean => {
  const found = judge(session, [its])[0];
  return found !== undefined && found.quirks.length === 0 && found.verdict.differences.length > 0;
};

/** What kind of difference it is: the first one, without trap numbers. */
const signature = (verdict: Verdict): string => (verdict.differences[0]?.field ?? '').replace(/\d+/g, 'N');

/** Cases that lack something, the boldest first. */
function simpler(its: Case): Case[] {
  const found: Case[] = [];
  const { slots } = its;
  for (let size = slots.length >> 1; size >= 1; size >>= 1) {
    for (let from = 0; from + size <= slots.length; from += size) {
      if (slots.length > size) found.push({ ...its, slots: [...slots.slice(0, from), ...slots.slice(from + size)] });
    }
  }
  for (const name of ['satp', 'vsatp', 'hgatp'] as const) {
    const stage = its[name];
    if (!stage) continue;
    found.push({ ...its, [name]: undefined });
    for (const [n] of stage.flaws.entries()) {
      found.push({ ...its, [name]: { ...stage, flaws: stage.flaws.filter((_, at) => at !== n) } });
    }
    if (stage.unset.length > 0) found.push({ ...its, [name]: { ...stage, unset: [] } });
    if (stage.level > 0) found.push({ ...its, [name]: { ...stage, level: 0 } });
  }
  // All or nothing: without its address an entry means something else.
  found.push(withoutPmp(its));
  const names = Object.keys(its.csrs).filter((name) => !name.startsWith('pmp'));
  for (let size = names.length; size > 1; size = Math.ceil(size / 2)) {
    for (let from = 0; from < names.length; from += size) {
      const dropped = new Set(names.slice(from, from + size));
      found.push({ ...its, csrs: Object.fromEntries(Object.entries(its.csrs).filter(([name]) => !dropped.has(name))) });
    }
  }
  if (its.x.some((value) => value !== 0n)) found.push({ ...its, x: [] });
  for (const name of names) {
    const { [name]: dropped, ...rest } = its.csrs;
    if (dropped !== undefined) found.push({ ...its, csrs: rest });
  }
  if (its.offset !== 0x100) found.push({ ...its, offset: 0x100 });
  for (const [n, value] of its.x.entries()) {
    if (value !== 0n) found.push({ ...its, x: its.x.map((old, at) => (at === n ? 0n : old)) });
  }
  for (const [n, slot] of slots.entries()) {
    if (slot !== NOP) found.push({ ...its, slots: slots.map((old, at) => (at === n ? NOP : old)) });
  }
  if (its.data.length > 0) found.push({ ...its, data: [] });
  return found;
}
