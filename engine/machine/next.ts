/**
 * Foretells which hart executes the next instruction, and at which pc: after turns, after waiting harts are skipped,
 * after interrupts that are due are taken. The core answers for turns; interrupts are really taken, on state that is
 * put back afterwards. A synchronous trap of the instruction itself is not foretold.
 * Relies on interrupts changing no RAM, and on the core recomputing translation contexts for every slice. Devices may
 * change anything: when one may act before, the machine has to be run and put back (`nextByRunning`).
 */
import type { Core } from '../core/index.ts';
import { CONSTANTS, HART, hartAddress, MACHINE, offsetOf } from '../core/layout.ts';
import { invariant } from '../errors.ts';
import { readState, type SavedPart, writeState } from './state.ts';
import type { Machine } from './types.ts';

const CSR_MIP = 0x344;
const CSR_MIE = 0x304;
const MSTATUS_SIE = 1n << 1n;
const MSTATUS_MIE = 1n << 3n;
const STIP = 1n << 5n;
const VSTIP = 1n << 6n;
const MTIP = 1n << 7n;
const STCE = 1n << 63n;
const MODE_S = 1;
const MODE_M = 3;
/** Interrupts nest at most once for each privilege that takes them. */
const MAX_TAKEN = 3 * CONSTANTS.MAX_HARTS + 1;
const NEVER = (1n << 64n) - 1n;

const machineField = (name: string) => CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, name);
const AT = {
  ticks: machineField('ticks'),
  mtimeOffset: machineField('mtimeOffset'),
  sliceStartTicks: machineField('sliceStartTicks'),
  stopMoment: machineField('stopMoment'),
  stopTicks: machineField('stopTicks'),
  stopRequest: machineField('stopRequest'),
  haltCode: machineField('haltCode'),
  currentHart: machineField('currentHart'),
  deviceDeadline: machineField('deviceDeadline'),
  eventsEnabled: machineField('eventsEnabled'),
} as const;

/**
 * The hart and pc of the next instruction. When nothing will happen without input: the hart whose turn comes next.
 * undefined when a device may act before.
 */
export function nextInstruction(core: Core, parts: readonly SavedPart[]): { hart: number; pc: bigint } | undefined {
  const view = new DataView(core.memory.buffer);
  const first = core.arch.nextHart();
  const deadline = view.getBigUint64(AT.deviceDeadline, true);
  const asleep = first === core.hartCount && deadline !== NEVER;
  if (asleep || deadline - view.getBigUint64(AT.ticks, true) <= MAX_TAKEN) return undefined;
  if (first < core.hartCount && !interruptDue(core, view, first)) return at(view, first);
  const u8 = new Uint8Array(core.memory.buffer);
  const saved = new Uint8Array(parts.reduce((sum, part) => sum + part.block.savedBytes, 0));
  readState(u8, parts, saved);
  const observed = view.getUint32(AT.eventsEnabled, true);
  view.setUint32(AT.eventsEnabled, 0, true);
  const found = settle(core, view);
  writeState(u8, parts, saved);
  view.setBigUint64(AT.sliceStartTicks, view.getBigUint64(AT.ticks, true), true);
  view.setUint32(AT.eventsEnabled, observed, true);
  return found;
}

/** Skips and takes interrupts until an instruction is next. Changes saved state. */
function settle(core: Core, view: DataView): { hart: number; pc: bigint } {
  for (let taken = 0; taken < MAX_TAKEN; taken++) {
    let hart = core.arch.nextHart();
    if (hart === core.hartCount && skipToTimer(core, view)) hart = core.arch.nextHart();
    if (hart === core.hartCount) return at(view, (view.getUint32(AT.currentHart, true) + 1) % core.hartCount);
    if (view.getUint32(AT.haltCode, true) !== 0 || !interruptDue(core, view, hart)) return at(view, hart);
    view.setBigUint64(AT.stopMoment, NEVER, true);
    view.setBigUint64(AT.stopTicks, view.getBigUint64(AT.ticks, true) + 1n, true);
    view.setUint32(AT.stopRequest, 0, true);
    core.arch.run();
  }
  invariant(false, `${MAX_TAKEN} interrupts in a row without an instruction`);
}

/**
 * The same, found by running the machine until an instruction has retired and then to right before it. The caller puts
 * the machine back. `currentHart`: the hart that had the last turn.
 */
export function nextByRunning(
  machine: Pick<Machine, 'snapshot' | 'restore' | 'run' | 'step' | 'hart' | 'moment' | 'ticks' | 'config'>,
  currentHart: () => number,
): { hart: number; pc: bigint } {
  const start = machine.snapshot();
  const { moment } = machine;
  machine.step();
  if (machine.moment === moment) {
    machine.restore(start);
    const hart = (currentHart() + 1) % machine.config.harts;
    return { hart, pc: machine.hart(hart).pc };
  }
  const hart = currentHart();
  const before = machine.ticks - 1;
  machine.restore(start);
  // An instruction takes one tick; its hart has taken its interrupts before.
  machine.run({ ticks: before });
  return { hart, pc: machine.hart(hart).pc };
}

const at = (view: DataView, hart: number) => ({ hart, pc: u64(view, hart, 'pc') });
const u64 = (view: DataView, hart: number, name: string) =>
  view.getBigUint64(hartAddress(hart) + offsetOf(HART, name), true);
const u32 = (view: DataView, hart: number, name: string) =>
  view.getUint32(hartAddress(hart) + offsetOf(HART, name), true);

/** Whether the hart takes an interrupt before its next instruction (privileged manual, "Machine Interrupt Registers"). */
function interruptDue(core: Core, view: DataView, hart: number): boolean {
  const pending = core.peekCsr(hart, CSR_MIP) & core.peekCsr(hart, CSR_MIE);
  if (pending === 0n) return false;
  const mode = u32(view, hart, 'priv');
  const virtual = u32(view, hart, 'virt') !== 0;
  const mstatus = u64(view, hart, 'mstatus');
  const mideleg = u64(view, hart, 'mideleg');
  const hideleg = u64(view, hart, 'hideleg');
  if ((mode < MODE_M || mstatus & MSTATUS_MIE) && pending & ~mideleg) return true;
  const supervisor = virtual || mode < MODE_S || (mode === MODE_S && (mstatus & MSTATUS_SIE) !== 0n);
  if (supervisor && pending & mideleg & ~hideleg) return true;
  const guest = virtual && (mode < MODE_S || (u64(view, hart, 'vsstatus') & MSTATUS_SIE) !== 0n);
  return guest && (pending & mideleg & hideleg) !== 0n;
}

/** All harts wait: moves virtual time to the first timer that wakes one. False when there is none. */
function skipToTimer(core: Core, view: DataView): boolean {
  const per = BigInt(CONSTANTS.TICKS_PER_MTIME);
  const now = view.getBigUint64(AT.ticks, true) / per;
  let wait = NEVER;
  for (let hart = 0; hart < core.hartCount; hart++) {
    const mie = core.peekCsr(hart, CSR_MIE);
    const consider = (enabled: boolean, shown: bigint, compare: bigint) => {
      if (enabled && compare > shown && compare - shown < wait) wait = compare - shown;
    };
    const sstc = (u64(view, hart, 'menvcfg') & STCE) !== 0n;
    const guestSstc = sstc && (u64(view, hart, 'henvcfg') & STCE) !== 0n;
    const shown = BigInt.asUintN(64, now + view.getBigUint64(AT.mtimeOffset, true));
    const guestNow = BigInt.asUintN(64, shown + u64(view, hart, 'htimedelta'));
    consider((mie & MTIP) !== 0n, shown, u64(view, hart, 'mtimecmp'));
    consider(sstc && (mie & STIP) !== 0n, shown, u64(view, hart, 'stimecmp'));
    consider(guestSstc && (mie & VSTIP) !== 0n, guestNow, u64(view, hart, 'vstimecmp'));
  }
  // As far away as the core counts as "never": 2^62 ticks.
  if ((now + wait) * per >= 1n << 62n) return false;
  view.setBigUint64(AT.ticks, (now + wait) * per, true);
  view.setBigUint64(AT.sliceStartTicks, (now + wait) * per, true);
  return true;
}
