/* Guest entry: a0 = vCPU number, a1 = command line (guest-physical). bss is zero: fresh guest RAM is. */
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
  .space 8192
stack_top:
