/** Generating WebAssembly: shared by the interpreter and compiled code. */
export {
  type ExportedFunction,
  encodeModule,
  FunctionBody,
  type FunctionType,
  type ImportedFunction,
  type Label,
  type MemoryOp,
  type ValueType,
  type WasmOp,
} from './encoder.ts';
export { emitCondition, emitValue, type OperandAccess } from './expression.ts';
