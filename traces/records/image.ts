/** Image records: 32 bytes of SHA-256, then the content. The record spans as many blocks as it needs. */
import { sha256 } from '../hash.ts';
import { expectFormat } from '../malformed.ts';

export function encodeImage(bytes: Uint8Array): Uint8Array {
  const record = new Uint8Array(32 + bytes.length);
  record.set(Buffer.from(sha256(bytes), 'hex'));
  record.set(bytes, 32);
  return record;
}

/**
 * Content of the record that must hold the image with this SHA-256 (hexadecimal).
 * @throws Malformed when it announces another image, or its content is not what it announces
 */
export function decodeImage(record: Uint8Array, expected: string): Uint8Array {
  expectFormat(record.length >= 32, 'the SHA-256 of an image');
  const announced = Buffer.from(record.subarray(0, 32)).toString('hex');
  expectFormat(announced === expected, `image ${expected}, found ${announced}`);
  const bytes = record.slice(32);
  expectFormat(sha256(bytes) === expected, `an image with SHA-256 ${expected}`);
  return bytes;
}
