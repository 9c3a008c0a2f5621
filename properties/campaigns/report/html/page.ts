/**
 * The report as one HTML file: inline style and SVG, no script, nothing loaded from anywhere. Relies on tables and
 * figures; whatever a campaign calls its parts is text here and never markup.
 */
import { isUnexpected } from '../failures.ts';
import { EMPTY, headerLines, PLAN_NOTE } from '../header.ts';
import { CAVEAT } from '../published.ts';
import type { Report } from '../summarise.ts';
import { failuresTable, ladderId, type Table, tablesOf } from '../tables/index.ts';
import type { Figure } from './figure.ts';
import {
  causesFigure,
  detectionFigure,
  ladderFigure,
  outcomesFigure,
  overheadFigure,
  ratesFigure,
  vmsFigure,
} from './figures.ts';
import { latencyFigures } from './latency-figures.ts';
import { STYLE } from './style.ts';
import { escapeHtml, NARROW, WIDE } from './svg.ts';

interface Section {
  readonly id: string;
  readonly title: string;
  /** HTML of each part; sections without any are left out. */
  readonly parts: readonly string[];
}

/** No script, no request: the browser is told so as well. */
const POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:";

/** The whole document. */
export function htmlReport(report: Report): string {
  const { name, planned, run } = report.campaign;
  const sections = sectionsOf(report).filter(({ parts }) => parts.length > 0);
  const title = escapeHtml(`Recovery campaign ${name}`);
  const progress = run < planned ? `${run} of ${planned} injections run: not finished` : `${run} injections`;
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${escapeHtml(POLICY)}">`,
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<link rel="icon" href="data:,">',
    `<title>${title}</title>`,
    `<style>${STYLE}</style>`,
    '</head>',
    '<body>',
    ...(report.warning === null ? [] : [`<p class="warning" role="note">${escapeHtml(report.warning)}</p>`]),
    `<header><h1>${title}</h1>`,
    `<p class="sub">Hypervisor recovery under injected faults, measured on Lazarus: ${escapeHtml(progress)}.</p>`,
    `<dl>${headerLines(report)
      .slice(1)
      .map(([key, value]) => `<dt>${escapeHtml(key)}</dt><dd>${escapeHtml(value)}</dd>`)
      .join('')}</dl>`,
    `<p class="caveat">${escapeHtml(CAVEAT)}</p>`,
    `<nav aria-label="Contents"><ul>${sections.map(({ id, title }) => `<li><a href="#${id}">${escapeHtml(title)}</a></li>`).join('')}</ul></nav>`,
    '</header>',
    '<main>',
    ...(sections.length === 1 ? [`<p>${EMPTY}</p>`] : []),
    ...sections.map(
      ({ id, title, parts }) => `<section><h2 id="${id}">${escapeHtml(title)}</h2>${parts.join('\n')}</section>`,
    ),
    '</main>',
    '<footer>Intervals are 95 %, as said below each table. Every number is a function of the results database alone; every failure is one command away.</footer>',
    '</body>',
    '</html>',
    '',
  ].join('\n');
}

function sectionsOf(report: Report): Section[] {
  const tables = new Map(tablesOf(report).map((table) => [table.id, table]));
  const table = (id: string, heading = false) => {
    const found = tables.get(id);
    return found ? [tableHtml(found, heading)] : [];
  };
  const figure = (drawn: Figure | undefined) => (drawn ? [figureHtml(drawn)] : []);
  const ladders = report.ladders.flatMap((ladder, i) => [
    `<h3>${escapeHtml(tables.get(ladderId(i))?.title ?? ladder.title)}</h3>`,
    ...figure(ladderFigure(ladder, `figure-${ladderId(i)}`)),
    ...table(ladderId(i)),
  ]);
  const publishedLadders = [...tables.keys()].filter((id) => id.startsWith('ladder-published'));
  return [
    {
      id: 'outcomes',
      title: 'What became of the faults',
      parts: [...figure(outcomesFigure(report)), ...table('effects'), ...table('undetected')],
    },
    {
      id: 'rates',
      title: 'Success and noVMF',
      parts: [
        ...figure(ratesFigure(report)),
        ...table('success', true),
        ...table('novmf', true),
        ...table('by-seed', true),
      ],
    },
    { id: 'vms-affected', title: 'VMs affected', parts: [...figure(vmsFigure(report)), ...table('vms')] },
    { id: 'detectors', title: 'Detection', parts: [...figure(detectionFigure(report)), ...table('detection')] },
    {
      id: 'recovery-latency',
      title: 'Recovery latency',
      parts: [...latencyFigures(report).map(figureHtml), ...table('latency')],
    },
    { id: 'ladders', title: 'Ladders', parts: [...ladders, ...publishedLadders.flatMap((id) => table(id, true))] },
    { id: 'pairs', title: 'Mechanisms paired', parts: [...table('paired'), ...table('alignment', true)] },
    {
      id: 'normal-operation',
      title: 'Normal operation',
      parts: [...figure(overheadFigure(report)), ...table('overhead'), ...table('self-checks')],
    },
    {
      id: 'failure-causes',
      title: 'Why recoveries failed',
      parts: [
        ...figure(causesFigure(report)),
        ...table('causes'),
        ...table('after', true),
        ...table('clusters', true),
        ...table('failure-groups', true),
        ...everyFailure(report),
        ...table('internal-errors', true),
      ],
    },
    {
      id: 'plan',
      title: 'Plan',
      parts: [`<pre>${escapeLines(report.campaign.plan)}</pre>`, `<p class="note">${escapeHtml(PLAN_NOTE)}</p>`],
    },
  ];
}

function everyFailure(report: Report): string[] {
  const unexpected = report.failures.filter(isUnexpected);
  const others = report.failures.length - unexpected.length;
  const table = failuresTable({ ...report, failures: unexpected });
  const more =
    others > 0 ? [`<p class="note">${others} more on ladder rungs and without recovery: --json lists them.</p>`] : [];
  if (table.rows.length === 0) return more;
  return [
    `<details><summary>All ${table.rows.length} of them, with their commands</summary>${tableHtml(table, false)}</details>`,
    ...more,
  ];
}

function figureHtml({ id, legend, draw, caption }: Figure): string {
  const drawings = `<div class="wide">${draw(WIDE, false)}</div><div class="narrow">${draw(NARROW, true)}</div>`;
  return `<figure id="${id}">${legend}${drawings}<figcaption>${escapeHtml(caption)}</figcaption></figure>`;
}

function tableHtml({ id, title, columns, rows, notes }: Table, heading: boolean): string {
  const classes = columns.map(({ right, code }, i) => {
    if (right) return 'right';
    // Long text wraps; what tables are sorted by does not.
    return !code && rows.some(({ cells }) => cells[i]!.length > 28) ? 'text' : '';
  });
  const attribute = (cls: string) => (cls ? ` class="${cls}"` : '');
  const head = columns.map(({ label }, i) => {
    const lines = label.split('\n').map(escapeHtml).join('<br>');
    return `<th scope="col"${attribute(classes[i]!)}>${lines}</th>`;
  });
  const body = rows.map(({ cells, kind }) => {
    const inner = cells.map((cell, i) => {
      const html = columns[i]!.code ? `<code>${escapeHtml(cell)}</code>` : withInterval(escapeHtml(cell));
      return `<td${attribute(classes[i]!)}>${html}</td>`;
    });
    return `<tr${attribute(kind ?? '')}>${inner.join('')}</tr>`;
  });
  const below = notes.map((note) => `<p class="note">${escapeHtml(note)}</p>`).join('');
  const above = heading ? `<h3>${escapeHtml(title)}</h3>` : '';
  const grid = `<table id="${id}"><thead><tr>${head.join('')}</tr></thead><tbody>\n${body.join('\n')}\n</tbody></table>`;
  return `${above}<div class="scroll" tabindex="0" role="region" aria-label="${escapeHtml(title)}">${grid}</div>${below}`;
}

/** Sets the bounds in "98.9 98.0–99.4" smaller than the rate. */
const withInterval = (cell: string): string =>
  cell.replace(/^([\d.]+) ([\d.]+–[\d.]+)$/, '$1 <span class="ci">$2</span>');

/** Several lines, each escaped. */
const escapeLines = (text: string): string => text.split(/\r?\n/).map(escapeHtml).join('\n');
