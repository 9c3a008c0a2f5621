/**
 * One op's code: derived from its row's effect, whatever instruction it is. Each handler ends with a branch.
 */
import { type Effect, type Expression, expressionsOf, factsOf, helperMay, isPure, parts } from '../../isa/index.ts';
import { CONSTANTS, HART, offsetOf, SLOT } from '../layout.ts';
import { emitCondition, emitValue, type MemoryOp, type OperandAccess } from '../wasm/index.ts';
import type { Frame, Labels } from './frame.ts';
import type { Op } from './ops.ts';

type Kind<K extends Expression['kind']> = Expression & { readonly kind: K };

/** Emits the handler of `op`. */
export function emitHandler(frame: Frame, labels: Labels, op: Op): void {
  emitEffect(frame, labels, op, op.effect);
}

function emitEffect(frame: Frame, labels: Labels, op: Op, effect: Effect): void {
  const access = slotAccess(frame, labels);
  switch (effect.kind) {
    case 'nothing':
      break;
    case 'set':
      emitSet(frame, labels, op, effect.value);
      return;
    case 'store':
      emitStore(frame, labels, op, effect);
      return;
    case 'branch':
      emitCondition(frame.code, effect.condition, access);
      frame.code.begin('if');
      emitGoto(frame, labels, effect.target);
      frame.code.end();
      break;
    case 'jump':
      emitJump(frame, labels, op, effect.target);
      return;
    case 'either':
      emitCondition(frame.code, effect.condition, access);
      frame.code.begin('if');
      emitEffect(frame, labels, op, effect.then);
      frame.code.end();
      emitEffect(frame, labels, op, effect.otherwise);
      return;
    case 'attempt':
      emitAttempt(frame, labels, op, effect);
      return;
    case 'run':
      emitValue(frame.code, effect.call, access);
      frame.code.op('drop');
      break;
  }
  if (expressionsOf(effect).some(mayEndSlice)) leaveIfAsked(frame, labels, op);
  advance(frame, labels, op);
}

/** Whether the expression, or a part of it, may complete and ask to leave the slice. */
const mayEndSlice = (e: Expression) => parts(e).some((part) => factsOf(part).includes('endSlice'));

const slotDistance = (op: Op) => op.lengthBytes * (CONSTANTS.SLOT_BYTES / 2);

/** Goes on with the instruction after this one. */
function advance(frame: Frame, labels: Labels, op: Op): void {
  frame.code.get(frame.slot).i32(slotDistance(op)).op('i32.add').set(frame.slot).br(labels.dispatch);
}

/** After a completed instruction whose call may have asked to end the slice. */
function leaveIfAsked(frame: Frame, labels: Labels, op: Op): void {
  frame.code.get(frame.resync);
  frame.code.begin('if');
  frame.code.get(frame.slot).i32(slotDistance(op)).op('i32.add').set(frame.slot).br(labels.leave);
  frame.code.end();
}

/** rd = value. A load is emitted twice: with the inlined lookup's hit, and with the slow path. */
function emitSet(frame: Frame, labels: Labels, op: Op, value: Expression): void {
  const { code } = frame;
  const access = slotAccess(frame, labels);
  const writeRd = (via: OperandAccess) => {
    frame.registerAddress('rd');
    emitValue(code, value, via);
    code.memory('i64.store');
  };
  const load = parts(value).find((e) => e.kind === 'load');
  if (load) {
    emitValue(code, load.address, access);
    code.set(frame.address);
    frame.probe(frame.address, 'read', load.bytes, frame.dataContext);
    code.begin('if');
    writeRd({ ...access, load: (node) => loadHit(frame, node) });
    advance(frame, labels, op);
    code.end();
    writeRd({ ...access, load: (node) => loadMiss(frame, labels, node) });
  } else {
    writeRd(access);
  }
  if (mayEndSlice(value)) leaveIfAsked(frame, labels, op);
  advance(frame, labels, op);
}

function loadHit(frame: Frame, { bytes, signed }: Kind<'load'>): void {
  const { code } = frame;
  code.get(frame.address).op('i32.wrap_i64');
  frame.addend('read');
  const name: MemoryOp =
    bytes === 8 ? 'i64.load' : (`i64.load${(bytes * 8) as 8 | 16 | 32}_${signed ? 's' : 'u'}` as const);
  code.op('i32.add').memory(name);
}

function loadMiss(frame: Frame, labels: Labels, { bytes, signed }: Kind<'load'>): void {
  const { code } = frame;
  frame.storeForCall();
  code.get(frame.hart).get(frame.address).i32(bytes).call(frame.imports.loadSlow).set(frame.value);
  frame.loadResync();
  frame.checkRedirect(labels);
  code.get(frame.value);
  if (signed && bytes !== 8) code.op(`i64.extend${(bytes * 8) as 8 | 16 | 32}_s`);
}

/** rd = candidate when it is accepted. */
function emitAttempt(frame: Frame, labels: Labels, op: Op, effect: Effect & { kind: 'attempt' }): void {
  const { code } = frame;
  const access = slotAccess(frame, labels);
  emitValue(code, effect.candidate, access);
  code.set(frame.value);
  emitCondition(code, effect.accept, access);
  code.begin('if');
  frame.registerAddress('rd');
  code.get(frame.value).memory('i64.store');
  advance(frame, labels, op);
  code.end();
  emitEffect(frame, labels, op, effect.otherwise);
}

function emitStore(frame: Frame, labels: Labels, op: Op, effect: Effect & { kind: 'store' }): void {
  const { code } = frame;
  const access = slotAccess(frame, labels);
  emitValue(code, effect.address, access);
  code.set(frame.address);
  frame.probe(frame.address, 'write', effect.bytes, frame.dataContext);
  code.begin('if');
  code.get(frame.address).op('i32.wrap_i64');
  frame.addend('write');
  code.op('i32.add');
  emitValue(code, effect.value, access);
  code.memory(effect.bytes === 8 ? 'i64.store' : `i64.store${(effect.bytes * 8) as 8 | 16 | 32}`);
  advance(frame, labels, op);
  code.end();
  frame.storeForCall();
  code.get(frame.hart).get(frame.address);
  emitValue(code, effect.value, access);
  code.i32(effect.bytes).call(frame.imports.storeSlow);
  frame.loadResync();
  frame.checkRedirect(labels);
  leaveIfAsked(frame, labels, op);
  advance(frame, labels, op);
}

/** pc = target, without link. A target at a constant distance moves the slot pointer when it stays in the page. */
function emitGoto(frame: Frame, labels: Labels, target: Expression): void {
  const { code } = frame;
  if (isPcPlusImmediate(target)) {
    code.get(frame.slot).get(frame.slot).memory('i32.load', offsetOf(SLOT, 'imm')).i32(3).op('i32.shl', 'i32.add');
    code
      .tee(frame.nextSlot)
      .get(frame.block)
      .op('i32.sub')
      .i32(CONSTANTS.PAGE_BYTES * 8)
      .op('i32.lt_u');
    code.begin('if');
    code.get(frame.nextSlot).set(frame.slot).br(labels.dispatch);
    code.end();
  }
  emitValue(code, target, slotAccess(frame, labels));
  code.set(frame.pc).br(labels.lookup);
}

/** A jump reads its target's operands before it writes rd, which may be one of them. */
function emitJump(frame: Frame, labels: Labels, op: Op, target: Expression): void {
  const { code } = frame;
  const link = () => {
    frame.registerAddress('rd');
    frame.currentPc();
    code.i64(BigInt(op.lengthBytes)).op('i64.add').memory('i64.store');
  };
  if (isPcPlusImmediate(target)) {
    link();
    emitGoto(frame, labels, target);
    return;
  }
  emitValue(code, target, slotAccess(frame, labels));
  code.set(frame.pc);
  link();
  code.br(labels.lookup);
}

const isPcPlusImmediate = (e: Expression): boolean =>
  e.kind === 'binary' && e.op === 'add' && e.a.kind === 'pc' && e.b.kind === 'imm';

/** Operands from the slot, registers from memory, helpers by import. Loads need a way of their own. */
function slotAccess(frame: Frame, labels: Labels): OperandAccess {
  const { code } = frame;
  return {
    register: ({ name }) => {
      frame.registerAddress(name);
      code.memory('i64.load');
    },
    operand: ({ kind }) => {
      if (kind === 'pc') frame.currentPc();
      else if (kind === 'imm') code.get(frame.slot).memory('i64.load32_s', offsetOf(SLOT, 'imm'));
      else if (kind === 'raw') code.get(frame.slot).memory('i64.load32_u', offsetOf(SLOT, 'raw'));
      else code.get(frame.slot).memory('i64.load8_u', offsetOf(SLOT, 'extra'));
    },
    state: ({ name }) => {
      code.get(frame.hart).memory('i64.load32_u', offsetOf(HART, name));
    },
    candidate: () => {
      code.get(frame.value);
    },
    load: () => {
      throw new Error('interp: a load outside of a register write');
    },
    call: (node) => emitCall(frame, labels, node),
  };
}

function emitCall(frame: Frame, labels: Labels, { helper, args }: Kind<'call'>): void {
  const { code } = frame;
  const access = slotAccess(frame, labels);
  if (!isPure(helper)) frame.storeForCall();
  code.get(frame.hart);
  for (const argument of args) emitValue(code, argument, access);
  code.call(frame.imports.helper(helper));
  const abandons = helperMay(helper, 'trap') || helperMay(helper, 'redirect');
  if (!abandons && !helperMay(helper, 'endSlice')) return;
  code.set(frame.value);
  frame.loadResync();
  if (abandons) frame.checkRedirect(labels);
  code.get(frame.value);
}
