/**
 * Injected faults that wait for their occasion: an interrupt that will be lost or late, a request that will fail, code
 * that is put right at the next detection, a stuck bit of code that comes back. A device without registers, so that
 * what waits is saved, digested and replayed like everything else; software cannot see it. The bus asks it at each
 * occasion (engine/machine/bus/bus.ts).
 */
import { offsetOf } from '../core/index.ts';
import { type Device, NEVER, type Port } from './device.ts';
import { placeRecord } from './record.ts';
import { getWide, setWide } from './words.ts';

const ENTRIES = 8;
/** 0: the entry is free. `raise…`: an interrupt that is on its way, due at `ticks`. */
const KIND = { repair: 1, ipi: 2, source: 3, ioError: 4, dropFrame: 5, raiseIpi: 6, raiseSource: 7, stuck: 8 } as const;
export type FaultKind = keyof typeof KIND;

const record = placeRecord('faults', [
  {
    name: 'ticks',
    type: 'u64',
    count: ENTRIES,
    doc: 'delay of an interrupt that will be late (0: lost), then its due tick',
  },
  { name: 'armed', type: 'u32', doc: 'entries in use' },
  { name: 'kind', type: 'u32', count: ENTRIES, doc: 'what waits: see engine/devices/fault-unit.ts' },
  { name: 'where', type: 'u32', count: ENTRIES, doc: 'RAM offset, hart, interrupt source or virtio slot' },
  { name: 'value', type: 'u32', count: ENTRIES, doc: 'repairs and stuck bits: mask of bits | their values << 8' },
]);
const TICKS = offsetOf(record, 'ticks');
const ARMED = offsetOf(record, 'armed');
const KINDS = offsetOf(record, 'kind');
const WHERE = offsetOf(record, 'where');
const VALUE = offsetOf(record, 'value');

export const faultUnit: Device = {
  name: 'faults',
  sizeBytes: 0,
  accessSizes: [],
  record,
  reset() {},
  load: () => 0,
  store() {},
  deadline(port) {
    let next = NEVER;
    for (const n of entries(port)) {
      if (isRaise(port.get(KINDS + 4 * n))) next = Math.min(next, getWide(port, TICKS + 8 * n));
    }
    return next;
  },
};

/** What an entry says. */
export interface FaultEntry {
  readonly kind: FaultKind;
  readonly where: number;
  readonly value: number;
  readonly ticks: number;
}

/** True when anything waits; asked at every device access. */
export const anyFault = (port: Port): boolean => port.get(ARMED) !== 0;

/** Adds an entry. False when all are taken. */
export function armFault(port: Port, { kind, where, value, ticks }: FaultEntry): boolean {
  for (let n = 0; n < ENTRIES; n++) {
    if (port.get(KINDS + 4 * n) !== 0) continue;
    port.set(KINDS + 4 * n, KIND[kind]);
    port.set(WHERE + 4 * n, where);
    port.set(VALUE + 4 * n, value);
    setWide(port, TICKS + 8 * n, ticks);
    port.set(ARMED, port.get(ARMED) + 1);
    return true;
  }
  return false;
}

/** Takes the first entry of a kind; `where`: only one for this hart, source or slot. */
export function takeFault(port: Port, kind: FaultKind, where?: number): FaultEntry | undefined {
  for (const n of entries(port)) {
    if (port.get(KINDS + 4 * n) !== KIND[kind] || (where !== undefined && port.get(WHERE + 4 * n) !== where)) continue;
    return take(port, n, kind);
  }
  return undefined;
}

/** The entries of a kind, which stay. */
export const standingFaults = (port: Port, kind: FaultKind): FaultEntry[] =>
  entries(port).flatMap((n) => (port.get(KINDS + 4 * n) === KIND[kind] ? [entryOf(port, n, kind)] : []));

/** Takes the interrupts that are due. */
export function takeDue(port: Port, now: number): FaultEntry[] {
  return entries(port).flatMap((n) => {
    const kind = port.get(KINDS + 4 * n);
    if (!isRaise(kind) || getWide(port, TICKS + 8 * n) > now) return [];
    return [take(port, n, kind === KIND.raiseIpi ? 'raiseIpi' : 'raiseSource')];
  });
}

const isRaise = (kind: number): boolean => kind === KIND.raiseIpi || kind === KIND.raiseSource;

const entryOf = (port: Port, n: number, kind: FaultKind): FaultEntry => ({
  kind,
  where: port.get(WHERE + 4 * n),
  value: port.get(VALUE + 4 * n),
  ticks: getWide(port, TICKS + 8 * n),
});

function take(port: Port, n: number, kind: FaultKind): FaultEntry {
  const entry = entryOf(port, n, kind);
  for (const words of [KINDS, WHERE, VALUE]) port.set(words + 4 * n, 0);
  setWide(port, TICKS + 8 * n, 0);
  port.set(ARMED, port.get(ARMED) - 1);
  return entry;
}

/** Numbers of the entries in use, in order. */
function entries(port: Port): number[] {
  if (port.get(ARMED) === 0) return [];
  return Array.from({ length: ENTRIES }, (_, n) => n).filter((n) => port.get(KINDS + 4 * n) !== 0);
}
