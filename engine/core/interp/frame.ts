/**
 * The interpreter function's frame: its locals, its labels, and the short sequences that all of its parts use. The
 * calling contract with the privileged architecture is in engine/core/README.md.
 */
import type { ArchCalls, SiteLocals } from '../codegen/index.ts';
import { HART, offsetOf, SLOT } from '../layout/index.ts';
import { FunctionBody, type Label } from '../wasm/index.ts';

/** Where generated code can go; each is filled in when its block opens. */
export interface Labels {
  /** The helper has redirected: look at HART.pc and HART.resync. */
  redirect: Label;
  /** The instruction is complete, `slot` is past it; leave the slice. */
  leave: Label;
  /** The budget is used up before the instruction at `slot`. */
  exhausted: Label;
  /** Go on at the pc in the local `target`. */
  lookup: Label;
  /** Go on at the slot in the local `slot`. */
  dispatch: Label;
}

const hart = (name: string) => offsetOf(HART, name);

/**
 * In-page branches compare against this base when the slot is HART.single. A branch computes the slot it would lead to
 * from there, up to 8 MiB either way and so also below zero: all of that must be far from the base.
 */
const NO_BLOCK = -(2 ** 31);

export class Frame implements SiteLocals {
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
  readonly target = this.code.local('i64');
  readonly fetchContext = this.code.local('i64');
  readonly dataContext = this.code.local('i64');
  /** The hart's translation caches. */
  readonly caches = this.code.local('i32');
  readonly resync = this.code.local('i32');
  readonly address = this.code.local('i64');
  /** What a call returned, or an attempt computed: every local costs the hot loop, so they share one. */
  readonly value = this.code.local('i64');
  readonly entry = this.code.local('i32');
  readonly nextSlot = this.code.local('i32');
  readonly arch: ArchCalls;

  constructor(arch: ArchCalls) {
    this.arch = arch;
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

  loadContexts(): void {
    const { code } = this;
    code.get(this.hart).memory('i64.load32_u', hart('fetchContext')).set(this.fetchContext);
    code.get(this.hart).memory('i64.load32_u', hart('dataContext')).set(this.dataContext);
  }

  /**
   * Goes on at the local `target` through the architecture's `fetch`; a fetch that traps spends one unit. Leaves the
   * slice first when none is left.
   */
  fetchSlow(labels: Labels): void {
    const { code } = this;
    code.get(this.hart).get(this.target).memory('i64.store', hart('pc'));
    code.get(this.budget).op('i32.eqz');
    code.begin('if');
    code.i32(0).op('return');
    code.end();
    code.get(this.hart).get(this.budget).i32(1).op('i32.sub').memory('i32.store', hart('budget'));
    code.get(this.hart).call(this.arch.index('fetch')).tee(this.slot).op('i32.eqz');
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

  /** pcBias from `target`, at whose slot we are. */
  setPcBias(): void {
    const { code } = this;
    code.get(this.target).get(this.slot).i32(3).op('i32.shr_u', 'i64.extend_i32_u', 'i64.sub').set(this.pcBias);
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
