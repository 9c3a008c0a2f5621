import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { testbed } from '../pool/testbed.fixtures.ts';
import { planCampaign } from './plan.ts';
import { evaluationSeed, seedMistake, spread } from './seeds.ts';

const CALM = { 'calm.elf': 'calm'.padEnd(64, '0') };

const plan = (text: string, catalogue = testbed.catalogue) => planCampaign(text, 'c.yaml', catalogue);
const file = (entry: string, top = '') =>
  `name: x\n${top}\ncells: [{ setup: [calm, slow], fault: [failstop, register], mechanism: [rehype, nilihype], ${entry} }]`;
const refusal = (text: string): string => {
  try {
    plan(text);
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
};

describe('evaluation seeds', () => {
  it('are the first 6 bytes of SHA-256 over the hashes in order of name, a line each, and n', () => {
    const [a, b] = ['a'.repeat(64), 'B'.repeat(64)];
    for (const n of [0, 1, 12]) {
      const digest = createHash('sha256').update(`${a}\n${b.toLowerCase()}\n${n}`).digest('hex');
      expect(evaluationSeed({ y: b, x: a }, n)).toBe(Number.parseInt(digest.slice(0, 12), 16));
    }
    // By `printf '%064d\n0' 0 | sha256sum`.
    expect(evaluationSeed({ only: '0'.repeat(64) }, 0)).toBe(0xdf054133ec4d);
  });

  it('are others for every change of an image, and for every n', () => {
    const images = { firmware: '1'.repeat(64), guests: '2'.repeat(64) };
    const all = [
      evaluationSeed(images, 0),
      evaluationSeed(images, 1),
      evaluationSeed({ ...images, firmware: `0${'1'.repeat(63)}` }, 0),
      evaluationSeed({ ...images, guests: `${'2'.repeat(63)}3` }, 0),
      evaluationSeed({ firmware: images.guests, guests: images.firmware }, 0),
      evaluationSeed({ ...images, more: '3'.repeat(64) }, 0),
    ];
    expect(new Set(all).size).toBe(all.length);
  });

  it('are told from other numbers', () => {
    const images = { images: CALM, imagesOf: { calm: ['calm.elf'] } };
    const cell = (n: number) => ({ id: 1 + n, setup: 'calm', seed: evaluationSeed(CALM, n), evaluation: n });
    expect(seedMistake([cell(0), cell(1), { id: 3, setup: 'calm', seed: 7 }], images)).toBeUndefined();
    expect(seedMistake([cell(0), { ...cell(1), seed: 7 }], images)).toBe(
      `cell 2 has seed 7, but evaluation seed 1 of the images of 'calm' is ${evaluationSeed(CALM, 1)}`,
    );
    expect(seedMistake([{ ...cell(1), evaluation: 0 }], images)).toMatch(/^cell 2 has seed/);
    expect(seedMistake([cell(0)], { ...images, images: { 'calm.elf': 'f'.repeat(64) } })).toMatch(/^cell 1 has/);
    expect(seedMistake([cell(0)], { images: CALM, imagesOf: {} })).toMatch(/^cell 1 has/);
  });
});

describe('a size over several seeds', () => {
  it('adds up, in parts that differ by one at most', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1e6 }), fc.integer({ min: 1, max: 100 }), (size, parts) => {
        const sizes = spread(size, parts);
        expect(sizes.length).toBe(parts);
        expect(sizes.reduce((a, b) => a + b)).toBe(size);
        expect(sizes[0]! - sizes.at(-1)!).toBeLessThanOrEqual(1);
        expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
      }),
    );
  });
});

describe('a campaign file', () => {
  it("spreads the papers' sizes over the cells of each combination, seed after seed", () => {
    const { cells } = plan(file('size: paper, seeds: 5'));
    expect(cells.length).toBe(2 * 2 * 2 * 5);
    expect(cells.slice(0, 5).map(({ size, seed, evaluation }) => [size, seed, evaluation])).toEqual(
      [0, 1, 2, 3, 4].map((n) => [200, evaluationSeed(CALM, n), n]),
    );
    const combination = (cell: (typeof cells)[number]) => `${cell.setup} ${cell.faultClass}`;
    const sizes = Map.groupBy(cells, combination);
    for (const [name, of] of sizes) {
      expect(of.reduce((sum, { size }) => sum + size, 0)).toBe(2 * (name.endsWith('register') ? 5000 : 1000));
    }
    // Of one set-up the same seeds for all classes and mechanisms, of two set-ups none.
    const seedsOf = (setup: string) => new Set(cells.filter((cell) => cell.setup === setup).map(({ seed }) => seed));
    expect([seedsOf('calm').size, seedsOf('slow').size]).toEqual([5, 5]);
    expect(new Set([...seedsOf('calm'), ...seedsOf('slow')]).size).toBe(10);
  });

  it('says for all entries, or for one, where seeds come from', () => {
    const evaluations = (text: string) => [...new Set(plan(text).cells.map(({ evaluation }) => evaluation))];
    expect(evaluations(file('size: 4', 'seeds: 2'))).toEqual([0, 1]);
    expect(evaluations(file('size: 4, seeds: 3', 'seed: 9'))).toEqual([0, 1, 2]);
    expect(evaluations(file('size: 4, seed: 9', 'seeds: 3'))).toEqual([undefined]);
    expect(plan(file('size: 4, seed: 9', 'seeds: 3')).cells[0]!.seed).toBe(9);
    expect(plan(file('size: 4')).cells.map(({ seed, evaluation }) => [seed, evaluation])).toContainEqual([
      1,
      undefined,
    ]);
    const ladder = plan(
      'name: x\nladders: [{ setup: calm, fault: failstop, mechanism: rehype, kind: cumulative, size: 10, seeds: 5 }]',
    );
    expect(ladder.cells.length).toBe(4 * 5);
    expect(ladder.cells.every(({ size }) => size === 2)).toBe(true);
  });

  it('measures normal operation with evaluation seeds, where it has some', () => {
    const overhead = (top: string) =>
      plan(file('size: 9', `${top}\noverhead: [calm]`)).overhead.map(({ seed }) => seed);
    expect(overhead('seeds: 7')).toEqual([0, 1, 2, 3, 4].map((n) => evaluationSeed(CALM, n)));
    expect(overhead('seed: 7')).toEqual([7, 8, 9, 10, 11]);
  });

  it('means the same with other images, which are another machine, and not with another number of seeds', () => {
    const rebuilt = { ...testbed.catalogue, images: () => ({ 'calm.elf': 'e'.repeat(64) }) };
    const text = file('size: 20', 'seeds: 5\noverhead: [calm]');
    const [before, after] = [plan(text), plan(text, rebuilt)];
    expect(after.hash).toBe(before.hash);
    const seeds = ({ cells, overhead }: typeof before) => [...cells, ...overhead].map(({ seed }) => seed);
    for (const [i, seed] of seeds(before).entries()) expect(seeds(after)[i]).not.toBe(seed);
    expect(plan(file('size: 20', 'seeds: 4\noverhead: [calm]')).hash).not.toBe(before.hash);
    expect(plan(file('size: 20', 'seed: 4\noverhead: [calm]')).hash).not.toBe(before.hash);
  });

  it('is refused for seeds that cannot be', () => {
    const both = "either 'seeds' evaluation seeds, or one development 'seed': leave one of them out";
    expect(refusal(file('size: 4', 'seed: 1\nseeds: 2'))).toBe(`c.yaml:3:8: ${both}`);
    expect(refusal(file('size: 4, seed: 1, seeds: 2'))).toContain(`: ${both}`);
    const number = 'expected a number of evaluation seeds: a whole number from 1 to 100';
    for (const wrong of ['0', '101', '1.5', 'many']) {
      expect(refusal(file(`size: 4, seeds: ${wrong}`))).toContain(`: ${number}`);
    }
    expect(refusal(file('size: 4, seeds: 5'))).toMatch(
      /^c.yaml:3:\d+: 4 injections cannot be spread over 5 evaluation seeds$/,
    );
    const twice = file('size: 5, seeds: 5').replace(/\{.*\}/, (entry) => `${entry}, ${entry}`);
    expect(refusal(twice)).toContain('this cell is there twice: calm, failstop, rehype with locks, irq, timer, evalu');
    const many = `name: x\ncells: [{ setup: [${Array(200).fill('calm')}], fault: failstop, mechanism: none, size: 100, seeds: 100 }]`;
    expect(refusal(many)).toContain('its lists come to more than 10000 cells');
  });
});
