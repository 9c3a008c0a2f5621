/** Introspection: what runs inside the machine, seen from outside. */
export { type Disassembled, type DisassembledLine, disassembleAt, insideVm, instructionAt } from './disassembly.ts';
export {
  type GStageMode,
  type GuestAddressSpace,
  type GuestMapping,
  guestPages,
  type Hgatp,
  parseHgatp,
  spaOf,
  translateGuest,
  walkGStage,
} from './gstage.ts';
export { readMachineSymbols } from './images.ts';
export { hex, type PhysicalMemory, readRam } from './memory.ts';
export { type GuestOwner, type Ownership, readOwnership } from './ownership.ts';
export { joinSymbols, type MachineSymbols } from './places.ts';
export { type PublishedLayout, readPublishedLayout } from './published.ts';
export { createSymbolTable, type ElfSymbol, type SymbolHit, type SymbolTable } from './symbols.ts';
export { type Inspected, listVms, type VcpuInfo, type VmInfo, type VmList } from './vms.ts';
