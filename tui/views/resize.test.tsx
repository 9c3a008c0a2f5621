/**
 * Windows that change, at every size from 2 x 1 to 300 x 100: the terminal shows the present frame and nothing else.
 */
import { fc, test } from '@fast-check/vitest';
import { expect, test as unit } from 'vitest';
import { RECOVERED_RUN } from '../model/fake-travel.ts';
import { startApp } from './test-app.ts';

const size = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(fc.integer({ min: 20, max: 300 }), fc.integer({ min: 5, max: 100 })) },
  fc.constantFrom([80, 24] as const, [20, 5] as const, [79, 23] as const, [2, 1] as const, [300, 100] as const),
);
const keys = fc.constantFrom('s', 'f', 'd', 'G', 'x', '\t', 'k', '+', '?', 'w', ':12', '\x1b', 't', '3]', '\x0c');
const acts = fc.array(fc.oneof(size, keys), { minLength: 1, maxLength: 6 });

test.prop([size, acts, fc.integer({ min: 1, max: 8 })], { numRuns: 15 })(
  'after any windows and keys the terminal holds what the session looks like, cell for cell',
  async ([columns, rows], list, harts) => {
    const app = startApp({ columns, rows, run: { ...RECOVERED_RUN, harts } });
    try {
      await app.settles();
      for (const act of list) {
        if (typeof act === 'string') app.type(act);
        else app.resize(act[0], act[1]);
        await app.settles();
        const { state } = app.session;
        expect([state.columns, state.rows]).toEqual([app.terminal.cols, app.terminal.rows]);
      }
    } finally {
      app.abort.abort();
      await app.ended;
    }
  },
);

unit('windows that change faster than frames are drawn leave the last one', async () => {
  const app = startApp();
  await app.settles();
  for (const [columns, rows] of [
    [40, 30],
    [200, 8],
    [21, 60],
    [80, 24],
    [100, 30],
  ] as const) {
    app.type('s');
    app.resize(columns, rows);
  }
  await app.settles();
  expect(app.session.travel.moment).toBe(5);
  app.type('q');
  await app.ended;
});

unit('a window that shrank and grew back before anybody looked is drawn anew', async () => {
  const app = startApp();
  await app.settles();
  app.terminal.resize(30, 6);
  app.terminal.resize(80, 24);
  expect(app.rows().at(-1)).not.toMatch(/q quit$/);
  app.signal('window');
  await app.settles();
  expect(app.rows().at(-1)).toMatch(/q quit$/);
  app.type('q');
  await app.ended;
});

unit('Ctrl-L repairs a screen that others wrote on, also while a command is typed', async () => {
  const app = startApp();
  app.type(':goto 7');
  await app.shows(/^:goto 7_/m);
  app.terminal.write('\x1b[HBroadcast message from root\r\nthe system goes down\x1b[20;30H');
  await app.shows('goes down');
  app.type('\x0c');
  await app.settles();
  expect(app.session.state.prompt).toBe('goto 7');
  app.abort.abort();
  await app.ended;
});
