/*
 * Where harts enter the firmware: reset, and every trap to M-mode. mscratch always points to the hart's own struct
 * hart, which lower modes can neither read nor write, so the stack used here is good whatever they have done.
 */
#include "csr.h"
#include "firmware.h"

  .section .text.entry, "ax"
  .globl _start
_start: /* a0 = hart, a1 = FDT, a2 = struct fw_dynamic_info */
  csrw MIE, zero
  csrr t0, 0xf14 /* mhartid */
  li t1, 8
  bgeu t0, t1, park
  la tp, harts
  slli t1, t0, HART_SHIFT
  add tp, tp, t1
  li t1, HART_BYTES
  add sp, tp, t1
  csrw MSCRATCH, tp
  la t1, trap_entry
  csrw MTVEC, t1
  mv a3, a2
  mv a2, a1
  mv a1, t0
  mv a0, tp
  call boot /* (struct hart *, id, fdt, info): returns when the hart's context is ready to be entered */
  csrr a0, MSCRATCH
  j trap_return
park:
  wfi
  j park

  .balign 4
  .globl trap_entry
trap_entry:
  csrrw sp, MSCRATCH, sp
  sd x1, 8(sp)
  .irp n, 3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  sd x\n, (\n * 8)(sp)
  .endr
  mv a0, sp
  csrrw t0, MSCRATCH, sp
  sd t0, 16(a0)
  csrr t0, MEPC
  sd t0, HART_PC(a0)
  csrr t0, MSTATUS
  sd t0, HART_MSTATUS(a0)
  li t0, HART_BYTES
  add sp, a0, t0
  call trap
  csrr a0, MSCRATCH
trap_return: /* a0 = struct hart */
  ld t0, HART_PC(a0)
  csrw MEPC, t0
  ld t0, HART_MSTATUS(a0)
  csrw MSTATUS, t0
  .irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  ld x\n, (\n * 8)(a0)
  .endr
  ld a0, 80(a0)
  mret
