/**
 * The saved state that is not RAM, as one run of bytes: machine block, hart blocks, device records, in layout order.
 * Snapshots, digests and differences all derive from the ranges and fields given here.
 */

import { invariant } from '../../base/index.ts';
import { type Block, CONSTANTS, type FieldType, HART, hartAddress, MACHINE } from '../../core/index.ts';
import { boardOf } from '../board/index.ts';
import type { MachineConfig } from '../types.ts';

/** A block of saved bytes: where it lives, and where in the state bytes it is kept. */
export interface SavedPart {
  /** Prefix of its fields in differences. */
  readonly name: string;
  readonly block: Block;
  /** Linear-memory address. */
  readonly address: number;
  /** Byte offset in the state. */
  readonly offset: number;
}

/** What decides which parts there are. */
export type Parts = Pick<MachineConfig, 'harts' | 'virtio'>;

/** Every saved part of such a machine, in order. */
export function savedParts({ harts, virtio }: Parts): SavedPart[] {
  const blocks = [
    { name: 'machine', block: MACHINE, address: CONSTANTS.MACHINE_BASE as number },
    ...Array.from({ length: harts }, (_, n) => ({ name: `hart${n}`, block: HART, address: hartAddress(n) })),
    ...boardOf(virtio).map((slot) => ({ name: slot.device.name, block: slot.device.record, address: slot.record })),
  ];
  let offset = 0;
  return blocks.map((its) => {
    const part = { ...its, offset };
    offset += its.block.savedBytes;
    return part;
  });
}

/** Length of the state of such a machine. */
export const stateBytes = (config: Parts): number =>
  savedParts(config).reduce((sum, part) => sum + part.block.savedBytes, 0);

/** Copies the saved parts from linear memory to `target`. */
export function readState(memory: Uint8Array, parts: readonly SavedPart[], target: Uint8Array): void {
  for (const { address, offset, block } of parts) {
    target.set(memory.subarray(address, address + block.savedBytes), offset);
  }
}

/** Copies them back. */
export function writeState(memory: Uint8Array, parts: readonly SavedPart[], state: Uint8Array): void {
  const expected = parts.reduce((sum, part) => sum + part.block.savedBytes, 0);
  invariant(
    state.length === expected,
    `a state of ${state.length} bytes given to a machine whose state has ${expected}`,
  );
  for (const { address, offset, block } of parts) {
    memory.set(state.subarray(offset, offset + block.savedBytes), address);
  }
}

/** One element of saved state, by name. */
export interface SavedElement {
  /** `hart0.x10`, `hart0.pmpaddr[3]`, `plic.level[0]`, `machine.ticks`. */
  readonly name: string;
  readonly type: FieldType;
  /** Byte offset in the state. */
  readonly offset: number;
}

const ELEMENT_BYTES: Readonly<Record<FieldType, number>> = { u8: 1, u32: 4, u64: 8 };
/** Arrays whose elements have names of their own. */
const REGISTER_FILES: readonly string[] = ['x', 'f'];

/** Every element of the given part, in order. */
export function* elements(part: SavedPart): Generator<SavedElement> {
  for (const field of part.block.fields) {
    if (!field.saved) continue;
    for (let n = 0; n < field.count; n++) {
      const index = field.count === 1 ? '' : REGISTER_FILES.includes(field.name) ? `${n}` : `[${n}]`;
      yield {
        name: `${part.name}.${field.name}${index}`,
        type: field.type,
        offset: part.offset + field.offset + n * ELEMENT_BYTES[field.type],
      };
    }
  }
}

/** Value of an element in state bytes. */
export function elementValue(state: Uint8Array, element: SavedElement): bigint {
  const view = new DataView(state.buffer, state.byteOffset, state.byteLength);
  if (element.type === 'u8') return BigInt(view.getUint8(element.offset));
  if (element.type === 'u32') return BigInt(view.getUint32(element.offset, true));
  return view.getBigUint64(element.offset, true);
}
