/**
 * Reads the symbols of a machine's images, and finds their debug information: in the image itself, or in the file that
 * belongs to this very build of an embedded one.
 * Relies on the ELF reader: an image that is no ELF file, or is stripped, has an empty table. Does not look into an
 * initrd that is an archive.
 */

import { type Image, type MachineConfig, readMoved, readSymbols } from '../machine/index.ts';
import { debugFileOf } from '../subject/index.ts';
import { readDebugInfo } from './dwarf/index.ts';
import { joinSymbols, type MachineSymbols } from './places.ts';
import { createSymbolTable, type SymbolTable } from './symbols.ts';

/** The symbols of firmware, hypervisor and guest. */
export function readMachineSymbols(config: Pick<MachineConfig, 'bios' | 'kernel' | 'initrd'>): MachineSymbols {
  const { bios, kernel, initrd } = config;
  return joinSymbols(bios ? tableOf(bios) : NO_SYMBOLS, kernel && tableOf(kernel), initrd && tableOf(initrd));
}

const NO_SYMBOLS: SymbolTable = createSymbolTable('', []);

function tableOf({ name, bytes }: Image): SymbolTable {
  return createSymbolTable(imageLabel(name), readSymbols(bytes), {
    moved: readMoved(bytes),
    debug: () => readDebugInfo(bytes) ?? debugOf(bytes),
  });
}

function debugOf(bytes: Uint8Array) {
  const file = debugFileOf(bytes);
  return file && readDebugInfo(file);
}

/** `/a/b/lazarus.elf` → `lazarus`. */
const imageLabel = (name: string): string => name.replace(/^.*[/\\]/, '').replace(/\.(elf|bin|img)$/i, '');
