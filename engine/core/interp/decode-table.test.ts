/** The wasm decoder with its table against the TypeScript decoder: the same slots from the same bytes. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { COMPRESSED, decode, type Encoding, INSTRUCTIONS, instructionLength, matches } from '../../isa/index.ts';
import { registerWord } from '../codegen/index.ts';
import { createCore } from '../core.ts';
import { CONSTANTS, HART, hartAddress, offsetOf, SLOT } from '../layout/index.ts';
import { opNumber } from './ops.ts';

const core = createCore({
  ramBytes: 0x10000,
  hartCount: 1,
  imports: { mmioLoad: () => 0, mmioStore: () => 0, deviceTick: () => {} },
});
const view = new DataView(core.memory.buffer);
const block = core.machineNumber('slotPoolHost');
const code = core.machineNumber('ramHost');
const decodeInWasm = (core.arch as unknown as { decode(hart: number, slot: number): void }).decode;
view.setUint32(block + CONSTANTS.SLOT_BLOCK_CODE, code, true);

/** The slot of the instruction at byte `offset` of the code page, as wasm decodes it. */
function slotAt(offset: number) {
  const slot = block + offset * 8;
  decodeInWasm(hartAddress(0), slot);
  const u8 = (name: string) => view.getUint8(slot + offsetOf(SLOT, name));
  const opAndLength = view.getUint32(slot + offsetOf(SLOT, 'opAndLength'), true);
  return {
    op: opAndLength & 0xffff,
    distance: opAndLength >>> 16,
    raw: view.getUint32(slot + offsetOf(SLOT, 'raw'), true),
    imm: view.getInt32(slot + offsetOf(SLOT, 'imm'), true),
    extra: u8('extra'),
    registers: [u8('rd'), u8('rs1'), u8('rs2')],
  };
}

/** The same from the TypeScript decoder. */
function expectedSlot(word: number) {
  const raw = instructionLength(word) === 2 ? word & 0xffff : word >>> 0;
  const distance = instructionLength(raw) * 8;
  const decoded = decode(raw);
  if (!decoded) return { op: CONSTANTS.OP_ILLEGAL as number, distance, raw, imm: 0, extra: 0, registers: [0, 0, 0] };
  const { imm = 0, zimm = 0 } = decoded.operands;
  const operand = (name: string) => registerWord(decoded.instruction, decoded.operands, name);
  const rd = operand('rd');
  return {
    op: opNumber(decoded.instruction, decoded.lengthBytes),
    distance,
    raw,
    imm,
    extra: decoded.instruction.name.startsWith('amocas') ? operand('rd') : operand('rs3') || zimm,
    registers: [rd === 0 ? offsetOf(HART, 'sink') / 8 : rd, operand('rs1'), operand('rs2')],
  };
}

function check(word: number): void {
  view.setUint32(code + 8, word, true);
  expect(slotAt(8)).toEqual(expectedSlot(word));
}

const rawOf = (encoding: Encoding) =>
  fc
    .nat(0xffffffff)
    .map((bits) => (((bits & ~encoding.mask & (2 ** encoding.bits - 1)) >>> 0) + encoding.match) >>> 0)
    .filter((raw) => matches(encoding, raw));

describe('decoding in wasm', () => {
  test.each([...INSTRUCTIONS, ...COMPRESSED].map((row) => [row.name, row] as const))('%s', (_, row) => {
    fc.assert(fc.property(rawOf(row.encoding), check), { numRuns: 30 });
  });

  const excluding = INSTRUCTIONS.filter(({ encoding }) => encoding.excluded.length > 0);
  test.each(excluding.map((row) => [row.name, row.encoding] as const))('%s: what is reserved in it', (_, encoding) => {
    for (const { mask, value } of encoding.excluded) check(((encoding.match & ~mask) | value) >>> 0);
  });

  test('every 16-bit encoding, illegal ones too', () => {
    for (let half = 0; half < 0x10000; half++) {
      if ((half & 3) === 3) continue;
      view.setUint32(code + 8, half, true);
      const [ours, theirs] = [slotAt(8), expectedSlot(half)];
      // A deep comparison of each would take seconds.
      if (JSON.stringify(ours) !== JSON.stringify(theirs)) expect(ours).toEqual(theirs);
    }
  });

  test('arbitrary 32-bit words', () => {
    fc.assert(fc.property(fc.nat(0xffffffff), check), { numRuns: 2000 });
  });

  test('an instruction across the end of the page is not decoded; a 2-byte one there is', () => {
    const last = CONSTANTS.PAGE_BYTES - 2;
    view.setUint32(code + last, 0x0000_0013, true);
    expect(slotAt(last).op).toBe(CONSTANTS.OP_SINGLE);
    view.setUint16(code + last, 0x0001, true);
    expect(slotAt(last)).toEqual(expectedSlot(0x0001));
  });
});
