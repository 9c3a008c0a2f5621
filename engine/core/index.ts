/** The execution core. */
export { type Core, createCore } from './core.ts';
export type { ArchExports } from './interface.ts';
export {
  type Block,
  CONSTANTS,
  EVENT,
  type FieldType,
  field,
  HART,
  hartAddress,
  MACHINE,
  offsetOf,
  placeBlock,
} from './layout/index.ts';
