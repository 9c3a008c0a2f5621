/** Introspection: what runs inside the machine, seen from outside. */
export { type DisassembledLine, disassembleAround, disassembleAt, insideVm, instructionAt } from './disassembly.ts';
export {
  type CfaRule,
  type DebugFunction,
  type DebugInfo,
  type DebugParameter,
  type DebugVariable,
  type FrameRules,
  type RegisterRule,
  readDebugInfo,
  type SourceLine,
} from './dwarf/index.ts';
export { exceptionName, interruptName } from './exceptions.ts';
export { type GuestMapping, guestPages, parseHgatp, spaOf, translateGuest, walkGStage } from './gstage.ts';
export { readMachineSymbols, type SymbolOptions } from './images.ts';
export { hex, isRam } from './memory.ts';
export { checkSymbolFile, type SymbolFile } from './named.ts';
export { type Ownership, readOwnership } from './ownership.ts';
export { type CodeName, codeText, type MachineSymbols, type NamedTable } from './places.ts';
export { type PublishedCall, readPublishedCalls } from './published.ts';
export {
  type Decision,
  decisionAt,
  type LockList,
  type QueuedVcpu,
  readLocks,
  readSchedule,
  type Schedule,
} from './scheduler.ts';
export type { DebugPlace, SymbolTable } from './symbols.ts';
export { type TrapLoop, trapCsr, trapLoops } from './trap-loops.ts';
export { type VmDigest, vmDigests } from './vm-digests.ts';
export {
  listVms,
  summariseVm,
  type VcpuInfo,
  type VmInfo,
  type VmList,
  type VmSummary,
  vmStates,
} from './vms.ts';
