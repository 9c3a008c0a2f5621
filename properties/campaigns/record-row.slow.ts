/**
 * Rows of a short cell as two traces: what the one with the fault and the one without have in common, and where each
 * ends. Relies on the committed images.
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../engine/index.ts';
import { bisectTraces, replayTrace } from '../../replay/index.ts';
import { openTrace } from '../../traces/index.ts';
import { planCampaign } from './plan/index.ts';
import { catalogue, runCampaign } from './pool/index.ts';
import { recordRow } from './record-row.ts';
import { readCampaign } from './store/index.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-record-row-'));
afterAll(() => rmSync(folder, { recursive: true }));
const database = join(folder, 'short.sqlite');

beforeAll(async () => {
  const text =
    'name: short\ncells:\n  - { setup: compute, fault: [failstop, register], mechanism: rehype, size: 2 }\n' +
    '  - { setup: compute, fault: failstop, mechanism: none, size: 1, triggers: { instructions: [9000000, 9000000] } }\n';
  const plan = planCampaign(text, 'short.yaml', catalogue);
  const { errors } = await runCampaign({ plan, path: database, workers: 1 });
  expect(errors).toEqual([]);
});

describe('a row', () => {
  it('is recorded with its fault and without, equal up to it', async () => {
    for (const { id, result } of readCampaign(database).rows.filter(({ cell }) => cell < 3)) {
      const row = await recordRow(database, id, folder, { digestEvery: 100_000, checkpointEvery: 1_000_000 });
      expect(row.result).toEqual(result);
      const [faulted, golden] = [openTrace(row.faulted.path), openTrace(row.golden.path)];
      const { hit } = row.result;
      const upToFault = (trace: typeof golden) => [...trace.digests].filter(({ ticks }) => ticks <= hit!.ticks);
      expect(upToFault(faulted).length).toBeGreaterThan(10);
      expect(upToFault(golden)).toEqual(upToFault(faulted));
      expect(golden.header.machine).toEqual(faulted.header.machine);
      expect(golden.inputs.filter(({ kind }) => kind === 'fault')).toEqual([]);
      expect(golden.end?.reason).toBe('halted pass 0');
      expect(replayTrace(golden).ok).toBe(true);
      const found = bisectTraces(golden, faulted);
      expect(found.identical).toBe(false);
      expect([found.moment, found.cause]).toEqual([hit!.moment, expect.stringMatching(/only.*fault|fault.*only/)]);
    }
    expect(
      readdirSync(folder)
        .filter((name) => name.endsWith('.djvm'))
        .sort(),
    ).toEqual(['faulted.djvm', 'golden.djvm']);
  });

  it('whose trigger is never reached has nothing to record', async () => {
    const { rows } = readCampaign(database);
    const missed = rows.find(({ result }) => result?.effect === 'not-reached')!;
    const act = recordRow(database, missed.id, folder);
    await expect(act).rejects.toThrow(UserError);
    await expect(act).rejects.toThrow(/nothing to record, its trigger is never reached/);
  });

  it('that is none is refused', async () => {
    await expect(recordRow(database, 99, folder)).rejects.toThrow(/has no row 99: its rows are 1 to 5/);
  });
});
