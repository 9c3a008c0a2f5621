import { describe, expect, it } from 'vitest';
import type { CampaignResults } from '../types.ts';
import { percent, pValue } from './format.ts';
import { csvReport, htmlReport, markdownReport, summarise, textReport } from './index.ts';
import { CAVEAT, PUBLISHED_LADDERS } from './published.ts';
import { type CellSpec, NILIHYPE, NONE, REHYPE, syntheticCampaign, syntheticResults } from './synthetic.fixtures.ts';
import { tablesOf } from './tables/index.ts';

const reportOf = (results: CampaignResults) => summarise(results, 'results.sqlite');
const full = reportOf(syntheticCampaign(0.1));

const WRITERS = { text: textReport, markdown: markdownReport, csv: csvReport, html: htmlReport } as const;

describe('every output', () => {
  it.each(Object.entries(WRITERS))('%s is a function of the results', (_name, write) => {
    expect(write(reportOf(syntheticCampaign(0.1)))).toBe(write(full));
  });

  const awkward: Record<string, readonly CellSpec[]> = {
    'an empty campaign': [],
    'a cell that has not run': [{ mechanism: REHYPE, pending: 3 }],
    'a campaign of one row': [{ mechanism: NILIHYPE, noVmf: 1 }],
    'a fault never reached': [{ mechanism: REHYPE, notReached: 1 }],
    'no detection': [{ mechanism: NONE, nonManifested: 4, sdc: 1 }],
    'a ladder without detections': [
      { mechanism: REHYPE, rung: { ladder: 'l', step: 0, name: 'basic' }, nonManifested: 1 },
      { mechanism: REHYPE, rung: { ladder: 'l', step: 1, name: '+ irq' }, pending: 1 },
    ],
    'internal errors only': [{ mechanism: REHYPE, error: 2 }],
    'nothing but failures': [{ mechanism: REHYPE, failed: 3 }],
  };
  for (const [what, specs] of Object.entries(awkward)) {
    it.each(Object.entries(WRITERS))(`of ${what}: %s has dashes, not NaN`, (_name, write) => {
      const written = write(reportOf(syntheticResults(specs)));
      expect(written).not.toMatch(/NaN|Infinity|undefined|\[object/);
    });
  }

  it('says of an empty campaign that there is nothing', () => {
    const empty = reportOf(syntheticResults([]));
    for (const write of [textReport, markdownReport, htmlReport]) expect(write(empty)).toMatch(/nothing to report/);
  });

  it('says how much of an unfinished campaign has run', () => {
    const half = reportOf(syntheticResults([{ mechanism: REHYPE, noVmf: 1, pending: 3 }]));
    for (const write of [textReport, markdownReport, htmlReport]) {
      expect(write(half)).toMatch(/1 of 4 run: 25\.0 %, not finished/);
    }
  });
});

describe('tables', () => {
  it('have a cell for every column, and dashes where a rate has no denominator', () => {
    for (const { id, columns, rows } of tablesOf(full)) {
      for (const { cells } of rows) expect(cells.length, id).toBe(columns.length);
    }
    const none = reportOf(syntheticResults([{ mechanism: REHYPE, nonManifested: 2 }]));
    const success = tablesOf(none).find(({ id }) => id === 'success')!;
    expect(success.rows[0]!.cells).toEqual(['1AppVM', 'failstop', 'ReHype', '0', '–', '–', '–', '100.0 34.2–100.0']);
  });

  it('say beside every published figure that Lazarus is not Xen', () => {
    const published = tablesOf(full).filter(({ rows }) => rows.some(({ kind }) => kind === 'published'));
    expect(published.map(({ id }) => id)).toEqual([
      'effects',
      'success',
      'novmf',
      'latency',
      'ladder-published-rehype',
      'ladder-published-nilihype',
      'overhead',
    ]);
    for (const { id, notes } of published) expect(notes.join(' '), id).toContain(CAVEAT);
    expect(
      tablesOf(full)
        .find(({ id }) => id === 'causes')!
        .notes.join(' '),
    ).toContain(CAVEAT);
  });

  it('show the published rates as published, with the intervals that their counts give', () => {
    const success = tablesOf(full).find(({ id }) => id === 'success')!;
    const theirs = success.rows.filter(({ kind }) => kind === 'published').map(({ cells }) => cells.slice(1));
    expect(theirs).toEqual([
      ['failstop', 'DSN18 ReHype', '1,000', '98.90 98.0–99.4', '98.9', '–', '98.9'],
      ['failstop', 'DSN18 NiLiHype', '1,000', '98.60 97.7–99.2', '98.6', '–', '98.6'],
      ['register', 'DSN18 ReHype', '951', '96.32 94.9–97.3', '74.9', '–', '93.7'],
      ['register', 'DSN18 NiLiHype', '973', '94.45 92.8–95.7', '73.5', '–', '93.3'],
      ['code', 'DSN18 ReHype', '1,058', '90.74 88.8–92.3', '73.8', '–', '83.0'],
      ['code', 'DSN18 NiLiHype', '1,058', '88.74 86.7–90.5', '72.2', '–', '81.9'],
    ]);
  });

  it('call the published ladders separated where they are', () => {
    for (const { recovery } of PUBLISHED_LADDERS) {
      const table = tablesOf(full).find(({ id }) => id === `ladder-published-${recovery}`)!;
      const words = table.rows.slice(1).map(({ cells }) => cells.at(-1));
      expect(words).toEqual(recovery === 'rehype' ? ['yes', 'yes'] : ['yes', 'yes', 'yes', 'yes', 'no']);
    }
  });
});

describe('text', () => {
  it('fits 120 columns', () => {
    for (const line of textReport(reportOf(syntheticCampaign(0.3))).split('\n'))
      expect(line.length).toBeLessThanOrEqual(120);
  });

  it('fits with long rungs too, which it cuts', () => {
    const name = `+ ${'stop, irq, retry, stacks, locks, frames, multicall, undo, '.repeat(2)}`;
    const rung = { ladder: 'l', step: 1, name };
    const text = textReport(reportOf(syntheticResults([{ mechanism: REHYPE, rung, noVmf: 997, failed: 3 }])));
    expect(text).toContain('\n+ stop, irq, retry, stacks,');
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(120);
  });

  it('counts the rows that it leaves out', () => {
    const causes = Array.from({ length: 70 }, (_, i): CellSpec => ({ setup: `s${i}`, mechanism: REHYPE, failed: 1 }));
    expect(textReport(reportOf(syntheticResults(causes)))).toMatch(/… 10 more rows: --html/);
  });
});

describe('CSV', () => {
  it('has the columns it names on every line, rates with counts and bounds', () => {
    const lines = csvReport(full).trimEnd().split('\r\n');
    expect(lines[0]).toBe('table,setup,fault_class,mechanism,seeds,item,measure,value,hits,of,low,high');
    for (const line of lines) expect(line.split(',').length).toBe(12);
    const [group] = full.groups;
    const { hits, of, share, interval } = group!.success.detected;
    expect(lines).toContain(
      `success,1AppVM,failstop,ReHype,development,,of_detected,${share},${hits},${of},${interval!.low},${interval!.high}`,
    );
  });
});

describe('hostile names', () => {
  const evil = '<script>alert(1)</script>"\'&|`*_[x](http://example.invalid)\u001b[2J\n=1+1,\u202e';
  const results = syntheticResults(
    [
      { setup: evil, mechanism: { recovery: 'rehype', enhance: [evil] }, noVmf: 3, failed: 2, sdc: 1 },
      { setup: evil, mechanism: { recovery: 'rehype', enhance: [] }, noVmf: 3, failed: 3 },
      {
        setup: evil,
        mechanism: NILIHYPE,
        rung: { ladder: evil, step: 0, name: evil },
        noVmf: 3,
        failed: 2,
      },
    ],
    { name: evil, plan: 'name: evil\n# ```\n', toolVersion: evil, images: { [evil]: evil } },
  );
  const changed = results.rows.map((row) => ({
    ...row,
    result: { ...row.result!, causeDetail: evil, detection: evil, steps: [{ name: evil, instructions: 5, ticks: 5 }] },
  }));
  const report = summarise({ ...results, rows: changed }, evil);

  it('become text in HTML', () => {
    const html = htmlReport(report);
    expect(html).not.toContain('<script');
    expect(html).not.toMatch(/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u);
    expect(html).toContain('\\u202e');
    // Every attribute is closed where it was meant to be: no tag holds what only a name can bring.
    for (const tag of html.match(/<[^>]*>/g) ?? []) expect(tag).not.toMatch(/alert\(1\)(?!&lt;\/script&gt;)/);
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;');
  });

  it('send no control characters to a terminal', () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    expect(textReport(report)).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
    expect(textReport(report)).toContain('\\u001b[2J');
  });

  it('make no markup and no cells in Markdown', () => {
    const markdown = markdownReport(report);
    expect(markdown).toContain('````yaml\nname: evil\n# ```\n````\n');
    const outsideCode = markdown.split('### Plan')[0]!.replace(/(?<![\\`])(`+)(?!`)[^\n]*?(?<!`)\1(?!`)/g, '');
    expect(outsideCode).not.toMatch(/(?<!\\)<script/);
    expect(outsideCode).not.toMatch(/(?<!\\)\[x/);
    expect(outsideCode).not.toMatch(/http:\/\//);
    const lines = markdown.split('\n').filter((line) => line.startsWith('|'));
    const bars = (line: string) => line.match(/(?<!\\)\|/g)!.length;
    const expected = tablesOf(report).flatMap(({ columns, rows }) =>
      rows.concat(rows[0]!, rows[0]!).map(() => columns.length + 1),
    );
    expect(lines.map(bars).sort()).toEqual(expected.sort());
  });

  it('stay one field in CSV and no formula', () => {
    const csv = csvReport(summarise(syntheticResults([{ setup: '=HYPERLINK("x"),y', mechanism: NONE, sdc: 1 }]), 'r'));
    expect(csv).toContain(`effects,"'=HYPERLINK(""x""),y",failstop,`);
  });
});

describe('HTML', () => {
  const html = htmlReport(full);

  it('loads nothing and runs nothing', () => {
    expect(html).not.toMatch(/<script|javascript:|\bon\w+=|@import|url\(/i);
    expect(html).not.toMatch(/https?:\/\//);
    const loaded = [...html.matchAll(/\b(?:src|href)="([^"]*)"/g)].map(([, target]) => target!);
    expect(loaded.filter((target) => !target.startsWith('#'))).toEqual(['data:,']);
    expect(html).toContain('default-src &#39;none&#39;');
  });

  it('has ids once, links that lead somewhere, and balanced tags', () => {
    const ids = [...html.matchAll(/\bid="([^"]*)"/g)].map(([, id]) => id!);
    expect(new Set(ids).size).toBe(ids.length);
    for (const [, id] of html.matchAll(/href="#([^"]*)"/g)) expect(ids).toContain(id);
    for (const tag of ['table', 'tr', 'td', 'svg', 'figure', 'section', 'details', 'div', 'ul', 'li', 'p', 'text']) {
      const count = (pattern: string) => html.match(new RegExp(pattern, 'g'))?.length ?? 0;
      expect(count(`<${tag}[ >]`), tag).toBe(count(`</${tag}>`));
    }
  });

  it('colours nothing by a class that the style does not know', () => {
    const style = /<style>([\s\S]*?)<\/style>/.exec(html)![1]!;
    const used = new Set(
      [...html.matchAll(/<(?:rect|circle|polygon|line|polyline)[^>]* class="([^"]*)"/g)].flatMap(([, c]) =>
        c!.split(' '),
      ),
    );
    for (const name of used) expect(style, name).toContain(`.${name}`);
  });
});

describe('numbers', () => {
  it('are not rounded to all or nothing', () => {
    expect(percent(0.9996)).toBe('99.96');
    expect(percent(0.99996)).toBe('99.996');
    expect(percent(1)).toBe('100.0');
    expect(percent(0)).toBe('0.0');
    expect(percent(0.0004)).toBe('0.04');
    expect(percent(0.99999999)).toBe('>99.9999');
    expect(percent(null)).toBe('–');
    expect(percent(-0.0097)).toBe('−1.0');
    expect(percent(-0.0001)).toBe('−0.01');
    expect(pValue(1e-9)).toBe('<1e-6');
  });
});
