/**
 * The board that an unmodified guest sees, tried by small guests in assembly; and failstops at hypervisor instructions
 * all through them, with the same output expected. `properties/conformance/peers/guest.peer.ts` has U-Boot and Linux.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../isa/index.ts';
import { noteName } from '../../machine/bus/notes.ts';
import { createMachine } from '../../machine/machine.ts';
import type { Machine } from '../../machine/types.ts';

const image = (name: string) => ({ name, bytes: readFileSync(new URL(`../images/${name}.elf`, import.meta.url)) });
const KERNEL = 0x80200000;

/** s0 = UART. `print`: a0 as 16 hexadecimal digits and a line feed; `end`: shuts down. */
const PRELUDE = `
  li s0, 0x10000000
  li sp, 0x80300000
  j main
print:
  li t0, 60
1$:
  srl t1, a0, t0
  andi t1, t1, 15
  addi t2, t1, 48
  li t3, 10
  blt t1, t3, 2$
  addi t2, t1, 87
2$:
  sb t2, 0(s0)
  addi t0, t0, -4
  bgez t0, 1$
  li t2, 10
  sb t2, 0(s0)
  ret
end:
  li a7, 0x53525354
  li a6, 0
  li a0, 0
  li a1, 0
  ecall
  j .
`
  .replaceAll('1$', 'print_digit')
  .replaceAll('2$', 'print_letter');

/** Calls SBI with numbers, and prints error and value if wanted. */
const sbi = (extension: number, f: number, args: readonly (number | bigint)[] = []) => `
  ${args.map((value, n) => `li a${n}, ${value}`).join('\n  ')}
  li a6, ${f}
  li a7, ${extension}
  ecall`;
const PRINT_BOTH = `
  mv s2, a1
  call print
  mv a0, s2
  call print`;
const HSM = 0x48534d;
const IPI = 0x735049;
const RFENCE = 0x52464e43;
const DBCN = 0x4442434e;

/** Numbers that look drawn at random: the same for the same seed. */
function xorshift(seed: number): () => number {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 1;
  };
}

interface Run {
  readonly machine: Machine;
  console: string;
  resumed: number;
  detected: number;
}

function boot(program: string, harts: number, append = ''): Run {
  const initrd = { name: 'guest.bin', bytes: assemble(PRELUDE + program, KERNEL).bytes };
  const machine = createMachine({
    harts,
    ramBytes: 16 << 20,
    quantum: { policy: 'fixed', ticks: 500, seed: 0n },
    bios: image('firmware'),
    kernel: image('lazarus'),
    initrd,
    append: `guest=raw guestmem=4 ${append}`.trim(),
  });
  const run: Run = { machine, console: '', resumed: 0, detected: 0 };
  machine.observed = { ...machine.observed, transitions: 'vm' };
  machine.onEvent = (event) => {
    if (event.kind === 'console') run.console += String.fromCharCode(event.byte);
    if (event.kind !== 'note') return;
    const name = noteName(event.code);
    if (name === 'RESUMED') run.resumed++;
    if (name?.startsWith('DETECTED')) run.detected++;
  };
  return run;
}

function finish(run: Run): string {
  const stop = run.machine.run({ moment: run.machine.moment + 20_000_000 });
  return stop.kind === 'halted' ? stop.status : stop.kind;
}

const guestOutput = (console: string) => console.replace(/(firmware: |recovery: hart \d+ |lazarus: ).*\n/g, '');
/** The numbers that the guest has printed. */
const numbers = (run: Run) =>
  guestOutput(run.console)
    .trim()
    .split('\n')
    .map((line) => BigInt.asIntN(64, BigInt(`0x${line}`)));

const UART = `
main:
  li t0, 0xa5
  sb t0, 7(s0)
  lb a0, 7(s0)
  call print
  lbu a0, 7(s0)
  call print
  addi a3, s0, 4
  c.lw a0, 0(a3)        # MCR
  call print
  li a2, 0x1a           # loop, OUT2, RTS
  c.sw a2, 0(a3)
  li t0, 88             # not to be seen
  sb t0, 0(s0)
  lbu a0, 6(s0)
  sb zero, 4(s0)
  call print
  li t0, 0x83
  sb t0, 3(s0)
  li t0, 0x5a
  sb t0, 0(s0)
  lbu s2, 0(s0)
  li t0, 3
  sb t0, 3(s0)
  mv a0, s2
  call print
  lbu a0, 5(s0)
  call print
  lbu a0, 2(s0)
  call print
  li t0, 2
  sb t0, 1(s0)
  lbu a0, 2(s0)
  call print
  j end
`;

/** Until a full stop is typed. */
const ECHO = `
main:
  lbu t0, 5(s0)
  andi t0, t0, 1
  beqz t0, main
  lbu t0, 0(s0)
  sb t0, 0(s0)
  li t1, 46
  bne t0, t1, main
  j end
`;

describe('the UART', () => {
  const expected = [-0x5bn, 0xa5n, 0n, 0x90n, 0x5an, 0x60n, 1n, 2n];

  it.each(['', 'htinst=ignore'])('has the registers of a 16550A, read by every kind of access (%s)', (append) => {
    const run = boot(UART, 1, append);
    expect(finish(run)).toBe('pass');
    expect(numbers(run)).toEqual(expected);
  });

  it.each(['', 'htinst=ignore'])('is found through page tables of the guest (%s)', (append) => {
    // A gigapage of Sv39 for RAM, one for the UART; the program runs at its own address.
    const paging = `
main:
  li t0, 0x80310000
  li t1, 0x00000000000000c7
  sd t1, 0(t0)
  li t1, 0x00000000200000cf
  sd t1, 16(t0)
  li t1, 0x8000000000080310
  csrw satp, t1
  sfence.vma
  lbu a0, 5(s0)
  call print
  j end
`;
    const run = boot(paging, 1, append);
    expect(finish(run)).toBe('pass');
    expect(numbers(run)).toEqual([0x60n]);
  });

  it('gives what is typed, once', () => {
    const run = boot(ECHO, 1);
    run.machine.run({ moment: 8_000_000 });
    run.machine.apply({ kind: 'console', bytes: Buffer.from('typed ahead.') });
    expect(finish(run)).toBe('pass');
    expect(guestOutput(run.console)).toBe('typed ahead.');
  });
});

const EXCEPTIONS = `
main:
  la t0, handler
  csrw stvec, t0
  li s3, 4
  ld a0, 16(zero)       # nothing there
  sw a0, 20(zero)
  csrr a0, 0x600        # hstatus
  amoadd.w a0, a0, (s0) # not for a UART
  la ra, back
  li t0, 0x40000000
  jr t0
back:
  j end
  .balign 4
handler:
  mv s4, ra
  csrr a0, scause
  call print
  csrr a0, stval
  call print
  mv ra, s4
  csrr t0, sepc
  addi t0, t0, 4
  csrw sepc, t0
  addi s3, s3, -1
  bgez s3, resume
  csrw sepc, ra
resume:
  sret
`;

it('what its board does not have raises the exceptions of a board', () => {
  const run = boot(EXCEPTIONS, 1);
  expect(finish(run)).toBe('pass');
  const hstatus = 0x60002573n;
  expect(numbers(run)).toEqual([5n, 16n, 7n, 20n, 2n, hstatus, 7n, 0x10000000n, 1n, 0x40000000n]);
});

/** Hart 0 starts hart 1, which waits for an IPI, says so, and stops; twice. */
const HARTS = `
main:
  li s5, 2
again:
  li a0, 1
  la a1, second
  li a2, 0x77
  li a6, 0
  li a7, ${HSM}
  ecall
  call print
  ${sbi(HSM, 2, [1])}
  mv a0, a1
  call print
  ${sbi(RFENCE, 1, [3, 0, 0, -1])}
  ${PRINT_BOTH}
  ${sbi(IPI, 0, [2, 0])}
  call print
wait:
  ${sbi(HSM, 2, [1])}
  li t0, 1
  bne a1, t0, wait
  la t0, said
  ld a0, 0(t0)
  call print
  addi s5, s5, -1
  bnez s5, again
  j end
second:
  mv s6, a1
  csrwi sie, 2
  csrr s7, satp
asleep:
  wfi
  csrr t0, sip
  andi t0, t0, 2
  beqz t0, asleep
  csrwi sip, 0
  la t0, said
  ld t1, 0(t0)
  add t1, t1, s6
  sd t1, 0(t0)
  ${sbi(HSM, 1)}
  .balign 8
said:
  .dword 0
`;

it('harts are started, woken, stopped, and started again', () => {
  const run = boot(HARTS, 2);
  expect(finish(run)).toBe('pass');
  expect(numbers(run)).toEqual([0n, 0n, 0n, 0n, 0n, 0x77n, 0n, 0n, 0n, 0n, 0n, 0xeen]);
});

describe('nonsense', () => {
  const NUMBERS = [
    0n,
    1n,
    2n,
    3n,
    63n,
    64n,
    255n,
    0x80000000n,
    0x80200000n,
    0x803ffff8n,
    0x80400000n,
    1n << 63n,
    -1n,
    -8n,
  ];
  const EXTENSIONS = [0, 1, 2, 3, 8, 0x10, 0x54494d45, IPI, RFENCE, HSM, 0x53525354, DBCN, 0x504d55, 0x535553, -1];

  it.each([1, 2, 3])('in SBI calls gets answers, and no error is detected (seed %i)', (seed) => {
    const draw = xorshift(seed);
    const pick = <T>(of: readonly T[]): T => of[draw() % of.length]!;
    const calls = Array.from({ length: 300 }, () => {
      const extension = pick(EXTENSIONS);
      const f = draw() % 9;
      const ends = (extension === 0x53525354 && f === 0) || (extension === HSM && f === 1);
      return sbi(
        extension,
        ends ? 5 : f,
        [0, 1, 2, 3, 4].map(() => pick(NUMBERS)),
      );
    });
    const run = boot(`main:\n${calls.join('\n')}\n  li a0, 0xd0e\n  call print\n  j end\n`, 2);
    expect(finish(run)).toBe('pass');
    expect(run.console).toContain('0000000000000d0e\n');
    expect(run.detected).toBe(0);
  });

  it.each([
    ['guest=cooked', 'lazarus: guest= takes raw'],
    ['htinst=guess', 'lazarus: htinst= takes ignore'],
    ['guestmem=lots', 'lazarus: guestmem= takes MiB, at most 1'],
    ['guestmem=64', 'lazarus: guestmem= takes MiB, at most 1'],
    ['guestmem=2', "lazarus: the guest's RAM is too small for its images"],
  ])('in the boot argument %s is refused', (append, message) => {
    const run = boot('main:\n  j end\n', 1, append);
    expect(finish(run)).toBe('fail');
    expect(run.console).toContain(message);
  });
});

/** The last column: hypervisor instructions from one failstop to the next. 83 (echo: 11) have been tried, too. */
describe.each(['rehype', 'nilihype'])('failstops, %s', (mechanism) => {
  it.each([
    ['accesses to the UART', UART, 1, '', 997],
    ['accesses without htinst', UART, 1, 'htinst=ignore', 997],
    ['exceptions', EXCEPTIONS, 1, '', 997],
    ['SBI calls between harts', HARTS, 2, '', 997],
    ['an echo of what is typed', ECHO, 2, '', 97],
  ] as const)('all through %s leave the output as it was', (_, program, harts, append, stride) => {
    const run = boot(program, harts, `recovery=${mechanism} ${append}`);
    const { machine } = run;
    machine.run({ moment: 100_000 });
    while (!run.console.includes('frames free')) machine.run({ moment: machine.moment + 1000 });
    if (program === ECHO) machine.apply({ kind: 'console', bytes: Buffer.from('All that was typed comes once.') });
    const start = machine.snapshot();
    const booted = run.console;
    expect(finish(run)).toBe('pass');
    const golden = guestOutput(run.console);
    machine.restore(start);
    run.console = booted;
    const failures: string[] = [];
    let tried = 0;
    while (machine.run({ count: { of: 'hypervisor', instructions: stride } }).kind === 'count') {
      const { hart, pc } = machine.next();
      if (machine.hart(hart).mode !== 'HS') continue;
      const before = { snapshot: machine.snapshot(), console: run.console };
      tried++;
      run.resumed = 0;
      machine.apply({ kind: 'fault', fault: { model: 'failstop', hart } });
      const end = finish(run);
      const same = guestOutput(run.console) === golden;
      // The last instructions end the machine: a failure there leaves nothing to go on with.
      if (end !== 'pass' || !same || run.resumed !== 1) {
        failures.push(
          `moment ${before.snapshot.moment} hart ${hart} pc ${pc.toString(16)}: ${end}, output same: ${same}`,
        );
      }
      machine.restore(before.snapshot);
      run.console = before.console;
    }
    expect(failures).toEqual([]);
    expect(tried).toBeGreaterThan(50);
  });
});
