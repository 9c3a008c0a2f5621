/**
 * Register names and values for display: integer and floating-point registers under their ABI names, and the CSRs that
 * matter when a hypervisor fails. Relies on `Machine.hart` and `Machine.csr`, which have no side effects.
 */
import type { Machine } from '../../engine/index.ts';
import { span } from './text.ts';
import type { Line, RegisterFile, RegisterSet, State } from './types.ts';

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

/** ABI names of f0…f31. */
const FLOAT_ABI_NAMES = [
  ...['ft0', 'ft1', 'ft2', 'ft3', 'ft4', 'ft5', 'ft6', 'ft7', 'fs0', 'fs1'],
  ...['fa0', 'fa1', 'fa2', 'fa3', 'fa4', 'fa5', 'fa6', 'fa7'],
  ...['fs2', 'fs3', 'fs4', 'fs5', 'fs6', 'fs7', 'fs8', 'fs9', 'fs10', 'fs11', 'ft8', 'ft9', 'ft10', 'ft11'],
] as const;

/** Values of pc, the integer registers and the shown set of every hart. */
export function registerFile(machine: Machine, set: RegisterSet): RegisterFile {
  return Array.from({ length: machine.config.harts }, (_, hart) => registersOf(machine, hart, set));
}

function registersOf(machine: Machine, hart: number, set: RegisterSet): ReadonlyMap<string, bigint> {
  const { x, f, fcsr, pc } = machine.hart(hart);
  const values = new Map<string, bigint>([['pc', pc]]);
  ABI_NAMES.forEach((name, i) => {
    values.set(name, x[i + 1]!);
  });
  if (set === 'csr') for (const name of CSR_NAMES) values.set(name, machine.csr(hart, name));
  if (set === 'float') {
    values.set('fcsr', BigInt(fcsr));
    FLOAT_ABI_NAMES.forEach((name, i) => {
      values.set(name, f[i]!);
    });
  }
  return values;
}

/** The order on the screen: what a small screen must show comes first. */
const SHOWN = [
  ...['pc', 'ra', 'sp', 's0', 'a0', 'a1', 'a2', 'a3', 'a4', 'a5', 'a6', 'a7'],
  ...['t0', 't1', 't2', 't3', 't4', 't5', 't6', 's1', 's2', 's3', 's4', 's5', 's6', 's7', 's8', 's9', 's10', 's11'],
  ...['gp', 'tp'],
];

const NAMES: Record<RegisterSet, readonly string[]> = {
  integer: SHOWN,
  csr: CSR_NAMES,
  float: [
    'fcsr',
    ...FLOAT_ABI_NAMES.filter((name) => name.startsWith('fa')),
    ...FLOAT_ABI_NAMES.filter((name) => !name.startsWith('fa')),
  ],
};
const nameWidthOf = (names: readonly string[]): number => Math.max(...names.map((name) => name.length));

/** Hexadecimal digits of a register. */
const DIGITS = 16;

/** Columns that one register takes: mark, name, value. */
export function registerCellWidth(set: RegisterSet): number {
  return 1 + nameWidthOf(NAMES[set]) + 1 + DIGITS;
}

/**
 * Rows of `*name value` cells, as many to a row as fit; `*` marks what the last move changed. Where not even one fits,
 * the value stands below its name.
 */
export function registerLines(
  machine: Machine,
  state: Pick<State, 'hart' | 'registerSet' | 'baseline'>,
  width: number,
): Line[] {
  const names = NAMES[state.registerSet];
  const now = registersOf(machine, state.hart, state.registerSet);
  const before = state.baseline[state.hart];
  const nameWidth = nameWidthOf(names);
  const cells = names.map((name) => {
    const value = now.get(name)!;
    const changed = before?.has(name) === true && before.get(name) !== value;
    const label = `${changed ? '*' : ' '}${name.padEnd(nameWidth)}`;
    return { label, value: value.toString(16).padStart(DIGITS), tone: changed ? 'changed' : 'plain' } as const;
  });
  const cellWidth = registerCellWidth(state.registerSet);
  if (cellWidth > width) {
    return cells.flatMap(({ label, value, tone }) => [[span(label.trimEnd(), tone)], [span(` ${value}`, tone)]]);
  }
  const perRow = Math.floor((width + 1) / (cellWidth + 1));
  return Array.from({ length: Math.ceil(cells.length / perRow) }, (_, row) =>
    cells
      .slice(row * perRow, (row + 1) * perRow)
      .map(({ label, value, tone }, column) => span(`${column === 0 ? '' : ' '}${label} ${value}`, tone)),
  );
}
