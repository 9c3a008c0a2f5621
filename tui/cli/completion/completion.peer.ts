/**
 * Completion in real shells. A person types into an interactive shell in tmux and presses Tab and Enter; a program of
 * the name `dejavm` writes down with what it was called. Relies on tmux, bash, zsh and fish, and on a built `dist/`.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { packageFile } from '../../base/package-root.ts';
import { SHELLS, type Shell } from '../shells.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-completion-'));
const file = (name: string) => join(folder, name);
const calls = file('calls');
const env = { ...process.env, XDG_DATA_HOME: file('data'), HOME: folder, PATH: `${file('bin')}:${process.env.PATH}` };
const program = packageFile('bin/dejavm.js');
const dejavm = (args: readonly string[], its: NodeJS.ProcessEnv = env) =>
  execFileSync(process.execPath, [program, ...args], { cwd: file('work'), env: its, encoding: 'utf8' });
const tmux = (...args: string[]) =>
  execFileSync('tmux', ['-S', file('tmux.sock'), '-f', '/dev/null', ...args], { env, encoding: 'utf8' });
const type = (...keys: string[]) => tmux('send-keys', '-t', 'main', ...keys);
const POLLED = { timeout: 900_000, interval: 100 };

/** Each shell without its user's settings, and how it is told of the script. */
const START: Readonly<Record<Shell, { readonly command: string; readonly source: string }>> = {
  bash: { command: 'bash --norc --noprofile', source: `source ${file('script.bash')}` },
  zsh: { command: 'zsh -f', source: `autoload -U compinit; compinit -D -u; source ${file('script.zsh')}` },
  fish: { command: 'fish --no-config --private', source: `source ${file('script.fish')}` },
};

beforeAll(() => {
  for (const name of ['bin', 'work', 'data/dejavm', '.local/share/dejavm', 'empty home'])
    mkdirSync(file(name), { recursive: true });
  writeFileSync(file('bin/dejavm'), `#!/bin/sh\nfor word; do printf '%s|' "$word"; done >>${calls}\necho >>${calls}\n`);
  chmodSync(file('bin/dejavm'), 0o755);
  for (const name of ['data/dejavm/golden.djvm', 'data/dejavm/two words.djvm', '.local/share/dejavm/athome.djvm']) {
    writeFileSync(file(name), '');
  }
  for (const name of ['local.djvm', 'disk.img', 'my kernel.elf', 'plan.yaml'])
    writeFileSync(join(file('work'), name), '');
  for (const shell of SHELLS) writeFileSync(file(`script.${shell}`), dejavm(['completion', shell]));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** What is typed before Tab, and with which words dejavm is then called. */
const LINES: readonly (readonly [typed: string, called: readonly string[]])[] = [
  ['camp', ['campaign']],
  ['record --kern', ['record', '--kernel']],
  ['record -kern', ['record', '-kernel']],
  ['replay --from-ch', ['replay', '--from-checkpoint']],
  ['inject --recovery ni', ['inject', '--recovery', 'nilihype']],
  ['inject --recovery=ni', ['inject', '--recovery=nilihype']],
  ['inject --setup 1appvm-netbench@p', ['inject', '--setup', '1appvm-netbench@paper']],
  ['inject --setup=3appvm@', ['inject', '--setup=3appvm@paper']],
  ['inject --enhance=-locks,stat', ['inject', '--enhance=-locks,statics']],
  ['inject --enhance=irq,-rec', ['inject', '--enhance=irq,-recurring']],
  ['campaign --export j', ['campaign', '--export', 'json']],
  ['campaign pap', ['campaign', 'paper']],
  ['campaign pla', ['campaign', 'plan.yaml']],
  ['info gol', ['info', 'golden']],
  ['info two', ['info', 'two words']],
  ['info loc', ['info', 'local.djvm']],
  ['diff golden lat', ['diff', 'golden', 'latest']],
  ['diff --json golden loc', ['diff', '--json', 'golden', 'local.djvm']],
  ['verify --golden gol', ['verify', '--golden', 'golden']],
  ['record --smp 2 --kernel my', ['record', '--smp', '2', '--kernel', 'my kernel.elf']],
  ['record -kernel my', ['record', '-kernel', 'my kernel.elf']],
  ['record -drive file=dis', ['record', '-drive', 'file=disk.img']],
  ['record -o loc', ['record', '-o', 'local.djvm']],
  ['completion f', ['completion', 'fish']],
  ['help ver', ['help', 'verify']],
];

describe.each(SHELLS)('in %s', (shell) => {
  beforeAll(async () => {
    const { command, source } = START[shell];
    rmSync(calls, { force: true });
    tmux('new-session', '-d', '-s', 'main', '-x', '120', '-y', '40', '-c', file('work'), command);
    type('-l', source);
    type('Enter');
    type('-l', 'dejavm ready');
    type('Enter');
    await vi.waitUntil(() => called().length > 0, POLLED);
  });
  // The server ends with its last session.
  afterAll(() => {
    tmux('kill-session', '-t', 'main');
  });

  const called = () =>
    existsSync(calls)
      ? readFileSync(calls, 'utf8')
          .trimEnd()
          .split('\n')
          .map((line) => line.split('|').slice(0, -1))
      : [];
  /** Types a line, with Tab where it says so, and says with what dejavm was called. */
  const enter = async (...pieces: string[]) => {
    const before = called().length;
    for (const piece of pieces) {
      if (piece === 'Tab') type('Tab');
      else type('-l', piece);
    }
    type('Enter');
    await vi.waitUntil(() => called().length > before, POLLED);
    return called().at(-1);
  };

  test.each(LINES)('dejavm %s<Tab>', async (typed, words) => {
    expect(await enter(`dejavm ${typed}`, 'Tab')).toEqual(words);
  });

  test('what goes on gets no space behind it', async () => {
    expect(await enter('dejavm record --fault fai', 'Tab', '8M')).toEqual(['record', '--fault', 'failstop@8M']);
    expect(await enter('dejavm record -netdev bui', 'Tab', 'n0')).toEqual(['record', '-netdev', 'builtin,id=n0']);
  });

  // fish takes a word that begins with a dash for an option, wherever it stands.
  test.skipIf(shell === 'fish')('a value may begin with a dash', async () => {
    const words = ['inject', '--enhance', '-locks,statics'];
    expect(await enter('dejavm inject --enhance -locks,stat', 'Tab')).toEqual(words);
  });

  test('nothing is offered where anything may stand', async () => {
    expect(await enter('dejavm record --seed loc', 'Tab')).toEqual(['record', '--seed', 'loc']);
    expect(await enter('dejavm inject --setup loc', 'Tab')).toEqual(['inject', '--setup', 'loc']);
  });
});

/** Runs a function of the script in a shell that is not interactive. */
function traceNames(shell: Shell, its: NodeJS.ProcessEnv): string[] {
  const script = file(`script.${shell}`);
  const args = {
    bash: ['--norc', '-c', `source ${script}; _dejavm_trace_names`],
    zsh: ['-fc', `compdef() { :; }; source ${script}; _dejavm_trace_names`],
    fish: ['--no-config', '-c', `source ${script}; __dejavm_trace_names`],
  }[shell];
  return execFileSync(shell, args, { env: its, cwd: file('work'), encoding: 'utf8' })
    .split('\n')
    .filter(Boolean)
    .sort();
}

describe.each(SHELLS)('%s looks for traces where dejavm does', (shell) => {
  test.each<[string, NodeJS.ProcessEnv, number]>([
    ['XDG_DATA_HOME is a folder', { XDG_DATA_HOME: file('data'), HOME: file('empty home') }, 2],
    ['XDG_DATA_HOME is not set', { XDG_DATA_HOME: undefined, HOME: folder }, 1],
    ['XDG_DATA_HOME is empty', { XDG_DATA_HOME: '', HOME: folder }, 1],
    ['XDG_DATA_HOME is relative', { XDG_DATA_HOME: '../data', HOME: folder }, 1],
    ['there is no trace', { XDG_DATA_HOME: file('work'), HOME: folder }, 0],
  ])('%s', (_when, given, count) => {
    const its = { ...env, ...given };
    const { traces } = JSON.parse(dejavm(['ls', '--json'], its)) as { traces: { path: string }[] };
    const names = traces.map(({ path }) => path.replace(/^.*\/|\.djvm$/g, '')).sort();
    expect(traceNames(shell, its)).toEqual(names);
    expect(names).toHaveLength(count);
  });
});

test('bash offers every option of a verb, and of its words those that begin as what was typed', () => {
  const offered = (line: string) => {
    const words = line.split(' ').map((word) => `'${word}'`);
    const set = `COMP_WORDS=(${words.join(' ')}) COMP_CWORD=${words.length - 1} COMP_LINE='${line}' COMP_POINT=${line.length}`;
    const script = `source ${file('script.bash')}; complete -p dejavm; ${set}; _dejavm; printf '%s\\n' "\${COMPREPLY[@]}"`;
    const [known, ...replies] = execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8' })
      .trimEnd()
      .split('\n');
    expect(known).toBe('complete -F _dejavm dejavm');
    return replies;
  };
  expect(offered('dejavm re')).toEqual(['record', 'replay', 'rerun', 'report']);
  expect(offered('dejavm ls -')).toEqual(['--json', '-h', '--help']);
  expect(offered('dejavm inject --recovery ')).toEqual(['none', 'rehype', 'nilihype']);
});
