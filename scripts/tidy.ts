/**
 * Reads every source and says where it breaks the house rules: import direction, doors, file length, width of lines,
 * and what would make the engine depend on its host. `tidy.test.ts` runs it on the tree and on planted offences.
 * Works on text, not on types: an import computed at run time escapes it.
 */
import { globSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, normalize } from 'node:path';
import { markdownFiles } from './markdown.ts';

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
const ENGINE_ORDER = ['base', 'isa', 'core', 'devices', 'faults', 'machine', 'subject', 'introspect'];

/** The same inside the privileged architecture. */
const ARCH_ORDER = ['state', 'pages', 'code', 'translation', 'trap', 'access', 'float', 'csr', 'run'];

/** As traces are, and AssemblyScript, which is compiled as one module. */
const WITHOUT_DOORS = /^(traces|engine\/core\/arch)\//;

/** Files longer than this need a reason in LONG_FILES. */
const MAX_LINES = 450;

/** Width of comments and documents, as the formatter's of code (biome.json). */
const MAX_COLUMNS = 120;

/** Long files and why they stay one room. */
const LONG_FILES: Readonly<Record<string, string>> = {};

/** What the engine must not touch: every one of these differs from host to host or from run to run. */
const HOST_DEPENDENCE =
  /\b(Date\.now|new Date\b|performance\.(now|timeOrigin)|Math\.random|process\.hrtime|crypto\.(randomBytes|getRandomValues|randomUUID)|setTimeout|setInterval|setImmediate|queueMicrotask)\b/;

/** Every document, and the C of the subject. */
export const readDocuments = (root: string): Source[] =>
  [...markdownFiles(root), ...globSync('engine/subject/**/*.{c,h}', { cwd: root }).sort()].map((path) => ({
    path: path.replaceAll('\\', '/'),
    text: readFileSync(`${root}/${path}`, 'utf8'),
  }));

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
    ...widthOffences(source),
    ...scriptOffences(source),
  ]);
  return [...single, ...cycleOffences(sources)];
}

const isTest = (path: string) => /\.(test|slow|prop|peer)\.tsx?$/.test(path) || path.startsWith('scripts/');
/** Tests and what only they use look behind the doors of their own layer. */
const looksBehindDoors = (path: string) =>
  isTest(path) || /\.fixtures\.tsx?$|\/(test-|fake-)|testing\.ts$|testbed\.ts$|\/(fuzz|bench)\//.test(path);

function importOffences({ path, text }: Source): Offence[] {
  const found: Offence[] = [];
  if (path.startsWith('scripts/')) return found;
  const [folder = ''] = path.split('/');
  for (const { target, line, isLazy } of relativeImports(path, text)) {
    const [toFolder = ''] = target.split('/');
    const say = (rule: string) => found.push({ path, line, rule });
    if (toFolder !== folder) {
      if (toFolder === 'scripts') say(`imports ${target}: scripts belong to the build`);
      else if (!LAYERS[folder]?.includes(toFolder)) say(`imports ${target}: ${folder} may not import from ${toFolder}`);
      else if (target !== `${toFolder}/index.ts`) say(`imports ${target}: go through the door ${toFolder}/index.ts`);
    } else if (!isLazy && !looksBehindDoors(path) && !WITHOUT_DOORS.test(path)) {
      const door = doorBetween(path, target);
      if (door !== undefined && door !== target) say(`imports ${target}: go through the door ${door}`);
    }
    if (isTest(path)) continue;
    for (const [base, order] of [
      ['engine', ENGINE_ORDER],
      ['engine/core/arch', ARCH_ORDER],
    ] as const) {
      const [from, to] = [path, target].map((each) => order.indexOf(roomIn(base, each)));
      if (from! >= 0 && to! > from!) say(`imports ${target}: ${base}/${order[from!]} lies below ${base}/${order[to!]}`);
    }
  }
  return found;
}

/** `core` for `engine/core/x.ts` in `engine`; empty for what lies elsewhere. */
const roomIn = (base: string, path: string): string =>
  path.startsWith(`${base}/`) ? path.slice(base.length + 1).split('/', 1)[0]! : '';

/** Door of the folder that an import enters, if it enters one. */
function doorBetween(path: string, target: string): string | undefined {
  const [from, to] = [path.split('/').slice(0, -1), target.split('/').slice(0, -1)];
  const shared = to.findIndex((part, n) => part !== from[n]);
  return shared < 0 ? undefined : `${to.slice(0, shared + 1).join('/')}/index.ts`;
}

/**
 * Relative imports with the path they resolve to, from the repository's root; a lazy one is for what is not always
 * loaded.
 */
export function relativeImports(path: string, text: string): { target: string; line: number; isLazy: boolean }[] {
  const pattern = /(?:\bfrom\s+|\bimport\s*\(\s*|\bimport\s+)['"](\.{1,2}\/[^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => ({
    target: normalize(`${dirname(path)}/${match[1]}`).replaceAll('\\', '/'),
    line: lineOf(text, match.index),
    isLazy: match[0].includes('('),
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

/** Formatters do not break comments and documents; strings and tables cannot be broken. */
export function widthOffences({ path, text }: Source): Offence[] {
  const breakable = path.endsWith('.md') ? isProse(text) : (line: string) => /^\s*(\*|\/\/|\/\*)/.test(line);
  return text.split('\n').flatMap((line, index) => {
    if (!breakable(line) || line.length <= MAX_COLUMNS) return [];
    return [{ path, line: index + 1, rule: `${line.length} characters: break it at ${MAX_COLUMNS}` }];
  });
}

/** AssemblyScript, which the formatter cannot parse, as far as lines tell. */
function scriptOffences({ path, text }: Source): Offence[] {
  if (!path.startsWith('engine/core/arch/')) return [];
  return text.split('\n').flatMap((line, index) => {
    const say = (rule: string) => [{ path, line: index + 1, rule }];
    if (line.length > MAX_COLUMNS && !/^\s*\*/.test(line)) return say(`${line.length} characters: break it`);
    if (/\s$|\t/.test(line)) return say('a tab, or a space at the end');
    if (/^( {2})* [^ *]/.test(line)) return say('indented by an odd number of spaces');
    if (/\b(if|for|while|switch)\(|\)\{|,[^ '"\n]/.test(line.replace(/\/\/.*|^\s*\/?\*.*|'[^']*'/g, '')))
      return say('a space is missing');
    return [];
  });
}

/** Says of a document's lines, in order, whether they are running text. */
function isProse(text: string): (line: string) => boolean {
  const generated = /^Written by `npm run docs`/m.test(text);
  let inBlock = false;
  return (line) => {
    if (/^\s*```/.test(line)) inBlock = !inBlock;
    return !generated && !inBlock && !/^\s*(\||#|<|\[)/.test(line);
  };
}

/**
 * Folders with sources that nobody says the job of: a door, or a README where files are programs or are named by
 * others.
 */
export function folderOffences(files: ReadonlyMap<string, string>): Offence[] {
  const folders = new Set([...files.keys()].map((path) => dirname(path)));
  return [...folders].sort().flatMap((folder) => {
    const inside = [...files.keys()].filter((path) => dirname(path) === folder);
    const isRoom = inside.some((path) => /\.(tsx?|c)$/.test(path) && !isTest(path));
    const [door, page] = ['index.ts', 'README.md'].map((name) => files.get(`${folder}/${name}`));
    if (!isRoom || page !== undefined || (door !== undefined && /^\/\*\*/.test(door))) return [];
    const rule =
      door === undefined ? 'has no door: an index.ts, or a README.md' : 'has a door that does not say its job';
    return [{ path: folder, line: 1, rule }];
  });
}

const lineOf = (text: string, index: number) => text.slice(0, index).split('\n').length;
