/**
 * The whole machine: configuration, one run at a time, snapshots, comparison. Relies on everything in the engine below
 * it.
 */
export {
  CLINT,
  checkMachine,
  diskPlace,
  type ElfSection,
  type ElfSymbol,
  imagePage,
  isElf,
  loadedAt,
  type MovedRange,
  PAGE_BYTES,
  RAM_BASE,
  randomDisk,
  readElf,
  readElfKind,
  readMoved,
  readSections,
  readSymbols,
} from './board/index.ts';
export { isDetection, NOTES, type NoteName, noteName, noteText, RESET_NOTE } from './bus/index.ts';
export {
  DEFAULT_HARTS,
  DEFAULT_QUANTUM,
  DEFAULT_RAM_BYTES,
  DEFAULT_WALL_CLOCK,
  ENGINE_BEHAVIOUR,
  MAX_HARTS,
  MAX_QUANTUM_TICKS,
  MAX_RAM_BYTES,
  MAX_WALL_CLOCK,
  MIN_QUANTUM_TICKS,
  SECTOR_BYTES,
  VIRTIO_SLOTS,
} from './config.ts';
export { modeOf } from './events.ts';
export { haltText, STUCK_CODE } from './halt.ts';
export { createMachine } from './machine.ts';
export { STEP_FLAGS, Steps } from './observe/index.ts';
export { compareStates, MAX_RAM_DIFFERENCES } from './state/index.ts';
export type {
  AddressSpace,
  HartState,
  Image,
  Input,
  InputEvent,
  Machine,
  MachineConfig,
  MachineEvent,
  Mode,
  Moment,
  Observed,
  Page,
  PrivilegedModes,
  Quantum,
  Registers,
  RunLimit,
  Snapshot,
  StateDifference,
  StopReason,
  Ticks,
  Translation,
  TranslationStep,
  VirtioConfig,
  Watch,
  WatchHit,
} from './types.ts';
