/*
 * u64 process_run(struct process *): runs the process in VU-mode until its next trap; returns scause, interrupts off.
 * To be called with interrupts off. While the process runs, sscratch holds its frame and stvec user_trap.
 */
#include "process.h"

  .text
  .globl process_run
process_run:
  addi sp, sp, -128
  sd ra, 0(sp)
  sd s0, 8(sp)
  sd s1, 16(sp)
  sd s2, 24(sp)
  sd s3, 32(sp)
  sd s4, 40(sp)
  sd s5, 48(sp)
  sd s6, 56(sp)
  sd s7, 64(sp)
  sd s8, 72(sp)
  sd s9, 80(sp)
  sd s10, 88(sp)
  sd s11, 96(sp)
  sd tp, 104(sp)
  csrr t0, stvec
  sd t0, 112(sp)
  sd gp, 120(sp)
  sd sp, PROCESS_KERNEL_SP(a0)
  csrw sscratch, a0
  la t0, user_trap
  csrw stvec, t0
  li t0, 0x100
  csrc sstatus, t0             /* SPP: to U */
  ld t0, PROCESS_PC(a0)
  csrw sepc, t0
  mv x31, a0
  .irp n,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
  ld x\n, PROCESS_X(\n)(x31)
  .endr
  ld x31, PROCESS_X(31)(x31)
  sret

  .balign 4
user_trap:
  csrrw x31, sscratch, x31
  .irp n,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30
  sd x\n, PROCESS_X(\n)(x31)
  .endr
  csrr t0, sscratch
  sd t0, PROCESS_X(31)(x31)
  csrr t0, sepc
  sd t0, PROCESS_PC(x31)
  ld sp, PROCESS_KERNEL_SP(x31)
  ld t0, 112(sp)
  csrw stvec, t0
  ld ra, 0(sp)
  ld s0, 8(sp)
  ld s1, 16(sp)
  ld s2, 24(sp)
  ld s3, 32(sp)
  ld s4, 40(sp)
  ld s5, 48(sp)
  ld s6, 56(sp)
  ld s7, 64(sp)
  ld s8, 72(sp)
  ld s9, 80(sp)
  ld s10, 88(sp)
  ld s11, 96(sp)
  ld tp, 104(sp)
  ld gp, 120(sp)
  addi sp, sp, 128
  csrr a0, scause
  ret
