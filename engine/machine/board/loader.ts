/**
 * Decides where everything lies in memory at reset, as QEMU virt does: firmware at the start of RAM, kernel behind it
 * (in its place when there is none), initrd half-way (at most 128 MiB further), device tree near the top. Gives data;
 * the machine writes it.
 * @see QEMU hw/riscv/boot.c
 */

import { UserError } from '../../base/index.ts';
import { CONSTANTS } from '../../core/index.ts';
import { checkConfig } from '../config.ts';
import type { Image, MachineConfig } from '../types.ts';
import { RAM_BASE } from './board.ts';
import { bootRom } from './boot-rom.ts';
import { boardDeviceTree, completeTree } from './device-tree.ts';
import { type Elf, type ElfSegment, isElf, readElf, type Segment } from './elf.ts';
import { readFdt } from './fdt-read.ts';
import { readLinuxImage } from './kernel-image.ts';

const MIB = 1024 * 1024;
/** Kernels, and the device tree, are aligned to this. */
const PLACE_ALIGN = 2 * MIB;
const INITRD_MAX_OFFSET = 128 * MIB;
/** The device tree must be addressable by 32-bit software. */
const FDT_LIMIT = 3 * 1024 * MIB;

export interface BootImage {
  readonly segments: readonly Segment[];
  readonly rom: Uint8Array;
}

/** Whether a machine can be made so, without making it. @throws UserError as `createMachine` */
export function checkMachine(config: MachineConfig): void {
  checkConfig(config);
  loadBoot(config);
}

/** The memory at reset. @throws UserError when an image is unusable or does not fit into RAM. */
export function loadBoot(config: MachineConfig): BootImage {
  const { parts, rom } = placeParts(config);
  return { segments: parts.flatMap((part) => part.segments), rom };
}

/**
 * What is loaded at a physical address at reset, for people: `bios image 'x.elf'`, `device tree`; undefined: nothing.
 * Bytes behind a segment's content, which are zeros, belong to it. @throws UserError as `loadBoot`
 */
export function loadedAt(config: MachineConfig, paddr: number): string | undefined {
  const isIn = (its: Segment) => paddr >= its.paddr && paddr < its.paddr + its.memBytes;
  return placeParts(config).parts.find(({ segments }) => segments.some(isIn))?.label;
}

function placeParts(config: MachineConfig): { readonly parts: readonly Part[]; readonly rom: Uint8Array } {
  const ramEnd = RAM_BASE + config.ramBytes;
  const bios = config.bios && placeBios(config.bios);
  const kernel = config.kernel && placeKernel(config.kernel, bios && alignUp(endOf(bios.segments)));
  const first = bios ?? kernel;
  if (!first) throw new UserError('neither firmware nor a kernel: nothing to run (-bios, -kernel)');
  if (!first.segments.some(({ paddr, memBytes }) => paddr <= RAM_BASE && paddr + memBytes > RAM_BASE)) {
    throw new UserError(`${first.label} has nothing at ${hex(RAM_BASE)}, where harts start: link it to run there`);
  }
  const initrdAt = (kernel?.entry ?? RAM_BASE) + Math.min(config.ramBytes / 2, INITRD_MAX_OFFSET);
  const initrd = config.initrd && raw(config.initrd, 'initrd', initrdAt);
  const tree = deviceTree(config, initrd && { start: initrdAt, end: endOf(initrd.segments) });
  const treeAt = placeTree(config.ramBytes, tree.length);
  const parts: Part[] = [bios, kernel, initrd].filter((part) => part !== undefined);
  parts.push({ label: 'device tree', entry: treeAt, segments: [segment(treeAt, tree)] });
  checkFit(parts, ramEnd);
  return { parts, rom: bootRom(treeAt, kernel?.entry ?? 0) };
}

/** The board's own tree, or the user's, completed. */
function deviceTree(config: MachineConfig, initrd: { start: number; end: number } | undefined): Uint8Array {
  const its = { bootArgs: config.append, ...(initrd && { initrd }) };
  if (!config.dtb) {
    return boardDeviceTree({ harts: config.harts, ramBytes: config.ramBytes, seed: config.seed ?? 0n, ...its });
  }
  const tree = readFdt(config.dtb.bytes);
  if (tree) return completeTree(tree, its);
  throw new UserError(`'${config.dtb.name}' is not a device tree, or damaged: give one compiled with dtc (-dtb)`);
}

function placeTree(ramBytes: number, treeBytes: number): number {
  // Machines that QEMU could not boot, because firmware and tree would meet, still get a tree.
  const align = ramBytes < 2 * PLACE_ALIGN ? CONSTANTS.PAGE_BYTES : PLACE_ALIGN;
  return alignDown(Math.min(RAM_BASE + ramBytes, FDT_LIMIT) - treeBytes, align);
}

/** One image, placed. */
interface Part {
  readonly label: string;
  readonly entry: number;
  readonly segments: readonly Segment[];
}

/**
 * Firmware: an ELF file goes where it says, machine code to the start of RAM. Harts start there, whatever its entry.
 */
function placeBios(image: Image): Part {
  if (image.bytes.length === 0) throw empty(image, 'bios');
  if (!isElf(image.bytes)) {
    refuseText(image, 'bios');
    return raw(image, 'bios', RAM_BASE);
  }
  const segments = inRam(readElf(image, 'bios'));
  return { label: label(image, 'bios'), entry: RAM_BASE, segments };
}

/**
 * The segments to be loaded. QEMU drops whatever lies outside RAM; what is missed then fails somewhere later. Here only
 * the file's own headers and notes may lie below RAM, where linkers without a script put them; checkFit refuses the
 * rest.
 */
function inRam({ segments }: Elf): readonly ElfSegment[] {
  const loaded = segments.flatMap((its) => {
    const below = Math.min(Math.max(0, RAM_BASE - its.paddr), its.memBytes);
    if (below > its.idleBytes) return [its];
    if (below === its.memBytes) return [];
    return [{ ...its, paddr: its.paddr + below, bytes: its.bytes.subarray(below), memBytes: its.memBytes - below }];
  });
  return loaded.length > 0 ? loaded : segments;
}

/**
 * Where the firmware is to go on: at the lowest address, as on QEMU, so that an image may have an entry point for other
 * loaders. Where that is no code (constants, or the file's header) QEMU runs into it, and here the entry point counts.
 */
function entryOf(elf: Elf, segments: readonly ElfSegment[], name: string): number {
  const lowest = segments.reduce((low, its) => (its.paddr < low.paddr ? its : low));
  // What lies below RAM is refused later, for that.
  if (lowest.paddr < RAM_BASE || (lowest.executable && !isElf(lowest.bytes))) return lowest.paddr;
  if (elf.entry !== undefined) return elf.entry;
  throw new UserError(`${name} begins with no code, and its entry point lies in none of its segments: link it again`);
}

/**
 * An ELF file goes where it says, a Linux Image where its header says, a flat binary behind the firmware. `behind` is
 * undefined when there is no firmware: then all but ELF files go to the start of RAM.
 */
function placeKernel(image: Image, behind: number | undefined): Part {
  if (isElf(image.bytes)) {
    const elf = readElf(image, 'kernel');
    const segments = inRam(elf);
    const name = label(image, 'kernel');
    return { label: name, entry: entryOf(elf, segments, name), segments };
  }
  if (image.bytes.length === 0) throw empty(image, 'kernel');
  refuseText(image, 'kernel');
  const linux = readLinuxImage(image);
  if (behind === undefined || !linux) return raw(image, 'kernel', behind ?? RAM_BASE);
  const address = Math.max(behind, RAM_BASE + linux.textOffset);
  return {
    label: label(image, 'kernel'),
    entry: address,
    segments: [{ paddr: address, bytes: image.bytes, memBytes: linux.memBytes }],
  };
}

/** Machine code is never all printable; a script or a page of text given by mistake is. */
function refuseText(image: Image, role: string): void {
  if (!image.bytes.subarray(0, 64).every(isPrintable)) return;
  throw new UserError(`${label(image, role)} is text: expected a RISC-V ELF executable or a flat binary`);
}

const isPrintable = (byte: number) => (byte >= 0x20 && byte < 0x7f) || (byte >= 0x09 && byte <= 0x0d);

function raw(image: Image, role: string, address: number): Part {
  if (image.bytes.length === 0) throw empty(image, role);
  return { label: label(image, role), entry: address, segments: [segment(address, image.bytes)] };
}

/** Everything must lie in RAM, and nothing over anything else. */
function checkFit(parts: readonly Part[], ramEnd: number): void {
  const placed = parts.flatMap((part) => part.segments.map((its) => ({ label: part.label, ...its })));
  for (const { label: name, paddr, memBytes } of placed) {
    if (paddr < RAM_BASE) {
      throw new UserError(
        `${name} loads at ${hex(paddr)}, below RAM, which starts at ${hex(RAM_BASE)}: link it higher`,
      );
    }
    if (paddr + memBytes > ramEnd) {
      const need = Math.ceil((paddr + memBytes - RAM_BASE) / MIB);
      const have = (ramEnd - RAM_BASE) / MIB;
      throw new UserError(
        `${name} ends at ${hex(paddr + memBytes)}: it needs ${need} MiB of RAM, there are ${have} (-m)`,
      );
    }
  }
  placed.sort((a, b) => a.paddr - b.paddr);
  for (let n = 1; n < placed.length; n++) {
    const low = placed[n - 1]!;
    const high = placed[n]!;
    if (low.paddr + low.memBytes > high.paddr) {
      throw new UserError(
        `${high.label} at ${hex(high.paddr)} would overwrite ${low.label}, which ends at ` +
          `${hex(low.paddr + low.memBytes)}: give the machine more RAM (-m) or link it elsewhere`,
      );
    }
  }
}

const empty = (image: Image, role: string) =>
  new UserError(`${label(image, role)} is empty: expected ${role === 'initrd' ? 'content' : 'a RISC-V executable'}`);
const label = (image: Image, role: string) => `${role} image '${image.name}'`;
const segment = (paddr: number, bytes: Uint8Array): Segment => ({ paddr, bytes, memBytes: bytes.length });
const endOf = (segments: readonly Segment[]) => Math.max(...segments.map((its) => its.paddr + its.memBytes));
const alignUp = (address: number) => Math.ceil(address / PLACE_ALIGN) * PLACE_ALIGN;
const alignDown = (address: number, align: number) => Math.floor(address / align) * align;
const hex = (address: number) => `0x${address.toString(16)}`;
