/**
 * What became of injections by what the hart that they struck at was executing. Relies on the injector's
 * classification; triggers that were never reached are in no region.
 */
import { isUndetected, REGIONS, type Region } from '../injection/index.ts';
import type { RanRow } from './groups.ts';
import { type Rate, rateOf } from './statistics.ts';

export interface RegionSummary {
  readonly region: Region;
  /** Of all injected into the group. */
  readonly share: Rate;
  /** Of those that struck here: on behalf of no VM; detected; harm that nothing detected. */
  readonly nobody: Rate;
  readonly detected: Rate;
  readonly undetected: Rate;
  /** Of the detected. */
  readonly success: Rate;
}

/** Regions that were struck, in the order of tables. */
export function regionsOf(rows: readonly RanRow[]): RegionSummary[] {
  const struck = rows.flatMap(({ result }) => (result.hit ? [{ ...result, hit: result.hit }] : []));
  return REGIONS.flatMap((region) => {
    const here = struck.filter(({ hit }) => hit.region === region);
    if (here.length === 0) return [];
    const detected = here.filter(({ effect }) => effect === 'detected');
    const share = (count: number): Rate => rateOf(count, here.length);
    return {
      region,
      share: rateOf(here.length, struck.length),
      nobody: share(here.filter(({ hit }) => hit.vmid === 0).length),
      detected: share(detected.length),
      undetected: share(here.filter(({ effect }) => isUndetected(effect)).length),
      success: rateOf(detected.filter(({ success }) => success).length, detected.length),
    };
  });
}
