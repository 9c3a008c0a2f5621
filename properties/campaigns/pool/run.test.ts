/** Campaigns on a testbed without a machine: what is stored, and that nothing but the file decides it. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { isRunning } from '../../../traces/index.ts';
import { planCampaign } from '../plan/plan.ts';
import type { GoldenWindow } from '../plan/testbed.ts';
import { exportCsv, exportJson, readCampaign } from '../store/export.ts';
import { parseRowReference, readCampaignRow } from '../store/reference.ts';
import { byGoldenRun, type CampaignOptions, runCampaign } from './run.ts';
import { testbed } from './testbed.fixtures.ts';

const FIXTURE = new URL('./testbed.fixtures.ts', import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'dejavm-campaign-'));
afterAll(() => rmSync(folder, { recursive: true }));

let files = 0;
let path = '';
beforeEach(() => {
  path = join(folder, `${++files}.sqlite`);
});

const TEXT = (setup: string, size = 40) => `
name: trial
seed: 3
cells:
  - { setup: ${setup}, fault: [failstop, register], mechanism: [rehype, nilihype], size: ${size} }
overhead: [${setup}]
`;
const plan = (text: string) => planCampaign(text, 'c.yaml', testbed.catalogue);
const run = (options: Partial<CampaignOptions> & Pick<CampaignOptions, 'plan'>) =>
  runCampaign({ path, workers: 2, testbed: FIXTURE, ...options });
const table = (database = path) => [...exportCsv(readCampaign(database))].join('');

describe('a campaign', () => {
  it('runs every row, stores it, and gives the lock back', async () => {
    const outcome = await run({ plan: plan(TEXT('calm')) });
    expect(outcome).toMatchObject({ interrupted: false, ran: 160, remaining: 0, errors: [] });
    const { name, cells, rows, overhead, images } = readCampaign(path);
    expect({ name, images }).toEqual({ name: 'trial', images: { 'calm.elf': 'calm'.padEnd(64, '0') } });
    expect(cells.map(({ size }) => size)).toEqual([40, 40, 40, 40]);
    expect(rows.map(({ id }) => id)).toEqual(Array.from({ length: 160 }, (_, i) => i + 1));
    expect(rows.every(({ result, error }) => result !== undefined && error === undefined)).toBe(true);
    // Nothing on, the log alone, everything, and each of the two checks: left out is the other one alone.
    const kinds = ['false none', 'true all', 'true none', 'true code', 'true copies'];
    const runs = overhead.map(({ undoLog, checks, seed }) => {
      return `${undoLog} ${checks === undefined ? 'all' : checks.join() || 'none'} ${seed}`;
    });
    expect(runs.toSorted()).toEqual(
      kinds.flatMap((kind) => [3, 4, 5, 6, 7].map((seed) => `${kind} ${seed}`)).toSorted(),
    );
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  it.each([
    ['one', 'fault: memory'],
    ['the second of two', 'fault: two-faults, two: { second: [memory] }'],
  ])('places faults of memory where they are %s, by the map of the golden run', async (_, what) => {
    const text = `name: trial\ncells: [{ setup: calm, ${what}, mechanism: none, size: 5 }]\n`;
    expect(await run({ plan: plan(text) })).toMatchObject({ ran: 5, errors: [] });
  });

  it('pairs: row n of two cells that differ in the mechanism holds the same injection', async () => {
    await run({ plan: plan(TEXT('calm')) });
    const { rows } = readCampaign(path);
    const injections = (cell: number) => rows.filter((row) => row.cell === cell).map(({ injection }) => injection);
    expect(injections(1)).toEqual(injections(2));
    expect(injections(3)).toEqual(injections(4));
    expect(injections(1)).not.toEqual(injections(3));
  });

  it('gives the same table, byte by byte, with one worker, with two, and when it was stopped again and again', async () => {
    const campaign = plan(TEXT('slow', 25));
    await run({ plan: campaign, workers: 1 });
    const once = readCampaign(path);
    const parallel = `${path}.parallel`;
    await run({ plan: campaign, workers: 2, path: parallel });
    const stopped = `${path}.stopped`;
    let [runs, ran] = [0, 0];
    for (let remaining = 1; remaining > 0; runs++) {
      const controller = new AbortController();
      const outcome = await run({
        plan: campaign,
        path: stopped,
        signal: controller.signal,
        onProgress: ({ phase, done }) => {
          if (phase === 'injections' && done === 30) controller.abort();
        },
      });
      expect(outcome.ran).toBeLessThanOrEqual(30);
      ({ remaining } = outcome);
      ran += outcome.ran;
    }
    expect(runs).toBeGreaterThan(3);
    expect(ran).toBe(100);
    for (const other of [parallel, stopped]) {
      expect(table(other)).toBe(table(path));
      expect(exportJson(readCampaign(other))).toBe(exportJson(once));
    }
  });

  it('takes rows of one boot, and of one golden run, together', () => {
    const contexts = ['a 1 x', 'a 2 x', 'b 1 x', 'a 1 y', 'a 2 x', 'a 1 x'].map((text, id) => {
      const [setup = '', seed, recovery] = text.split(' ');
      const mechanism = { recovery: recovery as 'none', enhance: [] };
      return { id, mechanism, golden: { setup, seed: Number(seed) } as GoldenWindow };
    });
    expect(byGoldenRun(contexts, (row) => row).map(({ id }) => id)).toEqual([0, 5, 3, 1, 4, 2]);
  });

  it('has a golden run for each evaluation seed, and pairs within seeds', async () => {
    const text = TEXT('calm', 10).replace('seed: 3', 'seeds: 5');
    await run({ plan: plan(text) });
    const { cells, rows, overhead } = readCampaign(path);
    expect(cells.map(({ size, evaluation }) => [size, evaluation])).toEqual(
      Array.from({ length: 20 }, (_, i) => [2, i % 5]),
    );
    const injections = (cell: number) => rows.filter((row) => row.cell === cell).map(({ injection }) => injection);
    for (let n = 1; n <= 5; n++) expect(injections(n)).toEqual(injections(n + 5));
    expect(injections(1)).not.toEqual(injections(2));
    expect(new Set(overhead.map(({ seed }) => seed))).toEqual(new Set(cells.map(({ seed }) => seed)));
  });

  it('runs only the cells asked for, and the others later', async () => {
    const campaign = plan(TEXT('calm'));
    expect(await run({ plan: campaign, only: [2, 3] })).toMatchObject({ ran: 80, remaining: 80 });
    const done = readCampaign(path).rows.filter(({ result }) => result !== undefined);
    expect(new Set(done.map(({ cell }) => cell))).toEqual(new Set([2, 3]));
    expect(await run({ plan: campaign })).toMatchObject({ ran: 80, remaining: 0 });
    await run({ plan: campaign, path: `${path}.whole` });
    expect(table(`${path}.whole`)).toBe(table());
  });

  it('reports progress with the counts of every cell', async () => {
    const seen: number[] = [];
    const outcome = await run({
      plan: plan(TEXT('calm')),
      onProgress: ({ phase, done, total }) => {
        if (phase !== 'injections') return;
        expect(total).toBe(160);
        seen.push(done);
      },
    });
    expect(seen).toEqual(Array.from({ length: 161 }, (_, i) => i));
    const { rows } = readCampaign(path);
    for (const [cell, tally] of outcome.tallies) {
      const of = (effect: string) => rows.filter((row) => row.cell === cell && row.result?.effect === effect);
      expect(tally).toEqual({
        size: 40,
        done: 40,
        notReached: of('not-reached').length,
        nonManifested: of('non-manifested').length,
        latent: of('latent').length,
        sdc: of('sdc').length,
        machineDeath: of('machine-death').length,
        undetectedHang: of('undetected-hang').length,
        announcedError: of('announced-error').length,
        detected: of('detected').length,
        success: of('detected').filter(({ result }) => result?.success).length,
        noVmf: of('detected').filter(({ result }) => result?.noVmf).length,
        errors: 0,
      });
    }
  });
});

describe('an internal error', () => {
  it('is an entry of its row, costs no other row, and is tried again', async () => {
    const campaign = plan(TEXT('frail'));
    const first = await run({ plan: campaign });
    const messages = new Set(first.errors.map(({ message }) => message));
    // About a tenth of the rows throws, and about a tenth takes its worker along.
    expect(messages).toEqual(new Set(['internal error: planted', 'the worker ended with status 3']));
    expect(first.errors.length).toBeGreaterThan(10);
    expect(first.ran + first.errors.length).toBe(160);
    expect(first.remaining).toBe(first.errors.length);
    const { rows } = readCampaign(path);
    expect(rows.filter(({ error }) => error !== undefined).map(({ id, error }) => ({ id, message: error }))).toEqual(
      first.errors,
    );
    expect(table()).toContain(',internal error,internal error: planted,');
    const before = table();
    expect(await run({ plan: campaign })).toMatchObject({ ran: 0, errors: first.errors });
    expect(table()).toBe(before);
  });
});

describe('a database', () => {
  const refusal = async (text: string, options: Partial<CampaignOptions> = {}) => {
    const error = await run({ plan: plan(text), ...options }).catch((reason: unknown) => reason);
    expect(['UserError', 'FileFormatError']).toContain((error as Error).name);
    return (error as Error).message;
  };

  it('is refused to a second campaign while one runs', async () => {
    const text = TEXT('slow');
    let second: Promise<string> | undefined;
    const first = await run({
      plan: plan(text),
      onProgress: () => {
        second ??= refusal(text);
      },
    });
    expect(await second).toBe(
      `${path} is in use by process ${process.pid}: wait until that campaign ends, stop it, or write to another file with -o`,
    );
    expect(first.remaining).toBe(0);
  });

  it('is taken over from a process that is gone, even when its number is in use again', async () => {
    await run({ plan: plan(TEXT('calm')) });
    for (const [pid, started] of [
      [2 ** 22 + 1, 'boot/1'],
      [process.pid, 'an earlier boot/1'],
    ] as const) {
      const db = new DatabaseSync(path);
      db.prepare('INSERT INTO lock VALUES (1, ?, ?)').run(pid, started);
      db.close();
      expect(isRunning({ pid, started })).toBe(false);
      expect(await run({ plan: plan(TEXT('calm')) })).toMatchObject({ ran: 0, remaining: 0 });
    }
  });

  it.skipIf(process.platform !== 'linux')('is taken over from a zombie, which nobody may ever collect', async () => {
    // The shell becomes a sleep that never asks for its child's status; the child ends only after that.
    const parent = spawn('sh', ['-c', 'sleep 1 & echo $!; exec sleep 900']);
    try {
      const pid = Number(await new Promise((resolve) => parent.stdout.once('data', (text) => resolve(String(text)))));
      await vi.waitFor(() => expect(readFileSync(`/proc/${pid}/stat`, 'utf8')).toContain(') Z '), {
        timeout: 900_000,
      });
      expect(() => process.kill(pid, 0)).not.toThrow();
      expect(isRunning({ pid, started: '' })).toBe(false);
      expect(isRunning({ pid: parent.pid!, started: '' })).toBe(true);
    } finally {
      parent.kill();
    }
  });

  it('goes on with the same campaign only: the line that differs is named', async () => {
    await run({ plan: plan(TEXT('calm', 4)) });
    const before = table();
    expect(await refusal(TEXT('calm', 5))).toBe(
      `${path}: holds results of another campaign: line 5 of its file was ` +
        "'- { setup: calm, fault: [failstop, register], mechanism: [rehype, nilihype], size: 4 }', is " +
        "'- { setup: calm, fault: [failstop, register], mechanism: [rehype, nilihype], size: 5 }'; " +
        'go on with what they were made with, or write to another file with -o',
    );
    expect(await refusal(TEXT('calm', 4).replace('trial', 'other'))).toMatch(/it is 'trial', this is 'other'/);
    expect(table()).toBe(before);
    expect(await run({ plan: plan(`# a comment\n${TEXT('calm', 4)}`) })).toMatchObject({ remaining: 0 });
  });

  it('goes on with the same images and engine only', async () => {
    const campaign = plan(TEXT('calm', 4));
    await run({ plan: campaign });
    const other = { ...campaign, images: { 'calm.elf': 'f'.repeat(64) } };
    await expect(run({ plan: other })).rejects.toThrow(
      /image calm.elf was sha256 calm00000000…, is sha256 ffffffffffff…; go on with/,
    );
    const db = new DatabaseSync(path);
    db.exec(`UPDATE identity SET value = json_set(value, '$.engineBehaviour', 1)`);
    db.close();
    await expect(run({ plan: campaign })).rejects.toThrow(/another machine: engine behaviour 1, this is \d+;/);
  });

  it('gives a row by its name, to be run again on the same machine only', async () => {
    await run({ plan: plan(TEXT('calm', 4)) });
    expect(parseRowReference(`${path}#7`)).toEqual({ path, id: 7 });
    for (const text of [path, `${path}#`, `${path}#x`, '#7']) expect(parseRowReference(text)).toBeUndefined();
    const { row, cell } = readCampaignRow(path, 7, testbed.catalogue);
    expect(row).toEqual(readCampaign(path).rows[6]);
    expect(cell).toMatchObject({ id: 2, faultClass: 'failstop', mechanism: { recovery: 'nilihype' } });
    expect(() => readCampaignRow(path, 17, testbed.catalogue)).toThrow(`${path} has no row 17: its rows are 1 to 16`);
    const rebuilt = { ...testbed.catalogue, images: () => ({ 'calm.elf': 'e'.repeat(64) }) };
    expect(() => readCampaignRow(path, 7, rebuilt)).toThrow(
      /rows cannot be run again here: image calm.elf was sha256 calm00000000…, is sha256 eeeeeeeeeeee…/,
    );
  });

  it('is not left behind half-written when the campaign cannot begin', async () => {
    const controller = new AbortController();
    controller.abort();
    expect(await run({ plan: plan(TEXT('calm')), signal: controller.signal })).toMatchObject({ interrupted: true });
    expect(existsSync(path)).toBe(false);
  });
});
