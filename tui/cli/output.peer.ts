/**
 * Standard output and standard error that cannot be written, of real processes: every loss is said in one line and by
 * the exit code; what can be written is written whole, whatever the pipe.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXIT } from '../base/exit-codes.ts';
import { packageFile } from '../base/package-root.ts';
import { EVIL, type EveryVerb, prepareEveryVerb } from './every-verb.fixtures.ts';
import { cli } from './test-io.ts';
import { VERBS } from './verbs.ts';

const folder = mkdtempSync(join(tmpdir(), `dejavm-output-${EVIL}-`));
// Verbs that run in this process ask it, not their Io, for the trace folder.
process.env.XDG_DATA_HOME = folder;
const env = { ...process.env, XDG_DATA_HOME: folder };
/** What people start; views cannot run from their sources. */
const PROGRAM = packageFile('bin/dejavm.js');
let every: EveryVerb;
beforeAll(async () => {
  execFileSync(process.execPath, [packageFile('scripts/build.ts')]);
  every = await prepareEveryVerb(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

type Target = number | 'pipe' | 'ignore';

/** Runs a command line with its streams tied to descriptors; what comes through pipes is read. */
async function run(argv: readonly string[], out: Target, err: Target = 'pipe') {
  const child = spawn(process.execPath, [PROGRAM, ...argv], { env, stdio: ['ignore', out, err] });
  return ended(child);
}

function ended(child: ChildProcess): Promise<{ code: number | null; out: string; err: string }> {
  const read = { out: '', err: '' };
  child.stdout?.on('data', (chunk) => (read.out += chunk));
  child.stderr?.on('data', (chunk) => (read.err += chunk));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...read })));
}

async function toFull<T>(use: (full: number) => Promise<T>): Promise<T> {
  const full = openSync('/dev/full', 'w');
  try {
    return await use(full);
  } finally {
    closeSync(full);
  }
}

const LOST = 'dejavm: standard output: no space left on device; what was printed is not complete\n';

describe('a disk that is full', () => {
  test.each(VERBS.map(({ name }) => name))('%s says so in its last line and exits 2', async (name) => {
    const argv = every.commandLines.find(([verb]) => verb === name)![1];
    const { code, err } = await toFull((full) => run(argv, full));
    expect(err.endsWith(LOST)).toBe(true);
    expect(err).not.toMatch(/^ +at |node:/m);
    expect(code).toBe(EXIT.usage);
  });

  test('help and version too', async () => {
    for (const argv of [['--help'], ['--version']]) {
      expect(await toFull((full) => run(argv, full))).toEqual({ code: EXIT.usage, out: '', err: LOST });
    }
  });

  test('a recording is whole all the same', async () => {
    const path = join(folder, 'whole.djvm');
    await toFull((full) => run(['record', '-o', path, '--max-moment', '900k'], full));
    expect((await run(['verify', path], 'pipe')).code).toBe(EXIT.ok);
  });

  test('standard error: the exit code is all that is left to say it', async () => {
    const path = join(folder, 'unsaid.djvm');
    const record = await toFull((full) => run(['record', '-o', path, '--max-moment', '100k'], 'ignore', full));
    expect(record.code).toBe(EXIT.usage);
    // Worse news stay what they were.
    expect((await toFull((full) => run(['info', packageFile('package.json')], full, full))).code).toBe(EXIT.damaged);
  });

  test('in the middle of a write: the part that fits is there, and the rest is missed', async () => {
    const path = join(folder, 'part.json');
    // In blocks of 512 bytes or of 1024, as the shell has it: less than the output in either case.
    const line = `ulimit -f 1; exec "$0" "$@" > '${path}'`;
    const argv = [PROGRAM, 'info', join(folder, 'a.djvm'), '--json'];
    const whole = execFileSync(process.execPath, argv, { env, encoding: 'utf8' });
    const { code, err } = await ended(spawn('sh', ['-c', line, process.execPath, ...argv], { env }));
    expect([code, err]).toEqual([EXIT.usage, LOST.replace('no space left on device', 'file too large')]);
    const part = readFileSync(path, 'utf8');
    expect([512, 1024]).toContain(statSync(path).size);
    expect(whole.startsWith(part)).toBe(true);
  });
});

describe('a pipe', () => {
  const argv = (): string[] => ['info', join(folder, 'a.djvm'), '--json'];

  test('whose reader goes away is no failure', async () => {
    const child = spawn(process.execPath, [PROGRAM, ...argv()], { env });
    child.stdout.destroy();
    expect(await ended(child)).toEqual({ code: EXIT.ok, out: '', err: '' });
  });

  /** More than a pipe holds, printed at once by a command of the test's own. */
  const MUCH = 3 * 2 ** 20;
  const printing = (out: Target) => {
    const script = `
      import { runProcess } from ${JSON.stringify(packageFile('dist/tui/cli/process.js'))};
      process.exitCode = await runProcess([], async (_argv, io) => {
        io.out('x'.repeat(${MUCH} - 1) + '\\n');
        io.err('printed\\n');
        return 1;
      });`;
    return spawn(process.execPath, ['--input-type=module', '-e', script], { env, stdio: ['ignore', out, 'pipe'] });
  };

  test('that somebody made non-blocking, with a slow reader, carries everything', async () => {
    const fifo = join(folder, 'fifo');
    execFileSync('mkfifo', [fifo]);
    const reader = spawn('sh', ['-c', `exec 3<'${fifo}'; read -r start <&0; exec wc -c <&3`]);
    const counted = ended(reader);
    // Opening for reading and writing does not wait for the other end; the flag is the description's, so the child's
    // too.
    const writer = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
    const child = printing(writer);
    closeSync(writer);
    const end = ended(child);
    // The pipe is full before the reader starts.
    child.stderr!.once('data', () => reader.stdin.write('start\n'));
    expect(await end).toEqual({ code: EXIT.difference, out: '', err: 'printed\n' });
    expect((await counted).out.trim()).toBe(String(MUCH));
  });
});

describe('text from files and names', () => {
  test.each(VERBS.map(({ name }) => name))('%s shows it and never sends it to the terminal', async (name) => {
    const argv = every.commandLines.find(([verb]) => verb === name)![1];
    const { out, err } = await cli(argv, { env });
    // What record prints is the guest's live console, which the guest may drive.
    for (const text of name === 'record' ? [err] : [out, err]) {
      expect(text).not.toMatch(/[^\P{Cc}\n\t]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
    }
  });

  test('is the same text in JSON', async () => {
    const { out } = await cli(['info', join(folder, 'a.djvm'), '--json'], { env });
    const { path, header } = JSON.parse(out);
    expect([path, header.machine.append]).toEqual([join(folder, 'a.djvm'), EVIL]);
    expect(out).toContain('\\u202e');
  });

  test('cannot make an error look like two', async () => {
    const { code, err } = await cli(['info', `/nowhere/${EVIL}\ndejavm: fine`]);
    expect(code).toBe(EXIT.usage);
    expect(err.trimEnd().split('\n')).toHaveLength(1);
  });
});

test('what is thrown where nobody waits for it is one line with a reproducer, and exit 4', async () => {
  const script = `
    import { runProcess } from ${JSON.stringify(packageFile('dist/tui/cli/process.js'))};
    process.exitCode = await runProcess(['info', 'x y'], () => new Promise(() => {
      setTimeout(() => { throw new Error('planted'); });
    }));`;
  const { code, err } = await ended(spawn(process.execPath, ['--input-type=module', '-e', script], { env }));
  expect(err).toBe("dejavm: internal error: planted\nreproduce with: DEJAVM_DEBUG=1 dejavm info 'x y'\n");
  expect(code).toBe(EXIT.internal);
});
