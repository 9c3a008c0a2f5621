/**
 * What crosses the border between TypeScript and the wasm core. Everything else goes through the layout.
 *
 * Modules share one memory and one function table:
 *   arch.wasm   (AssemblyScript, engine/core/arch)  the privileged architecture, the run loop, hashing
 *   interp      (bytes generated at start from the ISA table, engine/core/interp)  table entry FN_INTERP
 */

/** Exports of arch.wasm that TypeScript calls. All addresses are linear-memory addresses unless named `paddr`. */
export interface ArchExports {
  /** Resets harts 0…hartCount-1 to the reset state at `resetPc`. MACHINE words must have been written. */
  resetHarts(resetPcLow: number): void;
  /**
   * Recomputes or forgets all derived state of the core (translations, decoded code, PMP ranges, slice bookkeeping);
   * architecturally invisible. To be called after saved bytes were written from outside.
   */
  flushDerived(): void;
  /**
   * Makes run() stop before the instructions at the first `count` words of MACHINE.breakpointsHost and no others:
   * linear-memory addresses in RAM, ascending. It stops once at a position, then goes on past it; flushDerived forgets
   * that.
   */
  setBreakpoints(count: number): void;
  /** The same for the first `count` words (u64) of MACHINE.breakAddressesHost: virtual addresses, ascending. */
  setBreakAddresses(count: number): void;
  /** Observes accesses to the first `count` ranges of MACHINE.watchesHost, disjoint and ascending, and no others. */
  setWatches(count: number): void;
  /** Begins (1) or ends (0) the log of instructions at MACHINE.stepsHost. To be drained before it is ended. */
  logSteps(enabled: number): void;
  /** Hashes RAM that is still all zeros; once, before anything else. */
  initialisePageHashes(): void;
  /**
   * Runs until MACHINE.stopMoment or stopTicks, a breakpoint, halt, idle, events full or a stop request. Returns
   * STOP_*.
   */
  run(): number;
  /**
   * The number of the hart that executes the next instruction, its pc in MACHINE.mmioData; changes nothing else. The
   * hart whose turn comes next when all wait for input; CONSTANTS.NO_HART (as a signed number, see `>>> 0`) when
   * devices act before.
   */
  peekNext(): number;
  /** 1 when a timer that some hart has set is still to come, enabled or not, or a device will act; else 0. */
  timerAhead(): number;
  /**
   * Physical access for TypeScript that keeps derived state right: marks pages dirty, drops decoded code and
   * translations as a store by a hart would. Bytes are copied from/to linear memory at `host`.
   */
  storePhysical(paddrOffset: number, host: number, bytes: number): void;
  /** Rehashes pages dirty for the digest, clears that flag, returns nothing; the sum is in MACHINE.ramHashSum. */
  updatePageHashes(): void;
  /** Replaces the hgatp value in MACHINE.mmioData by a digest of the memory that its G-stage tables map; 0 for Bare. */
  hashGuest(): void;
  /** XXH64 of a linear-memory range, written to scratch as u64. */
  hashRange(host: number, bytes: number, seedLow: number): void;
  /** Writes indices (u32) of pages dirty for the checkpoint to `host`, clears the flag, returns their number. */
  collectDirtyPages(host: number): number;
  /** Reads/writes a CSR of a hart (its address) by number without privilege checks; value in MACHINE.mmioData. */
  peekCsr(hart: number, number: number): void;
  pokeCsr(hart: number, number: number): void;
  /**
   * How the address in MACHINE.mmioData translates in mode `mode` (privilege and MODE_* bits): MACHINE.walkLogCount
   * records of WALK_STEP in scratch, the result in HART.walk*. Returns 1 on success, 3 when PMP forbids the access
   * itself, else 0. Afterwards MACHINE.walkLogCount is to be set to all ones.
   */
  explainTranslation(hart: number, access: number, mode: number): number;
  /** The mode that the hart's accesses of a kind are in, for explainTranslation. */
  modeOfAccess(hart: number, access: number): number;
  /** The PMP entry that decides over HART.walkPaddr; 16 when none matches. */
  pmpEntryAt(hart: number): number;
}

/** What arch.wasm imports from TypeScript (module `env`). */
export interface ArchImports {
  memory: WebAssembly.Memory;
  table: WebAssembly.Table;
  /** Device access at a guest physical address outside RAM. Returns 1 when a device answered, 0 for an access fault. */
  mmioLoad(paddrLow: number, sizeBytes: number): number;
  mmioStore(paddrLow: number, sizeBytes: number): number;
  /** MACHINE.ticks reached MACHINE.deviceDeadline: the devices act and set the next one. */
  deviceTick(): void;
}
