/** The interpreter's handlers: an op's effect, for whichever slot the frame is at. */
import { emitEffect, type Site, type SiteLocals } from '../codegen/index.ts';
import { CONSTANTS, offsetOf, SLOT } from '../layout/index.ts';
import type { Frame, Labels } from './frame.ts';
import type { Op } from './ops.ts';

/** Emits the handler of `op`: it never falls through. */
export function emitHandler(frame: Frame, labels: Labels, op: Op): void {
  emitEffect(new SlotSite(frame, labels, op.lengthBytes), op.effect);
}

/** Operands come from the slot, registers are in linear memory, the way on is by the frame's labels. */
class SlotSite implements Site {
  readonly code;
  readonly arch;
  readonly locals: SiteLocals;
  private readonly frame: Frame;
  private readonly labels: Labels;
  private readonly lengthBytes: number;

  constructor(frame: Frame, labels: Labels, lengthBytes: number) {
    this.frame = frame;
    this.labels = labels;
    this.lengthBytes = lengthBytes;
    this.code = frame.code;
    this.arch = frame.arch;
    this.locals = frame;
  }

  register(name: 'rs1' | 'rs2' | 'rs3'): void {
    this.frame.registerAddress(name);
    this.code.memory('i64.load');
  }
  operand(kind: 'imm' | 'zimm' | 'raw'): void {
    this.code.get(this.frame.slot);
    if (kind === 'imm') this.code.memory('i64.load32_s', offsetOf(SLOT, 'imm'));
    else if (kind === 'raw') this.code.memory('i64.load32_u', offsetOf(SLOT, 'raw'));
    else this.code.memory('i64.load8_u', offsetOf(SLOT, 'extra'));
  }
  pc(): void {
    this.frame.currentPc();
  }
  nextPc(): void {
    this.frame.currentPc();
    this.code.i64(BigInt(this.lengthBytes)).op('i64.add');
  }
  /** x0 is decoded to the sink. */
  writeRd(value: () => void): void {
    this.frame.registerAddress('rd');
    value();
    this.code.memory('i64.store');
  }

  beforeCall(): void {
    this.frame.storeForCall();
  }
  afterCall(): void {}
  abandonIf(): void {
    this.code.brIf(this.labels.redirect);
  }

  next(): void {
    this.advance();
    this.code.br(this.labels.dispatch);
  }
  leave(): void {
    this.advance();
    this.code.br(this.labels.leave);
  }
  /** Moves the slot pointer when the target is in the page. */
  branch(): void {
    const { code, frame } = this;
    code.get(frame.slot).get(frame.slot).memory('i32.load', offsetOf(SLOT, 'imm')).i32(3).op('i32.shl', 'i32.add');
    code
      .tee(frame.nextSlot)
      .get(frame.block)
      .op('i32.sub')
      .i32(CONSTANTS.PAGE_BYTES * 8)
      .op('i32.lt_u');
    code.begin('if');
    code.get(frame.nextSlot).set(frame.slot).br(this.labels.dispatch);
    code.end();
    this.pc();
    this.operand('imm');
    code.op('i64.add').set(frame.target);
    this.jump();
  }
  jump(): void {
    this.code.br(this.labels.lookup);
  }

  private advance(): void {
    const distance = this.lengthBytes * (CONSTANTS.SLOT_BYTES / 2);
    this.code.get(this.frame.slot).i32(distance).op('i32.add').set(this.frame.slot);
  }
}
