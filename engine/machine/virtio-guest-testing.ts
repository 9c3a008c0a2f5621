/**
 * A guest with drivers of its own, for tests of machines with devices: reads sector 1 of the disk in the last slot,
 * writes it to sector 2 with every byte's bit 5 changed, prints the first eight bytes; asks through the network device
 * in the slot before who has 10.0.2.2 and prints the answering hardware address; waits for interrupts in between.
 */
export const DRIVERS = guest(
  `
    li t1, 1
    sw t1, 36(a0)
    sw t1, 32(a0)`,
  12,
);

/**
 * The same with drivers that know the low word of the features only, so never take VERSION_1; refused, one prints R.
 */
export const LOW_WORD_DRIVERS = guest(
  `
    lw t1, 16(a0)
    andi t1, t1, 64
    sw t1, 32(a0)`,
  10,
);

/** `features` accepts some through the registers at a0; the network device's header has `headerBytes`. */
function guest(features: string, headerBytes: number): string {
  return `
    .equ BLK, 0x10008000
    .equ NET, 0x10007000
    .equ UART, 0x10000000
    li t0, 0xc000000
    li t1, 1
    sw t1, 28(t0)
    sw t1, 32(t0)
    li t0, 0xc002000
    li t1, 0x180
    sw t1, 0(t0)
    li t1, 0x800
    csrw mie, t1
    li s5, UART
    li s6, 0xc200000

    li a0, BLK
    jal ra, begin
    li a1, 0
    la a2, blkq
    jal ra, queue
    jal ra, finish
    la s1, blkavail
    la s2, blkused
    li t1, 1
    sh t1, 2(s1)
    sw zero, 80(a0)
    li a4, 1
    jal ra, wait
    la t0, data
    li t1, 512
  flip:
    lbu t2, 0(t0)
    xori t2, t2, 32
    sb t2, 0(t0)
    addi t0, t0, 1
    addi t1, t1, -1
    bnez t1, flip
    li t1, 2
    sh t1, 2(s1)
    sw zero, 80(a0)
    li a4, 2
    jal ra, wait
    la a1, data
    li a2, 8
    jal ra, print

    li a0, NET
    jal ra, begin
    li a1, 0
    la a2, rxq
    jal ra, queue
    li a1, 1
    la a2, txq
    jal ra, queue
    jal ra, finish
    li t1, 1
    la t0, rxavail
    sh t1, 2(t0)
    la t0, txavail
    sh t1, 2(t0)
    sw t1, 80(a0)
    la s2, rxused
    li a4, 1
    jal ra, wait
    la a1, reply
    addi a1, a1, ${22 + headerBytes}
    li a2, 6
    jal ra, print
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
    j .

  begin:
    sw zero, 112(a0)
    li t1, 3
    sw t1, 112(a0)
    ${features}
    li t1, 11
    sw t1, 112(a0)
    lw t1, 112(a0)
    andi t1, t1, 8
    beqz t1, refused
    ret
  refused:
    li t1, 82
    sb t1, 0(s5)
    li t0, 0x100000
    li t1, 0x13333
    sw t1, 0(t0)
    j .
  queue:
    sw a1, 48(a0)
    li t1, 8
    sw t1, 56(a0)
    sw a2, 128(a0)
    addi t1, a2, 256
    sw t1, 144(a0)
    addi t1, a2, 512
    sw t1, 160(a0)
    li t1, 1
    sw t1, 68(a0)
    ret
  finish:
    li t1, 15
    sw t1, 112(a0)
    ret
  wait:
    lhu t1, 2(s2)
    beq t1, a4, got
    wfi
    lw t2, 4(s6)
    lw t1, 96(a0)
    sw t1, 100(a0)
    sw t2, 4(s6)
    j wait
  got:
    ret
  print:
    lbu t1, 0(a1)
    sb t1, 0(s5)
    addi a1, a1, 1
    addi a2, a2, -1
    bnez a2, print
    ret

    .balign 4096
  blkq:
    .dword readhead
    .word 16
    .half 1, 1
    .dword data
    .word 512
    .half 3, 2
    .dword status
    .word 1
    .half 2, 0
    .dword writehead
    .word 16
    .half 1, 4
    .dword data
    .word 512
    .half 1, 5
    .dword status
    .word 1
    .half 2, 0
    .zero 160
  blkavail:
    .half 0, 0, 0, 3
    .zero 248
  blkused:
    .zero 256
  rxq:
    .dword reply
    .word 1600
    .half 2, 0
    .zero 240
  rxavail:
    .zero 256
  rxused:
    .zero 256
  txq:
    .dword request
    .word ${60 + headerBytes}
    .half 0, 0
    .zero 240
  txavail:
    .zero 512
  readhead:
    .dword 0, 1
  writehead:
    .dword 1, 2
  status:
    .dword 255
  request:
    .zero ${headerBytes}
    .byte 255, 255, 255, 255, 255, 255
    .byte 82, 84, 0, 18, 52, 86
    .byte 8, 6, 0, 1, 8, 0, 6, 4, 0, 1
    .byte 82, 84, 0, 18, 52, 86, 10, 0, 2, 15
    .byte 0, 0, 0, 0, 0, 0, 10, 0, 2, 2
    .zero 18
  data:
    .zero 512
  reply:
    .zero 1600
  `;
}
