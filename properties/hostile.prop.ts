/**
 * Hostile guests: whatever runs as firmware or kernel, and whatever it writes wherever it can, stays inside the
 * machine. Nothing is thrown, time passes as asked, and the run is the same again when it is cut, put back and moved to
 * another machine on the way; some of them through a trace file.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assemble, CSRS } from '../engine/index.ts';
import { record, replayTrace } from '../replay/index.ts';
import { openTrace } from '../traces/index.ts';
import { bareConfig, expectSameState, Pair, type Poke, RAM } from './bare.fixtures.ts';
import { check } from './check.ts';
import { scenarioRecorder } from './scenario.fixtures.ts';

const BUDGET = 3000;
/** Garbage begins behind the prologue. */
const GARBAGE = RAM + 0x400;
const TABLES = RAM + 0x10_0000;

interface Garbage {
  readonly harts: number;
  /** Values of x5 … x31 when the garbage begins. */
  readonly registers: readonly bigint[];
  readonly code: Uint8Array;
  /** A trap handler that goes on behind the trapped instruction; without: whatever is at address 0. */
  readonly handler: boolean;
  readonly mode: 'M' | 'HS' | 'U' | 'VS' | 'VU';
  /** Three pages of entries that page tables may be made of. */
  readonly tables: Uint8Array;
  readonly translation: readonly bigint[];
  readonly cuts: readonly number[];
  /** Whether somebody looks on. */
  readonly watched: boolean;
  /** Bytes written from outside while it runs. */
  readonly pokes: readonly Poke[];
}

/** Where a guest's stores may do harm: devices, their neighbours, edges of RAM, its own code and tables, nowhere. */
const places = fc.oneof(
  fc.constantFrom(0n, 0x1000n, 0x10_0000n, 0x10_1000n, 0x200_0000n, 0x200_4000n, 0x200_bff8n, 0xc00_0000n, 0xc00_1000n),
  fc.constantFrom(0xc00_2000n, 0xc20_0000n, 0xc20_1004n, 0x1000_0000n, 0x1000_0007n, 0x1000_1000n, 0x1000_8000n),
  fc.constantFrom(
    BigInt(RAM),
    BigInt(GARBAGE),
    BigInt(TABLES),
    BigInt(RAM) + (4n << 20n) - 4n,
    BigInt(RAM) + (4n << 20n),
  ),
  fc.constantFrom(0x4000_0000n, 1n << 38n, (1n << 64n) - 4096n, 0xffff_ffff_ffff_fffcn, 0x3000_0000n),
  fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
);
const nearby = fc
  .tuple(places, fc.oneof(fc.constant(0n), fc.bigInt({ min: -64n, max: 4096n })))
  .map(([at, off]) => BigInt.asUintN(64, at + off));

/** Major opcodes of 32-bit instructions; what else is in the word is drawn. */
const OPCODES = [0x03, 0x07, 0x0f, 0x13, 0x17, 0x1b, 0x23, 0x27, 0x2f, 0x33, 0x37, 0x3b, 0x43, 0x53, 0x63, 0x67, 0x6f];
/** CSRs that keep or show something. */
const STATEFUL = CSRS.filter(({ implementation }) => implementation && implementation.source !== 'zero').map(
  ({ number }) => number,
);
const word = (bits: number) => new Uint8Array(Uint32Array.of(bits).buffer);
const anyWord = fc.nat({ max: 0xffff_ffff });
const piece = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.tuple(fc.constantFrom(...OPCODES), anyWord).map(([op, w]) => word(((w & ~0x7f) | op) >>> 0)),
  },
  // Loads and stores through the given registers, small offsets.
  {
    weight: 8,
    arbitrary: fc
      .tuple(fc.constantFrom(0x03, 0x23), fc.nat(7), fc.integer({ min: 5, max: 31 }), fc.nat(31), fc.nat(31))
      .map(([op, size, base, other, low]) => word(op | (low << 7) | (size << 12) | (base << 15) | (other << 20))),
  },
  // CSR instructions; xRET, WFI, fences and hypervisor accesses.
  {
    weight: 6,
    arbitrary: fc
      .tuple(fc.constantFrom(...STATEFUL), fc.nat(31), fc.nat(7), fc.nat(31))
      .map(([csr, source, funct, rd]) => word(((csr << 20) | (source << 15) | (funct << 12) | (rd << 7) | 0x73) >>> 0)),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          0x0000_0073,
          0x0010_0073,
          0x1020_0073,
          0x3020_0073,
          0x1050_0073,
          0x0000_100f,
          0x1200_0073,
          0x2200_0073,
          0x6200_0073,
          0x1600_0073,
          0x6000_4073,
          0x6200_4073,
          0x6c00_4073,
          0x6e00_4073,
        ),
        fc.nat(31),
        fc.nat(31),
      )
      .map(([op, rs1, rd]) => word(op & 0x4000 ? op | (rs1 << 15) | (rd << 7) : op)),
  },
  { weight: 2, arbitrary: fc.nat({ max: 0xffff }).map((half) => new Uint8Array(Uint16Array.of(half).buffer)) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 1, maxLength: 9 }) },
  // `sw x6, 0(x5)` and `sb x8, 0(x7)`, which often are the finisher and the console.
  { weight: 1, arbitrary: fc.constantFrom(0x0062_a023, 0x0083_8023, 0x0083_8023).map(word) },
);
const entries = fc
  .array(fc.tuple(fc.nat(0x3ff), fc.nat({ max: 0xff }), fc.constantFrom(0n, 0n, 0n, 1n << 63n, 3n << 61n, 1n << 54n)), {
    maxLength: 24,
  })
  .map((drawn) => {
    const table = new BigUint64Array(3 * 512).fill((BigInt(RAM >>> 12) << 10n) | 0xcfn);
    for (const [n, low, high] of drawn) {
      const target = BigInt((TABLES >>> 12) + (low & 3)) << 10n;
      table[n] = high | target | BigInt(low);
      table[(n * 5) % table.length] = target | 1n;
    }
    return new Uint8Array(table.buffer);
  });
const atp = fc
  .tuple(fc.constantFrom(0n, 8n, 8n, 8n, 9n, 10n, 15n), fc.nat(0xffff), fc.nat(2))
  .map(([mode, id, page]) => (mode << 60n) | (BigInt(id) << 44n) | BigInt((TABLES >>> 12) + page));

const GUEST: fc.Arbitrary<Garbage> = fc.record({
  harts: fc.constantFrom(1, 2),
  registers: fc
    .tuple(
      fc.constantFrom(0x10_0000n, 0x200_4000n),
      fc.constantFrom(0x5555n, 0x7_3333n, 0x7777n, 0x3_1003n),
      fc.constantFrom(0x1000_0000n, 0xc00_0028n),
      fc.array(nearby, { minLength: 24, maxLength: 24 }),
    )
    .map(([finisher, word, console, others]) => [finisher, word, console, ...others]),
  code: fc.array(piece, { minLength: 1, maxLength: 200, size: 'max' }).map((pieces) => Buffer.concat(pieces)),
  handler: fc.boolean(),
  mode: fc.constantFrom('M', 'HS', 'U', 'VS', 'VU'),
  tables: entries,
  translation: fc.tuple(atp, atp, atp),
  cuts: fc.uniqueArray(fc.nat({ max: BUDGET }), { maxLength: 5 }).map((cuts) => cuts.toSorted((a, b) => a - b)),
  watched: fc.constantFrom(false, false, false, true),
  pokes: fc.array(
    fc.record({
      ticks: fc.nat({ max: BUDGET }),
      paddr: fc.constantFrom(GARBAGE, GARBAGE + 64, TABLES, TABLES + 0x1010, RAM + 0x3ff),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 16 }),
    }),
    { maxLength: 2 },
  ),
});

const MPP = { M: 3n << 11n, HS: 1n << 11n, U: 0n, VS: (1n << 11n) | (1n << 39n), VU: 1n << 39n } as const;

/** Sets the machine up as drawn and begins with the garbage. */
function prologue({ registers, handler, mode, translation }: Garbage): Uint8Array {
  const [satp, vsatp, hgatp] = translation;
  return assemble(
    `
      la t0, handler
      ${handler ? 'csrw mtvec, t0' : ''}
      li t0, -1
      csrw pmpaddr0, t0
      li t0, 31
      csrw pmpcfg0, t0
      li t0, ${satp}
      csrw satp, t0
      li t0, ${vsatp}
      csrw vsatp, t0
      li t0, ${hgatp}
      csrw hgatp, t0
      li t0, ${(3n << 11n) | (1n << 39n)}
      csrc mstatus, t0
      li t0, ${MPP[mode]}
      csrs mstatus, t0
      li t0, ${GARBAGE}
      csrw mepc, t0
      ${registers.map((value, n) => `li x${n + 5}, ${value}`).join('\n')}
      mret
      .balign 4
    handler:
      csrw mscratch, t0
      csrr t0, mepc
      addi t0, t0, 4
      csrw mepc, t0
      csrr t0, mscratch
      mret
    `,
    RAM,
  ).bytes;
}

function pokesOf(guest: Garbage): Poke[] {
  const before = prologue(guest);
  expect(before.length).toBeLessThanOrEqual(GARBAGE - RAM);
  return [
    { paddr: RAM, bytes: before },
    { paddr: GARBAGE, bytes: guest.code },
    { paddr: TABLES, bytes: guest.tables },
    ...guest.pokes,
  ];
}

const pairs = new Map([1, 2].map((harts) => [harts, new Pair(harts)]));

test('garbage stays inside the machine and runs the same again', async () => {
  const name = 'garbage stays inside the machine and runs the same again';
  const tally = { halted: 0, idle: 0, output: 0 };
  await check({ name, runs: 700 }, GUEST, (guest) => {
    const pair = pairs.get(guest.harts)!;
    pair.reset();
    const pokes = pokesOf(guest);
    const straight = pair.straight(pokes, BUDGET, guest.watched);
    if (straight.stop.kind === 'ticks') expect(straight.end.ticks).toBe(BUDGET);
    else expect(straight.end.ticks).toBeLessThanOrEqual(BUDGET);
    if (straight.stop.kind === 'halted') tally.halted++;
    if (straight.stop.kind === 'idle') tally.idle++;
    if (straight.events.some((event) => event.includes('console'))) tally.output++;
    pair.reset();
    const cut = pair.interrupted(pokes, BUDGET, guest.cuts, guest.watched);
    expectSameState(straight.end, cut.end, pair.config);
    expect(cut.stop).toEqual(straight.stop);
    expect(cut.events).toEqual(straight.events);
  });
  // The garbage does reach what it is meant to reach.
  if (!process.env.FC_PATH && !process.env.FC_RUNS) {
    for (const [what, count] of Object.entries(tally)) expect(count, what).toBeGreaterThan(5);
  }
});

const recorder = scenarioRecorder();
test('garbage replays from its trace', async () => {
  await check({ name: 'garbage replays from its trace', runs: 6 }, GUEST, async (guest) => {
    const result = await record({
      path: recorder.path(),
      config: bareConfig(guest.harts),
      planned: pokesOf(guest).map(({ paddr, bytes, ticks }) => ({
        trigger: { kind: 'moment' as const, moment: ticks ?? 0 },
        event: { kind: 'poke' as const, paddr, bytes },
      })),
      maxMoment: BUDGET,
      digestEvery: 100,
      checkpointEvery: 500,
      commandLine: [],
    });
    const trace = openTrace(result.path);
    const { ok, end, divergence } = replayTrace(trace);
    expect(divergence).toBeUndefined();
    expect(ok).toBe(true);
    expect(end).toEqual({ moment: trace.last.moment, ticks: trace.last.ticks });
  });
});
