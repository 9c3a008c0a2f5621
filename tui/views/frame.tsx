/**
 * One frame as text, without a terminal: `dejavm tui TRACE --frame`, documents and tests. Relies on ink's renderer.
 */
import { renderToString } from 'ink';
import { screenOf } from '../model/index.ts';
import type { Session } from '../panels/index.ts';
import { ScreenView } from './screen.tsx';

/** The screen, one line per row, trailing blanks removed. */
export function frameText(session: Session): string {
  const { columns } = session.state;
  const text = renderToString(<ScreenView screen={screenOf(session)} colour={false} />, { columns });
  return text
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}
