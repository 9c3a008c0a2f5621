import { expect, it } from 'vitest';
import type { RecordList, TraceConsole } from '../../traces/index.ts';
import { lastLines, linesOf } from './console-lines.ts';

const said = (text: string): TraceConsole[] =>
  [...new TextEncoder().encode(text)].map((byte, n) => ({ moment: n, ticks: n, byte }));
const listOf = (text: string) => said(text) as unknown as RecordList<TraceConsole>;
const KIB_64 = 65_536;

it('a line of more than 64 KiB goes on as another one', () => {
  const lines = [...linesOf(said(`${'a'.repeat(KIB_64)}bc\nd`))];
  expect(lines.map(({ moment, text }) => [moment, text.length])).toEqual([
    [0, KIB_64],
    [KIB_64, 2],
    [KIB_64 + 3, 1],
  ]);
});

it('the last lines are those of 64 KiB, without the one that may have begun before', () => {
  const line = `${'x'.repeat(KIB_64 / 4 - 1)}\n`;
  const length = (text: string, count = text.length) => lastLines(listOf(text), count).map((each) => each.text.length);
  const whole = KIB_64 / 4 - 1;
  // All of it fits: nothing is left out.
  expect(length(line.repeat(4))).toEqual([whole, whole, whole, whole]);
  // One byte more does not.
  expect(length(`${line.repeat(4)}y`)).toEqual([whole, whole, whole, 1]);
  expect(lastLines(listOf(`${line.repeat(4)}y`), 4 * (whole + 1) + 1)[0]).toMatchObject({ moment: whole + 1 });
  // What comes behind the count has not been said yet.
  expect(length(line.repeat(2), whole + 3)).toEqual([whole, 2]);
});
