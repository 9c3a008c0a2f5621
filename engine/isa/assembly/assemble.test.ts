/** The assembler, its `li`, the disassembler and the CSR names, where they do not merely mirror the table. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CSRS, csrByName, csrByNumber } from '../csrs/index.ts';
import { decode, instructionLength } from '../instructions/decode.ts';
import { instructionByName } from '../instructions/table.ts';
import { evaluate } from '../semantics/evaluate.ts';
import { AssembleError, assemble } from './assemble.ts';
import { disassemble } from './disassemble.ts';
import { loadImmediate } from './load-immediate.ts';

/** Instructions of an assembled program with their addresses. */
function instructions(bytes: Uint8Array, origin: bigint): { raw: number; pc: bigint }[] {
  const view = new DataView(bytes.buffer);
  const found: { raw: number; pc: bigint }[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = instructionLength(view.getUint16(at, true));
    found.push({ raw: length === 2 ? view.getUint16(at, true) : view.getUint32(at, true), pc: origin + BigInt(at) });
    at += length;
  }
  return found;
}
const texts = (source: string, origin = 0n) =>
  instructions(assemble(source, origin).bytes, origin).map(({ raw, pc }) => disassemble(raw, pc));

describe('li', () => {
  const value = (steps: ReturnType<typeof loadImmediate>) =>
    steps.reduce((x, { name, operands }) => {
      const effect = instructionByName(name)?.effect;
      if (effect?.kind !== 'set') throw new Error(`${name} sets no register`);
      const rs1 = operands.rs1 === 5 ? x : 0n;
      const imm = BigInt.asUintN(64, BigInt(operands.imm ?? 0));
      return evaluate(effect.value, { rs1, rs2: 0n, imm, zimm: 0n, pc: 0n, raw: 0n, load: () => 0n, call: () => 0n });
    }, 0n);
  const constants = fc.oneof(
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
    fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(BigInt),
    fc.nat(63).map((bit) => (1n << BigInt(bit)) - 1n),
  );

  test('any 64-bit constant arrives, in at most eight encodable steps', () => {
    fc.assert(
      fc.property(constants, (wanted) => {
        const steps = loadImmediate(5, wanted);
        expect(value(steps)).toBe(BigInt.asUintN(64, wanted));
        expect(steps.length).toBeLessThanOrEqual(8);
        expect(assemble(`li t0, ${wanted}`, 0).bytes.length).toBe(4 * steps.length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('assembly', () => {
  test('labels, both ways, and data', () => {
    const source = `start: beqz a0, end   # forwards
      j start
      la t0, table
      end: jal start
      .balign 8
      table: .dword start, end - start, -1
      .asciz "ab"`;
    const { bytes, symbols } = assemble(source, 0x8000_0000);
    expect(symbols.get('end')).toBe(0x8000_0010n);
    expect(symbols.get('table')).toBe(0x8000_0018n);
    const view = new DataView(bytes.buffer, 0x18);
    expect([0, 8, 16].map((at) => view.getBigUint64(at, true))).toEqual([0x8000_0000n, 0x10n, 2n ** 64n - 1n]);
    expect([...bytes.slice(0x30)]).toEqual([97, 98, 0]);
    expect(texts(source.split('.balign')[0]?.replace('table', 'start') ?? '', 0x8000_0000n)).toEqual([
      'beqz a0,0x80000010',
      'j 0x80000000',
      'auipc t0,0x0',
      'addi t0,t0,-8',
      'jal 0x80000000',
    ]);
  });

  test('what is written comes back, in the preferred spelling', () => {
    const same = ['nop', 'ret', 'li a0,-5', 'mv a0,a1', 'snez a0,a1', 'csrr a0,hgatp', 'csrwi sscratch,3', 'ecall']
      .concat(['ld a0,-8(sp)', 'sc.w.rl a0,a1,(a2)', 'hlvx.hu a0,(a1)', 'hsv.d a0,(a1)', 'hfence.gvma', 'mret', 'wfi'])
      .concat(['fence rw,w', 'fence', 'lui a0,0xfffff', 'jr 8(a0)', 'sfence.vma a0', 'sfence.vma a0,a1', 'unimp'])
      .concat(['clz a0,a1', 'rori a0,a1,63', 'bexti a0,a1,32', 'sh3add.uw a0,a1,a2', 'zext.w a0,a1', 'rev8 a0,a1'])
      .concat(['cbo.zero (a0)', 'cbo.inval (a0)', 'prefetch.i -32(a0)', 'prefetch.r 0(a0)', 'prefetch.w 2016(a0)'])
      .concat([
        'pause',
        'ntl.p1',
        'ntl.all',
        'wrs.nto',
        'wrs.sto',
        'amocas.w.aq a0,a1,(a2)',
        'amocas.q.aqrl a0,a2,(a4)',
      ])
      .concat(['sinval.vma a0,a1', 'sfence.w.inval', 'sfence.inval.ir', 'hinval.vvma a0,a1', 'hinval.gvma a0,a1']);
    expect(texts(same.join('\n'))).toEqual(same);
    expect(texts('c.addi16sp sp, -64\n c.lui a0, 0xfffff\n c.mv a0, a1\n c.jr ra\n bgt a0, a1, .+8')).toEqual([
      'addi sp,sp,-64',
      'lui a0,0xfffff',
      'mv a0,a1',
      'ret',
      'blt a1,a0,0x10',
    ]);
  });

  test.each([
    ['addi a0, a1, 2048', 'imm 2048 does not fit: expected -2048 … 2047'],
    ['frobnicate a0', 'unknown instruction'],
    ['add a0, a1', 'expected operands rd, rs1, rs2, found a0, a1'],
    ['add a0, a1, q7', 'q7 is no rs2'],
    ['c.lwsp zero, 0(sp)', 'these operands are reserved'],
    ['c.lw a0, 2(a1)', 'imm 2 has bits that the instruction cannot hold'],
    ['c.and t6, a0', 'rd 31 does not fit: expected x8 … x15'],
    ['amocas.q a1, a2, (a0)', 'these operands are reserved'],
    ['prefetch.r 33(a0)', '33 is no line'],
    ['j nowhere', 'nowhere is no target'],
    ['x: x: nop', 'label x is defined twice'],
    ['li a0, later\n later: nop', 'later is no value'],
    ['.zero 4\n .equ n, after\n .zero n\n after: nop', 'its length depends on a label that comes later'],
    ['.frob 1', 'unknown directive'],
  ])('%s is refused: %s', (source, reason) => {
    expect(() => assemble(source, 0)).toThrow(AssembleError);
    expect(() => assemble(source, 0)).toThrow(reason);
  });

  test('targets carry the names that the caller knows; illegal instructions print as data', () => {
    const symbolize = (address: bigint) => (address === 0x8000_0010n ? 'loop' : undefined);
    const [raw = 0] = instructions(assemble('j .+16', 0).bytes, 0n).map((i) => i.raw);
    expect(disassemble(raw, 0x8000_0000n, { symbolize })).toBe('j 0x80000010 <loop>');
    expect(disassemble(raw, 0x8000_0004n, { symbolize })).toBe('j 0x80000014');
    expect([disassemble(0x2001, 0n), disassemble(0xffff_ffff, 0n)]).toEqual(['.half 0x2001', '.word 0xffffffff']);
    expect(decode(0xffff_ffff)).toBeUndefined();
  });
});

describe('CSRs', () => {
  test('names and numbers are unique, and known ones are where the manual has them', () => {
    expect(new Set(CSRS.map((c) => c.number)).size).toBe(CSRS.length);
    expect(new Set(CSRS.map((c) => c.name)).size).toBe(CSRS.length);
    const known = {
      sstatus: 0x100,
      satp: 0x180,
      vsatp: 0x280,
      mstatus: 0x300,
      mtinst: 0x34a,
      mtval2: 0x34b,
      hgatp: 0x680,
    };
    for (const [name, number] of Object.entries(known)) expect(csrByName(name)?.number).toBe(number);
    expect(csrByNumber(0xc01)).toMatchObject({ number: 0xc01, name: 'time', privilege: 'U', readOnly: true });
    expect(csrByNumber(0x24d)).toMatchObject({ number: 0x24d, name: 'vstimecmp', privilege: 'H', readOnly: false });
    expect(csrByNumber(0xe12)).toMatchObject({ name: 'hgeip', readOnly: true });
    expect(csrByNumber(0x7ff)).toBeUndefined();
  });
});
