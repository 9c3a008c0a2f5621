/**
 * When does a condition hold? The answers of replay/when against a judge that looks at every tick, under the random
 * programs of tlb/program.ts: page tables of both stages change, harts change modes, and memory is written from
 * outside.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type MachineEvent, readMachineSymbols } from '../engine/index.ts';
import {
  type Condition,
  eachWhen,
  finish,
  firstWhen,
  holds,
  lastWhen,
  readCondition,
  type SearchedRun,
} from '../replay/index.ts';
import { check } from './check.ts';
import { DATA, PROGRAM, type Program } from './conformance/tlb/index.ts';
import { RUN_TICKS, runOf } from './program-run.fixtures.ts';

const hex = (value: bigint | number) => `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`;

/** One of the program's own addresses, registers, or places of code. */
const TERM = fc.record({
  kind: fc.constantFrom('physical', 'physical', 'guest', 'virtual', 'mode', 'csr', 'pc', 'code'),
  n: fc.nat(1000),
  m: fc.nat(1000),
  hart: fc.nat(1),
});
const CONDITION = fc.record({ terms: fc.array(TERM, { minLength: 1, maxLength: 2 }), all: fc.boolean() });
type Drawn = typeof CONDITION extends fc.Arbitrary<infer T> ? T : never;
type Term = Drawn['terms'][number];

interface Stored {
  readonly at: number;
  readonly values: readonly [bigint, bigint];
}
interface Accessed {
  readonly at: bigint;
  readonly values: readonly [bigint, bigint];
}

function textOf({ kind, n, m, hart }: Term, program: Program): string {
  const of = <T>(list: readonly T[], index: number, otherwise: T) =>
    list[index % Math.max(1, list.length)] ?? otherwise;
  const steps = program.steps.flat();
  const written = steps.flatMap((step) => (step.kind === 'entry' ? step : []));
  const entry = of<Stored>(written, n, { at: DATA, values: [0n, 0n] });
  const reached = steps.flatMap((step) => (step.kind === 'access' || step.kind === 'mprv' ? step : []));
  const access = of<Accessed>(reached, n, { at: BigInt(DATA), values: [1n, 0n] });
  const own = hart % program.harts;
  switch (kind) {
    case 'physical':
      return `[spa:${hex(entry.at)}]:8 ${of(['==', '!=', '>'], m, '==')} ${hex(entry.values[m % 2]!)}`;
    case 'guest':
      return `[vm${m % 4}:${hex(entry.at)}]:4 != 0`;
    case 'virtual':
      return `[va:${hex(access.at)}@hart${own}]:1 == ${hex(access.values[m % 2]! & 0xffn)}`;
    case 'mode':
      return `hart${own}.mode == ${of(['M', 'HS', 'U', 'VS', 'VU'], m, 'M')}`;
    case 'csr':
      return of(
        [`hart${own}.mcause == ${n % 24}`, `hart${own}.vsatp == 0`, `hart${own}.hgatp != 0`, `hart${own}.mtval > 4096`],
        m,
        '',
      );
    case 'pc':
      return `hart${own}.pc == ${hex(0x8000_0000 + 2 * (n % 500))}`;
    case 'code':
      return `hart${own}.pc in ${hex(0x8000_0000 + n)}..${hex(0x8000_0000 + n + 2 * (m % 40) + 2)}`;
  }
}

/** Positions (ticks) at which it holds: before instructions of a hart that may be meant, or where it becomes true. */
function judge(run: SearchedRun, { node, context, plan }: Condition): number[] {
  const { machine, player } = run;
  const found: number[] = [];
  const isTrue = () => holds(node, { ...context, machine });
  let before = false;
  const look = () => {
    const now = isTrue();
    if (now && !before && plan.check !== 'execution') found.push(machine.ticks);
    before = now;
  };
  look();
  for (let ticks = machine.ticks; ticks < RUN_TICKS; ticks++) {
    player.toTicks(ticks, 'applied');
    look();
    const { moment } = machine;
    const next = machine.next();
    const isMeant = (place: { hart: number; from: bigint; to: bigint }) =>
      place.hart === next.hart && next.pc >= place.from && next.pc < place.to;
    const holdsHere = plan.check === 'execution' && plan.places.some(isMeant) && isTrue();
    const traps: MachineEvent[] = [];
    machine.onEvent = (event) => traps.push(event);
    player.toTicks(ticks + 1, 'pending');
    machine.onEvent = undefined;
    const isExecuted =
      machine.moment > moment ||
      traps.some((event) => event.kind === 'transition' && event.trap && !event.trap.interrupt && !isFetch(event.trap));
    if (holdsHere && isExecuted) found.push(ticks);
    look();
  }
  return found;
}

/** What cannot be fetched is not executed. */
const isFetch = ({ cause }: { readonly cause: number }) => [0, 1, 12, 20].includes(cause);

test('the moments at which a condition holds are found', async () => {
  const name = 'the moments at which a condition holds are found';
  const both = fc.record({ program: PROGRAM, conditions: fc.array(CONDITION, { minLength: 4, maxLength: 8 }) });
  const counted: Record<string, number> = {};
  await check({ name, runs: 10, shrink: false }, both, ({ program, conditions }) => {
    for (const { terms, all } of conditions) {
      const text = terms.map((term) => textOf(term, program)).join(all ? ' && ' : ' || ');
      const start = () => {
        const run = runOf(program);
        return { run, context: { machine: run.machine, symbols: readMachineSymbols(run.machine.config) } };
      };
      const judged = start();
      const planned = readCondition(text, judged.context);
      // Between events other registers are not looked at, unless every instruction is.
      const needsAll = planned.plan.check === 'events' && planned.plan.registers.length > 0;
      const condition = needsAll ? readCondition(text, judged.context, 'instruction') : planned;
      const expected = judge(judged.run, condition);
      const { run } = start();
      const end = { ticks: RUN_TICKS, here: 'pending' } as const;
      const told: number[] = [];
      finish(eachWhen(run, condition, end, ({ ticks }) => told.push(ticks) < 0));
      expect(`${text}: ${told}`).toBe(`${text}: ${expected}`);
      counted[condition.plan.check] = (counted[condition.plan.check] ?? 0) + told.length;
      const beginning = start().run;
      const from = beginning.place;
      expect(finish(firstWhen(beginning, condition, end))?.ticks).toBe(expected[0]);
      beginning.toTicks(RUN_TICKS, 'pending');
      expect(finish(lastWhen(beginning, condition, from))?.ticks).toBe(expected.at(-1));
    }
  });
  if (process.env.FC_PATH || process.env.FC_RUNS || process.env.FC_SEED) return;
  for (const way of ['execution', 'memory', 'events']) expect([way, (counted[way] ?? 0) > 12]).toEqual([way, true]);
});
