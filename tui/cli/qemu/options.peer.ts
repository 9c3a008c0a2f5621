/** QEMU's own list of its options: each of them is ours, or has a row. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { longName } from '../flags.ts';
import { QEMU_OPTIONS, SHARED } from './options.ts';

/** Some options make a file of the word behind them. */
const cwd = mkdtempSync(join(tmpdir(), 'dejavm-options-'));
afterAll(() => rmSync(cwd, { recursive: true }));

/** What `-h` prints at the beginnings of its lines: `-M`, `-hda/-hdb file`, `-h or -help`. */
function optionsOfQemu(): string[] {
  const help = execFileSync('qemu-system-riscv64', ['-h'], { encoding: 'utf8' });
  const heads = help.split('\n').flatMap((line) => /^--?[\w-]+(?:(?:\/| or )-[\w-]+)*/.exec(line) ?? []);
  return [...new Set(heads.flatMap((head) => head.split(/\/| or /)))].map((name) => name.replace(/^--?/, ''));
}

/** As the first of these words it leaves QEMU a machine called `-version`, or eats `-M` and leaves it a question. */
function hasValue(name: string): boolean {
  const { stderr } = spawnSync('qemu-system-riscv64', [`-${name}`, '-M', '-version'], { cwd, encoding: 'utf8' });
  return !stderr.includes('unsupported machine type');
}

const asked = optionsOfQemu();
const theirs = QEMU_OPTIONS.flatMap(({ names }) => names);
const ours = [...SHARED.map(longName), 'm'];

it('every option of QEMU is known, once', () => {
  expect(asked.length).toBeGreaterThan(100);
  expect(asked.filter((name) => !ours.includes(name) && !theirs.includes(name))).toEqual([]);
  expect(theirs.filter((name, n) => theirs.indexOf(name) !== n || ours.includes(name))).toEqual([]);
});

it('and so is whether it takes a value', () => {
  const answersAtOnce = ['h', 'help', 'version', 'audio-help'];
  const wrong = QEMU_OPTIONS.flatMap((option) =>
    option.names
      .filter((name) => asked.includes(name) && !answersAtOnce.includes(name))
      .filter((name) => hasValue(name) !== option.hasValue),
  );
  expect(wrong).toEqual([]);
});
