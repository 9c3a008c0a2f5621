/** The door of the engine: everything that the layers above may use. */

export { didYouMean, noSuchName } from './base/did-you-mean.ts';
export { FileFormatError, InvariantError, invariant, UserError } from './base/errors.ts';
export { shellLine } from './base/shell-line.ts';
export { visible, visibleLines } from './base/visible.ts';
export { ipv4 as ipv4Frame, readFrame, readUdp, udp as udpDatagram } from './devices/index.ts';
export {
  FAULT_CSRS,
  type Fault,
  type FaultCsr,
  formatFault,
  NEXT_HART,
  PC_REGISTER,
  parseFault,
  readFault,
  readPlannedFault,
  resolveFault,
  WINDOW_BITS,
} from './faults/index.ts';
export {
  type DisassembledLine,
  disassembleAt,
  exceptionName,
  type GuestMapping,
  guestPages,
  hex,
  insideVm,
  instructionAt,
  listVms,
  type MachineSymbols,
  type Ownership,
  parseHgatp,
  readMachineSymbols,
  readOwnership,
  spaOf,
  type TrapLoop,
  translateGuest,
  trapCsr,
  trapLoops,
  type VcpuInfo,
  type VmDigest,
  type VmInfo,
  type VmList,
  vmDigests,
  walkGStage,
} from './introspect/index.ts';
export {
  assemble,
  COMPRESSED,
  type Compressed,
  CSRS,
  decode,
  disassemble,
  type Encoding,
  expansionOf,
  expressionsOf,
  extensionsInOrder,
  INSTRUCTIONS,
  type Instruction,
  insertOperands,
  parts,
} from './isa/index.ts';
export { PAGE_BYTES, RAM_BASE } from './machine/board/board.ts';
export { type ElfSymbol, isElf, readSymbols } from './machine/board/elf.ts';
export { checkMachine } from './machine/board/loader.ts';
export { randomDisk } from './machine/board/random-disk.ts';
export { FIXUPS, isDetection, NOTES, type NoteName, noteName, noteText, RESET_NOTE } from './machine/bus/notes.ts';
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
} from './machine/config.ts';
export { haltText, STUCK_CODE } from './machine/halt.ts';
export { createMachine } from './machine/machine.ts';
export { compareStates, MAX_RAM_DIFFERENCES } from './machine/state/compare.ts';
export type {
  HartState,
  Image,
  Input,
  InputEvent,
  Machine,
  MachineConfig,
  MachineEvent,
  Mode,
  Moment,
  ObservedTransitions,
  Page,
  Quantum,
  RunLimit,
  Snapshot,
  StateDifference,
  StopReason,
  Ticks,
  VirtioConfig,
} from './machine/types.ts';
export { makeBundle } from './subject/images/bundle.ts';
