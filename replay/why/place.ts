/** Steps and locations as people read them. */
import { csrByNumber, disassemble, type MachineSymbols, type Mode } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';
import type { Location } from './flow.ts';
import type { RunSteps, StepNumber } from './steps.ts';

/** An instruction or trap of a run. */
export interface StepPlace extends Position {
  readonly hart: number;
  readonly mode: Mode;
  /** hgatp.VMID of the hart. */
  readonly vmid: number;
  readonly pc: bigint;
  readonly symbol?: string;
  /** `lazarus/sched.c:123`. */
  readonly source?: string;
  /** Disassembly; of traps their cause. */
  readonly text: string;
}

/** A step as plain data. Logs its window, if it is not there any more. */
export function placeOf(run: RunSteps, symbols: MachineSymbols, number: StepNumber): StepPlace {
  const step = run.get(number);
  const { ticks, hart, mode, vmid, pc, raw } = step;
  const text = step.isTrap
    ? trapText(raw)
    : disassemble(raw, pc, { symbolize: (at) => symbols.describe(mode, at, vmid) });
  return { moment: run.momentOf(number), ticks, hart, mode, vmid, pc, ...symbols.codeAt(mode, pc, vmid), text };
}

const trapText = (raw: number): string =>
  raw >>> 31 === 1 ? `interrupt ${raw & 0x7fffffff}` : `exception ${raw & 0x7fffffff}`;

/** A location as the language of places writes it. */
export function locationText(location: Location): string {
  if (location.kind === 'csr') return csrByNumber(location.number)?.name ?? location.field;
  if (location.kind === 'memory') return `[0x${location.paddr.toString(16)}]:${location.bytes}`;
  return registerName(location.number);
}

const registerName = (number: number): string => {
  // The disassembler knows the names: `mv` and `fmv.d` of the register itself.
  const word = number < 32 ? 0x13 | (number << 7) : 0x22000053 | ((number - 32) * 0x0010_8080);
  const text = disassemble(word >>> 0, 0n);
  return number === 0 ? 'zero' : number < 32 ? /\s([a-z0-9]+),/.exec(text)![1]! : `f${number - 32}`;
};
