/**
 * Standard output and standard error of the process, written so that a failure is neither lost nor a stack trace: the
 * disk may be full, the quota used up, the terminal gone. A reader that went away (`dejavm info x | head`) is no
 * failure. Relies on Node's streams for pipes and terminals, where they wait for the reader; regular files are written
 * here, because Node's stream takes a write that was cut short by a full disk for a whole one.
 */
import { fstatSync, writeSync } from 'node:fs';
import { EXIT, type ExitCode } from './exit-codes.ts';

export interface Output {
  write(data: string | Uint8Array): void;
  /** Resolves when everything that was written has gone out, or never will. */
  settled(): Promise<void>;
  /** Why not everything has gone out; undefined when it has, or when the reader did not want it. */
  failure(): Error | undefined;
}

type FdStream = NodeJS.WriteStream & { readonly fd: number };

/** Takes over a stream of the process. Call once for each: it installs a handler for its errors. */
export function openOutput(stream: FdStream): Output {
  let error: NodeJS.ErrnoException | undefined;
  const fail = (reason: unknown) => {
    error ??= reason as NodeJS.ErrnoException;
  };
  stream.on('error', fail);
  const ofFile = isFile(stream);
  return {
    write(data) {
      if (error || data.length === 0) return;
      if (!ofFile) stream.write(data);
      else {
        try {
          writeWhole(stream.fd, typeof data === 'string' ? Buffer.from(data) : data);
        } catch (reason) {
          fail(reason);
        }
      }
    },
    settled() {
      return new Promise((resolve) => {
        if (error || stream.writableLength === 0) resolve();
        else stream.write('', () => resolve());
      });
    },
    failure: () => (error?.code === 'EPIPE' ? undefined : error),
  };
}

function isFile(stream: FdStream): boolean {
  try {
    const stat = fstatSync(stream.fd);
    return !stream.isTTY && (stat.isFile() || stat.isCharacterDevice() || stat.isBlockDevice());
  } catch {
    return false;
  }
}

const RETRY_MS = 5;
const pause = new Int32Array(new SharedArrayBuffer(4));

/** @throws the operating system's error, with what came before it written */
function writeWhole(fd: number, data: Uint8Array): void {
  for (let left = data; left.length > 0; ) {
    try {
      left = left.subarray(writeSync(fd, left));
    } catch (error) {
      // Somebody made the device non-blocking, and it is busy.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(pause, 0, 0, RETRY_MS);
    }
  }
}

/**
 * Ends the output of a command: waits for both streams and says when one did not take everything.
 * @returns the command's own exit code, or EXIT.usage in place of "fine" and "found a difference" when output was lost:
 * whoever reads it must not take a part for the whole
 */
export async function conclude(code: ExitCode, out: Output, err: Output): Promise<ExitCode> {
  await out.settled();
  const lost = out.failure();
  if (lost !== undefined) {
    const { systemReason } = await import('../../traces/index.ts');
    err.write(`dejavm: standard output: ${systemReason(lost)}; what was printed is not complete\n`);
  }
  await err.settled();
  if (lost === undefined && err.failure() === undefined) return code;
  return code === EXIT.ok || code === EXIT.difference ? EXIT.usage : code;
}
