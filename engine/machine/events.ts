/**
 * Turns the core's ring of observed privilege transitions into events. Relies on the core for recording; drains before
 * every other event, so that all come in order.
 */
import { CONSTANTS, EVENT, MACHINE, offsetOf } from '../core/index.ts';
import type { HartState, MachineEvent, Mode, Moment, ObservedTransitions, Ticks } from './types.ts';

const word = (name: string) => (CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, name)) >> 2;
const RING = word('eventsHost');
const COUNT = word('eventsCount');
const at = (name: string) => offsetOf(EVENT, name);
/** EVENT.cause of a return. */
const RETURN = 0xffff;

/** Hands over what waits in the ring, oldest first, and empties it. */
export function drainTransitions(u32: Uint32Array, view: DataView, emit: (event: MachineEvent) => void): void {
  const count = u32[COUNT]!;
  if (count === 0) return;
  const ring = u32[RING]!;
  // Emptied first: whoever observes may look at the machine and come back here.
  u32[COUNT] = 0;
  for (let n = 0; n < count; n++) emit(transition(view, ring + n * EVENT.sizeBytes));
}

function transition(view: DataView, address: number): MachineEvent {
  const cause = view.getUint32(address + at('cause'), true);
  const trap = {
    cause: cause & 0x7fffffff,
    interrupt: cause >>> 31 === 1,
    tval: view.getBigUint64(address + at('tval'), true),
  };
  return {
    kind: 'transition',
    moment: Number(view.getBigUint64(address + at('moment'), true)),
    ticks: Number(view.getBigUint64(address + at('ticks'), true)),
    hart: view.getUint8(address + at('hart')),
    from: modeOf(view.getUint8(address + at('from'))),
    to: modeOf(view.getUint8(address + at('to'))),
    ...(cause === RETURN ? {} : { trap }),
    pc: view.getBigUint64(address + at('pc'), true),
    vmid: view.getUint32(address + at('vmid'), true),
  };
}

/**
 * What a reset does to harts, as transitions: each one that was not in M-mode is there now.
 * `harts`: before the reset; `at`: the position behind it.
 */
export function resetTransitions(
  harts: readonly Pick<HartState, 'mode' | 'vmid'>[],
  observed: ObservedTransitions,
  at: { readonly moment: Moment; readonly ticks: Ticks },
): MachineEvent[] {
  const isObserved = (from: Mode) => observed === 'all' || (observed === 'vm' && (from === 'VS' || from === 'VU'));
  return harts.flatMap(({ mode: from, vmid }, hart) =>
    from === 'M' || !isObserved(from)
      ? []
      : [{ kind: 'transition', ...at, hart, from, to: 'M', pc: BigInt(CONSTANTS.RESET_PC), vmid }],
  );
}

/** Mode from priv | virt << 2. With the H extension, S-mode outside a VM is HS-mode. */
export function modeOf(bits: number): Mode {
  const virt = (bits & 4) !== 0;
  if ((bits & 3) === 3) return 'M';
  if ((bits & 3) === 1) return virt ? 'VS' : 'HS';
  return virt ? 'VU' : 'U';
}
