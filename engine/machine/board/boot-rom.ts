/**
 * The reset vector that QEMU virt puts at 0x1000: a0 = mhartid, a1 = device tree, a2 = struct fw_dynamic_info, jump to
 * the start of RAM. All harts run it.
 */
import { RAM_BASE } from './board.ts';

const VECTOR_BYTES = 40;
/** OpenSBI include/sbi/fw_dynamic.h. */
const FW_DYNAMIC_MAGIC = 0x4942534f;
const FW_DYNAMIC_VERSION = 2;
const FW_DYNAMIC_WORDS = 6;
const NEXT_MODE_S = 1;
const BOOT_HART = 0;

/**
 * Bytes at CONSTANTS.ROM_BASE. `nextAddress` is where the firmware is to go on in S-mode; 0 when there is no kernel.
 */
export function bootRom(fdtAddress: number, nextAddress: number): Uint8Array {
  const rom = new Uint8Array(VECTOR_BYTES + 8 * FW_DYNAMIC_WORDS);
  const view = new DataView(rom.buffer);
  const code = [
    0x00000297, // auipc t0, 0
    0x02828613, // addi  a2, t0, 40     fw_dynamic_info
    0xf1402573, // csrr  a0, mhartid
    0x0202b583, // ld    a1, 32(t0)     device tree
    0x0182b283, // ld    t0, 24(t0)     start of RAM
    0x00028067, // jr    t0
  ];
  for (const [n, word] of code.entries()) view.setUint32(4 * n, word, true);
  const write = (at: number, value: number) => view.setBigUint64(at, BigInt(value), true);
  write(24, RAM_BASE);
  write(32, fdtAddress);
  const info = [FW_DYNAMIC_MAGIC, FW_DYNAMIC_VERSION, nextAddress, NEXT_MODE_S, 0, BOOT_HART];
  for (const [n, value] of info.entries()) write(VECTOR_BYTES + 8 * n, value);
  return rom;
}
