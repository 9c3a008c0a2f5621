/*
 * The image header, the three ways a hart enters Lazarus, and the world switch.
 *
 * World switch: vm_run(vcpu) enters the guest and returns at its next exit. sscratch holds the vCPU while a VM runs and
 * 0 while Lazarus does, which tells VM exits from Lazarus's own traps.
 */
#include "csr.h"
#include "lazarus.h"
#include "recovery.h"
#include "sbi.h"

  .section .text.header, "ax"
  .globl _start
_start:
  .option push
  .option norvc
  j boot_entry
  .option pop
  .balign 8
  .dword IMAGE_MAGIC, IMAGE_VERSION
  .dword image_start, image_end, bss_end, statics_start, statics_end, recovery_entry, heartbeats

  .text
boot_entry: /* a0 = hart, a1 = FDT */
  call on_own_stack
  call boot_main
recovery_entry: /* a0 = hart, a1 = FDT, a2 = struct recovery_descriptor *, a3 = stack to go on with, 0 = a fresh one */
  call on_own_stack
  beqz a3, 1f
  mv sp, a3
1:
  call recovery_main
  .globl secondary_entry
secondary_entry: /* a0 = hart */
  call on_own_stack
  call secondary_main

on_own_stack: /* sp = top of this hart's stack; keeps a0-a3 */
  csrw SSCRATCH, zero
  la t0, vm_exit
  csrw STVEC, t0
  la sp, stacks
  addi t0, a0, 1
  slli t0, t0, STACK_SHIFT
  add sp, sp, t0
  ret

/* void vm_run(struct vcpu *vcpu): on the stack: ra, s0-s11, tp. */
  .globl vm_run
vm_run:
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
  sd sp, VCPU_HOST_SP(a0)
  ld t0, VCPU_PC(a0)
  csrw SEPC, t0
  ld t0, VCPU_SSTATUS(a0)
  csrw SSTATUS, t0
  li t0, 0x80 /* hstatus.SPV: sret enters V = 1 */
  csrs HSTATUS, t0
  csrw SSCRATCH, a0
  li t0, VCPU_LIVE_ALL
  sd t0, VCPU_LIVE(a0)
  .irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  ld x\n, (\n * 8)(a0)
  .endr
  ld a0, 80(a0)
  sret

/*
 * Every trap to HS-mode. vcpu->live says at each instruction where the vCPU's registers are, so a hart that is frozen
 * or fails in here (with whatever pc) loses nothing: recovery.c reads it.
 */
  .balign 4
  .globl vm_exit
vm_exit:
  csrrw a0, SSCRATCH, a0
  beqz a0, own_trap
  .irp n, 1,2,3,4,5,6,7,8,9,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
  sd x\n, (\n * 8)(a0)
  .endr
  sd a0, VCPU_LIVE(a0) /* all but a0, pc and sstatus are saved: the others may change from here on */
  csrr t0, SSCRATCH
  sd t0, 80(a0)
  csrr t0, SEPC
  sd t0, VCPU_PC(a0)
  csrr t0, SSTATUS
  sd t0, VCPU_SSTATUS(a0)
  sd zero, VCPU_LIVE(a0)
  csrw SSCRATCH, zero
  ld sp, VCPU_HOST_SP(a0)
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
  addi sp, sp, 128
  ret

/* Lazarus itself trapped: nothing of it is to be trusted, not even its stack. */
own_trap:
  csrr a0, SCAUSE
  li a1, 0
  csrr a2, SEPC
  li a6, SBI_RECOVERY_FAIL
  li a7, SBI_RECOVERY
  ecall
  j own_trap

  .section .stacks, "aw", @nobits
  .balign 4096
stacks:
  .space STACK_BYTES * 8
