/**
 * Names of the integer registers in the standard calling convention. @see RISC-V ABIs Specification, "Integer Register
 * Convention"
 */
export const REGISTER_NAMES: readonly string[] =
  'zero ra sp gp tp t0 t1 t2 s0 s1 a0 a1 a2 a3 a4 a5 a6 a7 s2 s3 s4 s5 s6 s7 s8 s9 s10 s11 t3 t4 t5 t6'.split(' ');

/** Names of the floating-point registers. @see RISC-V ABIs Specification, "Floating-point Register Convention" */
export const FLOAT_REGISTER_NAMES: readonly string[] =
  'ft0 ft1 ft2 ft3 ft4 ft5 ft6 ft7 fs0 fs1 fa0 fa1 fa2 fa3 fa4 fa5 fa6 fa7 fs2 fs3 fs4 fs5 fs6 fs7 fs8 fs9 fs10 fs11 ft8 ft9 ft10 ft11'.split(
    ' ',
  );

const NUMBERS = new Map<string, number>([
  ...REGISTER_NAMES.map((name, n): [string, number] => [name, n]),
  ...REGISTER_NAMES.map((_, n): [string, number] => [`x${n}`, n]),
  ['fp', 8],
]);

/** x-number of a register by either name, or undefined. */
export const registerNumber = (name: string): number | undefined => NUMBERS.get(name);

const FLOAT_NUMBERS = new Map<string, number>(
  FLOAT_REGISTER_NAMES.flatMap((name, n): [string, number][] => [
    [name, n],
    [`f${n}`, n],
  ]),
);
/** Number of a floating-point register by either name, or undefined. */
export const floatRegisterNumber = (name: string): number | undefined => FLOAT_NUMBERS.get(name);
