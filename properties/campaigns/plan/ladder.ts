/**
 * Ladders: what each enhancement of a mechanism contributes. Cumulative: from nothing on, one more at each rung, as the
 * papers' tables. Leave-one-out: all of them, then all but one. Knows no enhancement by name.
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
 * @param order enhancements from the first rung to the last; those of an inner list come and go together
 * @param canonical every enhancement, in the order in which mechanisms list them
 */
export function rungs(
  kind: LadderKind,
  recovery: Mechanism['recovery'],
  order: readonly (readonly string[])[],
  canonical: readonly string[],
): Rung[] {
  const rung = (step: number, name: string, groups: readonly (readonly string[])[]): Rung => {
    const on = groups.flat();
    return { step, name, mechanism: { recovery, enhance: canonical.filter((each) => on.includes(each)) } };
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
