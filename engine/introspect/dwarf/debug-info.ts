/**
 * The debug information of an image, read as far as it is asked for. Addresses are those that the image is linked for.
 * What is damaged, or written in a way that is not read, is missing and is said in `problems`; nothing throws.
 */
import { DwarfError } from './bytes.ts';
import { type FrameRules, type FrameTable, readFrames } from './frames.ts';
import { type DebugFunction, Functions } from './functions.ts';
import { type LineTable, readLines, type SourceLine } from './lines.ts';
import { type DebugSections, readDebugSections } from './sections.ts';
import { Types } from './types.ts';
import { Entries } from './units.ts';
import { type DebugVariable, Variables } from './variables.ts';

export interface DebugInfo {
  /** Whether the image has memory at an address. */
  covers(address: bigint): boolean;
  /** The source line of the instruction at an address. */
  lineAt(address: bigint): SourceLine | undefined;
  /** How the caller's frame is found when the instruction at an address is next. */
  frameAt(address: bigint): FrameRules | undefined;
  /** The function that has the instruction at an address, what it takes, and what was inlined there. */
  functionAt(address: bigint): DebugFunction | undefined;
  /** The variable, and the part of it, that has the byte at an address. */
  variableAt(address: bigint): DebugVariable | undefined;
  /** What could not be read up to now, a line each, the first few. */
  problems(): readonly string[];
}

/** As many are told as help to see what is wrong. */
const MAX_PROBLEMS = 8;

/**
 * Debug information in an ELF file; undefined when it has none (stripped, no ELF file). Nothing is read before it is
 * asked for. `onProblem` is called for each of the problems when it is found.
 */
export function readDebugInfo(file: Uint8Array, onProblem?: (why: string) => void): DebugInfo | undefined {
  const sections = readDebugSections(file);
  if (!sections.isAny) return undefined;
  const problems = new Set<string>();
  const problem = (why: string) => {
    if (problems.size >= MAX_PROBLEMS || problems.has(why)) return;
    problems.add(why);
    onProblem?.(why);
  };
  const ask = <R>(work: () => R | undefined): R | undefined => {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof DwarfError)) throw error;
      problem(error.message);
      return undefined;
    }
  };
  const lazily = <R>(read: () => R | undefined) => {
    let once: { readonly read: R | undefined } | undefined;
    return (): R | undefined => {
      once ??= { read: ask(read) };
      return once.read;
    };
  };
  const lines = lazily<LineTable>(() => readLines(sections, problem));
  const frames = lazily<FrameTable>(() => readFrames(sections, problem));
  const described = lazily(() => readDescriptions(sections, problem));
  const functions = lazily(() => {
    const of = described();
    return of && new Functions(of.entries, of.units, of.types, ask);
  });
  const variables = lazily(() => {
    const of = described();
    return of && new Variables(of.entries, of.units, of.types, ask);
  });
  return {
    covers: (address) => sections.isInImage(address),
    lineAt: (address) => ask(() => lines()?.lineAt(address)),
    frameAt: (address) => ask(() => frames()?.frameAt(address)),
    functionAt: (address) => ask(() => functions()?.at(address)),
    variableAt: (address) => ask(() => variables()?.at(address)),
    problems: () => [...problems],
  };
}

function readDescriptions(sections: DebugSections, problem: (why: string) => void) {
  const info = sections.section('.debug_info');
  if (!info) return undefined;
  const entries = new Entries(info, sections);
  const units = entries.units(problem);
  return { entries, units, types: new Types(entries, units) };
}
