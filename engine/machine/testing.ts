/**
 * Builds small ELF executables for the engine's own tests. Writes only what the loader reads.
 */
import type { Image } from './types.ts';

export interface TestElf {
  readonly entry?: number;
  readonly machine?: number;
  readonly type?: number;
  readonly elfClass?: number;
  readonly segments?: readonly { readonly paddr: number; readonly bytes: Uint8Array; readonly memBytes?: number }[];
  readonly symbols?: readonly { readonly name: string; readonly value: bigint; readonly absolute?: boolean }[];
}

/** An executable with the given segments and symbols. */
export function testElf(elf: TestElf): Uint8Array {
  const segments = elf.segments ?? [];
  const names = ['', ...(elf.symbols ?? []).map((symbol) => symbol.name)];
  const strings = new TextEncoder().encode(`${names.join('\0')}\0`);
  const symbolCount = (elf.symbols?.length ?? 0) + 1;
  const headersEnd = 64 + 56 * segments.length;
  const dataBytes = segments.reduce((sum, segment) => sum + segment.bytes.length, 0);
  const symbolsAt = headersEnd + dataBytes;
  const stringsAt = symbolsAt + 24 * symbolCount;
  const sectionsAt = stringsAt + strings.length;
  const file = new Uint8Array(sectionsAt + 3 * 64);
  const view = new DataView(file.buffer);
  const u64 = (at: number, value: number | bigint) => view.setBigUint64(at, BigInt(value), true);
  file.set([0x7f, 0x45, 0x4c, 0x46, elf.elfClass ?? 2, 1, 1]);
  view.setUint16(16, elf.type ?? 2, true);
  view.setUint16(18, elf.machine ?? 243, true);
  u64(24, elf.entry ?? 0x80000000);
  u64(32, 64);
  u64(40, sectionsAt);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  view.setUint16(58, 64, true);
  view.setUint16(60, 3, true);
  let data = headersEnd;
  for (const [n, segment] of segments.entries()) {
    const at = 64 + 56 * n;
    view.setUint32(at, 1, true);
    u64(at + 8, data);
    u64(at + 16, segment.paddr);
    u64(at + 24, segment.paddr);
    u64(at + 32, segment.bytes.length);
    u64(at + 40, segment.memBytes ?? segment.bytes.length);
    file.set(segment.bytes, data);
    data += segment.bytes.length;
  }
  let name = 1;
  for (const [n, symbol] of (elf.symbols ?? []).entries()) {
    const at = symbolsAt + 24 * (n + 1);
    view.setUint32(at, name, true);
    view.setUint8(at + 4, 0x12);
    view.setUint16(at + 6, symbol.absolute ? 0xfff1 : 1, true);
    u64(at + 8, symbol.value);
    u64(at + 16, 4);
    name += symbol.name.length + 1;
  }
  file.set(strings, stringsAt);
  const section = (n: number, type: number, offset: number, bytes: number, link: number) => {
    view.setUint32(sectionsAt + 64 * n + 4, type, true);
    u64(sectionsAt + 64 * n + 24, offset);
    u64(sectionsAt + 64 * n + 32, bytes);
    view.setUint32(sectionsAt + 64 * n + 40, link, true);
  };
  section(1, 2, symbolsAt, 24 * symbolCount, 2);
  section(2, 3, stringsAt, strings.length, 0);
  return file;
}

/** Machine code at the start of RAM as an image. */
export const codeImage = (words: readonly number[], name = 'test.elf'): Image => ({
  name,
  bytes: testElf({ segments: [{ paddr: 0x80000000, bytes: new Uint8Array(Uint32Array.from(words).buffer) }] }),
});
