/** Generating WebAssembly: shared by the interpreter and compiled code. */
export {
  encodeModule,
  FunctionBody,
  type FunctionType,
  type ImportedFunction,
  type Label,
  type MemoryOp,
} from './encoder.ts';
export { emitCondition, emitValue, type OperandAccess } from './expression.ts';
