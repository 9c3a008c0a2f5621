/**
 * Rows that ended badly, by what was hit: each against all rows that hit the same, so that a place is not bad merely
 * for being popular. Mechanisms under one injection count as one draw. Relies on hits as the injector describes them.
 */
import { failureOf, reproduceCommand } from './failures.ts';
import { groupBy, type RanCell, type RanRow } from './groups.ts';
import { holmAdjusted, hypergeometricTail } from './statistics.ts';

export interface Cluster {
  readonly setup: string;
  readonly faultClass: string;
  /** What was hit: `x10 in schedule`, `csr hgatp bits 48–63`. */
  readonly hit: string;
  /** Injections that ended badly under some mechanism, of those that hit the same. */
  readonly bad: number;
  readonly of: number;
  /** How many of `of` would be, were it like the rest of its set-up and class. */
  readonly expected: number;
  /** Exact, one-sided (hypergeometric); not adjusted. */
  readonly p: number;
  /** p after Holm over all clusters. */
  readonly holm: number;
  /** What became of the bad rows, most frequent first. */
  readonly ends: readonly { readonly end: string; readonly count: number }[];
  readonly commands: readonly string[];
}

const MOST_CLUSTERS = 20;
const MOST_EXAMPLES = 3;
const CSR_GROUP = 16;

interface Draw {
  readonly keys: readonly string[];
  readonly bad: readonly { readonly id: number; readonly end: string }[];
}

/** The worst: two injections at least, by p, then by their number; of equal ones the more exact first. */
export function clustersOf(cells: readonly RanCell[], database: string): Cluster[] {
  const main = cells.filter(({ cell }) => !cell.rung && cell.mechanism.recovery !== 'none');
  const found = groupBy(main, ({ cell }) => [cell.setup, cell.faultClass]).flatMap((alike) => {
    const { setup, faultClass } = alike[0]!.cell;
    const rows = alike.flatMap(({ cell, rows }) => rows.map((row) => ({ row, seed: cell.seed })));
    const draws = groupBy(
      rows.filter(({ row }) => row.result.hit),
      ({ row, seed }) => [seed, row.index, row.injection],
    ).map(drawOf);
    const bad = draws.filter((draw) => draw.bad.length > 0).length;
    const byKey = Map.groupBy(
      draws.flatMap((draw) => draw.keys.map((key) => ({ key, draw }))),
      ({ key }) => key,
    );
    return [...byKey].map(([hit, members]) => {
      const struck = members.filter(({ draw }) => draw.bad.length > 0);
      const rowsOf = struck.flatMap(({ draw }) => draw.bad);
      return {
        ...{ setup, faultClass, hit, bad: struck.length, of: members.length },
        expected: (members.length * bad) / draws.length,
        p: hypergeometricTail(struck.length, members.length, bad, draws.length),
        ends: [...Map.groupBy(rowsOf, ({ end }) => end)]
          .map(([end, { length }]) => ({ end, count: length }))
          .sort((a, b) => b.count - a.count || (a.end < b.end ? -1 : 1)),
        commands: rowsOf
          .map(({ id }) => id)
          .sort((a, b) => a - b)
          .slice(0, MOST_EXAMPLES)
          .map((id) => reproduceCommand(database, id)),
      };
    });
  });
  const adjusted = holmAdjusted(found.map(({ p }) => p));
  return found
    .map((cluster, i) => ({ ...cluster, holm: adjusted[i]! }))
    .filter(({ bad }) => bad > 1)
    .sort((a, b) => a.p - b.p || b.bad - a.bad || b.hit.length - a.hit.length || (a.hit < b.hit ? -1 : 1))
    .slice(0, MOST_CLUSTERS);
}

function drawOf(rows: readonly { readonly row: RanRow }[]): Draw {
  return {
    keys: keysOf(rows[0]!.row),
    bad: rows.flatMap(({ row }) => {
      const kind = failureOf(row);
      return kind ? [{ id: row.id, end: row.result.cause ?? kind }] : [];
    }),
  };
}

/** What a row hit, from the general to the exact. */
function keysOf({ injection: { fault }, result }: RanRow): string[] {
  const { symbol, pc, target } = result.hit!;
  const place = symbol ?? `0x${pc.toString(16)}`;
  const name = place.replace(/\+0x[0-9a-f]+$/, '');
  const places = [...new Set([name, place])];
  switch (fault.model) {
    case 'register':
      return [target, ...places, ...places.map((at) => `${target} in ${at}`)];
    case 'csr': {
      const from = fault.bit - (fault.bit % CSR_GROUP);
      return [`csr ${fault.csr}`, `csr ${fault.csr} bits ${from}–${from + CSR_GROUP - 1}`];
    }
    case 'memory': {
      const structure = target.replace(/\b(gpa )?0x[0-9a-f_]+$/, '').trim();
      return [...new Set([structure.replace(/\b(domain|vcpu of|table of) \S+?(:|\+|$)/, '$1$2'), structure])];
    }
    case 'code':
      return [...places, `${target.replace(/, \d+ bytes on,/, '')} in ${name}`];
    default:
      return [target, ...places];
  }
}
