/**
 * Position in the middle of a slice: what the running hart has spent since the slice began. Between slices: nothing.
 */
import { CONSTANTS, HART, hartAddress, MACHINE, offsetOf } from '../../core/index.ts';

export interface Clock {
  /** Position behind the instruction that a hart is executing. */
  ticks(): number;
  moment(): number;
  /** Position before that instruction, or where the machine stands. */
  before(): { readonly moment: number; readonly ticks: number };
}

const word = (name: string): number => (CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, name)) >> 2;
const MOMENT = word('moment');
const SLICE_START = word('sliceStartTicks');
const SLICE_BUDGET = word('sliceBudget');
const CURRENT_HART = word('currentHart');
const BUDGET = offsetOf(HART, 'budget');
const TRAPS = offsetOf(HART, 'traps');
const HIGH = 0x100000000;

/** Reads the words of a core's linear memory. No BigInt: devices ask at each access. */
export function createClock(u32: Uint32Array): Clock {
  const hartWord = (field: number) => (hartAddress(u32[CURRENT_HART]!) + field) >> 2;
  const spent = () => u32[SLICE_BUDGET]! - u32[hartWord(BUDGET)]!;
  const ticks = () => u32[SLICE_START]! + HIGH * u32[SLICE_START + 1]! + spent();
  const moment = () => u32[MOMENT]! + HIGH * u32[MOMENT + 1]! + spent() - u32[hartWord(TRAPS)]!;
  return {
    ticks,
    moment,
    before() {
      const executing = spent() > 0 ? 1 : 0;
      return { moment: moment() - executing, ticks: ticks() - executing };
    },
  };
}
