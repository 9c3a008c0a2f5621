/**
 * Says where two states differ, by name: fields of the layout and of device records, then words of RAM by address.
 * Relies on both states coming from machines of one configuration.
 */
import { CONSTANTS } from '../core/layout.ts';
import { invariant } from '../errors.ts';
import { RAM_BASE } from './board.ts';
import { elements, elementValue, savedParts, stateBytes } from './state.ts';
import type { MachineConfig, Page, Snapshot, StateDifference } from './types.ts';

/** Differing words of RAM that are listed, in order of address; more are left out. */
export const MAX_RAM_DIFFERENCES = 64;
const ZERO_PAGE = new Uint8Array(CONSTANTS.PAGE_BYTES);

/** Everything that differs between two snapshots (RAM: the first MAX_RAM_DIFFERENCES 8-byte words). */
export function compareStates(a: Snapshot, b: Snapshot, config: Pick<MachineConfig, 'harts'>): StateDifference[] {
  const expected = stateBytes(config.harts);
  for (const { state } of [a, b]) {
    invariant(state.length === expected, `a state of ${state.length} bytes compared as one of ${expected}`);
  }
  return [...compareFields(a.state, b.state, config.harts), ...compareRam(a.pages, b.pages)];
}

function compareFields(a: Uint8Array, b: Uint8Array, harts: number): StateDifference[] {
  const found: StateDifference[] = [];
  for (const part of savedParts(harts)) {
    for (const element of elements(part)) {
      const inA = elementValue(a, element);
      const inB = elementValue(b, element);
      if (inA !== inB) found.push({ where: element.name, a: inA, b: inB });
    }
  }
  return found;
}

function compareRam(a: ReadonlyMap<number, Page>, b: ReadonlyMap<number, Page>): StateDifference[] {
  const found: StateDifference[] = [];
  const indices = [...new Set([...a.keys(), ...b.keys()])].sort((x, y) => x - y);
  for (const index of indices) {
    const pageA = a.get(index);
    const pageB = b.get(index);
    if (pageA === pageB || (pageA && pageB && pageA.hash === pageB.hash)) continue;
    const viewA = viewOf(pageA);
    const viewB = viewOf(pageB);
    for (let at = 0; at < CONSTANTS.PAGE_BYTES; at += 8) {
      const inA = viewA.getBigUint64(at, true);
      const inB = viewB.getBigUint64(at, true);
      if (inA === inB) continue;
      if (found.length === MAX_RAM_DIFFERENCES) return found;
      found.push({ where: 'ram', paddr: RAM_BASE + index * CONSTANTS.PAGE_BYTES + at, a: inA, b: inB });
    }
  }
  return found;
}

function viewOf(page: Page | undefined): DataView {
  const bytes = page?.bytes ?? ZERO_PAGE;
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
