/**
 * How much of what is drawn really runs: cases on our machine, step by step. A slot that its case jumps over, or ends
 * before, was drawn in vain; one that traps tests its exception and nothing else.
 */
import fc from 'fast-check';
import { decode } from '../../../engine/index.ts';
import { cases } from './arbitrary.ts';
import { createSession } from './session.ts';

const NOP = 0x00000013;

interface Share {
  /** Slots drawn with an instruction of the extension; that a hart came to; that retired at least once. */
  drawn: number;
  reached: number;
  retired: number;
}

/** Lines of a table: for each extension, how many of the drawn slots were reached and retired. */
export function retiredShares(seed: number, count: number): string[] {
  const session = createSession();
  const shares = new Map<string, Share>();
  const names = { drawn: new Set<string>(), retired: new Set<string>() };
  for (const its of fc.sample(cases(session.drawable), { seed, numRuns: count })) {
    const steps = session.observe(its);
    const reached = new Set(steps.map(({ slot }) => slot));
    const retired = new Set(steps.filter(({ trap }) => trap === undefined).map(({ slot }) => slot));
    for (const [slot, word] of its.slots.entries()) {
      if (word === NOP) continue;
      const row = decode(word)?.instruction;
      const name = row === undefined ? 'no instruction' : (word & 3) === 3 ? row.extension : '16 bits';
      const share = shares.get(name) ?? { drawn: 0, reached: 0, retired: 0 };
      share.drawn++;
      if (reached.has(slot)) share.reached++;
      if (retired.has(slot)) share.retired++;
      shares.set(name, share);
      if (!row) continue;
      names.drawn.add(row.name);
      if (retired.has(slot)) names.retired.add(row.name);
    }
  }
  const never = [...names.drawn].filter((name) => !names.retired.has(name));
  return [
    ...[...shares].sort(([a], [b]) => a.localeCompare(b)).map(([name, share]) => line(name, share)),
    line(
      'all instructions',
      total([...shares].filter(([name]) => name !== 'no instruction').map(([, share]) => share)),
    ),
    `${names.retired.size} of ${names.drawn.size} instructions retired at least once; never: ${never.join(' ') || 'none'}`,
  ];
}

const total = (all: readonly Share[]): Share =>
  all.reduce(
    (sum, { drawn, reached, retired }) => ({
      drawn: sum.drawn + drawn,
      reached: sum.reached + reached,
      retired: sum.retired + retired,
    }),
    { drawn: 0, reached: 0, retired: 0 },
  );

const percent = (part: number, whole: number) => `${((100 * part) / Math.max(1, whole)).toFixed(0)} %`;
const line = (name: string, { drawn, reached, retired }: Share) =>
  `${name}: ${drawn} slots drawn, ${percent(reached, drawn)} reached, ${percent(retired, drawn)} retired`;
