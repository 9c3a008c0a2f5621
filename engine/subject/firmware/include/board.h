/*
 * The board that this software runs on: QEMU's `virt` (its hw/riscv/virt.c), the parts in use.
 */
#ifndef BOARD_H
#define BOARD_H

#include "types.h"

#define BOARD_MAX_HARTS 8
#define BOARD_RAM_BASE 0x80000000ul
#define BOARD_FINISHER 0x100000ul
#define BOARD_ACLINT 0x2000000ul
#define BOARD_ACLINT_BYTES 0x10000ul
#define BOARD_PLIC 0xc000000ul
#define BOARD_UART 0x10000000ul
#define BOARD_UART_IRQ 10
/** mtime and the time CSR count at 10 MHz. */
#define BOARD_TIME_PER_US 10

/*
 * The firmware's memory: closed to HS, its upper part readable. Lazarus starts right behind it. Below any other next
 * stage only the core is the firmware's: code, data and stacks.
 */
#define FIRMWARE_BASE 0x80000000ul
#define FIRMWARE_CORE_BYTES 0x40000ul
#define FIRMWARE_BYTES 0x200000ul
#define HANDOVER_BASE 0x80180000ul
#define HANDOVER_BYTES 0x80000ul

static inline u8 mmio_read8(u64 address) { return *(volatile u8 *)address; }
static inline void mmio_write8(u64 address, u8 value) { *(volatile u8 *)address = value; }
static inline u32 mmio_read32(u64 address) { return *(volatile u32 *)address; }
static inline void mmio_write32(u64 address, u32 value) { *(volatile u32 *)address = value; }
static inline u64 mmio_read64(u64 address) { return *(volatile u64 *)address; }
static inline void mmio_write64(u64 address, u64 value) { *(volatile u64 *)address = value; }

/** Tells the observer something (codes: notes.h). Goes to the finisher, which QEMU leaves without effect. */
static inline void note(u32 code, u64 arg) {
  u64 saturated = arg > 0xffff ? 0xffff : arg;
  mmio_write32(BOARD_FINISHER, (u32)(saturated << 16) | code);
}

#endif
