/** What a person with an older Node meets: an installation without warnings, and one line that says what is needed. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { shipped } from './shipped.ts';
import { readSources, relativeImports } from './tidy.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const read = <T>(file: string) => JSON.parse(readFileSync(root + file, 'utf8')) as T;

interface Locked {
  readonly engines?: { readonly node?: string };
  readonly dev?: true;
  readonly optional?: true;
  readonly devOptional?: true;
  readonly inBundle?: true;
}

describe('what npm installs for a user on Node 20', () => {
  const { packages } = read<{ packages: Record<string, Locked> }>('package-lock.json');
  // npm does not ask the engines of what lies in the package's own bundle, nor of what is optional.
  const asked = Object.entries(packages).filter(
    ([, { dev, optional, devOptional, inBundle }]) => !dev && !optional && !devOptional && !inBundle,
  );

  it('warns of no engine', () => {
    const oldest = ([, { engines }]: (typeof asked)[number]) =>
      Math.min(...(engines?.node ?? '0').split('||').map((range) => Number(/\d+/.exec(range)?.[0] ?? 0)));
    expect(asked.filter((each) => oldest(each) > 20).map(([path]) => path)).toEqual([]);
    expect(asked.map(([path]) => path)).toContain('node_modules/zod');
  });
});

it('ships nothing that only tests import', () => {
  const importers = new Map<string, string[]>();
  for (const { path, text } of readSources(root).filter((source) => !source.path.startsWith('scripts/'))) {
    for (const { target } of relativeImports(path, text)) {
      importers.set(target, [...(importers.get(target) ?? []), path]);
    }
  }
  const isShipped = shipped(root);
  const idle = [...importers].filter(([path, by]) => isShipped(path) && !by.some(isShipped)).map(([path]) => path);
  expect(idle).toEqual([]);
  expect(importers.size).toBeGreaterThan(100);
});

describe('an entry of the library', () => {
  const entries = Object.keys(read<{ exports: Record<string, unknown> }>('package.json').exports);
  // Built for this: tests run the sources.
  beforeAll(() => void execFileSync(process.execPath, ['scripts/build.ts'], { cwd: root }));

  const load = (entry: string, version: string) => {
    const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '${version}' } });
      Object.defineProperty(process, 'version', { value: 'v${version}' });`;
    const script = `${old} console.log(Object.keys(await import('dejavm/${entry}')).length)`;
    return spawnSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' });
  };

  test.each(entries.map((entry) => entry.slice(2)))('dejavm/%s says in one line which Node it needs', (entry) => {
    const { status, stdout, stderr } = load(entry, '20.19.0');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toContain(`Error: dejavm/${entry} needs Node >= 24, found v20.19.0`);
    expect(stderr).not.toMatch(/^ +at /m);
    expect(Number(load(entry, process.versions.node).stdout)).toBeGreaterThan(5);
  });

  test.each(entries.map((entry) => entry.slice(2)))('dejavm/%s loads neither SQLite nor the terminal UI', (entry) => {
    const script = `const { registerHooks } = await import('node:module');
      const urls = [];
      registerHooks({ load: (url, context, next) => (urls.push(url), next(url, context)) });
      await import('dejavm/${entry}');
      console.log(JSON.stringify(urls));`;
    const urls = JSON.parse(
      execFileSync(process.execPath, ['--input-type=module', '-e', script], { cwd: root, encoding: 'utf8' }),
    ) as string[];
    expect(urls).toContainEqual(expect.stringMatching(new RegExp(`/dist/${entry}/index\\.js$`)));
    expect(urls.filter((url) => /^node:sqlite|\/tui\/|\/node_modules\/(ink|react)\//.test(url))).toEqual([]);
  });

  test.each(entries.map((entry) => entry.slice(2)))('dejavm/%s links nothing before it has looked', (entry) => {
    const imports = readFileSync(`${root}dist/entries/${entry}.js`, 'utf8').match(/^(import|export) .* from .*$/gm);
    expect(imports).toEqual(["import { requireNode } from '../../bin/node-floor.js';"]);
  });
});
