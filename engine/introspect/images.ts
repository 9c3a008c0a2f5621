/**
 * Reads the symbols of a machine's images.
 * Relies on the ELF reader: an image that is no ELF file, or is stripped, has an empty table. Does not look into an
 * initrd that is an archive.
 */

import { type Image, type MachineConfig, readMoved, readSymbols } from '../machine/index.ts';
import { joinSymbols, type MachineSymbols } from './places.ts';
import { createSymbolTable, type SymbolTable } from './symbols.ts';

/** The symbols of firmware, hypervisor and guest. */
export function readMachineSymbols(config: Pick<MachineConfig, 'bios' | 'kernel' | 'initrd'>): MachineSymbols {
  const { bios, kernel, initrd } = config;
  return joinSymbols(bios ? tableOf(bios) : NO_SYMBOLS, kernel && tableOf(kernel), initrd && tableOf(initrd));
}

const NO_SYMBOLS: SymbolTable = createSymbolTable('', []);

const tableOf = ({ name, bytes }: Image): SymbolTable =>
  createSymbolTable(imageLabel(name), readSymbols(bytes), readMoved(bytes));

/** `/a/b/lazarus.elf` → `lazarus`. */
const imageLabel = (name: string): string => name.replace(/^.*[/\\]/, '').replace(/\.(elf|bin|img)$/i, '');
