/**
 * What is injected in row n of a cell, drawn from the campaign's seed. A row's numbers depend on seed, set-up, fault
 * class and n alone, not on the mechanism: cells that differ only in it pair row by row. Where in the golden run a draw
 * lands, and which byte a memory fault hits, only the golden run decides (testbed.ts, `place`).
 */
import { rowRandom } from './random.ts';
import type { CsrName, DrawOptions, MemoryKind } from './schema.ts';
import type { CampaignCell } from './types.ts';

/** A fault whose target is drawn but not yet looked up. Bits count from the least significant one. */
export type DrawnFault =
  | { readonly kind: 'failstop' }
  /** 1–31, 32 = pc; bit 0–63. */
  | { readonly kind: 'register'; readonly register: number; readonly bit: number }
  /** Bit 0–127 of the 16 bytes from pc on, or of the instruction at pc (taken modulo its length in bits). */
  | { readonly kind: 'code'; readonly window: 16 | 'instruction'; readonly bit: number; readonly repair: boolean }
  /** `pick` of 2^32 chooses the byte among those of the kind; bit 0–7. */
  | { readonly kind: 'memory'; readonly where: MemoryKind; readonly pick: number; readonly bit: number }
  | { readonly kind: 'csr'; readonly csr: CsrName; readonly bit: number }
  | { readonly kind: 'interrupt'; readonly pick: number }
  | { readonly kind: 'device'; readonly pick: number };

export interface FaultDraw {
  /** Billionths of the golden run's virtual time. */
  readonly runPpb: number;
  /** The k-th (1 = first) HS-mode instruction from there. */
  readonly k: number;
  readonly fault: DrawnFault;
}

const PPB_PER_PERCENT = 1e7;
const REGISTERS = 32;
const REGISTER_BITS = 64;
const WINDOW_BITS = 128;
const PICK_SPAN = 2 ** 32;

type DrawCell = Pick<CampaignCell, 'setup' | 'faultClass' | 'seed'>;

/** Draws row `index` of a cell. */
export function drawFault(cell: DrawCell, options: DrawOptions, index: number): FaultDraw {
  const random = rowRandom(cell.seed, cell.setup, cell.faultClass, index);
  const [from, to] = options.triggers.run;
  const runPpb = random.between([Math.round(from * PPB_PER_PERCENT), Math.round(to * PPB_PER_PERCENT)]);
  const k = 1 + random.between(options.triggers.instructions);
  return { runPpb, k, fault: drawTarget(cell.faultClass, options, random) };
}

function drawTarget(
  faultClass: CampaignCell['faultClass'],
  { code, memory, csr }: DrawOptions,
  random: ReturnType<typeof rowRandom>,
): DrawnFault {
  switch (faultClass) {
    case 'failstop':
      return { kind: 'failstop' };
    case 'register':
      return { kind: 'register', register: 1 + random.integer(REGISTERS), bit: random.integer(REGISTER_BITS) };
    case 'code':
      return { kind: 'code', window: code.window, bit: random.integer(WINDOW_BITS), repair: code.repair };
    case 'memory':
      return {
        kind: 'memory',
        where: random.pick(memory.where),
        pick: random.integer(PICK_SPAN),
        bit: random.integer(8),
      };
    case 'csr':
      return { kind: 'csr', csr: random.pick(csr.registers), bit: random.integer(REGISTER_BITS) };
    case 'interrupt':
    case 'device':
      return { kind: faultClass, pick: random.integer(PICK_SPAN) };
  }
}
