/**
 * Sessions on the made-up run, and what their screens look like as text, for tests of the model and the views. Relies
 * on fake-travel.ts; composes rows by the Screen's own numbers, without ink.
 */

import { createLanes } from '../panels/lanes.ts';
import { textOf } from '../panels/text.ts';
import type { Introspection, Session } from '../panels/types.ts';
import { fakeDebug, fakeIntrospection, fakePlayer, fakeTravel, RECOVERED_RUN } from './fake-travel.ts';
import { pressKey } from './input.ts';
import { createScanner } from './scan.ts';
import { type Panel, type Screen, screenOf } from './screen.ts';
import { change, createSession } from './session.ts';

/** A session at the start of a made-up run, its timeline filled. */
export function openSession(run = RECOVERED_RUN, introspection: Introspection = fakeIntrospection): Session {
  const { session, scanner } = openUnscanned(run, introspection);
  while (!scanner.done) scanner.advance(700);
  return session;
}

/** The same with an empty timeline, and what fills it. */
export function openUnscanned(run = RECOVERED_RUN, introspection: Introspection = fakeIntrospection) {
  const lanes = createLanes(run.harts);
  const scanner = createScanner(fakePlayer(run), run.lastMoment, lanes);
  return { session: createSession(fakeDebug(fakeTravel(run)), introspection, lanes), scanner };
}

export function press(session: Session, ...keys: string[]): void {
  for (const key of keys) pressKey(session, key);
}

/** Types a `:` command and the return key. */
export const command = (session: Session, text: string): void => press(session, ':', ...text, 'return');

/** The rows of a screen, trailing blanks removed; rows that a panel leaves empty are empty. */
export function rowsOf(screen: Screen): string[] {
  const rows = [
    ...screen.top.map(textOf),
    ...screen.panels.flatMap((panels) =>
      Array.from({ length: panels[0]!.height }, (_, row) =>
        panels.map((panel) => panelRow(panel, row).padEnd(panel.width)).join(' '),
      ),
    ),
    ...screen.bottom.map(textOf),
  ];
  return rows.map((row) => row.trimEnd());
}

const panelRow = (panel: Panel, row: number): string => textOf([panel.title, ...panel.lines][row] ?? []);

/** All pages of the overlay that cuts nothing off, without the rows around them. Leaves the session as it was. */
export function wholeText(session: Session): string {
  const before = session.state;
  const pages: string[] = [];
  change(session, { overlay: { kind: 'whole', page: 0 }, prompt: undefined });
  while (session.state.overlay) {
    const [panel] = screenOf(session).panels.flat();
    pages.push(...panel!.lines.map(textOf));
    pressKey(session, 's');
  }
  session.state = before;
  return pages.join('\n');
}
