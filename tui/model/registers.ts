/**
 * Register names and values for display: integer registers under their ABI names, and the CSRs that matter when a
 * hypervisor fails. Relies on `Machine.hart` and `Machine.csr`, which have no side effects.
 */
import type { Machine } from '../../engine/index.ts';
import { hex } from '../format.ts';
import { type Line, type RegisterFile, type State, span } from './types.ts';

/** ABI names of x1…x31 (x0 is always zero and not shown). */
const ABI_NAMES = [
  ...['ra', 'sp', 'gp', 'tp', 't0', 't1', 't2', 's0', 's1'],
  ...['a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'],
  ...['s2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11', 't3', 't4', 't5', 't6'],
] as const;

export const CSR_NAMES = [
  ...['mstatus', 'mcause', 'mepc', 'mtval', 'mtvec', 'mscratch', 'mie', 'mip', 'mideleg', 'medeleg'],
  ...['sstatus', 'scause', 'sepc', 'stval', 'stvec', 'sscratch', 'sie', 'sip', 'satp', 'stimecmp'],
  ...['hstatus', 'hgatp', 'hedeleg', 'hideleg', 'hvip', 'htval', 'htinst', 'htimedelta'],
  ...['vsstatus', 'vscause', 'vsepc', 'vstval', 'vstvec', 'vsscratch', 'vsatp', 'vstimecmp'],
] as const;

/** Values of pc, the integer registers and the named CSRs of every hart. */
export function registerFile(machine: Machine, csrs: readonly string[]): RegisterFile {
  return Array.from({ length: machine.config.harts }, (_, hart) => {
    const { x, pc } = machine.hart(hart);
    const values = new Map<string, bigint>([['pc', pc]]);
    ABI_NAMES.forEach((name, i) => {
      values.set(name, x[i + 1]!);
    });
    for (const name of csrs) values.set(name, machine.csr(hart, name));
    return values;
  });
}

/** The order on the screen: what a small screen must show comes first. */
const SHOWN = [
  ...['pc', 'ra', 'sp', 's0', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'],
  ...['t0', 't1', 't2', 't3', 't4', 't5', 't6', 's1', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11'],
  ...['gp', 'tp'],
];

const namesOf = (showCsrs: boolean): readonly string[] => (showCsrs ? CSR_NAMES : SHOWN);
const nameWidthOf = (names: readonly string[]): number => Math.max(...names.map((name) => name.length));

/** Columns that one register takes: mark, name, value. */
export function registerCellWidth(showCsrs: boolean): number {
  return 1 + nameWidthOf(namesOf(showCsrs)) + 1 + 16;
}

/** Rows of `*name value` cells, as many to a row as fit; `*` marks what the last move changed. */
export function registerLines(machine: Machine, state: State, width: number): Line[] {
  const names = namesOf(state.showCsrs);
  const now = registerFile(machine, state.showCsrs ? CSR_NAMES : [])[state.hart]!;
  const before = state.baseline[state.hart];
  const nameWidth = nameWidthOf(names);
  const columns = Math.max(1, Math.floor((width + 1) / (registerCellWidth(state.showCsrs) + 1)));
  const lines: Line[] = [];
  for (let row = 0; row * columns < names.length; row++) {
    const line = [];
    for (let column = 0; column < columns; column++) {
      const name = names[row * columns + column];
      if (name === undefined) continue;
      const value = now.get(name)!;
      const changed = before?.has(name) === true && before.get(name) !== value;
      const text = `${changed ? '*' : ' '}${name.padEnd(nameWidth)} ${hex(value, 0).slice(2).padStart(16)}`;
      line.push(span(column === 0 ? text : ` ${text}`, changed ? 'changed' : 'plain'));
    }
    lines.push(line);
  }
  return lines;
}
