/**
 * Who changed these bytes? The answers of replay/watch against a judge that executes tick by tick, walks the tables
 * anew each time and compares bytes: under the random programs of tlb/program.ts, which change page tables of both
 * stages from several harts and from outside, and let hardware set A and D bits.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Machine } from '../engine/index.ts';
import {
  accessesUntil,
  finish,
  follow,
  lastAccess,
  type MemoryHit,
  type SearchedRun,
  sameRanges,
  type WatchedMemory,
} from '../replay/index.ts';
import { check } from './check.ts';
import { DATA, PAGE, PROGRAM, type Program } from './conformance/tlb/index.ts';
import { RUN_TICKS, runOf } from './program-run.fixtures.ts';

/** What is asked for: the n-th address that the program names, in a space of its roots. */
const QUESTION = fc.record({
  n: fc.nat(1000),
  root: fc.nat(1000),
  shift: fc.constantFrom(0, 0, 0, 4, -4, PAGE - 12),
  bytes: fc.constantFrom(8, 1, 4, 16),
  space: fc.constantFrom('spa', 'gpa', 'va', 'va'),
});
type Question = typeof QUESTION extends fc.Arbitrary<infer T> ? T : never;

function memoryOf(program: Program, { n, root, shift, bytes, space }: Question): WatchedMemory {
  const steps = program.steps.flat();
  const of = <T>(list: readonly T[], index: number, otherwise: T) =>
    list[index % Math.max(1, list.length)] ?? otherwise;
  const entries = [
    ...steps.flatMap((step) => (step.kind === 'entry' ? BigInt(step.at) : [])),
    ...program.pokes.map(({ at }) => BigInt(at)),
  ];
  const virtual = steps.flatMap((step) => (step.kind === 'access' || step.kind === 'mprv' ? step.at : []));
  const roots = [...program.roots, ...steps.flatMap((step) => (step.kind === 'root' ? step : []))];
  const rootValue = (csr: string) =>
    of(
      roots.flatMap((its) => (its.csr === csr ? its.value : [])),
      root,
      0n,
    );
  const hgatp = rootValue('hgatp');
  const address = of(space === 'va' ? virtual : entries, n, BigInt(DATA)) + BigInt(shift);
  if (space === 'spa') return { at: { space, address }, bytes, changes: true };
  if (space === 'gpa') return { at: { space, address, vmid: 0, hgatp }, bytes, changes: true };
  const inVm = root % 2 === 0;
  const at = {
    space: 'va' as const,
    address: BigInt.asUintN(64, address),
    hart: 0,
    mode: inVm ? ('VS' as const) : ('HS' as const),
    roots: inVm ? { vsatp: rootValue('vsatp'), hgatp } : { satp: rootValue('satp') },
  };
  return { at, bytes, changes: true };
}

/** What the judge and the answers agree on. */
const textOf = (hit: MemoryHit) =>
  hit.kind === 'access'
    ? `${hit.ticks} ${hit.here} ${hit.by === 'input' ? 'input' : `hart ${hit.hart}`} writes`
    : `${hit.ticks} ${hit.here} moves to ${hit.to.map(({ paddr }) => paddr.toString(16))}`;

/** Executes tick by tick and says when the bytes changed, and when they lay elsewhere. */
function judge(run: SearchedRun, { at, bytes }: WatchedMemory): string[] {
  const { machine, player } = run;
  const told: string[] = [];
  const look = () => {
    const { ranges } = follow(machine, at, bytes);
    return { ranges, content: contentOf(machine, ranges) };
  };
  let before = look();
  const compare = (ticks: number, here: string, who: () => string) => {
    const changed = contentOf(machine, before.ranges) !== before.content;
    const now = look();
    if (changed) told.push(`${ticks} ${here} ${who()} writes`);
    if (!sameRanges(now.ranges, before.ranges)) {
      told.push(`${ticks} ${here} moves to ${now.ranges.map(({ paddr }) => paddr.toString(16))}`);
    }
    before = now;
  };
  for (let ticks = machine.ticks; ticks < RUN_TICKS; ticks++) {
    player.toTicks(ticks, 'applied');
    compare(ticks, 'pending', () => 'input');
    const { hart } = machine.next();
    player.toTicks(ticks + 1, 'pending');
    compare(ticks, 'applied', () => `hart ${hart}`);
  }
  return told;
}

const contentOf = (machine: Machine, ranges: ReturnType<typeof follow>['ranges']): string =>
  ranges.map(({ paddr, bytes }) => Buffer.from(machine.readPhysical(paddr, bytes)).toString('hex')).join(' ');

test('whoever changed a word, and whenever it moved, is found', async () => {
  let writes = 0;
  let moves = 0;
  const both = fc.record({ program: PROGRAM, questions: fc.array(QUESTION, { minLength: 4, maxLength: 8 }) });
  const name = 'whoever changed a word, and whenever it moved, is found';
  await check({ name, runs: 12 }, both, ({ program, questions }) => {
    for (const question of questions) {
      const memory = memoryOf(program, question);
      const expected = judge(runOf(program), memory);
      const run = runOf(program);
      const from = run.place;
      run.toTicks(RUN_TICKS, 'pending');
      const told: string[] = [];
      finish(accessesUntil(run, memory, from, (hit) => told.push(textOf(hit)) < 0));
      expect(told).toEqual(expected);
      // Backwards: the last, and one before it. What happens at one position counts once.
      const places = expected.filter((text, n) => placeOf(text) !== placeOf(expected[n - 1] ?? ''));
      for (const count of [1, 3]) {
        run.toTicks(RUN_TICKS, 'pending');
        const hit = finish(lastAccess(run, memory, count));
        const wanted = places.at(-count);
        expect(hit && textOf(hit)).toBe(wanted);
        if (wanted) expect(`${run.place.ticks} ${run.place.here}`).toBe(placeOf(wanted));
        else expect(run.place.ticks).toBe(RUN_TICKS);
      }
      writes += told.filter((text) => text.endsWith('writes')).length;
      moves += told.filter((text) => text.includes('moves')).length;
    }
  });
  if (process.env.FC_PATH || process.env.FC_RUNS || process.env.FC_SEED) return;
  expect(writes).toBeGreaterThan(12);
  expect(moves).toBeGreaterThan(4);
});

const placeOf = (text: string): string => text.split(' ').slice(0, 2).join(' ');
