/** Decoded code must be as invisible as translations: self-modification, page crossings, pages that PMP splits. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Bed, PTE, RAM, RWX, SV39 } from './testbed.ts';

const { V, R, W, X, U, A, D } = PTE;

test('a store to code counts from the next instruction on, without fence.i', () => {
  const bed = new Bed();
  bed.program(`
    la t0, patched
    la t2, replacement
    lw t1, 0(t2)
    jal ra, call
    sw t1, 0(t0)
    jal ra, call
    j .
  call:
  patched:
    addi a0, a0, 1
    ret
  replacement:
    addi a0, a0, 256
  `);
  bed.enter('M', RAM);
  bed.run(100);
  expect(bed.x('a0')).toBe(257n);
});

test('a page that was written before it was first executed is still watched', () => {
  const bed = new Bed();
  bed.program(`
    li s0, 0x80010000
    li s1, 0x0000806700150513   # addi a0, a0, 1; ret
    li s2, 0x0000806710050513   # addi a0, a0, 256; ret
    sd s1, 0(s0)
    jalr ra, 0(s0)
    sd s2, 0(s0)
    jalr ra, 0(s0)
    j .
  `);
  bed.enter('M', RAM);
  bed.run(100);
  expect(bed.x('a0')).toBe(257n);
});

test('an instruction across two pages runs, loops onto itself, and follows changes of either half', () => {
  const bed = new Bed();
  // addi a0, a0, 1 across the border, then jump back to it.
  bed.program('addi a0, a0, 1\nbne a0, a1, .-4\nj .', RAM + 0xffen);
  bed.setX('a1', 5n);
  bed.enter('M', RAM + 0xffen);
  bed.run(100);
  expect(bed.x('a0')).toBe(5n);
  bed.program('addi a0, a0, 3', RAM + 0xffen);
  bed.setX('a0', 0n);
  bed.setX('a1', 9n);
  bed.enter('M', RAM + 0xffen);
  bed.run(100);
  expect(bed.x('a0')).toBe(9n);
});

test('branches and jumps that cross pages themselves reach their targets', () => {
  const bed = new Bed();
  bed.program('addi a0, a0, 1\njal ra, .+8', RAM + 0x1000n - 6n);
  bed.program('addi a0, a0, 16\nj .', RAM + 0x1000n + 6n);
  bed.program('beq zero, zero, .-16', RAM + 0x1ffen);
  bed.program('addi a0, a0, 64\nj .', RAM + 0x1feen);
  bed.enter('M', RAM + 0x1000n - 6n);
  bed.run(10);
  expect(bed.x('a0')).toBe(17n);
  expect(bed.x('ra')).toBe(RAM + 0x1002n);
  bed.enter('M', RAM + 0x1ffen);
  bed.run(10);
  expect(bed.x('a0')).toBe(81n);
});

test('a jump that itself crosses pages reaches targets at any distance', () => {
  const bed = new Bed();
  const at = RAM + 0x20_0ffen;
  for (const distance of [-0x10_0000, -0x1_0ffe, -0xffe, -0x8dc, -0x10, 0x10, 0x8dc, 0x1_0ffe, 0xf_f000]) {
    bed.program(`jal ra, .${distance < 0 ? '' : '+'}${distance}`, at);
    bed.enter('M', at);
    bed.run(1);
    expect(bed.core.hart(0, 'pc'), `${distance}`).toBe(at + BigInt(distance));
  }
});

test('an odd pc, as a fault may leave it, is taken without its lowest bit', () => {
  const bed = new Bed();
  bed.program('addi a0, a0, 1\nj .');
  bed.enter('M', RAM + 1n);
  bed.run(3);
  expect(bed.x('a0')).toBe(1n);
});

test('more code pages than the pool has blocks are run, again and again', () => {
  const bed = new Bed({ ramBytes: 6 << 20 });
  const pages = 1300;
  // Each page adds another number. A jump reaches 1 MiB only: the last one goes back through a register.
  for (let i = 0; i < pages; i++) {
    bed.program(`addi a0, a0, ${i}\n${i + 1 === pages ? 'jr s0' : 'j .+4092'}`, RAM + BigInt(i) * 4096n);
  }
  bed.setX('s0', RAM);
  bed.enter('M', RAM);
  bed.run(2 * pages * 3);
  expect(bed.x('a0')).toBe(BigInt((3 * pages * (pages - 1)) / 2));
});

test('illegal encodings are illegal instructions with their bits in mtval', () => {
  const bed = new Bed();
  bed.setCsr('mtvec', RAM + 0x800n);
  expect(bed.execute('.word 0xffffffff', 'M')).toBe(2n);
  expect(bed.csr('mtval')).toBe(0xffffffffn);
  expect(bed.execute('.half 0', 'M')).toBe(2n);
  expect(bed.csr('mtval')).toBe(0n);
});

test.each([
  ['csrc sstatus, s1', 13n],
  ['csrs sstatus, s1', 0n],
])('%s counts for the load that follows it', (instruction, cause) => {
  const bed = new Bed();
  bed.openPmp();
  bed.setCsr('mtvec', RAM + 0x800n);
  const root = bed.tablePages();
  bed.map(root, 0x10000n, RAM, RWX);
  bed.map(root, 0x20000n, RAM + 0x1000n, RWX | U);
  bed.setCsr('satp', SV39 | (root >> 12n));
  bed.setX('s0', 0x20000n);
  bed.setX('s1', 1n << 18n);
  bed.setCsr('sstatus', 1n << 18n);
  bed.program(`ld a0, 0(s0)\nld a0, 0(s0)\n${instruction}\nld a0, 0(s0)\nj .`);
  bed.enter('HS', 0x10000n);
  bed.run(4);
  expect(bed.csr('mcause')).toBe(cause);
});

/**
 * Random straight-line supervisor code over its own page tables and code, run in one go and tick by tick with
 * everything forgotten in between. Faults go to M-mode, which skips the instruction; a fetch fault returns to the
 * caller.
 */
const page = fc.nat(3);
const line = fc.oneof(
  fc.tuple(fc.constant('load'), page, page),
  fc.tuple(fc.constant('store'), page, page),
  fc.tuple(fc.constant('call'), page, page),
  fc.tuple(fc.constant('entry'), page, fc.nat(31)),
  fc.tuple(fc.constant('status'), fc.nat(3), page),
  fc.tuple(fc.constant('asid'), fc.nat(1), page),
);
const FLAGS = [V | RWX, V | R | A, V | R | W | A, V | R | W | A | D, 0n, V | X | A, V | RWX | U, V | RWX];
const HANDLER = `
  csrr t5, mcause
  xor gp, gp, t5
  addi t6, t5, -12
  csrr t5, mtval
  xor gp, gp, t5
  slli gp, gp, 1
  beqz t6, unreachable
  csrr t5, mepc
  addi t5, t5, 4
  csrw mepc, t5
  mret
unreachable:
  csrw mepc, ra
  mret
`;

function text([kind, a, b]: [string, number, number]): string {
  switch (kind) {
    case 'load':
      return `ld a1, 0(s${2 + a})\nslli a2, a2, 3\nxor a2, a2, a1`;
    case 'store':
      return `ld t1, ${b * 8 + 512}(s8)\nsd t1, 0(s${2 + a})`;
    case 'call':
      return `jalr ra, 0(s${2 + a})\nxor a2, a2, a1`;
    case 'entry':
      return `ld t1, ${b * 8}(s8)\nsd t1, ${a * 8}(s6)`;
    case 'status':
      return `csr${a & 1 ? 's' : 'c'} sstatus, s${a & 2 ? 9 : 10}`;
    default:
      return `csr${a ? 's' : 'c'} satp, s11`;
  }
}

function subject(lines: [string, number, number][], twoStages: boolean): Bed {
  const CODE = 0x10000n;
  const PROBED = 0x4_0000_0000n;
  const CONSTANTS = 0x20000n;
  const WINDOW = 0x30000n;
  const bed = new Bed();
  const data = (p: number) => RAM + 0x10_0000n + BigInt(p) * 4096n;
  bed.openPmp();
  bed.program(HANDLER, RAM + 0x800n);
  bed.setCsr('mtvec', RAM + 0x800n);
  const root = bed.tablePages();
  const code = `${lines.map(text).join('\n')}\nend: j end`;
  bed.program(code, RAM + 0x1000n, CODE);
  for (let i = 0n; i < 4n; i++) bed.map(root, CODE + i * 4096n, RAM + 0x1000n + i * 4096n, RWX);
  bed.map(root, CONSTANTS, RAM + 0x8000n, RWX);
  for (let p = 0; p < 4; p++) {
    const va = PROBED + BigInt(p) * 4096n;
    bed.map(root, va, data(p), RWX);
    bed.setX(`s${2 + p}`, va + 64n);
    bed.setWord(data(p) + 64n, 0x00008067_00000593n | (BigInt(p + 1) << 20n)); // li a1, p+1; ret
    bed.setWord(RAM + 0x8000n + 512n + BigInt(p) * 8n, 0x00008067_00000593n | (BigInt(p + 17) << 20n));
    for (const [f, bits] of FLAGS.entries()) {
      bed.setWord(RAM + 0x8000n + BigInt(p * 8 + f) * 8n, ((data(p) >> 12n) << 10n) | bits);
    }
  }
  const middle = (bed.word(root + 8n * (PROBED >> 30n)) >> 10n) << 12n;
  bed.map(root, WINDOW, (bed.word(middle) >> 10n) << 12n, RWX);
  bed.setX('s6', WINDOW);
  bed.setX('s8', CONSTANTS);
  bed.setX('s9', 1n << 18n);
  bed.setX('s10', 1n << 19n);
  bed.setX('s11', 1n << 44n);
  if (twoStages) {
    const groot = bed.tablePages(4n);
    for (const at of [RAM, RAM + 0x20_0000n]) bed.map(groot, at, at, RWX | U, { level: 1n, gstage: true });
    bed.setCsr('hgatp', SV39 | (groot >> 12n));
    bed.setCsr('vsatp', SV39 | (root >> 12n));
  } else bed.setCsr('satp', SV39 | (root >> 12n));
  bed.enter(twoStages ? 'VS' : 'HS', CODE);
  return bed;
}

test.each([false, true])('one slice equals single steps that forget everything (two stages: %s)', (twoStages) => {
  fc.assert(
    fc.property(fc.array(line, { minLength: 1, maxLength: 150, size: 'max' }), (lines) => {
      const whole = subject(lines, twoStages);
      const steps = subject(lines, twoStages);
      const ticks = 8 * lines.length;
      for (const bed of [whole, steps]) bed.core.setMachine('quantumTicks', 1_000_000n);
      whole.run(ticks);
      for (let i = 0; i < ticks; i++) {
        steps.core.arch.flushDerived();
        steps.run(1);
      }
      for (const r of ['a2', 'gp', 'ra', 't1']) expect(`${r} ${whole.x(r)}`).toBe(`${r} ${steps.x(r)}`);
      expect(Buffer.compare(whole.state(), steps.state())).toBe(0);
    }),
    { numRuns: 15 },
  );
});
