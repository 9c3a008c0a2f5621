/**
 * Follows linked lists in a hypervisor's memory, which may be broken: pointers are bounded, loops are found.
 * Relies on physical memory alone.
 */
import { asAddress, hex, isRam, type PhysicalMemory, readU64 } from './memory.ts';

export interface LinkedList {
  /** Where the pointer to the first element lies. */
  readonly head: number;
  /** Offset of the pointer to the next one; undefined: there is only one. */
  readonly next: number | undefined;
  /** Bytes of an element that must be RAM. */
  readonly extent: number;
  readonly limit: number;
  readonly what: string;
}

/**
 * Addresses of the elements of a NULL-terminated list, up to where it stops making sense, which becomes a line in
 * `problems`.
 */
export function followList(memory: PhysicalMemory, list: LinkedList, problems: string[]): number[] {
  const found: number[] = [];
  for (let link: number | undefined = list.head; link !== undefined; ) {
    const pointer = readU64(memory, link);
    if (pointer === 0n) break;
    const address: number | undefined = pointer === undefined ? undefined : asAddress(pointer);
    const stop = (why: string) => problems.push(`${list.what}: pointer at ${hex(link!)} ${why}`);
    if (pointer === undefined) stop('is not in RAM');
    else if (address === undefined || !isRam(memory, address, list.extent)) stop(`is ${hex(pointer)}, outside RAM`);
    else if (address % 8 !== 0) stop(`is ${hex(pointer)}, misaligned`);
    else if (found.includes(address)) stop(`goes back to ${hex(pointer)}: the list loops`);
    else if (found.length >= list.limit) stop(`leads to more than ${list.limit} elements`);
    else {
      found.push(address);
      link = list.next === undefined ? undefined : address + list.next;
      continue;
    }
    break;
  }
  return found;
}
