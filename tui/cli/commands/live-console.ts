/**
 * Standard input as the machine's console: bytes are collected as they arrive and handed over when the recorder polls.
 * What nobody takes stays in the pipe, so that its writer waits.
 * On a terminal, raw mode: every key goes to the guest, and Ctrl-A x quits as in QEMU (Ctrl-A Ctrl-A types one Ctrl-A).
 * Relies on the recorder yielding to the event loop.
 */
import type { Io } from '../../base/index.ts';

export interface LiveConsole {
  /** Bytes typed since the last call; 'closed' after the end of the input. */
  readonly poll: () => Uint8Array | undefined | 'closed';
  /** Bytes that came in and were not polled, and whether the input has ended behind them. */
  readonly notPolled: { readonly bytes: number; readonly ended: boolean };
  /** Whether the user asked to quit. */
  readonly quit: () => boolean;
  /** Gives the terminal back. */
  readonly close: () => void;
}

/** Bytes kept here, waiting for the recorder, before a pipe is held back. */
const MAX_WAITING_BYTES = 65_536;

/** Takes over standard input. */
export function openLiveConsole(io: Io): LiveConsole {
  const { stdin } = io;
  const isTerminal = stdin.isTTY === true;
  const filter = isTerminal ? escapeFilter() : (bytes: Uint8Array) => ({ bytes, quit: false });
  let waiting: Uint8Array[] = [];
  let waitingBytes = 0;
  let quit = false;
  let ended = false;
  const onEnd = () => {
    ended = true;
  };
  const onData = (chunk: Uint8Array) => {
    const typed = filter(chunk);
    waiting.push(typed.bytes);
    waitingBytes += typed.bytes.length;
    quit ||= typed.quit;
    // Never a terminal: Ctrl-A x has to be seen, and nobody types that much.
    if (!isTerminal && waitingBytes >= MAX_WAITING_BYTES) stdin.pause();
  };
  if (isTerminal) stdin.setRawMode(true);
  stdin.on('data', onData);
  stdin.on('end', onEnd);
  // Input that cannot be read (a folder, a terminal that went away) has ended.
  stdin.on('error', onEnd);
  stdin.resume();
  return {
    poll() {
      if (waitingBytes === 0) return ended ? 'closed' : undefined;
      const bytes = Buffer.concat(waiting);
      waiting = [];
      waitingBytes = 0;
      if (!ended) stdin.resume();
      return bytes;
    },
    get notPolled() {
      return { bytes: waitingBytes, ended };
    },
    quit: () => quit,
    close() {
      stdin.off('data', onData);
      stdin.off('end', onEnd);
      stdin.off('error', onEnd);
      stdin.pause();
      if (isTerminal) stdin.setRawMode(false);
    },
  };
}

const CTRL_A = 1;

/** QEMU's escape key: takes Ctrl-A and the key behind it out of what is typed, across chunks. */
export function escapeFilter(): (chunk: Uint8Array) => { readonly bytes: Uint8Array; readonly quit: boolean } {
  let escaped = false;
  return (chunk) => {
    const bytes: number[] = [];
    let quit = false;
    for (const byte of chunk) {
      if (!escaped) {
        if (byte === CTRL_A) escaped = true;
        else bytes.push(byte);
        continue;
      }
      escaped = false;
      if (byte === CTRL_A) bytes.push(CTRL_A);
      else if (byte === 'x'.charCodeAt(0)) quit = true;
    }
    return { bytes: Uint8Array.from(bytes), quit };
  };
}
