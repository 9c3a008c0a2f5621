/**
 * What is injected in row n of a cell, drawn from the campaign's seed. A row's numbers depend on seed, set-up, fault
 * class and n alone, not on the mechanism: cells that differ only in it pair row by row. Where in the golden run a draw
 * lands, and which byte a memory fault hits, only the golden run decides (testbed.ts, `place`).
 */

import type { Fault, FaultCsr, PrivilegedModes } from '../../../engine/index.ts';
import { type MemoryKind, RECOVERY_SHARES } from '../injection/index.ts';
import type { CampaignCell, SingleClass } from '../types.ts';
import { type RowRandom, rowRandom } from './random.ts';
import type { DrawOptions } from './schema.ts';

/** A fault whose target is drawn but not yet looked up. Bits count from the least significant one. */
export type DrawnFault =
  | { readonly kind: 'failstop' }
  /** 1–31, bit 0–63; or 32 = pc, bit 1–63. */
  | { readonly kind: 'register'; readonly register: number; readonly bit: number }
  /** Bit 0–127 of the 16 bytes from pc on; of the instruction at pc: 0–31, modulo its length. */
  | { readonly kind: 'code'; readonly span: 'instruction' | 'window'; readonly bit: number; readonly repair: Repair }
  /** `pick` of 2^32 chooses the byte among those of the kind; bit 0–7. */
  | { readonly kind: 'memory'; readonly where: MemoryKind; readonly pick: number; readonly bit: number }
  | { readonly kind: 'csr'; readonly csr: FaultCsr; readonly bit: number }
  /** `pick` of 2^32 chooses the device where `line` is one; `delay` in ns, 0 unless late. */
  | {
      readonly kind: 'interrupt';
      readonly line: 'ipi' | 'timer' | 'device';
      readonly pick: number;
      readonly effect: 'lost' | 'duplicated' | 'late';
      readonly delay: number;
    }
  /** `pick` of 2^32 chooses the disk or network whose next request or frame is lost. */
  | { readonly kind: 'device'; readonly pick: number };

/** When a fault strikes, of any golden run. */
export type DrawnTime =
  /** Billionths of the golden run's virtual time; then the k-th (1 = first) HS-mode instruction from there. */
  | { readonly over: 'time'; readonly runPpb: number; readonly k: number }
  /** The instruction at `share` of 2^48 of all that the golden run retires in those modes. */
  | { readonly over: PrivilegedModes; readonly share: number };

export type Repair = Extract<Fault, { readonly model: 'code' }>['repair'];

export interface FaultDraw {
  readonly when: DrawnTime;
  readonly fault: DrawnFault;
  /** Of two faults: a time drawn as the first's, the later being the second's; or a share of the recovery. */
  readonly second?: {
    readonly when: DrawnTime | { readonly over: 'recovery'; readonly share: number };
    readonly fault: DrawnFault;
  };
}

/**
 * Raised when the same seed draws other faults than before: rows that were drawn by another version are another
 * campaign's. 2: bit 0 of pc, which hardware does not have, is not drawn.
 */
export const DRAW_VERSION = 2;

const PPB_PER_PERCENT = 1e7;
/** Fine enough that every instruction of the longest run is drawn as often as the next. */
export const SHARE_SPAN = 2 ** 48;
/** x1–x31 and pc. */
const REGISTERS = 32;
const PC = 32;
const REGISTER_BITS = 64;
const WINDOW_BITS = 128;
const INSTRUCTION_BITS = 32;
const PICK_SPAN = 2 ** 32;

type DrawCell = Pick<CampaignCell, 'setup' | 'faultClass' | 'seed'>;

/** Draws row `index` of a cell. */
export function drawFault(cell: DrawCell, options: DrawOptions, index: number): FaultDraw {
  const random = rowRandom(cell.seed, cell.setup, cell.faultClass, index);
  const when = drawTime(options.triggers, random);
  const { faultClass } = cell;
  if (faultClass !== 'two-faults' && faultClass !== 'in-recovery') {
    return { when, fault: drawTarget(faultClass, options, random) };
  }
  const fault = drawTarget(random.pick(options.two.first), options, random);
  const later =
    faultClass === 'in-recovery'
      ? ({ over: 'recovery', share: random.integer(RECOVERY_SHARES) } as const)
      : drawTime(options.triggers, random);
  const second = { when: later, fault: drawTarget(random.pick(options.two.second), options, random) };
  return { when, fault, second };
}

function drawTime({ over, run: [from, to], instructions }: DrawOptions['triggers'], random: RowRandom): DrawnTime {
  if (over !== 'time') {
    const [first, last] = [from, to].map((percent) => Math.round((percent / 100) * SHARE_SPAN));
    return { over, share: first! + random.integer(Math.max(last! - first!, 1)) };
  }
  const runPpb = random.between([Math.round(from * PPB_PER_PERCENT), Math.round(to * PPB_PER_PERCENT)]);
  return { over, runPpb, k: 1 + random.between(instructions) };
}

function drawTarget(
  faultClass: SingleClass | 'device',
  { code, memory, csr, interrupt }: DrawOptions,
  random: RowRandom,
): DrawnFault {
  switch (faultClass) {
    case 'failstop':
      return { kind: 'failstop' };
    case 'register':
      return registerFault(1 + random.integer(REGISTERS), random);
    case 'code':
    case 'code-permanent': {
      const span = code.window === 16 ? 'window' : 'instruction';
      const bit = random.integer(span === 'window' ? WINDOW_BITS : INSTRUCTION_BITS);
      const repair = faultClass === 'code-permanent' ? 'stuck' : code.repair ? 'on-detection' : 'never';
      return { kind: 'code', span, bit, repair };
    }
    case 'memory':
      return {
        kind: 'memory',
        where: random.pick(memory.where),
        pick: random.integer(PICK_SPAN),
        bit: random.integer(8),
      };
    case 'csr':
      return { kind: 'csr', csr: random.pick(csr.registers), bit: random.integer(REGISTER_BITS) };
    case 'interrupt': {
      const line = random.pick(interrupt.lines);
      const effect = random.pick(interrupt.effects);
      const pick = random.integer(PICK_SPAN);
      return { kind: 'interrupt', line, pick, effect, delay: effect === 'late' ? random.between(interrupt.delay) : 0 };
    }
    case 'device':
      return { kind: 'device', pick: random.integer(PICK_SPAN) };
  }
}

/** Bit 0 of pc does not exist in hardware: instructions lie at even addresses, and jumps clear it. */
function registerFault(register: number, random: RowRandom): DrawnFault {
  const lowest = register === PC ? 1 : 0;
  return { kind: 'register', register, bit: random.between([lowest, REGISTER_BITS - 1]) };
}
