/**
 * The report for a terminal: aligned columns, no colour, made for 120 columns. Control characters are shown, never
 * sent.
 */
import { visible } from '../../../engine/index.ts';
import { EMPTY, headerLines } from './header.ts';
import type { Report } from './summarise.ts';
import { type Column, type Table, tablesOf } from './tables/index.ts';

/** Columns of the terminal that tables are made for; wide columns give way first. */
const TERMINAL = 120;
/** Cells of free text longer than this are cut, with an ellipsis: the other outputs have them whole. */
const MAX_CELL = 28;
const MAX_WIDE_CELL = 54;
const MIN_WIDE_CELL = 16;
const NOTES = 100;

/** The whole report as text, ending in a newline. */
export function textReport(report: Report): string {
  const facts = headerLines(report).map(([name, value]) => [visible(name), visible(value)] as const);
  const longest = Math.max(...facts.map(([name]) => name.length));
  const header = facts.map(([name, value]) => `${name.padEnd(longest)}  ${value}`);
  const tables = tablesOf(report);
  const warning = report.warning === null ? [] : [report.warning];
  const parts = [...warning, header.join('\n'), ...(tables.length === 0 ? [EMPTY] : tables.map(tableText))];
  return `${parts.join('\n\n')}\n`;
}

/** One table: title, head, rule, rows, notes. */
export function tableText({ title, columns, rows: all, shown = all.length, notes }: Table): string {
  const rows = all.slice(0, shown);
  const left = all.length - rows.length;
  const heads = columns.map(({ label }) => label.split('\n'));
  const height = Math.max(...heads.map((lines) => lines.length));
  const headRows = Array.from({ length: height }, (_, line) =>
    heads.map((lines) => lines[line - (height - lines.length)] ?? ''),
  );
  const cutTo = (wideCell: number) =>
    rows.map(({ cells }) => cells.map((cell, i) => cut(visible(cell), columns[i]!, wideCell)));
  const widthsOf = (cells: readonly (readonly string[])[]) =>
    columns.map((_, i) => Math.max(...[...headRows, ...cells].map((row) => row[i]!.length)));
  const excess = widthsOf(cutTo(MAX_WIDE_CELL)).reduce((sum, width) => sum + width + 2, -2) - TERMINAL;
  const longest = Math.max(0, ...columns.flatMap(({ wide }, i) => (wide ? widthsOf(cutTo(MAX_WIDE_CELL))[i]! : [])));
  const body = cutTo(excess > 0 ? Math.max(MIN_WIDE_CELL, longest - excess) : MAX_WIDE_CELL);
  const widths = widthsOf(body);
  // What still does not fit moves together.
  const gap = widths.reduce((sum, width) => sum + width + 2, -2) > TERMINAL ? ' ' : '  ';
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, i) => (columns[i]!.right ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!)))
      .join(gap)
      .trimEnd();
  const rule = widths.map((width) => '─'.repeat(width)).join(gap.replaceAll(' ', '─'));
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

function cut(text: string, { code, wide }: Column, wideCell: number): string {
  const most = code ? text.length : wide ? wideCell : MAX_CELL;
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

function wrap(text: string): string {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line && line.length + 1 + word.length > NOTES) {
      lines.push(line);
      line = word;
    } else line = line ? `${line} ${word}` : word;
  }
  return [...lines, line].join('\n');
}
