/** What observers of a run write down. None of it influences the run or is saved. */
import { derived, placeBlock } from './block.ts';

/**
 * What the core observes: a privilege transition (trap or return), or a write to a CSR by an instruction. For
 * timelines, logs and VM-state equivalence; never influences the run.
 */
export const EVENT = placeBlock('EVENT', [
  derived('moment', 'retired instructions when it happened: a return and a CSR write count as done'),
  derived('ticks', 'virtual time'),
  derived('pc', 'traps and CSR writes: pc of the instruction; returns: where execution goes on'),
  derived('value', 'traps: mtval/stval/vstval; returns: 0; CSR writes: what is read before'),
  derived('further', 'traps: guest physical address >> 2 as in mtval2/htval, or 0; CSR writes: what is read after'),
  derived('context', 'sscratch: where hypervisors keep the address of the vCPU that runs'),
  derived('work', 'ticks that the hart has spent since the core was made, up to here'),
  derived('arguments', 'transitions: a0 to a7', 'u64', 8),
  derived('cause', 'traps: xcause (bit 31 = interrupt); returns: 0xffff; CSR writes: number of the CSR', 'u32'),
  derived('vmid', 'hgatp.VMID at the time', 'u32'),
  derived('kind', 'EVENT_IS_*', 'u8'),
  derived('hart', 'hart number', 'u8'),
  derived('from', 'mode before: priv | virt << 2', 'u8'),
  derived('to', 'mode after', 'u8'),
  derived('pad', '', 'u32'),
]);

/** A watched range of RAM: linear-memory addresses. */
export const WATCH = placeBlock('WATCH', [
  derived('from', 'first byte', 'u32'),
  derived('to', 'behind the last byte', 'u32'),
  derived('kinds', 'WATCH_* bits', 'u32'),
]);

/** An observed access of a hart to a watched range; never influences the run. */
export const ACCESS = placeBlock('ACCESS', [
  derived('moment', 'instructions retired before the accessing one'),
  derived('ticks', 'virtual time before the accessing instruction'),
  derived('pc', 'of the accessing instruction'),
  derived('before', 'the bytes before, zero-extended'),
  derived('after', 'the bytes after, zero-extended'),
  derived('host', 'linear-memory address of the first byte', 'u32'),
  derived('vmid', 'hgatp.VMID at the time', 'u32'),
  derived('kind', 'ACCESS_*', 'u8'),
  derived('bytes', '1, 2, 4 or 8', 'u8'),
  derived('hart', 'hart number', 'u8'),
  derived('mode', 'priv | virt << 2', 'u8'),
]);

/**
 * What a hart did in one tick, for those who follow values backwards: an instruction with the values that it read and
 * wrote, or a trap. Accesses beyond an instruction's first have records of their own behind it. Never influences the
 * run.
 */
export const STEP = placeBlock('STEP', [
  derived('ticks', 'virtual time before the instruction or trap'),
  derived('pc', 'of the instruction; traps: of what is trapped'),
  derived('rs1', 'value of the first source register before; traps: xtval'),
  derived('rs2', 'value of the second source register before; traps: guest physical address >> 2, or 0'),
  derived('rs3', 'value of the third source register before; traps: where execution goes on'),
  derived('result', 'value of the destination register afterwards'),
  derived('address', 'physical address of the access, or number of the CSR that is accessed'),
  derived('before', 'accesses: the bytes that were read, or were there before; CSRs: what was read'),
  derived('after', 'writes: the bytes afterwards; CSRs: what is read afterwards'),
  derived('code', 'physical address of the instruction', 'u32'),
  derived('raw', 'the instruction as fetched; traps: xcause (bit 31 = interrupt)', 'u32'),
  derived('vmid', 'hgatp.VMID at the time', 'u32'),
  derived('flags', 'STEP_* bits', 'u8'),
  derived('bytes', 'of the access', 'u8'),
  derived('hart', 'hart number', 'u8'),
  derived('mode', 'priv | virt << 2; traps: the mode before', 'u8'),
  derived('rd', 'register: offset / 8; traps: the mode after', 'u8'),
  derived('rs1Number', 'register: offset / 8', 'u8'),
  derived('rs2Number', 'register: offset / 8', 'u8'),
  derived('rs3Number', 'register: offset / 8', 'u8'),
]);

/** A table entry that a walk for a debugger read. */
export const WALK_STEP = placeBlock('WALK_STEP', [
  derived('paddr', 'physical address of the entry'),
  derived('pte', 'its value; 0 where it cannot be read'),
  derived('stage', '0: the one stage under satp; 1: under vsatp; 2: under hgatp', 'u32'),
  derived('level', 'of the table: 0 holds 4 KiB pages', 'u32'),
]);
