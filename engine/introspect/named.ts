/**
 * Files with symbols that somebody names besides a machine's images: for software that was relocated, that other
 * software loads, or whose image is stripped. Relies on ELF sections.
 */
import { UserError } from '../base/index.ts';
import { type ElfSection, type Image, readElfKind, readSections, readSymbols } from '../machine/index.ts';
import { readDebugInfo } from './dwarf/index.ts';

export interface SymbolFile {
  readonly image: Image;
  /** Where its lowest address lies, of software that runs elsewhere than it is linked for. */
  readonly at?: bigint;
  /** The VM that runs it; undefined with `at`: the host does. */
  readonly vmid?: number;
}

/**
 * Makes sure that a file is one. `role` names it in messages, such as the flag that it came with.
 * @throws UserError when it is no 64-bit RISC-V executable, has nothing to tell, or does not say where it runs
 */
export function checkSymbolFile({ image, at }: SymbolFile, role: string): void {
  const kind = readElfKind(image, role);
  if (readSymbols(image.bytes).length === 0 && readDebugInfo(image.bytes) === undefined) {
    throw new UserError(
      `${role} image '${image.name}' is stripped: it has neither symbols nor debug information; take the file that ` +
        'the linker wrote',
    );
  }
  if (kind === 'anywhere' && at === undefined) {
    throw new UserError(`${role} image '${image.name}' is position-independent: say where it runs, as FILE@0x80200000`);
  }
}

const SHF_ALLOC = 2n;

/** Sections that the image has in memory. */
const loadedSections = (file: Uint8Array): ElfSection[] =>
  readSections(file).filter(({ flags, memBytes }) => (flags & SHF_ALLOC) !== 0n && memBytes > 0n);

/** The lowest address that an ELF file is linked for: of its sections, or else of its symbols; 0 when it has none. */
export function lowestAddress(file: Uint8Array): bigint {
  const sections = loadedSections(file);
  const symbols = readSymbols(file).filter(({ name, absolute }) => name !== '' && !absolute);
  const addresses = (sections.length > 0 ? sections : symbols).map(({ address }) => address);
  return addresses.reduce((low, address) => (address < low ? address : low), addresses[0] ?? 0n);
}

/**
 * Whether a file is of the same build as an image: the same sections in memory, with the same bytes as far as both
 * files have them. A debug file has none.
 */
export function isBuildOf(file: Uint8Array, image: Uint8Array): boolean {
  const [a, b] = [loadedSections(file), loadedSections(image)];
  if (a.length === 0 || a.length !== b.length) return false;
  return a.every((section, n) => {
    const other = b[n]!;
    if (section.address !== other.address || section.memBytes !== other.memBytes) return false;
    const [bytes, others] = [bytesOf(file, section), bytesOf(image, other)];
    return bytes.length === 0 || others.length === 0 || Buffer.compare(bytes, others) === 0;
  });
}

const bytesOf = (file: Uint8Array, { offset, bytes }: ElfSection): Uint8Array => file.subarray(offset, offset + bytes);
