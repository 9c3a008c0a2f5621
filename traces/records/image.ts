/** Image records: 32 bytes of SHA-256, then the content. The record spans as many blocks as it needs. */
import { createHash } from 'node:crypto';
import { sha256 } from '../hash.ts';
import { expectFormat } from '../malformed.ts';

const NAME_BYTES = 32;
/** Bytes of a record. An image comes from a file that was read whole: at most 2 GiB. */
export const MIN_IMAGE_BYTES = NAME_BYTES;
export const MAX_IMAGE_BYTES: number = NAME_BYTES + 2 ** 31;

/** Bytes of the content of an image whose record has so many. */
export const imageBytes = (recordBytes: number): number => recordBytes - NAME_BYTES;

export function encodeImage(bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(NAME_BYTES + bytes.length);
  record.set(Buffer.from(sha256(bytes), 'hex'));
  record.set(bytes, NAME_BYTES);
  return record;
}

/**
 * The content of an image, a piece at a time; its pieces are good when the last has come.
 * @param pieces the record's
 * @param expected SHA-256 (hexadecimal) of the image that the record must hold
 * @throws Malformed when it announces another image, or its content is not what it announces
 */
export function* imagePieces(pieces: Iterable<Uint8Array>, expected: string): Generator<Uint8Array> {
  const hash = createHash('sha256');
  let isFirst = true;
  for (const piece of pieces) {
    // A record's first block has 1 MiB, or is the whole record.
    if (isFirst) expectName(piece, expected);
    const content = isFirst ? piece.subarray(NAME_BYTES) : piece;
    isFirst = false;
    hash.update(content);
    yield content;
  }
  expectFormat(hash.digest('hex') === expected, `an image with SHA-256 ${expected}`);
}

function expectName(piece: Uint8Array, expected: string): void {
  expectFormat(piece.length >= NAME_BYTES, 'the SHA-256 of an image');
  const announced = Buffer.from(piece.subarray(0, NAME_BYTES)).toString('hex');
  expectFormat(announced === expected, `image ${expected}, found ${announced}`);
}
