/**
 * Generates the interpreter: one function that runs decoded slots until its budget is used up (engine/core/README.md
 * has the contract). A loop around one `br_table`; registers stay in linear memory; every instruction checks the
 * budget, so that a stop is exact. Relies on the layout and the ISA table; checks nothing at run time.
 */
import { archCalls, emitAddend, emitCachesAddress, emitProbe } from '../codegen/index.ts';
import { CONSTANTS, HART, offsetOf, SLOT } from '../layout/index.ts';
import { encodeModule, type Label } from '../wasm/index.ts';
import { Frame, type Labels } from './frame.ts';
import { OPS } from './ops.ts';
import { emitHandler } from './slot-site.ts';

/**
 * Bytes of a module that imports `env.memory` and functions of `arch` (fetch, decode, loadSlow, storeSlow, and every
 * helper of the ISA table), and exports `interp(hart, budget) -> budget left`.
 */
export function generateInterp(): Uint8Array {
  const arch = archCalls();
  const frame = new Frame(arch);
  emitInterp(frame);
  return encodeModule(arch.imports, [{ name: 'interp', body: frame.code }]);
}

const hartField = (name: string) => offsetOf(HART, name);

/**
 * The nest, outside in: `resume` starts at HART.pc with fresh contexts, `lookup` at the local `target`, `dispatch`
 * at the local `slot`; the blocks between are ways out, whose code follows their end.
 */
function emitInterp(frame: Frame): void {
  const { code } = frame;
  emitCachesAddress(code, frame.hart);
  code.set(frame.caches);
  const resume = code.begin('loop');
  frame.loadContexts();
  code.get(frame.hart).memory('i64.load', hartField('pc')).set(frame.target);
  const lookup = code.begin('loop');
  const redirect = code.begin('block');
  const leave = code.begin('block');
  const exhausted = code.begin('block');
  const labels: Labels = { redirect, leave, exhausted, lookup, dispatch: lookup };
  emitLookup(frame, labels);
  labels.dispatch = code.begin('loop');
  emitDispatch(frame, labels);
  code.end().end();
  // exhausted: the budget went below zero to get here.
  code.get(frame.hart);
  frame.currentPc();
  code.memory('i64.store', hartField('pc')).i32(0).op('return');
  code.end();
  emitLeave(frame);
  code.end();
  emitRedirect(frame, resume);
  code.end().end();
  code.op('unreachable');
}

/** slot, block and pcBias for the local `target`: from the fetch cache, else from the architecture. */
function emitLookup(frame: Frame, labels: Labels): void {
  const { code } = frame;
  const { caches, entry, target, fetchContext } = frame;
  emitProbe(code, 'fetch', 1, { caches, entry, address: target, context: fetchContext });
  code.begin('if');
  emitAddend(code, 'fetch', entry);
  code.tee(frame.block);
  code
    .get(frame.target)
    .op('i32.wrap_i64')
    .i32(CONSTANTS.PAGE_BYTES - 1)
    .op('i32.and')
    .i32(3)
    .op('i32.shl', 'i32.add');
  code.set(frame.slot);
  frame.setPcBias();
  code.otherwise();
  frame.fetchSlow(labels);
  code.end();
}

/** One round: pay, then branch to the handler of the slot's op. Handlers follow their blocks, innermost first. */
function emitDispatch(frame: Frame, labels: Labels): void {
  const { code } = frame;
  code.get(frame.budget).i32(1).op('i32.sub').tee(frame.budget).i32(0).op('i32.lt_s').brIf(labels.exhausted);
  const unknown = code.begin('block');
  const emitters: (() => void)[] = [
    () => emitUndecoded(frame, labels),
    () => emitPageEnd(frame, labels),
    () => emitSingle(frame, labels),
    () => emitBreakpoint(frame, labels),
    ...OPS.map((op) => () => emitHandler(frame, labels, op)),
  ];
  const blocks: Label[] = emitters.map(() => code.begin('block')).reverse();
  code.get(frame.slot).memory('i32.load16_u', offsetOf(SLOT, 'opAndLength')).brTable(blocks, unknown);
  for (const emit of emitters) {
    code.end();
    emit();
  }
  code.end();
  code.op('unreachable');
}

/** Slots that are no instruction cost nothing. */
function refund(frame: Frame): void {
  frame.code.get(frame.budget).i32(1).op('i32.add').set(frame.budget);
}

function emitUndecoded(frame: Frame, labels: Labels): void {
  refund(frame);
  frame.storeForCall();
  frame.code.get(frame.hart).get(frame.slot).call(frame.arch.index('decode')).br(labels.dispatch);
}

function emitPageEnd(frame: Frame, labels: Labels): void {
  refund(frame);
  frame.currentPc();
  frame.code.set(frame.target).br(labels.lookup);
}

function emitSingle(frame: Frame, labels: Labels): void {
  refund(frame);
  frame.currentPc();
  frame.code.set(frame.target);
  frame.fetchSlow(labels);
  frame.code.br(labels.dispatch);
}

/** `fetch` has told the run loop why. */
function emitBreakpoint(frame: Frame, labels: Labels): void {
  refund(frame);
  frame.code.br(labels.leave);
}

function emitLeave(frame: Frame): void {
  const { code } = frame;
  code.get(frame.hart);
  frame.currentPc();
  code.memory('i64.store', hartField('pc'));
  code.get(frame.hart).i32(0).memory('i32.store', hartField('resync'));
  code.get(frame.budget).op('return');
}

/** HART.pc was set by the call. Reads resync anew: `fetch` comes here without having looked. */
function emitRedirect(frame: Frame, resume: Label): void {
  const { code } = frame;
  code.get(frame.hart).memory('i32.load', hartField('resync')).set(frame.resync);
  code.get(frame.hart).i32(0).memory('i32.store', hartField('resync'));
  code.get(frame.resync).i32(CONSTANTS.RESYNC_END_SLICE).op('i32.and');
  code.begin('if');
  code.get(frame.budget).op('return');
  code.end();
  code.br(resume);
}
