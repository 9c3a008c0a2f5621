import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc } from '@fast-check/vitest';
import { afterAll, describe, expect, it } from 'vitest';
import { assemble, createMachine, type InputEvent, type MachineConfig } from '../../engine/index.ts';
import { openTrace, type Trace } from '../../traces/index.ts';
import { executable } from '../bisect-testing.ts';
import { record } from '../record/record.ts';
import { bisectTraces } from './bisect.ts';

const CODE = 0x8000_0000;
const DATA = 0x8001_0000;

/** Each hart counts, mixes memory of its own page and takes a trap every 64 rounds. */
const PROGRAM = `
    li t0, ${CODE}
    addi t0, t0, 0x100
    csrw mtvec, t0
    csrr t0, mhartid
    slli t0, t0, 12
    li s0, ${DATA}
    add s0, s0, t0
  loop:
    addi a0, a0, 1
    sd a0, 0(s0)
    ld a1, 8(s0)
    xor a2, a2, a1
    sd a2, 16(s0)
    andi a3, a0, 63
    bnez a3, loop
    ecall
    j loop
    .balign 256
  handler:
    csrr t1, mepc
    addi t1, t1, 4
    csrw mepc, t1
    mret
`;
/** Hart 0 counts inside a VM; hart 1 stays in M-mode, although its hgatp names the same VM. */
const GUEST = `
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 31
    csrw pmpcfg0, t0
    li t0, 0x80100000
    li t1, 0x200000df
    sd t1, 16(t0)
    li t0, 0x8000100000080100
    csrw hgatp, t0
    csrr t1, mhartid
    bnez t1, stay
    li t0, 0x8000000800
    csrs mstatus, t0
    la t0, guest
    csrw mepc, t0
    mret
  guest:
    addi a0, a0, 1
    j guest
  stay:
    j stay
`;
const MAX = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'dejavm-bisect-'));
afterAll(() => rmSync(folder, { recursive: true }));

const config = (change: Partial<MachineConfig> = {}): MachineConfig => ({
  harts: 2,
  ramBytes: 4 << 20,
  quantum: { policy: 'jittered', ticks: 300, seed: 5n },
  bios: { name: 'count.elf', bytes: executable(CODE, assemble(PROGRAM, CODE).bytes) },
  append: '',
  ...change,
});

interface Planned {
  readonly moment: number;
  readonly event: InputEvent;
}
let recorded = 0;
async function recordRun(
  inputs: readonly Planned[],
  change: Partial<MachineConfig> = {},
  maxMoment = MAX,
): Promise<Trace> {
  const path = join(folder, `${recorded++}.djvm`);
  await record({
    path,
    config: config(change),
    planned: inputs.map(({ moment, event }) => ({ trigger: { kind: 'moment', moment }, event })),
    maxMoment,
    digestEvery: 1000,
    checkpointEvery: 4000,
    commandLine: [],
  });
  return openTrace(path);
}

const poke = (paddr: number, value: number): InputEvent => ({ kind: 'poke', paddr, bytes: Uint8Array.of(value) });

describe('bisectTraces', async () => {
  const golden = await recordRun([]);

  it('finds a planted poke exactly, wherever it is and whether it heals or not', async () => {
    const plant = fc.record({
      moment: fc.integer({ min: 1, max: MAX - 1 }),
      hart: fc.nat(1),
      /** 0 is overwritten in the next round, 8 spreads, 64 stays where it is. */
      offset: fc.constantFrom(0, 8, 64),
      bit: fc.nat(7),
    });
    await fc.assert(
      fc.asyncProperty(plant, async ({ moment, hart, offset, bit }) => {
        const paddr = DATA + hart * 4096 + offset + 3;
        const b = await recordRun([{ moment, event: poke(paddr, 1 << bit) }]);
        const found = bisectTraces(golden, b);
        const reference = createMachine(config());
        reference.run({ moment });
        const before = BigInt(reference.readPhysical(paddr, 1)[0]!);
        if (before === BigInt(1 << bit)) return;
        expect(found).toMatchObject({ identical: false, moment, ticks: reference.ticks, ...reference.next() });
        expect(found.cause).toBe(
          `input: only B has poke 0x${paddr.toString(16)} = ${(1 << bit).toString(16).padStart(2, '0')}`,
        );
        expect(found.differences).toHaveLength(1);
        expect(found.differences[0]).toMatchObject({ where: 'ram', paddr: paddr - 3 });
      }),
      { numRuns: 15 },
    );
  });

  it.each([0, 1])('finds a fault on the hart that it hits, here %i, whosever turn it is', async (hart) => {
    const fault: InputEvent = { kind: 'fault', fault: { model: 'register', hart, register: 12, bit: 40 } };
    const found = bisectTraces(golden, await recordRun([{ moment: 7_777, event: fault }]));
    const reference = createMachine(config());
    reference.run({ moment: 7_777 });
    expect(found).toMatchObject({ moment: 7_777, hart, pc: reference.hart(hart).pc });
    expect(found.cause).toBe(`input: only B has fault register=x12,bit=40,hart=${hart}`);
    expect(found.differences.map(({ where, a, b }) => [where, a ^ b])).toEqual([[`hart${hart}.x12`, 1n << 40n]]);
    expect(found.instruction).not.toBe('(not mapped)');
  });

  it('names the VM that a hart with a different register is inside, and nothing for what is of no hart', async () => {
    const bios = { name: 'guest.elf', bytes: executable(CODE, assemble(GUEST, CODE).bytes) };
    const run = (...events: InputEvent[]) =>
      recordRun(
        // Both harts have had their first turns.
        events.map((event) => ({ moment: 2000, event })),
        { bios },
        2100,
      );
    const fault = (hart: number): InputEvent => ({
      kind: 'fault',
      fault: { model: 'register', hart, register: 25, bit: 3 },
    });
    const found = bisectTraces(
      await run(),
      await run(fault(0), fault(1), { kind: 'console', bytes: Buffer.from('a') }),
    );
    const [inside, beside, ...rest] = found.differences;
    expect(inside).toEqual({ where: 'hart0.x25', a: 0n, b: 8n, owner: 'vm1' });
    expect(beside).toEqual({ where: 'hart1.x25', a: 0n, b: 8n });
    expect(rest.length).toBeGreaterThan(0);
    for (const difference of rest) {
      expect(Object.keys(difference).sort()).toEqual(['a', 'b', 'where']);
      expect(difference.where).toMatch(/^uart/);
    }
  });

  it('passes over an input that changes nothing', async () => {
    const silent = { moment: 500, event: poke(DATA + 64, 0) };
    const loud = { moment: 900, event: poke(DATA + 64, 1) };
    expect(bisectTraces(golden, await recordRun([silent]))).toMatchObject({ identical: true, differences: [] });
    expect(bisectTraces(golden, await recordRun([silent, loud]))).toMatchObject({ identical: false, moment: 900 });
  });

  it('takes equal runs for equal without executing them, and knows a prefix', async () => {
    expect(bisectTraces(golden, await recordRun([]))).toEqual({ identical: true, differences: [], probes: 0 });
    const found = bisectTraces(golden, await recordRun([], {}, 5_000));
    expect(found.identical).toBe(true);
    expect(found.cause).toContain('is a prefix of');
    expect(found.cause).toContain('ends at moment 5000');
  });

  it('refuses runs of different machines and says what differs', async () => {
    const other = await recordRun([], { harts: 1, quantum: { policy: 'fixed', ticks: 300, seed: 5n } });
    expect(() => bisectTraces(golden, other)).toThrow(
      /^cannot bisect runs of different machines: harts 2 against 1, quantum jittered 300, seed 5 against fixed 300, seed 5; /,
    );
  });

  it('blames different images at moment 0', async () => {
    const bios = { name: 'other.elf', bytes: executable(CODE, assemble(`nop\n${PROGRAM}`, CODE).bytes) };
    const found = bisectTraces(golden, await recordRun([], { bios }));
    expect(found).toMatchObject({ identical: false, moment: 0, probes: 1 });
    expect(found.cause).toMatch(/^the machines start with different contents: image bios: A count\.elf \(sha256 /);
    expect(found.differences[0]).toMatchObject({ where: 'ram' });
  });

  it('tells a recording that was altered from a run that differs', async () => {
    const digests = golden.digests.map((at) => (at.moment === 9_000 ? { ...at, digest: at.digest ^ 1n } : at));
    const found = bisectTraces(golden, { ...golden, path: 'altered.djvm', digests });
    expect(found).toMatchObject({ identical: false, moment: 9_000, differences: [] });
    expect(found.cause).toContain('the digest recorded in altered.djvm is another');
  });

  it('searches to the exact instruction where inputs explain nothing', async () => {
    // A run whose input is hidden from the comparison: what an undeterministic engine would look like.
    const b = await recordRun([{ moment: 12_345, event: poke(DATA + 64, 1) }]);
    const [hidden] = b.inputs;
    let listed = 0;
    const found = bisectTraces(golden, {
      ...b,
      image: (role) => b.image(role),
      checkpoint: (n) => b.checkpoint(n),
      // The first look is the comparison's, the second the player's.
      get inputs() {
        return listed++ === 0 ? [] : [hidden!];
      },
    });
    const reference = createMachine(config());
    reference.run({ moment: 12_345 });
    expect(found).toMatchObject({ identical: false, moment: 12_345, ticks: reference.ticks });
    expect(found.cause).toMatch(/^no input: the same state gave different ones; /);
    // Both runs stand there: nothing else differs.
    expect(found.differences).toMatchObject([{ where: 'ram', paddr: DATA + 64, a: 0n, b: 1n }]);
    expect(found.differences).toHaveLength(1);
    expect(found.probes).toBeLessThan(30);
  });
});
