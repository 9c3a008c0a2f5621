/**
 * Console output as lines, each with the moment of its first byte. Knows bytes only: whose lines they are is told in
 * diff-console.ts.
 */
import type { TraceConsole } from '../../traces/index.ts';

export interface ConsoleLine {
  /** Moment of the line's first byte. */
  readonly moment: number;
  readonly text: string;
}

/** Splits at newlines; carriage returns are dropped; an unfinished last line counts. */
export function linesOf(console: readonly TraceConsole[]): ConsoleLine[] {
  const lines: ConsoleLine[] = [];
  let start = 0;
  const cut = (end: number) => {
    const bytes = console.slice(start, end).map(({ byte }) => byte);
    const text = new TextDecoder().decode(Uint8Array.from(bytes)).replaceAll('\r', '');
    lines.push({ moment: console[start]!.moment, text });
    start = end + 1;
  };
  for (let at = 0; at < console.length; at++) if (console[at]!.byte === 0x0a) cut(at);
  if (start < console.length) cut(console.length);
  return lines;
}
