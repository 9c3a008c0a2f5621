/**
 * The interpreter function's frame: its locals, its labels, and the short sequences that all of its parts use. The
 * calling contract with the privileged architecture is in engine/core/README.md.
 */
import { CONSTANTS, HART, offsetOf, SLOT, TLB } from '../layout.ts';
import { FunctionBody, type Label } from '../wasm/index.ts';

/** Indices of imported functions. */
export interface Imports {
  readonly fetch: number;
  readonly decode: number;
  readonly loadSlow: number;
  readonly storeSlow: number;
  helper(name: string): number;
}

/** Where generated code can go; each is filled in when its block opens. */
export interface Labels {
  /** The helper has redirected: look at HART.pc and HART.resync. */
  redirect: Label;
  /** The instruction is complete, `slot` is past it; leave the slice. */
  leave: Label;
  /** The budget is used up before the instruction at `slot`. */
  exhausted: Label;
  /** Go on at the pc in the local. */
  lookup: Label;
  /** Go on at the slot in the local. */
  dispatch: Label;
}

const hart = (name: string) => offsetOf(HART, name);

/**
 * In-page branches compare against this base when the slot is HART.single. A branch computes the slot it would lead to
 * from there, up to 8 MiB either way and so also below zero: all of that must be far from the base.
 */
const NO_BLOCK = -(2 ** 31);

/** Byte distance of the read, write and fetch caches from the hart's first entry. */
export const CACHES = {
  read: 0,
  write: CONSTANTS.TLB_ENTRIES * CONSTANTS.TLB_ENTRY_BYTES,
  fetch: 2 * CONSTANTS.TLB_ENTRIES * CONSTANTS.TLB_ENTRY_BYTES,
} as const;

export class Frame {
  readonly code = new FunctionBody({ parameters: ['i32', 'i32'], result: 'i32' });
  readonly hart = 0;
  readonly budget = 1;
  /** Slot of the current instruction. */
  readonly slot = this.code.local('i32');
  /** First slot of the block that in-page branches stay in. */
  readonly block = this.code.local('i32');
  /** pc of the current instruction = pcBias + (slot >> 3). */
  readonly pcBias = this.code.local('i64');
  /** Where `lookup` goes on. */
  readonly pc = this.code.local('i64');
  readonly fetchContext = this.code.local('i64');
  readonly dataContext = this.code.local('i64');
  /** The hart's translation caches. */
  readonly tlb = this.code.local('i32');
  readonly resync = this.code.local('i32');
  readonly address = this.code.local('i64');
  /** What a call returned, or an attempt computed: every local costs the hot loop, so they share one. */
  readonly value = this.code.local('i64');
  readonly entry = this.code.local('i32');
  readonly nextSlot = this.code.local('i32');
  readonly imports: Imports;

  constructor(imports: Imports) {
    this.imports = imports;
  }

  /** Leaves the address of the current instruction on the stack. */
  currentPc(): void {
    this.code.get(this.pcBias).get(this.slot).i32(3).op('i32.shr_u', 'i64.extend_i32_u', 'i64.add');
  }

  /** Stores what the architecture may look at during a call: pc of the current instruction, and the budget. */
  storeForCall(): void {
    const { code } = this;
    code.get(this.hart);
    this.currentPc();
    code.memory('i64.store', hart('pc'));
    code.get(this.hart).get(this.budget).memory('i32.store', hart('budget'));
  }

  /** After a call that may divert: why it did. */
  loadResync(): void {
    this.code.get(this.hart).memory('i32.load', hart('resync')).set(this.resync);
  }

  /** A redirection abandons the instruction. */
  checkRedirect(labels: Labels): void {
    const { code } = this;
    code.get(this.resync).i32(CONSTANTS.RESYNC_PC).op('i32.and').brIf(labels.redirect);
  }

  loadContexts(): void {
    const { code } = this;
    code.get(this.hart).memory('i64.load32_u', hart('fetchContext')).set(this.fetchContext);
    code.get(this.hart).memory('i64.load32_u', hart('dataContext')).set(this.dataContext);
  }

  /** Leaves on the stack whether `cache` holds `va` (a local) for an access of `bytes`; `entry` holds the entry. */
  probe(va: number, cache: keyof typeof CACHES, bytes: number, context: number): void {
    const { code } = this;
    // ((va >> 12) & 4095) * 16 in one shift.
    code.get(this.tlb).get(va).op('i32.wrap_i64').i32(8).op('i32.shr_u');
    code
      .i32((CONSTANTS.TLB_ENTRIES - 1) * CONSTANTS.TLB_ENTRY_BYTES)
      .op('i32.and', 'i32.add')
      .tee(this.entry);
    code.memory('i64.load', CACHES[cache] + offsetOf(TLB, 'tag'));
    code
      .get(va)
      .i64(BigInt(-CONSTANTS.PAGE_BYTES | (bytes - 1)))
      .op('i64.and');
    code.get(context).op('i64.or', 'i64.eq');
  }

  /** Leaves the addend of the entry that `probe` found on the stack. */
  addend(cache: keyof typeof CACHES): void {
    this.code.get(this.entry).memory('i32.load', CACHES[cache] + offsetOf(TLB, 'addend'));
  }

  /**
   * Goes on at the local `pc` through the architecture's `fetch`; a fetch that traps spends one unit. Leaves the slice
   * first when none is left.
   */
  fetchSlow(labels: Labels): void {
    const { code } = this;
    code.get(this.hart).get(this.pc).memory('i64.store', hart('pc'));
    code.get(this.budget).op('i32.eqz');
    code.begin('if');
    code.i32(0).op('return');
    code.end();
    code.get(this.hart).get(this.budget).i32(1).op('i32.sub').memory('i32.store', hart('budget'));
    code.get(this.hart).call(this.imports.fetch).tee(this.slot).op('i32.eqz');
    code.begin('if');
    code.get(this.budget).i32(1).op('i32.sub').set(this.budget).br(labels.redirect);
    code.end();
    this.loadContexts();
    code.get(this.hart).memory('i32.load', hart('slotBase')).set(this.block);
    this.setPcBias();
    // Slots outside the page's block: branches from there must not count slots.
    code.i32(NO_BLOCK).get(this.block);
    code.get(this.slot).get(this.hart).i32(hart('single')).op('i32.add', 'i32.eq');
    code.op('select').set(this.block);
  }

  /** pcBias from `pc`, at whose slot we are. */
  setPcBias(): void {
    const { code } = this;
    code.get(this.pc).get(this.slot).i32(3).op('i32.shr_u', 'i64.extend_i32_u', 'i64.sub').set(this.pcBias);
  }

  /** Leaves a register's address (without the offset of `x`) on the stack: the slot's byte times 8 past the hart. */
  registerAddress(name: 'rd' | 'rs1' | 'rs2' | 'rs3'): void {
    const { code } = this;
    code
      .get(this.slot)
      .memory('i32.load8_u', offsetOf(SLOT, name === 'rs3' ? 'extra' : name))
      .i32(3)
      .op('i32.shl');
    code.get(this.hart).op('i32.add');
  }
}
