/** Fault models as plain data (design section 8). */

/** The hart of a fault that hits whichever hart's instruction is next. */
export const NEXT_HART = -1;
/** Number of pc in a register fault, after x1–x31. */
export const PC_REGISTER = 32;

export type Fault =
  /** pc := 0 on the hart. */
  | { readonly model: 'failstop'; readonly hart: number }
  /** One bit (0–63) of an integer register (1–31) or pc (32). */
  | { readonly model: 'register'; readonly hart: number; readonly register: number; readonly bit: number }
  /** One bit (0–7) of the byte at a physical address. */
  | { readonly model: 'memory'; readonly paddr: number; readonly bit: number };
