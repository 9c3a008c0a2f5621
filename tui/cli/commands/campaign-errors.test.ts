/** What `dejavm campaign` says of rows on which dejavm itself failed: no real campaign has one. */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, vi } from 'vitest';
import type { CampaignOutcome } from '../../../properties/index.ts';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const errors = Array.from({ length: 22 }, (_, i) => ({ id: i + 8, message: `internal error: planted ${i}` }));
const HARMLESS = { announcedError: 0, undetectedHang: 0, machineDeath: 0, sdc: 0 };
const tally = { size: 30, done: 8, notReached: 0, nonManifested: 0, latent: 0, ...HARMLESS, detected: 8, success: 8 };
vi.mock('../../../properties/index.ts', async (importOriginal) => ({
  ...(await importOriginal<object>()),
  runCampaign: async ({ path }: { path: string }): Promise<CampaignOutcome> => {
    writeFileSync(path, '');
    const tallies = new Map([[1, { ...tally, noVmf: 8, errors: errors.length }]]);
    return { interrupted: false, ran: 8, remaining: errors.length, errors, tallies };
  },
}));

const folder = mkdtempSync(join(tmpdir(), 'dejavm-campaign-errors-'));
afterAll(() => rmSync(folder, { recursive: true }));

it('names each, with the line that reproduces it, and ends with the code of internal errors', async () => {
  const plan = join(folder, 'trial.yaml');
  writeFileSync(plan, 'name: trial\ncells: [{ setup: compute, fault: failstop, mechanism: rehype, size: 30 }]\n');
  const path = join(folder, 'my trial.sqlite');
  const { code, err } = await cli(['campaign', plan, '-o', path]);
  expect(code).toBe(EXIT.internal);
  expect(err.split('\n').slice(0, 3)).toEqual([
    'dejavm: 22 rows ended in an internal error and have no outcome:',
    '  internal error: planted 0',
    `    reproduce with: dejavm inject '${path}#8'`,
  ]);
  expect(err).toMatch(/planted 19\n.*\n {2}and 2 more\ndejavm: 8 rows run, 22 rows to go; results in /);
  expect(existsSync(path)).toBe(true);
});
