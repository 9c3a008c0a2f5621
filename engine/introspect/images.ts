/**
 * Reads the symbols of a machine's images, and finds their debug information: in the image itself, or in the file that
 * belongs to this very build of an embedded one.
 * Relies on the ELF reader: an image that is no ELF file, or is stripped, has an empty table. Does not look into an
 * initrd that is an archive, other than a bundle of guests.
 */

import { visible } from '../base/index.ts';
import {
  type ElfSymbol,
  type Image,
  type Machine,
  type MachineConfig,
  readMoved,
  readSymbols,
} from '../machine/index.ts';
import { debugFileOf } from '../subject/index.ts';
import { readDebugInfo } from './dwarf/index.ts';
import { createGuestFinder } from './guests.ts';
import { isBuildOf, lowestAddress, type SymbolFile } from './named.ts';
import { joinSymbols, type MachineSymbols, type NamedTable } from './places.ts';
import { createSymbolTable, type SymbolTable } from './symbols.ts';

export interface SymbolOptions {
  /** Files that somebody named besides the images. */
  readonly files?: readonly SymbolFile[];
  /** The machine as it stands whenever something is asked: tells which VM runs which image of a bundle. */
  readonly machine?: Machine;
  /** Called with a line, `lazarus: .debug_line is cut off …`, when debug information turns out to be damaged. */
  readonly onProblem?: (line: string) => void;
}

/**
 * The symbols of firmware, hypervisor and guest, and of the files that are named besides. One that is the same build as
 * an image speaks for the image; any other for where it lies, or else for what no image knows.
 */
export function readMachineSymbols(
  config: Pick<MachineConfig, 'bios' | 'kernel' | 'initrd'>,
  { files = [], machine, onProblem }: SymbolOptions = {},
): MachineSymbols {
  const images = [config.bios, config.kernel, config.initrd];
  const imageOf = (file: SymbolFile): Image | undefined =>
    file.at === undefined && file.vmid === undefined
      ? images.find((image) => image && isBuildOf(file.image.bytes, image.bytes))
      : undefined;
  const tableOf = (image: Image | undefined): SymbolTable | undefined =>
    image && readTable(image, files.find((file) => imageOf(file) === image)?.image, onProblem);
  const named = files.filter((file) => imageOf(file) === undefined).map((file) => namedTable(file, onProblem));
  const [firmware, hypervisor, guest] = images.map(tableOf);
  const guestOf =
    machine && config.initrd
      ? createGuestFinder(config.initrd.bytes, machine, hypervisor, (image) => readTable(image, undefined, onProblem))
      : undefined;
  return joinSymbols(firmware ?? NO_SYMBOLS, hypervisor, guest, named, guestOf);
}

const NO_SYMBOLS: SymbolTable = createSymbolTable('', []);

type OnProblem = SymbolOptions['onProblem'];

/** `from`: another file of the same build, with the symbols that the image may have lost. */
function readTable({ name, bytes }: Image, from: Image | undefined, onProblem: OnProblem): SymbolTable {
  const label = imageLabel(name);
  return createSymbolTable(label, symbolsIn([() => from?.bytes, () => bytes, () => debugFileOf(bytes)]), {
    moved: readMoved(bytes),
    debug: () => debugIn(label, [from?.bytes, bytes], onProblem) ?? debugIn(label, [debugFileOf(bytes)], onProblem),
  });
}

/** The symbols of the first of some files that has any. */
function symbolsIn(files: readonly (() => Uint8Array | undefined)[]): ElfSymbol[] {
  for (const read of files) {
    const file = read();
    const symbols = file ? readSymbols(file) : [];
    if (symbols.length > 0) return symbols;
  }
  return [];
}

/** The debug information of the first of some files that has any. */
function debugIn(label: string, files: readonly (Uint8Array | undefined)[], onProblem: OnProblem) {
  const tell = (why: string) => onProblem?.(visible(`${label}: ${why}`));
  for (const file of files) {
    const debug = file && readDebugInfo(file, tell);
    if (debug) return debug;
  }
  return undefined;
}

function namedTable({ image, at, vmid }: SymbolFile, onProblem: OnProblem): NamedTable {
  const label = imageLabel(image.name);
  const shift = at === undefined ? 0n : at - lowestAddress(image.bytes);
  const table = createSymbolTable(label, readSymbols(image.bytes), {
    ...(at === undefined ? { moved: readMoved(image.bytes) } : { shift }),
    debug: () => debugIn(label, [image.bytes], onProblem),
  });
  const isPlaced = at !== undefined || vmid !== undefined;
  const side = vmid !== undefined ? 'guest' : isPlaced ? 'host' : 'any';
  return { table, side, isPlaced, ...(vmid !== undefined && { vmid }) };
}

/** `/a/b/lazarus.elf` → `lazarus`. */
const imageLabel = (name: string): string => name.replace(/^.*[/\\]/, '').replace(/\.(elf|bin|img|debug)$/i, '');
