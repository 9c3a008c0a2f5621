/** A program that drives virtio devices, and the devices that it expects. Used by tests only. */
import type { VirtioConfig } from '../engine/index.ts';

/**
 * Writes sector 3 of the disk in slot 7; then sends every frame that arrives in slot 6 back, and prints its 15th byte
 * on the virtio console in slot 5; 'q' ends the run. Polls all the time.
 */
export const DRIVERS = `
    li a0, 0x10008000
    li a1, 0
    la a2, diskq
    jal ra, begin
    jal ra, queue
    jal ra, finish
    li s7, 1
    la t0, diskavail
    sh s7, 2(t0)
    sw zero, 80(a0)
    la t0, diskused
  written:
    lhu t1, 2(t0)
    beqz t1, written
    li a0, 0x10007000
    jal ra, begin
    la a2, receiveq
    jal ra, queue
    li a1, 1
    la a2, sendq
    jal ra, queue
    jal ra, finish
    li s1, 1
    la s2, receiveavail
    la s3, receiveused
    la s4, sendavail
    la s5, buffer
    li s6, 0x10006000
  next:
    sh s1, 2(s2)
    sw zero, 80(a0)
  idle:
    lhu t1, 2(s3)
    bne t1, s1, idle
    lbu t2, 26(s5)
    sw t2, 264(s6)
    sh s1, 2(s4)
    sw s7, 80(a0)
    addi s1, s1, 1
    li t3, 113
    bne t2, t3, next
    li t4, 2000
  rest:
    addi t4, t4, -1
    bnez t4, rest
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
    j .
  begin:
    sw zero, 112(a0)
    li t1, 3
    sw t1, 112(a0)
    li t1, 1
    sw t1, 36(a0)
    sw t1, 32(a0)
    li t1, 11
    sw t1, 112(a0)
    ret
  queue:
    sw a1, 48(a0)
    li t1, 4
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
    .balign 4096
  diskq:
    .dword header
    .word 16
    .half 1, 1
    .dword header
    .word 512
    .half 1, 2
    .dword status
    .word 1
    .half 2, 0
    .zero 208
  diskavail:
    .zero 256
  diskused:
    .zero 256
  receiveq:
    .dword buffer
    .word 1600
    .half 2, 0
    .zero 240
  receiveavail:
    .zero 256
  receiveused:
    .zero 256
  sendq:
    .dword buffer
    .word 72
    .half 0, 0
    .zero 240
  sendavail:
    .zero 512
  header:
    .dword 1, 3
    .zero 504
  status:
    .dword 0
  buffer:
    .zero 1600
`;
export const image = { name: 'disk.img', bytes: new Uint8Array(4096).fill(9) };
export const VIRTIO: readonly VirtioConfig[] = [
  { kind: 'block', slot: 7, image, readOnly: false, serial: 'abc' },
  { kind: 'net', slot: 6, mac: '52:54:00:12:34:56', cable: 'outside' },
  { kind: 'console', slot: 5 },
  { kind: 'entropy', slot: 4 },
];
