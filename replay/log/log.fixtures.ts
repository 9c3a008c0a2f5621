/**
 * A hypervisor of a few dozen instructions with two VMs, for tests of the log: it answers the calls of its VMs, makes
 * one of its own to firmware for each, and gives the hart to the other VM when one asks for it. sscratch points to the
 * vCPU that runs: x1, x10, x11, x17 and the pc in words of its own.
 */
import { machineOf } from '../replay.fixtures.ts';

const VCPUS = 0x8001_0000;
/** SBI set_timer, and a number that nobody knows. */
export const SET_TIMER = 0x54494d45;
export const SWITCH = 0x0900_0055;

const PROGRAM = `
    csrr t0, mhartid
    bnez t0, park
    la t0, firmware
    csrw mtvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 0x1f
    csrw pmpcfg0, t0
    li t0, 0x400                      # ecalls from VS-mode
    csrw medeleg, t0
    la t0, hypervisor
    csrw stvec, t0
    li s0, ${VCPUS}
    la t0, guest
    sd t0, 32(s0)                     # pc of vCPU 1, and of vCPU 2
    sd t0, 96(s0)
    li t0, ${(1n << 39n) | (1n << 11n)}   # MPV, MPP = S
    csrw mstatus, t0
    la t0, guest
    csrw mepc, t0
    csrw sscratch, s0
    li t0, ${1n << 44n}
    csrw hgatp, t0
    li t0, 0x180                      # hstatus.SPV, SPVP
    csrs hstatus, t0
    mret
  park:
    wfi
    j park

  hypervisor:
    csrrw s0, sscratch, s0
    sd a0, 8(s0)
    sd a7, 24(s0)
    csrr t0, sepc
    addi t0, t0, 4
    sd t0, 32(s0)
    li t1, ${SWITCH}
    beq a7, t1, switch
    mv s1, a7
    li a7, 0x10                       # SBI: get_spec_version
    li a6, 0
    ecall
    mv a7, s1
    li a0, 0
    li a1, 7
    j enter
  switch:
    xori s0, s0, 64
    csrr t1, hgatp
    li t2, ${3n << 44n}               # VMID 1 <-> 2
    xor t1, t1, t2
    csrw hgatp, t1
    ld a0, 8(s0)
  enter:
    ld t0, 32(s0)
    csrw sepc, t0
    csrw sscratch, s0
    li t0, 0x100
    csrs sstatus, t0
    li t0, 0x180
    csrs hstatus, t0
    sret

  guest:
    addi a0, a0, 1
    li a7, ${SET_TIMER}
    li a6, 0
    li a0, 99
    ecall
    csrw sscratch, a1
    li t0, 0x10000000
    lbu t1, 5(t0)
    li a7, ${SWITCH}
    ecall
    j guest

    .balign 4
  firmware:
    csrr t3, mepc
    addi t3, t3, 4
    csrw mepc, t3
    li a0, -3
    li a1, 0
    mret
`;

export const LENGTH = 12_000;

/** How the two VMs are recorded. */
export const TWO_VMS = {
  config: machineOf(PROGRAM, { harts: 1, quantum: { policy: 'fixed', ticks: 1000, seed: 0n } }),
  maxMoment: LENGTH,
};
