/** A campaign that dies: kill -9 in the middle loses at most the rows in flight, and no finished row runs twice. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, it } from 'vitest';
import { exportCsv, readCampaign } from '../store/export.ts';

const SCRIPT = fileURLToPath(new URL('./child.fixtures.ts', import.meta.url));
const WORKERS = 2;
const folder = mkdtempSync(join(tmpdir(), 'dejavm-kill-'));
afterAll(() => rmSync(folder, { recursive: true }));

const planFile = join(folder, 'trial.yaml');
writeFileSync(
  planFile,
  'name: trial\ncells: [{ setup: slow, fault: [failstop, register], mechanism: [none, rehype], size: 30 }]\n',
);

interface Ended {
  readonly signal: NodeJS.Signals | null;
  readonly out: string;
  readonly err: string;
}

/** Runs the campaign, until it has told `rows` rows; then it is killed. */
function runChild(path: string, rows = Number.POSITIVE_INFINITY): Promise<Ended> {
  const child = spawn(process.execPath, [SCRIPT, planFile, path, String(WORKERS)]);
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
    if ((out.match(/^injections \d+$/gm) ?? []).length > rows) child.kill('SIGKILL');
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  return new Promise((resolve) => child.on('close', (_code, signal) => resolve({ signal, out, err })));
}

const finished = (path: string) => readCampaign(path).rows.filter(({ result }) => result !== undefined).length;

it('goes on after kill -9 as if nothing had been, and ends in the same table', async () => {
  const undisturbed = join(folder, 'undisturbed.sqlite');
  expect(await runChild(undisturbed)).toMatchObject({ signal: null, err: '' });
  const killed = join(folder, 'killed.sqlite');
  let stored = 0;
  for (const rows of [15, 25]) {
    expect(await runChild(killed, rows)).toMatchObject({ signal: 'SIGKILL' });
    const now = finished(killed);
    // What was told was stored, and the run began where the one before ended.
    expect(now).toBeGreaterThanOrEqual(stored + rows);
    expect(now).toBeLessThan(120);
    stored = now;
  }
  const last = await runChild(killed);
  expect(last).toMatchObject({ signal: null, err: '' });
  expect(last.out).toContain(`injections ${120 - stored}\nremaining 0\n`);
  const table = (path: string) => [...exportCsv(readCampaign(path))].join('');
  expect(table(killed)).toBe(table(undisturbed));
});

it('is refused while another process runs the campaign, which is named', async () => {
  const path = join(folder, 'shared.sqlite');
  const first = spawn(process.execPath, [SCRIPT, planFile, path, '1']);
  const closed = new Promise((resolve) => first.on('close', resolve));
  await new Promise((resolve) => first.stdout.once('data', resolve));
  // It is there for as long as the second takes to start, however fast the host.
  first.kill('SIGSTOP');
  const second = await runChild(path);
  first.kill('SIGCONT');
  await closed;
  expect(second.err).toContain(`UserError: ${path} is in use by process ${first.pid}: wait until that campaign ends`);
  expect(readCampaign(path).rows.every(({ result }) => result !== undefined)).toBe(true);
});
