/**
 * A worker of the campaign's pool: runs one task at a time on its own golden runs. An error of ours is sent back with
 * the task and costs this worker its golden runs, since nobody knows what state they are in; other workers never
 * notice.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { invariant } from '../../../engine/index.ts';
import type { Injector, Testbed } from '../plan/index.ts';
import type { Reply, Request } from './pool.ts';

const port = parentPort;
invariant(port !== null, 'worker.ts runs in a worker thread');
const { testbed } = (await import((workerData as { readonly testbed: string }).testbed)) as {
  readonly testbed: Testbed;
};
let injector: Injector | undefined;

port.on('message', async ({ task }: Request) => {
  try {
    injector ??= await testbed.open();
    reply({ value: perform(injector) });
  } catch (error) {
    injector = undefined;
    const { name, message, stack = '' } = error as Error;
    reply({ error: { name, message, stack } });
  }

  function perform(on: Injector) {
    switch (task.kind) {
      case 'window':
        return on.window(task);
      case 'overhead':
        return on.overhead(task);
      case 'row':
        return on.run(task, task.injection);
    }
  }
});

function reply(message: Reply): void {
  port!.postMessage(message);
}
