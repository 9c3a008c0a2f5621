/**
 * RAM from outside of the harts: reading it, and storing to it as a hart would, so that decoded code and translations
 * stay right and watched ranges are observed.
 */
import { UserError } from '../base/index.ts';
import type { Core } from '../core/index.ts';
import { RAM_BASE } from './board/index.ts';
import type { AccessObserver, StoredBy } from './observe/index.ts';

/** Bytes copied through scratch at a time. */
const CHUNK_BYTES = 32768;

export interface Ram {
  /** A copy of bytes. @throws UserError when they are not all in RAM */
  read(paddr: number, bytes: number): Uint8Array;
  /** undefined when the byte is not in RAM. */
  byte(paddr: number): number | undefined;
  /** @throws UserError when the bytes are not all in RAM */
  write(paddr: number, bytes: Uint8Array, by: StoredBy): void;
  /** The same at an offset from the start of RAM, which is known to be in it. */
  store(offset: number, bytes: Uint8Array, by: StoredBy): void;
}

export function createRam(core: Core, accesses: AccessObserver): Ram {
  const u8 = new Uint8Array(core.memory.buffer);
  const host = core.machineNumber('ramHost');
  const scratch = core.machineNumber('scratchHost');
  const ramBytes = core.machineNumber('ramBytes');
  const offsetOf = (paddr: number, bytes: number, what: string): number => {
    const offset = paddr - RAM_BASE;
    if (Number.isSafeInteger(paddr) && bytes >= 0 && offset >= 0 && offset + bytes <= ramBytes) return offset;
    const last = (RAM_BASE + ramBytes - 1).toString(16);
    throw new UserError(
      `${bytes} bytes at 0x${paddr.toString(16)} cannot be ${what}: RAM is 0x${RAM_BASE.toString(16)}…0x${last}`,
    );
  };
  const store = (offset: number, bytes: Uint8Array, by: StoredBy) => {
    accesses.storing(offset, bytes, by);
    for (let done = 0; done < bytes.length; done += CHUNK_BYTES) {
      const chunk = bytes.subarray(done, done + CHUNK_BYTES);
      u8.set(chunk, scratch);
      core.arch.storePhysical(offset + done, scratch, chunk.length);
    }
  };
  return {
    read(paddr, bytes) {
      const start = host + offsetOf(paddr, bytes, 'read');
      return u8.slice(start, start + bytes);
    },
    byte(paddr) {
      const offset = paddr - RAM_BASE;
      return offset >= 0 && offset < ramBytes ? u8[host + offset] : undefined;
    },
    write: (paddr, bytes, by) => store(offsetOf(paddr, bytes.length, 'written'), bytes, by),
    store,
  };
}
