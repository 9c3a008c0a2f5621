/**
 * Databases of campaigns: pages changed under SQLite, and values changed through it, of which SQLite knows nothing.
 * Reports read them, one row is read, and a campaign goes on in them.
 */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import {
  campaignCatalogue,
  exportCsv,
  exportJson,
  planCampaign,
  readCampaign,
  readCampaignRow,
  runCampaign,
} from '../../properties/index.ts';
import { CHANGE, type Change, change as changeTree, writeNumber } from './mutate.ts';
import { PLAN_TEXT } from './plan-subject.ts';
import { type Specimen, subject } from './subject.ts';

const PAGE_BYTES = 4096;
/** Where a page says how large its things are. */
const PAGE_HEADER_BYTES = 120;
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  identity: ['name', 'value'],
  cells: [
    'id',
    'setup',
    'fault_class',
    'recovery',
    'enhance',
    'checks',
    'mechanism',
    'ladder',
    'step',
    'rung',
    'size',
    'seed',
    'evaluation',
    'variant',
  ],
  rows: ['id', 'cell', 'n', 'injection', 'result', 'error', 'injection', 'result'],
  golden: ['setup', 'seed', 'checks', 'begin_ticks', 'end_ticks', 'end_moment', 'end_digest'],
  overhead: ['setup', 'undo_log', 'checks', 'seed', 'measured'],
  lock: ['pid', 'started'],
};
const PLACES = Object.entries(COLUMNS).flatMap(([table, columns]) => columns.map((column) => ({ table, column })));

interface PageChange {
  readonly what: 'byte' | 'header' | 'cut' | 'copy' | 'zero';
  readonly page: number;
  readonly place: number;
  readonly value: number;
}

interface ValueChange {
  readonly place: (typeof PLACES)[number];
  readonly row: number;
  readonly how: 'inside' | 'whole' | 'delete' | 'as last';
  readonly value: null | number | string | bigint;
  /** To what is inside JSON. */
  readonly inside: Change;
}

type DatabaseChange = { readonly pages: readonly PageChange[] } | { readonly values: readonly ValueChange[] };

const VALUE = fc.oneof(
  fc.constantFrom(null, 0, -1, 1, 2 ** 31, 2 ** 53 - 1, 1e300, 0.5, 2n ** 63n - 1n),
  fc.constantFrom('', '0', 'detected', 'compute', 'rehype', '__proto__', '\0', '\x1b[2J', 'x'.repeat(1e5), '{', '[]'),
  fc.integer(),
  fc.string({ unit: 'binary', maxLength: 12 }),
);
const PAGE_CHANGE: fc.Arbitrary<PageChange> = fc.record({
  what: fc.constantFrom('byte', 'byte', 'header', 'header', 'cut', 'copy', 'zero'),
  page: fc.nat(),
  place: fc.nat(),
  value: fc.nat({ max: 255 }),
});
const VALUE_CHANGE: fc.Arbitrary<ValueChange> = fc.record({
  place: fc.constantFrom(...PLACES),
  row: fc.nat(),
  how: fc.constantFrom('inside', 'inside', 'whole', 'delete', 'as last'),
  value: VALUE,
  inside: CHANGE,
});

export const DATABASES = subject<DatabaseChange>('database', async (folder) => {
  const plan = planCampaign(PLAN_TEXT, 'trial.yaml', campaignCatalogue);
  const testbed = new URL('./testbed.ts', import.meta.url);
  const base = join(folder, 'base.sqlite');
  await runCampaign({ plan, path: base, workers: 1, testbed });
  const bytes = new Uint8Array(readFileSync(base));
  return {
    changes: fc.oneof(
      fc.record({ pages: fc.array(PAGE_CHANGE, { minLength: 1, maxLength: 6 }) }),
      fc.record({ values: fc.array(VALUE_CHANGE, { minLength: 1, maxLength: 3 }) }),
    ),
    make(its, into) {
      const path = join(into, 'results.sqlite');
      if ('pages' in its) writeFileSync(path, its.pages.reduce(changePage, bytes));
      else {
        copyFileSync(base, path);
        changeValues(path, its.values);
      }
      return specimen(path, into, () => runCampaign({ plan, path: `${path}.copy`, workers: 1, testbed }));
    },
  };
});

function changePage(bytes: Uint8Array, { what, page, place, value }: PageChange): Uint8Array {
  const now = bytes.slice();
  const count = Math.max(1, Math.floor(now.length / PAGE_BYTES));
  const at = (page % count) * PAGE_BYTES;
  if (what === 'byte') writeNumber(now, place % Math.max(1, now.length), value);
  else if (what === 'header') writeNumber(now, at + (place % PAGE_HEADER_BYTES), value);
  else if (what === 'zero') now.fill(0, at, at + PAGE_BYTES);
  else if (what === 'copy') now.copyWithin(at, (place % count) * PAGE_BYTES, (place % count) * PAGE_BYTES + PAGE_BYTES);
  return what === 'cut' ? now.slice(0, place % (now.length + 1)) : now;
}

/** Changes values as the tables allow; what they do not allow is left undone. */
function changeValues(path: string, changes: readonly ValueChange[]): void {
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  for (const { place, row, how, value, inside } of changes) {
    const { table, column } = place;
    if (table === 'lock') db.exec("INSERT OR REPLACE INTO lock VALUES (1, 4194305, 'boot/1')");
    const found = db.prepare(`SELECT rowid AS id, ${column} AS value FROM ${table} ORDER BY rowid`).all();
    const chosen = found[row % Math.max(1, found.length)];
    if (!chosen) continue;
    const set = db.prepare(`UPDATE ${table} SET ${column} = ? WHERE rowid = ?`);
    try {
      if (how === 'delete') db.prepare(`DELETE FROM ${table} WHERE rowid = ?`).run(chosen.id!);
      else if (how === 'as last') set.run(found.at(-1)!.value!, chosen.id!);
      else set.run((how === 'inside' && changedJson(chosen.value, inside)) || value, chosen.id!);
    } catch (error) {
      // STRICT, NOT NULL, UNIQUE, or JSON of which SQLite would not compute columns.
      if ((error as { code?: string }).code !== 'ERR_SQLITE_ERROR') throw error;
    }
  }
  db.close();
}

/** JSON text with something inside it changed; undefined for other values. */
function changedJson(value: unknown, change: Change): string | undefined {
  if (typeof value !== 'string' || !/^[[{]/.test(value)) return undefined;
  const tree = JSON.parse(value) as object;
  changeTree(tree, change);
  return JSON.stringify(tree);
}

function specimen(path: string, into: string, goOn: () => Promise<unknown>): Specimen {
  const html = join(into, 'report.html');
  return {
    doors: {
      text: { argv: ['report', path] },
      json: { argv: ['report', path, '--json'] },
      csv: { argv: ['report', path, '--csv'] },
      markdown: { argv: ['report', path, '--markdown'] },
      html: { argv: ['report', path, '--html', html], writes: html },
      exports: {
        act() {
          const results = readCampaign(path);
          for (const _line of exportCsv(results));
          exportJson(results);
        },
      },
      'reading row 3': { act: () => void readCampaignRow(path, 3, campaignCatalogue) },
      'going on': {
        async act() {
          copyFileSync(path, `${path}.copy`);
          await goOn();
        },
      },
    },
    contradiction({ text, json, csv, markdown, html, exports }) {
      const codes = [text, json, csv, markdown, html, exports];
      return new Set(codes).size > 1 ? `reports and exports do not agree: ${codes}` : undefined;
    },
  };
}
