/**
 * ACLINT at 0x200_0000 in its CLINT-compatible arrangement (RISC-V ACLINT 1.0-rc4 sections 2 and 3): MSWI at 0,
 * MTIMER comparators at 0x4000, mtime at 0xbff8. Its registers are the harts' own state (HART.lines bit 3,
 * HART.mtimecmp) because the core reads them at every deadline; the record is empty. mtime is virtual time plus an
 * offset (MACHINE.mtimeOffset) that stores to it set.
 */
import type { Board, Device } from './device.ts';
import { placeRecord } from './record.ts';

/** Offset of the comparators of machine timer interrupts, 8 bytes a hart. */
export const MTIMECMP = 0x4000;
const MTIME = 0xbff8;
const TWO_32 = 0x100000000;
/** mip.MSIP. */
const MSIP = 3;

export const aclint: Device = {
  name: 'aclint',
  sizeBytes: 0x10000,
  accessSizes: [4, 8],
  record: placeRecord('aclint', []),
  reset(port) {
    // The manual leaves mtimecmp undefined at reset; all ones keeps the timer quiet until software sets it.
    for (let hart = 0; hart < port.board.hartCount; hart++) {
      port.board.setMtimecmp(hart, 0, 0xffffffff);
      port.board.setMtimecmp(hart, 1, 0xffffffff);
      port.board.setHartLine(hart, MSIP, false);
    }
    setMtime(port.board, 0, 0);
    setMtime(port.board, 1, 0);
  },
  load({ board }, offset) {
    if (offset < 4 * board.hartCount) return board.hartLine(offset >> 2, MSIP) ? 1 : 0;
    const comparator = comparatorAt(offset, board.hartCount);
    if (comparator) return board.mtimecmp(comparator.hart, comparator.half);
    return offset === MTIME || offset === MTIME + 4 ? mtime(board)[half(offset)] : 0;
  },
  store({ board }, offset, _sizeBytes, value) {
    if (offset < 4 * board.hartCount) {
      board.setHartLine(offset >> 2, MSIP, (value & 1) !== 0);
      return;
    }
    const comparator = comparatorAt(offset, board.hartCount);
    if (comparator) board.setMtimecmp(comparator.hart, comparator.half, value);
    else if (offset === MTIME || offset === MTIME + 4) setMtime(board, half(offset), value);
  },
};

/** Halves of mtime, low first: virtual time and offset added modulo 2^64. */
function mtime(board: Board): [number, number] {
  const time = board.mtime();
  const low = (time >>> 0) + board.mtimeOffset(0);
  const carry = low > 0xffffffff ? 1 : 0;
  return [low >>> 0, (Math.floor(time / TWO_32) + board.mtimeOffset(1) + carry) >>> 0];
}

/** Makes one half of mtime show `value` now and leaves the other as it is. */
function setMtime(board: Board, which: 0 | 1, value: number): void {
  const wanted = mtime(board);
  wanted[which] = value;
  const time = board.mtime();
  const low = wanted[0] - (time >>> 0);
  const borrow = low < 0 ? 1 : 0;
  board.setMtimeOffset(0, low >>> 0);
  board.setMtimeOffset(1, (wanted[1] - Math.floor(time / TWO_32) - borrow) >>> 0);
}

const half = (offset: number): 0 | 1 => ((offset & 4) === 0 ? 0 : 1);

function comparatorAt(offset: number, hartCount: number): { hart: number; half: 0 | 1 } | undefined {
  if (offset < MTIMECMP || offset >= MTIMECMP + 8 * hartCount) return undefined;
  return { hart: (offset - MTIMECMP) >> 3, half: half(offset) };
}
