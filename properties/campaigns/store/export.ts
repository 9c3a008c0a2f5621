/**
 * A campaign's results for other programs: everything as one object, and the result table as CSV, one line per row in
 * order of row. Depends on the results alone, so equal campaigns give equal bytes.
 */
import { formatFault } from '../../../engine/index.ts';
import { formatChecks, injectionCommand, injectionTriggerText, secondTriggerText } from '../injection/index.ts';
import type { CampaignCell, CampaignResults, CampaignRow } from '../types.ts';
import { readDatabase } from './reader.ts';

/**
 * Reads a campaign's database, while it runs or afterwards.
 * @throws UserError when there is none, FileFormatError when it is damaged or not a campaign's
 */
export function readCampaign(path: string): CampaignResults {
  return readDatabase(path, (source, { name, plan, toolVersion, images, imagesOf }) => {
    const tables = { cells: source.cells(), rows: [...source.rows()], overhead: source.overhead() };
    return { name, plan, toolVersion, images, imagesOf, ...tables };
  });
}

type Value = string | number | boolean | undefined;

/** The table's columns, each with where its value comes from. */
const COLUMNS: Readonly<Record<string, (row: CampaignRow, cell: CampaignCell) => Value>> = {
  id: (row) => row.id,
  cell: (row) => row.cell,
  n: (row) => row.index,
  setup: (_row, cell) => cell.setup,
  fault_class: (_row, cell) => cell.faultClass,
  recovery: (_row, cell) => cell.mechanism.recovery,
  enhance: (_row, cell) => cell.mechanism.enhance.join(' '),
  checks: (_row, cell) => formatChecks(cell.mechanism.checks).replaceAll(',', ' '),
  mechanism: (_row, cell) => cell.mechanismName,
  ladder: (_row, cell) => cell.rung?.ladder,
  step: (_row, cell) => cell.rung?.step,
  rung: (_row, cell) => cell.rung?.name,
  seed: (_row, cell) => cell.seed,
  evaluation: (_row, cell) => cell.evaluation,
  variant: (_row, cell) => cell.variant,
  trigger: (row) => injectionTriggerText(row.injection.trigger),
  fault: (row) => formatFault(row.injection.fault),
  memory: (row) => row.injection.memory,
  second_trigger: (row) => row.injection.second && secondTriggerText(row.injection.second.trigger),
  second_fault: (row) => row.injection.second && formatFault(row.injection.second.fault),
  effect: (row) => row.result?.effect ?? (row.error === undefined ? 'not run' : 'internal error'),
  error: (row) => row.error,
  detector: (row) => row.result?.detector,
  detection: (row) => row.result?.detection,
  detection_instructions: (row) => row.result?.detectionInstructions,
  success: (row) => row.result?.success,
  no_vmf: (row) => row.result?.noVmf,
  cause: (row) => row.result?.cause,
  cause_detail: (row) => row.result?.causeDetail,
  fell_back: (row) => row.result?.fellBack,
  detections: (row) => row.result?.detections,
  vms_affected: (row) => row.result?.vmsAffected,
  affected: (row) => row.result?.vms.flatMap(({ name, ok }) => (ok ? [] : [name])).join(' '),
  recovery_instructions: (row) => row.result?.recoveryInstructions,
  recovery_ticks: (row) => row.result?.recoveryTicks,
  hit_moment: (row) => row.result?.hit?.moment,
  hit_ticks: (row) => row.result?.hit?.ticks,
  hit_hart: (row) => row.result?.hit?.hart,
  hit_pc: (row) => (row.result?.hit === undefined ? undefined : `0x${row.result.hit.pc.toString(16)}`),
  hit_symbol: (row) => row.result?.hit?.symbol,
  hit_instruction: (row) => row.result?.hit?.instruction,
  hit_target: (row) => row.result?.hit?.target,
  hit_vmid: (row) => row.result?.hit?.vmid,
  hit_region: (row) => row.result?.hit?.region,
  second_k: (row) => row.result?.second?.k,
  second_recovery_length: (row) => row.result?.second?.recoveryLength,
  second_missed: (row) => row.result?.second?.missed,
  second_hit_moment: (row) => row.result?.second?.hit?.moment,
  second_hit_ticks: (row) => row.result?.second?.hit?.ticks,
  second_hit_symbol: (row) => row.result?.second?.hit?.symbol,
  second_hit_target: (row) => row.result?.second?.hit?.target,
  end_moment: (row) => row.result?.endMoment,
  end_ticks: (row) => row.result?.endTicks,
  end_digest: (row) => row.result?.endDigest,
  converged: (row) => row.result?.converged,
  command: ({ injection }, { setup, mechanism, seed }) => {
    return injectionCommand({ name: setup }, mechanism, seed, injection).join(' ');
  },
};

/** The result table as CSV (RFC 4180, but lines end in \n), with a line of column names. */
export function* exportCsv({ cells, rows }: Pick<CampaignResults, 'cells' | 'rows'>): Generator<string> {
  yield `${Object.keys(COLUMNS).join(',')}\n`;
  const cellOf = new Map(cells.map((cell) => [cell.id, cell]));
  const columns = Object.values(COLUMNS);
  for (const row of rows) yield `${columns.map((column) => field(column(row, cellOf.get(row.cell)!))).join(',')}\n`;
}

/** The whole results as JSON. */
export const exportJson = (results: CampaignResults): string => `${JSON.stringify(results, null, 1)}\n`;

function field(value: Value): string {
  if (value === undefined) return '';
  const text = String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
