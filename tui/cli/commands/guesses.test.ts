/** Whatever has a name is guessed when it is misspelt: one list of all kinds of names, each said in one line. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-guesses-'));
const env = { XDG_DATA_HOME: folder };
const golden = join(folder, 'dejavm', 'golden.djvm');
const out = join(folder, 'out.djvm');
const plan = join(folder, 'plan.yaml');
const INJECT = ['inject', '--fault', 'failstop', '--at', '1ms'];
const record = (...flags: string[]) => ['record', '-o', out, '--max-moment', '2k', ...flags];

beforeAll(async () => {
  vi.stubEnv('XDG_DATA_HOME', folder);
  mkdirSync(dirname(golden));
  const { code, err } = await cli(['record', '-o', golden, '--max-moment', '2k'], { env });
  if (code !== EXIT.ok) throw new Error(err);
});
afterEach(() => vi.restoreAllMocks());
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const guessOf = async (argv: readonly string[]) => {
  const { code, err } = await cli([...argv], { env });
  expect([code, err.trimEnd().split('\n').length]).toEqual([EXIT.usage, 1]);
  return /\(did you mean (.*?)\?\)/.exec(err)?.[1] ?? err;
};

describe('a misspelt name on the command line', () => {
  test.each<[string, string[], string]>([
    ['verb', ['recrod'], 'record'],
    ['flag', record('--kernle', 'x'), '--kernel'],
    ['setting of a device', record('-device', 'virtio-net-device,netdve=n0'), 'netdev'],
    ['device', record('-device', 'virtio-blk-devcie'), 'virtio-blk-device'],
    ['set-up', [...INJECT, '--setup', 'computer'], 'compute'],
    ['mechanism', [...INJECT, '--recovery', 'rehyp'], 'rehype'],
    ['enhancement', [...INJECT, '--enhance', '-lock'], 'locks'],
    ['fault model', record('--fault', 'failsotp@1k'), 'failstop'],
    ['CSR', record('--fault', 'csr=hgapt,bit=4@1k'), 'hgatp'],
    ['effect', record('--fault', 'interrupt=timer,effect=lots@1k'), 'lost'],
    ['option of a fault', record('--fault', 'failstop,hrat=1@1k'), 'hart'],
    ['symbol', record('--fault', 'failstop@hypercal'), 'hypercall'],
    ['plan', ['campaign', 'smok'], 'smoke'],
    ['trace', ['info', 'goldne.djvm'], 'golden.djvm'],
    ['name of a trace', ['info', 'goldne'], 'golden'],
    ['latest', ['info', 'lates'], 'latest'],
    ['command of the TUI', ['tui', golden, '--frame', '--script', ':gotoo 5'], 'goto'],
  ])('%s', async (_kind, argv, meant) => {
    expect(await guessOf(argv)).toBe(meant);
  });

  test('a symbol that is not near any is guessed from nothing', async () => {
    expect(await guessOf(record('--fault', 'failstop@qqqqqqqqqqqqqqqqqqqq'))).toMatch(
      /there is no symbol 'q+' in lazarus(\.elf)?\n$/,
    );
  });
});

describe('a misspelt name in a campaign file', () => {
  const entry = 'setup: compute, fault: failstop, mechanism: rehype, size: 1';
  const cells = (text: string) => `name: x\ncells:\n  - { ${text} }\n`;
  test.each<[string, string, string]>([
    ['key', `nmae: y\n${cells(entry)}`, 'name'],
    ['key of an entry', cells(entry.replace('setup', 'setpu')), 'setup'],
    ['key of a key', `interrupt: { delya: [1, 2] }\n${cells(entry)}`, 'delay'],
    ['word of a list', `interrupt: { effects: [lots] }\n${cells(entry)}`, 'lost'],
    ['set-up', cells(entry.replace('compute', 'computer')), 'compute'],
    ['fault class', cells(entry.replace('failstop', 'failsotp')), 'failstop'],
    ['mechanism', cells(entry.replace('rehype', 'rehyp')), 'rehype'],
    ['enhancement', `mechanisms: { m: { recovery: rehype, enhance: [lokcs] } }\n${cells(entry)}`, 'locks'],
    ['recovery', `mechanisms: { m: { recovery: rehyp } }\n${cells(entry)}`, 'rehype'],
  ])('%s', async (_kind, text, meant) => {
    writeFileSync(plan, text);
    const { code, err } = await cli(['campaign', plan, '-o', join(folder, 'x.sqlite')], { env });
    expect(code).toBe(EXIT.usage);
    expect(/\(did you mean (.*?)\?\)/.exec(err)?.[1] ?? err).toBe(meant);
  });
});
