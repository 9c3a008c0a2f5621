/**
 * What every command prints with `--json` is read back strictly with its documented schema, which `cli` does wherever
 * it runs.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../../base/exit-codes.ts';
import { cli } from '../test-io.ts';
import { VERBS } from '../verbs.ts';
import { JSON_SHAPES, type JsonShapes } from './shapes.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-json-'));
const env = { XDG_DATA_HOME: folder };
afterAll(() => rmSync(folder, { recursive: true }));

const [golden, poked, plan] = ['golden.djvm', 'poked.djvm', 'tiny.yaml'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
const database = join(folder, 'tiny.sqlite');
const SHORT = ['--max-moment', '300k', '--digest-every', '100k'];

/** A command of each shape, and how it ends. */
const COMMANDS: { readonly [N in keyof JsonShapes]: readonly [readonly string[], (typeof EXIT)[keyof typeof EXIT]] } = {
  replay: [['replay', poked, '--json'], EXIT.ok],
  'replay --goto': [['replay', poked, '--goto', '250k', '--json'], EXIT.ok],
  rerun: [['rerun', poked, '--json'], EXIT.ok],
  verify: [['verify', poked, '--json'], EXIT.ok],
  info: [['info', poked, '--json'], EXIT.ok],
  show: [
    [
      'show',
      poked,
      '-g',
      '250k',
      'regs,float,csr,vms,locks,sched,where',
      'mem',
      'heap_lock',
      'dis',
      'hart0.pc',
      'walk',
      '0',
      'moment',
      '--json',
    ],
    EXIT.ok,
  ],
  inject: [['inject', `${database}#1`, '--json'], EXIT.ok],
  ls: [['ls', '--json'], EXIT.ok],
  diff: [['diff', golden, poked, '--json'], EXIT.difference],
  cut: [['cut', poked, '--from', '100k', '--to', '250k', '-o', join(folder, 'cut.djvm'), '--json'], EXIT.ok],
  dump: [['dump', poked, '--json'], EXIT.ok],
  note: [['note', poked, '-g', '100k', 'x', '--json'], EXIT.ok],
  bookmarks: [['bookmarks', poked, '--json'], EXIT.ok],
  log: [['log', poked, '--json'], EXIT.ok],
  'log --summary': [['log', poked, '--summary', '--json'], EXIT.ok],
  console: [['console', poked, '--json'], EXIT.ok],
  when: [['when', golden, 'hart0.mode == HS', '--list', '--json'], EXIT.ok],
  'bisect --when': [['bisect', golden, '--when', '[spa:0x80200000]:4 != 0', '--json'], EXIT.ok],
  'who-wrote': [['who-wrote', golden, 'spa:0x80200000', '--json'], EXIT.ok],
  explain: [['explain', poked, '--golden', golden, '--json'], EXIT.ok],
  'why alone': [['why', golden, 'hart0.sp', '--json'], EXIT.ok],
  why: [['why', poked, '[spa:0x80700000]:1', '--at', 'end', '--against', golden, '--json'], EXIT.ok],
  calls: [['calls', golden, 'heap_alloc', '--returns', '--json'], EXIT.ok],
  backtrace: [['backtrace', golden, '-g', '250k', '--json'], EXIT.ok],
  bisect: [['bisect', golden, poked, '--json'], EXIT.difference],
  campaign: [['campaign', plan, '-o', database, '--json'], EXIT.ok],
  'campaign --export': [['campaign', plan, '-o', database, '--export', 'json'], EXIT.ok],
  report: [['report', database, '--json'], EXIT.ok],
};

beforeAll(async () => {
  await cli(['record', '-o', golden, ...SHORT], { env });
  await cli(['record', '-o', poked, ...SHORT, '--poke', '200k:0x80700000:5a'], { env });
  const cell = '{ setup: compute, fault: failstop, mechanism: rehype, size: 1 }';
  writeFileSync(plan, `name: tiny\ncells:\n  - ${cell}\noverhead: [compute]\n`);
  await cli(['campaign', plan, '-o', database], { env });
});

test.each(Object.entries(COMMANDS))('%s', async (_name, [argv, code]) => {
  const printed = await cli(argv, { env });
  expect([printed.code, printed.out[0]]).toEqual([code, '{']);
});

describe('the reading', () => {
  test('notices a field too many, a field too few and another type', async () => {
    const { out } = await cli(['diff', golden, poked, '--json'], { env });
    const printed = JSON.parse(out);
    const read = (value: unknown) => JSON_SHAPES.diff.schema.safeParse(value).success;
    const { equal, ...few } = printed;
    expect([printed, { ...printed, more: 1 }, few, { ...printed, equal: 'no' }].map(read)).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });

  test('has a shape for every verb with --json', () => {
    const verbs = VERBS.filter(({ flags }) => (flags as readonly string[]).includes('json')).map(({ name }) => name);
    expect(verbs.filter((name) => !(name in JSON_SHAPES))).toEqual([]);
  });
});
