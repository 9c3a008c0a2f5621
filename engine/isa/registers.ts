/** Names of the integer registers in the standard calling convention. @see RISC-V ABIs Specification, "Integer Register Convention" */
export const REGISTER_NAMES: readonly string[] =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(' ');

const NUMBERS = new Map<string, number>([
  ...REGISTER_NAMES.map((name, n): [string, number] => [name, n]),
  ...REGISTER_NAMES.map((_, n): [string, number] => [`x${n}`, n]),
  ['fp', 8],
]);

/** x-number of a register by either name, or undefined. */
export const registerNumber = (name: string): number | undefined => NUMBERS.get(name);
