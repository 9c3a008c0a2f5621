/*
 * The unmodified guest: one domain that brings its own kernel, paging and drivers, and knows nothing of Lazarus. It
 * sees a board of its own: RAM from GPA_RAM, a vCPU for each hart, SBI (vsbi.c), a 16550A UART (vuart.c), a devicetree
 * (vfdt.c). A second VM, a guest of our own, may run beside it: it has the last hart then, and that hart is not the
 * unmodified guest's.
 */
#ifndef UNMODIFIED_H
#define UNMODIFIED_H
#include "lazarus.h"

/** Where SBI's next stage lies on QEMU's `virt`, and Linux wants to: RAM's start + 2 MiB. Its devicetree lies below. */
#define GUEST_KERNEL_OFFSET 0x200000ul
#define GUEST_UART BOARD_UART
#define GUEST_UART_BYTES 0x100ul

/** Kinds of struct domain.unmodified. */
#define UNMODIFIED 1
#define UNMODIFIED_NO_HTINST 2

/* ---- build.c ---- */
#define APPVM_BYTES 0x100000ul
/** A VM of an ELF image of ours, with the boot arguments, not running yet. Gives up when RAM is too small. */
struct domain *guest_build(u32 vmid, u64 hart, const u8 *elf, u64 elf_bytes, u64 ram_bytes);
/** Everything of it is there: from here on it is a domain, also to a recovery. */
void guest_launch(struct domain *domain);

/* ---- vbuild.c ---- */
/** Builds the guest if that is what the initrd holds: 1; 0 when it is something else. */
int unmodified_build(const void *initrd, u64 bytes);

/* ---- vfdt.c ---- */
struct guest_board {
  u64 ram_bytes, vcpus;
  /** Guest-physical; both 0 without. */
  u64 initrd_start, initrd_end;
  const char *bootargs;
};
/** Writes the guest's devicetree to guest-physical `gpa`, at most `limit` bytes; 0 when it does not fit. */
int vfdt_write(const struct domain *domain, u64 gpa, u64 limit, const struct guest_board *board);

/* ---- vmmio.c ---- */
/**
 * Emulates the MMIO access that the VM exited with, or gives the guest the exception a board would; 0: not such a
 * guest.
 */
int unmodified_exit(struct vcpu *vcpu, u64 cause);
/** The effect of an exception that was decided on (call.injects) on the vCPU; may be repeated. */
void unmodified_inject(struct vcpu *vcpu);

/* ---- vuart.c ---- */
/** A register of the guest's UART; `offset` below GUEST_UART_BYTES. */
u8 vuart_read(struct vcpu *vcpu, u64 offset);
void vuart_write(struct vcpu *vcpu, u64 offset, u8 value);
#endif
