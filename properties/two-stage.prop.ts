/**
 * The engine's two-stage walks against the model in two-stage/: random page tables of every mode, random status bits,
 * and accesses by HLV, HLVX and HSV from M-mode. Each access must reach the same byte or trap with the same cause,
 * guest- physical address and pseudo-instruction; in the end the tables must hold the same A and D bits.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assemble, createMachine } from '../engine/index.ts';
import { bareConfig, RAM } from './bare.fixtures.ts';
import { check } from './check.ts';
import { type Access, access, type Memory, type Setup } from './conformance/two-stage/index.ts';

const PAGE = 4096;
const RAM_BYTES = 4 << 20;
/** Program and results lie where no entry leads; what harts start with may be overwritten once it has jumped there. */
const PROGRAM = RAM + 0x3e_0000;
const RESULTS = RAM + 0x3f_0000;
/** Four words per access. */
const RESULT_BYTES = 32;
/** Tables of both stages, data, and the wide root of the G-stage all come from here. */
const POOL = RAM + 0x10_0000;
const POOL_PAGES = 24;
const GROOT = RAM + 0x20_0000;
/**
 * Entries that tables use: addresses are made of these indices. The last level's begin at 16, so that small
 * guest-physical addresses taken as physical ones lie above the boot ROM, where there is nothing.
 */
const USED = 4;
const LAST_LEVEL = 16;
const TICKS = 20_000;

interface Case {
  readonly setup: Setup;
  /** Table page → entries; the last "page" is the G-stage's root. */
  readonly tables: readonly (readonly bigint[])[];
  readonly accesses: readonly { readonly va: bigint; readonly kind: Access }[];
}

const leafFlags = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(0xdfn, 0xdfn, 0xcfn, 0xd7n, 0x5fn, 0x1fn, 0x59n, 0x53n) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 0xffn }) },
);
const highBits = fc.oneof(
  { weight: 12, arbitrary: fc.constant(0n) },
  { weight: 1, arbitrary: fc.constantFrom(1n << 63n, 1n << 61n, 3n << 61n, 2n << 61n, 1n << 54n, 1n << 60n) },
);
/** Where an entry points, as a page number: the pool, a superpage-aligned place, a range of 64 KiB, or not RAM. */
const pageNumber = fc.oneof(
  { weight: 10, arbitrary: fc.nat(POOL_PAGES - 1).map((n) => BigInt(POOL / PAGE + n)) },
  { weight: 2, arbitrary: fc.constantFrom(0x80000n, 0x80200n, 0x80108n, 0x80118n) },
  { weight: 1, arbitrary: fc.constantFrom(0x90000n, 0x80400n, 0x70000n) },
);
/** Guest-physical pages that the indices above reach: what entries of the VS-stage point to. */
const guestPage = (levels: number) =>
  fc
    .tuple(...Array.from({ length: Math.max(1, levels) }, () => fc.nat(USED - 1)))
    .map((indices) => indices.reduce((page, index) => (page << 9n) | BigInt(index), 0n) + BigInt(LAST_LEVEL));

/** Pool pages are meant as tables of one level each, the last level's first; an entry that works follows that. */
const LEVEL_STARTS = [0, 10, 16, 20, POOL_PAGES];
const levelOf = (page: number) => LEVEL_STARTS.findLastIndex((start) => page >= start);
const pageOfLevel = (level: number) => fc.integer({ min: LEVEL_STARTS[level]!, max: LEVEL_STARTS[level + 1]! - 1 });
const poolPage = (n: fc.Arbitrary<number>) => n.map((page) => BigInt(POOL / PAGE + page));

/** `physical`: what the table points to is a page number of RAM; else one of the guest's. */
const entry = (level: number, page: fc.Arbitrary<bigint>, physical: boolean) => {
  const pointer = (to: fc.Arbitrary<bigint>) => fc.tuple(to, highBits).map(([at, high]) => (at << 10n) | high | 1n);
  const leaf = fc.tuple(page, leafFlags, highBits).map(([to, flags, high]) => (to << 10n) | high | flags);
  const below = physical && level > 0 ? poolPage(pageOfLevel(level - 1)) : page;
  return level === 0
    ? fc.oneof({ weight: 8, arbitrary: leaf }, { weight: 1, arbitrary: pointer(page) })
    : fc.oneof({ weight: 8, arbitrary: pointer(below) }, { weight: 2, arbitrary: leaf });
};

const LEVELS = [0, 8, 9, 10];
const levelsOf = (mode: number) => (mode === 0 ? 0 : mode - 5);

const cases: fc.Arbitrary<Case> = fc
  .tuple(fc.constantFrom(...LEVELS, 8), fc.constantFrom(...LEVELS, 8))
  .chain(([vsMode, gMode]) => {
    // Without a G-stage, guest-physical addresses are physical ones.
    const guest = gMode === 0 ? pageNumber : guestPage(levelsOf(gMode));
    const rows = (level: number, page: fc.Arbitrary<bigint>, physical: boolean) =>
      fc.array(entry(level, page, physical), { minLength: USED, maxLength: USED });
    const anyRows = (level: number) => fc.oneof(rows(level, pageNumber, true), rows(level, guest, gMode === 0));
    const untranslated = vsMode === 0 && gMode === 0;
    const reached = untranslated ? pageNumber : guestPage(Math.max(levelsOf(vsMode), levelsOf(gMode)));
    const address = fc.tuple(reached, fc.nat(511), fc.nat(20)).map(([page, word, odd]) => {
      // Now and then an address that no mode takes as it is.
      const base = (page << 12n) | BigInt(word * 8);
      return odd === 0 ? base | (1n << 63n) : odd === 1 ? base | (1n << 41n) : base;
    });
    return fc.record({
      setup: fc.record({
        supervisor: fc.boolean(),
        vsatp: (gMode === 0 && vsMode > 0 ? poolPage(pageOfLevel(Math.min(3, levelsOf(vsMode) - 1))) : guest).map(
          (page) => (BigInt(vsMode) << 60n) | (vsMode === 0 ? 0n : page),
        ),
        hgatp: fc.constant((BigInt(gMode) << 60n) | (gMode === 0 ? 0n : BigInt(GROOT / PAGE))),
        sum: fc.boolean(),
        guestMxr: fc.boolean(),
        mxr: fc.boolean(),
        guestAdue: fc.boolean(),
        adue: fc.boolean(),
        guestPbmte: fc.boolean(),
        pbmte: fc.boolean(),
      }),
      tables: fc
        .tuple(
          fc.tuple(...Array.from({ length: POOL_PAGES }, (_, n) => anyRows(levelOf(n)))),
          rows(Math.max(0, levelsOf(gMode) - 1), pageNumber, true),
        )
        .map(([pool, root]) => [...pool, root]),
      accesses: fc.array(fc.record({ va: address, kind: fc.constantFrom('load', 'execute', 'store') }), {
        minLength: 1,
        maxLength: 12,
      }),
    });
  });

/** A table page: the entries at the indices of the upper levels and again at those of the last one. */
function tableBytes(entries: readonly bigint[], bytes: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(bytes));
  entries.forEach((value, index) => {
    view.setBigUint64(index * 8, value, true);
    view.setBigUint64((LAST_LEVEL + index) * 8, value, true);
  });
  return new Uint8Array(view.buffer);
}

const INSTRUCTION: Record<Access, string> = {
  load: 'hlv.d s3, (s2)',
  execute: 'hlvx.wu s3, (s2)',
  store: 'hsv.d s2, (s2)',
};

/** The program: sets the machine up, makes each access, and leaves cause, guest address, tinst and value of each. */
function program({ setup, accesses }: Case): Uint8Array {
  const bit = (on: boolean, n: number) => (on ? 1n << BigInt(n) : 0n);
  const li = (csr: string, value: bigint) => [`li t0, 0x${value.toString(16)}`, `csrw ${csr}, t0`];
  const steps = accesses.flatMap(({ va, kind }, n) => [
    `li s2, 0x${BigInt.asUintN(64, va).toString(16)}`,
    'li s3, 0',
    'csrw mcause, x0',
    'csrw mtval2, x0',
    'csrw mtinst, x0',
    INSTRUCTION[kind],
    `li t1, 0x${(RESULTS + n * RESULT_BYTES).toString(16)}`,
    ...['mcause', 'mtval2', 'mtinst'].flatMap((csr, word) => [`csrr t0, ${csr}`, `sd t0, ${word * 8}(t1)`]),
    'sd s3, 24(t1)',
  ]);
  const text = [
    'la t0, handler',
    'csrw mtvec, t0',
    ...li('pmpaddr0', (1n << 54n) - 1n),
    ...li('pmpcfg0', 0x1fn),
    ...li('menvcfg', bit(setup.adue, 61) | bit(setup.pbmte, 62)),
    // henvcfg shows what menvcfg allows: bits that are off there stay off.
    ...li('henvcfg', bit(setup.guestAdue, 61) | bit(setup.guestPbmte, 62)),
    ...li('mstatus', bit(setup.mxr, 19)),
    ...li('vsstatus', bit(setup.sum, 18) | bit(setup.guestMxr, 19)),
    ...li('hstatus', bit(setup.supervisor, 8)),
    ...li('vsatp', setup.vsatp),
    ...li('hgatp', setup.hgatp),
    ...steps,
    'li t0, 0x100000',
    'li t1, 0x5555',
    'sw t1, 0(t0)',
    'end: j end',
    '.balign 4',
    'handler:',
    'csrr t0, mepc',
    'addi t0, t0, 4',
    'csrw mepc, t0',
    'mret',
  ];
  return assemble(text, PROGRAM).bytes;
}

/** Physical memory for the model: a copy of the engine's before the run. */
function copyOf(ram: Uint8Array): Memory & { readonly bytes: Uint8Array } {
  const bytes = ram.slice();
  const view = new DataView(bytes.buffer);
  const at = (paddr: bigint) => Number(paddr - BigInt(RAM));
  const isRam = (paddr: bigint) => paddr >= BigInt(RAM) && paddr < BigInt(RAM + RAM_BYTES);
  return {
    bytes,
    isRam,
    read64: (paddr) => (isRam(paddr) ? view.getBigUint64(at(paddr), true) : undefined),
    write64: (paddr, value) => view.setBigUint64(at(paddr), value, true),
  };
}

const machine = createMachine(bareConfig(1));
const reset = machine.snapshot();

function agree(drawn: Case): void {
  machine.restore(reset);
  const put = (paddr: number, bytes: Uint8Array) => machine.apply({ kind: 'poke', paddr, bytes });
  drawn.tables.forEach((entries, n) => {
    put(n < POOL_PAGES ? POOL + n * PAGE : GROOT, tableBytes(entries, n < POOL_PAGES ? PAGE : 4 * PAGE));
  });
  put(RAM, assemble([`li t0, ${PROGRAM}`, 'jr t0'], RAM).bytes);
  put(PROGRAM, program(drawn));
  const memory = copyOf(machine.readPhysical(RAM, RAM_BYTES));
  const { setup } = drawn;
  const effective = { ...setup, guestAdue: setup.guestAdue && setup.adue, guestPbmte: setup.guestPbmte && setup.pbmte };
  const stop = machine.run({ ticks: TICKS });
  expect(stop).toEqual({ kind: 'halted', status: 'pass', code: 0 });
  const results = new DataView(machine.readPhysical(RESULTS, drawn.accesses.length * RESULT_BYTES).buffer);
  drawn.accesses.forEach(({ va, kind }, n) => {
    const address = BigInt.asUintN(64, va);
    const expected = access(memory, effective, address, kind);
    const word = (k: number) => results.getBigUint64(n * RESULT_BYTES + k * 8, true);
    const label = `access ${n}: ${kind} at 0x${address.toString(16)}`;
    if ('paddr' in expected) {
      expect(word(0), label).toBe(0n);
      if (kind === 'store') memory.write64(expected.paddr, address);
      else {
        const value = memory.read64(expected.paddr)!;
        expect(word(3), label).toBe(kind === 'execute' ? BigInt.asUintN(32, value) : value);
      }
      return;
    }
    expect({ cause: word(0), gpa: word(1) }, label).toEqual({ cause: BigInt(expected.cause), gpa: expected.gpa >> 2n });
    if (expected.pseudo !== 0n) expect(word(2), label).toBe(expected.pseudo);
    tally.set(expected.cause, (tally.get(expected.cause) ?? 0) + 1);
  });
  tally.set(0, (tally.get(0) ?? 0) + drawn.accesses.length);
  const tables = (bytes: Uint8Array) => bytes.subarray(POOL - RAM, GROOT - RAM + 4 * PAGE);
  expect(Buffer.compare(tables(machine.readPhysical(RAM, RAM_BYTES)), tables(memory.bytes)), 'tables').toBe(0);
}

const RUNS = 800;
/** Traps by cause, and all accesses under 0: the property is worth something only if all kinds happen. */
const tally = new Map<number, number>();

test('the engine translates as the model does', async () => {
  await check({ name: 'two-stage translation', runs: RUNS }, cases, agree);
  for (const cause of [5, 7, 13, 15, 21, 23]) expect(tally.get(cause) ?? 0, `cause ${cause}`).toBeGreaterThan(20);
  const trapped = [...tally].reduce((sum, [cause, count]) => (cause === 0 ? sum : sum + count), 0);
  expect(tally.get(0)! - trapped, 'accesses that went through').toBeGreaterThan(RUNS / 4);
});
