/** Fault models as plain data (design section 8; reference: papers, section 9). */

/** The hart of a fault that hits whichever hart's instruction is next. */
export const NEXT_HART = -1;
/** Number of pc in a register fault, after x1–x31. */
export const PC_REGISTER = 32;
/** Bits of a code fault's window: 16 bytes from pc on, the papers' 15 rounded up to whole parcels. */
export const WINDOW_BITS = 128;

/** HS and VS CSRs whose bits a fault can flip, as the manual names them. */
export const FAULT_CSRS = [
  ...['sstatus', 'sie', 'stvec', 'sscratch', 'sepc', 'scause', 'stval', 'satp', 'stimecmp'],
  ...['hstatus', 'hedeleg', 'hideleg', 'hvip', 'hgatp'],
  ...['vsstatus', 'vsie', 'vstvec', 'vsscratch', 'vsepc', 'vscause', 'vstval', 'vsatp', 'vstimecmp'],
] as const;
export type FaultCsr = (typeof FAULT_CSRS)[number];

/** When a flipped bit of code is put right; the first one unless said otherwise. */
export const REPAIRS = ['on-detection', 'never', 'stuck'] as const;

export type Fault =
  /** pc := 0 on the hart. */
  | { readonly model: 'failstop'; readonly hart: number }
  /** One bit (0–63) of an integer register (1–31) or pc (32). */
  | { readonly model: 'register'; readonly hart: number; readonly register: number; readonly bit: number }
  /** One bit (0–7) of the byte at a physical address. */
  | { readonly model: 'memory'; readonly paddr: number; readonly bit: number }
  /**
   * One bit of code: of the instruction at pc (bit modulo its 16 or 32), or of the 16 bytes from pc on. `on-detection`:
   * the machine puts the bit right when software reports a detection (a note DETECTED_*), as the papers' injector does.
   * `never`: the bit stays until software writes there, as a reboot in place does. `stuck`: the cell is broken: it has
   * the wrong bit again whenever a recovery has copied code, before any of it runs (notes REBOOTED and RESET).
   */
  | {
      readonly model: 'code';
      readonly hart: number;
      readonly span: 'instruction' | 'window';
      /** 0–31 of an instruction, 0–127 of a window. */
      readonly bit: number;
      readonly repair: (typeof REPAIRS)[number];
    }
  /**
   * One bit (0–63) of a CSR. A bit that the CSR does not implement, or a value that it cannot hold, changes nothing.
   */
  | { readonly model: 'csr'; readonly hart: number; readonly csr: FaultCsr; readonly bit: number }
  /**
   * The hart's pending machine software interrupt (`ipi`; if none is pending, its next one), its supervisor timer
   * (`timer`: stimecmp), or a source of the interrupt controller (a number; pending, or its next one). Lost: never
   * delivered. Duplicated: raised once more, at once. Late: delivered `ticks` later (0 for the other two).
   */
  | {
      readonly model: 'interrupt';
      /** Of `ipi` and `timer`; NEXT_HART for a source. */
      readonly hart: number;
      readonly line: 'ipi' | 'timer' | number;
      readonly effect: 'lost' | 'duplicated' | 'late';
      readonly ticks: number;
    }
  /**
   * The next request to the block device in a virtio slot ends in an I/O error; the next frame of a network device is
   * lost.
   */
  | { readonly model: 'device'; readonly slot: number; readonly effect: 'io-error' | 'drop-frame' };

/** A fault that waits in the machine for its occasion (engine/devices/fault-unit.ts keeps it). */
export type ArmedFault =
  /**
   * `mask` bits of the byte at RAM offset get the values they have in `value`: at the next detection (`repair`), or
   * whenever a recovery has copied code (`stuck`).
   */
  | { readonly kind: 'repair' | 'stuck'; readonly ramOffset: number; readonly mask: number; readonly value: number }
  /** The next (or pending) interrupt does not arrive, or arrives `ticks` later; 0: never. */
  | { readonly kind: 'ipi'; readonly hart: number; readonly ticks: number }
  | { readonly kind: 'source'; readonly source: number; readonly ticks: number }
  | { readonly kind: 'io-error' | 'drop-frame'; readonly slot: number };
