import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../engine/index.ts';
import { MomentError } from '../base/errors.ts';
import { traceStore } from '../replay.fixtures.ts';
import { finish } from '../search/index.ts';
import { openTimeline } from '../timeline/index.ts';
import { anyText, GUEST_OFFSET, label, oneVm } from './language.fixtures.ts';
import { goToMoment } from './moment.ts';
import { EVENT_NAMES, formatMoment, type MomentExpression, parseMomentText } from './moment-text.ts';

const count = fc.integer({ min: 1, max: 1e6 });
const symbol = fc.constantFrom('schedule', '_start', 'vm_exit.part.0', 'end_of', 'faults');
const trigger = fc.oneof(
  fc.record({ kind: fc.constant('moment' as const), moment: count }),
  fc.record({ kind: fc.constant('ticks' as const), ticks: count }),
  fc.record({ kind: fc.constant('two-level' as const), ticks: count, k: count }),
  fc.record({ kind: fc.constant('symbol' as const), symbol, offset: fc.nat({ max: 64 }), n: count, ticks: fc.nat(9) }),
);
const base = fc.oneof(
  fc.record({ kind: fc.constant('event' as const), name: fc.constantFrom(...EVENT_NAMES), n: count }),
  fc.tuple(trigger, fc.constantFrom(undefined, 'lazarus', 'vm1')).map(([its, image]) => ({
    kind: 'trigger' as const,
    trigger: its,
    image: its.kind === 'symbol' ? image : undefined,
  })),
);
const moments: fc.Arbitrary<MomentExpression> = fc
  .record({ base, offset: fc.integer({ min: -1e6, max: 1e6 }), here: fc.constantFrom('applied', 'pending') })
  // Behind numbers and times, +N counts hypervisor instructions.
  .map((its) => {
    const canGoOn = its.base.kind === 'event' || its.base.trigger.kind === 'symbol';
    return { ...its, offset: canGoOn ? its.offset : Math.min(0, its.offset) } as MomentExpression;
  });

describe('the text of a moment', () => {
  it('is read back as it is written', () => {
    fc.assert(
      fc.property(moments, (its) => {
        expect(parseMomentText(formatMoment(its))).toEqual(its);
      }),
    );
  });

  it.each<[string, string]>([
    ['8M', '8000000'],
    ['1.5k-', '1500-'],
    ['8M-1k', '8000000-1000'],
    ['8M+3', '8000000+3'],
    ['5ms', '5ms'],
    ['5ms-', '5ms-'],
    ['lazarus:heap_alloc+0x10#3', 'lazarus:heap_alloc+0x10#3'],
    ['heap_alloc#1', 'heap_alloc'],
    ['heap_alloc#3+5-', 'heap_alloc#3+5-'],
    ['fault#2-', 'fault#2-'],
    ['end-1_000', 'end-1000'],
    ['detected+500', 'detected+500'],
    ['lazarus:end', 'lazarus:end'],
  ])('%s', (text, printed) => expect(formatMoment(parseMomentText(text))).toBe(printed));

  it.each(['', '-', '-5', '5--', '1 2', 'fault#0', 'f#0', 'a:8M', '8M+', 'x+y', '5parsecs', '\u202e', 'fault+0x10'])(
    "'%s' is refused",
    (text) => expect(() => parseMomentText(text)).toThrow(UserError),
  );

  it('is refused in one line, whatever it is', () => {
    fc.assert(
      fc.property(fc.oneof(anyText, fc.stringMatching(/^[a-z]{0,5}[-+#:.\d]{0,9}[kMms]?$/)), (text) => {
        try {
          parseMomentText(text);
        } catch (error) {
          expect(error).toBeInstanceOf(UserError);
          expect((error as Error).message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
        }
      }),
    );
  });
});

const trace = await traceStore().take({
  config: oneVm(),
  maxMoment: 5000,
  planned: [
    {
      trigger: { kind: 'moment', moment: 1000 },
      event: { kind: 'fault', fault: { model: 'register', hart: 0, register: 20, bit: 3 } },
    },
    { trigger: { kind: 'moment', moment: 2000 }, event: { kind: 'poke', paddr: 0x8040_0000, bytes: Uint8Array.of(7) } },
    {
      trigger: { kind: 'ticks', ticks: 3000 },
      event: { kind: 'fault', fault: { model: 'register', hart: 0, register: 21, bit: 0 } },
    },
  ],
});
const run = openTimeline(trace);
const goTo = (text: string) => finish(goToMoment(run, parseMomentText(text)));

describe('on a recorded run', () => {
  it('numbers, times, the start and the end are found', () => {
    expect(goTo('start')).toEqual({ moment: 0, ticks: 0, here: 'applied' });
    expect(goTo('1.5k')).toMatchObject({ moment: 1500 });
    expect(goTo('2us')).toMatchObject({ ticks: 2000 });
    expect(goTo('end')).toMatchObject(trace.last);
    expect(goTo('end-1000')).toMatchObject({ moment: 4000 });
  });

  it('faults are looked at before and behind them', () => {
    goTo('fault-');
    expect([run.moment, run.machine.hart(0).x[20]]).toEqual([1000, 0n]);
    goTo('fault');
    expect([run.moment, run.machine.hart(0).x[20]]).toEqual([1000, 8n]);
    expect(goTo('fault#2')).toMatchObject({ ticks: 3000 });
    expect(run.machine.hart(0).x[21]).toBe(1n);
    expect(goTo('fault#2-')).toMatchObject({ ticks: 3000 });
    expect(run.machine.hart(0).x[21]).toBe(0n);
    expect(goTo('fault+500')).toMatchObject({ moment: 1500 });
    expect(goTo('input')).toMatchObject({ moment: 2000 });
  });

  it('the n-th execution of a place is the one that a step-by-step count finds', () => {
    const place = BigInt(run.symbols.firmware.address('trap_entry')!);
    const judged: number[] = [];
    run.seek(0);
    while (judged.length < 5) {
      const { machine } = run;
      const next = machine.next();
      if (next.pc === place && machine.hart(next.hart).mode === 'HS') judged.push(machine.ticks);
      run.advance({ ticks: machine.ticks + 1 }, 'applied');
    }
    for (const [n, ticks] of judged.entries()) expect(goTo(`trap_entry#${n + 1}`)).toMatchObject({ ticks });
    expect(run.machine.hart(0).pc).toBe(place);
    expect(goTo('trap_entry+4#2')).toMatchObject({ ticks: judged[1]! + 1 });
    const second = goTo('trap_entry#2');
    expect(goTo('trap_entry#2-1')).toMatchObject({ moment: second.moment - 1 });
  });

  it('a place of a guest is one in its VMs alone', () => {
    const judged: number[] = [];
    run.seek(0);
    while (judged.length < 3) {
      const { machine } = run;
      const { hart, pc } = machine.next();
      if (pc === label('again') - GUEST_OFFSET && machine.hart(hart).mode === 'VS') judged.push(machine.ticks);
      run.advance({ ticks: machine.ticks + 1 }, 'applied');
    }
    for (const image of ['guest', 'counting', 'vm1']) {
      for (const [n, ticks] of judged.entries()) expect(goTo(`${image}:again#${n + 1}`)).toMatchObject({ ticks });
    }
    expect(() => goTo('vm2:again')).toThrow('has 0 executions of it up to there');
    expect(() => goTo('vm1:again+1')).toThrow('no instruction can be at vm1:again+0x1');
    expect(run.machine.breakAtVirtual).toEqual([]);
  });

  it('hypervisor instructions are counted as faults count them', () => {
    goTo('trap_entry');
    const first = run.ticks;
    goTo(`${run.moment}+1`);
    expect(run.ticks).toBe(first);
    goTo('trap_entry');
    goTo(`${run.moment}+3`);
    expect(run.ticks).toBe(first + 2);
    goTo(`${first}ns+3`);
    expect(run.ticks).toBe(first + 2);
  });

  it('ends where it was told, with the trace and its records unchanged', () => {
    goTo('trap_entry#7');
    const digest = run.machine.digest();
    goTo('fault-');
    goTo('trap_entry#7');
    expect(run.machine.digest()).toBe(digest);
    expect(run.machine.breakAt).toBeUndefined();
  });

  it.each([
    ['5001', /^5001 is past the end: .* has moments 0 to 5000$/],
    ['end+1', /^end\+1 is past the end: /],
    ['start-1', /^start-1 is before the start: /],
    ['1s', /^1s: .* ends at \d+ ns of virtual time$/],
    ['detected', /^there is no 'detected' in .*: its events are start, fault, input, end$/],
    ['fault#3', /^there is no fault#3: .* has 2 of them$/],
    ['trap_entry#100000', /^trap_entry#100000 is past the end: .* has \d+ executions of it up to there$/],
    ['trap_entri', /^there is no symbol 'trap_entri' in tiny or counting \(did you mean trap_entry\?\)$/],
    ['again', /^several images have a symbol 'again': say firmware:again or guest:again$/],
    ['trap_entry+1', /^no instruction can be at trap_entry\+0x1$/],
    ['0+1000000', /^0\+1000000 is past the end: .* has \d+ hypervisor instructions up to there$/],
  ])('%s is not there: one clear line', (text, message) => {
    expect(() => goTo(text)).toThrow(message);
    try {
      goTo(text);
    } catch (error) {
      expect(error instanceof UserError || error instanceof MomentError).toBe(true);
    }
  });
});
