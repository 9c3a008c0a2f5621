/** Encoding WebAssembly. */
export {
  encodeModule,
  FunctionBody,
  type FunctionType,
  type ImportedFunction,
  type Label,
  type MemoryOp,
  type WasmOp,
} from './encoder.ts';
