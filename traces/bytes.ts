/**
 * Plain Uint8Arrays out of what Node hands over as Buffers, whose `slice` shares memory instead of copying it.
 */

/** The same bytes (not copied) as a plain Uint8Array. */
export const asUint8Array = (bytes: Uint8Array): Uint8Array =>
  new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Copies the pieces into one. */
export function concat(pieces: readonly Uint8Array[]): Uint8Array {
  return asUint8Array(Buffer.concat(pieces));
}
