/** Debug sections of a real image, damaged: an answer or none, a line that says why, and never anything else. */
import { describe, expect, it } from 'vitest';
import { splitmix64 } from '../../base/index.ts';
import { committedFile } from '../../subject/index.ts';
import { type DebugInfo, readDebugInfo } from './index.ts';
import { readDebugSections } from './sections.ts';
import { makeElf, section } from './testing.ts';

const NAMES = [
  ...['.debug_line', '.debug_line_str', '.debug_str', '.debug_frame'],
  ...['.debug_info', '.debug_abbrev', '.debug_rnglists'],
] as const;
const image = committedFile('guest-idle.debug')!;
const sound = readDebugSections(image);
const plain = new Map(NAMES.map((name) => [name, sound.section(name)!.bytes]));
/** Code and data of the image, which the made file has at the same addresses: 256 KiB. */
const ADDRESSES = Array.from({ length: 64 }, (_, n) => 0x80000000n + BigInt(n * 138));
const fileOf = (sections: ReadonlyMap<string, Uint8Array>) =>
  makeElf([...sections].map(([name, bytes]) => section(name, [], { bytes })));

function askAll(debug: DebugInfo | undefined): readonly unknown[] {
  return ADDRESSES.flatMap((address) => [
    debug?.lineAt(address),
    debug?.frameAt(address),
    debug?.functionAt(address),
    debug?.variableAt(address),
  ]);
}

/** A sequence of numbers below a bound. */
function drawn(seed: bigint) {
  const numbers = splitmix64(seed, 10_000).values();
  return (below: number): number => Number(numbers.next().value! % BigInt(below));
}

const isOneLine = (text: string) => text !== '' && text.length < 200 && !text.includes('\n');

describe('debug sections', () => {
  it('that are sound answer the same out of another file', () => {
    const answers = askAll(readDebugInfo(fileOf(plain)));
    expect(answers).toEqual(askAll(readDebugInfo(image)));
    expect(answers.filter((answer) => answer !== undefined).length).toBeGreaterThan(50);
  });

  it.each([1n, 2n, 3n, 4n])('that are damaged, seed %i, answer or say why not', (seed) => {
    const draw = drawn(seed);
    let [told, wrong] = [0, 0];
    const usual = askAll(readDebugInfo(image));
    for (let n = 0; n < 24; n++) {
      const name = NAMES[draw(NAMES.length)]!;
      const bytes = Uint8Array.from(plain.get(name)!);
      const damaged = draw(4) === 0 ? bytes.subarray(0, draw(bytes.length)) : bytes;
      for (let flips = draw(8); flips > 0 && damaged.length > 0; flips--) {
        damaged[draw(damaged.length)]! ^= 1 << draw(8);
      }
      const debug = readDebugInfo(fileOf(new Map([...plain, [name, damaged]])));
      const answers = askAll(debug);
      const problems = debug?.problems() ?? [];
      expect(problems.filter((problem) => !isOneLine(problem))).toEqual([]);
      if (problems.length > 0) told++;
      wrong += answers.filter(
        (answer, at) => JSON.stringify(answer, plainly) !== JSON.stringify(usual[at], plainly),
      ).length;
    }
    // The damage is seen, or it would prove nothing.
    expect(told).toBeGreaterThan(3);
    expect(wrong).toBeGreaterThan(0);
  });

  it('in a file that is damaged anywhere, compressed as they are', () => {
    const draw = drawn(7n);
    for (let n = 0; n < 60; n++) {
      const damaged = Uint8Array.from(draw(3) === 0 ? image.subarray(0, draw(image.length)) : image);
      for (let flips = 1 + draw(4); flips > 0 && damaged.length > 0; flips--) {
        // Half of them among the headers.
        damaged[draw(2) === 0 ? draw(damaged.length) : damaged.length - 1 - draw(Math.min(1500, damaged.length))]! ^= 1;
      }
      const debug = readDebugInfo(damaged);
      askAll(debug);
      expect((debug?.problems() ?? []).filter((problem) => !isOneLine(problem))).toEqual([]);
    }
  });
});

const plainly = (_: string, value: unknown) =>
  typeof value === 'bigint' ? `${value}` : value instanceof Map ? [...value] : value;
