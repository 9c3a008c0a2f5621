/**
 * Programs that call, recurse, trap and are interrupted on several harts, and a judge that executes a run tick by tick
 * and keeps each hart's frames: what the tests of moves share. Used by tests only.
 */
import { fc } from '@fast-check/vitest';
import { assemble, type MachineConfig } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import { executable } from '../bisect-testing.ts';
import { machineOf } from '../replay.fixtures.ts';
import { flowAt } from '../stack/index.ts';
import { createTracePlayer } from '../timeline/index.ts';

const CODE = 0x8000_0000;
const FUNCTIONS = 4;

/** `call` and `callr` (through a register): which function. */
type Piece = { readonly do: 'add' | 'ecall' | 'call' | 'callr'; readonly to: number };

/** A function is a leaf without a frame when it calls nothing. Calls end at a depth that main sets. */
export const arbitraryProgram = fc.record({
  functions: fc.array(
    fc.array(fc.record({ do: fc.constantFrom('add', 'ecall', 'call', 'callr'), to: fc.nat(FUNCTIONS - 1) }), {
      maxLength: 4,
    }),
    { minLength: FUNCTIONS, maxLength: FUNCTIONS },
  ),
  depth: fc.integer({ min: 1, max: 4 }),
  timer: fc.integer({ min: 150, max: 400 }),
});
type Program = typeof arbitraryProgram extends fc.Arbitrary<infer P> ? P : never;

export function configOf({ functions, depth, timer }: Program): MachineConfig {
  const source = `
  main:
    la t0, handler
    csrw mtvec, t0
    csrr t0, mhartid
    slli t1, t0, 3
    li s8, 0x02004000
    add s8, s8, t1
    slli t1, t0, 14
    li sp, 0x80018000
    add sp, sp, t1
    sd zero, 0(s8)
    li t0, 0x80
    csrw mie, t0
    csrsi mstatus, 8
  again:
    li s2, ${depth}
    jal ra, f0
    addi s1, s1, 1
    jal ra, f1
    j again
${functions.map(functionText).join('')}
    .balign 4
  handler:
    csrr s10, mcause
    bltz s10, timer
    csrr s10, mepc
    addi s10, s10, 4
    csrw mepc, s10
    mret
  timer:
    li s10, 0x0200bff8
    ld s11, 0(s10)
    addi s11, s11, ${timer}
    sd s11, 0(s8)
    mret
`;
  const { bytes, symbols } = assemble(source, CODE);
  const named = new Map([...symbols].filter(([name]) => /^(main|f\d|handler)$/.test(name)));
  return machineOf('nop', { bios: { name: 'calls.elf', bytes: executable(CODE, bytes, { symbols: named }) } });
}

function functionText(pieces: readonly Piece[], n: number): string {
  const isLeaf = pieces.every((piece) => piece.do === 'add' || piece.do === 'ecall');
  const body = pieces.map((piece, i) => {
    if (piece.do === 'add') return '    addi s1, s1, 1\n';
    if (piece.do === 'ecall') return '    ecall\n';
    const call = piece.do === 'call' ? `jal ra, f${piece.to}` : `la t1, f${piece.to}\n    c.jalr t1`;
    return `    addi s2, s2, -1\n    bltz s2, skip_${n}_${i}\n    ${call}\n  skip_${n}_${i}:\n    addi s2, s2, 1\n`;
  });
  const [enter, leave] = isLeaf
    ? ['', '']
    : ['    addi sp, sp, -16\n    sd ra, 0(sp)\n', '    ld ra, 0(sp)\n    addi sp, sp, 16\n'];
  return `  f${n}:\n${enter}${body.join('')}${leave}    ret\n`;
}

/** One call or trap, while it lasts. */
export interface JudgedFrame {
  readonly kind: 'start' | 'call' | 'ecall' | 'interrupt';
  readonly parent: JudgedFrame | undefined;
  /** Virtual time right before the call or trap. */
  readonly from: number;
  /** Virtual time right behind the return. */
  to?: number;
}

/** An instruction executed: retired, or trapped by itself. */
export interface Executed {
  readonly hart: number;
  readonly moment: number;
  readonly ticks: number;
  readonly pc: bigint;
  readonly retired: boolean;
  readonly flow: string;
  /** The frame that it belongs to. */
  readonly frame: JudgedFrame;
  /** The frame that it ends. */
  readonly ends?: JudgedFrame;
}

export interface Judged {
  readonly executed: readonly Executed[];
  /** The frame that a hart is in at a virtual time. */
  frameAt(hart: number, ticks: number): JudgedFrame;
  /** Of each position, its inputs applied, by virtual time. */
  readonly digests: ReadonlyMap<number, bigint>;
  /** Virtual time of the first position of each moment. */
  readonly firsts: ReadonlyMap<number, number>;
  /** Where traps are taken: virtual time right before. */
  readonly traps: readonly number[];
}

/** Executes a run tick by tick. */
export function judgeRun(trace: Trace): Judged {
  const player = createTracePlayer(trace);
  const { machine } = player;
  const executed: Executed[] = [];
  const traps: number[] = [];
  const digests = new Map<number, bigint>();
  const firsts = new Map<number, number>();
  const { harts } = machine.config;
  const changes = Array.from({ length: harts }, (): { from: number; frame: JudgedFrame }[] => [
    { from: 0, frame: { kind: 'start', parent: undefined, from: 0 } },
  ]);
  const frameOf = (hart: number) => changes[hart]!.at(-1)!.frame;
  const enter = (hart: number, kind: JudgedFrame['kind'], from: number) =>
    changes[hart]!.push({ from: from + 1, frame: { kind, parent: frameOf(hart), from } });
  player.toTicks(0, 'applied');
  for (;;) {
    const { moment, ticks } = machine;
    digests.set(ticks, machine.digest());
    if (!firsts.has(moment)) firsts.set(moment, ticks);
    if (ticks === trace.last.ticks) break;
    const { hart, pc } = machine.next();
    const flow = flowAt(machine, hart, pc)?.kind ?? 'other';
    let trap: { hart: number; interrupt: boolean; pc: bigint } | undefined;
    machine.onEvent = (event) => {
      if (event.kind === 'transition' && event.trap) trap = { ...event, interrupt: event.trap.interrupt };
    };
    player.toTicks(ticks + 1, 'applied');
    machine.onEvent = undefined;
    if (trap) {
      traps.push(ticks);
      if (!trap.interrupt) {
        executed.push({ hart, moment, ticks, pc, retired: false, flow, frame: frameOf(trap.hart) });
      }
      enter(trap.hart, trap.interrupt ? 'interrupt' : 'ecall', ticks);
    } else if (machine.moment > moment) {
      const frame = frameOf(hart);
      const isEnd = (flow === 'return' || flow === 'trap return') && frame.parent !== undefined;
      executed.push({ hart, moment, ticks, pc, retired: true, flow, frame, ...(isEnd && { ends: frame }) });
      if (flow === 'call') enter(hart, 'call', ticks);
      if (isEnd) {
        frame.to = ticks + 1;
        changes[hart]!.push({ from: ticks + 1, frame: frame.parent! });
      }
    }
  }
  return {
    executed,
    traps,
    digests,
    firsts,
    frameAt: (hart, ticks) => changes[hart]!.findLast(({ from }) => from <= ticks)!.frame,
  };
}
