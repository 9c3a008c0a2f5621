/** The second thread of a search: looks in the windows that it is given, one after the other. */
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../../engine/index.ts';
import { openTrace } from '../../traces/index.ts';
import { finish, searchWindow, type Window } from '../search/index.ts';
import { openTimeline, type TraceTimeline } from '../timeline/index.ts';
import { memoryObserver } from './memory.ts';
import { type Reply, recordingOf, type Task } from './thread.ts';

const port = parentPort;
invariant(port !== null, 'worker.ts runs in a worker thread');
const { path, recording, memory } = workerData as Task;
let run: TraceTimeline | undefined;

port.on('message', (window: Window) => port.postMessage(replyTo(window)));

function replyTo(window: Window): Reply {
  try {
    run ??= open();
    return { hit: finish(searchWindow(run, memoryObserver(memory), window)) };
  } catch {
    // The other thread looks there itself, and meets the same error where there is one to be told of.
    run = undefined;
    return 'failed';
  }
}

function open(): TraceTimeline {
  const trace = openTrace(path);
  if (recordingOf(trace) !== recording) throw new Error(`${path} is another trace by now`);
  return openTimeline(trace);
}
