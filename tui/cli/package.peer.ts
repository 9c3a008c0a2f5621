/**
 * The package as npm packs and installs it: what it leaves out, what it carries, and that it runs from an empty folder.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packageFile } from '../base/package-root.ts';

const root = packageFile('.');
const scratch = mkdtempSync(join(tmpdir(), 'dejavm-package-'));
afterAll(() => rmSync(scratch, { recursive: true }));

const npm = (args: string[], cwd: string) => execFileSync('npm', args, { cwd, encoding: 'utf8' });

interface Packed {
  readonly filename: string;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

// Scripts would build once more: `dist/` is there.
const pack = (args: string[]): Packed =>
  (JSON.parse(npm(['pack', '--json', '--ignore-scripts', ...args], root)) as Packed[])[0]!;

describe('the packed files', () => {
  const packed = pack(['--dry-run']);
  // Other people's packages come as they are.
  const paths = packed.files.map(({ path }) => path).filter((path) => !path.startsWith('node_modules/'));

  it('are no tests, no fixtures, no build information and no sources of what is built', () => {
    const foreign = /\.(test|slow|prop|peer|fixtures)\.|\.map$|\.tsbuildinfo$|(^|\/)bench\/|\.[ch]$|(?<!\.d)\.tsx?$/;
    expect(paths.filter((path) => foreign.test(path))).toEqual([]);
  });

  it('are the manual pages that npm installs, too', () => {
    const { man } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { man: string[] };
    expect(man).toEqual(['docs/dejavm.1']);
    expect(paths).toEqual(expect.arrayContaining(man));
  });

  it('are all that the README links to, and all that those documents link to', () => {
    const missing: string[] = [];
    const seen = new Set<string>();
    const follow = (document: string) => {
      if (seen.has(document)) return;
      seen.add(document);
      const text = readFileSync(join(root, document), 'utf8').replace(/```[\s\S]*?```/g, '');
      for (const [, link = ''] of text.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)) {
        if (/^[a-z]+:/.test(link)) continue;
        const target = normalize(join(dirname(document), link)).replace(/\/$/, '');
        const isFolder = paths.some((path) => path.startsWith(`${target}/`));
        if (!paths.includes(target) && !isFolder) missing.push(`${document}: ${link}`);
        else if (target.endsWith('.md')) follow(target);
      }
    };
    follow('README.md');
    expect(missing).toEqual([]);
    expect(seen.size).toBeGreaterThan(5);
  });
});

describe.each([
  ['with the pinned Node', []],
  ['without it (--omit=optional), on a Node that is new enough', ['--omit=optional']],
] as const)('installed into an empty folder %s', (_name, flags) => {
  const folder = mkdtempSync(join(scratch, 'user-'));
  const env = { ...process.env, XDG_DATA_HOME: join(folder, 'data') };
  const run = (command: string, args: string[]) => execFileSync(command, args, { cwd: folder, env, encoding: 'utf8' });

  beforeAll(() => {
    const { filename } = pack(['--pack-destination', scratch]);
    npm(['init', '-y'], folder);
    npm(['install', '--no-audit', '--no-fund', '--prefer-offline', ...flags, join(scratch, filename)], folder);
  });

  it('runs the demo', () => {
    expect(run(process.execPath, ['node_modules/.bin/dejavm', 'demo'])).toContain('every state is the same');
  });

  it('runs a campaign on workers', () => {
    const cell = '{ setup: compute, fault: failstop, mechanism: rehype, size: 2 }';
    writeFileSync(join(folder, 'tiny.yaml'), `name: tiny\ncells:\n  - ${cell}\n`);
    const words = ['campaign', 'tiny.yaml', '--workers', '2', '-o', 'tiny.sqlite'];
    expect(run(process.execPath, ['node_modules/.bin/dejavm', ...words])).toContain('failstop');
  });

  it('is a library: every entry can be imported', () => {
    const { exports } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { exports: object };
    const imports = Object.keys(exports).map((name) => `await import('dejavm${name.slice(1)}')`);
    const script = `${imports.join(';')}; console.log('imported')`;
    expect(run(process.execPath, ['--input-type=module', '-e', script])).toContain('imported');
  });

  it('has a Node of its own, or not', () => {
    const hasNode = existsSync(join(folder, 'node_modules', '.bin', 'node'));
    expect(hasNode).toBe(flags.length === 0);
  });
});
