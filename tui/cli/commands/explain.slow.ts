/** Rows of campaigns are recorded anew to be explained. */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-explaining-'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

describe('explain', () => {
  it('a row: its traces are kept where --keep says, and else nothing is left behind', async () => {
    const plan = join(folder, 'one.yaml');
    writeFileSync(plan, 'name: one\ncells: [{ setup: compute, fault: failstop, mechanism: none, size: 1 }]\n');
    const database = join(folder, 'one.sqlite');
    expect((await cli(['campaign', plan, '-o', database, '--workers', '1'])).code).toBe(EXIT.ok);
    // Others use the system's folder, too.
    const scratch = join(folder, 'scratch');
    mkdirSync(scratch);
    vi.stubEnv('TMPDIR', scratch);
    const shown = await cli(['explain', `${database}#1`]);
    expect(shown.out).toMatch(/^What a user sees\n/);
    expect(readdirSync(scratch)).toEqual([]);
    const kept = await cli(['explain', `${database}#1`, '--keep', join(folder, 'kept')]);
    expect(kept.code).toBe(shown.code);
    expect(readdirSync(join(folder, 'kept')).sort()).toEqual(['faulted.djvm', 'golden.djvm']);
  });
});
