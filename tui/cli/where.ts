/**
 * "Where is the machine": moment, virtual time, and for each hart its mode, pc, symbol and next instruction. Shared
 * by `replay -g` and the record of a failure. Relies on the model's introspection.
 */
import type { Machine } from '../../engine/index.ts';
import { grouped, hex, table, virtualTime } from '../base/index.ts';
import { machineIntrospection } from '../model/index.ts';

export interface HartPlace {
  readonly hart: number;
  /** Whether this hart executes the next instruction. */
  readonly next: boolean;
  readonly mode: string;
  /** VMID when the hart is inside a VM. */
  readonly vmid?: number;
  readonly pc: bigint;
  readonly symbol?: string;
  readonly instruction?: string;
}

export interface Place {
  readonly moment: number;
  readonly ticks: number;
  readonly harts: readonly HartPlace[];
}

/** Looks at the machine as it stands. */
export function whereIs(machine: Machine): Place {
  const introspection = machineIntrospection(machine);
  const next = machine.next().hart;
  const harts = Array.from({ length: machine.config.harts }, (_, hart) => {
    const { mode, vmid, pc } = machine.hart(hart);
    const symbol = introspection.symbol(machine, hart, pc);
    const instruction = introspection.disassemble(machine, hart, pc, 0, 0)[0]?.text.replaceAll('\t', ' ');
    return {
      hart,
      next: hart === next,
      mode,
      ...((mode === 'VS' || mode === 'VU') && { vmid }),
      pc,
      ...(symbol !== undefined && { symbol }),
      ...(instruction !== undefined && { instruction }),
    };
  });
  return { moment: machine.moment, ticks: machine.ticks, harts };
}

/** The same for people; `*` marks the hart that executes next. */
export function placeText(place: Place): string {
  const rows = place.harts.map((at) => [
    `${at.next ? '*' : ' '} hart ${at.hart}`,
    at.vmid === undefined ? at.mode : `${at.mode} VM ${at.vmid}`,
    hex(at.pc, 8),
    at.symbol ?? '-',
    at.instruction ?? '(not mapped)',
  ]);
  return `moment ${grouped(place.moment)}, ${virtualTime(place.ticks)} of virtual time\n${table(rows)}`;
}
