/**
 * What somebody may have meant by a name that does not exist: verbs, flags, settings, set-ups, plans, symbols. Shared
 * by every layer, so that all of them guess alike; relies on nothing.
 */

/** More guesses than this are no help. */
const MAX_GUESSES = 3;
/**
 * Edits that a guess may be away, and how alike the two must be all the same: short names differ in every letter soon.
 */
const MAX_EDITS = 3;
const MIN_ALIKE = 0.4;
/** A part of a name counts from this length on. */
const MIN_PART = 3;

/**
 * The end of an error message: ` (did you mean record?)`, ` (did you mean one of a, b?)`, or nothing when no name is
 * near.
 * @param names all that exist; the word is not among them
 */
export function didYouMean(word: string, names: Iterable<string>): string {
  const guesses = nearest(word, names);
  if (guesses.length === 0) return '';
  return ` (did you mean ${guesses.length > 1 ? 'one of ' : ''}${guesses.join(', ')}?)`;
}

/**
 * An error message about one of a few names: `there is no plan 'smok' (did you mean smoke?): expected one of smoke,
 * paper`.
 */
export function noSuchName(kind: string, word: string, names: readonly string[]): string {
  return `there is no ${kind} '${word}'${didYouMean(word, names)}: expected one of ${names.join(', ')}`;
}

/** The names that take the fewest edits; without any near enough, those that the word is a part of. */
function nearest(word: string, names: Iterable<string>): string[] {
  const wanted = bare(word);
  let best = MAX_EDITS;
  let near: string[] = [];
  const around: string[] = [];
  for (const name of new Set(names)) {
    const candidate = bare(name);
    // One letter is near to every other.
    if (candidate.length <= 1) continue;
    if (wanted.length >= MIN_PART && candidate.includes(wanted)) around.push(name);
    const longer = Math.max(wanted.length, candidate.length);
    if (Math.abs(wanted.length - candidate.length) > best) continue;
    const edits = editDistance(wanted, candidate);
    if (edits > best || (longer - edits) / longer <= MIN_ALIKE) continue;
    if (edits < best) near = [];
    best = edits;
    near.push(name);
  }
  return (near.length > 0 ? near : around).sort().slice(0, MAX_GUESSES);
}

/** Case and the dashes of a flag make no difference. */
const bare = (name: string): string => name.replace(/^-+/, '').toLowerCase();

/** Insertions, deletions, replacements, and swaps of neighbours, between two words (optimal string alignment). */
function editDistance(a: string, b: string): number {
  let older: number[] = [];
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      let edits = Math.min(previous[j]! + 1, row[j - 1]! + 1, replaced);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (isSwap) edits = Math.min(edits, older[j - 2]! + 1);
      row.push(edits);
    }
    older = previous;
    previous = row;
  }
  return previous[b.length]!;
}
