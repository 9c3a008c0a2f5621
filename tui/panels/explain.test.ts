/** The page about a run that is not explained, and long chains: no run at hand is needed for either. */
import { describe, expect, it } from 'vitest';
import type { Explained, Explanation, Symptom, WhyStep } from '../../replay/index.ts';
import { explainText, partialText } from './explain.ts';

const at = { moment: 900, ticks: 1_000, hart: 1, pc: 0x8020_0000n };
const detected: Symptom = { kind: 'detected', at, code: 1, arg: 2, message: 'panic: no such VM' };
const disk: Symptom = { kind: 'disk', at, golden: at, slot: 7, pages: 1, offset: 5, a: 1, g: 2 };

const step = (n: number): WhyStep => {
  const place = { moment: n, ticks: n, hart: 0, mode: 'HS' as const, vmid: 0, pc: 0x8020_0000n + BigInt(2 * n) };
  const both = { ...place, text: 'add\ta0,a1,a2' };
  return { kind: 'computed', at: both, goldenAt: both, operand: 'a1', value: BigInt(n), golden: 0n };
};

/** Back in time from moment 800. */
const chain = (length: number): WhyStep[] => Array.from({ length }, (_, n) => step(800 - n));

function explained(steps: readonly WhyStep[]): Explained {
  const { at: foundBy } = step(100);
  const change = { what: 'a1', hart: 0, before: 1n, after: 3n, bits: [1] };
  const cause = {
    kind: 'register',
    position: { moment: 99, ticks: 99 },
    inputs: ['fault'],
    foundBy,
    ...change,
  } as const;
  return { symptom: detected, isMissing: false, answer: { steps, cause, instructions: 801, visited: 9 } };
}

const page = (explanation: Explanation, most = 60) => explainText({ explanation, first: undefined, most }).split('\n');

describe('the page', () => {
  it('says when there is nothing to explain', () => {
    expect(page({ symptoms: [], tried: [] })[0]).toBe('no symptom: nothing to explain');
  });

  it('has the chain in order of time, from the change to the symptom', () => {
    const lines = page({ symptoms: [detected], explained: explained(chain(3)), tried: [] });
    const moments = lines.map((line) => /^ *(\d+) {2}/.exec(line)?.[1]).filter(Boolean);
    expect(moments).toEqual(['99', '100', '798', '799', '800']);
    expect(lines.find((line) => line.includes('→'))).toBe(' 99  → bit 1 of a1 on hart 0 (0x1 became 0x3)');
    expect(lines.at(-1)).toMatch(/^It began with bit 1 of a1 on hart 0 .* at moment 99, 801 instructions earlier/);
  });

  it('leaves out the middle of a long chain, and symptoms behind the fifth', () => {
    const symptoms = Array.from({ length: 8 }, () => detected);
    const lines = page({ symptoms, explained: explained(chain(40)), tried: [] }, 6);
    const moments = lines.map((line) => /^ *(\d+) {2}hart/.exec(line)?.[1]).filter(Boolean);
    expect(moments).toEqual(['100', '761', '762', '763', '798', '799', '800']);
    expect(lines.some((line) => line.endsWith('(34 more steps: --depth shows them)'))).toBe(true);
    expect(lines).toContain('  and 3 more symptoms (--json lists all)');
  });

  it('says of each symptom why it led to nothing, and shows the furthest chain', () => {
    const cause = {
      kind: 'unexplained',
      position: { moment: 50, ticks: 50 },
      inputs: [],
      reason: 'too far back',
    } as const;
    const tried = [chain(2), chain(5)].map((steps) => {
      return { symptom: detected, isMissing: false, answer: { steps, cause, instructions: 850, visited: 4 } };
    });
    const lines = page({ symptoms: [detected], tried });
    expect(lines.filter((line) => /^ *\d+ {2}hart/.test(line))).toHaveLength(5);
    expect(lines.slice(-5)).toEqual([
      'No cause was found:',
      ...[2, 5].flatMap((steps) => [
        '  panic: no such VM at moment 900 on hart 1',
        `    ends after ${steps} steps at moment 50: too far back`,
      ]),
    ]);
    const outside = { ...tried[0]!, answer: { ...tried[0]!.answer, cause: { ...cause, kind: 'device' as const } } };
    const { reason: _, ...device } = outside.answer.cause;
    const one = { ...outside, answer: { ...outside.answer, cause: device } };
    expect(page({ symptoms: [detected], tried: [one] }).at(-1)).toMatch(/moment 50: a device answers otherwise$/);
  });

  it('says that a disk cannot be followed back', () => {
    expect(page({ symptoms: [disk], tried: [] }).at(-1)).toBe(
      'No cause was found: what is on a disk cannot be followed back.',
    );
  });
});

describe('what is known when the search is stopped', () => {
  it('is what was found until then', () => {
    expect(partialText({}, 9)).toBe('what a user sees is not known yet');
    const text = partialText({ symptoms: [detected], asking: detected, soFar: () => chain(2), tried: [] }, 9);
    expect(text).toMatch(
      /^What a user sees\n {2}panic[\s\S]*being followed back: panic.*\n\n799 {2}hart 0[\s\S]*\n800 {2}hart 0/,
    );
    expect(partialText({ symptoms: [detected], tried: [] }, 9)).toBe(
      'What a user sees\n  panic: no such VM at moment 900 on hart 1',
    );
  });
});
