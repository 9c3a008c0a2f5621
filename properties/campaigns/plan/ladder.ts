/**
 * Ladders: what each enhancement of a mechanism, or each self-check, contributes. Cumulative: from nothing on, one more
 * at each rung, as the papers' tables. Leave-one-out: all of them, then all but one. Knows none of them by name.
 */
import type { Mechanism } from '../injection/index.ts';

export interface Rung {
  readonly step: number;
  readonly name: string;
  readonly mechanism: Mechanism;
}

export type LadderKind = 'cumulative' | 'leave-one-out';

/**
 * The rungs of a ladder.
 * @param order enhancements and checks from the first rung to the last; those of an inner list come and go together. If
 * none are checks, or none are enhancements, those of `mechanism` are on at every rung
 * @param names every enhancement, and every check, in the order in which mechanisms list them
 */
export function rungs(
  kind: LadderKind,
  { recovery, enhance, checks }: Mechanism,
  order: readonly (readonly string[])[],
  names: { readonly enhancements: readonly string[]; readonly checks: readonly string[] },
): Rung[] {
  const named = new Set(order.flat());
  const hasEnhancements = names.enhancements.some((name) => named.has(name));
  const hasChecks = names.checks.some((name) => named.has(name));
  const rung = (step: number, name: string, groups: readonly (readonly string[])[]): Rung => {
    const on = groups.flat();
    const those = (all: readonly string[]) => all.filter((each) => on.includes(each));
    const chosen = hasChecks ? chosenChecks(those(names.checks), names.checks) : checks;
    const mechanism = { recovery, enhance: hasEnhancements ? those(names.enhancements) : enhance };
    return { step, name, mechanism: chosen === undefined ? mechanism : { ...mechanism, checks: chosen } };
  };
  if (kind === 'cumulative') {
    const steps = order.map((group, i) => rung(i + 1, `+ ${group.join(', ')}`, order.slice(0, i + 1)));
    return [rung(0, 'basic', []), ...steps];
  }
  const without = order.map((group, i) => {
    const others = order.filter((other) => other !== group);
    return rung(i + 1, `all but ${group.join(', ')}`, others);
  });
  return [rung(0, 'all', order), ...without];
}

/** As a mechanism says it: undefined when all are on. */
export const chosenChecks = (on: readonly string[], all: readonly string[]): Mechanism['checks'] =>
  on.length === all.length ? undefined : on;
