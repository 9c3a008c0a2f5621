/** The command line without a machine: help, versions, mistakes. One line each, exit 2, never a stack. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { explainError, UsageError } from '../base/errors.ts';
import { EXIT } from '../base/exit-codes.ts';
import { packageVersion } from '../base/package-root.ts';
import { FLAGS } from './flags.ts';
import { cli } from './test-io.ts';
import { VERBS } from './verbs.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('help', () => {
  test('lists every verb and every exit code', async () => {
    const { code, out } = await cli(['--help']);
    expect(code).toBe(EXIT.ok);
    for (const verb of VERBS) expect(out).toContain(`  ${verb.name} `);
    for (const exit of Object.values(EXIT)) expect(out).toMatch(new RegExp(`^ +${exit}  `, 'm'));
  });

  test.each(VERBS.map((verb) => [verb.name, verb] as const))(
    'of %s shows its flags and examples',
    async (name, verb) => {
      const { code, out } = await cli([name, '--help']);
      expect(code).toBe(EXIT.ok);
      for (const flag of verb.flags) expect(out).toContain(FLAGS[flag].syntax);
      for (const example of verb.examples) expect(out).toContain(example);
    },
  );

  test('of record says which images run where none is given', async () => {
    const { out } = await cli(['record', '--help']);
    const flat = out.replace(/\s+/g, ' ');
    expect(flat).toMatch(
      /--bios <file> [^(]*\(default: the one that comes with dejavm, SBI 2\.0; its name is 'default'\)/,
    );
    expect(flat).toMatch(/--kernel <file> [^(]*\(default: Lazarus/);
    expect(flat).toMatch(/--initrd <file> [^(]*\(default there: a guest/);
  });

  test('answers a bare dejavm on standard error, exit 2', async () => {
    const { code, out, err } = await cli([]);
    expect([code, out]).toEqual([EXIT.usage, '']);
    expect(err).toContain('Usage: dejavm');
  });

  test('--version prints the version of package.json', async () => {
    expect(await cli(['--version'])).toEqual({ code: EXIT.ok, out: `${packageVersion()}\n`, err: '' });
  });
});

describe('mistakes get one line, a suggestion and exit 2', () => {
  const absent = join(folder, 'no folder', 'no file');
  const cases: [string[], string][] = [
    [['recrod'], "unknown command 'recrod' (did you mean record?)"],
    [['record', '--kernle', 'x'], "unknown option '--kernle' (did you mean --kernel?)"],
    [['record', '-smp', '9'], "expected a whole number from 1 to 8, got '9'"],
    [['record', '-m', 'lots'], 'expected a size such as 128M'],
    [['record', '--fault', 'failstop'], 'failstop@8M+3'],
    [['record', '-kernel'], "option '--kernel <file>' argument missing"],
    [['record', 'extra'], "too many arguments for 'record'"],
    [['info'], "missing required argument 'trace'"],
    [['record', '-bios', absent], `-bios ${absent}: no such file`],
    [['record', '-kernel', '/'], '-kernel /: is a folder'],
    [['record', '-kernel', '/dev/zero'], '-kernel /dev/zero: is a device; expected a file'],
    [['record', '-kernel', process.execPath], `'${basename(process.execPath)}' is for `],
    [['record', '-drive', `file=${absent}`], `-drive ${absent}: no such file`],
    [['record', '--poke', '5:0x10:ff', '-o', join(folder, 'poke.djvm')], 'cannot be written: RAM is'],
    [['record', '--fault', 'failstop,hart=7@5', '-o', join(folder, 'hart.djvm')], 'the machine has harts 0…1'],
    [['record', '--fault', 'melt@5'], 'melt'],
    [['info', absent], absent],
    [['tui', absent, '--frame'], absent],
    [['tui', 'latest'], 'the terminal UI needs a terminal'],
    [['tui', 'x', '--frame', '--size', 'big'], 'expected COLUMNSxROWS'],
  ];
  test.each(cases)('%j', async (argv, message) => {
    const { code, out, err } = await cli(argv, { env: { XDG_DATA_HOME: folder } });
    expect(err).toContain(message);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
    expect(err).toMatch(/^dejavm: /);
    expect([code, out]).toEqual([EXIT.usage, '']);
  });
});

describe('bad trace files exit 3', () => {
  test.each([
    ['an empty file', ''],
    ['something else', 'not a trace at all, but long enough to hold a preamble and more'],
  ])('%s', async (_what, content) => {
    const path = join(folder, 'bad.djvm');
    writeFileSync(path, content);
    for (const verb of ['info', 'replay', 'verify']) {
      const { code, err } = await cli([verb, path]);
      expect(err).toContain(path);
      expect(err.trimEnd().split('\n')).toHaveLength(1);
      expect(code).toBe(EXIT.damaged);
    }
  });
});

describe('internal errors', () => {
  test('name the command that reproduces them, and show the stack only when asked', async () => {
    const error = new Error('expected 1, observed 2');
    const plain = await explainError(error, ['replay', 'my run.djvm'], false);
    expect(plain.exitCode).toBe(EXIT.internal);
    expect(plain.message).toBe(
      "dejavm: internal error: expected 1, observed 2\nreproduce with: DEJAVM_DEBUG=1 dejavm replay 'my run.djvm'",
    );
    const debug = await explainError(error, ['replay'], true);
    expect(debug.message).toContain('cli.test.ts');
  });

  test('the user’s mistakes are not internal errors', async () => {
    expect((await explainError(new UsageError('x'), [], false)).exitCode).toBe(EXIT.usage);
  });
});

test('a message that quotes a long text of a file keeps where it went wrong and how to mend it, line by line', async () => {
  const long = 'x'.repeat(300_000);
  const { message } = await explainError(new UsageError(`run.djvm: ${long}: mend it\n  and ${long}: so`), [], false);
  const lines = message.split('\n');
  expect(lines).toHaveLength(2);
  for (const line of lines) expect(line.length).toBeLessThan(9000);
  expect(lines[0]).toMatch(/^dejavm: run\.djvm: x+… \(\d+ characters\) …x+: mend it$/);
  expect(lines[1]).toMatch(/^ {2}and x+… \(\d+ characters\) …x+: so$/);
});
