/**
 * Stands for `dejavm` where printed commands are run: does what the command says, but cuts short what would take hours,
 * gives a terminal to what wants one, and writes down how each call ended (DEJAVM_CALLS names the file).
 * - A recording ends after 100 million instructions, unless its command says when: an operating system boots and waits.
 * - A large campaign gets Ctrl-C when rows have run, as its reader is told it may; one of the papers' length of runs,
 *   whose golden runs alone take minutes, when it says that it is under way.
 * - Terminals are made by `script` of util-linux; the terminal UI is quit.
 */
import { spawn } from 'node:child_process';
import { appendFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { shellLine } from '../../engine/index.ts';
import { EXIT } from '../../tui/base/exit-codes.ts';
import { BUNDLED_PLANS } from '../../tui/cli/plans.ts';

const program = fileURLToPath(new URL('../../bin/dejavm.js', import.meta.url));
const BOUND = ['--max-moment', '100M'];
const LARGE = BUNDLED_PLANS.filter((name) => name !== 'smoke');
const CTRL_C = '\x03';

const argv = process.argv.slice(2);
const [verb = '', ...args] = argv;
const has = (...flags: string[]) => args.some((arg) => flags.includes(arg));

const isLarge = verb === 'campaign' && has(...LARGE);
const isLive = verb === 'tui' && !has('--frame', '--help');
const isUnbounded = verb === 'record' && !has('--max-moment', '--max-time', '--help');
const underWay = has('--paper-scale') ? /\d of \d/ : /\d rows\/s/;

const command = [process.execPath, program, ...argv];
if (isUnbounded) command.push(...BOUND);
if (isLive) command.push('--script', 'q');
const inTerminal = ['script', '-qefc', `stty cols 120 rows 40; exec ${shellLine(command)}`, '/dev/null'];
const [file = '', ...rest] = isLive || isLarge ? inTerminal : command;
const child = spawn(file, rest, {
  stdio: isLarge ? ['pipe', 'pipe', 'inherit'] : 'inherit',
  env: { ...process.env, SHELL: '/bin/sh' },
});
let interrupted = false;
let shown = '';
child.stdout?.on('data', (text: Buffer) => {
  process.stdout.write(text);
  shown += text.toString();
  if (!interrupted && underWay.test(shown)) {
    interrupted = true;
    child.stdin?.write(CTRL_C);
  }
});
child.on('close', (code) => {
  appendFileSync(process.env.DEJAVM_CALLS!, `${JSON.stringify({ argv, code, interrupted })}\n`);
  process.exitCode = interrupted && code === EXIT.interrupted ? EXIT.ok : (code ?? EXIT.internal);
});
