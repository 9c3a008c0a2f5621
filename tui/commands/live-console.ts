/**
 * Standard input as the machine's console: bytes are collected as they arrive and handed over when the recorder polls.
 * On a terminal, raw mode: every key goes to the guest, and Ctrl-A x quits as in QEMU (Ctrl-A Ctrl-A types one Ctrl-A).
 * Relies on the recorder yielding to the event loop.
 */
import type { Io } from '../io.ts';

export interface LiveConsole {
  /** Bytes typed since the last call; 'closed' after the end of the input. */
  readonly poll: () => Uint8Array | undefined | 'closed';
  /** Whether the user asked to quit. */
  readonly quit: () => boolean;
  /** Gives the terminal back. */
  readonly close: () => void;
}

/** Takes over standard input. */
export function openLiveConsole(io: Io): LiveConsole {
  const { stdin } = io;
  const isTerminal = stdin.isTTY === true;
  const filter = isTerminal ? escapeFilter() : (bytes: Uint8Array) => ({ bytes, quit: false });
  let pending: number[] = [];
  let quit = false;
  let ended = false;
  const onEnd = () => {
    ended = true;
  };
  const onData = (chunk: Uint8Array) => {
    const typed = filter(chunk);
    pending.push(...typed.bytes);
    quit ||= typed.quit;
  };
  if (isTerminal) stdin.setRawMode(true);
  stdin.on('data', onData);
  stdin.on('end', onEnd);
  stdin.resume();
  return {
    poll() {
      if (pending.length === 0) return ended ? 'closed' : undefined;
      const bytes = Uint8Array.from(pending);
      pending = [];
      return bytes;
    },
    quit: () => quit,
    close() {
      stdin.off('data', onData);
      stdin.off('end', onEnd);
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
