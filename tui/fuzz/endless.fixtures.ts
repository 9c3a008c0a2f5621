/** In place of worker.ts: case 1 never ends, case 2 ends its thread, all others are fine. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FromWorker } from './bounded.ts';

const { from, to } = workerData as { readonly from: number; readonly to: number };
const tell = (message: FromWorker) => parentPort!.postMessage(message);

for (let n = from; n < to; n++) {
  tell({ kind: 'case', n, subject: 'planted' });
  while (n === 1);
  if (n === 2) throw new Error('planted');
}
tell({ kind: 'done', tally: { planted: { 0: to - from } } });
