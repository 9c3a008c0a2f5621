/** The thread in which cases run: one that uses too much can be ended there. Tells of each case before it begins. */
import { parentPort, workerData } from 'node:worker_threads';
import type { FromWorker } from './bounded.ts';
import { type FuzzOptions, fuzz } from './fuzz.ts';

const tell = (message: FromWorker) => parentPort!.postMessage(message);

const tally = await fuzz({
  ...(workerData as Pick<FuzzOptions, 'folder' | 'seed' | 'from' | 'to' | 'kind' | 'expected'>),
  onCase: (n, subject) => tell({ kind: 'case', n, subject }),
  onFinding: (finding) => tell({ kind: 'finding', ...finding }),
});
tell({ kind: 'done', tally });
