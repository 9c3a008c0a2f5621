/**
 * The first 24 bytes: magic, format version, feature flags, check. Their meaning is the same in every version of the
 * format, so that any reader can say what it was given. Does not look past them.
 */
import { TraceError } from './errors.ts';
import { xxh64 } from './hash.ts';

export const FORMAT_MAJOR = 1;
export const FORMAT_MINOR = 2;
export const PREAMBLE_BYTES = 24;

/** Required features: what a reader that does not know them would misread. Bit numbers are for ever. */
const FEATURE = { CUT: 1 << 0 } as const;
const KNOWN_FEATURES = FEATURE.CUT;

/** As PNG's: a non-ASCII byte, the name, CR LF and ^Z show transfers that garble binary files. */
const MAGIC = Uint8Array.of(0x89, 0x44, 0x4a, 0x56, 0x4d, 0x0d, 0x0a, 0x1a);

export interface Preamble {
  readonly major: number;
  readonly minor: number;
  /** The run does not begin where the machine was switched on, but with the first checkpoint. */
  readonly isCut: boolean;
  /** XXH64 of the bytes before it: where the chain of block checks starts. */
  readonly check: bigint;
}

/** Preamble of a file in format `major.minor`. */
export function encodePreamble(
  major = FORMAT_MAJOR,
  minor = FORMAT_MINOR,
  isCut = false,
): { bytes: Uint8Array; check: bigint } {
  const bytes = new Uint8Array(PREAMBLE_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(MAGIC);
  view.setUint16(8, major, true);
  view.setUint16(10, minor, true);
  view.setUint32(12, isCut ? FEATURE.CUT : 0, true);
  const check = xxh64(bytes.subarray(0, 16));
  view.setBigUint64(16, check, true);
  return { bytes, check };
}

/**
 * Reads the preamble from the file's first bytes (fewer than 24 when the file is shorter).
 * @throws TraceError `empty`, `not-a-trace`, `damaged`, or `newer` for another major version or a required feature.
 */
export function decodePreamble(path: string, bytes: Uint8Array): Preamble {
  if (bytes.length === 0) throw new TraceError('empty', path, 'the file is empty; record the run again');
  if (!isTracePrefix(bytes)) {
    throw new TraceError('not-a-trace', path, 'not a dejavm trace (wrong first bytes); give a .djvm file');
  }
  if (bytes.length < PREAMBLE_BYTES) {
    throw new TraceError(
      'damaged',
      path,
      `cut off after ${bytes.length} bytes, before its header; record the run again`,
    );
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, PREAMBLE_BYTES);
  const check = view.getBigUint64(16, true);
  if (xxh64(bytes.subarray(0, 16)) !== check) {
    throw new TraceError('damaged', path, 'checksum error in the first 24 bytes; use another copy of the file');
  }
  const major = view.getUint16(8, true);
  const minor = view.getUint16(10, true);
  const ours = `${FORMAT_MAJOR}.${FORMAT_MINOR}`;
  if (major !== FORMAT_MAJOR) {
    const advice = major > FORMAT_MAJOR ? 'use a newer dejavm' : 'use the dejavm that wrote it';
    throw new TraceError('newer', path, `trace format ${major}.${minor}, this dejavm reads ${ours}; ${advice}`);
  }
  const features = view.getUint32(12, true);
  if ((features & ~KNOWN_FEATURES) !== 0) {
    const flags = `0x${features.toString(16)}`;
    throw new TraceError(
      'newer',
      path,
      `trace format ${major}.${minor} with features ${flags} that this dejavm (format ${ours}) does not know; use a newer dejavm`,
    );
  }
  return { major, minor, isCut: (features & FEATURE.CUT) !== 0, check };
}

/** True when `bytes` begins as a trace does (a shorter file: as far as it goes). */
export function isTracePrefix(bytes: Uint8Array): boolean {
  for (let i = 0; i < Math.min(MAGIC.length, bytes.length); i++) if (bytes[i] !== MAGIC[i]) return false;
  return bytes.length > 0;
}
