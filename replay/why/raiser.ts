/**
 * What raised an interrupt: the store to the interrupt controller, or write to the comparator, that made it pending.
 * @see ACLINT specification, chapters 2 and 3; Volume II, "Sstc"
 */
import { CLINT, csrByName, csrByNumber, STEP_FLAGS, type Steps } from '../../engine/index.ts';
import type { UsePair } from './compare.ts';
import { csrLocation } from './flow.ts';
import type { RunSteps, Step, StepNumber } from './steps.ts';

/** Records looked at. */
const FAR = 4_000_000;
const DEVICE_WRITE = STEP_FLAGS.WRITES | STEP_FLAGS.DEVICE;
const CSR_WRITE = STEP_FLAGS.WRITES | STEP_FLAGS.CSR;

/** By cause: the CSR whose last write on the hart decides. */
const COMPARATORS: Readonly<Record<number, string>> = { 5: 'stimecmp', 6: 'vstimecmp' };

/** An interrupt of a hart that is pending, or is not, right before a step. */
export interface Pending {
  readonly hart: number;
  /** Its number, as traps have it. */
  readonly cause: number;
  readonly at: StepNumber;
}

/** The interrupt that a trap took. */
export const takenBy = ({ hart, raw, number }: Step): Pending => ({ hart, cause: raw & 0x7fffffff, at: number });

/** The interrupts that two reads of the same CSR show differently, in each run; none: it shows no pending ones. */
export function shownPending({ a, b, atA, atB }: UsePair): readonly { readonly a: Pending; readonly b: Pending }[] {
  if (a.location.kind !== 'csr' || b.location.kind !== 'csr') return [];
  const { source, shift = 0 } = csrByNumber(a.location.number)?.implementation ?? {};
  if (source !== 'pending' || a.location.number !== b.location.number) return [];
  const found = [];
  for (let [bits, cause] = [a.value ^ b.value, shift]; bits > 0n; bits >>= 1n, cause++) {
    if (!(bits & 1n)) continue;
    found.push({ a: { hart: a.location.hart, cause, at: atA }, b: { hart: b.location.hart, cause, at: atB } });
  }
  return found;
}

/** The step that raised an interrupt, or did not; undefined: a device by itself does, or it is too far back. */
export function raiserOf(run: RunSteps, { hart, cause, at: before }: Pending): StepNumber | undefined {
  const storesTo = (address: number, bytes: number) => (steps: Steps, n: number) =>
    (steps.flags(n) & DEVICE_WRITE) === DEVICE_WRITE &&
    steps.address(n) >= address &&
    steps.address(n) < address + bytes;
  if (cause === 3) return run.back(before, FAR, storesTo(CLINT.msip + 4 * hart, 4));
  if (cause === 7) return run.back(before, FAR, storesTo(CLINT.mtimecmp + 8 * hart, 8));
  const name = COMPARATORS[cause];
  const numbers = name === undefined ? [] : [name, 'stimecmp'].map((each) => csrByName(each)?.number);
  if (numbers.length === 0) return undefined;
  const writes = (steps: Steps, n: number) =>
    steps.hart(n) === hart && (steps.flags(n) & CSR_WRITE) === CSR_WRITE && numbers.includes(steps.address(n));
  // Inside a VM stimecmp means vstimecmp.
  for (let at = run.back(before, FAR, writes); at !== undefined; at = run.back(at, FAR, writes)) {
    const written = csrLocation(run.get(at));
    if (written?.field === name) return at;
  }
  return undefined;
}
