/**
 * The debug information of an image, read as far as it is asked for. Addresses are those that the image is linked for.
 * What is damaged, or written in a way that is not read, is missing and is said in `problems`; nothing throws.
 */
import { DwarfError } from './bytes.ts';
import { type FrameRules, type FrameTable, readFrames } from './frames.ts';
import { type LineTable, readLines, type SourceLine } from './lines.ts';
import { type DebugSections, readDebugSections } from './sections.ts';

export interface DebugInfo {
  /** Whether the image has memory at an address. */
  covers(address: bigint): boolean;
  /** The source line of the instruction at an address. */
  lineAt(address: bigint): SourceLine | undefined;
  /** How the caller's frame is found when the instruction at an address is next. */
  frameAt(address: bigint): FrameRules | undefined;
  /** What could not be read up to now, a line each, the first few. */
  problems(): readonly string[];
}

/** As many are told as help to see what is wrong. */
const MAX_PROBLEMS = 8;

/**
 * Debug information in an ELF file; undefined when it has none (stripped, no ELF file). Nothing is read before it is
 * asked for.
 */
export function readDebugInfo(file: Uint8Array): DebugInfo | undefined {
  const sections = readDebugSections(file);
  if (!sections.isAny) return undefined;
  const problems = new Set<string>();
  const problem = (why: string) => {
    if (problems.size < MAX_PROBLEMS) problems.add(why);
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
  const lazily = <R>(read: (sections: DebugSections, problem: (why: string) => void) => R) => {
    let table: R | undefined;
    let isRead = false;
    return (): R | undefined => {
      if (!isRead) table = ask(() => read(sections, problem));
      isRead = true;
      return table;
    };
  };
  const lines = lazily<LineTable>(readLines);
  const frames = lazily<FrameTable>(readFrames);
  return {
    covers: (address) => sections.isInImage(address),
    lineAt: (address) => ask(() => lines()?.lineAt(address)),
    frameAt: (address) => ask(() => frames()?.frameAt(address)),
    problems: () => [...problems],
  };
}
