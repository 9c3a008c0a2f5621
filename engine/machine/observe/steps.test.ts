/** Every kind of instruction, access and trap: what the log says of it against a judge that goes tick by tick. */
import { describe, expect, it } from 'vitest';
import { createMachine } from '../machine.ts';
import { BUSY, smallConfig } from '../testing.ts';
import type { MachineConfig } from '../types.ts';
import { Steps } from './steps.ts';
import { judged, type Outside, recordsOf, runTo, toldBy } from './steps-testing.ts';

const DATA = 0x8010_0000;

/** The log of a run from its first instruction in RAM, compared with the judge's, and the run with one without. */
function compare(config: MachineConfig, ticks = 200, outside: readonly Outside[] = []): string[] {
  const machine = createMachine(config);
  const told = toldBy(new Steps(recordsOf(machine, () => runTo(machine, ticks, outside))));
  const plain = createMachine(config);
  runTo(plain, ticks, outside);
  expect(machine.digest()).toBe(plain.digest());
  expect(told).toEqual(judged(config, ticks, outside));
  return told.flatMap(({ what, accesses }) => [what, ...accesses]);
}

const START = `li s0, ${DATA}\nla t0, handler\ncsrw mtvec, t0\nli t0, 0x6000\ncsrs mstatus, t0\n`;
/** Goes on behind what trapped, if it was four bytes long. */
const END = `j .\n.balign 4\nhandler: csrr t3, mepc\naddi t3, t3, 4\ncsrw mepc, t3\nmret`;
/** Of a program, several instructions a line. */
const toldOf = (source: string, ticks?: number) =>
  compare(smallConfig(`${START}${source.replaceAll(';', '\n')}\n${END}`), ticks);

describe('the log says what a judge finds', () => {
  it.each<[what: string, source: string, some: readonly string[]]>([
    [
      'of stores of all sizes',
      'li t0, -2\nsd t0, 0(s0)\nsw zero, 4(s0)\nsh zero, 2(s0)\nsb t0, 9(s0)',
      ['store 80100000+8 0→fffffffffffffffe', 'store 80100002+2 ffff→0', 'store 80100009+1 0→fe'],
    ],
    [
      'of loads of all sizes',
      `li t0, -2; sd t0, 0(s0); ld t1, 0(s0); lw t1, 0(s0); lwu t1, 4(s0); lh t1, 0(s0); lhu t1, 0(s0)
       lb t1, 0(s0); lbu t1, 1(s0)`,
      ['load 80100000+8 fffffffffffffffe', 'load 80100000+1 fe', ' → 6=ffff', ' → 6=ff\n'],
    ],
    [
      'of misaligned ones',
      'li t0, 0x123456789\nsd t0, 5(s0)\nld t1, 5(s0)\nlh t1, 7(s0)',
      ['store 80100005+8 0→123456789', 'load 80100007+2 2345'],
    ],
    [
      'of those across pages, byte by byte',
      `li t1, 4092; add s1, s0, t1; li t0, 0x123456789; sd t0, 1(s1); ld t1, 1(s1); lw t1, 2(s1); sh t0, 3(s1)
       ld t1, 1(s1)`,
      ['store 80100fff+1 0→45\nstore 80101000+1 0→23', 'load 80100fff+1 45\nload 80101000+1 23'],
    ],
    [
      'of atomics',
      `li t0, -3; amoadd.w t1, t0, (s0); amoswap.d t1, s0, (s0); amomaxu.w t1, t0, (s0); amoxor.d t0, t0, (s0)`,
      ['load 80100000+4 0\nstore 80100000+4 0→fffffffd'],
    ],
    [
      'of LR and SC, successful or not',
      `li t0, 7; lr.d t1, (s0); sc.d t2, t0, (s0); sc.d t2, zero, (s0); lr.w t1, (s0); sc.w t2, t0, (s0)
       addi s1, s0, 8; lr.w t1, (s0); sc.w t2, t0, (s1)`,
      [' → 7=0\nstore 80100000+8 0→7', ' → 7=1\n'],
    ],
    [
      'of compare and swap, whose destination is a source',
      `li t0, 5; li t1, 1; amocas.d t1, t0, (s0); amocas.d t1, t0, (s0); amocas.w t1, zero, (s0)
       amocas.q a2, a4, (s0); li a2, 1; li a4, 9; li a5, 8; amocas.q a2, a4, (s0); li a2, 5
       amocas.q a2, a4, (s0); li a3, 8; li a2, 9; amocas.q a2, zero, (s0)`,
      [' 6=0 → 6=0\nload 80100000+8 0\nstore 80100000+8 0→5', 'load 80100008+8 0\nstore'],
    ],
    [
      'of blocks of zeros',
      'li t0, 9\nsd t0, 8(s0)\nsd t0, 56(s0)\naddi s1, s0, 40\ncbo.zero (s1)\ncbo.clean (s1)',
      ['store 80100000+8 0→0\nstore 80100008+8 9→0\nstore 80100010+8 0→0', 'store 80100038+8 9→0'],
    ],
    [
      'of floating point, with three sources',
      `li t0, 3; fcvt.d.l f1, t0; fcvt.s.l f2, t0; fmadd.d f3, f1, f1, f1; fnmsub.s f4, f2, f2, f2
       fdiv.d f5, f1, f3; fsd f3, 0(s0); fsw f4, 12(s0); fld f6, 0(s0); flw f7, 0(s0); feq.d t1, f1, f1
       fmv.x.d t2, f7; fsgnjn.d f31, f1, f1; csrr t1, fcsr; fsrm t1, t0; csrwi fflags, 3`,
      [' 33=4008000000000000 33=4008000000000000 33=4008000000000000 → 35=4028000000000000', ' → 39=ffffffff'],
    ],
    [
      'of compressed forms',
      `c.li a0, 3; c.sd a0, 8(s0); c.ld a1, 8(s0); c.lw a2, 8(s0); c.mv a3, a0; c.add a3, a0; c.addi a3, 4
       c.slli a3, 2; mv sp, s0; c.sdsp a0, 16(sp); c.ldsp a4, 16(sp); c.addi4spn a5, sp, 8; c.fsd f8, 24(s0)
       c.fld f9, 24(s0); c.beqz a0, one; c.j one; c.li a6, 1; one: c.li a6, 1`,
      ['10=3\n', 'store 80100008+8 0→3', ' → 41=0'],
    ],
    [
      'of CSRs, read and written',
      `li t0, 0xaa; csrw mscratch, t0; csrr t1, mscratch; csrrs t1, mscratch, s0; csrrci t1, mscratch, 2
       csrrsi t1, mscratch, 0; csrw mstatus, zero; csrw satp, t0; csrw mie, t0; li t1, 512; csrs mip, t1
       csrr t2, mip; csrr t2, time; csrr t2, instret; csrw mepc, t0`,
      ['csr 340 0→aa', 'csr 340 aa\n', 'csr 340 aa→801000aa', 'csr c01'],
    ],
    [
      'of branches, jumps and calls',
      `li t0, 2; one: addi t0, t0, -1; bnez t0, one; jal t1, two; nop; two: la t2, three; jalr ra, 0(t2); nop
       three: beq t0, t2, one; blt t0, t2, four; nop; four: auipc t0, 5`,
      [' → 6=8000', ' → 1=8000'],
    ],
    [
      'of traps: ecall, ebreak, illegal ones, faults',
      `ecall; ebreak; .word 0; .word 0xffffffff; csrw mhartid, t0; csrr t0, 0x5ff; li t0, 0x40000000
       ld t1, (t0); sd t1, (t0); li t0, 0x1000; sd t1, (t0); amoadd.w t1, t1, (t0); li t0, 0x10000001
       lw t1, (t0); lr.d t1, (t0); sc.d t1, t1, (t0); cbo.zero (t0); li t1, 0x6000; csrc mstatus, t1
       fadd.d f1, f1, f1; fmadd.d f1, f1, f2, f3`,
      ['trap b tval 0', ' trapped\ntrap 3', 'trap 2 tval', 'trap 5 tval 40000000', 'trap 7 tval 1000'],
    ],
    [
      'of fetches that fault: nothing is said of the instruction that is not there',
      `la t0, one; csrw mtvec, t0; li t0, 0x40000000; jr t0; .balign 4; one: la t0, handler; csrw mtvec, t0
       ld t1, (s0); li t0, 0x10000000; csrw mepc, t0; li t2, 1; la t0, two; csrw mtvec, t0; mret; .balign 4
       two: nop`,
      ['\ntrap 1 tval 40000000'],
    ],
    [
      'of devices',
      `li s1, 0x10000000; li t0, 77; sb t0, 7(s1); lbu t1, 7(s1); lbu t1, 5(s1); li s1, 0x2004000; sd t0, (s1)
       ld t1, (s1); sw zero, 4(s1); lw t1, 4(s1); sw t0, 1(s1)`,
      ['device-store 10000007+1 4d', 'device-load 10000007+1 4d', 'device-load 2004000+8 4d', 'trap 7 '],
    ],
    [
      'of ROM and of code that changes itself',
      `li t0, 0x1018; ld t1, (t0); lh t1, 3(t0); la t0, one; lw t1, (t0); la t2, two; li t3, 2
       two: addi t3, t3, -1; sw t1, (t2); one: nop; bnez t3, two; nop`,
      ['load 1018+8 80000000', '13 in 8000'],
    ],
    [
      'of instructions that cross a page',
      `la t0, one; jr t0; .balign 4096; .zero 4090; one: c.li a6, 1; c.li a6, 1; ld t1, (s0); c.li a6, 1; j two
       two: la t0, one; addi t5, t5, 1; li t6, 3; bne t5, t6, three; j .; three: jr t0`,
      ['43303 in 80001ffe'],
    ],
    ['of hints, fences and no-ops', 'fence\nfence.i\nsfence.vma\nwrs.nto\npause\nadd zero, s0, s0\nlui zero, 5', []],
  ])('%s', (_what, source, some) => {
    const told = toldOf(source).join('\n');
    expect(some.filter((one) => !told.includes(one))).toEqual([]);
  });

  it('of several harts, timers, waiting and devices that act', () => {
    const busy = smallConfig(BUSY, { harts: 3, quantum: { policy: 'jittered', ticks: 64, seed: 3n } });
    const typed: Outside[] = [300, 900].map((ticks) => ({
      ticks,
      act: (machine) => machine.apply({ kind: 'console', bytes: Uint8Array.of(65, 66) }),
    }));
    const told = compare(busy, 4000, typed).join('\n');
    expect(told).toContain('trap 80000007 tval 0');
    expect(told).toContain('device-load 10000000+1 41');
  });

  it('of harts that wait for an interrupt', () => {
    const sleep = `li s1, 0x200bff8; ld t0, (s1); addi t0, t0, 2; li s1, 0x2004000; sd t0, (s1); li t0, 128
      csrw mie, t0; csrsi mstatus, 8; la t0, one; csrw mtvec, t0; wfi; nop; j .; .balign 4
      one: li t0, -1; sd t0, (s1); mret`;
    expect(toldOf(sleep, 600).join('\n')).toContain('trap 80000007');
  });

  it('of a guest behind two stages of translation: physical addresses; and of its hypervisor', () => {
    const told = compare(smallConfig(GUEST), 400).join('\n');
    const some = [
      'store 80100100+8 0→', // at 0x4010_0100, by either stage
      'load 80100100+8',
      'trap a tval 0', // ecall from VS
      'trap d tval 8', // load page fault
      'trap 15 tval c0000008 gpa 30000002', // load guest-page fault
      'trap 16 tval', // virtual instruction
      'trap 17 tval c0000010 gpa 30000004', // of HSV
      'store 80100208+4 0→', // by HSV
      'trap 80000002 tval 0 gpa 0 → VS',
      'trap c tval 0 gpa 0', // fetch page fault
    ];
    expect(some.filter((one) => !told.includes(one))).toEqual([]);
    expect(told).not.toMatch(/trapped\ntrap c /);
  });
});

/** Tables of both stages, a guest in VS-mode, and HS-mode that reaches into it; M-mode goes on behind what traps. */
const GUEST = `${START}
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  # Gigapages: 1 GiB and 2 GiB lead to RAM in both stages, 3 GiB leads nowhere behind the first; A and D are to be set.
  li s1, ${DATA + 0x1000}
  li s2, ${DATA + 0x4000}
  li t0, ${((0x4000_0000 >> 12) << 10) | 0x0f}
  sd t0, 8(s1)
  li t0, ${((0x8000_0000 >>> 12) << 10) | 0xcf}
  sd t0, 16(s1)
  li t0, ${((0xc000_0000 >>> 12) << 10) | 0xcf}
  sd t0, 24(s1)
  li t0, ${((0x8000_0000 >>> 12) << 10) | 0x1f}
  sd t0, 8(s2)
  sd t0, 16(s2)
  li t0, ${(8n << 60n) | (5n << 44n) | BigInt((DATA + 0x4000) >>> 12)}
  csrw hgatp, t0
  li t0, ${(8n << 60n) | BigInt((DATA + 0x1000) >>> 12)}
  csrw vsatp, t0
  li t0, 4
  csrw hideleg, t0
  li t0, ${0x6000 | 0x800}
  csrw vsstatus, zero
  csrs mstatus, t0
  la t0, hyper
  csrw mepc, t0
  mret
  .balign 4
  hyper:
  li t0, 0x180
  csrs hstatus, t0
  li s3, 0x40100200
  li t0, 0x1234
  addi s4, s3, 8
  hsv.w t0, (s4)
  hlv.d t1, (s4)
  hlv.bu t1, (s4)
  hlvx.hu t1, (s4)
  li s5, 0xc0000010
  hsv.d t0, (s5)
  hlv.w t1, (s5)
  csrr t2, vsatp
  li t0, 4
  csrw hvip, t0
  la t0, vector
  csrw vstvec, t0
  li t0, 2
  csrw vsie, t0
  csrw vsstatus, t0
  la t0, inside
  csrw sepc, t0
  li t0, 0x100
  csrs sstatus, t0
  sret
  .balign 4
  vector:
  csrci sip, 2
  csrr t2, scause
  csrr t2, sepc
  sret
  .balign 4
  inside:
  li s3, 0x40100100
  sd s3, 0(s3)
  ld t1, 0(s3)
  lhu t1, 1(s3)
  amoadd.w t1, t1, (s3)
  lr.d t1, (s3)
  sc.d t1, t1, (s3)
  li t0, 0x40100ffd
  sd t1, (t0)
  ld t1, (t0)
  ecall
  li t0, 8
  ld t1, (t0)
  li t0, 0xc0000008
  ld t1, (t0)
  csrr t1, hstatus
  hfence.gvma
  csrw sscratch, t0
  csrr t1, sscratch
  csrr t1, sstatus
  jr zero
  ${END}`;
