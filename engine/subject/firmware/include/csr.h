/*
 * CSR numbers and fields as the RISC-V privileged manual names them (Volume II, 20211203 and H 1.0, Sstc 1.0), and
 * accessors. Numbers instead of names, so that the compiler's -march need not know H or Sstc.
 */
#ifndef CSR_H
#define CSR_H

#define SSTATUS 0x100
#define SIE 0x104
#define STVEC 0x105
#define SCOUNTEREN 0x106
#define SSCRATCH 0x140
#define SEPC 0x141
#define SCAUSE 0x142
#define STVAL 0x143
#define SIP 0x144
#define STIMECMP 0x14d
#define SATP 0x180
#define VSSTATUS 0x200
#define VSIE 0x204
#define VSTVEC 0x205
#define VSSCRATCH 0x240
#define VSEPC 0x241
#define VSCAUSE 0x242
#define VSTVAL 0x243
#define VSTIMECMP 0x24d
#define VSATP 0x280
#define MSTATUS 0x300
#define MISA 0x301
#define MEDELEG 0x302
#define MIDELEG 0x303
#define MIE 0x304
#define MTVEC 0x305
#define MCOUNTEREN 0x306
#define MENVCFG 0x30a
#define MSCRATCH 0x340
#define MEPC 0x341
#define MCAUSE 0x342
#define MTVAL 0x343
#define MIP 0x344
#define MTINST 0x34a
#define MTVAL2 0x34b
#define PMPCFG0 0x3a0
#define PMPADDR0 0x3b0
#define HSTATUS 0x600
#define HEDELEG 0x602
#define HIDELEG 0x603
#define HIE 0x604
#define HTIMEDELTA 0x605
#define HCOUNTEREN 0x606
#define HENVCFG 0x60a
#define HTVAL 0x643
#define HVIP 0x645
#define HTINST 0x64a
#define HGATP 0x680
#define TIME 0xc01
#define MVENDORID 0xf11
#define MARCHID 0xf12
#define MIMPID 0xf13

/* sstatus and its views in mstatus and vsstatus */
#define STATUS_SIE (1ul << 1)
#define STATUS_SPIE (1ul << 5)
#define STATUS_MPIE (1ul << 7)
#define STATUS_SPP (1ul << 8)
#define STATUS_MPP (3ul << 11)
#define STATUS_MPP_S (1ul << 11)
#define STATUS_FS (3ul << 13)
#define STATUS_MPRV (1ul << 17)
#define STATUS_GVA (1ul << 38)
#define STATUS_MPV (1ul << 39)

#define HSTATUS_GVA (1ul << 6)
#define HSTATUS_SPV (1ul << 7)
#define HSTATUS_SPVP (1ul << 8)
#define HSTATUS_VTW (1ul << 21)
#define HSTATUS_VSXL_64 (2ul << 32)

#define ENVCFG_CBIE_INVALIDATE (3ul << 4)
#define ENVCFG_CBCFE (1ul << 6)
#define ENVCFG_CBZE (1ul << 7)
#define ENVCFG_PBMTE (1ul << 62)
#define ENVCFG_STCE (1ul << 63)
#define COUNTEREN_CY_TM_IR 7ul
#define COUNTEREN_ALL 0xfffffffful
#define MISA_H (1ul << 7)

/* Interrupt numbers */
#define IRQ_SSI 1
#define IRQ_VSSI 2
#define IRQ_MSI 3
#define IRQ_STI 5
#define IRQ_VSTI 6
#define IRQ_MTI 7
#define IRQ_SEI 9
#define IRQ_VSEI 10
#define CAUSE_INTERRUPT (1ul << 63)

/* Exception numbers */
#define EXC_FETCH_MISALIGNED 0
#define EXC_FETCH_ACCESS 1
#define EXC_ILLEGAL 2
#define EXC_BREAKPOINT 3
#define EXC_LOAD_MISALIGNED 4
#define EXC_LOAD_ACCESS 5
#define EXC_STORE_MISALIGNED 6
#define EXC_STORE_ACCESS 7
#define EXC_ECALL_U 8
#define EXC_ECALL_HS 9
#define EXC_ECALL_VS 10
#define EXC_FETCH_PAGE 12
#define EXC_LOAD_PAGE 13
#define EXC_STORE_PAGE 15
#define EXC_FETCH_GUEST_PAGE 20
#define EXC_LOAD_GUEST_PAGE 21
#define EXC_VIRTUAL 22
#define EXC_STORE_GUEST_PAGE 23

#ifndef __ASSEMBLER__
#include "types.h"

#define CSR_TEXT_(number) #number
#define CSR_TEXT(number) CSR_TEXT_(number)
#define csr_read(number)                                                              \
  ({                                                                                  \
    u64 value_;                                                                       \
    __asm__ volatile("csrr %0, " CSR_TEXT(number) : "=r"(value_) : : "memory");       \
    value_;                                                                           \
  })
#define csr_write(number, value) \
  __asm__ volatile("csrw " CSR_TEXT(number) ", %0" : : "rK"((u64)(value)) : "memory")
#define csr_set(number, value) __asm__ volatile("csrs " CSR_TEXT(number) ", %0" : : "rK"((u64)(value)) : "memory")
#define csr_clear(number, value) \
  __asm__ volatile("csrc " CSR_TEXT(number) ", %0" : : "rK"((u64)(value)) : "memory")

static inline void wait_for_interrupt(void) { __asm__ volatile("wfi" : : : "memory"); }
static inline void fence(void) { __asm__ volatile("fence rw, rw" : : : "memory"); }
/** Orders MMIO against memory. */
static inline void fence_io(void) { __asm__ volatile("fence iorw, iorw" : : : "memory"); }
static inline void fence_i(void) { __asm__ volatile("fence.i" : : : "memory"); }
static inline void sfence_vma(void) { __asm__ volatile("sfence.vma" : : : "memory"); }
/** hfence.vvma and hfence.gvma x0, x0; encoded, for assemblers that are not told of H. */
static inline void hfence_vvma(void) { __asm__ volatile(".word 0x22000073" : : : "memory"); }
static inline void hfence_gvma(void) { __asm__ volatile(".word 0x62000073" : : : "memory"); }
#endif

#endif
