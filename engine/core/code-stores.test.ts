/**
 * Every way to store, of every width, at every place in code that has been decoded: what runs next is what memory has.
 * The judge is the same run with everything decoded dropped after the store.
 */
import { expect, test } from 'vitest';
import { assemble } from '../isa/index.ts';
import { Bed, PTE, RAM, SV39 } from './testbed.ts';

const PAGE = RAM + 0x1000n;
/** Where the code begins: at the start of a page, inside, and so that an instruction lies across its end. */
const PLACES = { 'at the start of a page': 0n, 'inside a page': 0x344n, 'across two pages': 0xff2n } as const;
/**
 * Instructions of both lengths, and others whose every byte differs. The upper halves of the long ones are instructions
 * as well (c.addi, c.slli), and so is every mixture of bytes of the two; none touches a register that the program
 * needs.
 */
const CODE = `
  addi a0, a0, 0x051
  c.addi a0, 1
  addi a0, a0, 0x052
  addi a0, a0, 0x153
  c.addi a0, 2
  ret
`;
const OTHER = `
  xori a1, a2, 0x06c
  c.addi a1, -3
  xori a1, a2, 0x07d
  xori a1, a2, 0x17e
  c.addi a1, -7
`;
const original = assemble(CODE, 0).bytes;
const other = assemble(OTHER, 0).bytes;
const ALIGNED = { w: 4, d: 8, q: 16, block: 64 } as const;

/** Instructions that store the bytes at t0 to s2; `size` is what they store, which must be aligned where `aligned`. */
const WAYS: Record<string, { readonly text: string; readonly size: number; readonly aligned?: true }> = {
  sb: { text: 'lb t1, 0(t0)\nsb t1, 0(s2)', size: 1 },
  sh: { text: 'lh t1, 0(t0)\nsh t1, 0(s2)', size: 2 },
  sw: { text: 'lw t1, 0(t0)\nsw t1, 0(s2)', size: ALIGNED.w },
  sd: { text: 'ld t1, 0(t0)\nsd t1, 0(s2)', size: ALIGNED.d },
  fsw: { text: 'flw fa0, 0(t0)\nfsw fa0, 0(s2)', size: ALIGNED.w },
  fsd: { text: 'fld fa0, 0(t0)\nfsd fa0, 0(s2)', size: ALIGNED.d },
  'sc.w': { text: 'lw t1, 0(t0)\nlr.w t2, (s2)\nsc.w t2, t1, (s2)', size: ALIGNED.w, aligned: true },
  'sc.d': { text: 'ld t1, 0(t0)\nlr.d t2, (s2)\nsc.d t2, t1, (s2)', size: ALIGNED.d, aligned: true },
  'amoswap.w': { text: 'lw t1, 0(t0)\namoswap.w zero, t1, (s2)', size: ALIGNED.w, aligned: true },
  'amoswap.d': { text: 'ld t1, 0(t0)\namoswap.d zero, t1, (s2)', size: ALIGNED.d, aligned: true },
  'amocas.d': { text: 'ld t1, 0(t0)\nld t3, 0(s2)\namocas.d t3, t1, (s2)', size: ALIGNED.d, aligned: true },
  'amocas.q': {
    text: 'ld a4, 0(t0)\nld a5, 8(t0)\nld a6, 0(s2)\nld a7, 8(s2)\namocas.q a6, a4, (s2)',
    size: ALIGNED.q,
    aligned: true,
  },
  'cbo.zero': { text: 'cbo.zero (s2)', size: ALIGNED.block, aligned: true },
  'a poke of a byte': { text: '', size: 1 },
  'a poke of a half-word': { text: '', size: 2 },
  'a poke of many bytes': { text: '', size: 11 },
};
/** Enters the code at its start and at its second half-word; a trap goes back to the caller and counts. */
const calls = `
  jalr ra, 0(s0)
  jalr ra, 2(s0)
`;
const HANDLER = RAM + 0x800n;
const SOURCE = RAM + 0x900n;
/** More than any of the programs takes. */
const ENOUGH = 300;

const bed = new Bed();
bed.openPmp();
bed.program('addi s11, s11, 1\ncsrw mepc, ra\nmret', HANDLER);

/** Runs until hart 0 is at the symbol. */
function runTo(symbols: ReadonlyMap<string, bigint>, symbol: string): void {
  for (let ticks = 0; bed.pc() !== symbols.get(symbol); ticks++) {
    if (ticks === ENOUGH) throw new Error(`${symbol} was not reached`);
    bed.run(1);
  }
}

/** What the code computes when it is run, stored to and run again; `forget` drops what was decoded in between. */
function results(way: string, code: bigint, offset: number, forget: boolean): readonly bigint[] {
  const { text, size } = WAYS[way]!;
  const to = code + BigInt(offset);
  bed.core.writeRam(Number(code) - 64, new Uint8Array(192));
  bed.program(CODE, code);
  const bytes = Uint8Array.from({ length: size }, (_, i) => other[offset + i] ?? original[offset + i] ?? 0);
  bed.core.writeRam(Number(SOURCE), bytes);
  // The page has been stored to before: the store meets what that left in the translation caches.
  const symbols = bed.program(`${calls}\nstore: sb zero, 0(s3)\nsb zero, 0(s4)\n${text}\nagain: ${calls}\nend: j end`);
  for (const register of ['a1', 'a2', 's11', 'ra']) bed.setX(register, 0n);
  // A sum and an exclusive or of it differ.
  bed.setX('a0', 0xfffn);
  bed.setX('s0', code);
  bed.setX('s2', to);
  bed.setX('s3', (to & ~0xfffn) | 0x700n);
  bed.setX('s4', ((to + BigInt(size) - 1n) & ~0xfffn) | 0x700n);
  bed.setX('t0', SOURCE);
  bed.setCsr('mtvec', HANDLER);
  bed.setCsr('mstatus', 3n << 13n);
  bed.enter('M', RAM);
  if (text === '') {
    runTo(symbols, 'store');
    bed.core.writeRam(Number(to), bytes);
  }
  if (forget) {
    runTo(symbols, 'again');
    bed.core.arch.flushDerived();
  }
  runTo(symbols, 'end');
  return ['a0', 'a1', 's11'].map((register) => bed.x(register));
}

const cases = Object.keys(WAYS).flatMap((way) =>
  Object.entries(PLACES).map(([where, at]) => [way, where, at] as const),
);

test.each(cases)('%s over code %s', (way, _where, at) => {
  const { size, aligned } = WAYS[way]!;
  const code = PAGE + at;
  const untouched = results(way, code, 128 - Number(code % 64n), false).join();
  const seen = new Set<string>();
  for (let offset = 1 - size; offset < other.length; offset++) {
    if (aligned && (Number(code) + offset) % size !== 0) continue;
    const [kept, dropped] = [false, true].map((forget) => results(way, code, offset, forget).join());
    expect(`${offset}: ${kept}`).toBe(`${offset}: ${dropped}`);
    seen.add(kept!);
  }
  // The stores did change what runs.
  expect(seen.size).toBeGreaterThan(aligned ? 0 : 5);
  expect(seen.has(untouched)).toBe(false);
});

test('hardware that sets A in a table entry changes it as an instruction, too', () => {
  const { R, W, U, A } = PTE;
  const DATA = 0x4000_0000n;
  const root = bed.tablePages();
  // As an instruction: auipc s0, which the rest of the entry follows as an illegal one; with A set it is none itself.
  const entry = bed.map(root, DATA, RAM + 0x5000n, R | W | U);
  expect(bed.word(entry) & 0xfffn).toBe(0x417n);
  const symbols = bed.program(`
    jalr ra, 0(s1)
    mv s3, s0
    li s0, 7
    lw t0, 0(s2)
    jalr ra, 0(s1)
    end: j end
  `);
  for (const register of ['s0', 's3']) bed.setX(register, 0n);
  bed.setX('s1', entry);
  bed.setX('s2', DATA);
  bed.setCsr('mstatus', 1n << 17n);
  bed.setCsr('satp', SV39 | (root >> 12n));
  bed.setCsr('mtvec', HANDLER);
  bed.enter('M', RAM);
  bed.run(40);
  expect(bed.pc()).toBe(symbols.get('end'));
  expect(bed.word(entry) & A).toBe(A);
  expect([bed.x('s3') !== 0n, bed.x('s0')]).toEqual([true, 7n]);
});
