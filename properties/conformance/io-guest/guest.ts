/**
 * A guest that keeps every virtio device of its machine busy, whatever is plugged in where. Each round it gives each
 * device something to do, all at once: disks read, write and flush sectors; network devices ask for the station's
 * address and take what arrives; consoles print; entropy devices give bytes. It waits for interrupts in even rounds and
 * polls in odd ones. All that comes back, typed bytes included, goes into a checksum that decides what is written next
 * and is printed at the end. Hart 1 computes meanwhile, further ones sleep.
 *
 * Runs in M-mode as firmware. A trap, which only an injected fault brings about, ends the run as failed. Networks must
 * be on the switch.
 */
import { assemble, type Image, RAM_BASE } from '../../../engine/index.ts';

const ROUNDS = 8;

const SOURCE = `
    .equ AREA, ${RAM_BASE + 0x20_0000}
    .equ COUNTER, ${RAM_BASE + 0x1f_0000}
    la t0, trapped
    csrw mtvec, t0
    csrr t0, mhartid
    beqz t0, main
    li t1, 1
    li a0, COUNTER
    bne t0, t1, sleep
  compute:
    amoadd.d t2, t1, (a0)
    andi t3, t2, 1023
    slli t3, t3, 3
    add t3, t3, a0
    sd t2, 64(t3)
    mul t2, t2, t2
    j compute
  sleep:
    wfi
    j sleep

  main:
    li s5, 0x10000000
    li s6, 0xc200004
    li t0, 0xc000000
    li t1, 1
    li t2, 8
  priorities:
    addi t0, t0, 4
    sw t1, 0(t0)
    addi t2, t2, -1
    bnez t2, priorities
    li t0, 0xc002000
    li t1, 0x1fe
    sw t1, 0(t0)
    li t1, 0x800
    csrw mie, t1
    li s2, 0
    li s3, 1

    jal s7, first
  init:
    beqz t0, initiated
    sw zero, 112(s0)
    li t1, 3
    sw t1, 112(s0)
    li t1, 1
    sw t1, 36(s0)
    sw t1, 32(s0)
    li t1, 11
    sw t1, 112(s0)
    li a1, 0
    mv a2, s1
    jal ra, queue
    andi t1, t0, 1
    beqz t1, running
    li a1, 1
    addi a2, s1, 0x400
    jal ra, queue
  running:
    li t1, 15
    sw t1, 112(s0)
    mv a2, s1
    li t1, 1
    beq t0, t1, initNet
    li t1, 2
    beq t0, t1, initBlock
    li t1, 3
    beq t0, t1, initConsole
    li a6, 0x1000
    li a4, 64
    li a5, 2
    jal ra, describe
    j initiated
  initBlock:
    li a6, 0x800
    li a4, 16
    li a5, 0x10001
    jal ra, describe
    li a6, 0x1000
    li a4, 512
    li a5, 0x20003
    jal ra, describe
    li a6, 0x810
    li a4, 1
    li a5, 2
    jal ra, describe
    j initiated
  initConsole:
    li a6, 0x1000
    li a4, 16
    li a5, 2
    jal ra, describe
    li t1, 1
    sh t1, 0x102(s1)
    sw zero, 80(s0)
    addi a2, s1, 0x400
    li a6, 0x900
    li a4, 8
    li a5, 0
    jal ra, describe
    j initiated
  initNet:
    li a6, 0x1000
    li s8, 0
  receiver:
    li a4, 1600
    li a5, 2
    jal ra, describe
    slli t1, s8, 1
    add t1, t1, s1
    sh s8, 0x104(t1)
    addi a6, a6, 0x680
    addi s8, s8, 1
    li t1, 4
    bne s8, t1, receiver
    sh t1, 0x102(s1)
    sw zero, 80(s0)
    addi a2, s1, 0x400
    li a6, 0x900
    li a4, 72
    li a5, 0
    jal ra, describe
    la t1, request
    addi t2, s1, 0x780
    addi t2, t2, 0x180
    li t3, 9
  copy:
    ld t4, 0(t1)
    sd t4, 0(t2)
    addi t1, t1, 8
    addi t2, t2, 8
    addi t3, t3, -1
    bnez t3, copy
    addi t2, s1, 0x700
    addi t2, t2, 0x20c
    li t3, 0
  address:
    add t4, s0, t3
    lbu t4, 0x100(t4)
    add t5, t2, t3
    sb t4, 6(t5)
    sb t4, 22(t5)
    addi t3, t3, 1
    li t4, 6
    bne t3, t4, address
    addi t4, s4, 15
    sb t4, 31(t2)
  initiated:
    jal s7, following

  round:
    jal s7, first
  submit:
    beqz t0, submitted
    addi t5, s2, 1
    andi t1, t0, 1
    bnez t1, submitSecond
    li t1, 4
    beq t0, t1, offer
    andi t3, s2, 1
    addi t2, s1, 0x7f0
    addi t2, t2, 0x10
    sw t3, 0(t2)
    li t1, 5
    remu t4, s2, t1
    li t1, 4
    bne t4, t1, transfer
    sw t1, 0(t2)
  transfer:
    srli t4, s2, 1
    li t1, 5
    mul t4, t4, t1
    add t4, t4, s4
    slli t1, t3, 1
    add t4, t4, t1
    lw t1, 0x100(s0)
    remu t4, t4, t1
    sd t4, 8(t2)
    xori t3, t3, 1
    slli t3, t3, 1
    ori t3, t3, 1
    sh t3, 28(s1)
  offer:
    sh t5, 0x102(s1)
    sw zero, 80(s0)
    j submitted
  submitSecond:
    li t1, 3
    bne t0, t1, send
    li t2, 0x0f0f0f0f0f0f0f0f
    and t2, t2, s3
    li t3, 0x4040404040404040
    or t2, t2, t3
    addi t3, s1, 0x780
    sd t2, 0x180(t3)
  send:
    sh t5, 0x502(s1)
    li t1, 1
    sw t1, 80(s0)
  submitted:
    jal s7, following

    lbu t1, 5(s5)
    andi t1, t1, 1
    beqz t1, quiet
    lbu a1, 0(s5)
    jal ra, fold
  quiet:

    jal s7, first
  finish:
    beqz t0, finished
    mv s8, t0
    andi t1, s8, 1
    bnez t1, finishSecond
  served:
    lhu t1, 0x202(s1)
    addi t5, s2, 1
    beq t1, t5, done
    jal ra, pause
    j served
  done:
    addi s9, s1, 0x7f0
    addi s9, s9, 0x10
    lbu a1, 16(s9)
    jal ra, fold
    addi s9, s9, 0x400
    addi s9, s9, 0x400
    li s10, 64
    li t1, 2
    beq s8, t1, words
    li s10, 8
  words:
    ld a1, 0(s9)
    jal ra, fold
    xor a1, a1, s3
    sd a1, 0(s9)
    addi s9, s9, 8
    addi s10, s10, -1
    bnez s10, words
    j finished
  finishSecond:
    lhu t1, 0x602(s1)
    addi t5, s2, 1
    beq t1, t5, sent
    jal ra, pause
    j finishSecond
  sent:
    li t1, 3
    bne s8, t1, receive
    lhu t1, 0x202(s1)
    lhu t2, 0x102(s1)
    bne t1, t2, finished
    li t3, 0x1000
    add t3, t3, s1
    ld a1, 0(t3)
    sd zero, 0(t3)
    jal ra, fold
    lhu t2, 0x102(s1)
    addi t2, t2, 1
    sh t2, 0x102(s1)
    sw zero, 80(s0)
    j finished
  receive:
    lhu s9, 0x202(s1)
    lhu s10, 0x102(s1)
    addi s10, s10, -4
    bne s9, s10, received
    jal ra, pause
    j receive
  received:
    andi t1, s10, 3
    li t2, 0x680
    mul t2, t2, t1
    add t2, t2, s1
    li t3, 0x1000
    add t2, t2, t3
    ld a1, 16(t2)
    ld s11, 32(t2)
    jal ra, fold
    mv a1, s11
    jal ra, fold
    addi s10, s10, 1
    bne s9, s10, received
    addi s10, s10, 4
    sh s10, 0x102(s1)
    sw zero, 80(s0)
  finished:
    jal s7, following

    addi s2, s2, 1
    li t1, ${ROUNDS}
    bne s2, t1, round

    li t1, 16
  digit:
    srli t2, s3, 60
    addi t2, t2, 65
    sb t2, 0(s5)
    slli s3, s3, 4
    addi t1, t1, -1
    bnez t1, digit
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
    j .

  # Loops over the slots: the body begins behind the call of first, and ends with one of following.
  first:
    li s4, 0
    li s0, 0x10001000
    li s1, AREA
    mv gp, s7
    lw t0, 8(s0)
    jr gp
  following:
    addi s4, s4, 1
    li t1, 0x1000
    add s0, s0, t1
    slli t1, t1, 2
    add s1, s1, t1
    li t1, 8
    bne s4, t1, body
    jr s7
  body:
    lw t0, 8(s0)
    jr gp

  queue:
    sw a1, 48(s0)
    li t1, 4
    sw t1, 56(s0)
    sw a2, 128(s0)
    addi t1, a2, 256
    sw t1, 144(s0)
    addi t1, a2, 512
    sw t1, 160(s0)
    li t1, 1
    sw t1, 68(s0)
    ret
  describe:
    add t1, s1, a6
    sd t1, 0(a2)
    sw a4, 8(a2)
    sw a5, 12(a2)
    addi a2, a2, 16
    ret
  fold:
    rori s3, s3, 51
    xor s3, s3, a1
    addi s3, s3, 1021
    ret
  pause:
    andi t1, s2, 1
    bnez t1, claim
    wfi
  claim:
    lw t2, 0(s6)
    beqz t2, paused
    slli t1, t2, 12
    li t3, 0x10000000
    add t1, t1, t3
    lw t3, 96(t1)
    sw t3, 100(t1)
    sw t2, 0(s6)
  paused:
    ret

    .balign 4
  trapped:
    li t0, 0x100000
    li t1, 0x13333
    sw t1, 0(t0)
    j .

    .balign 8
  request:
    .zero 12
    .byte 255, 255, 255, 255, 255, 255
    .zero 6
    .byte 8, 6, 0, 1, 8, 0, 6, 4, 0, 1
    .zero 6
    .byte 10, 0, 2, 15
    .zero 6
    .byte 10, 0, 2, 2
    .zero 18
`;

/** The guest as flat firmware. */
export const ioGuest = (): Image => ({ name: 'io-guest.bin', bytes: assemble(SOURCE, RAM_BASE).bytes });
