/** Whether a run can be the golden run of another one: it has the same machine, images and command line. */
import { UserError } from '../../engine/index.ts';
import type { Trace, TraceHeader } from '../../traces/index.ts';
import { imageDifferences, machineDifferences, type SettingDifference } from './diff.ts';

/** In what two runs differ before anything is executed: the first of it. undefined: in nothing. */
export function firstSettingDifference(a: TraceHeader, b: TraceHeader): SettingDifference | undefined {
  return machineDifferences(a, b)[0] ?? imageDifferences(a, b)[0];
}

/** @throws UserError that names the first setting in which `golden` is no golden run of `trace` */
export function insistSameSetting(trace: Trace, golden: Trace): void {
  const other = firstSettingDifference(trace.header, golden.header);
  if (!other) return;
  throw new UserError(
    `${golden.path} is no golden run of ${trace.path}: ${other.name} is ${other.b} there and ${other.a} here; ` +
      'record the same machine, images and command line without the fault',
  );
}
