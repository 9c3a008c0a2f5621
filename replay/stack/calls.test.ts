import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { assemble, type MachineConfig } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import { executable } from '../bisect-testing.ts';
import { machineOf, traceStore } from '../replay.fixtures.ts';
import { finish } from '../search/index.ts';
import { arbitraryProgram, configOf, type Judged, judgeRun } from '../session/calls.fixtures.ts';
import { parseExecutions } from '../session/index.ts';
import { openTimeline } from '../timeline/index.ts';
import { type FunctionCall, functionCalls } from './index.ts';

const store = traceStore();
const LAST = 2_000;
const CODE = 0x8000_0000;

function callsOf(trace: Trace, name: string, most = 10_000, untilReturned = true) {
  const run = openTimeline(trace);
  const { machine, symbols, last } = run;
  const before = machine.digest();
  const calls: FunctionCall[] = [];
  const entries = parseExecutions(name, { machine, symbols });
  run.seek(0, 'pending');
  const more = finish(
    functionCalls(run, entries, { ticks: last.ticks, here: 'applied' }, { calls, most, untilReturned }),
  );
  expect([machine.breakAt, machine.breakAtVirtual, machine.onEvent]).toEqual([undefined, [], undefined]);
  run.seek(0, 'pending');
  expect(machine.digest()).toBe(before);
  return { calls, more };
}

interface JudgedCall {
  readonly ticks: number;
  readonly hart: number;
  readonly end: { readonly ticks: number; readonly hart: number; readonly instructions: number } | undefined;
}

/** What single steps say: when each was entered, and when and on which hart it was back. */
function judgedCalls({ executed }: Judged, entry: bigint): JudgedCall[] {
  return executed.flatMap((first, n): JudgedCall[] => {
    const { frame, hart, ticks } = first;
    const isFirst = frame.kind === 'call' && executed.findIndex((e) => e.frame === frame) === n;
    if (!isFirst || first.pc !== entry) return [];
    const { to = Number.POSITIVE_INFINITY, parent } = frame;
    const back = executed.find((e) => e.frame === parent && e.ticks >= to);
    if (!back) return [{ ticks, hart, end: undefined }];
    const meanwhile = executed.filter((e) => e.hart === hart && e.retired && e.ticks >= ticks && e.ticks < back.ticks);
    return [{ ticks, hart, end: { ticks: back.ticks, hart, instructions: meanwhile.length } }];
  });
}

describe('calls of a function', () => {
  it('are those of single steps, for recursions, traps and interrupts on several harts', async () => {
    let seen = 0;
    await fc.assert(
      fc.asyncProperty(arbitraryProgram, async (program) => {
        const trace = await store.take({
          config: configOf(program),
          maxMoment: LAST,
          checkpointEvery: 700,
          digestEvery: 500,
        });
        const judged = judgeRun(trace);
        const { symbols } = openTimeline(trace);
        for (const name of ['f0', 'f1', 'f2', 'f3']) {
          const expected = judgedCalls(judged, symbols.firmware.address(name)!);
          const { calls, more } = callsOf(trace, name);
          expect(more).toBe(false);
          expect(calls.map(({ by }) => by)).toEqual(calls.map(() => 'call'));
          const found = calls.map(({ ticks, hart, end }) => {
            if (end.kind !== 'returned') return { ticks, hart, end: end.kind === 'open' ? undefined : end };
            return { ticks, hart, end: { ticks: end.ticks, hart: end.hart, instructions: end.instructions } };
          });
          expect(found).toEqual(expected);
          seen += calls.length;
        }
      }),
      { numRuns: 5, endOnFailure: true },
    );
    expect(seen).toBeGreaterThan(50);
  });
});

function programOf(source: string, harts = 1): MachineConfig {
  const { bytes, symbols } = assemble(source, CODE);
  const named = new Map([...symbols].filter(([name]) => !name.startsWith('in_')));
  const bios = { name: 'program.elf', bytes: executable(CODE, bytes, { symbols: named }) };
  return machineOf('nop', { bios, harts });
}

const take = (source: string, harts = 1) =>
  store.take({ config: programOf(source, harts), maxMoment: harts * harts * 1_000 });

describe('a call', () => {
  it('that a jump makes returns with the one that it is the tail of', async () => {
    const { calls } = callsOf(
      await take(`
  main:
    li sp, 0x80018000
    li a0, 7
    li a1, 0
    jal ra, outer
    li a0, 9
    jal ra, inner
  in_end:
    j in_end
  outer:
    addi a0, a0, 1
    j inner
  inner:
    addi a0, a0, 2
    ret
`),
      'inner',
    );
    expect(calls.map(({ by, arguments: [a0], end }) => [by, a0, end])).toMatchObject([
      ['jump', 8n, { kind: 'returned', results: [10n, 0n], instructions: 2 }],
      ['call', 9n, { kind: 'returned', results: [11n, 0n], instructions: 2 }],
    ]);
  });

  it('is told from a loop back to the first instruction, and from a call in place of one that was given up', async () => {
    const { calls } = callsOf(
      await take(`
  main:
    li sp, 0x80018000
    li a0, 3
  in_again:
    jal ra, counted
    li a0, 2
    j in_again
  counted:
    addi a0, a0, -1
    bnez a0, counted
    addi s1, s1, 1
    li t0, 2
    beq s1, t0, in_jump_away
    ret
  in_jump_away:
    li a0, 1
    j in_again
`),
      'counted',
    );
    expect(calls.slice(0, 6).map(({ by, end }) => [by, end.kind])).toEqual([
      ['call', 'returned'],
      ['jump', 'returned'],
      ['jump', 'returned'],
      ['call', 'abandoned'],
      ['jump', 'abandoned'],
      ['call', 'returned'],
    ]);
    expect(calls[3]!.end).toMatchObject({ moment: calls[5]!.moment });
  });

  it('that never returns is open, one without a call before it has no known end', async () => {
    const trace = await take(`
  main:
    li sp, 0x80018000
    la t0, handler
    csrw mtvec, t0
    jal ra, stuck
  stuck:
    ecall
    j stuck
    .balign 4
  handler:
    csrr t1, mepc
    addi t1, t1, 4
    csrw mepc, t1
    mret
`);
    const { calls } = callsOf(trace, 'stuck');
    expect(calls[0]).toMatchObject({ by: 'call', end: { kind: 'open' } });
    expect(calls[1]!.by).toBe('jump');
    expect(callsOf(trace, 'main').calls).toMatchObject([{ by: 'entry', end: { kind: 'unknown' } }]);
    const { calls: two, more } = callsOf(trace, 'stuck', 2);
    expect([two.length, more]).toEqual([2, true]);
  });

  it('may return on another hart, to which a kernel has moved its thread', async () => {
    const trace = await take(
      `
  main:
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 31
    csrw pmpcfg0, t0
    la t0, kernel
    csrw mepc, t0
    li t0, 0x800
    csrs mstatus, t0
    csrr a0, mhartid
    li s0, 0x80010000
    mret
  kernel:
    bnez a0, in_wait
    li sp, 0x80018000
    jal ra, moved
    j in_done
  moved:
    sd ra, 0(s0)
    sd sp, 8(s0)
  in_stay:
    j in_stay
  in_wait:
    li sp, 0x80019000
    jal ra, moving
  moving:
    ld ra, 0(s0)
    beqz ra, moving
    ld sp, 8(s0)
    beqz sp, moving
    li a0, 5
    ret
  in_done:
    j in_done
`,
      2,
    );
    const { calls } = callsOf(trace, 'moved');
    expect(calls).toMatchObject([
      { hart: 0, mode: 'HS', end: { kind: 'returned', hart: 1, results: [5n, calls[0]!.arguments[1]] } },
    ]);
    expect(calls[0]!.end).not.toHaveProperty('instructions');
  });
});
