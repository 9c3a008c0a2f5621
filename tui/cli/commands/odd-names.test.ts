/**
 * Names under which no file can be, or be made: every verb says so in words, and starts over with another where it
 * chooses.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-odd-'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});
const inFolder = (name: string) => join(folder, name);
const RUN = ['record', '--max-moment', '100'];
const [PLAN, SOURCE] = [inFolder('plan.yaml'), inFolder('source.djvm')];

const NAMES: readonly (readonly [string, string])[] = [
  ['a link to itself', inFolder('loop')],
  ['behind a link to itself', inFolder('loop/x.djvm')],
  ['a name that is too long', inFolder('n'.repeat(300))],
  ['a path that is too long', `${folder}/${'n/'.repeat(3000)}x`],
  ['a file as a folder', inFolder('file/x.djvm')],
  ['a file that ends as a folder', `${inFolder('file')}/`],
  ['a folder to be', `${inFolder('none')}/`],
  ['a folder', folder],
  ['in no folder', inFolder('none/x.djvm')],
  ['where nothing can be made', '/proc/x.djvm'],
  ['nothing', ''],
];

beforeAll(async () => {
  vi.stubEnv('XDG_DATA_HOME', folder);
  symlinkSync('loop', inFolder('loop'));
  writeFileSync(inFolder('file'), 'a file');
  writeFileSync(PLAN, 'name: t\ncells: [{ setup: compute, fault: failstop, mechanism: rehype, size: 1 }]\n');
  expect((await cli([...RUN, '-o', SOURCE])).code).toBe(EXIT.ok);
});

describe.each(NAMES)('%s', (_what, name) => {
  it.each([
    ['record -o', [...RUN, '-o', name]],
    ['record -kernel', [...RUN, '-o', inFolder('never.djvm'), '-kernel', name]],
    ['record -drive', [...RUN, '-o', inFolder('never.djvm'), '-drive', `file=${name}`]],
    ['rerun -o', ['rerun', SOURCE, '-o', name]],
    ['rerun', ['rerun', name, '-o', inFolder('never.djvm')]],
    ['info', ['info', name]],
    ['verify', ['verify', name]],
    ['diff', ['diff', SOURCE, name]],
    ['campaign', ['campaign', name, '-o', inFolder('never.sqlite')]],
    ['campaign -o', ['campaign', PLAN, '-o', name]],
    ['report', ['report', name, '-o', inFolder('never.html')]],
  ])('%s', async (_verb, argv) => {
    const { code, out, err } = await cli(argv);
    expect([EXIT.usage, EXIT.damaged], err).toContain(code);
    expect(out).toBe('');
    expect(err).toMatch(/^dejavm: [^\n]+\n$/);
    expect(err).not.toMatch(/\bE[A-Z]{4,}\b|, (stat|open|lstat|scandir)|folder \S+ is not a folder/);
    for (const never of ['never.djvm', 'never.sqlite', 'never.html', 'none'])
      expect(existsSync(inFolder(never))).toBe(false);
  });
});

it('a default name is passed over when anything stands there, wherever it leads', async () => {
  const traces = inFolder('dejavm');
  mkdirSync(traces, { recursive: true });
  for (const [target, name] of [
    ['run.djvm', 'run.djvm'],
    ['nothing', 'run-2.djvm'],
  ] as const)
    symlinkSync(target, join(traces, name));
  mkdirSync(join(traces, 'run-3.djvm'));
  const { code, err } = await cli(RUN);
  expect([code, err]).toEqual([EXIT.ok, expect.stringContaining(`in ${join(traces, 'run-4.djvm')}\n`)]);
});
