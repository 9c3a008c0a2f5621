/**
 * Rows of campaigns on Debian's U-Boot and Linux: they run, the ones that were hit can be recorded with their fault and
 * without, the recordings replay to the same ends, and the campaign is reported. Needs apt (debian.ts).
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { replayTrace } from '../../../replay/index.ts';
import { openTrace } from '../../../traces/index.ts';
import { catalogue, runCampaign } from '../../campaigns/pool/index.ts';
import { planCampaign, readCampaign, recordRow, summarise, textReport } from '../../index.ts';
import { writeGuestFiles } from './guest-files.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-guests-'));
beforeAll(() => writeGuestFiles(folder));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string) => join(folder, name);

it.each([
  ['uboot', `uboot@${file('u-boot.bin')}`, 2],
  ['linux', `linux@${file('Image')},initrd=${file('initramfs.cpio')}`, 1],
])('rows on %s run, replay, and are reported', async (name, setup, size) => {
  const text = `name: ${name}
cells:
  - { setup: '${setup}', fault: [failstop, register], mechanism: rehype, size: ${size}, triggers: { run: [10, 60] } }
`;
  const path = file(`${name}.sqlite`);
  const { errors } = await runCampaign({ plan: planCampaign(text, `${name}.yaml`, catalogue), path, workers: 1 });
  expect(errors).toEqual([]);
  const results = readCampaign(path);
  const failstops = results.rows.filter(({ cell }) => cell === 1);
  expect(failstops.map(({ result }) => [result?.effect, result?.success])).toEqual(
    failstops.map(() => ['detected', true]),
  );
  const traces = file(name);
  mkdirSync(traces);
  const options = { digestEvery: 10_000_000, checkpointEvery: 200_000_000 };
  const { result, faulted, golden } = await recordRow(path, failstops[0]!.id, traces, options);
  expect(result).toEqual(failstops[0]!.result);
  for (const { path: trace } of [faulted, golden]) expect(replayTrace(openTrace(trace)).ok).toBe(true);
  expect(textReport(summarise(results, path))).toContain(setup);
});
