/**
 * MIPS of the interpreter on a floating-point loop in M-mode: loads, stores, additions, multiplications, a division,
 * and compare and branch; once where host arithmetic may stand in (round to nearest even) and once where every
 * operation is soft-float (round to nearest, ties away), and the same with fused multiply-adds, which are always soft.
 * Prints medians by processor time. Run: node engine/bench/float.ts [rounds]
 */
import { type Core, createCore } from '../core/index.ts';
import { CONSTANTS } from '../core/layout/layout.ts';
import { assemble } from '../isa/index.ts';

const RAM = CONSTANTS.RAM_BASE;
const ROUND = 20_000_000;

/** A recurrence over a table of 512 doubles; values stay around 1. */
const loop = (frm: number, fused: boolean) => `
  li t0, 0x6000
  csrs mstatus, t0
  li t0, ${(frm << 5) | 1}
  csrw fcsr, t0
  li s0, ${RAM + 0x10000}
  li s1, 4088
  li t0, 3
  fcvt.d.w fs0, t0
  li t0, 1
  fcvt.d.w fs1, t0
  fdiv.d fs2, fs1, fs0
  fmv.d fa0, fs2
again:
  andi t1, a1, 511
  slli t1, t1, 3
  add t1, t1, s0
  fld fa1, 0(t1)
  ${fused ? 'fmadd.d fa2, fa1, fs2, fa0\n fmsub.d fa3, fa2, fs2, fs1' : 'fmul.d fa2, fa1, fs2\n fadd.d fa2, fa2, fa0\n fmul.d fa3, fa2, fs2\n fsub.d fa3, fa3, fs1'}
  fdiv.d fa4, fa3, fs0
  fsub.d fa0, fs2, fa4
  fsd fa0, 0(t1)
  flt.d t2, fa0, fs1
  add a2, a2, t2
  addi a1, a1, 1
  bnez t2, again
  j again`;

/** A core about to run the loop. */
export function boot(frm: number, fused: boolean): Core {
  const imports = { mmioLoad: () => 0, mmioStore: () => 0, deviceTick: () => {} };
  const core = createCore({ ramBytes: 2 ** 20, hartCount: 1, imports });
  core.writeRam(RAM, assemble(loop(frm, fused), RAM).bytes);
  core.setHart(0, 'pc', BigInt(RAM));
  core.setMachine('quantumTicks', 100_000n);
  core.setMachine('stopTicks', -1n);
  return core;
}

/** Runs so many instructions more. @throws Error when it stops for anything else (ours: the loop is wrong). */
export function advance(core: Core, instructions: number): void {
  core.setMachine('stopMoment', core.machine('moment') + BigInt(instructions));
  if (core.arch.run() !== CONSTANTS.STOP_MOMENT) throw new Error(`bench: stopped at ${core.hart(0, 'pc')}`);
}

function measure(frm: number, fused: boolean, rounds: number): number {
  const core = boot(frm, fused);
  advance(core, ROUND);
  const mips = Array.from({ length: rounds }, () => {
    const before = process.cpuUsage();
    advance(core, ROUND);
    const { user, system } = process.cpuUsage(before);
    return ROUND / (user + system);
  });
  return mips.sort((a, b) => a - b)[rounds >> 1] ?? 0;
}

if (import.meta.main) {
  const rounds = Number(process.argv[2] ?? 5);
  for (const [name, frm, fused] of [
    ['host where exact', 0, false],
    ['soft-float only', 4, false],
    ['fused, host where exact', 0, true],
    ['fused, soft-float only', 4, true],
  ] as const) {
    process.stdout.write(`${name}: ${measure(frm, fused, rounds).toFixed(0)} MIPS by processor time\n`);
  }
}
