/**
 * The terminal UI for real: the shipped program in a tmux session, keys sent as a person types them, the screen read
 * back. Relies on tmux and on a built `dist/`; run by CI, not by `npm test`.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { packageFile } from '../base/package-root.ts';

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
const POLLED = { timeout: 900_000, interval: 100 };
const shows = (text: string | RegExp) => expect.poll(screen, POLLED).toMatch(text);
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

const pid = () => Number(readFileSync(pidFile, 'utf8'));
const frame = (script: string, size: string) => {
  const args = ['tui', trace, '--frame', '--script', script, '--size', size];
  return execFileSync(dejavm[0]!, [dejavm[1]!, ...args]).toString();
};

/** Sizes that a window is dragged through: wider, lower, as small as it works, and back. */
const SIZES = [
  [120, 40],
  [60, 20],
  [81, 10],
  [40, 50],
  [20, 5],
  [200, 24],
] as const;

function isRunning(id: number): boolean {
  try {
    return process.kill(id, 0);
  } catch {
    return false;
  }
}

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
    process.kill(pid(), 'SIGTERM');
    await restored(130);
  });

  test('Ctrl-C quits', async () => {
    await start();
    type('C-c');
    await restored(0);
  });

  test.each<[string, () => void]>([
    ['Ctrl-Z', () => type('C-z')],
    ['SIGTSTP', () => void process.kill(pid(), 'SIGTSTP')],
    ['SIGSTOP', () => void process.kill(pid(), 'SIGSTOP')],
  ])('%s stops it, fg brings back terminal and session, also at another size', async (name, stop) => {
    await start();
    type('f');
    await shows(/^moment 1,450,000 of /);
    stop();
    // Whoever is stopped without being asked leaves its frame there.
    await shows(/Stopped/);
    if (name !== 'SIGSTOP') {
      expect(terminal()).toBe('0 1');
      type('-l', 'echo typed');
      type('Enter');
      await shows(/ready\$ echo typed\ntyped\n/);
    }
    tmux('resize-window', '-t', 'main', '-x', '100', '-y', '30');
    type('-l', 'fg');
    type('Enter');
    await expect.poll(screen, POLLED).toBe(frame('f', '100x30'));
    expect(terminal()).toMatch(/^1/);
    type('S');
    await shows(/^moment 1,449,999 of /);
    type('q');
    // The shell went on behind the command when it stopped.
    await shows(/ready\$\s*$/);
    type('-l', 'echo "exit $?"');
    type('Enter');
    await restored(0);
  });

  test('shows after every resize what it would have shown at that size from the start', async () => {
    await start();
    type('f');
    for (const [columns, rows] of SIZES) {
      tmux('resize-window', '-t', 'main', '-x', String(columns), '-y', String(rows));
      await expect.poll(screen, POLLED).toBe(frame('f', `${columns}x${rows}`));
    }
    tmux('resize-window', '-t', 'main', '-x', '10', '-y', '4');
    await shows(/^expected\n20x5 or\nmore, got/);
    tmux('resize-window', '-t', 'main', '-x', '80', '-y', '24');
    await expect.poll(screen, POLLED).toBe(frame('f', '80x24'));
    type('q');
    await restored(0);
  });

  test('ends when its window is closed', async () => {
    await start();
    const running = pid();
    tmux('new-session', '-d', '-s', 'other');
    tmux('kill-session', '-t', 'main');
    tmux('rename-session', '-t', 'other', 'main');
    await expect.poll(() => isRunning(running), POLLED).toBe(false);
  });

  test('record --console: keys reach the guest, Ctrl-A x quits and gives the terminal back', async () => {
    await shows(/ready\$/);
    const live = join(folder, 'live.djvm');
    type('-l', `clear; ${dejavm.join(' ')} record --console -append steps=100000 -o ${live}; echo "exit $?"`);
    type('Enter');
    await shows(/vm1: step/);
    type('-l', 'typed');
    // It scrolls away at once; two thousand lines are kept.
    await expect.poll(history, POLLED).toMatch(/vm1: key \d+/);
    type('C-a', 'x');
    await shows(/recorded [\d,]+ instructions, quit/);
    await restored(0);
    const info = JSON.parse(execFileSync(dejavm[0]!, [dejavm[1]!, 'info', live, '--json']).toString());
    expect(info.counts.inputs).toBeGreaterThan(0);
  });
});
