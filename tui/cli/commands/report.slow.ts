/** `dejavm report` on the results of a real campaign: every output, and the same each time. */
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-report-run-'));
afterAll(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'trial.sqlite');

beforeAll(async () => {
  const plan = join(folder, 'trial.yaml');
  writeFileSync(
    plan,
    `name: trial
cells:
  - { setup: compute, fault: [failstop, register], mechanism: [rehype, nilihype], size: 6 }
ladders:
  - { setup: compute, fault: failstop, mechanism: nilihype, kind: cumulative, size: 2 }
overhead: [compute]
`,
  );
  const { code, err } = await cli(['campaign', plan, '-o', path]);
  expect(code, err).toBe(EXIT.ok);
});

describe('dejavm report', () => {
  it('prints the tables', async () => {
    const { code, out } = await cli(['report', path]);
    expect(code).toBe(EXIT.ok);
    for (const title of ['What became of the faults', 'Success', 'Mechanisms paired', 'Ladder: NiLiHype, cumulative']) {
      expect(out).toContain(`\n${title}`);
    }
    expect(out).toMatch(/^compute +failstop +ReHype +6 +0 /m);
    expect(out).toContain('Lazarus is not Xen');
    expect((await cli(['report', path])).out).toBe(out);
  });

  it('counts in JSON what the database holds', async () => {
    const { out } = await cli(['report', path, '--json']);
    const report = JSON.parse(out);
    expect(report.campaign).toMatchObject({ name: 'trial', planned: report.campaign.run, errors: 0 });
    expect(report.groups.map((group: { planned: number }) => group.planned)).toEqual([6, 6, 6, 6]);
    const failstop = report.groups[0];
    expect(failstop.effects.detected).toMatchObject({ hits: 6, of: 6, share: 1 });
    expect(report.latency.length).toBeGreaterThan(0);
    // Either sign: the log moves the schedule, which on a short run outweighs its cost.
    const { operations, added, checks } = report.overhead[0];
    const [off, withLog, all] = operations;
    expect(off.hypervisorInstructions).toBeGreaterThan(0);
    expect(added).toBe(withLog.hypervisorInstructions / off.hypervisorInstructions - 1);
    expect(added).not.toBe(0);
    // The comparison of code is made in M-mode, at every suspicion.
    expect(all.added.machine).toBeGreaterThan(0);
    const [code] = checks;
    expect(code).toMatchObject({ check: 'code', worth: [] });
    expect(code.alone.machine).toBeGreaterThan(code.alone.hypervisor);
    // Mechanisms run from one state: the fault finds the same instruction under both.
    for (const { samePlan, samePlace } of report.alignment) {
      expect(samePlan.share).toBe(1);
      expect(samePlace.share).toBe(1);
    }
  });

  it('writes Markdown, CSV and one whole HTML file', async () => {
    const markdown = await cli(['report', path, '--markdown']);
    expect(markdown.out).toContain('### What became of the faults\n\n| set-up | fault |');
    const csv = await cli(['report', path, '--csv']);
    expect(csv.out.split('\r\n')[0]).toBe(
      'table,setup,fault_class,mechanism,seeds,item,measure,value,hits,of,low,high',
    );
    const target = join(folder, 'report.html');
    writeFileSync(target, 'an older report');
    const html = await cli(['report', path, '--html', target]);
    expect(html).toMatchObject({ code: EXIT.ok, out: '' });
    expect(html.err).toMatch(/^dejavm: report written to .*report\.html, \d/);
    expect(readFileSync(target, 'utf8')).toMatch(/^<!doctype html>[\s\S]*<\/html>\n$/);
    const fresh = join(folder, 'fresh.html');
    const modes = [];
    for (const mode of [undefined, 0o640]) {
      if (mode !== undefined) chmodSync(fresh, mode);
      await cli(['report', path, '--html', fresh]);
      modes.push(statSync(fresh).mode & 0o777);
    }
    expect(modes).toEqual([0o600, 0o640]);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });

  it('says why HTML cannot be written, and leaves nothing behind', async () => {
    const { code, err } = await cli(['report', path, '--html', join(folder, 'none', 'report.html')]);
    expect(code).toBe(EXIT.usage);
    expect(err).toMatch(/report\.html: the report cannot be written: its folder does not exist/);
    mkdirSync(join(folder, 'taken'));
    expect((await cli(['report', path, '--html', join(folder, 'taken')])).err).toMatch(/it is a folder/);
    expect(readdirSync(folder).filter((name) => name.endsWith('.tmp'))).toEqual([]);
  });
});
