import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import type { Trace, TraceConsole } from '../../traces/index.ts';
import { type ConsoleDifference, consoleDifferences, firstDifferentByte } from './console.ts';
import { knownFrom } from './cover.ts';

/** A recording that prints a byte every ten ticks. `reason`: why it ended. */
function said(text: string, reason = 'halted pass 0', every = 10): Trace {
  const bytes = [...new TextEncoder().encode(text)];
  const console: TraceConsole[] = bytes.map((byte, n) => ({ moment: n * every, ticks: n * every, byte }));
  const last = { moment: bytes.length * every, ticks: bytes.length * every };
  return { console, last, notes: [], end: { ...last, digest: 0n, reason } } as unknown as Trace;
}

const short = ({ speaker, output, missing }: ConsoleDifference) => [
  speaker,
  ...(output ? [`${output.line.text} for ${output.golden?.text}${output.isOrder ? ', order' : ''}`] : []),
  ...(missing ? [`no ${missing.golden.text}${missing.printed ? ` but ${missing.printed.text}` : ''}`] : []),
  ...(missing && missing.further > 0 ? [missing.further] : []),
];
const differences = (a: Trace, g: Trace) => consoleDifferences(knownFrom(a), knownFrom(g)).map(short);

describe('console lines that differ', () => {
  it.each<[what: string, a: string, g: string, ...found: unknown[][]]>([
    ['none', 'vm1: a\nup\n', 'vm1: a\nup\n'],
    ['other speakers in between', 'up\nvm2: b\nvm1: a\n', 'vm1: a\nvm2: b\nup\n'],
    ['carriage returns', 'vm1: a\r\n', 'vm1: a\n'],
    ['a letter', 'vm1: ab\nvm1: c\n', 'vm1: aB\nvm1: c\n', [1, 'vm1: ab for vm1: aB']],
    ['a whole line', 'vm1: oops\nvm1: c\n', 'vm1: first\nvm1: c\n', [1, 'vm1: oops for vm1: first']],
    ['one too many', 'vm1: x\nvm1: a\n', 'vm1: a\n', [1, 'vm1: x for undefined']],
    ['one twice', 'vm1: a\nvm1: a\nvm1: b\n', 'vm1: a\nvm1: b\n', [1, 'vm1: a for undefined']],
    ['one missing', 'vm1: a\nvm1: c\n', 'vm1: a\nvm1: b\nvm1: c\n', [1, 'no vm1: b']],
    ['several missing', 'vm1: a\n', 'vm1: a\nvm1: b\nvm1: c\n', [1, 'no vm1: b', 1]],
    ['a speaker missing', '', 'vm3: a\nvm3: b\n', [3, 'no vm3: a', 1]],
    [
      'one missing, and another one wrong',
      'vm1: b\nvm1: x\n',
      'vm1: a\nvm1: b\nvm1: c\n',
      [1, 'vm1: x for vm1: c', 'no vm1: a'],
    ],
    ['half a line', 'vm1: a\nvm1: ha', 'vm1: a\nvm1: half\nvm1: c\n', [1, 'no vm1: half but vm1: ha', 1]],
    ['half of a later line', 'vm1: ha', 'vm1: a\nvm1: half\n', [1, 'no vm1: a', 1]],
    ['half a line that is another one', 'vm1: hu', 'vm1: half\n', [1, 'vm1: hu for vm1: half']],
    ['the order of one VM', 'vm1: b\nvm1: a\n', 'vm1: a\nvm1: b\n', [1, 'vm1: b for vm1: a, order']],
    ['the order of several programs', 'hart 1 up\nhart 0 up\n', 'hart 0 up\nhart 1 up\n'],
    [
      'a letter of theirs',
      'shut down: fail\n',
      'shut down: pass\n',
      [undefined, 'shut down: fail for shut down: pass'],
    ],
    ['other lines of theirs', 'panic\n', 'shut down\n', [undefined, 'panic for undefined', 'no shut down']],
  ])('%s', (_, a, g, ...found) => {
    expect(differences(said(a), said(g))).toEqual(found);
  });

  it('are none beyond the end of what is known', () => {
    const [more, less] = ['vm1: a\nvm1: bb\nvm1: c\n', 'vm1: a\nvm1: b'];
    // The golden recording was stopped in the middle of a line; then the other one.
    expect(differences(said(more), said(less, 'moment'))).toEqual([]);
    expect(differences(said(less, 'moment'), said(more))).toEqual([]);
    // Had it gone on for long enough, it would have printed the rest.
    expect(differences(said(less, 'moment', 20), said(more))).toEqual([[1, 'no vm1: bb but vm1: b', 1]]);
    expect(differences(said(less), said(more))).toEqual([[1, 'no vm1: bb but vm1: b', 1]]);
  });

  it('are found whatever was changed: lines that were taken away, and none if there are none', () => {
    const line = fc.constantFrom('a', 'b', 'c', 'd').map((text) => `vm1: ${text}\n`);
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 8 }),
        fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
        (lines, kept) => {
          const left = lines.filter((_, n) => kept[n]);
          const found = consoleDifferences(knownFrom(said(left.join(''))), knownFrom(said(lines.join(''))));
          const gone = lines.length - left.length;
          if (gone === 0) expect(found).toEqual([]);
          else {
            expect(found).toHaveLength(1);
            expect(found[0]!.output).toBeUndefined();
            expect(found[0]!.missing!.further).toBe(gone - 1);
          }
        },
      ),
    );
  });
});

describe('the first byte that differs', () => {
  it.each([
    ['vm1: ab\n', 'vm1: aB\n', 6, 6, 6],
    ['vm1: a\rb\n', 'vm1: aB\n', 6, 7, 6],
    ['vm1: a\n', 'vm1: ab\n', 6, 6, 6],
    ['vm1: ab\n', 'vm1: a\n', 6, 6, 6],
    ['x\nvm1: ab\n', 'vm1: aB\n', 6, 8, 6],
  ])('%j, %j', (textA, textG, byte, a, g) => {
    const [one, other] = [said(textA), said(textG)];
    const [{ output }] = consoleDifferences(knownFrom(one), knownFrom(other)).filter(
      ({ speaker }) => speaker === 1,
    ) as [ConsoleDifference];
    expect(firstDifferentByte(one, output!.line, other, output!.golden!)).toEqual({ byte, a, g });
  });
});
