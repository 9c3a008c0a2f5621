/**
 * Where the machine's own fields lie, for machine.ts, which reads and writes them without BigInt. Relies on the layout
 * table.
 */
import { CONSTANTS, HART, MACHINE, offsetOf } from '../../core/index.ts';

const word = (name: string) => (CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, name)) >> 2;
/** Fields of the machine block: index of their first 32-bit word in linear memory. */
export const W = {
  ticks: word('ticks'),
  moment: word('moment'),
  scheduleRng: word('scheduleRng'),
  quantumTicks: word('quantumTicks'),
  quantumJitter: word('quantumJitter'),
  hartCount: word('hartCount'),
  currentHart: word('currentHart'),
  haltCode: word('haltCode'),
  trapMoment: word('trapMoment'),
  trapRun: word('trapRun'),
  deviceDeadline: word('deviceDeadline'),
  stopMoment: word('stopMoment'),
  stopTicks: word('stopTicks'),
  stopCount: word('stopCount'),
  countedModes: word('countedModes'),
  hypervisorCount: word('hypervisorCount'),
  machineCount: word('machineCount'),
  workTicks: word('workTicks'),
  stopWork: word('stopWork'),
  stopRequest: word('stopRequest'),
  ramHashSum: word('ramHashSum'),
  mmioData: word('mmioData'),
  ramHost: word('ramHost'),
  romHost: word('romHost'),
  pageHashHost: word('pageHashHost'),
  scratchHost: word('scratchHost'),
} as const;
/** Fields of a hart: byte offset from its base. */
export const H = {
  x: offsetOf(HART, 'x'),
  f: offsetOf(HART, 'f'),
  fcsr: offsetOf(HART, 'fcsr'),
  pc: offsetOf(HART, 'pc'),
  priv: offsetOf(HART, 'priv'),
  virt: offsetOf(HART, 'virt'),
  waiting: offsetOf(HART, 'waiting'),
  instret: offsetOf(HART, 'instret'),
  hgatp: offsetOf(HART, 'hgatp'),
  workTicks: offsetOf(HART, 'workTicks'),
} as const;
