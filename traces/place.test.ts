/**
 * Who may write where: nothing that a recorder does, fails to do or is killed at costs a trace that was there before.
 */
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { createTraceWriter, openTrace, TraceWriteError, thisProcess } from './index.ts';
import { apply, FIELDS, IMAGES, SAMPLE, SAMPLE_END, traceBytes } from './trace.fixtures.ts';

const base = mkdtempSync(join(tmpdir(), 'dejavm-place-'));
afterAll(() => rmSync(base, { recursive: true }));
let folder = '';
let count = 0;
beforeEach(() => {
  folder = join(base, String(count++));
  mkdirSync(folder);
});
const inFolder = (name: string) => join(folder, name);
const files = () => readdirSync(folder).sort();

const WHOLE = traceBytes(SAMPLE, SAMPLE_END);
const OLD = traceBytes([], SAMPLE_END);
const read = (name: string) => Uint8Array.from(readFileSync(inFolder(name)));
const refusal = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(TraceWriteError);
    return error as TraceWriteError;
  }
  throw new Error('expected a refusal');
};
function write(path: string): void {
  const writer = createTraceWriter(path, FIELDS, IMAGES);
  apply(writer, SAMPLE);
  writer.finish(SAMPLE_END);
}

describe('a new trace', () => {
  it('has its name from the start, so that a killed recorder leaves it there', () => {
    const writer = createTraceWriter(inFolder('run.djvm'), FIELDS, IMAGES);
    expect(writer.path).toBe(inFolder('run.djvm'));
    apply(writer, SAMPLE);
    writer.flush();
    expect(openTrace(writer.path).last.moment).toBeGreaterThan(0);
    expect(files()).toEqual(['run.djvm', 'run.djvm.lock']);
    writer.finish(SAMPLE_END);
    expect(files()).toEqual(['run.djvm']);
    expect(read('run.djvm')).toStrictEqual(WHOLE);
  });

  it('takes the first name that is free', () => {
    const names = () => ['a.djvm', 'b.djvm', 'c.djvm', 'd.djvm'].map(inFolder);
    writeFileSync(inFolder('a.djvm'), '');
    symlinkSync('nothing', inFolder('b.djvm'));
    const writers = [1, 2].map(() => createTraceWriter(names(), FIELDS, IMAGES));
    expect(writers.map(({ path }) => path)).toEqual(['c.djvm', 'd.djvm'].map(inFolder));
    expect(refusal(() => createTraceWriter(names(), FIELDS, IMAGES))).toMatchObject({ kind: 'exists' });
    for (const writer of writers) writer.finish(SAMPLE_END);
    expect(files()).toEqual(['a.djvm', 'b.djvm', 'c.djvm', 'd.djvm']);
  });

  it('in a folder that cannot be written is refused for that reason, whatever its name', () => {
    const nowhere = function* () {
      for (;;) yield inFolder('none/run.djvm');
    };
    expect(refusal(() => createTraceWriter(nowhere(), FIELDS, IMAGES))).toMatchObject({ kind: 'no-folder' });
  });

  it('stands where a symbolic link points', () => {
    symlinkSync('target.djvm', inFolder('link.djvm'));
    write(inFolder('link.djvm'));
    expect(lstatSync(inFolder('link.djvm')).isSymbolicLink()).toBe(true);
    expect(read('target.djvm')).toStrictEqual(WHOLE);
    write(inFolder('link.djvm'));
    expect(lstatSync(inFolder('link.djvm')).isSymbolicLink()).toBe(true);
    expect(files()).toEqual(['link.djvm', 'target.djvm']);
  });

  it('takes the place of an empty file, which another may just have made, when it is complete', () => {
    writeFileSync(inFolder('empty'), '');
    const writer = createTraceWriter(inFolder('empty'), FIELDS, IMAGES);
    expect(files()).toEqual(['empty', 'empty.lock', 'empty.part']);
    apply(writer, SAMPLE);
    writer.finish(SAMPLE_END);
    expect(files()).toEqual(['empty']);
    expect(read('empty')).toStrictEqual(WHOLE);
  });
});

describe('a trace that replaces another', () => {
  beforeEach(() => writeFileSync(inFolder('run.djvm'), OLD));

  it('does so when it is complete, in one step', () => {
    const writer = createTraceWriter(inFolder('run.djvm'), FIELDS, IMAGES);
    apply(writer, SAMPLE);
    writer.flush();
    expect(read('run.djvm')).toStrictEqual(OLD);
    expect(writer.path).toBe(inFolder('run.part.djvm'));
    expect(openTrace(writer.path).last.moment).toBeGreaterThan(0);
    writer.finish(SAMPLE_END);
    expect(writer.path).toBe(inFolder('run.djvm'));
    expect(read('run.djvm')).toStrictEqual(WHOLE);
    expect(files()).toEqual(['run.djvm']);
  });

  it('and is never completed costs nothing: both are there', () => {
    for (const part of ['run.part.djvm', 'run.part-2.djvm']) {
      const writer = createTraceWriter(inFolder('run.djvm'), FIELDS, IMAGES);
      apply(writer, SAMPLE);
      writer.abandon();
      expect(openTrace(inFolder(part)).last.moment).toBeGreaterThan(0);
    }
    expect(read('run.djvm')).toStrictEqual(OLD);
    expect(files()).toEqual(['run.djvm', 'run.part-2.djvm', 'run.part.djvm']);
  });

  it('and that cannot be begun leaves nothing', () => {
    const images = [{ role: 'bios', name: 'x', bytes: undefined as unknown as Uint8Array }];
    expect(() => createTraceWriter(inFolder('run.djvm'), FIELDS, images)).toThrow();
    expect(files()).toEqual(['run.djvm']);
    expect(read('run.djvm')).toStrictEqual(OLD);
  });

  it.skipIf(process.getuid?.() === 0)('does not when that is protected', () => {
    chmodSync(inFolder('run.djvm'), 0o400);
    expect(refusal(() => write(inFolder('run.djvm')))).toMatchObject({ kind: 'not-writable' });
    expect(files()).toEqual(['run.djvm']);
  });
});

it.each(['new', 'old'])('nobody else can read a trace, whatever the file mode mask allows: a %s one', (which) => {
  const before = process.umask(0);
  try {
    if (which === 'old') writeFileSync(inFolder('run.djvm'), OLD);
    const writer = createTraceWriter(inFolder('run.djvm'), FIELDS, IMAGES);
    expect(statSync(writer.path).mode & 0o777).toBe(0o600);
    writer.finish(SAMPLE_END);
    expect(statSync(inFolder('run.djvm')).mode & 0o777).toBe(0o600);
  } finally {
    process.umask(before);
  }
});

describe('a name that is being written', () => {
  it.each(['new', 'old'])('refuses a second recorder and names the first: a %s one', (which) => {
    const path = inFolder('run.djvm');
    if (which === 'old') writeFileSync(path, OLD);
    const first = createTraceWriter(path, FIELDS, IMAGES);
    const error = refusal(() => createTraceWriter(path, FIELDS, IMAGES));
    expect(error.kind).toBe('in-use');
    expect(error.message).toBe(
      `${path}: is being written by process ${process.pid}; wait until it ends, stop it, or choose another name`,
    );
    apply(first, SAMPLE);
    first.finish(SAMPLE_END);
    expect(read('run.djvm')).toStrictEqual(WHOLE);
    write(path);
    expect(files()).toEqual(['run.djvm']);
  });

  it.each([
    ['that is gone', `dejavm:${2 ** 22 + 1}:boot/1`],
    ['whose number is in use again', `dejavm:${process.pid}:an earlier boot/1`],
  ])('by a process %s can be taken over', (_what, holder) => {
    symlinkSync(holder, inFolder('run.djvm.lock'));
    write(inFolder('run.djvm'));
    expect(read('run.djvm')).toStrictEqual(WHOLE);
    expect(files()).toEqual(['run.djvm']);
  });

  it('by a process that is gone is taken over by one at a time, and by another if that one died meanwhile', () => {
    const [gone, here] = [2 ** 22 + 1, thisProcess()];
    symlinkSync(`dejavm:${gone}:boot/1`, inFolder('run.djvm.lock'));
    const taking = inFolder(`run.djvm.lock.${gone}.lock`);
    symlinkSync(`dejavm:${here.pid}:${here.started}`, taking);
    expect(refusal(() => write(inFolder('run.djvm')))).toMatchObject({ kind: 'in-use', path: inFolder('run.djvm') });
    expect(files()).toEqual(['run.djvm.lock', `run.djvm.lock.${gone}.lock`]);
    rmSync(taking);
    symlinkSync(`dejavm:${gone + 1}:boot/1`, taking);
    write(inFolder('run.djvm'));
    expect(files()).toEqual(['run.djvm']);
  });

  it('by something else than a recorder is left alone', () => {
    writeFileSync(inFolder('run.djvm.lock'), 'mine');
    expect(refusal(() => write(inFolder('run.djvm'))).message).toMatch(
      /run\.djvm\.lock is no lock of dejavm's; remove/,
    );
    expect(files()).toEqual(['run.djvm.lock']);
  });

  it('is not released by one who no longer has it', () => {
    const writer = createTraceWriter(inFolder('run.djvm'), FIELDS, IMAGES);
    const { pid, started } = thisProcess();
    expect(lstatSync(inFolder('run.djvm.lock')).isSymbolicLink()).toBe(true);
    rmSync(inFolder('run.djvm.lock'));
    symlinkSync(`dejavm:${pid + 1}:${started}`, inFolder('run.djvm.lock'));
    writer.abandon();
    expect(files()).toEqual(['run.djvm', 'run.djvm.lock']);
  });

  it('is taken by one of several processes at a time, also over a claim that one left behind', async () => {
    const paths = ['new.djvm', 'old.djvm'].map(inFolder);
    writeFileSync(inFolder('old.djvm'), OLD);
    for (const path of paths) symlinkSync(`dejavm:${2 ** 22 + 1}:boot/1`, `${path}.lock`);
    const racers = Array.from({ length: 4 }, () => racer(paths));
    await Promise.all(racers.map(({ ready }) => ready));
    for (const { go } of racers) go();
    const outcomes = (await Promise.all(racers.map(({ outcome }) => outcome))).flatMap((text) => text.split(' '));
    // Whoever came after another had ended got it, too: what never happens is two at the same time.
    expect(new Set(outcomes)).toEqual(new Set(outcomes.includes('in-use') ? ['whole', 'in-use'] : ['whole']));
    expect(outcomes).toHaveLength(8);
    for (const path of paths) {
      expect(openTrace(path, { thorough: true })).toMatchObject({ end: { reason: 'won' }, damage: undefined });
    }
    expect(files()).toEqual(['new.djvm', 'old.djvm']);
  });
});

/** A process that, told to go, writes a trace at each path, and says what came of each. */
function racer(paths: readonly string[]) {
  const script = `
    import { createTraceWriter } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)};
    import { readSync, writeSync } from 'node:fs';
    writeSync(1, 'ready ');
    readSync(0, new Uint8Array(1));
    const outcomes = ${JSON.stringify(paths)}.map((path) => {
      try {
        const writer = createTraceWriter(path, ${JSON.stringify(FIELDS)}, []);
        for (let n = 1; n < 200; n++) {
          writer.digest({ moment: n, ticks: n, digest: 1n });
          writer.flush();
        }
        writer.finish({ moment: 200, ticks: 200, digest: 1n, reason: 'won' });
        return 'whole';
      } catch (error) {
        return error.kind ?? error.message;
      }
    });
    writeSync(1, outcomes.join(' '));`;
  const child = spawn(process.execPath, ['--no-warnings', '--input-type=module', '-e', script], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let out = '';
  const ready = new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  const outcome = new Promise<string>((resolve) => child.on('close', () => resolve(out.replace('ready ', ''))));
  return { ready, go: () => child.stdin.end('\n'), outcome };
}

it('a pipe that nobody reads is refused at once', async () => {
  const fifo = inFolder('pipe');
  await new Promise((done) => spawn('mkfifo', [fifo]).on('close', done));
  expect(refusal(() => createTraceWriter(fifo, FIELDS, IMAGES)).message).toMatch(/is a pipe that nobody reads/);
  expect(existsSync(fifo)).toBe(true);
});
