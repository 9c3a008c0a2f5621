/** Golden runs of kept traces, which tests record when they need them. Used by tests only. */
import { join } from 'node:path';
import { openTrace, type Trace } from '../traces/index.ts';
import { configFromTrace, inputsFromTrace } from './container/config.ts';
import { record } from './record/record.ts';

/** The same run up to the same virtual time, without its fault; recorded into a folder. */
export async function withoutFault(trace: Trace, folder: string): Promise<Trace> {
  const inputs = inputsFromTrace(trace).filter(({ event }) => event.kind !== 'fault');
  const { digestEvery, checkpointEvery, commandLine } = trace.header;
  const { path } = await record({
    path: join(folder, `${trace.header.id}.djvm`),
    config: configFromTrace(trace),
    planned: inputs.map(({ ticks, event }) => ({ trigger: { kind: 'ticks', ticks }, event })),
    maxMoment: Number.MAX_SAFE_INTEGER,
    maxTicks: trace.last.ticks,
    digestEvery,
    checkpointEvery,
    commandLine,
  });
  return openTrace(path);
}
