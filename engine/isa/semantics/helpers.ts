/**
 * The helpers of the privileged architecture that effects name, and what each may do besides giving a value: declared
 * here once, so that every generator of code knows what to store before a call and what to look at after it.
 * `core/arch` exports a function of each name; core/helpers.test.ts compares what is stated here with what those
 * functions do.
 */

/**
 * What a helper may do.
 * - `trap`: raise an exception. The instruction is given up; mode, contexts and pc are the handler's.
 * - `redirect`: go on elsewhere without an exception, as xRET does; the instruction is complete and writes no register.
 * - `endSlice`: complete, and ask to leave the slice before the next instruction.
 * - `changeContext`: change what addresses mean (HART.fetchContext, .dataContext) other than by a trap. A call that
 *   has done so has redirected or ended the slice, too.
 * - `readRegisters`, `writeRegisters`: reach integer registers by itself, where the layout has them.
 *
 * A helper that may do nothing is a pure function of its parameters. Any other may look at the pc and at the time, and
 * change other state of the hart.
 */
export type Fact = 'trap' | 'redirect' | 'endSlice' | 'changeContext' | 'readRegisters' | 'writeRegisters';

interface Facts {
  readonly may: readonly Fact[];
}

/**
 * Loads and stores that the translation caches do not answer. A device may do anything, by DMA also to page tables,
 * when it is read, too.
 */
export const ACCESSES = {
  load: { may: ['trap', 'endSlice', 'changeContext'] },
  store: { may: ['trap', 'endSlice', 'changeContext'] },
} as const satisfies Record<string, Facts>;

/** Parameter names and facts of each helper. */
export const HELPERS = {
  illegal: { parameters: ['raw'], may: ['trap'] },
  ecall: { parameters: [], may: ['trap'] },
  ebreak: { parameters: [], may: ['trap'] },
  mret: { parameters: ['raw'], may: ['trap', 'redirect', 'changeContext'] },
  sret: { parameters: ['raw'], may: ['trap', 'redirect', 'changeContext'] },
  wfi: { parameters: ['raw'], may: ['trap', 'endSlice'] },
  fenceI: { parameters: [], may: [] },
  /** SFENCE.W.INVAL and SFENCE.INVAL.IR, which order other fences. */
  sfenceOrder: { parameters: ['raw'], may: ['trap'] },
  sfenceVma: { parameters: ['rs1', 'rs2', 'raw'], may: ['trap'] },
  hfenceVvma: { parameters: ['rs1', 'rs2', 'raw'], may: ['trap'] },
  hfenceGvma: { parameters: ['rs1', 'rs2', 'raw'], may: ['trap'] },
  /** op: 0 write, 1 set, 2 clear; access: bit 0 reads, bit 1 writes. Gives the old value. */
  csr: { parameters: ['number', 'operand', 'op', 'access', 'raw'], may: ['trap', 'endSlice', 'changeContext'] },
  lr: { parameters: ['address', 'bytes'], may: ['trap', 'endSlice'] },
  /** Gives 0 on success. */
  sc: { parameters: ['address', 'value', 'bytes'], may: ['trap', 'endSlice', 'changeContext'] },
  /** op is the instruction's funct5. Gives the old value, zero-extended. */
  amo: { parameters: ['address', 'value', 'bytes', 'op'], may: ['trap', 'endSlice', 'changeContext'] },
  /** AMOCAS.W/D. Compares with rd, which it reads by itself. Gives the old value, zero-extended. */
  amocas: {
    parameters: ['address', 'value', 'bytes', 'raw'],
    may: ['trap', 'endSlice', 'changeContext', 'readRegisters'],
  },
  /** AMOCAS.Q: the whole instruction, on pairs of registers. */
  amocasQ: {
    parameters: ['address', 'raw'],
    may: ['trap', 'endSlice', 'changeContext', 'readRegisters', 'writeRegisters'],
  },
  wrs: { parameters: [], may: ['endSlice'] },
  /** CBO.INVAL, CLEAN and FLUSH; enable: the field of the envcfg registers that permits it, in place. */
  cboManage: { parameters: ['address', 'enable', 'raw'], may: ['trap'] },
  cboZero: { parameters: ['address', 'raw'], may: ['trap', 'endSlice', 'changeContext'] },
  hlv: { parameters: ['address', 'bytes', 'execute', 'raw'], may: ['trap', 'endSlice', 'changeContext'] },
  hsv: { parameters: ['address', 'value', 'bytes', 'raw'], may: ['trap', 'endSlice', 'changeContext'] },
  /**
   * Floating point. `format`: 0 single, 1 double; `type`: 0 int32, 1 uint32, 2 int64, 3 uint64; rm is in `raw`. Illegal
   * when floating point is off or the rounding mode reserved; those that write an f register mark the state dirty.
   */
  floatAdd: { parameters: ['a', 'b', 'format', 'raw'], may: ['trap'] },
  floatSubtract: { parameters: ['a', 'b', 'format', 'raw'], may: ['trap'] },
  floatMultiply: { parameters: ['a', 'b', 'format', 'raw'], may: ['trap'] },
  floatDivide: { parameters: ['a', 'b', 'format', 'raw'], may: ['trap'] },
  floatSquareRoot: { parameters: ['a', 'format', 'raw'], may: ['trap'] },
  /** negate: bit 0 the product, bit 1 the addend. */
  floatMultiplyAdd: { parameters: ['a', 'b', 'c', 'negate', 'format', 'raw'], may: ['trap'] },
  floatPick: { parameters: ['a', 'b', 'maximum', 'format', 'raw'], may: ['trap'] },
  /** relation: 0 a <= b, 1 a < b, 2 a = b. */
  floatCompare: { parameters: ['a', 'b', 'relation', 'format', 'raw'], may: ['trap'] },
  floatClass: { parameters: ['a', 'format'], may: [] },
  floatToInteger: { parameters: ['a', 'type', 'format', 'raw'], may: ['trap'] },
  floatFromInteger: { parameters: ['a', 'type', 'format', 'raw'], may: ['trap'] },
  floatConvert: { parameters: ['a', 'from', 'to', 'raw'], may: ['trap'] },
  /** A load for an f register while its state is off or clean: the value as the register holds it. */
  floatLoad: { parameters: ['address', 'bytes', 'raw'], may: ['trap', 'endSlice', 'changeContext'] },
  /** Gives `value` back, for an f register whose state is off or clean. */
  floatWrite: { parameters: ['value', 'raw'], may: ['trap'] },
  mulh: { parameters: ['a', 'b'], may: [] },
  mulhsu: { parameters: ['a', 'b'], may: [] },
  mulhu: { parameters: ['a', 'b'], may: [] },
  clmul: { parameters: ['a', 'b'], may: [] },
  clmulh: { parameters: ['a', 'b'], may: [] },
} as const satisfies Record<string, Facts & { readonly parameters: readonly string[] }>;

export type HelperName = keyof typeof HELPERS;

/** Whether a helper's value depends on its parameters alone and a call changes nothing. */
export const isPure = (helper: HelperName): boolean => HELPERS[helper].may.length === 0;
