/**
 * The terminal UI for real: the shipped program in a tmux session, keys sent as a person types them, the screen read
 * back. Relies on tmux and on a built `dist/`; run by CI, not by `npm test`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { packageFile } from './package-root.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-tmux-'));
const trace = join(folder, 'run.djvm');
const pidFile = join(folder, 'pid');
const dejavm = [process.execPath, packageFile('bin/dejavm.js')];
// A socket of our own: the user's tmux server is left alone.
const socket = join(folder, 'tmux.sock');
const tmux = (...args: string[]) => execFileSync('tmux', ['-S', socket, '-f', '/dev/null', ...args]).toString();
const screen = () => tmux('capture-pane', '-p', '-t', 'main');
const history = () => tmux('capture-pane', '-p', '-S', '-2000', '-t', 'main');
const type = (...keys: string[]) => tmux('send-keys', '-t', 'main', ...keys);
const shows = (text: string | RegExp) => expect.poll(screen, { timeout: 900_000, interval: 100 }).toMatch(text);
const terminal = () => tmux('display-message', '-p', '-t', 'main', '#{alternate_on} #{cursor_flag}').trim();

beforeAll(() => {
  const record = ['record', '-o', trace, '--max-moment', '3M', '--fault', 'failstop@1450k'];
  execFileSync(dejavm[0]!, [dejavm[1]!, ...record], { stdio: 'ignore' });
});
beforeEach(() => {
  tmux('new-session', '-d', '-s', 'main', '-x', '80', '-y', '24', 'env PS1="ready$ " bash --norc --noprofile');
});
// The server ends with its last session.
afterEach(() => {
  tmux('kill-session', '-t', 'main');
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Starts the UI from the shell in the pane. */
async function start(): Promise<void> {
  await shows(/ready\$/);
  // A shell that becomes the program leaves the program's process id behind.
  type('-l', `clear; sh -c 'echo $$ >${pidFile}; exec ${dejavm.join(' ')} tui ${trace}'; echo "exit $?"`);
  type('Enter');
  await shows(/^moment 0 of /);
}

/** The shell is back on the ordinary screen, with its cursor, echo and line editing. */
async function restored(exit: number): Promise<void> {
  await shows(new RegExp(`exit ${exit}\\n`));
  expect(terminal()).toBe('0 1');
  type('-l', 'echo typed');
  type('Enter');
  await shows(/ready\$ echo typed\ntyped\n/);
}

describe('in tmux at 80 x 24', () => {
  test('steps, goes to the fault, quits by q and leaves the terminal as it was', async () => {
    await start();
    expect(terminal()).toMatch(/^1/);
    type('f');
    await shows(/^moment 1,450,000 of /);
    await shows('fault: failstop');
    type('1', '0', 'S');
    await shows(/^moment 1,449,990 of /);
    type('-l', ':goto 2M');
    type('Enter');
    await shows(/^moment 2,000,000 of /);
    type('Left');
    await shows(/^moment 1,9\d\d,\d\d\d of /);
    type('?');
    await shows(':rstep N');
    type('Escape');
    await shows('code, hart');
    type('q');
    await restored(0);
  });

  test('SIGTERM restores the terminal too', async () => {
    await start();
    process.kill(Number(readFileSync(pidFile, 'utf8')), 'SIGTERM');
    await restored(130);
  });

  test('Ctrl-C quits', async () => {
    await start();
    type('C-c');
    await restored(0);
  });

  test('record --console: keys reach the guest, Ctrl-A x quits and gives the terminal back', async () => {
    await shows(/ready\$/);
    const live = join(folder, 'live.djvm');
    type('-l', `clear; ${dejavm.join(' ')} record --console -append steps=100000 -o ${live}; echo "exit $?"`);
    type('Enter');
    await shows(/vm1: step/);
    type('-l', 'typed');
    // It scrolls away at once; two thousand lines are kept.
    await expect.poll(history, { timeout: 900_000, interval: 100 }).toMatch(/vm1: key \d+/);
    type('C-a', 'x');
    await shows(/recorded [\d,]+ instructions, quit/);
    await restored(0);
    const info = JSON.parse(execFileSync(dejavm[0]!, [dejavm[1]!, 'info', live, '--json']).toString());
    expect(info.counts.inputs).toBeGreaterThan(0);
  });
});
