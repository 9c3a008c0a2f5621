/** The report for a terminal: aligned columns, no colour, made for 120 columns. Control characters are shown, never sent. */
import { EMPTY, headerLines } from './header.ts';
import type { Report } from './summarise.ts';
import { type Table, tablesOf } from './tables/index.ts';

/** Cells of free text longer than this are cut, with an ellipsis: the other outputs have them whole. */
const MAX_CELL = 28;
const MAX_WIDE_CELL = 54;
/** Rows of a table beyond this are counted only. */
const MAX_ROWS = 60;
const WIDTH = 100;

/** The whole report as text, ending in a newline. */
export function textReport(report: Report): string {
  const facts = headerLines(report).map(([name, value]) => [visible(name), visible(value)] as const);
  const longest = Math.max(...facts.map(([name]) => name.length));
  const header = facts.map(([name, value]) => `${name.padEnd(longest)}  ${value}`);
  const tables = tablesOf(report);
  const parts = [header.join('\n'), ...(tables.length === 0 ? [EMPTY] : tables.map(tableText))];
  return `${parts.join('\n\n')}\n`;
}

/** One table: title, head, rule, rows, notes. */
export function tableText({ title, columns, rows: all, notes }: Table): string {
  const rows = all.slice(0, MAX_ROWS);
  const left = all.length - rows.length;
  const cut = (cell: string, i: number) => {
    const clean = visible(cell);
    const { code, wide } = columns[i]!;
    const most = code ? clean.length : wide ? MAX_WIDE_CELL : MAX_CELL;
    return clean.length <= most ? clean : `${clean.slice(0, most - 1)}…`;
  };
  const heads = columns.map(({ label }) => label.split('\n'));
  const height = Math.max(...heads.map((lines) => lines.length));
  const headRows = Array.from({ length: height }, (_, line) =>
    heads.map((lines) => lines[line - (height - lines.length)] ?? ''),
  );
  const body = rows.map(({ cells }) => cells.map(cut));
  const widths = columns.map((_, i) => Math.max(...[...headRows, ...body].map((cells) => cells[i]!.length)));
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (columns[i]!.right ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join('  ')
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join('──');
  const printed: string[] = [];
  rows.forEach(({ kind }, i) => {
    if (kind === 'published' && i > 0 && rows[i - 1]!.kind !== 'published') printed.push(rule.replaceAll('─', '╌'));
    printed.push(line(body[i]!));
    if (kind === 'total' && rows[i + 1] && rows[i + 1]!.kind !== 'published') printed.push('');
  });
  return [
    visible(title),
    '═'.repeat(visible(title).length),
    ...headRows.map(line),
    rule,
    ...printed,
    ...(left > 0 ? [`… ${left} more rows: --html, --markdown and --json have them`] : []),
    '',
    ...notes.map((note) => wrap(visible(note))),
  ]
    .join('\n')
    .trimEnd();
}

/** Control characters as escapes, so that no name moves the cursor. */
function visible(text: string): string {
  return [...text]
    .map((char) => {
      const code = char.codePointAt(0)!;
      const control = code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x2028 && code <= 0x202e);
      return control ? `\\u{${code.toString(16)}}` : char;
    })
    .join('');
}

function wrap(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > WIDTH) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].join('\n');
}
