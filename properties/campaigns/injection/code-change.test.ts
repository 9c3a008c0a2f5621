/** What code faults make of instructions, against the disassembler on bytes that were flipped by hand. */
import { describe, expect, it } from 'vitest';
import { assemble, disassembleAt, type Machine } from '../../../engine/index.ts';
import { codeChange } from './code-change.ts';

const PC = 0x8000_0000n;

/** Just memory, mapped one to one. */
function machineOf(bytes: Uint8Array): Pick<Machine, 'config' | 'readPhysical' | 'hart' | 'translate'> {
  return {
    config: { ramBytes: bytes.length },
    hart: () => ({ mode: 'HS', vmid: 0 }),
    translate: (_hart: number, va: bigint) => Number(va),
    readPhysical: (at: number, length: number) => bytes.slice(at - Number(PC), at - Number(PC) + length),
  } as unknown as Machine;
}

/** Followed by compressed nops. */
function codeOf(source: string[]): Uint8Array {
  const bytes = new Uint8Array(64);
  for (let at = 0; at < bytes.length; at += 2) bytes[at] = 1;
  bytes.set(assemble(source, PC).bytes);
  return bytes;
}

const change = (bytes: Uint8Array, bit: number, span: 'instruction' | 'window' = 'window') =>
  codeChange(machineOf(bytes), undefined, { model: 'code', hart: 0, span, bit, repair: 'on-detection' }, PC);

const textsOf = (bytes: Uint8Array) => disassembleAt(machineOf(bytes), 0, PC, 16).map(({ text }) => text);

function flipped(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[bit >> 3]! ^= 1 << (bit & 7);
  return copy;
}

describe('a code fault', () => {
  const code = codeOf(['ld a5, 0(s3)', 'addi a0, a0, 291', 'sd a0, 8(sp)', 'ld a1, 16(sp)']);

  it('turns a load into a narrower one', () => {
    expect(change(code, 12, 'instruction')).toBe('instruction ld a5,0(s3) becomes lw a5,0(s3)');
    expect(change(code, 96 + 12)).toBe('instruction ld a1,16(sp), 12 bytes on, becomes lw a1,16(sp)');
  });

  it('makes two short instructions of a long one, and a long one of two short ones', () => {
    const short = flipped(code, 0);
    const [a, b] = textsOf(short);
    const bytesOf = disassembleAt(machineOf(short), 0, PC, 2).map(({ bytes }) => bytes);
    expect(bytesOf).toEqual([2, 2]);
    expect(change(code, 0)).toBe(`instruction ld a5,0(s3) becomes ${a}; ${b}`);
    expect(change(short, 0)).toBe(`instructions ${a}; ${b} become ld a5,0(s3)`);
  });

  it('says for each bit of the window what the flipped bytes decode to, from the first that differs on', () => {
    const original = textsOf(code);
    for (let bit = 0; bit < 128; bit++) {
      const now = textsOf(flipped(code, bit));
      const from = bit >> 5;
      expect(change(code, bit), `bit ${bit}`).toMatch(/^instructions? .* becomes? /);
      const [was, becomes] = change(code, bit)!.split(/ becomes? /);
      expect(was!.replace(/^instructions? /, '').startsWith(original[from]!)).toBe(true);
      expect(becomes!.split('; ')).toEqual(now.slice(from, from + becomes!.split('; ').length));
    }
  });

  it('ends the text where decodings do not meet', () => {
    const bytes = new Uint8Array(64).fill(0x13);
    for (let at = 0; at < 64; at += 2) bytes[at] = at === 0 ? 0x12 : 0x13;
    const text = change(bytes, 0)!;
    expect(text).toMatch(/; … become /);
    expect(text.split(';').length).toBeLessThanOrEqual(14);
  });

  it('leaves the code itself as it was', () => {
    const before = Uint8Array.from(code);
    change(code, 0);
    expect(code).toEqual(before);
  });
});
