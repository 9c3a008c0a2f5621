/** `dejavm campaign` on the real machine, and one of its rows again. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { CHECKS } from '../../../engine/index.ts';
import { readCampaign } from '../../../properties/index.ts';
import { EXIT } from '../../base/exit-codes.ts';
import { packageFile } from '../../base/package-root.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-campaign-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

const file = join(folder, 'trial.yaml');
writeFileSync(
  file,
  `name: trial
cells:
  - { setup: compute, fault: [failstop, register, code, memory, csr, interrupt], mechanism: [rehype, nilihype], size: 3 }
overhead: [compute]
`,
);
const path = join(folder, 'trial.sqlite');

/** Whether a campaign that runs has stored a row. */
function hasResults(database: string): boolean {
  try {
    return readCampaign(database).rows.some(({ result }) => result !== undefined);
  } catch {
    return false; // not there yet, or not planned
  }
}

describe('dejavm campaign', () => {
  it('runs a file, prints a line per cell, and the same table whatever the number of workers', async () => {
    const first = await cli(['campaign', file, '-o', path, '--workers', '2']);
    // On a busy host also a line every ten seconds that says how far it is.
    const said = first.err.replace(/^dejavm: (golden runs|overhead|injections) .*\n/gm, '');
    expect(said).toBe(`dejavm: 36 rows run; results in ${path}\n  look at them with: dejavm report ${path}\n`);
    expect(first.code).toBe(EXIT.ok);
    const lines = first.out.trimEnd().split('\n');
    expect(lines[0]).toMatch(
      /^ *# +cell +injected +not reached +non-manif. +latent +announced +hang +death +SDC +detected +success of detected/,
    );
    expect(lines).toHaveLength(1 + 12);
    expect(lines[1]).toMatch(/compute failstop rehype +3 +0 +0 +0 +0 +0 +0 +0 +3 +100\.0 % \[43\.9, 100\.0\]/);
    const csv = await cli(['campaign', file, '-o', path, '--export', 'csv']);
    expect(csv.out.split('\n')).toHaveLength(1 + 36 + 1);
    const alone = await cli(['campaign', file, '-o', `${path}.alone`, '--workers', '1', '--export', 'csv']);
    expect(alone.out).toBe(csv.out);
  });

  it('stores rows that pair, and what normal operation costs', () => {
    const { cells, rows, overhead } = readCampaign(path);
    const injections = (cell: number) => rows.filter((row) => row.cell === cell).map(({ injection }) => injection);
    for (let cell = 1; cell < cells.length; cell += 2) expect(injections(cell)).toEqual(injections(cell + 1));
    const of = (log: boolean, checks?: string) => {
      return overhead.filter((run) => run.undoLog === log && run.checks?.join() === checks);
    };
    // Nothing, the log alone, everything, each check left out, and each alone.
    expect(overhead).toHaveLength(5 * (3 + 2 * CHECKS.length));
    for (const same of [of(false, ''), of(true, ''), of(true), of(true, 'code')]) {
      expect(same.map(({ seed }) => seed)).toEqual([1, 2, 3, 4, 5]);
    }
    for (const { hypervisorInstructions, machineInstructions, totalInstructions, vmExits } of overhead) {
      expect(Math.min(hypervisorInstructions, machineInstructions)).toBeGreaterThan(0);
      expect(totalInstructions).toBeGreaterThan(hypervisorInstructions + machineInstructions);
      expect(vmExits).toBeGreaterThan(100);
    }
  });

  it('prints rates as JSON', async () => {
    const { out, code } = await cli(['campaign', file, '-o', path, '--json']);
    expect(code).toBe(EXIT.ok);
    const { campaign, cells } = JSON.parse(out);
    expect(campaign).toBe('trial');
    expect(cells[0]).toMatchObject({
      id: 1,
      cell: 'compute failstop rehype',
      injected: 3,
      success: { hits: 3, of: 3 },
    });
  });

  it('every row can be run again, ends as it did, and becomes a trace that replays', async () => {
    const { rows } = readCampaign(path);
    for (const { id } of rows.filter(({ id }) => id % 5 === 1)) {
      const { out, err, code } = await cli(['inject', `${path}#${id}`]);
      expect(out, err).toContain(`ends as in ${path}#${id}, digest ${rows[id - 1]!.result!.endDigest}\n`);
      expect(code).toBe(EXIT.ok);
    }
    const trace = join(folder, 'row.djvm');
    const recorded = await cli(['inject', `${path}#2`, '--record', trace, '--json']);
    expect(JSON.parse(recorded.out)).toMatchObject({ row: `${path}#2`, asStored: true, result: rows[1]!.result });
    expect((await cli(['replay', trace])).code).toBe(EXIT.ok);
    expect((await cli(['info', trace])).out).toContain(`dejavm inject ${path}#2 --record`);
  });

  it('says so when a row does not end as it did', async () => {
    const changed = `${path}.changed`;
    copyFileSync(path, changed);
    const db = new DatabaseSync(changed);
    db.exec(`UPDATE rows SET result = json_set(result, '$.endDigest', '0') WHERE id = 1`);
    db.close();
    const { out, code } = await cli(['inject', `${changed}#1`]);
    expect(out).toMatch(/row +DIFFERS: endDigest was "0", is "[0-9a-f]{16}"\n$/);
    expect(code).toBe(EXIT.difference);
  });

  it('does not run a row that no campaign draws: the database is damaged', async () => {
    const broken = `${path}.broken`;
    copyFileSync(path, broken);
    const db = new DatabaseSync(broken);
    const impossible = `'{"model":"register","hart":7,"register":1,"bit":0}'`;
    db.exec(`UPDATE rows SET injection = json_set(injection, '$.fault', json(${impossible})) WHERE id = 8`);
    db.exec('UPDATE rows SET result = NULL WHERE id IN (7, 8, 9)');
    db.close();
    const { err, code } = await cli(['campaign', file, '-o', broken]);
    expect(code).toBe(EXIT.damaged);
    expect(err).toMatch(/^dejavm: .*broken: is damaged, or was changed by another program: row 8 cannot be run: .+\n$/);
    expect(await cli(['inject', `${broken}#8`])).toMatchObject({ code: EXIT.usage });
  });

  it('refuses rows that are none', async () => {
    const refusal = async (...argv: string[]) => (await cli(['inject', ...argv])).err;
    expect(await refusal(`${path}#99`)).toBe(`dejavm: ${path} has no row 99: its rows are 1 to 36\n`);
    expect(await refusal(path)).toMatch(/names no row: expected a campaign's database and a row, results.sqlite#17/);
    expect(await refusal(`${path}#1`, '--fault', 'failstop')).toMatch(/leave out --fault, --at and --seed/);
    expect(await refusal(join(folder, 'none.sqlite#1'))).toMatch(/none.sqlite: no such file/);
  });

  it('refuses files, cells and flags with the reason', async () => {
    const wrong = join(folder, 'wrong.yaml');
    writeFileSync(wrong, 'name: x\ncells:\n  - { setup: compute, fault: device, mechanism: none, size: 1 }\n');
    expect(await cli(['campaign', wrong])).toEqual({
      code: EXIT.usage,
      out: '',
      err:
        `dejavm: ${wrong}:3:30: faults of class 'device' cannot be injected into set-up 'compute': ` +
        'expected failstop, register, code, code-permanent, memory, csr, interrupt, two-faults, in-recovery\n',
    });
    expect((await cli(['campaign', join(folder, 'none.yaml')])).err).toMatch(
      /none.yaml: no such file, and not one of the plans smoke, paper, .*\n$/,
    );
    const only = await cli(['campaign', file, '-o', path, '--only', 'toaster']);
    expect(only.code).toBe(EXIT.usage);
    expect(only.err).toContain(
      "--only 'toaster' names no cell; expected a number or words of:\n    1  compute failstop rehype\n",
    );
    expect((await cli(['campaign', file, '--export', 'xml'])).err).toMatch(/expected csv or json, got 'xml'/);
    expect((await cli(['campaign', file, '--workers', '0'])).err).toMatch(/a whole number from 1 to 256/);
  });

  it('stops on Ctrl-C, keeps what ran, and goes on', async () => {
    const stopped = `${path}.stopped`;
    writeFileSync(`${file}.long`, readFileSync(file, 'utf8').replace('size: 3', 'size: 30'));
    const first = await cli(['campaign', `${file}.long`, '-o', stopped], {
      onInterruptible(interrupt) {
        const timer = setInterval(() => {
          if (!hasResults(stopped)) return;
          clearInterval(timer);
          interrupt();
        }, 100);
      },
    });
    expect(first.code).toBe(EXIT.interrupted);
    expect(first.err).toMatch(/rows? run, \d+ rows to go; results in .*\n {2}go on with: dejavm campaign /);
    const part = await cli(['campaign', `${file}.long`, '-o', stopped, '--only', '2']);
    expect(part.code).toBe(EXIT.ok);
    expect(part.err).toMatch(/\d+ rows to go/);
    expect(part.out.trimEnd().split('\n')).toHaveLength(2);
    expect(part.out).toMatch(/^2 +compute failstop nilihype +30 /m);
  });
});

it.each(['smoke', 'paper'])('the bundled plan %s is fit for the set-ups that there are', async (name) => {
  expect(readFileSync(packageFile(`properties/campaigns/plans/${name}.yaml`), 'utf8')).toContain(`name: ${name}\n`);
  const { err, code } = await cli(['campaign', name, '-o', join(folder, `${name}.sqlite`), '--only', 'nothing at all']);
  expect(code).toBe(EXIT.usage);
  expect(err).toContain("--only 'nothing at all' names no cell");
});
