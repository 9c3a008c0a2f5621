/**
 * Reads a campaign file: YAML of the form that schema.ts declares. Every mistake is told with line, column and reason,
 * all of them at once. What the names in it stand for is checked by plan.ts, which reports through the same `problem`.
 */
import { type Document, isMap, isScalar, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { didYouMean, UserError } from '../../../engine/index.ts';
import { type CampaignFile, campaignFile, keysAt } from './schema.ts';

/** Where something stands in the file: keys and list positions from the top. */
export type FilePath = readonly (string | number)[];

export interface Problem {
  readonly path: FilePath;
  readonly why: string;
  /** The key itself is wrong, not its value. */
  readonly key?: true;
}

/** Longer than any plan that somebody writes; the parser's time grows faster than its text. */
const MAX_FILE_LENGTH = 64 * 1024;
/** Mistakes that are told at once. */
const MAX_PROBLEMS = 20;

export interface ParsedCampaign {
  readonly file: CampaignFile;
  /** The error that says where each problem stands. */
  readonly refuse: (problems: readonly Problem[]) => UserError;
}

/**
 * Reads the text of a campaign file.
 * @param source what the file is called in errors
 * @throws UserError with one line per mistake: `FILE:LINE:COLUMN: reason`, those after the first indented
 */
export function parseCampaignFile(text: string, source: string): ParsedCampaign {
  const isNone = (why: string) => new UserError(`${source}: is no campaign file: it ${why}`);
  if (text.length > MAX_FILE_LENGTH) throw isNone(`is longer than ${MAX_FILE_LENGTH} characters`);
  try {
    return parseText(text, source);
  } catch (error) {
    // The parser, and all who walk through what it makes, call themselves for each level.
    if (error instanceof RangeError && /call stack/.test(error.message)) throw isNone('is nested too deep');
    throw error;
  }
}

function parseText(text: string, source: string): ParsedCampaign {
  const lines = new LineCounter();
  // The parser would compare each key with each other; they are looked through below, in one pass.
  const options = {
    lineCounter: lines,
    prettyErrors: false,
    strict: true,
    uniqueKeys: false,
    logLevel: 'error',
  } as const;
  const document = parseDocument(text, options);
  const refuse = (problems: readonly Problem[]) => {
    const located = problems.map(({ path, why, key }) => ({ at: offsetOf(document, path, key === true), why }));
    return refusal(source, lines, located);
  };
  const [broken] = document.errors;
  if (broken) throw refusal(source, lines, [{ at: broken.pos[0], why: `not YAML: ${broken.message}` }]);
  const unclear = unclearKeys(document);
  if (unclear.length > 0) throw refusal(source, lines, unclear);
  let value: unknown;
  try {
    value = document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw refuse([{ path: [], why: error instanceof Error ? error.message : String(error) }]);
  }
  const result = campaignFile.safeParse(value ?? {});
  if (!result.success) throw refuse(result.error.issues.flatMap((issue) => problemsOf(issue, document)));
  return { file: result.data, refuse };
}

function refusal(source: string, lines: LineCounter, located: readonly { at: number; why: string }[]): UserError {
  const sorted = [...located].sort((a, b) => a.at - b.at);
  const told = sorted.slice(0, MAX_PROBLEMS).map(({ at, why }) => {
    const { line, col } = lines.linePos(at);
    return `${source}:${Math.max(1, line)}:${Math.max(1, col)}: ${why}`;
  });
  if (sorted.length > told.length) told.push(`${source}: and ${sorted.length - told.length} more mistakes`);
  return new UserError(told.join('\n  '));
}

/** Keys that stand in a mapping twice (which of them counts?), and the one that JavaScript's objects would swallow. */
function unclearKeys(document: Document.Parsed): { readonly at: number; readonly why: string }[] {
  const found: { at: number; why: string }[] = [];
  visit(document, {
    Map(_key, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const at = key.range?.[0] ?? 0;
        if (seen.has(key.value)) found.push({ at, why: `key '${key.value}' is there twice` });
        if (key.value === '__proto__') found.push({ at, why: `unknown key '${key.value}'` });
        seen.add(key.value);
      }
    },
  });
  return found;
}

/** Byte of the node that a path leads to, or of the nearest one above it that the file has. */
function offsetOf(document: Document.Parsed, path: FilePath, key: boolean): number {
  for (let depth = path.length; depth >= 0; depth--) {
    if (depth > 0 && (key || depth < path.length)) {
      const holder = depth === 1 ? document.contents : document.getIn(path.slice(0, depth - 1), true);
      if (isMap(holder)) {
        const pair = holder.items.find((item) => isScalar(item.key) && item.key.value === path[depth - 1]);
        if (isScalar(pair?.key) && pair.key.range) return pair.key.range[0];
      }
    }
    const node = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    const range = (node as { range?: readonly [number, number, number] | null } | null | undefined)?.range;
    if (range) return range[0];
  }
  return 0;
}

/** One of zod's issues as ours; a union's reason is its own text, unknown keys become one problem each. */
function problemsOf(issue: z.core.$ZodIssue, document: Document.Parsed): Problem[] {
  const path = issue.path.filter((part): part is string | number => typeof part !== 'symbol');
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(path);
    return issue.keys.map((name) => {
      const why = `unknown key '${name}'${didYouMean(name, known)}`;
      return { path: [...path, name], why, key: true as const };
    });
  }
  const missing = path.length > 0 && document.hasIn(path) === false;
  if (missing) return [{ path, why: `'${path.at(-1)}' is missing: ${issue.message.replace(/^Invalid input: /, '')}` }];
  if (issue.code === 'invalid_union') return [unionProblem(issue, path, document)];
  const guess =
    issue.code === 'invalid_value' ? didYouMean(String(document.getIn(path)), issue.values.map(String)) : '';
  return [{ path, why: issue.message.replace(/^Invalid input: /, '') + guess }];
}

/** Of the alternatives, the one that came furthest says best what is wrong. */
function unionProblem(issue: z.core.$ZodIssueInvalidUnion, path: FilePath, document: Document.Parsed): Problem {
  if (issue.message !== 'Invalid input') return { path, why: issue.message };
  const [best] = issue.errors
    .flat()
    .map((inner) => ({ inner, depth: inner.path.length }))
    .sort(
      (a, b) => b.depth - a.depth || Number(a.inner.code === 'invalid_type') - Number(b.inner.code === 'invalid_type'),
    );
  if (!best) return { path, why: issue.message };
  return problemsOf({ ...best.inner, path: [...path, ...best.inner.path] } as z.core.$ZodIssue, document)[0]!;
}
