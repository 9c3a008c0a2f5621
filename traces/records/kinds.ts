/**
 * The kinds of block. Numbers are for ever: a new minor version may add kinds, never change one. Readers skip kinds
 * that they do not know when the file's minor version is newer than theirs.
 */
export const KIND = {
  HEADER: 1,
  IMAGE: 2,
  INPUTS: 3,
  CONSOLE: 4,
  NOTES: 5,
  DIGESTS: 6,
  PAGES: 7,
  CHECKPOINT: 8,
  END: 9,
  INDEX: 10,
  VM_DIGESTS: 11,
} as const;

/** Name of a kind for messages and listings. */
export function kindName(kind: number): string {
  const found = Object.entries(KIND).find(([, number]) => number === kind);
  return found ? found[0].toLowerCase() : `kind ${kind}`;
}
