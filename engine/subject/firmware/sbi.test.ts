import { describe, expect, it } from 'vitest';
import { type FdtNode, writeFdt } from '../../machine/board/fdt.ts';
import { readFdt } from '../../machine/board/fdt-read.ts';
import { createMachine } from '../../machine/machine.ts';
import type { MachineConfig } from '../../machine/types.ts';
import { EXTENSION, KERNEL, kernelConfig, LIMIT, runTwice } from './testing.ts';

const RESULTS = 0x80300000;
const RESULT_BYTES = 40;
const DBCN = 0x4442434e;
const OK = 0n;
const NOT_SUPPORTED = -2n;
const INVALID_PARAM = -3n;
const INVALID_ADDRESS = -5n;
const ALREADY_AVAILABLE = -6n;
const SSIP = 2n;
const STOPPED = 1n;
const SUSPENDED = 4n;

/** Extension, function, arguments. */
type Call = readonly (number | bigint)[];
interface Result {
  readonly error: bigint;
  readonly value: bigint;
  /** sip right after the call; SSIP is cleared behind it. */
  readonly pending: bigint;
  /** 1 + scause, and stval, when the call came back as a trap. */
  readonly trap: bigint;
  readonly tval: bigint;
}

/** Makes the calls one after another in HS-mode on hart 0, and says what came of each. */
function callAll(calls: readonly Call[], harts = 2, before = ''): Result[] {
  const rows = calls.map((call) => `.dword ${[...call, 0, 0, 0, 0, 0, 0, 0].slice(0, 8).join(', ')}`);
  const { machine } = runTwice(
    kernelConfig(
      `
    la t0, handler
    csrw stvec, t0
    ${before}
    la s0, calls
    la s2, ends
    li s1, ${RESULTS}
  next:
    bgeu s0, s2, done
    li s5, 0
    li s6, 0
    ld a7, 0(s0)
    ld a6, 8(s0)
    ld a0, 16(s0)
    ld a1, 24(s0)
    ld a2, 32(s0)
    ld a3, 40(s0)
    ld a4, 48(s0)
    ld a5, 56(s0)
    ecall
    csrr t0, sip
    csrci sip, 2
    sd a0, 0(s1)
    sd a1, 8(s1)
    sd t0, 16(s1)
    sd s5, 24(s1)
    sd s6, 32(s1)
    addi s1, s1, ${RESULT_BYTES}
    addi s0, s0, 64
    j next
  done:
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
    j .
    .balign 4
  handler:
    csrr s5, scause
    addi s5, s5, 1
    csrr s6, stval
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    sret
    .balign 8
  calls:
    ${rows.join('\n')}
  ends:
    .dword 0x0f, 0
  `,
      { harts },
    ),
  );
  return calls.map((_, n) => {
    const bytes = machine.readPhysical(RESULTS + n * RESULT_BYTES, RESULT_BYTES);
    const view = new DataView(bytes.buffer);
    const u64 = (at: number) => view.getBigUint64(at, true);
    return { error: view.getBigInt64(0, true), value: u64(8), pending: u64(16), trap: u64(24), tval: u64(32) };
  });
}

const ALL = (1n << 64n) - 1n;
/** How harts are named, on a machine with three of them, and whether they all exist. */
const NAMED: readonly [what: string, mask: bigint, base: bigint, exist: boolean][] = [
  ['the first', 1n, 0n, true],
  ['the last, by its bit', 4n, 0n, true],
  ['the last, by the base', 1n, 2n, true],
  ['all, by bits', 7n, 0n, true],
  ['all, by base -1, whatever the mask', 0n, ALL, true],
  ['none', 0n, 0n, true],
  ['one beyond the last, by its bit', 8n, 0n, false],
  ['one beyond the last beside one that exists', 9n, 0n, false],
  ['one beyond the last, by base and bit', 2n, 2n, false],
  ['one beyond the last, by the base', 1n, 3n, false],
  ['nobody, from a base that does not exist', 0n, 3n, false],
  ['a base far away', 1n, 99n, false],
  ['a base that the mask would be shifted out by', 1n, 64n, false],
  ['the last bit of a mask', 1n << 63n, 0n, false],
  ['the last bit of a mask, shifted out of it', 1n << 63n, 2n, false],
  ['the last base before -1', 1n, ALL - 1n, false],
];

describe('harts that a mask names', () => {
  const functions: readonly [string, number, number][] = [
    ['IPI', EXTENSION.ipi, 0],
    ...[0, 1, 2, 3, 4, 5, 6].map((its): [string, number, number] => [`RFENCE ${its}`, EXTENSION.rfence, its]),
  ];
  it.each(functions)('%s takes those that exist, and refuses all others', (_what, extension, its) => {
    const results = callAll(
      NAMED.map(([, mask, base]) => [extension, its, mask, base]),
      3,
    );
    const names = NAMED.map(([what]) => what);
    const errors = results.map(({ error }, n) => [names[n], error]);
    expect(errors).toEqual(NAMED.map(([what, , , exist]) => [what, exist ? OK : INVALID_PARAM]));
  });

  it('are interrupted, and no others', () => {
    const results = callAll(
      NAMED.map(([, mask, base]) => [EXTENSION.ipi, 0, mask, base]),
      3,
    );
    const own = NAMED.map(([, mask, base, exist]) => exist && (base === ALL || (base === 0n && (mask & 1n) === 1n)));
    expect(results.map(({ pending }) => (pending & SSIP) !== 0n)).toEqual(own);
  });

  it('are one that exists where HSM names a hart', () => {
    const status = (hart: number | bigint): Call => [EXTENSION.hsm, 2, hart];
    const start = (hart: number | bigint, address = KERNEL): Call => [EXTENSION.hsm, 0, hart, address, 0];
    const calls = [status(0), status(1), status(2), status(ALL), start(2), start(99), start(ALL), start(0)];
    expect(callAll([...calls, start(1, 0x80000000), start(1, 0x70000000)]).map(({ error }) => error)).toEqual([
      ...[OK, OK, INVALID_PARAM, INVALID_PARAM, INVALID_PARAM, INVALID_PARAM, INVALID_PARAM],
      ...[ALREADY_AVAILABLE, INVALID_ADDRESS, INVALID_ADDRESS],
    ]);
  });
});

describe('what is there', () => {
  it('says version 2.0, and which extensions', () => {
    const there = [...Object.values(EXTENSION), DBCN, ...Array.from({ length: 9 }, (_, n) => n)];
    const missing = [9, 0xf, 0x504d55, 0x53555350, 0x0a4c5a52, 0xdead];
    const [version, ...probed] = callAll([
      [EXTENSION.base, 0],
      ...[...there, ...missing].map((extension): Call => [EXTENSION.base, 3, extension]),
    ]);
    expect(version).toMatchObject({ error: OK, value: 2n << 24n });
    expect(probed.map(({ value }) => value)).toEqual([...there.map(() => 1n), ...missing.map(() => 0n)]);
  });

  it('refuses functions and reset types that it does not have', () => {
    const unknown: Call[] = [
      [0x0f, 0],
      [0xdead, 0],
      ...Object.values(EXTENSION).map((extension): Call => [extension, 99, 0, 0]),
      [DBCN, 3],
    ];
    const resets: Call[] = [
      [EXTENSION.srst, 0, 3, 0],
      [EXTENSION.srst, 0, 0, 2],
      [EXTENSION.srst, 0, 0xf0000000, 0],
      [EXTENSION.srst, 0, 1, 0xe0000000],
    ];
    const suspends: Call[] = [1, 0x7fffffff, 0x80000001].map((type): Call => [EXTENSION.hsm, 3, type, KERNEL]);
    const results = callAll([...unknown, ...resets, ...suspends, [EXTENSION.hsm, 3, 0x80000000, 0x80001000]]);
    expect(results.map(({ error }) => error)).toEqual([
      ...unknown.map(() => NOT_SUPPORTED),
      ...resets.map(() => INVALID_PARAM),
      ...suspends.map(() => INVALID_PARAM),
      INVALID_ADDRESS,
    ]);
  });

  it('answers legacy calls in a0 alone, and reads their masks through the caller', () => {
    const mask = KERNEL + 0x1000;
    const store = `li t0, ${mask}\n li t1, 5\n sd t1, 0(t0)`;
    const results = callAll(
      [
        [0, 7, 1_000_000_000, 0xa1],
        [4, 7, 0, 0xa1],
        [4, 7, mask, 0xa1],
        [4, 7, mask + 8, 0xa1],
        [3, 7, 0, 0xa1],
        [5, 7, mask, 0xa1],
        [6, 7, 0, 0xa1],
        [7, 7, 0, 0xa1],
        [2, 7, 0, 0xa1],
        [4, 7, 0x80000000, 0xa1],
        [5, 7, 0x1000000, 0xa1],
      ],
      2,
      store,
    );
    expect(results.every(({ value }) => value === 0xa1n)).toBe(true);
    expect(results.slice(0, 8).map(({ error }) => error)).toEqual(Array(8).fill(0n));
    expect(results.map(({ pending }) => pending & SSIP)).toEqual([0n, SSIP, SSIP, ...Array(8).fill(0n)]);
    expect(results[8]!.error).toBe(-1n);
    // What it must not read, it does not read for it either: load access faults of the caller, at the call.
    expect(results.slice(9).map(({ trap, tval }) => [trap, tval])).toEqual([
      [6n, 0x80000000n],
      [6n, 0x1000000n],
    ]);
  });

  it('suspends a hart until it is interrupted, retentive or not, and says so', () => {
    const { machine, console } = runTwice(
      kernelConfig(`
    bnez a0, second
    mv s0, a0
    li s1, ${RESULTS}
    # hart 1 starts and suspends itself, first retentively; each time it is looked at and then interrupted
    li a7, ${EXTENSION.hsm}
    li a6, 0
    li a0, 1
    la a1, second
    li a2, 0x77
    ecall
    li s2, 2
  watch:
    li a7, ${EXTENSION.hsm}
    li a6, 2
    li a0, 1
    ecall
    li t0, ${SUSPENDED}
    bne a1, t0, watch
    sd a1, 0(s1)
    addi s1, s1, 8
    li a7, ${EXTENSION.ipi}
    li a6, 0
    li a0, 2
    li a1, 0
    ecall
    addi s2, s2, -1
    bnez s2, watch
  wait:
    li a7, ${EXTENSION.hsm}
    li a6, 2
    li a0, 1
    ecall
    li t0, ${STOPPED}
    bne a1, t0, wait
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
    j .
  second:
    csrsi sie, 2
    li a7, ${EXTENSION.hsm}
    li a6, 3
    li a0, 0
    li s7, 0x1234
    ecall
    li s1, ${RESULTS + 64}
    sd a0, 0(s1)
    sd s7, 8(s1)
    csrr t0, sip
    sd t0, 16(s1)
    csrci sip, 2
    li a7, ${EXTENSION.hsm}
    li a6, 3
    li a0, 0x80000000
    la a1, resumed
    li a2, 0x99
    ecall
    j .
  resumed:
    li s1, ${RESULTS + 64}
    sd a0, 24(s1)
    sd a1, 32(s1)
    sd s7, 40(s1)
    # DBCN: say so, then stop
    li a7, ${DBCN}
    li a6, 0
    li a0, 3
    la a1, text
    li a2, 0
    ecall
    li a7, ${EXTENSION.hsm}
    li a6, 1
    ecall
    j .
  text:
    .asciz "up\\n"
  `),
    );
    const view = new DataView(machine.readPhysical(RESULTS, 128).buffer);
    const u64 = (n: number) => view.getBigUint64(8 * n, true);
    expect([u64(0), u64(1)]).toEqual([SUSPENDED, SUSPENDED]);
    expect([u64(8), u64(9), u64(10) & SSIP]).toEqual([OK, 0x1234n, SSIP]);
    expect([u64(11), u64(12), u64(13)]).toEqual([1n, 0x99n, 0n]);
    expect(console).toMatch(/\nup\n$/);
  });
});

it.each(['recoveries=18446744073709551616', 'watchdog=1000000000000000', 'watchdog=1s', 'watchdog='])(
  'the boot argument %s, which is no number or too large a one, stops the boot',
  (append) => {
    const machine = createMachine(kernelConfig('j .', { append }));
    let console = '';
    machine.onEvent = (event) => {
      if (event.kind === 'console') console += String.fromCharCode(event.byte);
    };
    expect(machine.run({ moment: LIMIT })).toEqual({ kind: 'halted', status: 'fail', code: 2 });
    expect(console).toBe(`firmware: ${append.split('=')[0]}= needs a number of at most 12 digits\n`);
  },
);

describe('memory', () => {
  /** Stores to each address; the trap's cause + 1 where that is not allowed. Word 0 is where the device tree lies. */
  function stores(addresses: readonly number[], change: Partial<MachineConfig> = {}) {
    const { machine, console } = runTwice(
      kernelConfig(
        `
    la t0, handler
    csrw stvec, t0
    li s1, ${RESULTS}
    sd a1, 0(s1)
    ${addresses.map((address) => `addi s1, s1, 8\n li t0, ${address}\n li t1, 0\n sd t0, 0(t0)\n sd t1, 0(s1)`).join('\n')}
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
    j .
    .balign 4
  handler:
    csrr t1, scause
    addi t1, t1, 1
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    sret
  `,
        change,
      ),
    );
    const view = new DataView(machine.readPhysical(RESULTS, 8 + 8 * addresses.length).buffer);
    const at = Number(view.getBigUint64(0, true));
    const tree = readFdt(machine.readPhysical(at, 0x80000000 + machine.config.ramBytes - at))!;
    return { console, tree, traps: addresses.map((_, n) => view.getBigUint64(8 + 8 * n, true)) };
  }
  const child = (tree: FdtNode, name: string) => tree.children?.find((its) => its.name === name);
  const FIRMWARE = 'mmode_resv0@80000000';
  const RANGE = Uint8Array.of(0, 0, 0, 0, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0, 0);
  const dtb = (children: readonly FdtNode[], ramBytes = 8 << 20) => ({
    name: 'own.dtb',
    bytes: writeFdt({
      name: '',
      properties: { '#address-cells': [2], '#size-cells': [2] },
      children: [
        { name: 'memory@80000000', properties: { device_type: 'memory', reg: [0, 0x80000000, 0, ramBytes] } },
        { name: 'cpus', properties: {}, children: [{ name: 'cpu@0', properties: { reg: [0] } }] },
        ...children,
      ],
    }),
  });

  it("is the kernel's from behind the firmware's core on, and the device tree says so", () => {
    const { tree, traps } = stores([0x80000000, 0x8003fff8, 0x80040000, 0x801ffff8]);
    expect(traps).toEqual([8n, 8n, 0n, 0n]);
    const reserved = child(tree, 'reserved-memory')!;
    expect(Object.keys(reserved.properties)).toEqual(['#address-cells', '#size-cells', 'ranges']);
    expect(reserved.children).toHaveLength(1);
    expect(child(reserved, FIRMWARE)!.properties).toEqual({ reg: RANGE, 'no-map': new Uint8Array() });
    // The rest is what it was.
    const names = tree.children!.map(({ name }) => name);
    expect(names).toEqual(['chosen', 'poweroff', 'reboot', 'memory@80000000', 'cpus', 'soc', 'reserved-memory']);
  });

  it("that a tree of its own reserves already is joined by the firmware's", () => {
    const own = { name: 'pool@80700000', properties: { reg: [0, 0x80700000, 0, 4096] } };
    const cells = { '#address-cells': [2], '#size-cells': [2], ranges: true } as const;
    const before: FdtNode = { name: 'reserved-memory', properties: cells, children: [own] };
    const { tree } = stores([], { dtb: dtb([before, { name: 'behind', properties: { its: 'value' } }]) });
    const reserved = child(tree, 'reserved-memory')!;
    expect(reserved.children!.map(({ name }) => name)).toEqual(['pool@80700000', FIRMWARE]);
    expect(child(reserved, FIRMWARE)!.properties.reg).toEqual(RANGE);
    expect(child(tree, 'behind')!.properties.its).toEqual(new TextEncoder().encode('value\0'));
  });

  it('is not written beyond: without room behind the tree it stays as it is', () => {
    // So little RAM that the tree ends at the end of RAM, but for the rest of its last page.
    const ramBytes = 0x302000;
    const filled = (cells: number) => dtb([{ name: 'large', properties: { filling: Array(cells).fill(1) } }], ramBytes);
    const cells = Math.floor((4096 - filled(0).bytes.length) / 4);
    const { tree, console } = stores([], { dtb: filled(cells), ramBytes });
    expect(console).toContain('firmware: no room to add its memory to the devicetree\n');
    expect(tree.children!.map(({ name }) => name)).toEqual(['memory@80000000', 'cpus', 'large']);
  });
});
