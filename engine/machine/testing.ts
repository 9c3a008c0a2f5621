/**
 * Small ELF executables and programs for the engine's own tests. The ELF writer writes only what the loader reads.
 */
import { assemble } from '../isa/index.ts';
import type { Image, MachineConfig } from './types.ts';

export interface TestSegment {
  readonly paddr: number;
  readonly bytes: Uint8Array;
  readonly memBytes?: number;
  /** Where it is linked to run; at `paddr` unless given. */
  readonly vaddr?: bigint;
  /** PT_LOAD unless given. */
  readonly type?: number;
  /** Read, write and execute unless given. */
  readonly flags?: number;
  /** File offset of `bytes`; behind what is in front of it unless given. */
  readonly at?: number;
  /**
   * So many bytes of the file in front of `bytes`, the headers as a rule, belong to the segment and lie below `paddr`.
   */
  readonly headBytes?: number;
}

export interface TestElf {
  readonly entry?: number | bigint;
  readonly machine?: number;
  readonly type?: number;
  readonly elfClass?: number;
  readonly segments?: readonly TestSegment[];
  readonly symbols?: readonly { readonly name: string; readonly value: bigint; readonly absolute?: boolean }[];
}

/** An executable with the given segments and symbols. */
export function testElf(elf: TestElf): Uint8Array {
  const segments = elf.segments ?? [];
  const names = ['', ...(elf.symbols ?? []).map((symbol) => symbol.name)];
  const strings = new TextEncoder().encode(`${names.join('\0')}\0`);
  const symbolCount = (elf.symbols?.length ?? 0) + 1;
  const headersEnd = 64 + 56 * segments.length;
  let end = headersEnd;
  const placed = segments.map((segment) => {
    const at = segment.at ?? end;
    end = Math.max(end, at + segment.bytes.length);
    return { ...segment, at };
  });
  const symbolsAt = end;
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
  for (const [n, segment] of placed.entries()) {
    const { bytes, headBytes = 0, paddr } = segment;
    const header = 64 + 56 * n;
    view.setUint32(header, segment.type ?? 1, true);
    view.setUint32(header + 4, segment.flags ?? 7, true);
    u64(header + 8, segment.at - headBytes);
    u64(header + 16, (segment.vaddr ?? BigInt(paddr)) - BigInt(headBytes));
    u64(header + 24, paddr - headBytes);
    u64(header + 32, bytes.length + headBytes);
    u64(header + 40, (segment.memBytes ?? bytes.length) + headBytes);
    file.set(bytes, segment.at);
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

/** An assembled program for M-mode at the start of RAM, as a bios image. */
export const program = (source: string): Image => ({
  name: 'program.elf',
  bytes: testElf({ segments: [{ paddr: 0x80000000, bytes: assemble(source, 0x80000000).bytes }] }),
});

/** A small machine: 2 MiB, turns of 100 ticks, 1 hart unless said otherwise. */
export const smallConfig = (source: string, change: Partial<MachineConfig> = {}): MachineConfig => ({
  harts: 1,
  ramBytes: 2 * 1024 * 1024,
  quantum: { policy: 'fixed', ticks: 100, seed: 0n },
  bios: program(source),
  append: '',
  ...change,
});

/**
 * Every hart counts in memory, takes timer interrupts that count too, and echoes what it receives; hart 0 also prints.
 * Never ends: bound it by moments.
 */
export const BUSY = `
    .equ UART, 0x10000000
    .equ CLINT, 0x2000000
    csrr s0, mhartid
    la t0, handler
    csrw mtvec, t0
    slli s1, s0, 12
    la s2, data
    add s2, s2, s1
    li s4, CLINT
    slli t0, s0, 3
    add s4, s4, t0
    li t1, 0x4000
    add s4, s4, t1
    li t0, 5
    sd t0, 0(s4)
    li t0, 128
    csrw mie, t0
    csrsi mstatus, 8
    li s3, UART
  loop:
    ld t0, 0(s2)
    addi t0, t0, 1
    sd t0, 0(s2)
    andi t1, t0, 63
    slli t1, t1, 3
    add t1, t1, s2
    xor t2, t0, t1
    sd t2, 64(t1)
    lbu t1, 5(s3)
    andi t1, t1, 1
    beqz t1, quiet
    lbu t1, 0(s3)
    sb t1, 0(s3)
  quiet:
    andi t1, t0, 127
    or t1, t1, s0
    bnez t1, loop
    li t1, 46
    sb t1, 0(s3)
    j loop
    .balign 4
  handler:
    csrw mscratch, t0
    ld t0, 8(s2)
    addi t0, t0, 1
    sd t0, 8(s2)
    ld t0, 0(s4)
    addi t0, t0, 7
    sd t0, 0(s4)
    csrr t0, mscratch
    mret
    .balign 4096
  data:
    .zero 8
`;
