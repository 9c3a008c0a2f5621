import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Malformed } from './malformed.ts';
import { pack, unpack, unpackAll } from './msgpack.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'));
const repeat = (text: string, times: number) => hex(text.repeat(times));

describe('MessagePack from a file is refused', () => {
  it.each<[string, Uint8Array]>([
    ['a fixed extension (a date)', hex('d6 ff 00 00 00 00')],
    ['an extension of any length', hex('c7 01 2a 00')],
    ['an extension with a length of 16 bits', hex('c8 00 01 2a 00')],
    ['an extension with a length of 32 bits', hex('c9 00 00 00 01 2a 00')],
    ["msgpackr's record definition", hex('d4 72 40 91 a1 61 01')],
    ["msgpackr's reference", hex('d6 69 00 00 00 01 90')],
    ['an extension inside an array', hex('91 d4 00 00')],
    ['an extension inside a map', hex('81 a1 6b d4 00 00')],
    ['the reserved byte', hex('c1')],
    ['a key that is no string', hex('81 01 01')],
    ['a key that is an extension', hex('81 d4 00 00 01')],
    ['the key __proto__', hex('81 a9 5f5f70726f746f5f5f 01')],
    ['the same with a length byte', hex('81 d9 09 5f5f70726f746f5f5f 01')],
    ['a string cut short', hex('a2 61')],
    ['bytes with a length of 4 GiB', hex('c6 ff ff ff ff 00')],
    ['an array of 4 billion', hex('dd ff ff ff ff 00')],
    ['a map of 4 billion', hex('df ff ff ff ff a1 61 00')],
    ['a number cut short', hex('cf 00 00')],
    ['arrays in arrays, 100,000 deep', repeat('91', 100_000)],
    ['maps in maps, 100,000 deep', repeat('81a161', 100_000)],
    ['nothing', hex('')],
    ['two values', hex('01 02')],
  ])('%s', (_, bytes) => {
    expect(() => unpack(bytes, 1_000_000)).toThrow(Malformed);
  });

  it('when there is more of it than allowed', () => {
    const many = repeat('90', 1000);
    expect(unpackAll(many, 1000, 1000)).toHaveLength(1000);
    expect(() => unpackAll(many, 1000, 999)).toThrow('fewer MessagePack values');
    expect(() => unpack(hex('dc 00 04 01 02 03 04'), 4)).toThrow(Malformed);
  });

  it('or decoded, and nothing else: whatever the bytes', () => {
    const isPlain = (value: unknown): boolean => {
      if (typeof value !== 'object' || value === null) return value !== undefined;
      if (value instanceof Uint8Array) return value.constructor === Uint8Array;
      if (Array.isArray(value)) return value.every(isPlain);
      return Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isPlain);
    };
    // First bytes of every kind, more often than chance would have them.
    const byte = fc.oneof(fc.integer({ min: 0x80, max: 0xdf }), fc.nat({ max: 4 }), fc.nat({ max: 255 }));
    fc.assert(
      fc.property(fc.array(byte, { minLength: 1, maxLength: 30 }), (list) => {
        let value: unknown;
        try {
          value = unpack(Uint8Array.from(list), 100);
        } catch (error) {
          expect(error).toBeInstanceOf(Malformed);
          return;
        }
        expect(isPlain(value)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('a value that is no plain data', () => {
  it.each([[undefined], [new Date(0)], [new Map([[1, 2]])], [{ a: undefined }]])('is not written: %s', (value) =>
    expect(() => pack(value, 100)).toThrow(RangeError),
  );
});

it('is coded without a native addon', async () => {
  expect(await import('msgpackr/unpack')).toMatchObject({ isNativeAccelerationEnabled: false });
});
