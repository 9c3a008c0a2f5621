# A hypervisor with two VMs and one mistake, which docs/debugging.md finds. It runs in HS-mode at 0x80200000, above any
# firmware with SBI 2.0, on two harts, one for each VM.
#
# A VM has three pages, from guest-physical 0x80000000 on: a buffer, its program, its stack. VM 1 keeps a balance on its
# stack, adds 10 to it and prints it; VM 2 fills its buffer, block after block, and prints how many.

.equ PAGE, 4096
.equ VM_PAGES, 3
.equ PROGRAM, 0x80001000
.equ STACK_END, 0x80003000
.equ TABLES, 0x80210000         # 0x8000 bytes for each VM: a root of four pages, a middle and a last table
.equ FRAMES, 0x80220000         # free memory
.equ PRINT, 0x8000000           # calls of a VM: print a0 as a number; stop the machine
.equ STOP, 0x8000001
# In the record of a VM: addresses of its label and program, the program's length, hgatp, registers from SAVED on, and a
# line to print up to LINE_END.
.equ LABEL, 0
.equ PROGRAM_AT, 8
.equ PROGRAM_BYTES, 16
.equ HGATP, 24
.equ SAVED, 64
.equ LINE_END, 175

start:                          # by the firmware, on one hart
    la s1, vm1
    li s2, 1
    call build_vm
    la s1, vm2
    li s2, 2
    call build_vm
    la s1, vm1
    xori a0, a0, 1
    la a1, start_vm2
    la a2, vm2
    li a6, 0
    li a7, 0x48534d             # SBI hart_start: the other hart, from start_vm2 on, with a1 = vm2
    ecall
    j enter_vm
start_vm2:
    mv s1, a1
    j enter_vm

# Enters the VM whose record s1 points at, for the first time.
enter_vm:
    csrw sscratch, s1
    ld t0, HGATP(s1)
    csrw hgatp, t0
    la t0, trap
    csrw stvec, t0
    li t0, 0x180                # SPV, SPVP: sret enters VS-mode
    csrs hstatus, t0
    li t0, 0x100
    csrs sstatus, t0
    li t0, PROGRAM
    csrw sepc, t0
    li sp, STACK_END
    sret

# Makes the VM with VMID s2 and record s1: its tables, its frames, its program. Keeps a0.
build_vm:
    addi t0, s2, -1
    slli t0, t0, 15
    li t1, TABLES
    add t1, t1, t0              # root
    li t0, 0x4000
    add t2, t1, t0              # middle table
    li t0, PAGE
    add t3, t2, t0              # last table
    srli t0, t2, 2
    ori t0, t0, 1
    sd t0, 16(t1)               # entry 2 of the root: guest-physical 0x80000000 to 0xbfffffff
    srli t0, t3, 2
    ori t0, t0, 1
    sd t0, 0(t2)
    la t4, next_frame
    ld t5, 0(t4)
    mv a3, t5                   # first frame
    li t6, VM_PAGES
map_page:
    srli t0, t5, 2
    ori t0, t0, 0xdf            # valid, may be read, written and executed, user, accessed, dirty
    sd t0, 0(t3)
    addi t3, t3, 8
    addi t6, t6, -1
    beqz t6, all_mapped
    li t0, PAGE
    add t5, t5, t0
    j map_page
all_mapped:
    sd t5, 0(t4)
    li t0, PAGE
    add t5, a3, t0              # second frame: the program's
    ld t1, PROGRAM_AT(s1)
    ld t2, PROGRAM_BYTES(s1)
copy:
    ld t0, 0(t1)
    sd t0, 0(t5)
    addi t1, t1, 8
    addi t5, t5, 8
    addi t2, t2, -8
    bgtz t2, copy
    li t0, 0x8000000000000000   # Sv39x4
    slli t1, s2, 44
    or t0, t0, t1
    li t1, TABLES
    srli t1, t1, 12
    addi t2, s2, -1
    slli t2, t2, 3
    add t1, t1, t2
    or t0, t0, t1
    sd t0, HGATP(s1)
    ret

# A VM's call keeps its registers but t0 to t3: those that print uses besides are saved in the VM's record.
    .balign 4
trap:
    csrrw s1, sscratch, s1
    sd ra, SAVED(s1)
    sd a0, SAVED + 8(s1)
    sd a1, SAVED + 16(s1)
    sd a2, SAVED + 24(s1)
    sd a7, SAVED + 32(s1)
    csrr t0, scause
    li t1, 10
    bne t0, t1, stop            # no call of a VM
    li t0, STOP
    beq a7, t0, stop
    csrr t0, sepc
    addi t0, t0, 4
    csrw sepc, t0
    call print
    ld ra, SAVED(s1)
    ld a0, SAVED + 8(s1)
    ld a1, SAVED + 16(s1)
    ld a2, SAVED + 24(s1)
    ld a7, SAVED + 32(s1)
    csrrw s1, sscratch, s1
    sret
stop:
    li a0, 0
    li a1, 0
    li a6, 0
    li a7, 0x53525354           # SBI system_reset: shut down
    ecall

# Prints the label of the VM at s1, the number in a0 and a newline; the line is made from its end.
print:
    addi t0, s1, LINE_END
    li t1, 10
    sb t1, 0(t0)
print_digit:
    remu t2, a0, t1
    addi t2, t2, 48
    addi t0, t0, -1
    sb t2, 0(t0)
    divu a0, a0, t1
    bnez a0, print_digit
    ld t1, LABEL(s1)
    addi t2, t1, 12             # labels are 13 bytes long
print_label:
    lbu t3, 0(t2)
    addi t0, t0, -1
    sb t3, 0(t0)
    addi t2, t2, -1
    bgeu t2, t1, print_label
    addi a0, s1, LINE_END + 1
    sub a0, a0, t0
    mv a1, t0
    li a2, 0
    li a6, 0
    li a7, 0x4442434e           # SBI debug console write
    ecall
    ret

    .balign 8
next_frame:
    .dword FRAMES

# Records of the VMs.
vm1:
    .dword vm1_label, vm1_program, vm1_end - vm1_program, 0
    .zero 152
vm2:
    .dword vm2_label, vm2_program, vm2_end - vm2_program, 0
    .zero 152
vm1_label:
    .asciz "vm1: balance "
vm2_label:
    .asciz "vm2: blocks  "

# Programs of the VMs, in VS-mode without translation of their own.
    .balign 8
vm1_program:
    li s2, 0                    # rounds
    addi sp, sp, -16
    li t0, 1000
    sd t0, 0(sp)
deposit:
    ld a0, 0(sp)
    addi a0, a0, 10
    sd a0, 0(sp)
    li t0, 2000
work:
    addi t0, t0, -1
    bnez t0, work
    ld a0, 0(sp)
    li a7, PRINT
    ecall
    addi s2, s2, 1
    li t0, 8
    bne s2, t0, deposit
    li a7, STOP
    ecall
    .balign 8
vm1_end:

vm2_program:
    li s2, 0                    # blocks
next_block:
    li t0, 5000
wait:
    addi t0, t0, -1
    bnez t0, wait
    addi s2, s2, 1
    li t1, 0x80000000
    li t2, 512
fill:
    sd s2, 0(t1)
    addi t1, t1, 8
    addi t2, t2, -1
    bnez t2, fill
    mv a0, s2
    li a7, PRINT
    ecall
    j next_block
    .balign 8
vm2_end:
