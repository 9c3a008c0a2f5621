/**
 * ACLINT at 0x200_0000 in its CLINT-compatible arrangement (RISC-V ACLINT 1.0-rc4 sections 2 and 3): MSWI at 0,
 * MTIMER comparators at 0x4000, mtime at 0xbff8. Its registers are the harts' own state (HART.lines bit 3,
 * HART.mtimecmp) because the core reads them at every deadline; the record is empty.
 * mtime is counted from instructions and cannot be set: stores to it are ignored.
 */
import type { Device } from './device.ts';
import { placeRecord } from './record.ts';

const MTIMECMP = 0x4000;
const MTIME = 0xbff8;
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
  },
  load({ board }, offset) {
    if (offset < 4 * board.hartCount) return board.hartLine(offset >> 2, MSIP) ? 1 : 0;
    const comparator = comparatorAt(offset, board.hartCount);
    if (comparator) return board.mtimecmp(comparator.hart, comparator.half);
    if (offset === MTIME) return board.mtime() >>> 0;
    if (offset === MTIME + 4) return Math.floor(board.mtime() / 0x100000000);
    return 0;
  },
  store({ board }, offset, _sizeBytes, value) {
    if (offset < 4 * board.hartCount) {
      board.setHartLine(offset >> 2, MSIP, (value & 1) !== 0);
      return;
    }
    const comparator = comparatorAt(offset, board.hartCount);
    if (comparator) board.setMtimecmp(comparator.hart, comparator.half, value);
  },
};

function comparatorAt(offset: number, hartCount: number): { hart: number; half: 0 | 1 } | undefined {
  if (offset < MTIMECMP || offset >= MTIMECMP + 8 * hartCount) return undefined;
  return { hart: (offset - MTIMECMP) >> 3, half: (offset & 4) === 0 ? 0 : 1 };
}
