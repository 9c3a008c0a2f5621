/**
 * Random syntax trees of the language, and a machine with a VM to evaluate them on. Trees are such as a text can have.
 */
import fc from 'fast-check';
import { assemble, type MachineConfig } from '../../engine/index.ts';
import { executable } from '../bisect-testing.ts';
import { MODES } from './registers.ts';
import { type Expression, PRECEDENCE, type SymbolNode } from './syntax.ts';

const at = { start: 0, end: 0 };
const word = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const hart = fc.nat({ max: 7 });
const vmid = fc.nat({ max: 0x3fff });
const bytes = fc.constantFrom(1 as const, 2 as const, 4 as const, 8 as const);
const name = fc.constantFrom(
  'heap_lock',
  '_start',
  'vm_exit.part.0',
  'names.0',
  '.hidden',
  'x$y',
  'running',
  'HS',
  'e',
);

export const symbols: fc.Arbitrary<SymbolNode> = fc.oneof(
  name.map((its) => ({ kind: 'symbol' as const, image: undefined, vmid: undefined, name: its, at })),
  fc.record({ image: fc.constantFrom('lazarus', 'firmware'), name: fc.oneof(name, fc.constant('in')) }).map((its) => ({
    kind: 'symbol' as const,
    vmid: undefined,
    ...its,
    at,
  })),
  fc.record({ vmid, name }).map((its) => ({ kind: 'symbol' as const, image: undefined, ...its, at })),
);

const leaf: fc.Arbitrary<Expression> = fc.oneof(
  word.map((value) => ({ kind: 'number' as const, value, at })),
  fc.constantFrom('moment' as const, 'ticks' as const).map((its) => ({ kind: 'counter' as const, name: its, at })),
  symbols,
  fc.record({ hart, name: fc.constantFrom('pc', 'x10', 'f3', 'hgatp', 'vmid', 'waiting') }).map((its) => ({
    kind: 'register' as const,
    ...its,
    at,
  })),
  fc.record({ vmid, field: fc.constantFrom('hart' as const, 'pc' as const, 'hgatp' as const) }).map((its) => ({
    kind: 'vm' as const,
    ...its,
    at,
  })),
);

const named: fc.Arbitrary<Expression> = fc
  .tuple(
    fc.oneof(
      hart.map((n) => [{ kind: 'register' as const, hart: n, name: 'mode', at }, MODES] as const),
      vmid.map((n) => [{ kind: 'vm' as const, vmid: n, field: 'state' as const, at }, ['running', 'done']] as const),
      vmid.map((n) => [{ kind: 'vm' as const, vmid: n, field: 'hart' as const, at }, ['none']] as const),
    ),
    fc.nat({ max: 4 }),
    fc.constantFrom('==' as const, '!=' as const),
    fc.boolean(),
  )
  .map(([[place, names], n, operator, first]) => {
    const constant = { kind: 'constant' as const, name: names[n % names.length]!, at };
    const [left, right] = first ? [place, constant] : [constant, place];
    return { kind: 'binary' as const, operator, left, right, at };
  });

const space = fc.oneof(
  fc.constant({ kind: 'spa' as const }),
  vmid.map((n) => ({ kind: 'gpa' as const, vmid: n })),
  fc.option(hart, { nil: undefined }).map((n) => ({ kind: 'va' as const, hart: n })),
);

/** Any tree whose value is a number. */
export const expressions: fc.Arbitrary<Expression> = fc.letrec<{ tree: Expression }>((tie) => {
  const tree = tie('tree');
  return {
    tree: fc.oneof(
      { maxDepth: 6, withCrossShrink: true },
      leaf,
      named,
      fc.record({ operator: fc.constantFrom(...PRECEDENCE.flat()), left: tree, right: tree }).map((its) => ({
        kind: 'binary' as const,
        ...its,
        at,
      })),
      fc.record({ operator: fc.constantFrom('!' as const, '~' as const, '-' as const), operand: tree }).map((its) => ({
        kind: 'unary' as const,
        ...its,
        at,
      })),
      fc.record({ address: tree, bytes }).map((its) => ({ kind: 'memory' as const, ...its, at })),
      fc.record({ space, address: tree }).map((its) => ({ kind: 'address' as const, ...its, at })),
      fc.record({ value: tree, range: symbols }).map((its) => ({ kind: 'within' as const, ...its, at })),
      fc.record({ value: tree, range: fc.record({ low: tree, high: tree }) }).map((its) => ({
        kind: 'within' as const,
        ...its,
        at,
      })),
    ),
  };
}).tree;

/** Guest-physical addresses of VM 1 lie so far below those that they map to. */
export const GUEST_OFFSET = 0x8000_0000n;
/** Where the guest keeps its count, guest-physical. */
export const COUNTER = 0x2_0000n;

/**
 * A hypervisor with one VM, VMID 1, whose guest-physical memory is RAM moved by GUEST_OFFSET: the guest counts at
 * COUNTER and calls; the hypervisor enters it again. Of two harts the other waits in M-mode.
 */
export const ONE_VM = `
  _start:
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 31
    csrw pmpcfg0, t0
    li t0, 0x400
    csrw medeleg, t0
    li t0, 0x800
    csrs mstatus, t0
    csrr a7, mhartid
    bnez a7, park
    la t0, hypervisor
    csrw mepc, t0
    mret
  park:
    wfi
    j park
    .balign 4
  trap_entry:
    csrr t1, sepc
    addi t1, t1, 4
    csrw sepc, t1
    sret
  hypervisor:
    la t0, trap_entry
    csrw stvec, t0
    li t0, 0x80010000
    li t1, 0x200000df
    sd t1, 0(t0)
    li t0, 0x8000100000080010
    csrw hgatp, t0
    li t0, 0x180
    csrs hstatus, t0
    li t0, 0x100
    csrs sstatus, t0
    la t0, guest
    li t1, ${GUEST_OFFSET}
    sub t0, t0, t1
    csrw sepc, t0
    li sp, 0x80011000
    sret
  guest:
    li s2, ${COUNTER}
  again:
    addi s0, s0, 1
    sd s0, 0(s2)
    ecall
    j again
`;

const CODE = 0x8000_0000;
const { bytes: machineCode, symbols: labels } = assemble(ONE_VM, CODE);

/** Where a label of the program lies. */
export const label = (name: string): bigint => labels.get(name)!;

/** A machine that runs it. Its guest image is not executed: it has the guest's symbols, at guest-physical addresses. */
export const oneVm = (): MachineConfig => ({
  harts: 2,
  ramBytes: 16 << 20,
  quantum: { policy: 'fixed', ticks: 100, seed: 0n },
  bios: { name: 'tiny.elf', bytes: executable(CODE, machineCode, { symbols: labels }) },
  initrd: {
    name: 'counting.elf',
    bytes: executable(Number(label('guest') - GUEST_OFFSET), new Uint8Array(64), {
      symbols: new Map([
        ['main', label('guest') - GUEST_OFFSET],
        ['again', label('again') - GUEST_OFFSET],
        ['_start', label('guest') - GUEST_OFFSET],
        ['counter', COUNTER],
      ]),
    }),
  },
  append: '',
});

/** Any text, halves of surrogate pairs and what acts on terminals included; much of it ASCII. */
export const anyText: fc.Arbitrary<string> = fc
  .array(fc.oneof(fc.nat({ max: 0x7f }), fc.nat({ max: 0xffff }), fc.nat({ max: 0x10ffff })), { maxLength: 30 })
  .map((points) => String.fromCodePoint(...points));
