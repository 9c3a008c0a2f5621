/**
 * What raised an interrupt: the store to the interrupt controller, or write to the comparator, that made it pending.
 * @see ACLINT specification, chapters 2 and 3; Volume II, "Sstc"
 */
import { CLINT, csrByName, STEP_FLAGS, type Steps } from '../../engine/index.ts';
import { csrLocation } from './flow.ts';
import type { RunSteps, Step, StepNumber } from './steps.ts';

/** Records looked at. */
const FAR = 4_000_000;
const DEVICE_WRITE = STEP_FLAGS.WRITES | STEP_FLAGS.DEVICE;
const CSR_WRITE = STEP_FLAGS.WRITES | STEP_FLAGS.CSR;

/** By cause: the CSR whose last write on the hart decides. */
const COMPARATORS: Readonly<Record<number, string>> = { 5: 'stimecmp', 6: 'vstimecmp' };

/** The step that raised the interrupt whose trap `interrupt` is; undefined: a device by itself, or too far back. */
export function raiserOf(run: RunSteps, interrupt: Step): StepNumber | undefined {
  const cause = interrupt.raw & 0x7fffffff;
  const { hart } = interrupt;
  const storesTo = (address: number, bytes: number) => (steps: Steps, n: number) =>
    (steps.flags(n) & DEVICE_WRITE) === DEVICE_WRITE &&
    steps.address(n) >= address &&
    steps.address(n) < address + bytes;
  if (cause === 3) return run.back(interrupt.number, FAR, storesTo(CLINT.msip + 4 * hart, 4));
  if (cause === 7) return run.back(interrupt.number, FAR, storesTo(CLINT.mtimecmp + 8 * hart, 8));
  const name = COMPARATORS[cause];
  const numbers = name === undefined ? [] : [name, 'stimecmp'].map((each) => csrByName(each)?.number);
  if (numbers.length === 0) return undefined;
  const writes = (steps: Steps, n: number) =>
    steps.hart(n) === hart && (steps.flags(n) & CSR_WRITE) === CSR_WRITE && numbers.includes(steps.address(n));
  // Inside a VM stimecmp means vstimecmp.
  for (let at = run.back(interrupt.number, FAR, writes); at !== undefined; at = run.back(at, FAR, writes)) {
    const written = csrLocation(run.get(at));
    if (written?.field === name) return at;
  }
  return undefined;
}
