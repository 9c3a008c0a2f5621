/**
 * Chains through what is the same in both runs but for its time, through CSRs that show parts of others or which
 * interrupts are pending, and through entries of page tables by which an instruction could be fetched in one run only.
 */
import { describe, expect, it } from 'vitest';
import { CLINT, type Fault } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import type { PlannedInput } from '../base/types.ts';
import { inputsFromTrace } from '../container/config.ts';
import { DATA, machineOf, traceStore } from '../replay.fixtures.ts';
import { finish } from '../search/index.ts';
import { openTimeline } from '../timeline/index.ts';
import { type Cause, questionOfOutput, type WhyAnswer, why } from './index.ts';
import { flipBack } from './why.fixtures.ts';

const store = traceStore();

/** Hart 0 works for a while, comes to a number in `a2`, and prints a letter for it. */
const printing = (setup: string, number: string) => `
    csrr t0, mhartid
    bnez t0, other
    li s1, 0x10000000
    li s2, 0x100000
    ${setup}
    li t1, 400
  work:
    addi t1, t1, -1
    bnez t1, work
    ${number}
    andi a2, a2, 15
    addi a2, a2, 65
    sb a2, 0(s1)
    li a7, 10
    sb a7, 0(s1)
    li t0, 0x5555
    sw t0, 0(s2)
    j .
  other:
    csrw mie, zero
    wfi
    j other
`;
const AT = 200;

/** The number is 2 when S-mode can fetch by the entry of the page table that maps all code, and 7 when it cannot. */
const ENTRY = DATA + 0x1010;
const fetching = (flags: number) =>
  printing(
    `li s0, ${ENTRY}
    li t0, ${0x2000_0000 + flags}
    sd t0, 0(s0)
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 31
    csrw pmpcfg0, t0
    la t0, unfetched
    csrw mtvec, t0
    la t0, fetched
    csrw mepc, t0
    li t0, 0x800
    csrw mstatus, t0`,
    `li t0, ${(8n << 60n) | BigInt(ENTRY >>> 12)}
    csrw satp, t0
    sfence.vma
    mret
    .balign 4
  fetched:
    li a2, 2
    ecall
    .balign 4
  unfetched:
    csrr t0, mcause
    addi t0, t0, -9
    beqz t0, show
    li a2, 7
  show:`,
  );

describe('a letter that comes out wrong', () => {
  it.each<[name: string, program: string, spec: Fault, cause: Partial<Cause>]>([
    [
      'for a time that is read, which another path to it made later',
      printing('', 'csrr a2, time\nsrli a2, a2, 2'),
      { model: 'register', hart: 0, register: 6, bit: 10 },
      { kind: 'register', what: 't1', bits: [10] },
    ],
    [
      'for a CSR that shows bits of another one, in which a bit flipped',
      printing('li t0, 0x222\ncsrw mideleg, t0\nli t0, 32\ncsrw sie, t0', 'csrr a2, sie\nsrli a2, a2, 5'),
      { model: 'csr', hart: 0, csr: 'sie', bit: 5 },
      { kind: 'csr', what: 'sie', before: 32n, after: 0n, bits: [5] },
    ],
    [
      'for a CSR in which a bit flipped, and which was written through another one',
      printing('li t0, 0x222\ncsrw mideleg, t0\nli t0, 32\ncsrw sie, t0', 'csrr a2, mie\nsrli a2, a2, 5'),
      { model: 'csr', hart: 0, csr: 'sie', bit: 5 },
      { kind: 'csr', what: 'mie', before: 32n, after: 0n, bits: [5] },
    ],
    [
      'for an instruction that cannot be fetched any more, by an entry in which a bit flipped',
      fetching(0xcf),
      { model: 'memory', paddr: ENTRY, bit: 3 },
      { kind: 'memory', what: `[0x${ENTRY.toString(16)}]:1`, before: 0xcfn, after: 0xc7n, bits: [3] },
    ],
    [
      'for an instruction that can be fetched only since a bit flipped',
      fetching(0xc7),
      { model: 'memory', paddr: ENTRY, bit: 3 },
      { kind: 'memory', what: `[0x${ENTRY.toString(16)}]:1`, before: 0xc7n, after: 0xcfn, bits: [3] },
    ],
    [
      'for a timer that runs out, as mip shows, because its comparator got another number',
      printing(`li s4, ${1n << 40n}`, `li s3, ${CLINT.mtimecmp}\nsd s4, 0(s3)\ncsrr a2, mip\nsrli a2, a2, 7`),
      { model: 'register', hart: 0, register: 20, bit: 40 },
      { kind: 'register', what: 's4', bits: [40] },
    ],
    [
      'for a software interrupt that is raised',
      printing('li s4, 0', `li s3, ${CLINT.msip}\nsw s4, 0(s3)\ncsrr a2, mip\nsrli a2, a2, 3`),
      { model: 'register', hart: 0, register: 20, bit: 0 },
      { kind: 'register', what: 's4', bits: [0] },
    ],
    [
      'for a timer of S-mode that does not run out, as sip shows',
      printing(
        'li s4, 0\nli t0, -1\ncsrw menvcfg, t0\nli t0, 0x222\ncsrw mideleg, t0',
        'csrw stimecmp, s4\ncsrr a2, sip\nsrli a2, a2, 5',
      ),
      { model: 'register', hart: 0, register: 20, bit: 40 },
      { kind: 'register', what: 's4', bits: [40] },
    ],
  ])('%s', async (_, program, spec, cause) => {
    const limits = { maxMoment: 6000, checkpointEvery: 1000, config: machineOf(program) };
    const golden = await store.take(limits);
    const fault: PlannedInput = { trigger: { kind: 'moment', moment: AT }, event: { kind: 'fault', fault: spec } };
    const trace = await store.take({ ...limits, planned: [fault] });
    expect(text(trace)).not.toBe(text(golden));
    const answer = ask(trace, golden);
    expect(answer.cause).toMatchObject({ ...cause, position: { moment: AT }, inputs: ['fault'] });
    const first = inputsFromTrace(trace).map(
      ({ ticks, event }) => ({ trigger: { kind: 'ticks', ticks }, event }) as const,
    );
    const mended = await store.take({ ...limits, planned: [...first, ...flipBack(answer.cause)] });
    expect(text(mended)).toBe(text(golden));
    expect(mended.end).toEqual(golden.end);
  });
});

const text = (trace: Trace) => String.fromCharCode(...trace.console.map(({ byte }) => byte));

function ask(trace: Trace, golden: Trace): WhyAnswer {
  const [a, g] = [openTimeline(trace), openTimeline(golden)];
  const { question } = finish(questionOfOutput(a, g, 'any'));
  return finish(why(a, g, question));
}
