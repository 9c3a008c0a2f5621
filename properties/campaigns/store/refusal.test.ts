/**
 * A campaign's database is a file from outside: what is not whole, or not ours, is refused by name, and never believed.
 */
import { execFileSync } from 'node:child_process';
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FileFormatError } from '../../../engine/index.ts';
import { planCampaign } from '../plan/plan.ts';
import { runCampaign } from '../pool/run.ts';
import { testbed } from '../pool/testbed.fixtures.ts';
import { readCampaign } from './export.ts';
import { readCampaignRow } from './reference.ts';
import { SqliteFile } from './sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-refusal-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PLAN = planCampaign(
  'name: trial\ncells: [{ setup: calm, fault: [failstop, memory], mechanism: [rehype], size: 8 }]\noverhead: [calm]\n',
  'trial.yaml',
  testbed.catalogue,
);
const FIXTURE = new URL('../pool/testbed.fixtures.ts', import.meta.url);
const run = (path: string, workers = 1) => runCampaign({ plan: PLAN, path, workers, testbed: FIXTURE });

const whole = join(folder, 'whole.sqlite');
/** The same with the first cell's rows done, and the second cell's still to run. */
const half = join(folder, 'half.sqlite');
beforeAll(async () => {
  await run(whole);
  await runCampaign({ plan: PLAN, path: half, workers: 1, testbed: FIXTURE, only: [1] });
});

let files = 0;
/** A copy of a database, changed by SQL. */
function changed(sql: string, from = whole): string {
  const path = join(folder, `changed-${++files}.sqlite`);
  copyFileSync(from, path);
  const db = new DatabaseSync(path, { enableForeignKeyConstraints: false, defensive: false });
  db.exec(sql);
  db.close();
  return path;
}

/** Every way in: reports, one row, and the campaign that would go on. Each says the same of the file, in one line. */
async function refusals(path: string): Promise<string[]> {
  const outcomes = await Promise.all(
    [(async () => readCampaign(path))(), (async () => readCampaignRow(path, 1, testbed.catalogue))(), run(path)].map(
      (way) =>
        way.then(
          () => 'accepted',
          (error: unknown) => error,
        ),
    ),
  );
  return outcomes.map((error) => {
    expect(error).toBeInstanceOf(FileFormatError);
    const { message } = error as Error;
    expect(message).not.toContain('\n');
    expect(message).toContain(path);
    return message.replaceAll(path, 'FILE');
  });
}

describe('what is not a database of a campaign is refused, whoever opens it', () => {
  const cases: [string, (path: string) => void, RegExp][] = [
    ['a folder', (path) => mkdirSync(path), /^FILE: is a folder; expected a campaign's database$/],
    ['a FIFO, which would be waited for', (path) => execFileSync('mkfifo', [path]), /^FILE: is not a regular file/],
    [
      'text',
      (path) => writeFileSync(path, 'not a database, but long enough to have a header. '.repeat(90)),
      /^FILE: is not a SQLite database/,
    ],
    ["another program's database", (path) => new DatabaseSync(path).exec('CREATE TABLE t (x)'), /but not a campaign's/],
    [
      "a database of another's with our tables' names",
      (path) => copyAs(path, 'PRAGMA application_id = 7'),
      /not a campaign's/,
    ],
    [
      'an older version',
      (path) => copyAs(path, 'PRAGMA user_version = 1'),
      /an older version of dejavm: its tables are version 1, expected 3/,
    ],
    [
      'a newer version',
      (path) => copyAs(path, 'PRAGMA user_version = 99'),
      /a newer version of dejavm: its tables are version 99, expected 3/,
    ],
    [
      'a log without its database',
      (path) => writeFileSync(`${path}-wal`, 'rows'),
      /its log FILE-wal is there and may hold rows: put the database back/,
    ],
    [
      'a log beside an empty file',
      (path) => {
        writeFileSync(path, '');
        writeFileSync(`${path}-wal`, 'rows');
      },
      /its log FILE-wal is there/,
    ],
    [
      'a log that is a FIFO',
      (path) => {
        copyFileSync(whole, path);
        execFileSync('mkfifo', [`${path}-wal`]);
      },
      /FILE-wal is not a regular file/,
    ],
    // The schema's format, byte 44 of the file: 4 is the last that there is.
    ['a later format of SQLite', (path) => writeByte(path, 47, 5), /^FILE: is not a database that this SQLite reads/],
    [
      'half of a file',
      (path) => {
        copyFileSync(whole, path);
        truncateSync(path, Math.floor(statSync(path).size / 8192) * 4096);
      },
      /^FILE: is damaged/,
    ],
  ];
  const writeByte = (path: string, at: number, value: number) => {
    const bytes = readFileSync(whole);
    bytes[at] = value;
    writeFileSync(path, bytes);
  };
  const copyAs = (path: string, sql: string) => copyFileSync(changed(sql), path);

  it.each(cases)('%s', async (_what, make, message) => {
    const path = join(folder, `refused-${++files}.sqlite`);
    make(path);
    for (const said of await refusals(path)) expect(said).toMatch(message);
  });

  it('an empty file, to be read; a campaign may begin in it', async () => {
    const path = join(folder, 'empty.sqlite');
    writeFileSync(path, '');
    expect(() => readCampaign(path)).toThrow(new FileFormatError(path, "is empty; expected a campaign's database"));
    expect(await run(path)).toMatchObject({ remaining: 0 });
    expect(readCampaign(path)).toEqual(readCampaign(whole));
  });

  it('a file that is not there is the command line’s mistake', () => {
    const missing = join(folder, 'missing.sqlite');
    expect(() => readCampaign(missing)).toThrow(/no such file; `dejavm campaign` writes such databases/);
    expect(() => readCampaign(missing)).not.toThrow(FileFormatError);
  });
});

describe('a database that another program changed is refused, with what is wrong', () => {
  const result = (field: string, value: string) =>
    `UPDATE rows SET result = json_set(result, '$.${field}', json('${value}')) WHERE id = 5`;
  const cases: [string, string, RegExp][] = [
    [
      'a trigger that would write when we do',
      'CREATE TRIGGER t AFTER UPDATE ON rows BEGIN DELETE FROM cells; END',
      /a trigger 't' that no campaign makes/,
    ],
    [
      'an index that would compute when we write',
      'CREATE INDEX i ON rows (length(result))',
      /an? index 'i' that no campaign makes/,
    ],
    [
      'a view in the place of a table',
      'ALTER TABLE overhead RENAME TO o; CREATE VIEW overhead AS SELECT * FROM o',
      /no table 'overhead'/,
    ],
    ['another column', 'ALTER TABLE rows ADD COLUMN note TEXT', /its table 'rows' is another one/],
    ['a missing table', 'DROP TABLE golden', /it has no index 'sqlite_autoindex_golden_1'|it has no table 'golden'/],
    ['a row whose cell is gone', 'DELETE FROM cells WHERE id = 2', /row 9 belongs to a cell that is not there/],
    [
      'a cell of another number',
      'UPDATE cells SET id = 3 WHERE id = 2; UPDATE rows SET cell = 3 WHERE cell = 2',
      /cell 2 is not there/,
    ],
    ['rows missing', 'DELETE FROM rows WHERE id = 7', /cell 1 has 7 rows, expected 8/],
    [
      'rows numbered otherwise',
      'UPDATE rows SET n = 1000 WHERE id = 8',
      /cell 1 has 8 rows, expected 8, numbered from 0/,
    ],
    ['a golden run missing', 'DELETE FROM golden', /the golden run of 'calm', seed 1, is not there/],
    [
      'a golden run with a number that no run has',
      'UPDATE golden SET end_ticks = -1',
      /the golden run of 'calm' is not one at 'endTicks'/,
    ],
    [
      'a number beyond what numbers can be',
      'UPDATE cells SET seed = 9007199254740993',
      /a number in it is larger than any that dejavm writes/,
    ],
    [
      'a fault class that does not exist',
      "UPDATE cells SET fault_class = 'meteor'",
      /cell 1 is not one at 'faultClass'/,
    ],
    [
      'a seed of its own that is called an evaluation seed',
      'UPDATE cells SET evaluation = 0',
      /cell 1 has seed 1, but evaluation seed 0 of the images of 'calm' is \d+/,
    ],
    ['a size without bound', 'UPDATE cells SET size = 9007199254740991', /cell 1 is not one at 'size'/],
    [
      'a plan without its text',
      "UPDATE identity SET value = json_remove(value, '$.plan')",
      /its identity is not one at 'plan'/,
    ],
    ['no plan at all', 'DELETE FROM identity', /what its results belong to is not there/],
    [
      'a value longer than any',
      `UPDATE rows SET result = '"${'x'.repeat(5 << 20)}"' WHERE id = 5`,
      /a value in it is longer than 4194304 bytes/,
    ],
    ['an identity that is no JSON', "UPDATE identity SET value = '{'", /its identity is not JSON/],
  ];
  it.each(cases)('%s', async (_what, sql, message) => {
    const path = changed(sql);
    const [read, row, goneOn] = await refusals(path);
    for (const said of [read, row]) expect(said).toMatch(message);
    expect(goneOn).toMatch(/is damaged/);
  });

  it('evaluation seeds that are not those of its images', async () => {
    const text = 'name: trial\ncells: [{ setup: calm, fault: failstop, mechanism: rehype, size: 5, seeds: 5 }]\n';
    const path = join(folder, 'evaluation.sqlite');
    const plan = planCampaign(text, 'trial.yaml', testbed.catalogue);
    await runCampaign({ plan, path, workers: 1, testbed: FIXTURE });
    expect(readCampaign(path).cells.map(({ evaluation }) => evaluation)).toEqual([0, 1, 2, 3, 4]);
    const other = 'e'.repeat(64);
    for (const sql of [
      `UPDATE identity SET value = json_set(value, '$.images."calm.elf"', '${other}')`,
      `UPDATE identity SET value = json_set(value, '$.imagesOf.calm', json('[]'))`,
      'UPDATE cells SET evaluation = 5 WHERE evaluation = 0',
      'PRAGMA foreign_keys = OFF; UPDATE cells SET seed = 7; INSERT INTO golden SELECT setup, 7, checks, 1, 2, 3, 1 FROM golden LIMIT 1',
    ]) {
      const tampered = changed(sql, path);
      expect(() => readCampaign(tampered), sql).toThrow(/cell 1 has seed \d+, but evaluation seed [05] of the images/);
      expect(() => readCampaignRow(tampered, 1, testbed.catalogue), sql).toThrow(/is damaged/);
      await expect(runCampaign({ plan, path: tampered, workers: 1, testbed: FIXTURE })).rejects.toThrow(
        /is damaged|another machine/,
      );
    }
  });

  const rows: [string, string, RegExp][] = [
    // SQLite reads JSON5, and would call what it cannot read malformed.
    ['a result that is not JSON', "UPDATE rows SET result = '{effect: 1}' WHERE id = 5", /row 5 is not JSON/],
    ['an effect that does not exist', result('effect', '"fine"'), /the result of row 5 is not one at 'effect'/],
    ['a field that does not exist', result('color', '1'), /the result of row 5 is not one/],
    [
      'more VMs affected than there are',
      result('vmsAffected', '9007199254740991'),
      /row 5 is not one: its fields contradict/,
    ],
    ['a digest that is none', result('endDigest', '"none"'), /row 5 is not one at 'endDigest'/],
    [
      'an injection without a fault',
      `UPDATE rows SET injection = json_remove(injection, '$.fault') WHERE id = 5`,
      /the injection of row 5 is not one at 'fault'/,
    ],
  ];
  it.each(rows)('%s', async (_what, sql, message) => {
    const path = changed(sql);
    expect(() => readCampaign(path)).toThrow(message);
    expect(() => readCampaign(path)).toThrow(FileFormatError);
    await expect(run(path)).rejects.toThrow(message);
    // A row that is whole can be had from a database in which another is not.
    expect(readCampaignRow(path, 6, testbed.catalogue).row.id).toBe(6);
  });

  it('a result that not even SQLite can read', async () => {
    const path = changed('');
    const bytes = readFileSync(path);
    // All of them: pages keep copies of what was moved elsewhere.
    for (let at = -1; (at = bytes.indexOf('{"effect":', at + 1)) >= 0; ) bytes.write('[', at);
    writeFileSync(path, bytes);
    expect(() => readCampaign(path)).toThrow(/is damaged, or was changed by another program: malformed JSON/);
    await expect(run(path)).rejects.toThrow(FileFormatError);
  });

  it("an injection, or a golden run, with which a row cannot be run: the file's fault, not ours", async () => {
    const elsewhere = changed('UPDATE golden SET end_moment = 10', half);
    await expect(run(elsewhere)).rejects.toThrow(/row 9 cannot be run: the golden run of calm ends at/);
    await expect(run(changed('UPDATE golden SET end_moment = 10', half))).rejects.toThrow(FileFormatError);
    const one = run(
      changed(`UPDATE rows SET injection = json_set(injection, '$.trigger.ticks', 0) WHERE id = 9`, half),
    );
    await expect(one).rejects.toThrow(/row 9 cannot be run: tick 0 is before the run/);
  });

  it('the lock of no process', async () => {
    const path = changed("INSERT INTO lock VALUES (1, -1, '')");
    await expect(run(path)).rejects.toThrow(
      `${path}: is damaged, or was changed by another program: its lock names no process`,
    );
  });

  it("tables and views of somebody's own beside ours do no harm", async () => {
    const path = changed(
      'CREATE TABLE mine (x); CREATE VIEW v AS SELECT effect, count(*) FROM rows GROUP BY effect; ANALYZE',
    );
    expect(readCampaign(path)).toEqual(readCampaign(whole));
    expect(await run(path)).toMatchObject({ ran: 0, remaining: 0 });
  });
});

it('a disk that fills up is said so, and what was stored stays', () => {
  const path = changed('');
  const file = SqliteFile.open(path, 'write');
  const { page_count } = file.get('PRAGMA page_count') as { page_count: number };
  file.exec(`PRAGMA max_page_count = ${page_count}`);
  const fill = () => {
    for (let n = 0; ; n++) file.run("INSERT INTO overhead VALUES (?, 0, '', 1, ?)", `s${n}`, 'x'.repeat(4000));
  };
  expect(() => file.transaction('IMMEDIATE', fill)).toThrow(`${path}: cannot be used: the disk is full`);
  file.close();
  expect(readCampaign(path)).toEqual(readCampaign(whole));
});
