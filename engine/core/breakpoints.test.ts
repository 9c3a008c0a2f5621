/**
 * Breakpoints: `run` stops before every execution of the given instructions and nowhere else, in the state that a run
 * which is merely cut there has. The judge steps tick by tick and asks what comes next.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CONSTANTS } from './layout/index.ts';
import { Bed, DEVICE, PTE, RAM, RWX, SV39 } from './testbed.ts';

const { STOP_BREAKPOINT, STOP_TICKS } = CONSTANTS;

const HANDLER = RAM;
/** Two bytes short of where a page begins in the middle of an instruction. */
const CODE = RAM + 0x2fecn;
const MTIMECMP = DEVICE + 8n;

/**
 * M-mode sets the timer anew; HS-mode counts in instructions of both lengths, branches back into its page, and waits.
 */
const handler = `
  csrr t5, time
  addi t5, t5, 2
  li t6, ${MTIMECMP}
  sd t5, 0(t6)
  mret
`;
const program = `
loop:
  c.addi s0, 1
  addi s1, s1, 3
  c.addi s0, 1
  addi s2, s2, 5
  xor s3, s3, s1
  c.addi s3, 1
  addi s4, s4, 7
  andi t0, s0, 6
  bnez t0, loop
  addi s5, s5, 1
  andi t0, s5, 3
  bnez t0, loop
  wfi
  j loop
`;
const CODE_BYTES = 52n;

/**
 * Every hart in HS-mode at CODE, under a page table whose A bits are clear; `split`: PMP cuts the second page in
 * pieces.
 */
function machine(harts: number, split: boolean): Bed {
  const bed = new Bed({ harts, ramBytes: 2 << 20 });
  bed.program(handler, HANDLER);
  bed.program(program, CODE);
  bed.registers.set = (paddr, value) => {
    bed.core.setHart(Number(bed.core.machine('currentHart')), 'mtimecmp', value);
    return Map.prototype.set.call(bed.registers, paddr, value) as typeof bed.registers;
  };
  const root = bed.tablePages();
  for (const page of [CODE & ~0xfffn, (CODE & ~0xfffn) + 0x1000n]) bed.map(root, page, page, PTE.R | PTE.X);
  for (let n = 0; n < harts; n++) {
    if (split) {
      bed.setCsr('pmpaddr0', (RAM + 0x3008n) >> 2n, n);
      bed.setCsr('pmpaddr1', (1n << 54n) - 1n, n);
      bed.setCsr('pmpcfg0', 0x1f0fn, n);
    } else bed.openPmp(n);
    bed.setCsr('mtvec', HANDLER, n);
    bed.setCsr('mie', 0x80n, n);
    bed.setCsr('satp', SV39 | (root >> 12n), n);
    bed.core.setHart(n, 'mtimecmp', BigInt(1 + n));
    bed.enter('HS', CODE, n);
  }
  bed.core.setMachine('quantumTicks', 70n);
  return bed;
}

/** @param places physical addresses */
function setBreakpoints(bed: Bed, places: readonly bigint[]): void {
  const hosts = [...new Set(places)].map((paddr) => bed.core.machineNumber('ramHost') + Number(paddr - RAM));
  const list = new Uint32Array(bed.core.memory.buffer, bed.core.machineNumber('breakpointsHost'), hosts.length);
  list.set(Uint32Array.from(hosts).sort());
  bed.core.arch.setBreakpoints(hosts.length);
}

/** @param places virtual addresses */
function setBreakAddresses(bed: Bed, places: readonly bigint[]): void {
  const list = BigUint64Array.from(new Set(places)).sort();
  new BigUint64Array(bed.core.memory.buffer, bed.core.machineNumber('breakAddressesHost'), list.length).set(list);
  bed.core.arch.setBreakAddresses(list.length);
}

/** Where a machine that has stopped at a breakpoint stands. */
const stopped = ({ core }: Bed) => ({
  ticks: core.machine('ticks'),
  hart: core.machineNumber('breakpointHart'),
  paddr: RAM + core.machine('breakpointHost') - core.machine('ramHost'),
});

const place = fc.oneof(
  fc.bigInt({ min: 0n, max: CODE_BYTES / 2n - 1n }).map((half) => CODE + 2n * half),
  fc.constantFrom(HANDLER, HANDLER + 4n),
);

test('a run stops before every execution of any of them, in the state of that position, and nowhere else', () => {
  const settings = fc.record({
    harts: fc.integer({ min: 1, max: 3 }),
    split: fc.boolean(),
    places: fc.array(place, { minLength: 1, maxLength: 12 }),
    forget: fc.boolean(),
    // All code runs at its physical addresses, so both name the same instructions.
    virtual: fc.constantFrom('none', 'some', 'all'),
  });
  let stops = 0;
  fc.assert(
    fc.property(settings, ({ harts, split, places, forget, virtual }) => {
      const [bed, judge] = [machine(harts, split), machine(harts, split)];
      const isVirtual = (n: number) => virtual === 'all' || (virtual === 'some' && n % 2 === 0);
      setBreakpoints(
        bed,
        places.filter((_, n) => !isVirtual(n)),
      );
      setBreakAddresses(
        bed,
        places.filter((_, n) => isVirtual(n)),
      );
      for (let tick = 0; tick < 400; tick++) {
        const { core } = judge;
        const hart = core.arch.peekNext() >>> 0;
        const paddr = core.machine('mmioData');
        const here = { ticks: core.machine('ticks'), hart, paddr };
        const state = places.includes(paddr) ? judge.state() : undefined;
        const moment = core.machine('moment');
        judge.run(1);
        // Otherwise an interrupt came first, or time was skipped.
        if (core.machine('moment') === moment || state === undefined) continue;
        expect(bed.run(1000)).toBe(STOP_BREAKPOINT);
        expect(stopped(bed)).toEqual(here);
        expect(Buffer.compare(bed.state(), state)).toBe(0);
        // What is forgotten is only where it has stopped already.
        if (forget && stops % 3 === 0) {
          core.arch.flushDerived();
          bed.core.arch.flushDerived();
          expect(bed.run(1000)).toBe(STOP_BREAKPOINT);
          expect(stopped(bed)).toEqual(here);
        }
        stops++;
      }
      expect(bed.run(Number(judge.core.machine('ticks') - bed.core.machine('ticks')))).toBe(STOP_TICKS);
      expect(Buffer.compare(bed.state(), judge.state())).toBe(0);
      // None is left behind.
      setBreakpoints(bed, []);
      setBreakAddresses(bed, []);
      for (const its of [bed, judge]) expect(its.run(3000)).toBe(STOP_TICKS);
      expect(Buffer.compare(bed.state(), judge.state())).toBe(0);
    }),
    { numRuns: 9 },
  );
  expect(stops).toBeGreaterThan(100);
});

test('as many as a page has half-words, and more: every single instruction is stopped at', () => {
  const bed = machine(1, false);
  const halves = Array.from({ length: 0x4000 }, (_, n) => RAM + 2n * BigInt(n));
  setBreakpoints(bed, halves);
  for (let n = 0; n < 300; n++) {
    expect(bed.run(1000)).toBe(STOP_BREAKPOINT);
    expect(bed.core.machine('moment')).toBe(BigInt(n));
  }
});

test('who is moved from one place to another stops there, too, at the same tick', () => {
  const bed = new Bed();
  bed.program('nop\nnop\nnop');
  bed.enter('M', RAM);
  setBreakpoints(bed, [RAM + 4n, RAM + 8n]);
  expect(bed.run(100)).toBe(STOP_BREAKPOINT);
  bed.core.setHart(0, 'pc', RAM + 8n);
  expect(bed.run(100)).toBe(STOP_BREAKPOINT);
  expect(stopped(bed)).toEqual({ ticks: 1n, hart: 0, paddr: RAM + 8n });
});

test('stores to the place change what runs there, not that it is stopped at; loads see what was stored', () => {
  const bed = new Bed();
  bed.program(`
    la t0, patched
    lw t1, 0(t0)
  again:
    add t1, t1, t2
    sw t1, 0(t0)
  patched:
    addi a0, a0, 1
    lw a1, 0(t0)
    j again
  `);
  const patched = RAM + 20n;
  bed.setX('t2', 1n << 20n);
  bed.enter('M', RAM);
  setBreakpoints(bed, [patched]);
  for (let n = 1n; n < 6n; n++) {
    expect(bed.run(1000)).toBe(STOP_BREAKPOINT);
    expect(bed.pc()).toBe(patched);
    expect(bed.run(2)).toBe(STOP_TICKS);
    expect(bed.x('a0')).toBe((n * (n + 1n)) / 2n + n);
    expect(bed.x('a1')).toBe(0x00150513n + (n << 20n));
  }
});

test('whatever the address and the mode; not where the instruction cannot be fetched', () => {
  const bed = new Bed();
  bed.openPmp();
  const target = RAM + 0x5000n;
  bed.program('nop', target);
  bed.setCsr('mtvec', RAM + 0x6000n);
  const root = bed.tablePages();
  const none = PTE.R | PTE.W | PTE.D | PTE.A;
  bed.map(root, 0x1000n, target, RWX);
  bed.map(root, 0x2000n, target, RWX | PTE.U);
  bed.map(root, 0x3000n, target, none);
  bed.map(root, 0x4000n, target, PTE.R | PTE.X);
  bed.setCsr('satp', SV39 | (root >> 12n));
  setBreakpoints(bed, [target]);
  const outcome = (mode: 'M' | 'HS' | 'U', va: bigint) => {
    bed.enter(mode, va);
    const stop = bed.run(1);
    return stop === STOP_BREAKPOINT ? 'stops' : bed.mode() === 'M' && mode !== 'M' ? bed.csr('mcause') : 'runs';
  };
  expect(outcome('M', target)).toBe('stops');
  expect(outcome('HS', 0x1000n)).toBe('stops');
  expect(outcome('U', 0x2000n)).toBe('stops');
  expect(outcome('U', 0x1000n)).toBe(12n);
  expect(outcome('HS', 0x3000n)).toBe(12n);
  expect(outcome('HS', 0x4000n)).toBe('stops');
  // Hardware does not set A: the fetch faults.
  bed.setCsr('menvcfg', 0n);
  expect(outcome('HS', 0x4000n)).toBe(12n);
  // Nobody but M-mode may execute there.
  bed.setCsr('pmpcfg0', 0x1bn);
  expect(outcome('HS', 0x1000n)).toBe(1n);
  expect(outcome('M', target)).toBe('stops');
});

test('a virtual address is one in whatever address space, and not the other addresses of the same code', () => {
  const bed = new Bed();
  bed.openPmp();
  const [target, other] = [RAM + 0x5000n, RAM + 0x6000n];
  for (const page of [target, other]) bed.program('nop\nnop\nnop', page);
  bed.setCsr('mtvec', RAM + 0x7000n);
  const [root, elsewhere] = [bed.tablePages(), bed.tablePages()];
  for (const va of [0x1000n, 0x2000n]) bed.map(root, va, target, RWX);
  bed.map(elsewhere, 0x1000n, other, RWX);
  setBreakAddresses(bed, [0x1004n]);
  const stops = (table: bigint, mode: 'M' | 'HS', va: bigint) => {
    bed.setCsr('satp', SV39 | (table >> 12n));
    bed.enter(mode, va);
    return bed.run(3) === STOP_BREAKPOINT ? bed.pc() : undefined;
  };
  expect(stops(root, 'HS', 0x1000n)).toBe(0x1004n);
  expect(stops(root, 'HS', 0x2000n)).toBe(undefined);
  expect(stops(elsewhere, 'HS', 0x1000n)).toBe(0x1004n);
  expect(stops(root, 'M', target)).toBe(undefined);
  // The mapping moves away and comes back.
  bed.map(root, 0x1000n, other, RWX);
  expect(stops(root, 'HS', 0x1000n)).toBe(0x1004n);
  setBreakAddresses(bed, []);
  expect(stops(root, 'HS', 0x1000n)).toBe(undefined);
});
