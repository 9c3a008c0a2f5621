/**
 * What an injection costs, beside running the same instructions without one: `node properties/bench/injection.ts
 * [SETUP [COUNT]]`. Prints CPU milliseconds per injection (median), and those beyond plain execution, for faults that
 * go different ways. Both are measured in one run; the ratio is what counts.
 */
import { type Fault, parseFault } from '../../engine/index.ts';
import {
  bootSetup,
  completeMechanism,
  findSetup,
  type GoldenRun,
  goldenRun,
  runInjection,
} from '../campaigns/injection/index.ts';

const FAULTS = ['failstop', 'register=x10,bit=5', 'code=instruction,bit=3', 'interrupt=timer,effect=lost'] as const;

/** CPU milliseconds of this process that `work` takes. */
function cpuMs(work: () => void): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** CPU milliseconds for each instruction of the golden run, from `up` to its end. */
function plainMs(golden: GoldenRun): number {
  const { machine } = golden.booted;
  const runs = Array.from({ length: 9 }, () => {
    machine.onEvent = undefined;
    machine.restore(golden.points[0]!.snapshot);
    return cpuMs(() => machine.run({ ticks: golden.end.ticks }));
  });
  return median(runs) / golden.totalInstructions;
}

export function bench(setupName: string, count: number): void {
  const booted = bootSetup(findSetup(setupName));
  for (const recovery of ['rehype', 'nilihype'] as const) {
    const golden = goldenRun(booted, completeMechanism(recovery));
    const each = plainMs(golden);
    console.log(
      `${setupName}, ${recovery}: ${golden.totalInstructions} instructions, ${(1e6 * each).toFixed(2)} ns each`,
    );
    for (const text of FAULTS) report(golden, parseFault(text), text, count, each);
  }
}

function report(golden: GoldenRun, fault: Fault, text: string, count: number, each: number): void {
  const { up, end } = golden;
  const beyond: number[] = [];
  const spent: number[] = [];
  const effects = new Map<string, number>();
  for (let n = 0; n < count; n++) {
    const ticks = up.ticks + Math.floor(((n + 0.5) / count) * (end.ticks - up.ticks));
    const injection = { trigger: { kind: 'two-level', ticks, k: 1 + ((n * 37) % 500) }, fault } as const;
    let remaining = 0;
    const ms = cpuMs(() => {
      const { effect, hit, converged, endMoment } = runInjection(golden, injection);
      effects.set(effect, (effects.get(effect) ?? 0) + 1);
      if (hit && !converged) remaining = endMoment - hit.moment;
    });
    spent.push(ms);
    beyond.push(ms - remaining * each);
  }
  const became = [...effects].map(([effect, times]) => `${times} ${effect}`).join(', ');
  console.log(
    `  ${text.padEnd(30)}${median(spent).toFixed(1).padStart(8)} ms, ` +
      `${median(beyond).toFixed(1).padStart(6)} beyond plain execution  (${became})`,
  );
}

if (import.meta.main) bench(process.argv[2] ?? 'compute', Number(process.argv[3] ?? 40));
