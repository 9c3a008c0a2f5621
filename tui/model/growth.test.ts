/** A trace that is looked at while it is being written: nobody waits here, each look follows what has been written. */
import { copyFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { assemble, RAM_BASE } from '../../engine/index.ts';
import { createTracePlayer, openSession, record } from '../../replay/index.ts';
import { createTraceWriter, isBeingWritten, openTrace, openTraceBytes, TraceError } from '../../traces/index.ts';
import { ACTIVITY, createLanes } from '../panels/lanes.ts';
import { fakeIntrospection, fakePlayer } from './fake-travel.ts';
import { createGrowth, type Recording } from './growth.ts';
import { createScanner } from './scan.ts';
import { screenOf } from './screen.ts';
import { createSession } from './session.ts';
import { command, press, rowsOf } from './test-session.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-growth-'));
afterAll(() => rmSync(folder, { recursive: true }));
let files = 0;
const newPath = () => join(folder, `${files++}.djvm`);

/** Counts, prints a letter and writes a note every 64 rounds. */
const PROGRAM = `
    li s0, ${RAM_BASE + 0x10000}
    li s1, 0x10000000
    li s3, 0x100000
    li s4, 0x1003
    li s5, 65
  loop:
    addi a0, a0, 1
    sd a0, 0(s0)
    andi a1, a0, 63
    bnez a1, loop
    sb s5, 0(s1)
    sw s4, 0(s3)
    j loop
`;
const LAST = 6_000;
const OPTIONS = {
  config: {
    harts: 1,
    ramBytes: 4 << 20,
    quantum: { policy: 'fixed' as const, ticks: 1_000, seed: 0n },
    bios: { name: 'program.bin', bytes: assemble(PROGRAM, RAM_BASE).bytes },
    append: '',
  },
  planned: [1_000, 3_000, 5_000].map((moment) => ({
    trigger: { kind: 'moment' as const, moment },
    event: { kind: 'poke' as const, paddr: RAM_BASE + 0x10100, bytes: Uint8Array.of(moment & 255) },
  })),
  maxMoment: LAST,
  checkpointEvery: 1_500,
  digestEvery: 500,
  commandLine: ['dejavm', 'record'],
};
const take = async (change: { readonly digestEvery?: number; readonly planned?: typeof OPTIONS.planned } = {}) =>
  openTrace((await record({ ...OPTIONS, ...change, path: newPath() })).path);
const recorded = await take();

/** Writes what has been recorded, up to one moment after another. */
function recorder(path: string) {
  const images = recorded.header.images.map(({ role }) => ({ role, ...recorded.image(role)! }));
  const writer = createTraceWriter(path, recorded.header, images);
  let from = -1;
  return {
    to(moment: number): void {
      const isNew = (at: { readonly moment: number }) => at.moment > from && at.moment <= moment;
      for (const input of recorded.inputs.filter(isNew)) writer.input(input);
      for (const byte of recorded.console.filter(isNew)) writer.console(byte);
      for (const note of recorded.notes.filter(isNew)) writer.note(note);
      for (const digest of recorded.digests.filter(isNew)) writer.digest(digest);
      for (const n of recorded.checkpoints.keys()) {
        if (!isNew(recorded.checkpoints.at(n)!)) continue;
        const { pages, ...rest } = recorded.checkpoint(n);
        writer.checkpoint({ ...rest, changed: [...pages].map(([index, page]) => ({ index, ...page })), cleared: [] });
      }
      writer.flush();
      from = moment;
    },
    finish: () => writer.finish(recorded.end!),
    die: () => writer.abandon(),
  };
}

const sessionOn = (path: string) => {
  const trace = openTrace(path);
  const debug = openSession(trace);
  const lanes = createLanes(debug.run.machine.config.harts);
  const scanner = createScanner(createTracePlayer(trace), trace.last.moment, lanes);
  return { session: createSession(debug, fakeIntrospection, lanes), scanner };
};

/** Looks at a recording that has come to moment 2,000. */
function lookAt(change: Partial<Recording> = {}) {
  const path = newPath();
  const writing = recorder(path);
  writing.to(2_000);
  const { session, scanner } = sessionOn(path);
  while (!scanner.done) scanner.advance(1_000);
  let reads = 0;
  const growth = createGrowth(session, scanner, {
    isBeingWritten: () => isBeingWritten(path),
    reopen: () => {
      reads++;
      return openTrace(path);
    },
    ...change,
  });
  return { path, writing, session, scanner, growth, reads: () => reads };
}

const whole = sessionOn(recorded.path).session;
const digestAt = (moment: number): bigint => {
  whole.travel.seek(moment);
  return whole.travel.machine.digest();
};
const screen = ({ session }: Pick<ReturnType<typeof lookAt>, 'session'>) => rowsOf(screenOf(session));

describe('a trace that is being recorded', () => {
  it('says so, and marks its end as the last that is known', () => {
    const open = lookAt();
    const [header, ruler] = screen(open);
    expect(header).toMatch(/^moment 0 of 2,000\+ /);
    expect(ruler).toMatch(/·2,000\+$/);
    expect(screen(open).at(-1)).toMatch(/^at the start of a run that is still being recorded; F follows it .*\?/);
    press(open.session, 'G');
    expect(open.session.state.message).toBe('recorded up to here so far at 2,000');
    expect(screen(open).at(-1)).toMatch(/recording {2}\? help/);
  });

  it('goes on, and one stays where one was', () => {
    const { session, scanner, growth, writing } = lookAt();
    command(session, '700');
    expect(growth.look()).toBe(false);
    writing.to(4_000);
    expect(growth.look()).toBe(true);
    expect([session.travel.moment, session.state.message]).toEqual([700, 'at 700']);
    expect(session.travel.machine.digest()).toBe(digestAt(700));
    expect(session.travel.last.moment).toBe(4_000);
    expect(session.events.filter(({ kind }) => kind === 'input').map(({ moment }) => moment)).toEqual([1_000, 3_000]);
    expect([session.state.from, session.state.to]).toEqual([0, 4_000]);
    expect(scanner.done).toBe(false);
    while (!scanner.done) scanner.advance(300);
    expect(session.lanes.scannedTo).toBe(4_000);
    expect(screen({ session })[0]).toMatch(/^moment 700 of 4,000\+ /);
  });

  it('leads further by every move, to the states that were recorded', () => {
    const { session, growth, writing } = lookAt();
    // Where the recording ended, an input is still to come when it goes on from 3,000.
    for (const [to, last] of [
      [3_000, 3_000],
      [4_700, 4_500],
      [LAST, LAST],
    ] as const) {
      writing.to(to);
      press(session, 'G');
      growth.look();
      press(session, 'G');
      expect([session.travel.moment, session.travel.machine.digest()]).toEqual([last, digestAt(last)]);
      press(session, ...'10S');
      expect(session.travel.machine.digest()).toBe(digestAt(last - 10));
    }
    command(session, '5001');
    expect(session.travel.machine.digest()).toBe(digestAt(5_001));
    press(session, 'C');
    expect(session.travel.moment).toBe(5_000);
  });

  it('keeps the part of the timeline that one looks at', () => {
    const { session, growth, writing } = lookAt();
    press(session, '+');
    const { from, to } = session.state;
    writing.to(4_000);
    growth.look();
    expect([session.state.from, session.state.to]).toEqual([from, to]);
  });

  it('is not read while a move is being made', () => {
    const { session, growth, writing, reads } = lookAt();
    session.inTurns = true;
    press(session, 'p');
    writing.to(4_000);
    expect(growth.look()).toBe(false);
    expect(reads()).toBe(0);
    press(session, 'escape');
    expect(growth.look()).toBe(true);
  });
});

describe('following', () => {
  it('stays at the end until a move leads elsewhere', () => {
    const { session, growth, writing } = lookAt();
    press(session, 'F');
    expect(session.travel.moment).toBe(2_000);
    writing.to(3_500);
    growth.look();
    expect(session.travel.moment).toBe(3_500);
    expect(session.travel.machine.digest()).toBe(digestAt(3_500));
    expect(session.state.message).toBe('following the recording, at 3,500; any move ends it');
    expect(screen({ session }).at(-1)).toMatch(/following {2}\? /);
    press(session, 'S');
    writing.to(4_500);
    growth.look();
    expect(session.travel.moment).toBe(3_499);
  });

  it('is refused where nothing is being recorded', () => {
    const { session } = sessionOn(recorded.path);
    press(session, 'F');
    expect(session.state).toMatchObject({ isError: true, follows: false });
    expect(session.state.message).toBe('this trace is not being recorded: there is nothing to follow');
  });
});

describe('the end of a recording', () => {
  it('is told, and nothing is read from then on', () => {
    const { session, growth, writing, reads } = lookAt();
    writing.to(LAST);
    writing.finish();
    expect(growth.look()).toBe(true);
    expect(session.state.message).toBe('the recording has ended at moment 6,000: moment');
    expect([growth.isOver, growth.look(), reads()]).toEqual([true, false, 1]);
    expect(session.events).toEqual(whole.events);
    expect(screen({ session })[0]).toMatch(/^moment 0 of 6,000 /);
  });

  it('is told, too, when its recorder is gone', () => {
    const { session, growth, writing } = lookAt();
    press(session, 'F');
    writing.to(3_000);
    writing.die();
    expect(growth.look()).toBe(true);
    expect(session.state).toMatchObject({ follows: false, isError: true });
    expect(session.state.message).toBe('the recording was cut off at moment 3,000: its recorder is gone');
    expect(session.travel.moment).toBe(3_000);
    expect(session.events.at(-1)!.text).toBe('the recording was cut off here');
    expect(growth.isOver).toBe(true);
  });
});

describe('a file that something happens to', async () => {
  const other = await take({ digestEvery: 400 });
  const sameName = await take({ planned: OPTIONS.planned.slice(1) });

  it.each<[string, (path: string) => void, RegExp]>([
    [
      'replaced by another recording',
      (path) => copyFileSync(other.path, path),
      /^\d+\.djvm: is another recording by now/,
    ],
    ['replaced by one with other inputs', (path) => copyFileSync(sameName.path, path), /is another recording by now/],
    ['cut', (path) => truncateSync(path, blockOf(path)), /has become shorter: it ends at moment 2000 by now/],
    ['damaged', damage, /has been damaged at byte \d+: .*block/],
    ['emptied', (path) => writeFileSync(path, ''), /is empty/],
    ['overwritten', (path) => writeFileSync(path, 'something else'), /not a dejavm trace/],
    ['removed', (path) => rmSync(path), /^\d+\.djvm is gone/],
  ])('%s: one line says so, and what was read stays', (_name, happen, wanted) => {
    const { session, growth, writing, path, reads } = lookAt();
    command(session, '700');
    const { events } = session;
    happen(path);
    expect(growth.look()).toBe(true);
    expect(session.state.isError).toBe(true);
    expect(session.state.message).toMatch(wanted);
    expect(session.state.message).toMatch(/^[^\n]+; what was read of it stays$/);
    expect([growth.isOver, growth.look(), reads()]).toEqual([true, false, 1]);
    expect([session.travel.moment, session.travel.last.moment]).toEqual([700, 2_000]);
    expect(session.events.slice(0, -1)).toEqual(events.slice(0, -1));
    press(session, 's');
    expect(session.travel.moment).toBe(701);
    writing.die();
  });

  it('unreadable before the timeline is full: it keeps what it has', () => {
    const toMoment = () => {
      throw new TraceError('damaged', 'run.djvm', 'block 7 is damaged');
    };
    const lanes = createLanes(2);
    const scanner = createScanner({ ...fakePlayer(), toMoment }, 10_000, lanes);
    scanner.advance(1_000);
    expect([scanner.done, lanes.at(0, 0)]).toEqual([true, ACTIVITY.M]);
  });

  /** Where the last block begins. */
  function blockOf(path: string): number {
    return openTraceBytes(path, readFileSync(path).subarray(0, -1)).damage!.offset;
  }

  function damage(path: string): void {
    const bytes = readFileSync(path);
    bytes[blockOf(path) + 5]! ^= 0xff;
    writeFileSync(path, bytes);
  }
});
