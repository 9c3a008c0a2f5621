/**
 * `--max-moment` and `--max-time`: where a run or a replay ends at the latest. Relies on replay for virtual time as
 * text.
 */
import { parseTime } from '../../../replay/index.ts';
import { UsageError } from '../../base/index.ts';
import type { FlagValues } from '../flags.ts';

/** As `record` and `replayTrace` take them. @throws UserError for a time that is none */
export function runLimits(flags: FlagValues<'maxMoment' | 'maxTime'>): { maxMoment: number; maxTicks?: number } {
  const { maxMoment, maxTime } = flags;
  if (maxTime === undefined) return { maxMoment };
  const maxTicks = parseTime(maxTime);
  if (maxTicks !== undefined) return { maxMoment, maxTicks };
  throw new UsageError(`--max-time ${maxTime}: expected virtual time such as 500ms, 1.5s or 20us`);
}
