/**
 * The campaign's rows as CSV (RFC 4180), one line for each injection, for spreadsheets and statistics programs. Relies on
 * the rows alone; rates and tests are in the other outputs.
 */
import { formatFault } from '../../engine/index.ts';
import type { CampaignCell, CampaignResults, CampaignRow } from '../campaign/types.ts';
import type { InjectionTrigger } from '../injection/types.ts';

type Value = string | number | boolean | undefined;

const COLUMNS: readonly (readonly [string, (row: CampaignRow, cell: CampaignCell) => Value])[] = [
  ['id', ({ id }) => id],
  ['cell', ({ cell }) => cell],
  ['index', ({ index }) => index],
  ['setup', (_, { setup }) => setup],
  ['fault_class', (_, { faultClass }) => faultClass],
  ['recovery', (_, { mechanism }) => mechanism.recovery],
  ['enhance', (_, { mechanism }) => mechanism.enhance.join(' ')],
  ['ladder', (_, { rung }) => rung?.ladder],
  ['step', (_, { rung }) => rung?.step],
  ['rung', (_, { rung }) => rung?.name],
  ['seed', (_, { seed }) => seed],
  ['trigger', ({ injection }) => triggerText(injection.trigger)],
  ['fault', ({ injection }) => formatFault(injection.fault)],
  ['effect', ({ result }) => result?.effect],
  ['hit_moment', ({ result }) => result?.hit?.moment],
  ['hit_symbol', ({ result }) => result?.hit?.symbol],
  ['hit_target', ({ result }) => result?.hit?.target],
  ['detector', ({ result }) => result?.detector],
  ['detection_instructions', ({ result }) => result?.detectionInstructions],
  ['success', ({ result }) => result?.success],
  ['no_vmf', ({ result }) => result?.noVmf],
  ['cause', ({ result }) => result?.cause],
  ['cause_detail', ({ result }) => result?.causeDetail],
  ['detections', ({ result }) => result?.detections],
  ['recovery_instructions', ({ result }) => result?.recoveryInstructions],
  ['recovery_ticks', ({ result }) => result?.recoveryTicks],
  ['vms_affected', ({ result }) => result?.vmsAffected],
  ['equivalent', ({ result }) => result?.equivalence?.equivalent],
  ['end_moment', ({ result }) => result?.endMoment],
  ['end_digest', ({ result }) => result?.endDigest],
];

/** Header and one line for each row, planned or run; a row that has not run has no effect. Lines end in CRLF. */
export function csvRows(results: CampaignResults): string {
  const cells = new Map(results.cells.map((cell) => [cell.id, cell]));
  const lines = results.rows.flatMap((row) => {
    const cell = cells.get(row.cell);
    return cell ? [COLUMNS.map(([, value]) => field(value(row, cell))).join(',')] : [];
  });
  return `${[COLUMNS.map(([name]) => name).join(','), ...lines].join('\r\n')}\r\n`;
}

/** Quoted where RFC 4180 wants it. Text that a spreadsheet would take for a formula gets an apostrophe before it. */
function field(value: Value): string {
  if (value === undefined) return '';
  if (typeof value !== 'string') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

function triggerText(trigger: InjectionTrigger): string {
  if (trigger.kind === 'two-level') return `${trigger.ticks} ns + ${trigger.k}`;
  if (trigger.kind === 'moment') return String(trigger.moment);
  return `${trigger.symbol}+0x${trigger.offset.toString(16)} #${trigger.n}`;
}
