/**
 * What a second thread saves a search backwards: nothing is found in the whole run, on one thread and on two, in turn.
 * By the processor time of the thread that waits for the answer, which is the time it takes where each thread has a
 * core, and of the whole process.
 * Run: node replay/bench/threads.ts TRACE ADDRESS [pairs], with a physical address that nothing writes to.
 */
import { openTrace } from '../../traces/index.ts';
import { openTimeline } from '../timeline/index.ts';
import { lastAccessInParallel } from '../watch/index.ts';
import { spreadOf, spreadText } from './measure.ts';
import { wordAt } from './words.ts';

interface Times {
  readonly wall: number;
  readonly main: number;
  readonly all: number;
}

const ms = ({ user, system }: NodeJS.CpuUsage) => (user + system) / 1000;

async function times(path: string, paddr: number, threads: number): Promise<Times> {
  const run = openTimeline(openTrace(path));
  run.seek(run.last.moment);
  const [wall, main, all] = [performance.now(), process.threadCpuUsage(), process.cpuUsage()];
  if (await lastAccessInParallel(run, wordAt(paddr), { threads })) throw new Error('bench: something writes there');
  return {
    wall: performance.now() - wall,
    main: ms(process.threadCpuUsage(main)),
    all: ms(process.cpuUsage(all)),
  };
}

const [path, address, pairs = '5'] = process.argv.slice(2);
if (path === undefined || address === undefined) {
  console.error('usage: node replay/bench/threads.ts TRACE ADDRESS [pairs]');
  process.exitCode = 2;
} else {
  const taken: Record<number, Times[]> = { 1: [], 2: [] };
  for (let n = 0; n < Number(pairs); n++) {
    for (const threads of [1, 2]) taken[threads]!.push(await times(path, Number(address), threads));
  }
  for (const threads of [1, 2]) {
    const of = (pick: (at: Times) => number) => spreadText(spreadOf(taken[threads]!.map(pick)), 0);
    const [wall, main, all] = [of((at) => at.wall), of((at) => at.main), of((at) => at.all)];
    console.log(`${threads} thread(s): processor ${main} ms on the first thread, ${all} ms in all; wall ${wall} ms`);
  }
}
