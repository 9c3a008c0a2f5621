import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fc } from '@fast-check/vitest';
import { afterAll, describe, expect, it } from 'vitest';
import { assemble } from '../../engine/index.ts';
import { openTrace, TraceError } from '../../traces/index.ts';
import { executable } from '../bisect-testing.ts';
import { record } from '../record/record.ts';
import { createTracePlayer, openTimeline, type TraceTimeline } from './index.ts';

const CODE = 0x8000_0000;
const DATA = 0x8001_0000;
/** Counts in memory, with a trap in every round: several positions share a moment. */
const PROGRAM = `
    la t0, handler
    csrw mtvec, t0
    li s0, ${DATA}
  loop:
    ld a0, 0(s0)
    addi a0, a0, 1
    sd a0, 0(s0)
    ecall
    j loop
    .balign 4
  handler:
    csrr t1, mepc
    addi t1, t1, 4
    csrw mepc, t1
    mret
`;
const MAX = 6_000;
const INPUT = 2_500;

const folder = mkdtempSync(join(tmpdir(), 'dejavm-rerun-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('re-execution', async () => {
  const path = join(folder, 'run.djvm');
  await record({
    path,
    config: {
      harts: 1,
      ramBytes: 4 << 20,
      quantum: { policy: 'fixed', ticks: 200, seed: 0n },
      bios: { name: 'count.elf', bytes: executable(CODE, assemble(PROGRAM, CODE).bytes) },
      append: '',
    },
    planned: [
      { trigger: { kind: 'moment', moment: INPUT }, event: { kind: 'poke', paddr: DATA + 4, bytes: Uint8Array.of(9) } },
    ],
    maxMoment: MAX,
    digestEvery: 500,
    checkpointEvery: 1000,
    commandLine: [],
  });
  const trace = openTrace(path);
  const applied = trace.inputs.at(0)!.ticks;

  it('reaches the same state by any way, from checkpoints, snapshots or the present, before and behind inputs', () => {
    const step = fc.record({
      moment: fc.oneof(fc.integer({ min: 0, max: MAX }), fc.constantFrom(INPUT - 1, INPUT, INPUT + 1, 1000, 3000)),
      here: fc.constantFrom('applied' as const, 'pending' as const),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
        const run = openTimeline(trace);
        for (const { moment, here } of steps) run.toMoment(moment, here);
        const direct = createTracePlayer(trace);
        const { moment, here } = steps.at(-1)!;
        expect(direct.toMoment(moment, here)).toBe(true);
        expect([run.machine.moment, run.machine.ticks, run.machine.digest()]).toEqual([
          moment,
          direct.machine.ticks,
          direct.machine.digest(),
        ]);
      }),
      { numRuns: 12 },
    );
  });

  it('agrees with every digest of the recording', () => {
    const run = openTimeline(trace);
    for (const { moment, ticks, digest } of [...trace.digests].reverse()) {
      run.toTicks(ticks, 'pending');
      expect([run.machine.moment, run.machine.digest()]).toEqual([moment, digest]);
    }
  });

  it('stands before or behind an input of the same position, as asked', () => {
    const run = openTimeline(trace);
    const byte = () => run.machine.readPhysical(DATA + 4, 1)[0];
    for (const [inputs, value] of [
      ['applied', 9],
      ['pending', 0],
      ['applied', 9],
    ] as const) {
      run.toTicks(applied, inputs);
      expect([run.machine.ticks, byte()]).toEqual([applied, value]);
    }
  });

  it('goes to the first position of a moment from a later one, be it the present, a snapshot or a checkpoint', () => {
    const direct = openTimeline(trace);
    // The instruction before an ecall has just retired: the trap takes a tick and leaves the moment.
    let moment = INPUT + 20;
    const ticksOf = (one: number) => {
      direct.toMoment(one);
      return direct.machine.ticks;
    };
    while (ticksOf(moment + 1) - ticksOf(moment) === 1) moment++;
    const first = ticksOf(moment);
    const digest = direct.machine.digest();
    const later = (run: TraceTimeline) => {
      run.toTicks(first + 1, 'applied');
      expect(run.machine.moment).toBe(moment);
    };
    const starts: Record<string, (run: TraceTimeline) => void> = {
      'the present': later,
      'a snapshot': (run) => {
        // Half-way there it leaves one behind.
        run.toTicks(2 * (first + 1), 'applied');
      },
      'a checkpoint': (run) => run.toMoment(moment + 900),
    };
    for (const [what, prepare] of Object.entries(starts)) {
      const scratch = openTimeline(trace);
      later(scratch);
      const checkpoint = { ...scratch.machine.snapshot(), ticks: first + 1 };
      const checkpoints = what === 'a checkpoint' ? [checkpoint] : [];
      const run = openTimeline({ ...trace, checkpoints, checkpoint: () => checkpoint });
      prepare(run);
      run.toMoment(moment);
      expect([what, run.machine.moment, run.machine.ticks, run.machine.digest()]).toEqual([
        what,
        moment,
        first,
        digest,
      ]);
    }
  });

  it('says when a trace does not replay', () => {
    const late = { ...trace, image: (role: string) => trace.image(role), checkpoints: [] };
    const [input] = trace.inputs;
    const wrong = { ...late, inputs: [{ ...input!, moment: input!.moment + 1 }] };
    expect(() => openTimeline(wrong).toMoment(MAX)).toThrow(TraceError);
  });
});
