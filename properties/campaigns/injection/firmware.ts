/**
 * The firmware's memory, as far as the recovery block stands on it: its data, the harts' saved registers and M-mode
 * stacks, the pristine image, and what is handed over to the hypervisor. Reads the images' symbols; knows the
 * firmware's memory map (firmware.ld, main.c, recovery.c).
 */
import { hex, MAX_HARTS, type Machine, type MachineSymbols, UserError } from '../../../engine/index.ts';

/** Physical address and length in bytes. */
export type MemoryRange = readonly [paddr: number, bytes: number];

export interface FirmwareMemory {
  /** Variables, the boot arguments among them; without the harts'. */
  readonly data: readonly MemoryRange[];
  /** Of each hart of the machine: the registers of what it interrupted, its state, its stack. */
  readonly harts: readonly MemoryRange[];
  /** Code, constants and first data of the hypervisor, as far as they are used. */
  readonly pristine: MemoryRange;
  /** What the hypervisor may read: the copy of its static data, the descriptor (frozen harts), the devicetree. */
  readonly handover: readonly MemoryRange[];
}

const CORE_VARIABLES = ['options', 'harts', 'pristine'] as const;

/** Where it is. @throws UserError when firmware or hypervisor are not laid out as ours are */
export function firmwareMemory(
  machine: Pick<Machine, 'config' | 'readPhysical'>,
  { firmware, hypervisor }: MachineSymbols,
): FirmwareMemory {
  const place = (name: string): MemoryRange => {
    const found = firmware.place(name);
    if (found) return [Number(found.address), Number(found.bytes)];
    throw new UserError(`the firmware has no symbol '${name}': faults in its memory need our firmware's memory map`);
  };
  const [[dataStart], [harts, hartsBytes], [pristine]] = CORE_VARIABLES.map(place) as [
    MemoryRange,
    MemoryRange,
    MemoryRange,
  ];
  const lengthOf = (name: string): number => {
    const [from, to] = [`${name}_start`, `${name}_end`].map((end) => hypervisor?.loadAddress(end));
    if (from !== undefined && to !== undefined) return Number(to - from);
    throw new UserError(`the hypervisor's image has no symbol '${name}_start': faults in its copies need Lazarus`);
  };
  const all = [...new Set(firmware.placeNames())].map(place).sort(([a], [b]) => a - b);
  const inside = (from: number, to: number) => all.filter(([at]) => at >= from && at < to && at !== harts);
  // The firmware has room for as many harts as a machine can have (board.h, BOARD_MAX_HARTS).
  const hartBytes = hartsBytes / MAX_HARTS;
  const [tree, treeBytes] = place('fdt_copy');
  const total = new DataView(Uint8Array.from(machine.readPhysical(tree + 4, 4)).buffer).getUint32(0);
  return {
    data: inside(dataStart, pristine),
    harts: Array.from({ length: machine.config.harts }, (_, hart) => [harts + hart * hartBytes, hartBytes] as const),
    pristine: [pristine, lengthOf('image')],
    handover: [[place('statics')[0], lengthOf('statics')], place('descriptor'), [tree, Math.min(total, treeBytes)]],
  };
}

/**
 * `firmware options.enhance`, `firmware stack of hart 1 +0x80`, `pristine image of lazarus schedule+0x10`; undefined
 * for what is no memory of ours.
 */
export function describeFirmware(machine: Machine, symbols: MachineSymbols, paddr: number): string | undefined {
  const { firmware, hypervisor } = symbols;
  if (firmware.place('pristine') === undefined || hypervisor?.loadAddress('image_start') === undefined)
    return undefined;
  const has = ([from, bytes]: MemoryRange) => paddr >= from && paddr < from + bytes;
  const { data, harts, pristine, handover } = firmwareMemory(machine, symbols);
  const variable = symbols.variableAt('M', BigInt(paddr)) ?? firmware.describe(BigInt(paddr));
  const original = ([from]: MemoryRange, start: string) =>
    symbols.describePhysical(Number(hypervisor.loadAddress(start)!) + paddr - from) ?? hex(paddr);
  if (has(pristine)) return `pristine image of ${original(pristine, 'image_start')}`;
  const [statics] = handover;
  if (has(statics!)) return `saved copy of ${original(statics!, 'statics_start')}`;
  const hart = harts.findIndex(has);
  // Padding behind the hart's fields is its stack.
  if (hart >= 0 && (variable === undefined || !variable.includes('.'))) {
    return `firmware stack of hart ${hart} +0x${(paddr - harts[hart]![0]).toString(16)}`;
  }
  return hart >= 0 || [...data, ...handover].some(has) ? `firmware ${variable ?? hex(paddr)}` : undefined;
}
