/** The smallest ELF executable that both machines load as firmware: load segments, no sections. */

const HEADER_BYTES = 64;
const PROGRAM_HEADER_BYTES = 56;

/** An RV64 executable that starts at its first part. */
export function executable(parts: readonly { readonly at: number; readonly bytes: Uint8Array }[]): Uint8Array {
  const headersEnd = HEADER_BYTES + PROGRAM_HEADER_BYTES * parts.length;
  const file = new Uint8Array(headersEnd + parts.reduce((sum, part) => sum + part.bytes.length, 0));
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BigInt(parts[0]?.at ?? 0), true);
  view.setBigUint64(32, BigInt(HEADER_BYTES), true);
  view.setUint16(52, HEADER_BYTES, true);
  view.setUint16(54, PROGRAM_HEADER_BYTES, true);
  view.setUint16(56, parts.length, true);
  view.setUint16(58, 64, true);
  let data = headersEnd;
  for (const [n, { at, bytes }] of parts.entries()) {
    const header = HEADER_BYTES + PROGRAM_HEADER_BYTES * n;
    view.setUint32(header, 1, true);
    view.setUint32(header + 4, 7, true);
    view.setBigUint64(header + 8, BigInt(data), true);
    view.setBigUint64(header + 16, BigInt(at), true);
    view.setBigUint64(header + 24, BigInt(at), true);
    view.setBigUint64(header + 32, BigInt(bytes.length), true);
    view.setBigUint64(header + 40, BigInt(bytes.length), true);
    view.setBigUint64(header + 48, 8n, true);
    file.set(bytes, data);
    data += bytes.length;
  }
  return file;
}
