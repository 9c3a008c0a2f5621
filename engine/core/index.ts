/** The execution core. */
export { type Core, createCore } from './core.ts';
export type { ArchExports } from './interface.ts';
export {
  ACCESS,
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
  STEP,
  WALK_STEP,
  WATCH,
} from './layout/index.ts';
