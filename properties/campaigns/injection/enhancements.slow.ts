/**
 * What each enhancement is worth: for each one a fault that is survived with it, no VM affected, and not without it, at
 * the very same hit. The leave-one-out ladder of the papers, one rung a row.
 *
 * A set-up is booted and run once. Mechanism and enhancements are words that the recovery block reads when a recovery
 * starts, so they are written where the fault strikes, and all mechanisms share one golden run. Where in a function a
 * fault hurts depends on how the image was compiled: the place is searched for, instruction by instruction, within a
 * bound.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { type Fault, FIXUPS, parseFault, resolveFault } from '../../../engine/index.ts';
import { findExecution, replayTrace, type TimedInput } from '../../../replay/index.ts';
import { openTrace } from '../../../traces/index.ts';
import { withInputs } from './golden.ts';
import {
  bootSetup,
  completeMechanism,
  type FailureCause,
  findSetup,
  type GoldenRun,
  goldenRun,
  type Injection,
  type InjectionResult,
  type InjectionTrigger,
  type Mechanism,
  recordInjection,
  runInjection,
} from './index.ts';
import { selectMechanism } from './mechanism.ts';
import { goToTrigger } from './trigger.ts';

type Recovery = 'rehype' | 'nilihype';
const BOTH: readonly Recovery[] = ['rehype', 'nilihype'];
const NILIHYPE: readonly Recovery[] = ['nilihype'];

interface Row {
  readonly enhancement: (typeof FIXUPS)[number];
  readonly setup: '1appvm-unixbench' | '1appvm-blkbench' | 'compute';
  /** Boot arguments besides the set-up's. */
  readonly append?: string;
  /** Those that it makes a difference to; a reboot does some of it anyway. */
  readonly mechanisms: readonly Recovery[];
  readonly at: Where;
  /** As text, or made where it strikes. */
  readonly fault: string | ((golden: GoldenRun) => Fault);
  /** A second failstop: when the recovery gets to a function, or so many ticks after the first fault, of hart 0. */
  readonly second?: { readonly symbol: string } | { readonly ticks: number };
  /** What may become of it without the enhancement. */
  readonly without: readonly FailureCause[];
  readonly why: string;
}

/**
 * Where the fault strikes: from the n-th execution of a function's first instruction on, at one of so many hypervisor
 * instructions, each or every so many.
 */
interface Where {
  readonly symbol: string;
  readonly n: number;
  readonly within: number;
  readonly every?: number;
}

/** A word of the hypervisor's that never changes once it is up. */
function wordAt({ booted: { machine } }: GoldenRun, address: number): number {
  return Number(Buffer.from(machine.readPhysical(address, 8)).readBigUInt64LE());
}

const addressOf = (golden: GoldenRun, symbol: string): number =>
  Number(golden.booted.symbols.hypervisor!.address(symbol)!);

const ROWS: readonly Row[] = [
  {
    enhancement: 'locks',
    setup: 'compute',
    mechanisms: BOTH,
    at: { symbol: 'store_add', n: 5, within: 90, every: 10 },
    fault: 'failstop',
    without: ['failed again'],
    why: "a hypercall fails with the store's lock held, which lies in the heap",
  },
  {
    enhancement: 'irq',
    setup: '1appvm-blkbench',
    mechanisms: BOTH,
    at: { symbol: 'event_from_irq', n: 20, within: 1 },
    fault: 'failstop',
    without: ['hang after recovery'],
    why: "the disk's interrupt is claimed, and not yet the PrivVM's event",
  },
  {
    enhancement: 'timer',
    setup: '1appvm-blkbench',
    mechanisms: BOTH,
    at: { symbol: 'tick', n: 3, within: 1 },
    fault: 'failstop',
    without: ['failed again'],
    why: 'a tick has silenced the comparator, and not yet programmed it again',
  },
  {
    enhancement: 'sched',
    setup: 'compute',
    mechanisms: BOTH,
    at: { symbol: 'pick', n: 9, within: 120, every: 8 },
    fault: 'failstop',
    without: ['one vm affected'],
    why: 'a vCPU has left its queue and is not yet current',
  },
  {
    enhancement: 'retry',
    setup: 'compute',
    mechanisms: BOTH,
    at: { symbol: 'store_add', n: 5, within: 1 },
    fault: 'failstop',
    without: ['one vm affected', 'several vms affected'],
    why: 'a hypercall fails before it has done anything',
  },
  {
    enhancement: 'nesting',
    setup: 'compute',
    mechanisms: NILIHYPE,
    at: { symbol: 'tick', n: 3, within: 1 },
    fault: 'failstop',
    without: ['failed again'],
    why: 'an interrupt handler fails',
  },
  {
    enhancement: 'statics',
    setup: 'compute',
    mechanisms: NILIHYPE,
    at: { symbol: 'heap_alloc', n: 3, within: 60, every: 8 },
    fault: 'failstop',
    without: ['failed again'],
    why: "an allocation fails with the heap's lock held, which is static",
  },
  {
    enhancement: 'recurring',
    setup: '1appvm-blkbench',
    mechanisms: BOTH,
    at: { symbol: 'tick', n: 3, within: 1 },
    fault: 'failstop',
    without: ['failed again'],
    why: "the tick's handler is cut off, and the tick not yet queued again",
  },
  {
    enhancement: 'frames',
    setup: '1appvm-blkbench',
    mechanisms: BOTH,
    at: { symbol: 'frame_unuse', n: 10, within: 100, every: 20 },
    fault: 'failstop',
    without: ['failed again'],
    why: 'a frame has lost a use, and the hypercall that took it is made again',
  },
  {
    enhancement: 'undo',
    setup: 'compute',
    mechanisms: BOTH,
    at: { symbol: 'store_add', n: 5, within: 2400, every: 12 },
    fault: 'failstop',
    without: ['one vm affected', 'several vms affected'],
    why: 'an addition is done, and its hypercall not yet completed',
  },
  {
    enhancement: 'multicall',
    setup: '1appvm-unixbench',
    mechanisms: BOTH,
    at: { symbol: 'call_step_done', n: 6, within: 1 },
    fault: 'failstop',
    without: ['privvm failed'],
    why: 'a batch fails behind a part that must not be done twice',
  },
  {
    enhancement: 'lists',
    setup: 'compute',
    mechanisms: BOTH,
    at: { symbol: 'heap_alloc', n: 3, within: 1 },
    fault: (golden) => ({ model: 'memory', paddr: addressOf(golden, 'bss_end'), bit: 3 }),
    without: ['recovery failed', 'failed again'],
    why: 'the header of the first heap block is damaged',
  },
  {
    enhancement: 'csrs',
    setup: '1appvm-blkbench',
    mechanisms: NILIHYPE,
    at: { symbol: 'hypercall', n: 5, within: 1 },
    fault: 'csr=sie,bit=5',
    without: ['failed again'],
    why: "a hart's timer interrupt is disabled: its heart beats no more",
  },
  {
    enhancement: 'text',
    setup: 'compute',
    mechanisms: NILIHYPE,
    at: { symbol: 'store_get', n: 5, within: 20 },
    fault: 'code=instruction,bit=1,repair=never',
    without: ['failed again'],
    why: 'an instruction of a hypercall is damaged for good',
  },
  {
    enhancement: 'stacks',
    setup: 'compute',
    mechanisms: BOTH,
    at: { symbol: 'hypercall', n: 40, within: 1 },
    fault: 'register=x2,bit=40',
    without: ['recovery failed'],
    why: 'the stack pointer leads nowhere',
  },
  {
    enhancement: 'stop',
    setup: 'compute',
    mechanisms: BOTH,
    // With the usual period of 1 ms, a hart that spins is stopped by its own watchdog while it is still being asked.
    append: 'watchdog=5000',
    at: { symbol: 'hypercall', n: 5, within: 1 },
    // The owner is then the fourth of two harts. The lock is the store's first member, the owner the lock's.
    fault: (golden) => ({ model: 'memory', paddr: wordAt(golden, addressOf(golden, 'store')), bit: 2 }),
    second: { ticks: 1_000_000 },
    without: ['recovery not entered'],
    why: 'one hart fails while another spins, with interrupts off, for a lock that nobody will release',
  },
  {
    enhancement: 'again',
    setup: 'compute',
    mechanisms: BOTH,
    at: { symbol: 'hypercall', n: 40, within: 1 },
    fault: 'failstop',
    second: { symbol: 'fixup_sched' },
    without: ['recovery failed'],
    why: 'the recovery itself fails, once',
  },
];

const folder = mkdtempSync(join(tmpdir(), 'dejavm-enhancements-'));
afterAll(() => rmSync(folder, { recursive: true }));

const goldens = new Map<string, GoldenRun>();
/** The one golden run of a set-up with its boot arguments. */
function goldenOf({ setup, append = '' }: Row): GoldenRun {
  const key = `${setup} ${append}`;
  const found = goldens.get(key);
  if (found) return found;
  const plain = findSetup(setup);
  const config = (seed: number) => ({ ...plain.config(seed), append: `${plain.config(seed).append} ${append}` });
  const golden = goldenRun(bootSetup(append === '' ? plain : { ...plain, config }), completeMechanism('none'));
  goldens.set(key, golden);
  return golden;
}

/** One place to strike, and the golden run under each mechanism there. */
interface Place {
  readonly injection: Injection;
  readonly under: (mechanism: Mechanism) => GoldenRun;
}

function placeOf(golden: GoldenRun, row: Row, recovery: Recovery, trigger: InjectionTrigger): Place | undefined {
  const reached = goToTrigger(golden, trigger);
  if (!reached) return undefined;
  const { machine } = golden.booted;
  const { ticks } = machine;
  const fault = resolveFault(machine, typeof row.fault === 'string' ? parseFault(row.fault) : row.fault(golden));
  const select = (mechanism: Mechanism) =>
    selectMechanism(golden.booted.symbols, mechanism).map((event) => ({ ticks, event }));
  const first = [{ ticks, event: { kind: 'fault', fault } as const }, ...select(completeMechanism(recovery))];
  const second = row.second === undefined ? [] : [secondFailstop(golden, first, row.second)];
  return {
    injection: { trigger, fault },
    under: (mechanism) => {
      const inputs = [...golden.booted.inputs, ...select(mechanism), ...second].sort((a, b) => a.ticks - b.ticks);
      return withInputs(golden, mechanism, inputs);
    },
  };
}

/** The second failstop. The run up to there is the same with all enhancements and with all but one. */
function secondFailstop(
  golden: GoldenRun,
  first: readonly TimedInput[],
  second: NonNullable<Row['second']>,
): TimedInput {
  const { machine } = golden.booted;
  const failstop = (ticks: number, hart: number): TimedInput => ({
    ticks,
    event: { kind: 'fault', fault: { model: 'failstop', hart } },
  });
  if ('ticks' in second) return failstop(machine.ticks + second.ticks, 0);
  for (const { event } of first) machine.apply(event);
  const { ticks } = findExecution(machine, { paddr: addressOf(golden, second.symbol) }, 1, { ticks: golden.end.ticks });
  expect(ticks, `${second.symbol} in the recovery`).toBeDefined();
  machine.run({ ticks: ticks! });
  return failstop(ticks!, machine.next().hart);
}

/** Where the fault may strike, in the order in which it is tried. */
function triggersOf(golden: GoldenRun, { at }: Row): InjectionTrigger[] {
  const start = { kind: 'symbol', symbol: at.symbol, offset: 0, n: at.n } as const;
  if (at.within === 1) return [start];
  const reached = goToTrigger(golden, start);
  expect(reached, `${at.symbol}#${at.n}`).toBe(true);
  const { ticks } = golden.booted.machine;
  const { within, every = 1 } = at;
  return Array.from({ length: Math.ceil(within / every) }, (_, n) => ({ kind: 'two-level', ticks, k: every * n + 1 }));
}

const allBut = (enhancement: string, recovery: Recovery): Mechanism => ({
  recovery,
  enhance: FIXUPS.filter((name) => name !== enhancement),
});

/**
 * The first place where the fault is not survived without the enhancement, in a way that the row expects, and unharmed
 * with all of them: damaged code may reach a VM before anything notices, whatever recovery does.
 */
function findPlace(golden: GoldenRun, row: Row, recovery: Recovery): { place: Place; without: InjectionResult } {
  const seen = new Set<string>();
  for (const trigger of triggersOf(golden, row)) {
    const place = placeOf(golden, row, recovery, trigger);
    if (!place) continue;
    const without = runInjection(place.under(allBut(row.enhancement, recovery)), place.injection, {
      withoutEquivalence: true,
    });
    const { effect, noVmf, cause, causeDetail, hit } = without;
    const missed = effect === 'detected' && !noVmf && cause !== undefined && row.without.includes(cause);
    if (missed && runInjection(place.under(completeMechanism(recovery)), place.injection).noVmf)
      return { place, without };
    seen.add(`${hit?.symbol}: ${effect}, ${cause ?? 'survived'}${causeDetail ? ` (${causeDetail})` : ''}`);
  }
  throw new Error(`${row.enhancement} is not missed by ${recovery}:\n${[...seen].join('\n')}`);
}

it('every enhancement has a row', () => {
  expect(ROWS.map(({ enhancement }) => enhancement)).toEqual([...FIXUPS]);
});

describe('a fault that is survived with it and not without it', () => {
  const cases = ROWS.flatMap((row) =>
    row.mechanisms.map((recovery) => [row.enhancement, recovery, row.why, row] as const),
  );
  it.each(cases)('%s, %s: %s', async (enhancement, recovery, _, row) => {
    const golden = goldenOf(row);
    const { place, without } = findPlace(golden, row, recovery);
    const { injection } = place;
    const all = place.under(completeMechanism(recovery));
    const survived = runInjection(all, injection);
    const reproduce = `npx vitest run --project slow properties/campaigns/injection/enhancements.slow.ts -t ' ${enhancement}, ${recovery}:'`;
    expect(survived, reproduce).toMatchObject({ effect: 'detected', success: true, noVmf: true, vmsAffected: 0 });
    expect(without.hit).toEqual(survived.hit);
    for (const [name, run, result] of [
      ['with', all, survived],
      ['without', place.under(allBut(enhancement, recovery)), without],
    ] as const) {
      const path = join(folder, `${enhancement}-${recovery}-${name}.djvm`);
      await recordInjection(run, injection, result, { path });
      expect(replayTrace(openTrace(path)).ok, reproduce).toBe(true);
    }
  });
});
