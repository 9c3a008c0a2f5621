/**
 * Harts in a trap loop, told to people: which, by what exception, where. Relies on the engine for finding them and on
 * the images' symbols.
 */
import {
  codeText,
  exceptionName,
  type Machine,
  readMachineSymbols,
  type TrapLoop,
  trapCsr,
  trapLoops,
} from '../../engine/index.ts';
import { hex } from '../base/index.ts';

/** A line for each hart that is in a trap loop where the machine stands. `symbols`: of its images. */
export function trapLoopLines(machine: Machine, symbols = readMachineSymbols(machine.config)): string[] {
  const loops = trapLoops(machine);
  if (loops.length === 0) return [];
  return loops.map((loop) => trapLoopText(loop, codeText(symbols.codeAt(loop.from, loop.pc, loop.vmid))));
}

function trapLoopText({ hart, from, to, vmid, cause, pc, tval }: TrapLoop, code: string): string {
  const mode = from === 'VS' || from === 'VU' ? `${from}-mode of VM ${vmid}` : `${from}-mode`;
  const place = `pc ${hex(pc, 8)} ${code}`.trimEnd();
  const taker = from === to ? '' : `, taken in ${to}-mode`;
  return `hart ${hart} is in a trap loop: ${exceptionName(cause)} in ${mode} at ${place}, ${trapCsr(to, 'tval')} ${hex(tval)}${taker}`;
}
