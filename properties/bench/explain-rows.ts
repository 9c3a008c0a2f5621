/** Rows of a campaign's database to explain: failed ones, and ones whose fault did nothing. Drawn with a seed. */
import { DatabaseSync } from 'node:sqlite';
import { UserError } from '../../engine/index.ts';

export interface FailedRow {
  readonly id: number;
  readonly setup: string;
  readonly faultClass: string;
  readonly effect: string;
}

/** Fault classes that flip bits: what `explain` is to find. */
const CLASSES = ['register', 'code', 'memory', 'csr'] as const;

export interface DrawnRows {
  /** `second`: a row of the same set-up whose fault was masked, no two alike while there are others; or none. */
  readonly failed: readonly { readonly row: FailedRow; readonly second: FailedRow | undefined }[];
  /** Rows whose fault was masked, at most as many as were asked for. */
  readonly masked: readonly FailedRow[];
}

/**
 * `count` failed rows, in an order that the seed decides, and rows whose fault was masked.
 * Failed: silent data corruption, or detected and not recovered.
 */
export function drawRows(path: string, count: number, seed: number): DrawnRows {
  const database = new DatabaseSync(path, { readOnly: true });
  const marks = CLASSES.map(() => '?').join(', ');
  const rows = (condition: string) =>
    database
      .prepare(
        `SELECT rows.id AS id, setup, fault_class AS faultClass, effect FROM rows JOIN cells ON cells.id = rows.cell
         WHERE fault_class IN (${marks}) AND (${condition})`,
      )
      .all(...CLASSES) as unknown as FailedRow[];
  const failed = shuffled(rows("effect = 'sdc' OR (effect = 'detected' AND success = 0)"), seed);
  const masked = shuffled(rows("effect = 'non-manifested'"), seed);
  database.close();
  if (failed.length === 0) throw new UserError(`${path}: no failed row of ${CLASSES.join(', ')} faults to explain`);
  // A fault of another set-up's machine may name a hart that this one has not.
  const ofSetup = Map.groupBy(masked, ({ setup }) => setup);
  const used = new Map<string, number>();
  const pairs = failed.slice(0, count).map((row) => {
    const choice = ofSetup.get(row.setup) ?? [];
    const n = used.get(row.setup) ?? 0;
    used.set(row.setup, n + 1);
    return { row, second: choice[n % choice.length] };
  });
  return { failed: pairs, masked: masked.slice(0, count) };
}

/** In an order of their own for each seed: by a multiplicative hash of their numbers. */
function shuffled<R extends { readonly id: number }>(rows: readonly R[], seed: number): R[] {
  const rank = ({ id }: R) => Number(BigInt.asUintN(32, (BigInt(id + 1_000_003 * seed) * 0x9e3779b97f4a7c15n) >> 24n));
  return rows.toSorted((a, b) => rank(a) - rank(b));
}
