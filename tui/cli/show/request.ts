/**
 * What a command line asks `show` for: words for parts of the state, and places and expressions of replay's language.
 * Nothing is looked up here; what is wrong in an expression is said with its place marked.
 */
import { didYouMean, visible } from '../../../engine/index.ts';
import { type Expression, parseExpression } from '../../../replay/index.ts';
import { UsageError } from '../../base/index.ts';

/** Parts of the state that stand for themselves. */
const PARTS = ['regs', 'float', 'csr', 'vms', 'locks', 'sched', 'where'] as const;
export type Part = (typeof PARTS)[number];

/** Behind these comes a place. */
const LOOKS = ['mem', 'dis', 'walk'] as const;
export type Look = (typeof LOOKS)[number];

/** Every word. */
export const SECTIONS: readonly string[] = [...PARTS, ...LOOKS];

export interface PlaceRequest {
  readonly kind: Look | 'value';
  /** As it was typed. */
  readonly text: string;
  readonly expression: Expression;
}

export interface ShowRequest {
  readonly parts: ReadonlySet<Part>;
  readonly places: readonly PlaceRequest[];
}

/** Places of one command line. */
const MAX_PLACES = 100;

/** Reads the words behind the trace; none: registers and VMs. @throws UsageError, UserError */
export function parseRequest(words: readonly string[]): ShowRequest {
  const parts = new Set<Part>(words.length === 0 ? ['regs', 'vms'] : []);
  const places: PlaceRequest[] = [];
  for (let n = 0; n < words.length; n++) {
    const word = words[n]!;
    const names = partsIn(word);
    const [, look, behind] = /^(mem|dis|walk)(?:\s+(.+))?$/s.exec(word) ?? [];
    if (names) for (const name of names) parts.add(name);
    else if (look === undefined) places.push({ kind: 'value', text: word, expression: parseExpression(word) });
    else {
      const text = behind ?? words[++n];
      if (text === undefined)
        throw new UsageError(`expected a place behind '${look}', such as ${EXAMPLES[look as Look]}`);
      places.push({ kind: look as Look, text, expression: parseExpression(text) });
    }
  }
  if (places.length > MAX_PLACES) throw new UsageError(`expected at most ${MAX_PLACES} places, got ${places.length}`);
  return { parts, places };
}

const EXAMPLES: Record<Look, string> = {
  mem: "heap_lock, spa:0x80215020, vm1:0x80000000 or 'va:hart0.sp'",
  dis: 'hypercall, hypercall+0x10, hart0.pc or vm1:0x80000000',
  walk: '0x80001000 (virtual), va:0x80001000@hart1 or vm1:0x80001000',
};

/** `regs,vms`; undefined when the word is something else. @throws UsageError for a list of which one is no part */
function partsIn(word: string): Part[] | undefined {
  const names = word.split(',');
  const wrong = names.find((name) => !isPart(name));
  if (wrong === undefined) return names.filter(isPart);
  if (names.length === 1) return undefined;
  if (LOOKS.some((look) => wrong === look)) {
    throw new UsageError(`'${wrong}' takes a place: give it as an argument of its own, '${wrong} PLACE'`);
  }
  throw new UsageError(
    `there is no '${visible(wrong)}' to show${didYouMean(wrong, SECTIONS)}: expected ${SECTIONS.join(', ')}`,
  );
}

const isPart = (name: string): name is Part => PARTS.some((part) => part === name);
