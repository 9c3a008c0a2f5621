/** The report as GitHub Markdown: the same tables, for docs/. Cells are escaped; nothing in them becomes markup. */
import { visible } from '../../../engine/index.ts';
import { EMPTY, headerLines, PLAN_NOTE } from './header.ts';
import type { Report } from './summarise.ts';
import { type Table, tablesOf } from './tables/index.ts';

/** Header list and tables under headings of level 3, ending in a newline. */
export function markdownReport(report: Report): string {
  const header = headerLines(report).map(([name, value]) => `- **${escaped(name)}**: ${escaped(value)}`);
  const tables = tablesOf(report);
  const warning = report.warning === null ? [] : [`**${escaped(report.warning)}**`];
  const parts = [...warning, header.join('\n'), ...(tables.length === 0 ? [EMPTY] : tables.map(tableMarkdown))];
  return `${[...parts, planMarkdown(report.campaign.plan)].join('\n\n')}\n`;
}

/** The plan as it was given, in a fence longer than any inside it. */
function planMarkdown(plan: string): string {
  const fence = '`'.repeat(Math.max(3, longestTicks(plan) + 1));
  return `### Plan\n\n${fence}yaml\n${plan.trimEnd()}\n${fence}\n\n${PLAN_NOTE}`;
}

function tableMarkdown({ title, columns, rows, notes }: Table): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const body = rows.map(({ cells, kind }) =>
    line(
      cells.map((cell, i) => {
        if (cell === '') return '';
        if (columns[i]!.code) return code(cell);
        const marked = kind === 'published' ? '*' : kind === 'total' ? '**' : '';
        return marked + escaped(cell) + marked;
      }),
    ),
  );
  const table = [
    line(columns.map(({ label }) => escaped(label.replaceAll('\n', ' ').trim()))),
    line(columns.map(({ right }) => (right ? '--:' : ':--'))),
    ...body,
  ].join('\n');
  return [`### ${escaped(title)}`, table, ...notes.map(escaped)].join('\n\n');
}

/** Text in which no character means anything to Markdown or HTML. */
function escaped(text: string): string {
  return visible(text)
    .replace(/[\\`*_{}[\]<>#|~]/g, '\\$&')
    .replaceAll('&', '&amp;')
    .replaceAll('://', '\\://');
}

const longestTicks = (text: string): number => Math.max(0, ...(text.match(/`+/g) ?? []).map((ticks) => ticks.length));

/** A code span; inside a table even there a bar must be escaped. */
function code(text: string): string {
  const plain = visible(text).replaceAll('|', '\\|');
  const longest = longestTicks(plain);
  const fence = '`'.repeat(longest + 1);
  return longest > 0 ? `${fence} ${plain} ${fence}` : fence + plain + fence;
}
