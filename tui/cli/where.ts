/**
 * "Where is the machine": moment, virtual time, and for each hart its mode, pc, symbol and next instruction. Shared
 * by `replay -g` and the record of a failure.
 */
import { codeText, disassembleAt, insideVm, type Machine, type MachineSymbols } from '../../engine/index.ts';
import { grouped, hex, table, virtualTime } from '../base/index.ts';

export interface HartPlace {
  readonly hart: number;
  /** Whether this hart executes the next instruction. */
  readonly next: boolean;
  readonly mode: string;
  /** VMID when the hart is inside a VM. */
  readonly vmid?: number;
  readonly pc: bigint;
  readonly symbol?: string;
  readonly source?: string;
  readonly instruction?: string;
}

export interface Place {
  readonly moment: number;
  readonly ticks: number;
  readonly harts: readonly HartPlace[];
}

/** Looks at the machine as it stands. */
export function whereIs(machine: Machine, symbols: MachineSymbols): Place {
  const next = machine.next().hart;
  const harts = Array.from({ length: machine.config.harts }, (_, hart) => {
    const { mode, vmid, pc } = machine.hart(hart);
    const instruction = disassembleAt(machine, hart, pc, 1, symbols)[0]?.text.replaceAll('\t', ' ');
    return {
      hart,
      next: hart === next,
      mode,
      ...(insideVm(mode) && { vmid }),
      pc,
      ...symbols.codeAt(mode, pc, vmid),
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
    codeText(at) || '-',
    at.instruction ?? '(not mapped)',
  ]);
  return `moment ${grouped(place.moment)}, ${virtualTime(place.ticks)} of virtual time\n${table(rows)}`;
}
