/**
 * Reads every TypeScript source and says where it breaks the house rules: import direction, doors, file length, and
 * what would make the engine depend on its host. `tidy.test.ts` runs it on the tree and on planted offences.
 * Works on text, not on types: an import computed at run time escapes it.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, normalize } from 'node:path';

export interface Source {
  /** Path from the root of the repository, `/` between parts. */
  readonly path: string;
  readonly text: string;
}
export interface Offence {
  readonly path: string;
  readonly line: number;
  readonly rule: string;
}

/** What each folder may import from; itself is always allowed. */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  engine: [],
  traces: [],
  replay: ['engine', 'traces'],
  properties: ['replay', 'engine', 'traces'],
  tui: ['properties', 'replay', 'engine', 'traces'],
};

/** Inside the engine, low to high: a folder imports from folders to its left only. */
const ENGINE_ORDER = ['base', 'isa', 'core', 'devices', 'faults', 'machine', 'introspect'];

/** Files longer than this need a reason in LONG_FILES. */
const MAX_LINES = 450;

/** Long files and why they stay one room. */
const LONG_FILES: Readonly<Record<string, string>> = {};

/** What the engine must not touch: every one of these differs from host to host or from run to run. */
const HOST_DEPENDENCE =
  /\b(Date\.now|new Date\b|performance\.(now|timeOrigin)|Math\.random|process\.hrtime|crypto\.(randomBytes|getRandomValues|randomUUID)|setTimeout|setInterval|setImmediate|queueMicrotask)\b/;

/** All TypeScript sources of the five folders and scripts, without generated ones. */
export function readSources(root: string): Source[] {
  return [...Object.keys(LAYERS), 'scripts'].flatMap((folder) =>
    readdirSync(`${root}/${folder}`, { recursive: true, encoding: 'utf8' })
      .map((name) => `${folder}/${name.replaceAll('\\', '/')}`)
      .filter((path) => /\.tsx?$/.test(path) && !/\.gen\.ts$|\.d\.ts$/.test(path))
      .sort()
      .map((path) => ({ path, text: readFileSync(`${root}/${path}`, 'utf8') })),
  );
}

/** Every offence in the given sources, in order of path and line. */
export function offences(sources: readonly Source[]): Offence[] {
  const single = sources.flatMap((source) => [
    ...importOffences(source),
    ...hostOffences(source),
    ...lengthOffences(source),
  ]);
  return [...single, ...cycleOffences(sources)];
}

const isTest = (path: string) => /\.(test|slow|prop|peer)\.tsx?$/.test(path) || path.startsWith('scripts/');

function importOffences({ path, text }: Source): Offence[] {
  const found: Offence[] = [];
  if (path.startsWith('scripts/')) return found;
  const [folder = '', second = ''] = path.split('/');
  for (const { target, line } of relativeImports(path, text)) {
    const [toFolder = '', toSecond = ''] = target.split('/');
    const say = (rule: string) => found.push({ path, line, rule });
    if (toFolder !== folder) {
      if (toFolder === 'scripts') say(`imports ${target}: scripts belong to the build`);
      else if (!LAYERS[folder]?.includes(toFolder)) say(`imports ${target}: ${folder} may not import from ${toFolder}`);
      else if (target !== `${toFolder}/index.ts`) say(`imports ${target}: go through the door ${toFolder}/index.ts`);
    } else if (folder === 'engine' && toSecond !== second && !isTest(path)) {
      const from = ENGINE_ORDER.indexOf(second);
      const to = ENGINE_ORDER.indexOf(toSecond);
      if (from >= 0 && to > from) say(`imports ${target}: engine/${second} lies below engine/${toSecond}`);
    }
  }
  return found;
}

/** Relative imports with the path they resolve to, from the repository's root. */
export function relativeImports(path: string, text: string): { target: string; line: number }[] {
  const pattern = /(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)['"](\.{1,2}\/[^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => ({
    target: normalize(`${dirname(path)}/${match[1]}`).replaceAll('\\', '/'),
    line: lineOf(text, match.index),
  }));
}

/** Files that import each other round about; types count, for a reader has to follow them too. */
function cycleOffences(sources: readonly Source[]): Offence[] {
  const imports = new Map(
    sources.map(({ path, text }) => [path, relativeImports(path, text).map(({ target }) => withEnding(target))]),
  );
  return cycles(imports).map((members) => ({
    path: members[0]!,
    line: 1,
    rule: `is part of an import cycle: ${members.join(', ')}`,
  }));
}

/** AssemblyScript names its imports without ending. */
const withEnding = (path: string) => (/\.tsx?$/.test(path) ? path : `${path}.ts`);

/** Strongly connected components of more than one node (Tarjan 1972), members sorted. */
function cycles(edges: ReadonlyMap<string, readonly string[]>): string[][] {
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (node: string) => {
    order.set(node, order.size);
    lowest.set(node, order.get(node)!);
    open.push(node);
    for (const next of edges.get(node) ?? []) {
      if (!edges.has(next)) continue;
      if (!order.has(next)) visit(next);
      else if (!open.includes(next)) continue;
      lowest.set(node, Math.min(lowest.get(node)!, lowest.get(next)!));
    }
    if (lowest.get(node) !== order.get(node)) return;
    const members = open.splice(open.indexOf(node));
    if (members.length > 1) found.push(members.sort());
  };
  for (const node of edges.keys()) if (!order.has(node)) visit(node);
  return found;
}

function hostOffences({ path, text }: Source): Offence[] {
  if (!path.startsWith('engine/') || path.startsWith('engine/bench/') || isTest(path)) return [];
  return text.split('\n').flatMap((line, index) => {
    const code = line.replace(/\/\/.*|^\s*\*.*/, '');
    const match = HOST_DEPENDENCE.exec(code);
    return match ? [{ path, line: index + 1, rule: `${match[0]} makes the engine depend on its host` }] : [];
  });
}

function lengthOffences({ path, text }: Source): Offence[] {
  const lines = text.split('\n').length - 1;
  if (lines <= MAX_LINES || LONG_FILES[path]) return [];
  return [{ path, line: lines, rule: `${lines} lines: split it, or give LONG_FILES the reason` }];
}

const lineOf = (text: string, index: number) => text.slice(0, index).split('\n').length;
