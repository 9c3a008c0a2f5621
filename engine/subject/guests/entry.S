/*
 * Guest entry: a0 = vCPU number, a1 = gpa of the command line; PrivVM: a2, a3 = gpa and bytes of the module. bss is
 * zero: fresh guest RAM is.
 */
  .section .text.entry, "ax"
  .globl _start
_start:
  la sp, stack_top
  call guest_start
1:
  wfi
  j 1b

  .bss
  .balign 16
  .space 16384
stack_top:
