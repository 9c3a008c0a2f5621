/**
 * Says where two states differ, by name: fields of the layout and of device records, then words of RAM and of
 * disks by address.
 * Relies on both states coming from machines of one configuration.
 */

import { invariant } from '../../base/index.ts';
import { CONSTANTS } from '../../core/index.ts';
import { diskPlace, imagePage, RAM_BASE } from '../board/index.ts';
import type { Page, Snapshot, StateDifference, VirtioConfig } from '../types.ts';
import { elements, elementValue, type Parts, savedParts, stateBytes } from './state.ts';

/** Differing words of RAM and disks that are listed, in order of address; more are left out. */
export const MAX_RAM_DIFFERENCES = 64;
const ZERO_PAGE = new Uint8Array(CONSTANTS.PAGE_BYTES);

/** Everything that differs between two snapshots (RAM and disks: the first MAX_RAM_DIFFERENCES 8-byte words). */
export function compareStates(a: Snapshot, b: Snapshot, config: Parts): StateDifference[] {
  const expected = stateBytes(config);
  for (const { state } of [a, b]) {
    invariant(state.length === expected, `a state of ${state.length} bytes compared as one of ${expected}`);
  }
  return [...compareFields(a.state, b.state, config), ...comparePages(a.pages, b.pages, config.virtio ?? [])];
}

function compareFields(a: Uint8Array, b: Uint8Array, config: Parts): StateDifference[] {
  const found: StateDifference[] = [];
  for (const part of savedParts(config)) {
    for (const element of elements(part)) {
      const inA = elementValue(a, element);
      const inB = elementValue(b, element);
      if (inA !== inB) found.push({ where: element.name, a: inA, b: inB });
    }
  }
  return found;
}

function comparePages(
  a: ReadonlyMap<number, Page>,
  b: ReadonlyMap<number, Page>,
  virtio: readonly VirtioConfig[],
): StateDifference[] {
  const found: StateDifference[] = [];
  const indices = [...new Set([...a.keys(), ...b.keys()])].sort((x, y) => x - y);
  for (const index of indices) {
    const pageA = a.get(index);
    const pageB = b.get(index);
    if (pageA === pageB || (pageA && pageB && pageA.hash === pageB.hash)) continue;
    const place = diskPlace(index);
    const initial = place ? imagePage(virtio, index) : ZERO_PAGE;
    const viewA = viewOf(pageA?.bytes ?? initial);
    const viewB = viewOf(pageB?.bytes ?? initial);
    for (let at = 0; at < CONSTANTS.PAGE_BYTES; at += 8) {
      const inA = viewA.getBigUint64(at, true);
      const inB = viewB.getBigUint64(at, true);
      if (inA === inB) continue;
      if (found.length === MAX_RAM_DIFFERENCES) return found;
      const difference = { a: inA, b: inB };
      if (place) found.push({ where: `virtio${place.slot}.disk+0x${(place.offset + at).toString(16)}`, ...difference });
      else found.push({ where: 'ram', paddr: RAM_BASE + index * CONSTANTS.PAGE_BYTES + at, ...difference });
    }
  }
  return found;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
