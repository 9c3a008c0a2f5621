/**
 * The smallest ELF executable that the loader takes, for tests that bring their own machine code.
 * Relies on nothing; writes one segment and no symbols.
 */

const HEADER_BYTES = 64 + 56;

/** An RV64 executable with one segment at `address`, where it starts. */
export function executable(address: number, code: Uint8Array): Uint8Array {
  const file = new Uint8Array(HEADER_BYTES + code.length);
  const view = new DataView(file.buffer);
  const u64 = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  // Magic, 64-bit, little-endian, version 1; executable (2) for RISC-V (243).
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true);
  view.setUint16(18, 243, true);
  view.setUint32(20, 1, true);
  u64(24, address);
  u64(32, 64);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  // PT_LOAD, readable, writable, executable.
  view.setUint32(64, 1, true);
  view.setUint32(68, 7, true);
  u64(72, HEADER_BYTES);
  u64(80, address);
  u64(88, address);
  u64(96, code.length);
  u64(104, code.length);
  u64(112, 4096);
  file.set(code, HEADER_BYTES);
  return file;
}
