/** What a campaign's database leaves on the disk: how much a power cut can cost, and who may read it. */
import { chmodSync, copyFileSync, existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { drawFault } from '../plan/draw.ts';
import { identityOf } from '../plan/identity.ts';
import { planCampaign } from '../plan/plan.ts';
import { testbed } from '../pool/testbed.fixtures.ts';
import { CampaignDatabase } from './database.ts';
import { readCampaign } from './export.ts';
import { COMPANIONS } from './sqlite.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-store-'));
afterAll(() => rmSync(folder, { recursive: true }));

const PLAN = planCampaign(
  'name: trial\ncells: [{ setup: calm, fault: failstop, mechanism: rehype, size: 20 }]\n',
  'trial.yaml',
  testbed.catalogue,
);
const injector = await testbed.open();
const golden = injector.window({ setup: 'calm', seed: 1 });
const [cell] = PLAN.cells;

let files = 0;
let path = '';
let nowMs = 0;
let database: CampaignDatabase;
const open = () => CampaignDatabase.open(path, identityOf(PLAN), PLAN, () => nowMs);
beforeEach(() => {
  path = join(folder, `${++files}.sqlite`);
});
afterEach(() => database.close());

const plan = () =>
  database.plan(PLAN, identityOf(PLAN), [golden], ({ id }, n) => {
    const planned = PLAN.cells.find((of) => of.id === id)!;
    return testbed.place(drawFault(planned, planned.options, n), golden);
  });
const finish = (id: number) => {
  const { injection } = database.reader.row(id)!;
  database.finish(id, injector.run({ mechanism: cell!.mechanism, golden }, injection));
};

/** What is left if the power fails now: of the log, nothing was waited for. */
function afterPowerCut(): number {
  const left = `${path}.left`;
  copyFileSync(path, left);
  return readCampaign(left).rows.filter(({ result }) => result !== undefined).length;
}

describe('a power cut', () => {
  it('costs the rows of the last second at most, and never the plan', () => {
    database = open();
    plan();
    expect(afterPowerCut()).toBe(0);
    for (let id = 1; id <= 20; id++) {
      nowMs += 250;
      finish(id);
      expect(afterPowerCut()).toBe(id - (id % 4));
    }
  });

  it('costs nothing once the campaign has ended', () => {
    database = open();
    plan();
    for (const id of [1, 2, 3]) finish(id);
    database.close();
    expect(afterPowerCut()).toBe(3);
    expect(existsSync(`${path}-wal`)).toBe(false);
    database = open();
  });
});

describe('results are for their owner only', () => {
  const mode = (name: string) => (statSync(name).mode & 0o777).toString(8);
  const withUmask = <T>(mask: number, work: () => T): T => {
    const before = process.umask(mask);
    try {
      return work();
    } finally {
      process.umask(before);
    }
  };

  it('the database and what SQLite keeps beside it, whatever the umask', () => {
    withUmask(0, () => {
      database = open();
      plan();
      finish(1);
      expect(mode(path)).toBe('600');
      const beside = COMPANIONS.map((suffix) => path + suffix).filter(existsSync);
      expect(beside).toEqual([`${path}-wal`, `${path}-shm`]);
      for (const name of beside) expect(mode(name)).toBe('600');
    });
    database.close();
    expect(mode(path)).toBe('600');
    database = open();
  });

  it('a file that was there keeps the mode that its owner gave it', () => {
    writeFileSync(path, '');
    chmodSync(path, 0o640);
    database = open();
    plan();
    expect([mode(path), mode(`${path}-wal`)]).toEqual(['640', '640']);
  });
});
