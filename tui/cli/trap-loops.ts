/**
 * Harts in a trap loop, told to people: which, by what exception, where. Relies on the engine for finding them and on
 * the images' symbols.
 */
import {
  exceptionName,
  type Machine,
  readMachineSymbols,
  type TrapLoop,
  trapCsr,
  trapLoops,
} from '../../engine/index.ts';
import { hex } from '../base/index.ts';

/** A line for each hart that is in a trap loop where the machine stands. */
export function trapLoopLines(machine: Machine): string[] {
  const loops = trapLoops(machine);
  if (loops.length === 0) return [];
  const symbols = readMachineSymbols(machine.config);
  return loops.map((loop) => trapLoopText(loop, symbols.describe(loop.from, loop.pc)));
}

function trapLoopText({ hart, from, to, vmid, cause, pc, tval }: TrapLoop, symbol: string | undefined): string {
  const mode = from === 'VS' || from === 'VU' ? `${from}-mode of VM ${vmid}` : `${from}-mode`;
  const place = `pc ${hex(pc, 8)}${symbol === undefined ? '' : ` (${symbol})`}`;
  const taker = from === to ? '' : `, taken in ${to}-mode`;
  return `hart ${hart} is in a trap loop: ${exceptionName(cause)} in ${mode} at ${place}, ${trapCsr(to, 'tval')} ${hex(tval)}${taker}`;
}
