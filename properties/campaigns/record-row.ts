/**
 * A campaign's row as two traces: the run with its fault, and the same run without it, which is what the first one is
 * compared with. Relies on rows being runs of their own (README.md): nothing but the row is needed.
 */
import { join } from 'node:path';
import { UserError } from '../../engine/index.ts';
import type { RecordResult } from '../../replay/index.ts';
import {
  bootSetup,
  findSetup,
  goldenRun,
  type Injection,
  type InjectionResult,
  injectionCommand,
  type Mechanism,
  type RecordingOptions,
  recordGolden,
  recordInjection,
  runInjection,
  type Setup,
} from './injection/index.ts';
import { catalogue } from './pool/index.ts';
import { readCampaignRow } from './store/index.ts';

/** All that decides a row's run, and what became of it in its campaign. */
export interface RowPlan {
  readonly setup: Setup;
  readonly mechanism: Mechanism;
  readonly seed: number;
  readonly injection: Injection;
  /** undefined: the campaign has not run it yet. */
  readonly stored: InjectionResult | undefined;
}

/**
 * What row `id` of the campaign's database at `path` runs.
 * @throws UserError when there is no such row, FileFormatError when the database is damaged, or its rows were run on
 * another machine than the one at hand
 */
export function planOfRow(path: string, id: number): RowPlan {
  const { row, cell } = readCampaignRow(path, id, catalogue);
  const { setup, mechanism, seed } = cell;
  return { setup: findSetup(setup), mechanism, seed, injection: row.injection, stored: row.result };
}

/** A row, recorded twice. */
export interface RecordedRow extends RowPlan {
  readonly result: InjectionResult;
  /** With the fault; it ends as `result` says. */
  readonly faulted: RecordResult;
  /** Without: equal to `faulted` up to the fault, digest by digest, and recorded to its own end. */
  readonly golden: RecordResult;
}

/**
 * Records row `id` of the database at `path` with its fault and without, as `faulted.djvm` and `golden.djvm` in
 * `folder`; traces of these names are replaced. A row that its campaign has not run yet is run first.
 * @throws UserError for a row without a run: there is none, or its trigger is never reached; TraceWriteError;
 * FileFormatError as `planOfRow`; Error when the row does not end as its campaign says
 */
export async function recordRow(
  path: string,
  id: number,
  folder: string,
  options: Omit<RecordingOptions, 'path' | 'commandLine'> = {},
): Promise<RecordedRow> {
  const plan = planOfRow(path, id);
  const { setup, mechanism, seed, injection, stored } = plan;
  const run = goldenRun(bootSetup(setup, seed), mechanism);
  const result = stored ?? runInjection(run, injection);
  if (result.effect === 'not-reached') {
    throw new UserError(`${path}#${id}: nothing to record, its trigger is never reached`);
  }
  const to = (name: string) => ({ ...options, path: join(folder, name) });
  const faulted = await recordInjection(run, injection, result, to('faulted.djvm'));
  const commandLine = injectionCommand(setup, mechanism, seed, injection, result);
  const golden = await recordGolden(run, {
    ...to('golden.djvm'),
    commandLine: [...commandLine, '--golden', 'golden.djvm'],
  });
  return { ...plan, result, faulted, golden };
}
