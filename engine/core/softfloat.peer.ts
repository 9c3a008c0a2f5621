/**
 * Every floating-point computation against QEMU: one bare-metal program reads thousands of cases (an instruction, its
 * operands, fcsr), writes each instruction over its own code, and records what it left in the registers and fcsr. QEMU
 * sends the record out of the serial port, ours is read from RAM. Needs Debian's qemu-system-misc.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { assemble, INSTRUCTIONS, type Instruction, insertOperands } from '../isa/index.ts';
import { boxed, integers, numbers } from './float-arbitraries.ts';
import { CONSTANTS } from './layout/index.ts';
import { Bed, RAM } from './testbed.ts';

const folder = mkdtempSync(`${tmpdir()}/dejavm-softfloat-`);
afterAll(() => rmSync(folder, { recursive: true }));

const CASES = 40_000;
const SEED = 20260301;
/** Bytes of a case: f1, f2, f3, a1, fcsr, instruction; and of its outcome: f4, a0, fcsr. */
const CASE_BYTES = 48;
const OUTCOME_BYTES = 24;
const INPUTS = 0x1000;
const OUTPUTS = INPUTS + CASES * CASE_BYTES;

const program = `
start:
  li t0, 0x6000
  csrs mstatus, t0
  li s0, ${RAM + BigInt(INPUTS)}
  li s1, ${RAM + BigInt(OUTPUTS)}
  li s2, ${CASES}
  la s3, patch
loop:
  fld f1, 0(s0)
  fld f2, 8(s0)
  fld f3, 16(s0)
  ld a1, 24(s0)
  ld t0, 32(s0)
  csrw fcsr, t0
  lw t0, 40(s0)
  sw t0, 0(s3)
  fence.i
patch:
  nop
  fsd f4, 0(s1)
  sd a0, 8(s1)
  csrr t0, fcsr
  sd t0, 16(s1)
  addi s0, s0, ${CASE_BYTES}
  addi s1, s1, ${OUTCOME_BYTES}
  addi s2, s2, -1
  bnez s2, loop
finish:
  li s0, ${RAM + BigInt(OUTPUTS)}
  li t1, 0x10000000
send:
  lbu t0, 5(t1)
  andi t0, t0, 0x20
  beqz t0, send
  lbu t0, 0(s0)
  sb t0, 0(t1)
  addi s0, s0, 1
  bltu s0, s1, send
  li t0, 0x5555
  li t1, 0x100000
  sw t0, 0(t1)
stop:
  j stop`;

const ROWS = INSTRUCTIONS.filter(
  (row) => (row.extension === 'F' || row.extension === 'D') && /^f(?!(lw|ld|sw|sd)$)/.test(row.name),
);

interface Case {
  readonly row: Instruction;
  readonly raw: number;
  readonly words: readonly bigint[];
}

/** Singles mostly in their box, sometimes out of it, and doubles where singles are expected. */
const operand = (row: Instruction) => {
  const single = numbers('s').map((bits) => boxed(bits, 's'));
  const [often, seldom] =
    /\.s(\.|$)/.test(row.name) && row.name !== 'fcvt.s.d' ? [single, numbers('d')] : [numbers('d'), single];
  return fc.oneof({ weight: 12, arbitrary: often }, { weight: 1, arbitrary: seldom });
};

const caseOf = (row: Instruction): fc.Arbitrary<Case> => {
  const takesInteger = row.syntax.startsWith('frd, rs1');
  const toInteger = row.syntax.startsWith('rd');
  return fc
    .tuple(
      operand(row),
      operand(row),
      operand(row),
      integers,
      fc.constantFrom(0, 1, 2, 3, 4, 7, 7),
      fc.nat(4),
      fc.nat(31),
    )
    .map(([a, b, c, x, rm, frm, flags]) => {
      const operands = { rd: toInteger ? 10 : 4, rs1: takesInteger ? 11 : 1, rs2: 2, rs3: 3, imm: rm };
      const raw = insertOperands(row.encoding, operands) as number;
      return { row, raw, words: [a, b, c, x, BigInt((frm << 5) | flags), BigInt(raw)] };
    });
};

function image(cases: readonly Case[]): Uint8Array {
  const bytes = new Uint8Array(OUTPUTS);
  bytes.set(assemble(program, RAM).bytes);
  const view = new DataView(bytes.buffer);
  for (const [index, { words }] of cases.entries()) {
    for (const [n, word] of words.entries()) view.setBigUint64(INPUTS + index * CASE_BYTES + 8 * n, word, true);
  }
  return bytes;
}

function onQemu(bytes: Uint8Array): Uint8Array {
  writeFileSync(`${folder}/cases.bin`, bytes);
  const machine = '-M virt -cpu rv64 -m 32 -display none -monitor none'.split(' ');
  const files = ['-bios', `${folder}/cases.bin`, '-serial', `file:${folder}/outcomes.bin`];
  execFileSync('qemu-system-riscv64', [...machine, ...files], { timeout: 900_000 });
  return readFileSync(`${folder}/outcomes.bin`);
}

function onOurs(bytes: Uint8Array): Uint8Array {
  const bed = new Bed({ ramBytes: 8 << 20 });
  bed.core.writeRam(Number(RAM), bytes);
  const { symbols } = assemble(program, RAM);
  const at = (name: string) => symbols.get(name) ?? 0n;
  bed.enter('M', RAM);
  // Instructions before the loop, and those of every round.
  bed.run(Number((at('loop') - at('start') + (at('finish') - at('loop')) * BigInt(CASES)) / 4n));
  expect(bed.pc()).toBe(at('finish'));
  return bed.core.readRam(CONSTANTS.RAM_BASE + OUTPUTS, CASES * OUTCOME_BYTES);
}

test('the same registers and flags as QEMU, for every instruction, rounding mode and kind of operand', () => {
  expect(ROWS.length).toBe(58);
  const cases = ROWS.flatMap((row, index) =>
    fc.sample(caseOf(row), { numRuns: Math.ceil(CASES / ROWS.length), seed: SEED + index }),
  ).slice(0, CASES);
  expect(cases.length).toBe(CASES);
  const bytes = image(cases);
  const [theirs, ours] = [onQemu(bytes), onOurs(bytes)];
  expect(theirs.length).toBe(ours.length);
  const differing = cases.flatMap(({ row, words }, index) => {
    const outcome = (of: Uint8Array) =>
      Buffer.from(of.subarray(index * OUTCOME_BYTES, (index + 1) * OUTCOME_BYTES)).toString('hex');
    if (outcome(ours) === outcome(theirs)) return [];
    return [`${row.name} ${words.map((word) => word.toString(16))}: ours ${outcome(ours)}, QEMU ${outcome(theirs)}`];
  });
  expect(differing.slice(0, 10)).toEqual([]);
});
