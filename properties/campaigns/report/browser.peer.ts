/**
 * The HTML report in a real browser: headless Chromium loads it, complains of nothing, asks the network for nothing,
 * and lays it out so that no label covers another, on a desktop and on a telephone. Needs Debian's chromium; run by CI.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { htmlReport, summarise } from './index.ts';
import { syntheticCampaign } from './synthetic.fixtures.ts';

const folder = mkdtempSync(join(tmpdir(), 'dejavm-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const QUIET = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-extensions',
  '--disable-dev-shm-usage',
  // Whatever asks for a name gets none: the test itself stays off the network.
  '--host-resolver-rules=MAP * ~NOTFOUND',
];

interface Visit {
  readonly dom: string;
  /** Lines that the page wrote to its console, by itself or through the browser. */
  readonly console: readonly string[];
  /** Addresses that the page asked for, itself left out. */
  readonly requests: readonly string[];
}

let visits = 0;

/** Loads a page and returns the document as it is afterwards. */
async function visit(html: string, width = 1280, flags: readonly string[] = []): Promise<Visit> {
  const name = join(folder, `visit-${visits++}`);
  const page = `${name}.html`;
  const netLog = `${name}.json`;
  writeFileSync(page, html);
  const { stdout, stderr } = await promisify(execFile)(
    'chromium',
    [
      ...QUIET,
      ...flags,
      `--user-data-dir=${name}`,
      `--window-size=${width},900`,
      `--log-net-log=${netLog}`,
      '--enable-logging=stderr',
      '--dump-dom',
      `file://${page}`,
    ],
    { maxBuffer: 2 ** 28, timeout: 900_000 },
  );
  // One event a line. What the browser asks for on its own account has no origin.
  const requests = readFileSync(netLog, 'utf8')
    .split('\n')
    .filter((event) => event.includes('"initiator":') && !event.includes('"initiator":"not an origin"'))
    .flatMap((event) => /"url":"([^"]+)"/.exec(event)?.[1] ?? []);
  return {
    dom: stdout,
    console: stderr.split('\n').filter((line) => line.includes('CONSOLE')),
    requests: requests.filter((url) => url !== `file://${page}` && !url.startsWith('data:')),
  };
}

const html = htmlReport(summarise(syntheticCampaign(0.2), 'results.sqlite'));

/**
 * Measures the layout from inside: labels of one drawing that overlap, labels that leave it, and the page's width. The
 * policy that forbids scripts is taken out of this copy of the page, for this script only.
 */
const PROBE = `
const shown = [...document.querySelectorAll('figure svg')].filter((svg) => svg.getClientRects().length > 0);
const found = [];
for (const svg of shown) {
  const frame = svg.getBoundingClientRect();
  const name = svg.getAttribute('aria-label') ?? 'legend';
  const labels = [...svg.querySelectorAll('text')].map((text) => [text.textContent, text.getBoundingClientRect()]);
  labels.forEach(([text, box], i) => {
    if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.bottom > frame.bottom + 1 || box.top < frame.top - 1)
      found.push(name + ': "' + text + '" leaves the drawing');
    for (const [other, against] of labels.slice(i + 1)) {
      const across = Math.min(box.right, against.right) - Math.max(box.left, against.left);
      // Boxes of text are taller than its letters.
      const down = Math.min(box.bottom, against.bottom) - Math.max(box.top, against.top);
      if (across > 1 && down > 4) found.push(name + ': "' + text + '" and "' + other + '" overlap');
    }
  });
}
const excess = document.documentElement.scrollWidth - document.documentElement.clientWidth;
if (excess > 0) found.push('the page is ' + excess + ' px too wide');
const result = { drawings: shown.length, found, background: getComputedStyle(document.body).backgroundColor };
document.documentElement.setAttribute('data-probe', JSON.stringify(result));
`;

async function probe(page: string, width: number, flags: readonly string[] = []) {
  const open = page.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '');
  expect(open).not.toBe(page);
  const { dom } = await visit(open.replace('</body>', `<script>${PROBE}</script></body>`), width, flags);
  const json = /data-probe="([^"]*)"/.exec(dom)?.[1]?.replaceAll('&quot;', '"').replaceAll('&amp;', '&');
  expect(json, 'the probe ran').toBeDefined();
  return JSON.parse(json!) as { drawings: number; found: string[]; background: string };
}

describe('in headless Chromium, the report', () => {
  it('loads without a complaint or a request, with every table and figure', async () => {
    const { dom, console, requests } = await visit(html);
    expect(console).toEqual([]);
    expect(requests).toEqual([]);
    for (const id of ['effects', 'success', 'novmf', 'vms', 'detection', 'latency', 'ladder-1', 'ladder-4', 'paired']) {
      expect(dom, id).toContain(`<table id="${id}">`);
    }
    for (const id of ['overhead', 'causes', 'after', 'failure-groups', 'failures', 'ladder-published-nilihype']) {
      expect(dom, id).toContain(`<table id="${id}">`);
    }
    for (const id of [
      'outcomes',
      'rates',
      'vms',
      'detection',
      'latency-1',
      'steps-1',
      'latency-published',
      'ladder-1',
      'overhead',
      'causes',
    ]) {
      expect(dom, id).toContain(`<figure id="figure-${id}">`);
    }
    expect(dom).toContain('dejavm inject results.sqlite#');
  });

  it.each([1280, 820, 390])('has no label over another at %i pixels', async (width) => {
    const { drawings, found } = await probe(html, width);
    expect(found).toEqual([]);
    expect(drawings).toBeGreaterThan(10);
  });

  it('is dark where the reader wants it', async () => {
    const light = await probe(html, 1280, ['--blink-settings=preferredColorScheme=1']);
    const dark = await probe(html, 1280, ['--blink-settings=preferredColorScheme=0']);
    expect(light.background).toBe('rgb(255, 255, 255)');
    expect(dark.background).toBe('rgb(21, 24, 28)');
  });
});

describe('the checks find', () => {
  it('a request, also one that the policy stops, and a script', async () => {
    const planted = '<img src="http://tracker.invalid/x.png"><script>1</script></body>';
    const policed = await visit(html.replace('</body>', planted));
    expect(policed.console.join('\n')).toMatch(/tracker\.invalid/);
    expect(policed.console.join('\n')).toMatch(/script/);
    const open = html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, '');
    const free = await visit(open.replace('</body>', planted));
    expect(free.requests).toContain('http://tracker.invalid/x.png');
  });

  it('labels that collide and drawings that are too wide', async () => {
    const planted = html
      .replace(
        '</svg></div><div class="narrow">',
        '<text x="0" y="90">one label</text><text x="5" y="92">another</text></svg></div><div class="narrow">',
      )
      .replace('</main>', '<div style="width:5000px">wide</div></main>');
    const { found } = await probe(planted, 1280);
    expect(found.join('\n')).toMatch(/"one label" and "another" overlap/);
    expect(found.join('\n')).toMatch(/px too wide/);
  });
});
