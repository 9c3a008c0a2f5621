/**
 * The one declaration of every bit of machine state that lives in the core's linear memory.
 *
 * TypeScript reads it directly; AssemblyScript gets `arch/layout.gen.ts`, written from it by `layout-gen.ts`.
 * A field is *saved* (it influences the future: snapshots, digests and diffs cover it) or *derived* (recomputable
 * from saved state, or bookkeeping of the host). Saved fields of a block come first, so a block's saved bytes
 * are one range.
 */

import { misaLetters } from '../../isa/index.ts';
import { derived, placeBlock, saved } from './block.ts';
import { ACCESS, EVENT, STEP, WALK_STEP, WATCH } from './observed.ts';

/** Machine-wide state: virtual time, the schedule, the run's control words. */
export const MACHINE = placeBlock('MACHINE', [
  saved('ticks', 'virtual time: one tick per retired instruction or trap of any hart, plus WFI skips; 1 tick = 1 ns'),
  saved('moment', 'total retired instructions of all harts'),
  saved('scheduleRng', 'state of the generator that draws jittered quanta (splitmix64)'),
  saved('currentHart', 'the hart whose turn it is', 'u32'),
  saved('turnLeft', 'ticks left in its turn', 'u32'),
  saved('quantumTicks', 'length of a turn in ticks; the mean when jittered', 'u32'),
  saved('quantumJitter', '0 fixed turns; 1 drawn uniformly from quantumTicks/2 … quantumTicks*3/2', 'u32'),
  saved('hartCount', 'harts on the board', 'u32'),
  saved('haltCode', '0 running; else 1 + finisher event: see engine/devices/finisher', 'u32'),
  saved('trapMoment', 'moment of the last trap of any hart'),
  saved('trapRun', 'traps since the last retired instruction, as of the last trap: see STUCK_TRAPS', 'u32'),
  saved('mtimeOffset', 'what software set mtime ahead by, in its own units, modulo 2^64: mtime = ticks / 100 + this'),
  saved('deviceDeadline', 'tick at which a device wants device_tick(); all ones when none'),
  derived('ramBytes', 'guest RAM size'),
  derived('ramHost', 'address in linear memory of guest physical 0x8000_0000', 'u32'),
  derived(
    'romHost',
    'address in linear memory of guest physical ROM_BASE: ROM_PAGES read-only, executable pages',
    'u32',
  ),
  derived('pageFlagsHost', 'byte per page: see PAGE_*; RAM pages, then ROM pages', 'u32'),
  derived('pageHashHost', 'u64 per RAM page: xxh64 as of the last digest', 'u32'),
  derived('pageSlotsHost', 'u32 per page: its decoded block, or 0; RAM pages, then ROM pages', 'u32'),
  derived('tablePagesHost', 'u32 numbers of the pages that carry PAGE_TABLE; room for all RAM pages', 'u32'),
  derived('tablePagesCount', 'numbers in the list', 'u32'),
  derived('tlbHost', 'translation caches of hart 0; TLB_HART_BYTES apart per hart', 'u32'),
  derived('slotPoolHost', 'pool of decoded blocks', 'u32'),
  derived('slotPoolBlocks', 'blocks in the pool', 'u32'),
  derived('slotPoolUsed', 'blocks handed out', 'u32'),
  derived(
    'breakpointsHost',
    'u32 linear-memory addresses of the instructions that run() stops before, ascending',
    'u32',
  ),
  derived('breakpointsCount', 'addresses in the list', 'u32'),
  derived('breakpointTicks', 'position that run() last stopped at for a breakpoint; all ones: none'),
  derived('breakpointHost', 'which of the list that was', 'u32'),
  derived('breakpointHart', 'and which hart came there', 'u32'),
  derived('stopBreakpoint', '1: run() is to stop for it', 'u32'),
  derived(
    'breakAddressesHost',
    'u64 virtual addresses that run() stops before, in any address space, ascending',
    'u32',
  ),
  derived('breakAddressesCount', 'addresses in the list', 'u32'),
  derived('breakOffsetsHost', 'a bit for each half-word of a page: one of the list has that offset in its page', 'u32'),
  derived('watchesHost', 'watched ranges of RAM, disjoint, ascending: see WATCH', 'u32'),
  derived('watchesCount', 'ranges in the list', 'u32'),
  derived('accessesHost', 'observed accesses to watched ranges: see ACCESS', 'u32'),
  derived('accessesCapacity', 'accesses that fit', 'u32'),
  derived('accessesCount', 'accesses waiting to be drained', 'u32'),
  derived('stepsHost', 'log of instructions with their operands: see STEP', 'u32'),
  derived('stepsCapacity', 'records that fit', 'u32'),
  derived('stepsCount', 'records waiting to be drained', 'u32'),
  derived('stepsEnabled', '1: instructions are logged', 'u32'),
  derived('stepOpen', 'linear-memory address of the record of the instruction that runs; 0: none', 'u32'),
  derived('stopEvent', '1: run() is to stop for an event', 'u32'),
  derived('stopWatchpoint', '1: run() is to stop for an access', 'u32'),
  derived('walkWatched', '1: the last walk read a watched table entry, so its result is not to be cached', 'u32'),
  derived('walkLogCount', 'entries in the log of the last walk for a debugger; all ones: walks are not logged', 'u32'),
  derived('decodeTableHost', 'decode table written by TypeScript from the ISA table', 'u32'),
  derived('csrTableHost', 'CSR table: u16 byte offset of the row (0: none) for each number, then rows of CSR', 'u32'),
  derived(
    'scratchHost',
    'scratch for batch calls between TypeScript and wasm: 64 KiB and a u32 for each RAM page',
    'u32',
  ),
  derived('eventsHost', 'ring of what is observed: see EVENT', 'u32'),
  derived('eventsCapacity', 'events that fit', 'u32'),
  derived('eventsCount', 'events waiting to be drained', 'u32'),
  derived('eventsEnabled', 'what is observed: OBSERVE_* bits', 'u32'),
  derived('contextGeneration', 'flushes so far: translation contexts of older generations are dead', 'u32'),
  derived('ramHashSum', 'sum of mixed page hashes, kept incrementally'),
  derived('stopMoment', 'run() returns when moment reaches this'),
  derived('stopTicks', 'run() returns when ticks reaches this'),
  derived('stopCount', 'run() returns when the counts of countedModes come to this; all ones: never'),
  derived('countedModes', 'privileged modes that stopCount counts: COUNTS_*', 'u32'),
  derived('hypervisorCount', 'instructions that any hart has retired in HS-mode since the core was made'),
  derived('machineCount', 'instructions that any hart has retired in M-mode since the core was made'),
  derived('modeFrom', 'retired instructions of the running slice when its hart entered its mode', 'u32'),
  derived('stopWork', 'run() returns when workTicks reaches this; all ones: never'),
  derived('workTicks', 'ticks since the core was made, without those that passed because every hart waited'),
  derived('sliceStartTicks', 'ticks when the running slice began'),
  derived('sliceBudget', 'ticks granted to the running slice', 'u32'),
  derived('stopRequest', 'set by a device or helper to leave run() after this instruction', 'u32'),
  derived('mmioData', 'value carried across an MMIO call'),
]);

/** One hart. */
export const HART = placeBlock('HART', [
  saved('x', 'integer registers; x[0] is always zero', 'u64', 32),
  saved('f', 'floating-point registers; a single lies in the low half below ones (NaN box)', 'u64', 32),
  saved('pc', 'program counter: the next instruction when the hart is between instructions'),
  saved('priv', '0 U, 1 S, 3 M', 'u32'),
  saved('virt', 'virtualisation mode V', 'u32'),
  saved('waiting', '1 in WFI', 'u32'),
  saved('reserved', '1 when a reservation is held', 'u32'),
  saved('reservedAddr', 'physical address of the reservation'),
  saved('lines', 'interrupt inputs driven by devices, as mip bits: MSIP 3, SEIP 9, MEIP 11; MTIP comes from mtimecmp'),
  saved('mtimecmp', 'ACLINT compare register'),
  saved('instret', 'instructions retired by this hart (minstret)'),
  saved('cycleOffset', 'mcycle = ticks + this'),
  saved('mstatus', 'CSR'),
  saved('medeleg', 'CSR'),
  saved('mideleg', 'CSR'),
  saved('mie', 'CSR; sie, vsie and hie are views'),
  saved('mip', 'software-writable bits only; lines and comparators are merged on read'),
  saved('mtvec', 'CSR'),
  saved('mscratch', 'CSR'),
  saved('mepc', 'CSR'),
  saved('mcause', 'CSR'),
  saved('mtval', 'CSR'),
  saved('mtval2', 'CSR'),
  saved('mtinst', 'CSR'),
  saved('mcounteren', 'CSR'),
  saved('mcountinhibit', 'CSR'),
  saved('menvcfg', 'CSR'),
  saved('pmpcfg', 'pmpcfg0 and pmpcfg2', 'u64', 2),
  saved('pmpaddr', 'CSR', 'u64', 16),
  saved('stvec', 'CSR'),
  saved('sscratch', 'CSR'),
  saved('sepc', 'CSR'),
  saved('scause', 'CSR'),
  saved('stval', 'CSR'),
  saved('satp', 'CSR'),
  saved('scounteren', 'CSR'),
  saved('senvcfg', 'CSR'),
  saved('stimecmp', 'CSR'),
  saved('hstatus', 'CSR'),
  saved('hedeleg', 'CSR'),
  saved('hideleg', 'CSR'),
  saved('hvip', 'CSR'),
  saved('hgeie', 'CSR'),
  saved('hcounteren', 'CSR'),
  saved('henvcfg', 'CSR'),
  saved('htimedelta', 'CSR'),
  saved('htval', 'CSR'),
  saved('htinst', 'CSR'),
  saved('hgatp', 'CSR'),
  saved('vsstatus', 'CSR'),
  saved('vstvec', 'CSR'),
  saved('vsscratch', 'CSR'),
  saved('vsepc', 'CSR'),
  saved('vscause', 'CSR'),
  saved('vstval', 'CSR'),
  saved('vsatp', 'CSR'),
  saved('vstimecmp', 'CSR'),
  saved('fcsr', 'CSR; fflags and frm are views'),
  derived('sink', 'where writes to x0 go'),
  derived('workTicks', 'ticks that it has spent before this slice since the core was made: instructions and traps'),
  derived('floatState', 'bit 0: floating point is on; bit 1: and already marked dirty', 'u32'),
  derived(
    'hostRounding',
    'bit rm: host arithmetic rounds as rm asks (RNE) and NX is set; bit 8+rm: same for RTZ',
    'u32',
  ),
  derived('hartId', 'mhartid'),
  derived('slotBase', 'decoded block that pc is in', 'u32'),
  derived('budget', 'ticks left in the slice, stored before every helper call', 'u32'),
  derived('traps', 'traps taken in the slice (they cost a tick but do not retire)', 'u32'),
  derived('resync', 'RESYNC_* bits: why the interpreter must look at the hart again', 'u32'),
  derived('fetchContext', 'translation context of fetches, placed as tag bits (see TLB)', 'u32'),
  derived('dataContext', 'translation context of loads and stores, placed as tag bits', 'u32'),
  derived('single', 'three decoded slots for an instruction that no block may hold', 'u64', 6),
  derived('dataMode', 'MODE_* bits of loads and stores', 'u32'),
  derived('contextsUsed', 'context ids handed out since the caches were last emptied', 'u32'),
  derived('contextKeys', 'hash table of contexts: two roots, MODE_* | generation << 32, id', 'u64', 128),
  derived('pmpFrom', 'first byte of each PMP entry', 'u64', 16),
  derived('pmpTo', 'last byte of each PMP entry; below pmpFrom when it matches nothing', 'u64', 16),
  derived('pmpEntries', 'one more than the highest PMP entry that matches anything', 'u32'),
  derived('walkPaddr', 'result of a translation: physical address'),
  derived('walkGpa', 'result of a failed translation: guest physical address >> 2, as htval takes it'),
  derived('walkCause', 'result of a failed translation: 0 page fault, 1 access fault, 2 guest-page fault', 'u32'),
  derived(
    'walkImplicit',
    'result of a failed translation: 1 when it failed on a read of a VS-stage table, 2 on a write',
    'u32',
  ),
]);

/**
 * A decoded instruction: 16 bytes for each half-word of code. `*Off` are byte offsets of registers from the hart's
 * base.
 */
export const SLOT = placeBlock('SLOT', [
  derived('imm', 'sign-extended immediate', 'u32'),
  derived('raw', 'the instruction as fetched (compressed ones: 16 bits)', 'u32'),
  derived('opAndLength', 'bits 0–15: op; bits 16–31: slot bytes to the next instruction (16 or 32)', 'u32'),
  derived('rd', 'register offset / 8', 'u8'),
  derived('rs1', 'register offset / 8', 'u8'),
  derived('rs2', 'register offset / 8', 'u8'),
  derived('extra', 'offset / 8 of a third source register (rd where it is one), or a small operand', 'u8'),
]);

/**
 * A row of the decode table (written by TypeScript from the ISA table, read by `arch/decode.ts`): one per encoding.
 * It matches when `(raw & mask) == match` and neither excluded pair does. A register source byte is: bits 0–4 = lowest
 * bit of the field, bit 5 = a 3-bit field naming x8–x15, bit 6 = a floating-point register; or with bit 7: a constant
 * in bits 0–4.
 */
export const DECODE = placeBlock('DECODE', [
  derived('mask', '', 'u32'),
  derived('match', '', 'u32'),
  derived('excludedMask', 'pairs that make an encoding reserved; mask 0 and value 1 when unused', 'u32', 2),
  derived('excludedValue', '', 'u32', 2),
  derived('opAndLength', 'copied to the slot', 'u32'),
  derived('rd', 'register source', 'u8'),
  derived('rs1', 'register source', 'u8'),
  derived('rs2', 'register source', 'u8'),
  derived('extra', 'lowest bit of the 5-bit field for SLOT.extra, bit 6 as for registers; 0xff: none', 'u8'),
  derived('immConstant', 'immediate before pieces are added', 'u32'),
  derived('immSignShift', '32 - width of a signed immediate; 0: no sign extension', 'u8'),
  derived('immPieces', 'pieces in use', 'u8'),
  derived('immPiece', 'lowest bit in raw | width << 8 | lowest bit in imm << 16', 'u32', 8),
]);

/**
 * A row of the CSR table (written by TypeScript from the table of CSRs, read by `arch/csr-table.ts`). Fields of the
 * hart are byte offsets; 0, which is x0, stands for none.
 */
export const CSR = placeBlock('CSR', [
  derived('visible', 'bits of the field that software sees, before the shift'),
  derived('writable', 'bits of the target that a write may change, before the shift'),
  derived('state', 'field that is read', 'u32'),
  derived('target', 'field that is written', 'u32'),
  derived('gate', 'field whose zeros hide bits from reads and writes', 'u32'),
  derived('twin', 'byte offset in the table of the row that VS-mode means by the number', 'u32'),
  derived('source', 'CSR_SOURCE_*', 'u8'),
  derived('write', 'CSR_WRITE_*', 'u8'),
  derived('effects', 'CSR_EFFECT_* bits', 'u8'),
  derived('guard', 'CSR_GUARD_*', 'u8'),
  derived('shift', "bit of the field that is the register's bit 0", 'u8'),
  derived('privilege', 'lowest: bits 9:8 of the number', 'u8'),
  derived('readOnly', '1: a write is an illegal instruction', 'u8'),
]);

/** A translation cache entry. */
export const TLB = placeBlock('TLB', [
  derived('tag', 'va bits 63–12 | context << 3 (9 bits) | 0 in bits 2–0; all ones when empty'),
  derived('addend', 'linear-memory address = low32(va) + addend; for fetches: the decoded block', 'u32'),
  derived('slowContext', 'context << 3 of an entry for slow accesses only, whose tag has SLOW_CONTEXT', 'u32'),
]);

export const BLOCKS = [MACHINE, HART, SLOT, DECODE, CSR, TLB, EVENT, WATCH, ACCESS, STEP, WALK_STEP] as const;

/** Constants shared by both languages. */
export const CONSTANTS = {
  MAX_HARTS: 8,
  MACHINE_BASE: 0x1000,
  HART_BASE: 0x4000,
  HART_STRIDE: 0x1000,
  /**
   * Device records: one range of saved bytes, allotted by engine/machine in board order. Below: arch.wasm's own data.
   */
  DEVICES_BASE: 0x40000,
  DEVICES_BYTES: 0xc0000,
  DYNAMIC_BASE: 0x100000,
  RAM_BASE: 0x80000000,
  PAGE_BYTES: 4096,
  TLB_ENTRIES: 4096,
  TLB_ENTRY_BYTES: 16,
  /** Three caches (read, write, fetch) per hart, in this order. */
  TLB_HART_BYTES: 3 * 4096 * 16,
  SLOT_BYTES: 16,
  /** 2048 half-words and two sentinels. */
  SLOT_BLOCK_BYTES: 2050 * 16,
  /**
   * Byte offset in a block of the word that holds the linear-memory address of the block's code page (sentinel's imm).
   * The next one (raw) is 1 when the block has been executed at a page with addresses to stop before.
   */
  SLOT_BLOCK_CODE: 2049 * 16,
  /**
   * Slot ops that are no instruction; those of instructions follow. SINGLE: go on through fetch(), never the TLB.
   * BREAKPOINT: leave before the instruction.
   */
  OP_UNDECODED: 0,
  OP_PAGE_END: 1,
  OP_SINGLE: 2,
  OP_BREAKPOINT: 3,
  OP_ILLEGAL: 4,
  OP_FIRST: 5,
  /** The decode table begins with u32 first, u32 end (byte offsets of rows) for each bucket: see arch/decode.ts. */
  DECODE_BUCKETS: 64,
  /** Page flags. A write-TLB entry exists only where both DIRTY bits are set and CODE and TABLE are clear. */
  PAGE_DIRTY_CHECKPOINT: 1,
  PAGE_DIRTY_DIGEST: 2,
  PAGE_CODE: 4,
  PAGE_TABLE: 8,
  /** A write-TLB entry for the page may exist. */
  PAGE_WRITE_CACHED: 16,
  /** An address in the page is in MACHINE.breakpointsHost. */
  PAGE_BREAKPOINT: 32,
  /** A watched range lies in the page: stores to it, and loads from it, are seen one by one. */
  PAGE_WATCH_WRITES: 64,
  PAGE_WATCH_READS: 128,
  /** Room in MACHINE.breakpointsHost, and in breakAddressesHost. */
  MAX_BREAKPOINTS: 65536,
  /** Room in MACHINE.watchesHost. */
  MAX_WATCHES: 4096,
  /** WATCH.kinds: which accesses are recorded, and whether run() stops behind them. */
  WATCH_READS: 1,
  WATCH_WRITES: 2,
  WATCH_STOPS_READS: 4,
  WATCH_STOPS_WRITES: 8,
  /** ACCESS.kind: of the instruction itself, or of the page walk on its behalf. */
  ACCESS_LOAD: 0,
  ACCESS_STORE: 1,
  ACCESS_TABLE_READ: 2,
  ACCESS_TABLE_WRITE: 3,
  /** STEP.flags: what the instruction did; or that the record is of a trap, or of a further access. */
  STEP_READS: 1,
  STEP_WRITES: 2,
  STEP_DEVICE: 4,
  STEP_CSR: 8,
  STEP_TRAPPED: 16,
  STEP_IS_TRAP: 32,
  STEP_FURTHER: 64,
  /** Records that one instruction may add at most. */
  STEPS_OF_ONE: 32,
  /** Read-only memory that the reset vector lies in. */
  ROM_BASE: 0x1000,
  ROM_PAGES: 15,
  RESET_PC: 0x1000,
  /** Context ids are 0 … MAX_CONTEXTS-1. */
  MAX_CONTEXTS: 510,
  /**
   * The context in tags of entries for slow accesses only: no hart has it, so no fast probe hits, whatever low bits of
   * the address it compares.
   */
  SLOW_CONTEXT: 511,
  /** Entries of HART.contextKeys and their size. */
  CONTEXT_KEYS: 32,
  CONTEXT_KEY_BYTES: 32,
  /** What a translation depends on besides page tables: effective privilege in bits 0–1, and these. */
  MODE_VIRT: 4,
  MODE_SUM: 8,
  MODE_MXR: 16,
  MODE_GSTAGE_MXR: 32,
  MODE_HLVX: 64,
  MODE_FETCH: 128,
  /** Looks only: the walk sets no A or D bits. Never part of a context. */
  MODE_QUIET: 256,
  /** A reader who sees all memory: PMP does not guard tables, memory types are known. Never part of a context. */
  MODE_UNGUARDED: 1024,
  /** Faults where the access would, and sets no A or D bits either. Never part of a context. */
  MODE_PROBE: 512,
  /** MACHINE.eventsEnabled bits: transitions in and out of VMs, all others, writes to CSRs. */
  OBSERVE_VM_TRANSITIONS: 1,
  OBSERVE_OTHER_TRANSITIONS: 2,
  OBSERVE_CSR_WRITES: 4,
  /** run() stops behind each event that is observed. */
  OBSERVE_STOPS: 8,
  /** Privileged modes in countedModes. */
  COUNTS_HS: 1,
  COUNTS_M: 2,
  /** EVENT.kind. */
  EVENT_IS_TRANSITION: 0,
  EVENT_IS_CSR_WRITE: 1,
  /** HART.resync bits. */
  RESYNC_PC: 1,
  RESYNC_END_SLICE: 2,
  /** run() results. */
  STOP_MOMENT: 1,
  STOP_TICKS: 2,
  STOP_HALTED: 3,
  STOP_IDLE: 4,
  STOP_EVENTS_FULL: 5,
  STOP_REQUEST: 6,
  STOP_COUNT: 7,
  STOP_WORK: 8,
  STOP_BREAKPOINT: 9,
  STOP_WATCHPOINT: 10,
  STOP_EVENT: 11,
  /** peekNext() result: no instruction is next, devices act before. */
  NO_HART: 0xffffffff,
  /** mtime runs at 10 MHz as on QEMU virt; a tick is 1 ns. */
  TICKS_PER_MTIME: 100,
  /** What CBO instructions work on (Zicbom, Zicboz). */
  CACHE_BLOCK_BYTES: 64,
  /** misa.Extensions. */
  MISA_LETTERS: misaLetters(),
  /** A machine that takes so many traps in a row, with no timer to come, cannot go on; finding out takes a moment. */
  STUCK_TRAPS: 250_000,
  /** Function-table index of interp(hart, budget) -> budget left. */
  FN_INTERP: 1,
} as const;

/** Linear-memory address of hart `n`'s block. */
export const hartAddress = (n: number): number => CONSTANTS.HART_BASE + n * CONSTANTS.HART_STRIDE;
