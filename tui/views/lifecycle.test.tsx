/**
 * Every way in which the terminal is given up, and is as it was afterwards: ordinary screen, cursor shown, not raw.
 * What only a real terminal can show (shells, `fg`, a closed window) stands in tmux.peer.ts.
 */
import { describe, expect, test } from 'vitest';
import { TraceError } from '../../traces/index.ts';
import { fakeIntrospection } from '../model/fake-travel.ts';
import { startApp } from './test-app.ts';

type App = ReturnType<typeof startApp>;

const held = { isRaw: true, isAlternate: true, cursorHidden: true };
const free = { isRaw: false, isAlternate: false, cursorHidden: false };
const state = (app: App) => ({
  isRaw: app.isRaw(),
  isAlternate: app.isAlternate(),
  cursorHidden: app.cursorHidden(),
});
const becomes = (app: App, wanted: typeof held) =>
  expect.poll(() => state(app), { timeout: 900_000, interval: 5 }).toEqual(wanted);

const FAILING = {
  ...fakeIntrospection,
  vms(machine: Parameters<typeof fakeIntrospection.vms>[0]) {
    if (machine.moment === 4000) throw new Error('expected a list, observed nonsense');
    return [];
  },
};

describe('the end of the program', () => {
  test.each<[string, (app: App) => void, boolean]>([
    ['q', (app) => app.type('q'), true],
    ['Ctrl-C', (app) => app.type('\x03'), true],
    ['an abort (SIGTERM, SIGHUP, SIGINT)', (app) => app.abort.abort(), false],
    ['the end of the input', (app) => app.stdin.end(), false],
    ['an input that fails', (app) => app.stdin.emit('error', new Error('read EIO')), false],
    ['an input that is closed', (app) => app.stdin.destroy(), false],
  ])('%s restores the terminal', async (_name, end, hasQuit) => {
    const app = startApp();
    await app.shows(/^moment 0/);
    await becomes(app, held);
    end(app);
    expect(await app.ended).toBe(hasQuit);
    await becomes(app, free);
    await app.shows(/^\$ dejavm tui/);
  });

  test.each<[string, (app: App) => void]>([
    ['an output that fails', (app) => app.stdout.emit('error', new Error('write EIO'))],
    ['an output that is closed', (app) => app.stdout.destroy()],
  ])('%s leaves the terminal not raw', async (_name, end) => {
    const app = startApp();
    await app.shows(/^moment 0/);
    end(app);
    expect(await app.ended).toBe(false);
    expect(app.isRaw()).toBe(false);
  });

  test('a failure of ours is told once the terminal is restored', async () => {
    const app = startApp({ introspection: FAILING });
    const failed = expect(app.ended).rejects.toThrow('observed nonsense');
    await app.shows(/^moment 0/);
    app.type('f');
    await failed;
    await becomes(app, free);
    await app.shows(/^\$ dejavm tui/);
  });

  test('a file that cannot be read any more leaves the screen as it was, and says why', async () => {
    const app = startApp({
      introspection: {
        ...fakeIntrospection,
        vms(machine) {
          if (machine.moment === 4000) throw new TraceError('damaged', 'run.djvm', 'block 7 is damaged');
          return fakeIntrospection.vms(machine);
        },
      },
    });
    await app.shows(/^moment 0/);
    app.type('f');
    await app.shows(/^moment 0[\s\S]*run.djvm: block 7 is damaged/);
    app.type('d');
    await app.shows(/^moment 4,200/);
    app.type('q');
    expect(await app.ended).toBe(true);
  });

  test('an exception that nobody catches finds the terminal restored', async () => {
    const app = startApp();
    await app.shows(/^moment 0/);
    // What Node emits before it prints the exception and ends the process.
    process.emit('uncaughtExceptionMonitor', new Error('bug'), 'uncaughtException');
    await becomes(app, free);
    await app.ended;
  });

  test('nothing listens any longer afterwards', async () => {
    const count = (app: App) =>
      [app.stdin, app.stdout, process].flatMap((emitter) =>
        ['end', 'close', 'error', 'resize', 'readable', 'uncaughtExceptionMonitor'].map((event) =>
          (emitter as NodeJS.EventEmitter).listenerCount(event),
        ),
      );
    const fresh = startApp();
    await fresh.settles();
    const during = count(fresh);
    fresh.type('q');
    await fresh.ended;
    const after = count(fresh);
    expect(after.every((n, i) => n <= during[i]!)).toBe(true);
    expect(fresh.stdout.listenerCount('resize')).toBe(0);
    expect(process.listenerCount('uncaughtExceptionMonitor')).toBe(0);
    fresh.signal('stop');
    expect(fresh.stops).toHaveLength(0);
  });
});

describe('a stop by the shell', () => {
  test.each<[string, (app: App) => void]>([
    ['Ctrl-Z', (app) => app.type('\x1a')],
    ['Ctrl-Z while a command is typed', (app) => app.type(':goto 5\x1a')],
    ['Ctrl-Z over the key table', (app) => app.type('?\x1a')],
    [':suspend', (app) => app.type(':suspend\r')],
    ['SIGTSTP', (app) => app.signal('stop')],
  ])('by %s gives the terminal back, and fg finds the session again', async (_name, stop) => {
    const app = startApp();
    app.type('f');
    await app.shows(/^moment 4,000/);
    const before = app.written().length;
    stop(app);
    await expect.poll(() => app.stops.length, { timeout: 900_000, interval: 5 }).toBe(1);
    const [stopped] = app.stops;
    expect(stopped!.isRaw).toBe(false);
    const bye = stopped!.written.slice(before);
    expect(bye.lastIndexOf('\x1b[?1049l')).toBeGreaterThan(bye.lastIndexOf('\x1b[?1049h'));
    expect(bye.lastIndexOf('\x1b[?25h')).toBeGreaterThan(bye.lastIndexOf('\x1b[?25l'));
    await becomes(app, held);
    await app.settles();
    expect(app.session.travel.moment).toBe(4000);
    // Keys are heard again: the screen is drawn anew.
    app.terminal.write('\x1b[Hrubble');
    await app.shows('rubble');
    app.type('\x0c');
    await app.settles();
    app.abort.abort();
    await app.ended;
    await becomes(app, free);
  });

  test('a window that changed meanwhile has its new size', async () => {
    const app: App = startApp({ whileStopped: () => app.resize(100, 40) });
    await app.settles();
    app.type('\x1a');
    await expect.poll(() => app.session.state.columns, { timeout: 900_000, interval: 5 }).toBe(100);
    await becomes(app, held);
    await app.settles();
    expect(app.session.state.rows).toBe(40);
    app.type('q');
    await app.ended;
  });

  test('twice in a row works as well', async () => {
    const app = startApp();
    for (let n = 1; n <= 3; n++) {
      app.type('\x1a');
      await expect.poll(() => app.stops.length, { timeout: 900_000, interval: 5 }).toBe(n);
      await becomes(app, held);
      await app.settles();
    }
    app.type('q');
    expect(await app.ended).toBe(true);
  });

  test('SIGTERM to the stopped program ends it without taking the terminal again', async () => {
    const app: App = startApp({ whileStopped: () => app.abort.abort() });
    await app.settles();
    app.type('\x1a');
    expect(await app.ended).toBe(false);
    await becomes(app, free);
    const stopped = app.stops[0]!.written.length;
    expect(app.written().slice(stopped)).not.toContain('\x1b[?1049h');
  });

  test('one that nobody saw coming (SIGSTOP) is made good after SIGCONT', async () => {
    const app = startApp();
    await app.settles();
    // The shell made the terminal cooked and wrote to the alternate screen.
    app.stdin.setRawMode(false);
    app.terminal.write('\x1b[5;1H[1]+  Stopped   dejavm tui\r\n$ fg\r\n');
    await app.shows('fg');
    app.signal('continue');
    await becomes(app, held);
    await app.settles();
    expect(app.stops).toHaveLength(0);
    app.type('q');
    await app.ended;
    await app.shows(/^\$ dejavm tui/);
  });
});
