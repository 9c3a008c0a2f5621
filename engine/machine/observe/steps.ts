/**
 * The log of instructions with their operands: switched on while somebody listens, handed over in the core's own
 * records, which `Steps` reads. Nothing in the machine can see it.
 */
import { CONSTANTS, type Core, MACHINE, offsetOf, STEP } from '../../core/index.ts';

export interface StepLog {
  /** Who gets the records, oldest first: a copy of their bytes. undefined: nothing is logged. */
  listener: ((records: Uint8Array) => void) | undefined;
  /** Hands over what has been logged so far. */
  drain(): void;
  /** Forgets what has not been handed over. */
  forget(): void;
}

const COUNT = (CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, 'stepsCount')) >> 2;
const OPEN = (CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, 'stepOpen')) >> 2;

export function createStepLog(core: Core): StepLog {
  const u8 = new Uint8Array(core.memory.buffer);
  const u32 = new Uint32Array(core.memory.buffer);
  const log = core.machineNumber('stepsHost');
  let listener: StepLog['listener'];
  const drain = () => {
    const count = u32[COUNT]!;
    if (count === 0) return;
    u32[COUNT] = 0;
    listener?.(u8.slice(log, log + count * STEP.sizeBytes));
  };
  return {
    get listener() {
      return listener;
    },
    set listener(next) {
      drain();
      if ((next === undefined) !== (listener === undefined)) core.arch.logSteps(next ? 1 : 0);
      listener = next;
    },
    drain,
    forget() {
      u32[COUNT] = 0;
      u32[OPEN] = 0;
    },
  };
}

/**
 * Records of a log, put together, by number: what a hart did in each tick, oldest first. Values are unsigned.
 * A record is an instruction, a trap, or a further access of the instruction before it.
 */
export class Steps {
  readonly count: number;
  readonly #view: DataView;
  readonly #u8: Uint8Array;

  /** `parts`: as they were handed over, in order. */
  constructor(parts: readonly Uint8Array[]) {
    this.#u8 = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let at = 0;
    for (const part of parts) {
      this.#u8.set(part, at);
      at += part.length;
    }
    this.#view = new DataView(this.#u8.buffer);
    this.count = at / STEP.sizeBytes;
  }

  ticks(n: number): number {
    return this.#number(n, TICKS);
  }
  pc(n: number): bigint {
    return this.#long(n, PC);
  }
  /** Value of a source register before. Traps: xtval. */
  rs1(n: number): bigint {
    return this.#long(n, RS1);
  }
  /** Value of a source register before. Traps: guest physical address >> 2, or 0. */
  rs2(n: number): bigint {
    return this.#long(n, RS2);
  }
  /** Value of a source register before. Traps: where execution goes on. */
  rs3(n: number): bigint {
    return this.#long(n, RS3);
  }
  /** Value of the destination register afterwards. */
  result(n: number): bigint {
    return this.#long(n, RESULT);
  }
  /** Physical address of the access, or the CSR's number. */
  address(n: number): number {
    return this.#number(n, ADDRESS);
  }
  /** Accesses: the bytes that were read, or were there before. CSRs: what was read. */
  before(n: number): bigint {
    return this.#long(n, BEFORE);
  }
  /** Writes: the bytes afterwards. CSRs: what is read afterwards. */
  after(n: number): bigint {
    return this.#long(n, AFTER);
  }
  /** Physical address of the instruction. */
  code(n: number): number {
    return this.#view.getUint32(n * STEP.sizeBytes + CODE, true);
  }
  /** The instruction. Traps: xcause, bit 31 for interrupts. */
  raw(n: number): number {
    return this.#view.getUint32(n * STEP.sizeBytes + RAW, true);
  }
  vmid(n: number): number {
    return this.#view.getUint32(n * STEP.sizeBytes + VMID, true);
  }
  /** STEP_FLAGS. */
  flags(n: number): number {
    return this.#byte(n, FLAGS);
  }
  /** Bytes of the access. */
  bytes(n: number): number {
    return this.#byte(n, BYTES);
  }
  hart(n: number): number {
    return this.#byte(n, HART);
  }
  /** priv | virt << 2; traps: the mode before. */
  mode(n: number): number {
    return this.#byte(n, MODE);
  }
  /** Destination register: 0–31 integer, 32–63 floating point, larger: none. Traps: the mode after. */
  rd(n: number): number {
    return this.#byte(n, RD);
  }
  /** Number of a source register, as for `rd`; which of them an instruction has, its row says. */
  source(n: number, which: 1 | 2 | 3): number {
    return this.#byte(n, RS1_NUMBER + which - 1);
  }

  #byte(n: number, at: number): number {
    return this.#u8[n * STEP.sizeBytes + at]!;
  }
  #long(n: number, at: number): bigint {
    return this.#view.getBigUint64(n * STEP.sizeBytes + at, true);
  }
  #number(n: number, at: number): number {
    const place = n * STEP.sizeBytes + at;
    return this.#view.getUint32(place, true) + this.#view.getUint32(place + 4, true) * 0x100000000;
  }
}

/** Bits of `flags`: what an instruction did; or that the record is of a trap, or of a further access. */
export const STEP_FLAGS = {
  READS: CONSTANTS.STEP_READS,
  WRITES: CONSTANTS.STEP_WRITES,
  DEVICE: CONSTANTS.STEP_DEVICE,
  CSR: CONSTANTS.STEP_CSR,
  TRAPPED: CONSTANTS.STEP_TRAPPED,
  IS_TRAP: CONSTANTS.STEP_IS_TRAP,
  FURTHER: CONSTANTS.STEP_FURTHER,
} as const;

const at = (name: string) => offsetOf(STEP, name);
const TICKS = at('ticks');
const PC = at('pc');
const RS1 = at('rs1');
const RS2 = at('rs2');
const RS3 = at('rs3');
const RESULT = at('result');
const ADDRESS = at('address');
const BEFORE = at('before');
const AFTER = at('after');
const CODE = at('code');
const RAW = at('raw');
const VMID = at('vmid');
const FLAGS = at('flags');
const BYTES = at('bytes');
const HART = at('hart');
const MODE = at('mode');
const RD = at('rd');
const RS1_NUMBER = at('rs1Number');
