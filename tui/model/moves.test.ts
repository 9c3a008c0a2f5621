/** Moves, breakpoints, memory and notes of the terminal UI on a real run; what moves find: replay/session. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openSession as openDebug } from '../../replay/index.ts';
import { openTrace, readBookmarks, type Trace } from '../../traces/index.ts';
import { cli } from '../cli/test-io.ts';
import { createLanes } from '../panels/lanes.ts';
import type { Session } from '../panels/types.ts';
import { advanceWork } from './actions.ts';
import { machineIntrospection } from './introspection.ts';
import { screenOf, whileWorking } from './screen.ts';
import { createSession } from './session.ts';
import { command, press, rowsOf, wholeText } from './test-session.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-moves-'));
let trace: Trace;
beforeAll(async () => {
  const path = join(folder, 'run.djvm');
  await cli(['record', '-o', path, '--max-moment', '1250k'], { env: { XDG_DATA_HOME: folder } });
  trace = openTrace(path);
});
afterAll(() => rmSync(folder, { recursive: true }));

function open(): Session {
  const debug = openDebug(trace);
  const { machine } = debug.run;
  const bookmarks = readBookmarks(trace).bookmarks;
  return createSession(debug, machineIntrospection(debug.run.symbols), createLanes(machine.config.harts), bookmarks);
}
const symbolOf = ({ introspection, travel: { machine }, state: { hart } }: Session) =>
  introspection.code(machine, hart, machine.hart(hart).pc).symbol;

describe('moves', () => {
  it('leave one where one is when the stack is looked at', () => {
    const session = open();
    command(session, 'goto vm_run#3');
    const { place } = session.debug.run;
    press(session, 'T');
    const { overlay, stack } = session.state;
    expect([session.debug.run.place, overlay]).toEqual([place, { kind: 'stack', page: 0 }]);
    expect(stack.join('\n')).toMatch(
      /^hart \d at .*\n#0 .* vm_run .*\n#1 .* sched_loop\+.*\n--- trap from VS of VM \d.*guest_main/s,
    );
    expect(rowsOf(screenOf(session)).join('\n')).toContain(stack[1]);
    press(session, 'q');
    expect(session.state.overlay).toBeUndefined();
  });

  it('go back to who wrote to a place, or to the word that the memory panel shows', () => {
    const session = open();
    command(session, 'goto end');
    command(session, 'who-wrote heap_lock');
    expect(session.state.message).toMatch(
      /^store, hart \d in HS at lock_release\+0x\w+ \(lock\.c:\d+\): 4 bytes at spa:0x8020\w+ \(heap_lock\.owner\): 0x\w → 0x0/,
    );
    const { moment } = session.travel;
    command(session, 'memory heap_lock');
    press(session, 'W');
    expect(session.state.message).toMatch(/at lock_acquire\+0x\w+/);
    expect(session.travel.moment).toBeLessThan(moment);
    command(session, 'who-wrote hart0.sp + 1 == 2');
    expect(session.state.message).toMatch(/true or false, and no place/);
    command(session, 'goto 0');
    press(session, 'W');
    expect(session.state.message).toBe('nothing wrote to heap_lock before: it is as the machine started with it');
  });

  it('run to breakpoints and back, go out and over, and say where that is', () => {
    const session = open();
    command(session, 'break heap_alloc');
    expect(session.state.message).toBe('breakpoint 1: heap_alloc');
    press(session, '2', 'u');
    expect([symbolOf(session), session.state.message]).toEqual([
      'heap_alloc',
      expect.stringMatching(/^breakpoint 1: heap_alloc, at [\d,]+$/),
    ]);
    const { moment } = session.travel;
    expect(wholeText(session)).toMatch(/^>\s*\w{8} \*/m);
    press(session, 'o');
    expect(session.state.message).toMatch(/^behind the call, at /);
    press(session, 'N');
    expect([session.state.message, session.travel.moment]).toEqual([expect.stringMatching(/^breakpoint 1: /), moment]);
    press(session, 'O', 'n');
    expect([session.state.message, session.travel.moment]).toEqual([expect.stringMatching(/^breakpoint 1: /), moment]);
    press(session, 's', '2', 'U', 'u');
    expect(session.travel.moment).toBe(moment);
    press(session, 'b', 'u');
    expect([session.state.message, session.state.isError]).toEqual(['no breakpoint or watchpoint is set', true]);
    command(session, 'break guest:guest_main hart=0');
    press(session, 'u', 'B');
    expect(rowsOf(screenOf(session)).join('\n')).toMatch(
      /2 breakpoint guest:guest_main hart=0 {2}0x80000\w+ mode=VS hart=0/,
    );
    expect(symbolOf(session)).toBe('guest_main');
    press(session, 'q', 'E');
    expect(session.state.message).toMatch(/^(hart \d, VS to HS from VM \d: .*|no exit before)$/);
  });

  it('run to writes of watched memory', () => {
    const session = open();
    command(session, 'watch heap_lock');
    press(session, 'u');
    expect(session.state.message).toMatch(/^watchpoint 1: heap_lock, at /);
    command(session, 'delete 1');
    expect(session.state.message).toBe('watchpoint 1 is gone: heap_lock');
  });

  it('are made in turns with keys where somebody sits in front of the screen, and stopped by Ctrl-C', () => {
    const session = open();
    command(session, 'break heap_alloc');
    session.inTurns = true;
    const before = screenOf(session);
    press(session, 'u', 's');
    expect(session.travel.moment).toBe(0);
    advanceWork(session);
    const shown = rowsOf(whileWorking(session, before));
    expect(shown.at(-1)).toMatch(/^looking at [\d,]+, [\d,]+ instructions executed; Ctrl-C stops/);
    expect(shown.slice(0, -1)).toEqual(rowsOf(before).slice(0, -1));
    press(session, 'C-c');
    expect([session.work, session.travel.moment, session.state.message]).toEqual([undefined, 0, 'stopped']);
    press(session, 'u');
    while (session.work) advanceWork(session);
    expect(symbolOf(session)).toBe('heap_alloc');
  });
});

it('memory takes the place of VMs: what is there, by every address, and why nothing is', () => {
  const session = open();
  command(session, '1240k');
  command(session, 'memory heap_lock');
  expect(wholeText(session)).toMatch(
    /- memory heap_lock\n\w{8} {2}(00 ){8}\.{8} lazarus heap_lock\n\w{8} {2}68 65 61 70 00 00 00 00 heap/,
  );
  command(session, 'memory hart0.x0');
  expect(wholeText(session)).toMatch(/- memory hart0.x0\n.*(no RAM|not mapped)/);
  command(session, 'memory vm1:0x80000000');
  expect(wholeText(session)).toMatch(/- memory vm1:0x80000000\n80000000 {2}[0-9a-f]{2} /);
  command(session, 'memory (');
  expect(session.state.isError).toBe(true);
  press(session, 'm');
  expect(wholeText(session)).toContain('- VMs');
});

it('notes are kept beside the trace, and are events from then on', () => {
  const session = open();
  command(session, '70k');
  command(session, 'note seen here');
  expect(session.state.message).toBe('bookmark 1 at 70,000');
  press(session, 'g', ']', ']');
  expect(session.state.message).toBe('bookmark 1: seen here');
  const again = open();
  press(again, 'G', '[', '[');
  expect(again.state.message).toBe('bookmark 1: seen here');
  expect(rowsOf(screenOf(again)).find((row) => row.startsWith('events'))).toContain('#');
});
