/** Whether somebody still reads what a command prints line by line. Relies on Node's streams. */
import type { Io } from '../base/index.ts';

/** Waits until a slow reader has caught up, and for signals. False: nobody reads any more. */
export async function isTaken({ stdout }: Io): Promise<boolean> {
  await new Promise<void>((resolve) => setImmediate(resolve));
  if (stdout.writableNeedDrain) {
    await new Promise<void>((resolve) => {
      for (const event of ['drain', 'close', 'error']) stdout.once(event, () => resolve());
    });
  }
  return stdout.errored == null;
}
