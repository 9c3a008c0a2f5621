/**
 * `dejavm campaign FILE`: thousands of injections over the cores, stored as they come. Progress goes to standard error,
 * the table of outcomes (or the results, with --export) to standard output. Stopping it loses nothing; the same command
 * goes on.
 */

import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { didYouMean, shellLine } from '../../../engine/index.ts';
import {
  type CampaignOutcome,
  type CampaignPlan,
  campaignCatalogue,
  cellLabel,
  exportCsv,
  exportJson,
  planCampaign,
  readCampaign,
  runCampaign,
} from '../../../properties/index.ts';
import { counted, EXIT, type ExitCode, type Io, packageFile, readInputFile, UsageError } from '../../base/index.ts';
import type { CommandContext } from '../command.ts';
import { documented, toJson } from '../json/index.ts';
import { BUNDLED_PLANS } from '../plans.ts';
import { campaignProgress } from './campaign-progress.ts';
import { cellSummaries, outcomeTable } from './campaign-table.ts';

type CampaignFlag = 'results' | 'workers' | 'only' | 'paperScale' | 'export' | 'json';

/** What a worker may need: a machine of 128 MiB, its code, and the snapshots of a golden run of the largest set-up. */
const WORKER_BYTES = 600 * 2 ** 20;
const MAX_ERRORS_SHOWN = 20;
/** Ten times as long as a campaign file may be; how long that is, its parser says. */
const MAX_PLAN_BYTES = 1 << 20;

export async function campaignCommand({ args, flags, io, argv }: CommandContext<CampaignFlag>): Promise<ExitCode> {
  const plan = readPlan(args[0]!, flags.paperScale);
  const path = flags.results ?? `${plan.name}.sqlite`;
  const only = flags.only === undefined ? undefined : selectCells(plan, flags.only);
  const controller = new AbortController();
  const release = io.onInterrupt(() => controller.abort());
  const progress = campaignProgress(io, plan);
  let outcome: CampaignOutcome;
  try {
    outcome = await runCampaign({
      plan,
      path,
      workers: flags.workers ?? defaultWorkers(),
      ...(only && { only }),
      signal: controller.signal,
      onProgress: progress.show,
    });
  } finally {
    progress.end();
    release();
  }
  const shown = { ...plan, cells: plan.cells.filter(({ id }) => !only || only.includes(id)) };
  if (existsSync(path)) printResults(path, shown, outcome, flags, io);
  return conclude(path, outcome, argv, io);
}

/** One per core, as far as memory goes. */
function defaultWorkers(): number {
  const inMemory = Math.floor(process.availableMemory() / WORKER_BYTES);
  return Math.max(1, Math.min(availableParallelism(), inMemory));
}

/** A file, or a plan that comes with the package. @throws UsageError, or UserError with every mistake in it */
function readPlan(name: string, paperScale: boolean): CampaignPlan {
  const isBundled = BUNDLED_PLANS.includes(name);
  if (!isBundled && !existsSync(name)) {
    const guess = didYouMean(name, BUNDLED_PLANS);
    throw new UsageError(`${name}: no such file, and not one of the plans ${BUNDLED_PLANS.join(', ')}${guess}`);
  }
  const path = isBundled ? packageFile(`properties/campaigns/plans/${name}.yaml`) : name;
  const text = Buffer.from(readInputFile(name, path, MAX_PLAN_BYTES)).toString('utf8');
  return planCampaign(text, name, campaignCatalogue, { paperScale });
}

/** Ids of the cells that a number or a part of their label names. */
function selectCells({ cells }: CampaignPlan, wanted: string): number[] {
  const words = wanted.toLowerCase().split(/[\s,/]+/);
  const chosen = cells.filter((cell) =>
    /^\d+$/.test(wanted)
      ? cell.id === Number(wanted)
      : words.every((word) => cellLabel(cell).toLowerCase().includes(word)),
  );
  if (chosen.length > 0) return chosen.map(({ id }) => id);
  const list = cells.map((cell) => `  ${String(cell.id).padStart(3)}  ${cellLabel(cell)}`).join('\n');
  throw new UsageError(`--only '${wanted}' names no cell; expected a number or words of:\n${list}`);
}

function printResults(
  path: string,
  plan: CampaignPlan,
  { tallies }: CampaignOutcome,
  flags: CommandContext<CampaignFlag>['flags'],
  io: Io,
): void {
  if (flags.export === 'csv') for (const line of exportCsv(readCampaign(path))) io.out(line);
  else if (flags.export === 'json') io.out(exportJson(documented('campaign --export', readCampaign(path))));
  else if (flags.json)
    io.out(toJson('campaign', { campaign: plan.name, results: path, cells: cellSummaries(plan, tallies) }));
  else io.out(`${outcomeTable(plan, tallies)}\n`);
}

function conclude(path: string, outcome: CampaignOutcome, argv: readonly string[], io: Io): ExitCode {
  const { errors, interrupted, ran, remaining } = outcome;
  if (errors.length > 0) {
    const have = errors.length === 1 ? 'has' : 'have';
    io.err(`dejavm: ${counted(errors.length, 'row')} ended in an internal error and ${have} no outcome:\n`);
    for (const { id, message } of errors.slice(0, MAX_ERRORS_SHOWN)) {
      io.err(`  ${message}\n    reproduce with: ${shellLine(['dejavm', 'inject', `${path}#${id}`])}\n`);
    }
    if (errors.length > MAX_ERRORS_SHOWN) io.err(`  and ${errors.length - MAX_ERRORS_SHOWN} more\n`);
  }
  if (!existsSync(path)) {
    io.err('dejavm: stopped before the first row; nothing was written\n');
    return EXIT.interrupted;
  }
  const left = remaining === 0 ? '' : `, ${counted(remaining, 'row')} to go`;
  io.err(`dejavm: ${counted(ran, 'row')} run${left}; results in ${path}\n`);
  if (interrupted) io.err(`  go on with: ${shellLine(['dejavm', ...argv])}\n`);
  else if (remaining === 0) io.err(`  look at them with: ${shellLine(['dejavm', 'report', path])}\n`);
  if (interrupted) return EXIT.interrupted;
  return errors.length > 0 ? EXIT.internal : EXIT.ok;
}
