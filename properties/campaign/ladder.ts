/**
 * Ladders: what each enhancement of a mechanism contributes. Cumulative: from nothing on, one more at each rung, as the
 * papers' tables. Leave-one-out: all of them, then all but one. Knows no enhancement by name.
 */
import type { Mechanism } from '../injection/types.ts';

export interface Rung {
  readonly step: number;
  readonly name: string;
  readonly mechanism: Mechanism;
}

export type LadderKind = 'cumulative' | 'leave-one-out';

/**
 * The rungs of a ladder.
 * @param order enhancements from the first rung to the last
 * @param canonical every enhancement, in the order in which mechanisms list them
 */
export function rungs(
  kind: LadderKind,
  recovery: Mechanism['recovery'],
  order: readonly string[],
  canonical: readonly string[],
): Rung[] {
  const listed = (on: readonly string[]) => canonical.filter((name) => on.includes(name));
  const rung = (step: number, name: string, on: readonly string[]): Rung => {
    return { step, name, mechanism: { recovery, enhance: listed(on) } };
  };
  if (kind === 'cumulative') {
    const steps = order.map((name, i) => rung(i + 1, `+ ${name}`, order.slice(0, i + 1)));
    return [rung(0, 'basic', []), ...steps];
  }
  const without = order.map((name, i) =>
    rung(
      i + 1,
      `all but ${name}`,
      order.filter((other) => other !== name),
    ),
  );
  return [rung(0, 'all', order), ...without];
}
