/**
 * The M-mode program that runs a batch of cases, as assembly. For each case it clears the arena, writes the case's
 * memory words, sets CSRs and registers, and enters the case by MRET. Every trap into M-mode is logged; exceptions in
 * the case's code are skipped, interrupts masked, until the case leaves its code, has trapped MAX_TRAPS times, or its
 * time is up (M timer). Then it records registers, CSRs and a hash of each arena page.
 * Relies on cases leaving mtvec, PMP locks and the harness's memory alone; traps in M-mode find MPP = M, so that MPRV
 * does not reach the handler's own accesses. Slots of code are 4 bytes.
 */
import {
  ARENA_AT,
  CASES_AT,
  caseWords,
  HANDLER,
  MAX_TRAPS,
  PAGE,
  PAGES,
  RESULTS_AT,
  type RecordShape,
  resultWords,
  STATE,
  STATE_AT,
  TRAP_FIELDS,
} from './layout.ts';

/** Assembly source of the harness, for HARNESS_AT. */
export function harnessSource(shape: RecordShape): string {
  return [prologue(), nextCase(shape), enterCase(shape), trapHandler(), finish(shape), ends()].join('\n');
}

/** Assembly of the handlers page; position independent. */
export function handlersSource(): string {
  return `
    # Every entry, of either vector mode, asks M-mode.
    ${Array.from({ length: 16 }, () => 'ecall').join('\n    ')}
    .zero ${HANDLER.skip - HANDLER.escalate - 64}
    j skip
    ${Array.from({ length: 15 }, () => 'ecall').join('\n    ')}
  skip:
    csrw sscratch, t6
    csrr t6, scause
    addi t6, t6, -2
    beqz t6, over       # illegal instruction
    addi t6, t6, -2
    beqz t6, over       # misaligned load
    addi t6, t6, -1
    beqz t6, over       # load access
    addi t6, t6, -1
    beqz t6, over       # misaligned store
    addi t6, t6, -1
    beqz t6, over       # store access
    addi t6, t6, -6
    beqz t6, over       # load page
    addi t6, t6, -2
    beqz t6, over       # store page
    addi t6, t6, -7
    beqz t6, over       # virtual instruction
    csrr t6, sscratch
    ecall
  over:
    csrr t6, sepc
    andi t6, t6, -4
    addi t6, t6, 4
    csrw sepc, t6
    csrr t6, sscratch
    sret
    ecall
  `;
}

const state = (word: keyof typeof STATE) => `${STATE[word] * 8}(s0)`;
const word = (index: number, base: string) => `${index * 8}(${base})`;
const numbers = (count: number, first = 0) => Array.from({ length: count }, (_, n) => n + first);
const TIMER = { time: 0x200bff8, compare: 0x2004000 };

const prologue = () => `
    csrr t0, mhartid
    beqz t0, first
  park:
    csrw mie, zero
    wfi
    j park
  first:
    la t0, trap
    csrw mtvec, t0
    li s0, ${STATE_AT}
    li t0, ${CASES_AT}
    sd t0, ${state('case')}
    li t0, ${RESULTS_AT}
    sd t0, ${state('result')}
`;

const nextCase = (shape: RecordShape) => `
  next_case:
    li s0, ${STATE_AT}
    ld t0, ${state('left')}
    beqz t0, all_done
    ld s1, ${state('case')}
    sd zero, ${state('traps')}
    sd zero, ${state('timedOut')}
    csrw mstatus, zero
    csrw mie, zero
    csrw menvcfg, zero
    csrw hvip, zero
    csrw mip, zero
    li t0, ${ARENA_AT}
    li t1, ${ARENA_AT + PAGES.count * PAGE}
  clear:
    ${numbers(8)
      .map((n) => `sd zero, ${n * 8}(t0)`)
      .join('\n    ')}
    addi t0, t0, 64
    bltu t0, t1, clear
    ld t2, ${word(caseWords(shape).pokes, 's1')}
    addi t0, s1, ${caseWords(shape).fixed * 8}
  poke:
    beqz t2, poked
    ld t3, 0(t0)
    ld t4, 8(t0)
    sd t4, 0(t3)
    addi t0, t0, 16
    addi t2, t2, -1
    j poke
  poked:
`;

function enterCase(shape: RecordShape): string {
  const at = caseWords(shape);
  // Configuration before addresses, so that no entry is locked by accident of order; zero first, so that a value the
  // machine does not take leaves the same behind, whatever the last case was.
  const csrs = shape.setup.flatMap((name, n) => [
    `csrw ${name}, zero`,
    `ld t0, ${word(at.csrs + n, 's1')}`,
    `csrw ${name}, t0`,
  ]);
  const floats = shape.floats
    ? [
        'li t0, 0x6000',
        'csrw mstatus, t0',
        ...numbers(32).map((n) => `fld f${n}, ${word(at.f + n, 's1')}`),
        `ld t0, ${word(at.f + 32, 's1')}`,
        'csrw fcsr, t0',
      ]
    : [];
  return `
    ${floats.join('\n    ')}
    csrw pmpcfg0, zero
    csrw pmpcfg2, zero
    ${csrs.join('\n    ')}
    fence.i
    sfence.vma
    hfence.vvma
    hfence.gvma
    li t1, ${TIMER.time}
    ld t0, 0(t1)
    ld t1, ${state('timeBudget')}
    add t0, t0, t1
    li t1, ${TIMER.compare}
    sd t0, 0(t1)
    ${numbers(31, 1)
      .filter((n) => n !== 9)
      .map((n) => `ld x${n}, ${word(at.x + n, 's1')}`)
      .join('\n    ')}
    ld s1, ${word(at.x + 9, 's1')}
    mret
`;
}

const trapHandler = () => `
    .balign 4
  trap:
    csrw mscratch, s0
    li s0, ${STATE_AT}
    ${numbers(31, 1)
      .filter((n) => n !== 8)
      .map((n) => `sd x${n}, ${word(STATE.x + n, 's0')}`)
      .join('\n    ')}
    csrr t0, mscratch
    sd t0, ${word(STATE.x + 8, 's0')}
    ld s1, ${state('case')}
    ld s2, ${state('result')}
    ld t0, ${state('traps')}
    li t1, ${TRAP_FIELDS.length * 8}
    mul t1, t0, t1
    add t1, t1, s2
    ${TRAP_FIELDS.map((name, n) => `csrr t2, ${name}\n    sd t2, ${word(2 + n, 't1')}`).join('\n    ')}
    addi t0, t0, 1
    sd t0, ${state('traps')}
    csrr t1, mcause
    bltz t1, interrupt
    li t2, ${MAX_TRAPS}
    bgeu t0, t2, finish
    csrr t1, mepc
    ld t2, 16(s1)
    bltu t1, t2, finish
    sub t1, t1, t2
    andi t1, t1, -4
    add t1, t1, t2
    addi t1, t1, 4
    ld t2, 24(s1)
    bgeu t1, t2, finish
    csrw mepc, t1
  resume:
    ${numbers(31, 1)
      .filter((n) => n !== 8)
      .map((n) => `ld x${n}, ${word(STATE.x + n, 's0')}`)
      .join('\n    ')}
    ld s0, ${word(STATE.x + 8, 's0')}
    mret
  interrupt:
    slli t1, t1, 1
    srli t1, t1, 1
    li t2, 7
    beq t1, t2, time_is_up
    li t2, ${MAX_TRAPS}
    bgeu t0, t2, finish
    li t2, 1
    sll t2, t2, t1
    csrc mie, t2
    j resume
  time_is_up:
    li t2, 1
    sd t2, ${state('timedOut')}
`;

function finish(shape: RecordShape): string {
  const at = resultWords(shape);
  const floats = shape.floats
    ? [
        ...numbers(32).map((n) => `fsd f${n}, ${word(at.f + n, 's2')}`),
        'csrr t0, fcsr',
        `sd t0, ${word(at.f + 32, 's2')}`,
      ]
    : [];
  return `
  finish:
    ld t0, ${state('traps')}
    sd t0, ${word(at.traps, 's2')}
    ld t0, ${state('timedOut')}
    sd t0, ${word(at.timedOut, 's2')}
    ${numbers(31, 1)
      .map((n) => `ld t0, ${word(STATE.x + n, 's0')}\n    sd t0, ${word(at.x + n, 's2')}`)
      .join('\n    ')}
    addi s3, s2, ${at.csrs * 8}
    ${shape.recorded.map((name, n) => `csrr t0, ${name}\n    sd t0, ${word(n, 's3')}`).join('\n    ')}
    ${shape.floats ? 'li t0, 0x6000\n    csrs mstatus, t0' : ''}
    ${floats.join('\n    ')}
    addi s3, s3, ${shape.recorded.length * 8}
    # An entry that matches a part of an access forbids it in M-mode, too.
    csrw pmpcfg0, zero
    csrw pmpcfg2, zero
    li t0, ${ARENA_AT}
    li s4, ${PAGES.count}
    li s5, 0x9e3779b97f4a7c15
  hash_page:
    li t1, ${PAGE}
    add t1, t1, t0
    li t2, 0
  hash_word:
    ld t3, 0(t0)
    xor t2, t2, t3
    mul t2, t2, s5
    srli t3, t2, 29
    xor t2, t2, t3
    addi t0, t0, 8
    bltu t0, t1, hash_word
    sd t2, 0(s3)
    addi s3, s3, 8
    addi s4, s4, -1
    bnez s4, hash_page
    ld t0, 0(s1)
    slli t0, t0, 3
    add t0, t0, s1
    sd t0, ${state('case')}
    li t0, ${at.size * 8}
    add t0, t0, s2
    sd t0, ${state('result')}
    ld t0, ${state('left')}
    addi t0, t0, -1
    sd t0, ${state('left')}
    j next_case
`;
}

const ends = () => `
  all_done:
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
  stop:
    j stop
`;
