/** Breakpoints and watchpoints as lines of a list. */
import type { StopPoint } from '../../replay/index.ts';
import { counted, hex } from '../base/index.ts';

/** One line for each breakpoint and watchpoint. */
export const stopText = (one: StopPoint): string => {
  const at = one.kind === 'breakpoint' ? (one.paddr ?? one.pc) : one.at.address;
  const narrowed =
    one.kind === 'breakpoint'
      ? Object.entries({ mode: one.mode, vm: one.vmid, hart: one.hart }).flatMap(([key, value]) =>
          value === undefined ? [] : [` ${key}=${value}`],
        )
      : [`, ${counted(one.bytes, 'byte')}`];
  return `${one.id} ${one.kind} ${one.name}  ${at === undefined ? '' : hex(at)}${narrowed.join('')}`;
};
