/**
 * Reads the symbols of a machine's images.
 * Relies on the ELF reader; an image that is no ELF file has an empty table. Does not look into the initrd further
 * than that: an archive there has no symbols.
 */
import { readSymbols } from '../machine/elf.ts';
import type { Image, MachineConfig } from '../machine/types.ts';
import { joinSymbols, type MachineSymbols } from './places.ts';
import { createSymbolTable, type SymbolTable } from './symbols.ts';

/** The symbols of firmware, hypervisor and guest. @throws UserError when an image is a damaged ELF file. */
export function readMachineSymbols(config: Pick<MachineConfig, 'bios' | 'kernel' | 'initrd'>): MachineSymbols {
  const { bios, kernel, initrd } = config;
  return joinSymbols(tableOf(bios), kernel && tableOf(kernel), initrd && tableOf(initrd));
}

const ELF_MAGIC = [0x7f, 0x45, 0x4c, 0x46];

function tableOf(image: Image): SymbolTable {
  const isElf = image.bytes.length >= 4 && ELF_MAGIC.every((byte, at) => image.bytes[at] === byte);
  return createSymbolTable(imageLabel(image.name), isElf ? readSymbols(image.bytes) : []);
}

/** `/a/b/lazarus.elf` → `lazarus`. */
const imageLabel = (name: string): string => name.replace(/^.*[/\\]/, '').replace(/\.(elf|bin|img)$/i, '');
