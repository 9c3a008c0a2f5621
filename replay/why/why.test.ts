/** Chains next to golden runs, of small programs in which a bit flips; and that flipping it back mends the run. */
import { describe, expect, it } from 'vitest';
import { assemble, type Fault, UserError } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import type { PlannedInput } from '../base/types.ts';
import { inputsFromTrace } from '../container/config.ts';
import { parseExpression } from '../language/index.ts';
import { DATA, machineOf, traceStore } from '../replay.fixtures.ts';
import { finish } from '../search/index.ts';
import { openTimeline } from '../timeline/index.ts';
import { type Cause, questionOfMissing, questionOfOutput, type WhyAnswer, type WhyProgress, why } from './index.ts';
import { flipBack } from './why.fixtures.ts';

const store = traceStore();

/** Prints a letter that comes from a register, a CSR and a word in memory, through a table; then says goodbye. */
const PROGRAM = `
    csrr t0, mhartid
    bnez t0, other
    li s0, ${DATA}
    li s1, 0x10000000
    li s2, 0x100000
    li a0, 10
    li t0, 3
    csrw sscratch, t0
    li t0, 5
    sd t0, 8(s0)
    li t1, 400
  work:
    addi t1, t1, -1
    bnez t1, work
    sd a0, 16(s0)
    ld a1, 16(s0)
    csrr a2, sscratch
    ld a3, 8(s0)
    add a1, a1, a2
    add a1, a1, a3
    slli a4, a1, 3
    add a4, a4, s0
    li a5, 65
    sd a5, 256(a4)
    ld a6, 400(s0)
  letter:
    addi a6, a6, 1
    sb a6, 0(s1)
    li a7, 10
    sb a7, 0(s1)
    beqz a1, other
    li a6, 98
    sb a6, 0(s1)
    sb a7, 0(s1)
  last:
    li t0, 0x5555
    sw t0, 0(s2)
    j .
  other:
    csrw mie, zero
    wfi
    j other
`;
const CODE = 0x8000_0000;
const AT = 200;
const config = machineOf(PROGRAM);
const limits = { maxMoment: 3000, checkpointEvery: 1000, config };

const fault = (spec: Fault, moment = AT): PlannedInput => ({
  trigger: { kind: 'moment', moment },
  event: { kind: 'fault', fault: spec },
});

describe('a letter that comes out wrong', async () => {
  const golden = await store.take(limits);
  const g = openTimeline(golden);
  const text = (trace: Trace) => String.fromCharCode(...trace.console.map(({ byte }) => byte));
  const ask = (trace: Trace): WhyAnswer => {
    const a = openTimeline(trace);
    const { question } = finish(questionOfOutput(a, g, 'any'));
    return finish(why(a, g, question));
  };

  it('is B without a fault', () => {
    expect(golden.end?.reason).toBe('halted pass 0');
    expect(text(golden)).toBe('B\nb\n');
  });

  it.each<[name: string, spec: Fault, cause: Partial<Cause>]>([
    [
      'a register',
      { model: 'register', hart: 0, register: 10, bit: 2 },
      { kind: 'register', what: 'a0', hart: 0, before: 10n, after: 14n, bits: [2] },
    ],
    [
      'a word of memory',
      { model: 'memory', paddr: DATA + 8, bit: 1 },
      { kind: 'memory', what: `[0x${(DATA + 8).toString(16)}]:1`, before: 5n, after: 7n, bits: [1] },
    ],
    [
      'a CSR',
      { model: 'csr', hart: 0, csr: 'sscratch', bit: 4 },
      { kind: 'csr', what: 'sscratch', hart: 0, before: 3n, after: 19n, bits: [4] },
    ],
  ])('because of %s', async (_, spec, cause) => {
    const trace = await store.take({ ...limits, planned: [fault(spec)] });
    expect(text(trace)).not.toBe(text(golden));
    const answer = ask(trace);
    expect(answer.cause).toMatchObject({ ...cause, position: { moment: AT }, inputs: ['fault'] });
    // The address of the store is what went wrong: the word that is read keeps what it had.
    expect(answer.steps.map(({ at }) => at.text.split('\t')[0]!.split(' ')[0])).toContain('sd');
    await judge(trace, answer);
  });

  it('because of an instruction', async () => {
    const letter = Number(assemble(PROGRAM, CODE).symbols.get('letter')!);
    const spec: Fault = { model: 'memory', paddr: letter + 1, bit: 4 };
    const trace = await store.take({ ...limits, planned: [fault(spec)] });
    expect(text(trace)).not.toBe(text(golden));
    const answer = ask(trace);
    expect(answer.cause).toMatchObject({ kind: 'code', position: { moment: AT }, inputs: ['fault'] });
    await judge(trace, answer);
  });

  it('because of a pc, which is never printed', async () => {
    const trace = await store.take({
      ...limits,
      planned: [fault({ model: 'register', hart: 0, register: 32, bit: 9 })],
    });
    const a = openTimeline(trace);
    const { question } = finish(questionOfMissing(a, g, { kind: 'line', text: 'b' }));
    const answer = finish(why(a, g, question));
    expect(answer.cause).toMatchObject({ kind: 'pc', what: 'pc', hart: 0, bits: [9], position: { moment: AT } });
    await judge(trace, answer);
  });

  /** Each step is where it says, in both runs; and the run is the golden one when the bits are flipped back. */
  async function judge(trace: Trace, { steps, cause }: WhyAnswer): Promise<void> {
    const a = openTimeline(trace);
    for (const { at, goldenAt } of steps) {
      for (const [run, place] of [
        [a, at],
        [g, goldenAt],
      ] as const) {
        run.toTicks(place.ticks, 'applied');
        expect(run.machine.moment).toBe(place.moment);
        expect(run.machine.next()).toEqual({ hart: place.hart, pc: place.pc });
      }
    }
    const first = inputsFromTrace(trace).map(
      ({ ticks, event }) => ({ trigger: { kind: 'ticks', ticks }, event }) as const,
    );
    const mended = await store.take({ ...limits, planned: [...first, ...flipBack(cause)] });
    expect(mended.inputs).toHaveLength(1 + cause.bits!.length);
    expect(text(mended)).toBe(text(golden));
    expect(mended.end).toEqual(golden.end);
  }
});

describe('a value that differs', async () => {
  const golden = await store.take(limits);
  const trace = await store.take({ ...limits, planned: [fault({ model: 'register', hart: 0, register: 10, bit: 2 })] });
  const [a, g] = [openTimeline(trace), openTimeline(golden)];
  const ask = (where: string, ticks = trace.last.ticks, progress?: WhyProgress) => {
    a.toTicks(ticks, 'applied');
    return why(a, g, { kind: 'value', where: parseExpression(where), at: a.place }, progress);
  };

  it.each(['hart0.a4', '[spa:0x80010010]:8', '[spa:0x80010010]:1', 'spa:0x80010010', 'hart0.x11'])(
    'at the end: %s',
    (where) => {
      const answer = finish(ask(where));
      expect(answer.cause).toMatchObject({ kind: 'register', what: 'a0', position: { moment: AT } });
      expect(answer.compared).toMatchObject({ isExact: true, goldenAt: { moment: golden.last.moment } });
    },
  );

  it('of a wide place, in the first word that differs', () => {
    a.toTicks(trace.last.ticks, 'applied');
    const where = parseExpression('spa:0x80010000');
    const answer = finish(why(a, g, { kind: 'value', where, bytes: 64, at: a.place }));
    expect(answer.compared).toMatchObject({ what: '[0x80010010]:8', value: 14n, golden: 10n });
    expect(answer.cause.what).toBe('a0');
  });

  it('right behind the fault, and not before it', () => {
    const { ticks } = trace.inputs.at(0)!;
    expect(finish(ask('hart0.a0', ticks))).toMatchObject({
      compared: { what: 'a0', value: 14n, golden: 10n, goldenAt: { moment: AT, ticks }, isExact: true },
      cause: { kind: 'register', what: 'a0' },
      steps: [],
      instructions: 0,
    });
    a.toTicks(ticks, 'pending');
    const at = a.place;
    const before = why(a, g, { kind: 'value', where: parseExpression('hart0.a0'), at });
    expect(() => finish(before)).toThrow(/'hart0.x10' is the same in the golden run .* at its moment 200/);
  });

  it.each<[where: string, says: RegExp]>([
    ['hart0.s2', /is the same in the golden run/],
    ['hart7.a0', /there is no hart 7: this machine has harts 0 to 1/],
    ['hart0.cycle', /counts by itself/],
    ['moment', /no place that an instruction writes/],
    ['hart0.pc', /is the same/],
    ['spa:0x10', /moment \d+: .*no RAM/],
    ['hart0.a0 == 3', /true or false/],
  ])('is none: %s', (where, says) => {
    expect(() => finish(ask(where))).toThrow(UserError);
    expect(() => finish(ask(where))).toThrow(says);
  });

  it('says what there is of the chain when it is stopped', () => {
    const progress: WhyProgress = {};
    const asked = ask('hart0.a4', undefined, progress);
    const known = [];
    for (;;) {
      const { done } = asked.next();
      if (done) break;
      known.push(progress.soFar?.().length ?? -1);
    }
    const { steps } = finish(ask('hart0.a4'));
    expect(known[0]).toBe(-1);
    expect(known.at(-1)).toBe(steps.length);
    expect(progress.soFar!()).toEqual(steps);
  });

  it('does not ask why something is missing that is not', () => {
    const at = { moment: 300, ticks: 0, here: 'applied' } as const;
    g.seek(300);
    const asked = why(a, g, { kind: 'not', at: { ...at, ...g.place }, hart: 0, isNamed: true });
    expect(() => finish(asked)).toThrow(/this run does it, too, on hart 0 at moment 300/);
  });

  it('is not compared with a run of another program', async () => {
    const other = openTimeline(await store.take({ ...limits, config: machineOf(`${PROGRAM}\nnop`) }));
    a.toTicks(trace.last.ticks, 'applied');
    const asked = why(a, other, { kind: 'value', where: parseExpression('hart0.a0'), at: a.place });
    expect(() => finish(asked)).toThrow(/is no golden run of/);
  });
});
