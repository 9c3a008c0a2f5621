/** Traces that begin with a state: what the preamble and the header say of it, and what a part of such a file is. */
import { describe, expect, it } from 'vitest';
import { sha256 } from './hash.ts';
import { openTraceBytes, TraceError, type TraceHeaderFields } from './index.ts';
import { pack } from './msgpack.ts';
import { decodePreamble } from './preamble.ts';
import { completeHeader, encodeHeader } from './records/header.ts';
import { KIND } from './records/kinds.ts';
import { FIELDS, FIELDS_OF_CUT, forged, IMAGES, type Op, page, SAMPLE, sealed, traceBytes } from './trace.fixtures.ts';

const FROM = { moment: 5_000_000_000, ticks: 6_000_000_000 };
const TO = { moment: FROM.moment + 800_000, ticks: FROM.ticks + 900_000 };
const CUT: TraceHeaderFields = { ...FIELDS, cut: { of: 'fedcba9876543210', from: FROM, to: TO } };
const STATE = { digest: 1n, state: new Uint8Array(90).fill(3), changed: [page(0, 1)], cleared: [] };
const OPS: readonly Op[] = [
  { op: 'checkpoint', record: { ...FROM, ...STATE } },
  { op: 'digest', record: { moment: FROM.moment + 400_000, ticks: FROM.ticks + 400_001, digest: 2n } },
];
const END = { ...TO, digest: 3n, reason: 'cut' };
const open = (bytes: Uint8Array, thorough: boolean) => openTraceBytes('part.djvm', bytes, { thorough });
const errorOf = (bytes: Uint8Array, thorough = false) => {
  try {
    open(bytes, thorough);
  } catch (error) {
    expect(error).toBeInstanceOf(TraceError);
    return error as TraceError;
  }
  throw new Error('expected a refusal');
};

describe.each([false, true])('a cut (thorough: %s)', (thorough) => {
  it('says which part of what it is, and begins there: no digests are missed before', () => {
    const trace = open(traceBytes(OPS, END, IMAGES, CUT), thorough);
    expect(trace.damage).toBeUndefined();
    expect(trace.header.cut).toStrictEqual(CUT.cut);
    expect([trace.first, trace.last]).toStrictEqual([FROM, TO]);
    expect(trace.header.id).not.toBe(open(traceBytes(OPS, END, IMAGES), false).header.id);
  });

  it('has as many digests behind its beginning as any trace', () => {
    const far = { ...END, moment: FROM.moment + 3_000_000, ticks: FROM.ticks + 4_000_000 };
    const bytes = traceBytes(OPS, far, IMAGES, CUT);
    if (thorough)
      expect(open(bytes, true).damage).toMatchObject({ kind: 'malformed', lastGood: { moment: 5_000_400_000 } });
    else expect(open(bytes, false).damage?.message).toMatch(/a digest every 1000000 instructions/);
  });

  it('without the state that it begins with is refused', () => {
    const message = `part.djvm: the state at moment ${FROM.moment}, where it begins, is not there`;
    expect(errorOf(traceBytes([], undefined, IMAGES, CUT), thorough)).toMatchObject({ kind: 'damaged', message });
    // A state of somewhere else is none either.
    expect(errorOf(traceBytes(SAMPLE, undefined, IMAGES, CUT), thorough).message).toBe(message);
    const whole = traceBytes(OPS, END, IMAGES, CUT);
    const lengths = Array.from({ length: whole.length - 100 }, (_, n) => n + 100).filter((n) => n % 97 === 0);
    const kept = lengths.filter((length) => {
      try {
        expect(open(whole.subarray(0, length), thorough).first).toStrictEqual(FROM);
        return true;
      } catch (error) {
        expect((error as TraceError).kind).toBe('damaged');
        return false;
      }
    });
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.length).toBeLessThan(lengths.length);
  });
});

it('a whole trace begins with nothing', () => {
  expect(open(traceBytes(SAMPLE), false).first).toStrictEqual({ moment: 0, ticks: 0 });
  expect(decodePreamble('x', traceBytes(SAMPLE).subarray(0, 24)).isCut).toBe(false);
  expect(decodePreamble('x', traceBytes(OPS, END, IMAGES, CUT).subarray(0, 24)).isCut).toBe(true);
});

describe('what contradicts itself is no header', () => {
  it('a cut whose preamble does not say so: a reader of 1.1 would take it for a whole run', () => {
    expect(errorOf(forged(1, 2, [], FIELDS_OF_CUT)).message).toMatch(/whether it is a cut/);
    expect(errorOf(withFeature(FIELDS)).message).toMatch(/whether it is a cut/);
  });

  it.each([
    [{ of: 'x', from: TO, to: FROM }, /a cut that does not end before it begins/],
    [{ of: 7, from: FROM, to: TO }, /of to be a string/],
    [{ of: 'x', from: { ...FROM, ticks: -1 }, to: TO }, /ticks to be a natural number/],
    [{ of: 'x', from: FROM }, /cut\.to to be a map/],
    ['all', /cut to be a map/],
  ])('%j', (cut, why) => {
    expect(errorOf(withFeature({ ...FIELDS, cut } as never)).message).toMatch(why);
  });
});

/** A file whose preamble says that it is a cut. */
function withFeature(fields: TraceHeaderFields): Uint8Array {
  const plain = completeHeader({ ...fields, cut: undefined } as never, [], 1, 2);
  const { id: _, ...rest } = { ...plain, ...('cut' in fields && { cut: fields.cut }) };
  const id = sha256(pack(rest, 1 << 16)).slice(0, 16);
  return sealed(1, 2, [{ kind: KIND.HEADER, content: encodeHeader({ ...rest, id } as never) }], true);
}
