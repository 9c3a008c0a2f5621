/**
 * States that came from outside, a file as a rule. What the machine's own code relies on in saved state is checked
 * before the state is taken; that all of it is what its digest says, afterwards (machine.ts). Snapshots that a machine
 * of this process took are known to be right.
 * Relies on the layout for where fields lie. Does not check devices: their records are data to them.
 */

import { UserError } from '../../base/index.ts';
import { CONSTANTS, field } from '../../core/index.ts';
import { diskPlace } from '../board/index.ts';
import type { MachineConfig, Snapshot } from '../types.ts';
import { elementValue, type SavedPart, savedParts, stateBytes } from './state.ts';

const OWN = new WeakSet<Snapshot>();

/** Remembers a snapshot that a machine took. */
export function markOwn(snapshot: Snapshot): Snapshot {
  OWN.add(snapshot);
  return snapshot;
}

/** Whether a machine of this process took it, and nobody copied it since. */
export const isOwn = (snapshot: Snapshot): boolean => OWN.has(snapshot);

/** Fields of the machine block that follow from what the machine is made of. */
const MADE_OF: readonly (readonly [field: string, value: (config: MachineConfig) => number])[] = [
  ['hartCount', ({ harts }) => harts],
  ['quantumTicks', ({ quantum }) => quantum.ticks],
  ['quantumJitter', ({ quantum }) => (quantum.policy === 'jittered' ? 1 : 0)],
];
/** Values of fields of a hart that its code tells apart; `x` stands for x0. */
const HART_VALUES: Readonly<Record<string, readonly bigint[]>> = {
  x: [0n],
  priv: [0n, 1n, 3n],
  virt: [0n, 1n],
  waiting: [0n, 1n],
  reserved: [0n, 1n],
};

/** @throws UserError when a restored state is not what it claimed to be: `digest` is the machine's now */
export function checkDigest(snapshot: Snapshot, digest: bigint): void {
  if (digest === snapshot.digest) return;
  throw new UserError(`a state with digest ${hex(digest)}, expected ${hex(snapshot.digest)}`);
}

const hex = (value: bigint) => `0x${value.toString(16).padStart(16, '0')}`;

/**
 * @throws UserError that says what no machine made of `config` can have, or what the state says against the snapshot
 */
export function checkClaimed(snapshot: Snapshot, config: MachineConfig): void {
  const { state, moment, ticks } = snapshot;
  const expected = stateBytes(config);
  if (state.length !== expected) {
    throw new UserError(`a state of ${state.length} bytes, expected ${expected} for this machine`);
  }
  const [machine, ...others] = savedParts(config);
  const its = fieldsOf(state, machine!);
  const expect = (name: string, value: number, isRight: boolean) => {
    if (!isRight) throw new UserError(`a state with ${name} ${its(name)}, expected ${value}`);
  };
  for (const [name, value] of Object.entries({ moment, ticks })) expect(name, value, its(name) === BigInt(value));
  for (const [name, value] of MADE_OF) expect(name, value(config), its(name) === BigInt(value(config)));
  expect('currentHart', config.harts - 1, its('currentHart') < BigInt(config.harts));
  // A jittered turn takes at most one and a half of the mean.
  const longest = 2 * config.quantum.ticks;
  expect('turnLeft', longest, its('turnLeft') <= BigInt(longest));
  for (const part of others.slice(0, config.harts)) checkHart(fieldsOf(state, part), part.name);
  checkPages(snapshot, config);
}

function checkHart(its: (name: string) => bigint, hart: string): void {
  for (const [name, values] of Object.entries(HART_VALUES)) {
    if (!values.includes(its(name)))
      throw new UserError(`a state with ${hart}.${name} ${its(name)}, which no hart can have`);
  }
  const inMachineMode = its('priv') === 3n && its('virt') === 1n;
  if (inMachineMode || its('pc') % 2n !== 0n) {
    throw new UserError(
      `a state with ${hart} in ${inMachineMode ? 'virtual M-mode' : 'an odd place'}, where no hart can be`,
    );
  }
}

/** A page number is one of RAM's, or of a disk that is there. */
function checkPages({ pages }: Snapshot, { ramBytes, virtio = [] }: MachineConfig): void {
  const ramPages = ramBytes / CONSTANTS.PAGE_BYTES;
  for (const [index, { bytes }] of pages) {
    const place = diskPlace(index);
    const disk = virtio.find((device) => device.slot === place?.slot);
    const inside = place ? disk?.kind === 'block' && place.offset < disk.image.bytes.length : index < ramPages;
    if (inside && bytes.length === CONSTANTS.PAGE_BYTES) continue;
    throw new UserError(`a state with page ${index}, which lies in neither its RAM nor one of its disks`);
  }
}

/** Reads fields of a part by name; of an array, its first element. */
function fieldsOf(state: Uint8Array, { name, block, offset }: SavedPart): (field: string) => bigint {
  return (wanted) => {
    const its = field(block, wanted);
    return elementValue(state, { name: `${name}.${wanted}`, type: its.type, offset: offset + its.offset });
  };
}
