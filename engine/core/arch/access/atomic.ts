/**
 * LR, SC, AMO and AMOCAS, and the high halves of products. Atomics need natural alignment and RAM: a misaligned address
 * is an address-misaligned exception, a device an access fault. The reservation is one physical address; `run` drops it
 * at the start of a turn, so no other hart can have stored in between.
 */
import { HART_DATA_MODE, HART_RESERVED, HART_RESERVED_ADDR, HART_X, MACHINE_RAM_HOST, RAM_BASE } from '../layout.gen';
import { DEVICE, locate, readRam, TRAPPED } from './memory';
import { storeRam } from '../code/stores';
import {
  CAUSE_LOAD_MISALIGNED,
  CAUSE_STORE_MISALIGNED,
  get,
  get32,
  LOAD,
  machine32,
  set,
  set32,
  STORE,
} from '../state/state';
import { raiseAccess, raiseMisaligned } from '../trap/trap';

/** LR.W/D: the value, zero-extended. */
export function lr(hart: u32, va: u64, bytes: u64): u64 {
  const size = <u32>bytes;
  const mode = get32(hart, HART_DATA_MODE);
  if (va & (bytes - 1)) {
    raiseMisaligned(hart, CAUSE_LOAD_MISALIGNED, va, mode);
    return 0;
  }
  const host = locate(hart, va, size, 0, LOAD, mode, true);
  if (host == TRAPPED) return 0;
  if (host == DEVICE) {
    raiseAccess(hart, LOAD, va, 0, mode);
    return 0;
  }
  set32(hart, HART_RESERVED, 1);
  set(hart, HART_RESERVED_ADDR, reservationOf(host));
  return readRam(host, size);
}

/** SC.W/D: 0 when it stored. Without a reservation it fails before its address is looked at, as on QEMU. */
export function sc(hart: u32, va: u64, value: u64, bytes: u64): u64 {
  const size = <u32>bytes;
  const mode = get32(hart, HART_DATA_MODE);
  const reserved = get32(hart, HART_RESERVED);
  if (va & (bytes - 1)) {
    raiseMisaligned(hart, CAUSE_STORE_MISALIGNED, va, mode);
    return 1;
  }
  set32(hart, HART_RESERVED, 0);
  if (!reserved) return 1;
  const host = locate(hart, va, size, 0, STORE, mode, true);
  if (host == TRAPPED) return 1;
  if (host == DEVICE) {
    raiseAccess(hart, STORE, va, 0, mode);
    return 1;
  }
  if (reservationOf(host) != get(hart, HART_RESERVED_ADDR)) return 1;
  storeRam(host, value, size);
  return 0;
}

/** AMO: `op` is funct5; the old value, zero-extended. All its faults are those of a store. */
export function amo(hart: u32, va: u64, value: u64, bytes: u64, op: u64): u64 {
  const size = <u32>bytes;
  const mode = get32(hart, HART_DATA_MODE);
  if (va & (bytes - 1)) {
    raiseMisaligned(hart, CAUSE_STORE_MISALIGNED, va, mode);
    return 0;
  }
  const host = locate(hart, va, size, 0, STORE, mode, true);
  if (host == TRAPPED) return 0;
  if (host == DEVICE) {
    raiseAccess(hart, STORE, va, 0, mode);
    return 0;
  }
  const old = readRam(host, size);
  const result =
    size == 4
      ? amoResult(<u64>(<i64>(<i32>old)), <u64>(<i64>(<i32>value)), <u32>op)
      : amoResult(old, value, <u32>op);
  storeRam(host, result, size);
  return old;
}

/** AMOCAS.W/D: stores `value` where memory equals rd. The old value, zero-extended. A store in all its faults. */
export function amocas(hart: u32, va: u64, value: u64, bytes: u64, raw: u64): u64 {
  const size = <u32>bytes;
  const host = swapped(hart, va, size);
  if (host == TRAPPED) return 0;
  const old = readRam(host, size);
  const expected = get(hart, registerField(raw, 7));
  if (size == 4 ? <u32>old == <u32>expected : old == expected) storeRam(host, value, size);
  return old;
}

/** AMOCAS.Q: the same on 128 bits in pairs of registers, x0 standing for a pair of zeros. */
export function amocasQ(hart: u32, va: u64, raw: u64): u64 {
  const host = swapped(hart, va, 16);
  if (host == TRAPPED) return 0;
  const rd = registerField(raw, 7);
  const rs2 = registerField(raw, 20);
  const low = readRam(host, 8);
  const high = readRam(host + 8, 8);
  if (low == get(hart, rd) && high == upperOf(hart, rd)) {
    const newHigh = upperOf(hart, rs2);
    storeRam(host, get(hart, rs2), 8);
    storeRam(host + 8, newHigh, 8);
  }
  if (rd != HART_X) {
    set(hart, rd, low);
    set(hart, rd + 8, high);
  }
  return 0;
}

/** Linear-memory address of an operand of AMOCAS; TRAPPED when it is misaligned, forbidden or no RAM. */
function swapped(hart: u32, va: u64, size: u32): u32 {
  const mode = get32(hart, HART_DATA_MODE);
  if (va & <u64>(size - 1)) {
    raiseMisaligned(hart, CAUSE_STORE_MISALIGNED, va, mode);
    return TRAPPED;
  }
  const host = locate(hart, va, size, 0, STORE, mode, true);
  if (host != DEVICE) return host;
  raiseAccess(hart, STORE, va, 0, mode);
  return TRAPPED;
}

/** Offset in the hart's block of the register whose number stands at bit `at` of the instruction. */
function registerField(raw: u64, at: u64): u32 {
  return HART_X + ((<u32>(raw >> at) & 31) << 3);
}

function upperOf(hart: u32, register: u32): u64 {
  return register == HART_X ? 0 : get(hart, register + 8);
}

/** MULH: high half of the signed product. */
export function mulh(hart: u32, a: u64, b: u64): u64 {
  let high = highProduct(a, b);
  if (<i64>a < 0) high -= b;
  if (<i64>b < 0) high -= a;
  return high;
}

/** MULHSU: high half of signed `a` times unsigned `b`. */
export function mulhsu(hart: u32, a: u64, b: u64): u64 {
  const high = highProduct(a, b);
  return <i64>a < 0 ? high - b : high;
}

/** MULHU: high half of the unsigned product. */
export function mulhu(hart: u32, a: u64, b: u64): u64 {
  return highProduct(a, b);
}

/** Operands sign-extended, so that the comparisons of the word forms come out right, unsigned ones included. */
function amoResult(old: u64, value: u64, op: u32): u64 {
  switch (op) {
    case 0x00:
      return old + value;
    case 0x01:
      return value;
    case 0x04:
      return old ^ value;
    case 0x08:
      return old | value;
    case 0x0c:
      return old & value;
    case 0x10:
      return <i64>old < <i64>value ? old : value;
    case 0x14:
      return <i64>old > <i64>value ? old : value;
    case 0x18:
      return old < value ? old : value;
    default:
      return old > value ? old : value;
  }
}

/** Physical address of a linear-memory address; ROM gets addresses that no RAM has. */
// @ts-ignore: decorator
@inline
function reservationOf(host: u32): u64 {
  return <u64>(host - machine32(MACHINE_RAM_HOST)) + RAM_BASE;
}

/** High 64 bits of an unsigned 128-bit product, from four 32-bit ones. */
function highProduct(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  const middle2 = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (middle2 >> 32);
}
