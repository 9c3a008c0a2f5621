/**
 * What a kind of file needs to be fuzzed: how one is changed, and the ways in that read it. Relies on the command line
 * for most of them, because its exit code is what users and scripts see.
 */
import type fc from 'fast-check';
import type { Kind } from './kinds.ts';

/**
 * One way in: a command line, or a function where there is no verb, or one that takes long. What it throws counts as a
 * verb's error.
 */
export type Door = {
  /** Nothing may be at this path when the file was refused. */
  readonly writes?: string;
} & ({ readonly argv: readonly string[] } | { readonly act: () => void | Promise<void> });

/** A changed file, ready to be read. */
export interface Specimen {
  /** By a name for people, in the order in which they are gone in by. */
  readonly doors: Readonly<Record<string, Door>>;
  /** What is wrong with the doors' exit codes against each other, undefined if nothing. */
  readonly contradiction?: (codes: Readonly<Record<string, number>>) => string | undefined;
}

/** A kind of file. */
export interface Subject {
  readonly name: Kind;
  /** Makes what every case starts from, in a folder of its own; gives the cases. Deterministic. */
  prepare(folder: string): Promise<Cases<unknown>>;
}

/** `T`: what is done to the file, as plain data that fast-check can shrink and print. */
export interface Cases<T> {
  readonly changes: fc.Arbitrary<T>;
  /**
   * Writes the changed file into an empty folder. undefined when the change says nothing that a file could hold.
   * Deterministic, the names of files aside.
   */
  make(change: T, folder: string): Specimen | undefined;
}

/** Forgets the type of a subject's changes, which only the subject itself knows. */
export function subject<T>(name: Kind, prepare: (folder: string) => Promise<Cases<T>>): Subject {
  return { name, prepare: prepare as unknown as Subject['prepare'] };
}
