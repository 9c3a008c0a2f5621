/**
 * The table keeps its own rules: no overlaps, encode and decode agree, effects have the shape that consumers rely on.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  alternatives,
  type Effect,
  type Expression,
  expressionsOf,
  mayDivert,
  parts,
} from '../semantics/expression.ts';
import { HELPERS } from '../semantics/helpers.ts';
import { decode, expandOperands } from './decode.ts';
import { type Encoding, extractOperands, insertOperands, matches, parseEncoding } from './encoding.ts';
import { COMPRESSED, expansionOf, INSTRUCTIONS } from './table.ts';

/** Random instructions of one encoding: its free bits drawn, reserved ones left out. */
const rawOf = (encoding: Encoding) =>
  fc
    .nat(0xffffffff)
    .map((bits) => (((bits & ~encoding.mask & (2 ** encoding.bits - 1)) >>> 0) + encoding.match) >>> 0)
    .filter((raw) => matches(encoding, raw));

const ALL = [...INSTRUCTIONS, ...COMPRESSED];

/** A raw word of both encodings, or undefined: solves mask/match, then looks for one that nothing excludes. */
function common(a: Encoding, b: Encoding): number | undefined {
  if (a.bits !== b.bits) return undefined;
  const shared = a.mask & b.mask;
  if (((a.match ^ b.match) & shared) !== 0) return undefined;
  const fixed = (a.match | b.match) >>> 0;
  const free = ~(a.mask | b.mask) >>> 0;
  for (const bits of [0, 0xffffffff, 0x55555555, 0xaaaaaaaa, 0x12345678, 0x0f0f0f0f]) {
    const raw = ((fixed | (bits & free)) >>> 0) % 2 ** a.bits;
    if (matches(a, raw) && matches(b, raw)) return raw;
  }
  return undefined;
}

describe('encodings', () => {
  test('no two rows overlap', () => {
    for (const [index, a] of ALL.entries()) {
      for (const b of ALL.slice(index + 1)) {
        const raw = common(a.encoding, b.encoding);
        expect(raw === undefined ? '' : `${a.name} and ${b.name} share ${raw.toString(16)}`).toBe('');
      }
    }
  });

  test('the overlap test finds a planted overlap, also one that only an exclusion prevents', () => {
    const addi = parseEncoding('imm[11:0] rs1 000 rd 0010011');
    expect(common(addi, parseEncoding('000000000000 rs1 000 rd 0010011'))).toBeDefined();
    const jr = parseEncoding('100 0 rs1≠0 00000 10');
    expect(common(jr, parseEncoding('100 0 rd rs2≠0 10'))).toBeUndefined();
    expect(common(jr, parseEncoding('100 0 rd rs2 10'))).toBeDefined();
  });

  test.each(ALL.map((row) => [row.name, row] as const))('%s: encode ∘ decode = identity', (_, row) => {
    fc.assert(
      fc.property(rawOf(row.encoding), (raw) => {
        expect(insertOperands(row.encoding, extractOperands(row.encoding, raw))).toBe(raw);
        const decoded = decode(raw);
        expect(decoded?.form?.name ?? decoded?.instruction.name).toBe(row.name);
      }),
    );
  });

  test('16-bit forms are instructions: their operands can be encoded at full size', () => {
    const form = fc.constantFrom(...COMPRESSED);
    fc.assert(
      fc.property(
        form.chain((row) => rawOf(row.encoding).map((raw) => ({ row, raw }))),
        ({ row, raw }) => {
          const operands = expandOperands(row, extractOperands(row.encoding, raw));
          const full = insertOperands(expansionOf(row).encoding, operands);
          expect(typeof full).toBe('number');
          expect(decode(full as number)?.operands).toMatchObject(
            Object.fromEntries(
              Object.entries(operands).filter(([name]) => name in (decode(full as number)?.operands ?? {})),
            ),
          );
        },
      ),
      { numRuns: 1000 },
    );
  });

  test.each([
    [0x0000, 'all zero'],
    [0xffff_ffff, 'all ones'],
    [0x2001, 'c.addiw with rd = x0'],
    [0x6101, 'c.addi16sp with immediate 0'],
    [0x6081, 'c.lui with immediate 0'],
    [0x4002, 'c.lwsp with rd = x0'],
    [0x8002, 'c.jr with rs1 = x0'],
    [0x8000, 'quadrant 0, funct3 100'],
    [0x9c41, 'c.subw with reserved funct2'],
    [0x2200_30d3, 'fsgnj.d with reserved funct3'],
    [0x0200_1013, 'slli with bit 25 belongs to shamt, bit 26 does not: see next'],
  ])('%s is decoded as the manual says (%s)', (raw, why) => {
    if (why.startsWith('slli')) expect(decode(raw)?.instruction.name).toBe('slli');
    else expect(decode(raw)).toBeUndefined();
  });
});

/** What an effect decides by may neither divert nor be decided again. */
function undivertedConditions(effect: Effect): boolean {
  const pure = (e: Expression) => !parts(e).some(mayDivert);
  if (effect.kind === 'either') {
    return pure(effect.condition) && [effect.then, effect.otherwise].every(undivertedConditions);
  }
  if (effect.kind === 'attempt') {
    return pure(effect.candidate) && pure(effect.accept) && undivertedConditions(effect.otherwise);
  }
  return true;
}

describe('effects', () => {
  test.each(INSTRUCTIONS.map((row) => [row.name, row] as const))('%s keeps the rules of Effect', (_, row) => {
    const all = expressionsOf(row.effect).flatMap(parts);
    const fields = row.encoding.fields.map((f) => f.name);
    for (const one of alternatives(row.effect)) {
      const diverting = expressionsOf(one).flatMap(parts).filter(mayDivert).length;
      expect(diverting + (one.kind === 'store' ? 1 : 0)).toBeLessThanOrEqual(1);
      if (one.kind === 'set' || one.kind === 'jump') expect(fields).toContain('rd');
    }
    expect(undivertedConditions(row.effect)).toBe(true);
    for (const e of all) {
      if (e.kind === 'choose') expect([...parts(e.then), ...parts(e.otherwise)].some(mayDivert)).toBe(false);
      if (e.kind === 'call') expect(e.args.length).toBe(HELPERS[e.helper].parameters.length);
    }
    const used = new Set(all.flatMap((e) => (e.kind === 'register' ? [e.name] : e.kind === 'imm' ? ['imm'] : [])));
    expect(fields).toEqual(expect.arrayContaining([...used]));
  });

  test('every helper is used by an instruction, or is the one for illegal ones', () => {
    const used = new Set(
      INSTRUCTIONS.flatMap((row) => expressionsOf(row.effect).flatMap(parts)).flatMap((e) =>
        e.kind === 'call' ? [e.helper as string] : [],
      ),
    );
    expect([...used.add('illegal')].sort()).toEqual(Object.keys(HELPERS).sort());
  });
});
