import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { assemble } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import { executable } from '../bisect-testing.ts';
import { machineOf, traceStore } from '../replay.fixtures.ts';
import { finish } from '../search/index.ts';
import { arbitraryProgram, configOf, type Judged, judgeRun } from '../session/calls.fixtures.ts';
import { openTimeline, type TraceTimeline } from '../timeline/index.ts';
import { type Backtrace, backtrace } from './index.ts';

const store = traceStore();
const LAST = 4_000;
const CODE = 0x8000_0000;

function stackOf(run: TraceTimeline, hart: number, depth = 100): Backtrace {
  const { place } = run;
  const before = run.machine.digest();
  const found = finish(backtrace(run, hart, run.symbols, depth));
  expect([run.place, run.machine.digest()]).toEqual([place, before]);
  return found;
}

const pcsOf = ({ parts }: Backtrace) => parts.map(({ frames }) => frames.map(({ pc }) => pc));

/** By single steps: where each function that has not returned goes on, and where each trap was taken. */
function judgedStack({ executed, frameAt }: Judged, run: TraceTimeline, hart: number): bigint[][] {
  const { machine, place } = run;
  const parts: bigint[][] = [[machine.hart(hart).pc]];
  for (let frame = frameAt(hart, machine.ticks); frame.parent; frame = frame.parent) {
    const { kind, from } = frame;
    if (kind === 'call') {
      const { pc } = executed.find((e) => e.ticks === from && e.hart === hart)!;
      const isShort = (machine.readPhysical(Number(pc), 1)[0]! & 3) !== 3;
      parts.at(-1)!.push(pc + (isShort ? 2n : 4n));
    } else {
      run.toTicks(from, 'applied');
      parts.push([machine.hart(hart).pc]);
    }
  }
  run.toTicks(place.ticks, place.here);
  return parts;
}

describe('the stack', () => {
  it('is that of single steps, through calls, recursions, traps and interrupts on several harts', async () => {
    let deepest = 0;
    // Behind the boot ROM on both harts: it has no symbols.
    const moments = fc.array(fc.integer({ min: 1_050, max: LAST }), { minLength: 20, maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(arbitraryProgram, moments, async (program, list) => {
        const config = configOf(program);
        const trace = await store.take({ config, maxMoment: LAST, checkpointEvery: 700, digestEvery: 500 });
        const judged = judgeRun(trace);
        const run = openTimeline(trace);
        for (const moment of list) {
          run.seek(moment);
          const { hart } = run.machine.next();
          const found = stackOf(run, hart);
          expect(pcsOf(found)).toEqual(judgedStack(judged, run, hart));
          expect(found).toMatchObject({ end: 'whole' });
          expect(found.parts.at(-1)).toMatchObject({ end: 'the outermost function' });
          expect(found.parts.flatMap(({ frames }) => frames).every(({ isSure }) => isSure)).toBe(true);
          deepest = Math.max(deepest, ...found.parts.map(({ frames }) => frames.length));
        }
      }),
      { numRuns: 3, endOnFailure: true },
    );
    expect(deepest).toBeGreaterThan(2);
  });
});

function take(source: string, named = /^(?!in_)/): Promise<Trace> {
  const { bytes, symbols } = assemble(source, CODE);
  const kept = new Map([...symbols].filter(([name]) => named.test(name)));
  const bios = { name: 'program.elf', bytes: executable(CODE, bytes, { symbols: kept }) };
  return store.take({ config: machineOf('nop', { bios, harts: 1 }), maxMoment: 200 });
}

async function atEnd(source: string, named?: RegExp, depth?: number): Promise<Backtrace> {
  const run = openTimeline(await take(source, named));
  run.seek(run.last.moment);
  return stackOf(run, 0, depth);
}

/** main calls outer, which calls inner, which stays; with frame pointers. */
const CHAINED = (damage = '') => `
  main:
    li sp, 0x80018000
    li s0, 0
    jal ra, outer
  in_end:
    j in_end
  outer:
    addi sp, sp, -32
    sd ra, 24(sp)
    sd s0, 16(sp)
    addi s0, sp, 32
    jal ra, inner
    ld ra, 24(sp)
    ld s0, 16(sp)
    addi sp, sp, 32
    ret
  inner:
    addi sp, sp, -16
    sd ra, 8(sp)
    sd s0, 0(sp)
    addi s0, sp, 16
    ${damage}
  in_stay:
    j in_stay
`;

describe('frames', () => {
  it('are found by the code where there are symbols, and along frame pointers where there are none', async () => {
    const byCode = await atEnd(CHAINED());
    const bySymbols = byCode.parts[0]!.frames;
    expect(bySymbols.map(({ by }) => by)).toEqual(['pc', 'code', 'code']);
    expect(byCode.parts[0]!.ended).toBe('outermost');
    const chained = (await atEnd(CHAINED(), /^$/)).parts[0]!;
    expect(chained.frames.map(({ by }) => by)).toEqual(['pc', 'frame pointer', 'frame pointer']);
    expect(chained.frames.map(({ pc, sp }) => [pc, sp])).toEqual(bySymbols.map(({ pc, sp }) => [pc, sp]));
    expect(chained.ended).toBe('lost');
  });

  it('of a tail call are found, and said to be called from elsewhere', async () => {
    const { parts } = await atEnd(`
  main:
    li sp, 0x80018000
    jal ra, outer
  in_end:
    j in_end
  outer:
    j leaf
  leaf:
    j leaf
`);
    expect(parts[0]!.frames.map(({ by, isSure }) => [by, isSure])).toEqual([
      ['pc', true],
      ['code', false],
    ]);
  });

  it.each<[damage: string, why: RegExp]>([
    // A return address into data, into the middle of nothing, odd; a stack that is not mapped.
    [
      'li t0, 0x80018000\n li t1, 0x80017fd8\n sd t0, 0(t1)',
      /return address would be 0x80018000, (where no code is|which is behind no call)/,
    ],
    ['li t0, 0x10\n li t1, 0x80017fd8\n sd t0, 0(t1)', /return address would be 0x10, where no code is/],
    ['la t0, inner\n addi t0, t0, 1\n li t1, 0x80017fd8\n sd t0, 0(t1)', /where no code is/],
    ['la t0, inner\n li t1, 0x80017fd8\n sd t0, 0(t1)', /which is behind no call/],
    ['li sp, 0x40000000\n li s0, 8', /its code does not show its frame/],
  ])('end with the reason on a damaged stack: %s', async (damage, why) => {
    const { parts, end } = await atEnd(CHAINED(`li ra, 0\n ${damage}`));
    expect(parts[0]).toMatchObject({ ended: 'lost', end: expect.stringMatching(why) });
    expect([parts[0]!.frames.length, end]).toEqual([1, 'whole']);
  });

  it('end where frame pointers lead in a circle, or nowhere', async () => {
    for (const damage of ['sd s0, 0(sp)', 'sd sp, 0(sp)', 'li s0, 0x90000000', 'li s0, 0x80018004']) {
      const { parts } = await atEnd(CHAINED(damage), /^$/);
      expect(parts[0]!.ended).toBe('lost');
      expect(parts[0]!.frames.length).toBeLessThan(3);
    }
  });

  it('are no more than were asked for, however deep a recursion is', async () => {
    const deep = `
  main:
    li sp, 0x80018000
    li a0, 25
    jal ra, down
  in_end:
    j in_end
  down:
    addi sp, sp, -16
    sd ra, 8(sp)
    addi a0, a0, -1
  in_stay:
    beqz a0, in_stay
    jal ra, down
    ld ra, 8(sp)
    addi sp, sp, 16
    ret
`;
    const whole = await atEnd(deep);
    expect(whole.parts[0]!.frames).toHaveLength(26);
    const some = await atEnd(deep, undefined, 10);
    expect(some).toMatchObject({ end: 'depth', parts: [{ ended: 'depth' }] });
    expect(some.parts[0]!.frames).toEqual(whole.parts[0]!.frames.slice(0, 10));
  });

  it('of nested traps without end are bounded', async () => {
    const found = await atEnd(`
  main:
    la t0, handler
    csrw mtvec, t0
    ecall
    .balign 4
  handler:
    nop
    ecall
`);
    expect(found.end).toBe('depth');
    expect(found.parts.length).toBeLessThan(100);
  });
});
