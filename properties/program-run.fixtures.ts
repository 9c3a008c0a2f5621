/** Runs of the random programs of tlb/program.ts, to search in: no trace, but every position in any order. */
import { createMachine } from '../engine/index.ts';
import { createWorkloadPlayer, type SearchedRun, Timeline } from '../replay/index.ts';
import { bareConfig } from './bare.fixtures.ts';
import { imageOf, type Program } from './conformance/tlb/index.ts';

/** Their length, in ticks. */
export const RUN_TICKS = 2_000;
const machines = new Map([1, 2].map((harts) => [harts, createMachine(bareConfig(harts))]));
const starts = new Map([...machines].map(([harts, machine]) => [harts, machine.snapshot()]));

/** A run of a program from its beginning. */
export function runOf(program: Program): SearchedRun {
  const machine = machines.get(program.harts)!;
  machine.restore(starts.get(program.harts)!);
  const image = imageOf(program);
  for (const { paddr, bytes, ticks } of image) if (ticks === undefined) machine.apply({ kind: 'poke', paddr, bytes });
  const inputs = image
    .flatMap(({ ticks, paddr, bytes }) =>
      ticks === undefined || ticks >= RUN_TICKS ? [] : [{ ticks, event: { kind: 'poke' as const, paddr, bytes } }],
    )
    .sort((a, b) => a.ticks - b.ticks);
  const player = createWorkloadPlayer(machine, inputs);
  const timeline = new Timeline(player, {
    starts: [],
    unreachable: (where) => new Error(`the run does not come to ${where}`),
  });
  return Object.assign(timeline, { first: { moment: 0, ticks: 0 }, last: { moment: 0, ticks: RUN_TICKS } });
}
