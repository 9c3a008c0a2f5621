/**
 * What became of injections by what the hart that they struck at was executing. Relies on the injector's
 * classification; triggers that were never reached are in no region.
 */
import { isUndetected, REGIONS, type Region } from '../injection/index.ts';
import { rateOfRows } from './bootstrap.ts';
import type { RanRow } from './groups.ts';
import type { Rate } from './statistics.ts';

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
  const struck = rows.filter(({ result }) => result.hit);
  return REGIONS.flatMap((region) => {
    const here = struck.filter(({ result }) => result.hit!.region === region);
    if (here.length === 0) return [];
    const isDetected = ({ result }: RanRow) => result.effect === 'detected';
    return {
      region,
      share: rateOfRows(struck, ({ result }) => result.hit!.region === region),
      nobody: rateOfRows(here, ({ result }) => result.hit!.vmid === 0),
      detected: rateOfRows(here, isDetected),
      undetected: rateOfRows(here, ({ result }) => isUndetected(result.effect)),
      success: rateOfRows(here.filter(isDetected), ({ result }) => result.success),
    };
  });
}
