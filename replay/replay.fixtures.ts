/**
 * Small programs in machine code, machines to run them, and a way to change a recording: what the tests of recording,
 * replay and travel share. Used by tests only. The programs stay below 0x8000_1000; data starts at 0x8001_0000.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { assemble, type MachineConfig } from '../engine/index.ts';
import {
  createTraceWriter,
  type FullCheckpoint,
  openTrace,
  type Trace,
  type TraceHeaderFields,
} from '../traces/index.ts';
import type { RecordOptions } from './base/types.ts';
import { executable } from './bisect-testing.ts';
import { record } from './record/record.ts';

const CODE = 0x8000_0000;
export const DATA = 0x8001_0000;

/** Every hart counts, mixes its own page, traps every 64 rounds; hart 0 prints a letter and a note every 256. */
export const WORK = `
    la t0, handler
    csrw mtvec, t0
    csrr s2, mhartid
    slli t0, s2, 12
    li s0, ${DATA}
    add s0, s0, t0
    li s1, 0x10000000
    li s3, 0x100000
  loop:
    addi a0, a0, 1
    sd a0, 0(s0)
    ld a1, 8(s0)
    xor a2, a2, a1
    sd a2, 16(s0)
    andi a3, a0, 63
    bnez a3, loop
    ecall
    andi a3, a0, 255
    bnez a3, loop
    bnez s2, loop
    srli a4, a0, 8
    andi a4, a4, 15
    addi a4, a4, 65
    sb a4, 0(s1)
    li a5, 10
    sb a5, 0(s1)
    slli a4, a4, 16
    li a5, 0x1003
    or a4, a4, a5
    sw a4, 0(s3)
    j loop
    .balign 4
  handler:
    csrr t1, mepc
    addi t1, t1, 4
    csrw mepc, t1
    mret
`;

/** Echoes what is typed, asleep in between (no timer: the machine idles); 'q' ends the run. */
export const ECHO = `
    csrr t0, mhartid
    bnez t0, sleep
    li s0, 0x0c000000
    li t0, 1
    sw t0, 40(s0)
    li t0, 0x400
    li t1, 0x0c002000
    sw t0, 0(t1)
    li s3, 0x0c200000
    sw zero, 0(s3)
    li s1, 0x10000000
    li t0, 1
    sb t0, 1(s1)
    li t0, 0x800
    csrw mie, t0
    li s4, 0x71
    li t0, 0x3e
    sb t0, 0(s1)
  again:
    wfi
    lw s5, 4(s3)
  drain:
    lbu t2, 5(s1)
    andi t2, t2, 1
    beqz t2, done
    lbu a0, 0(s1)
    sb a0, 0(s1)
    bne a0, s4, drain
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
  done:
    sw s5, 4(s3)
    j again
  sleep:
    csrw mie, zero
    wfi
    j sleep
`;

/**
 * A hypervisor of few instructions: hart 0 enters VS-mode, whose code counts to a number that grows and calls; the
 * hypervisor handles the call and enters again. Other harts wait in HS-mode for a timer, which wakes them without a
 * trap.
 */
export const HYPERVISOR = `
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 31
    csrw pmpcfg0, t0
    li t0, 0x400
    csrw medeleg, t0
    li t0, 0x20
    csrw mideleg, t0
    csrw mie, t0
    li t0, 0x8000000000000000
    csrw menvcfg, t0
    li t0, 2
    csrw mcounteren, t0
    li t0, 0x800
    csrs mstatus, t0
    csrr a7, mhartid
    la t0, hypervisor
    csrw mepc, t0
    mret
  hypervisor:
    bnez a7, waiter
    la t0, handler
    csrw stvec, t0
    li t0, 0x180
    csrs hstatus, t0
    li t0, 0x100
    csrs sstatus, t0
    la t0, guest
    csrw sepc, t0
    li s0, 400
    sret
    .balign 4
  handler:
    csrr t1, sepc
    addi t1, t1, 4
    csrw sepc, t1
    sret
  guest:
    slli s0, s0, 1
    mv s1, s0
  count:
    addi s1, s1, -1
    bnez s1, count
    ecall
    j guest
  waiter:
    csrr t0, time
    addi t0, t0, 70
    csrw stimecmp, t0
    wfi
    addi s3, s3, 1
    j waiter
`;

/** A machine that runs a program on all its harts, in M-mode, without firmware. */
export const machineOf = (program: string, change: Partial<MachineConfig> = {}): MachineConfig => ({
  harts: 2,
  ramBytes: 4 << 20,
  quantum: { policy: 'jittered', ticks: 300, seed: 5n },
  bios: { name: 'test.elf', bytes: executable(CODE, assemble(program, CODE).bytes) },
  append: '',
  ...change,
});

/** A folder of its own for the traces of a test file. */
export function traceStore(): { path(): string; take(options: Partial<RecordOptions>): Promise<Trace> } {
  const folder = mkdtempSync(join(tmpdir(), 'dejavm-replay-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  let count = 0;
  const path = () => join(folder, `${count++}.djvm`);
  return {
    path,
    take: async (options) => openTrace((await record({ ...DEFAULTS, path: path(), ...options })).path),
  };
}

const DEFAULTS = {
  config: machineOf(WORK),
  planned: [],
  maxMoment: 20_000,
  digestEvery: 1000,
  checkpointEvery: 4000,
  commandLine: ['dejavm', 'record'],
} satisfies Omit<RecordOptions, 'path'>;

/** What is written instead of a trace's own. */
export interface Change extends Partial<Pick<Trace, 'inputs' | 'digests' | 'console' | 'notes' | 'end'>> {
  readonly header?: Partial<TraceHeaderFields>;
  readonly checkpoint?: (checkpoint: FullCheckpoint, n: number) => FullCheckpoint;
}

/** Writes a trace again with some of its records changed: its checksums are right, whatever its records say. */
export function rewrite(trace: Trace, path: string, change: Change): Trace {
  const images = trace.header.images.map(({ role }) => ({ role, ...trace.image(role)! }));
  const writer = createTraceWriter(path, { ...trace.header, ...change.header }, images);
  for (const record of change.inputs ?? trace.inputs) writer.input(record);
  for (const record of change.console ?? trace.console) writer.console(record);
  for (const record of change.notes ?? trace.notes) writer.note(record);
  for (const record of change.digests ?? trace.digests) writer.digest(record);
  let before: ReadonlyMap<number, unknown> = new Map();
  for (const n of trace.checkpoints.keys()) {
    const recorded = trace.checkpoint(n);
    const { pages, ...rest } = change.checkpoint?.(recorded, n) ?? recorded;
    const changed = [...pages].map(([index, page]) => ({ index, ...page }));
    writer.checkpoint({ ...rest, changed, cleared: [...before.keys()].filter((index) => !pages.has(index)) });
    before = pages;
  }
  const end = change.end ?? trace.end;
  if (end) writer.finish(end);
  else writer.abandon();
  return openTrace(path);
}
