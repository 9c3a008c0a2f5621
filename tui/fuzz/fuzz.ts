/**
 * Runs cases: draws a change by seed and number, makes the file, goes in by every door, and judges what comes out. A
 * file is used or refused in words, with a documented exit code; anything else is a finding.
 */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { shellLine } from '../../engine/index.ts';
import { explainError } from '../base/errors.ts';
import { EXIT } from '../base/exit-codes.ts';
import { cli } from '../cli/test-io.ts';
import { DATABASES } from './database-subject.ts';
import { IMAGES } from './image-subjects.ts';
import { PLANS } from './plan-subject.ts';
import type { Cases, Door, Specimen, Subject } from './subject.ts';
import { TRACES } from './trace-subject.ts';

/** Traces are the largest door, so every other case is one. */
const SUBJECTS: readonly Subject[] = [...IMAGES, PLANS, DATABASES].flatMap((other) => [TRACES, other]);

/** What a refusal and a report may print. */
const MAX_ERR_CHARACTERS = 1 << 16;
const MAX_OUT_CHARACTERS = 1 << 24;
/** How often a finding is run again to make it smaller. */
const MAX_SHRINK_RUNS = 40;

export interface FuzzOptions {
  /** An empty folder, for the files. */
  readonly folder: string;
  readonly seed: number;
  /** Numbers of the cases to be run: `from` up to, not including, `to`. */
  readonly from: number;
  readonly to: number;
  /** Of those, the cases of one kind of file; undefined: of all. */
  readonly kind?: string;
  /** Exit codes that are fine. */
  readonly expected: readonly number[];
  /** Called before each case. */
  readonly onCase: (n: number, subject: string) => void;
  readonly onFinding: (finding: Finding) => void;
}

export interface Finding {
  readonly n: number;
  readonly text: string;
}

/** How often each exit code came out, by subject; under `-1`: changes that no file can hold. */
export type Tally = Record<string, Record<number, number>>;

/** Runs the cases in order. The same seed and number make the same case, whatever ran before. */
export async function fuzz({ folder, seed, from, to, kind, expected, onCase, onFinding }: FuzzOptions): Promise<Tally> {
  const tally: Tally = {};
  const prepared = new Map<Subject, Cases<unknown>>();
  for (let n = from; n < to; n++) {
    const subject = SUBJECTS[n % SUBJECTS.length]!;
    if (kind !== undefined && subject.name !== kind) continue;
    onCase(n, subject.name);
    const cases = prepared.get(subject) ?? (await subject.prepare(fresh(join(folder, `base-${prepared.size}`))));
    prepared.set(subject, cases);
    const counts = (tally[subject.name] ??= {});
    const text = await runCase(cases, caseSeed(seed, n), join(folder, 'case'), expected, (code) => {
      counts[code] = (counts[code] ?? 0) + 1;
    });
    if (text !== undefined) onFinding({ n, text: `case ${n}, ${subject.name}: ${text}` });
  }
  return tally;
}

/** The seed of a case: neighbours are as different as any two. */
const caseSeed = (seed: number, n: number): number => Math.imul(Math.imul(seed, 0x9e37_79b1) ^ n, 0x85eb_ca6b) | 0;

/** The finding as text, made small; undefined when there is none. */
async function runCase(
  { changes, make }: Cases<unknown>,
  seed: number,
  folder: string,
  expected: readonly number[],
  count: (code: number) => void,
): Promise<string | undefined> {
  let runs = 0;
  const holds = async (change: unknown) => {
    // What is not run counts as passing: the shrinker then has nothing smaller left and ends.
    if (++runs > MAX_SHRINK_RUNS) return;
    const specimen = make(change, fresh(folder));
    if (specimen) await judge(specimen, expected, runs === 1 ? count : () => {});
    else count(-1);
  };
  const result = await fc.check(fc.asyncProperty(changes, holds), { seed, numRuns: 1 });
  if (!result.failed) return undefined;
  const error = result.errorInstance;
  return [
    error instanceof Wrong ? error.message : `the fuzzer itself: ${(error as Error).stack}`,
    `  the change: ${fc.stringify(result.counterexample?.[0]).slice(0, 2000)}`,
  ].join('\n');
}

function fresh(folder: string): string {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  return folder;
}

/** What came out of a door is not what may. */
class Wrong extends Error {}

async function judge({ doors, contradiction }: Specimen, expected: readonly number[], count: (code: number) => void) {
  const codes: Record<string, number> = {};
  for (const [name, door] of Object.entries(doors)) {
    const { code, err, outCharacters } = await goIn(door);
    codes[name] = code;
    count(code);
    const wrong = (why: string) => new Wrong(`${'argv' in door ? shellLine(['dejavm', ...door.argv]) : name}: ${why}`);
    if (!expected.includes(code)) throw wrong(`exit code ${code}: ${err.trimEnd()}`);
    if (!/^(dejavm: .*\n( {2}.*\n)*)*$/.test(err)) throw wrong(`not in lines of ours: ${JSON.stringify(err)}`);
    if (err.length > MAX_ERR_CHARACTERS) throw wrong(`${err.length} characters of errors`);
    if (outCharacters > MAX_OUT_CHARACTERS) throw wrong(`${outCharacters} characters of output`);
    const isRefused = code === EXIT.usage || code === EXIT.damaged;
    if (isRefused && door.writes && existsSync(door.writes))
      throw wrong(`refused (${err.trimEnd()}), but left ${door.writes}`);
  }
  const against = contradiction?.(codes);
  if (against !== undefined) throw new Wrong(against);
}

interface Outcome {
  readonly code: number;
  readonly err: string;
  readonly outCharacters: number;
}

async function goIn(door: Door): Promise<Outcome> {
  if ('argv' in door) {
    const { code, out, err } = await cli(door.argv);
    // An error of ours is told with its stack.
    const told = code === EXIT.internal ? (await cli(door.argv, { env: { DEJAVM_DEBUG: '1' } })).err : err;
    return { code, err: told, outCharacters: out.length };
  }
  try {
    await door.act();
    return { code: EXIT.ok, err: '', outCharacters: 0 };
  } catch (error) {
    const { exitCode, message } = await explainError(error, [], false);
    const told = exitCode === EXIT.internal ? (error as Error).stack : message;
    return { code: exitCode, err: `${told}\n`, outCharacters: 0 };
  }
}
