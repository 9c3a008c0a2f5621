/**
 * A core with a toy device, programs from assembly text, and a page-table writer: what the core's tests share.
 * Relies on the assembler of engine/isa. Used by tests and by the status table in docs.
 */
import { assemble, csrByName, registerNumber } from '../isa/index.ts';
import { type Core, createCore } from './core.ts';
import { CONSTANTS } from './layout/index.ts';

export const RAM = BigInt(CONSTANTS.RAM_BASE);
/** Bits of a page-table entry. */
export const PTE = { V: 1n, R: 2n, W: 4n, X: 8n, U: 16n, G: 32n, A: 64n, D: 128n } as const;
export const RWX: bigint = PTE.R | PTE.W | PTE.X | PTE.A | PTE.D;
export const SV39 = 8n << 60n;
export const SV48 = 9n << 60n;
export const SV57 = 10n << 60n;
/** The device's registers: 64 KiB that read back what was written. */
export const DEVICE = 0x1000_0000n;

export type ModeName = 'M' | 'HS' | 'U' | 'VS' | 'VU';
const MODES: Record<ModeName, readonly [bigint, bigint]> = {
  M: [3n, 0n],
  HS: [1n, 0n],
  U: [0n, 0n],
  VS: [1n, 1n],
  VU: [0n, 1n],
};

export class Bed {
  readonly core: Core;
  /** Device registers by address, and what was done to them. */
  readonly registers = new Map<number, bigint>();
  readonly accesses: string[] = [];
  /** Called at MACHINE.deviceDeadline. */
  onDeadline: () => void = () => {};
  /** Next free page for page tables. */
  #nextTable: bigint;

  constructor({ harts = 1, ramBytes = 4 << 20 } = {}) {
    this.core = createCore({
      ramBytes,
      hartCount: harts,
      imports: {
        mmioLoad: (paddr, size) => this.#access('load', paddr >>> 0, size),
        mmioStore: (paddr, size) => this.#access('store', paddr >>> 0, size),
        deviceTick: () => this.onDeadline(),
      },
    });
    this.#nextTable = RAM + BigInt(ramBytes) - 0x10_0000n;
  }

  /** Assembles `source` to physical address `at`. Returns its symbols. */
  program(source: string, at: bigint = RAM, origin: bigint = at): ReadonlyMap<string, bigint> {
    const { bytes, symbols } = assemble(source, origin);
    this.core.writeRam(Number(at), bytes);
    return symbols;
  }

  /** Runs for `ticks` ticks at most. Returns STOP_*. */
  run(ticks: number): number {
    this.core.setMachine('stopMoment', -1n);
    this.core.setMachine('stopTicks', this.core.machine('ticks') + BigInt(ticks));
    return this.core.arch.run();
  }

  /** Runs one instruction of hart 0 at `pc` in `mode` and says which trap it took, if any. */
  execute(instruction: string, mode: ModeName, pc: bigint = RAM, paddr: bigint = pc): bigint | undefined {
    this.program(instruction, paddr, pc);
    this.enter(mode, pc);
    this.setCsr('mcause', -1n);
    this.run(1);
    return this.mode() === 'M' && this.csr('mcause') !== BigInt.asUintN(64, -1n) ? this.csr('mcause') : undefined;
  }

  /** Puts a hart between instructions at `pc` in `mode`. */
  enter(mode: ModeName, pc: bigint, hart = 0): void {
    const [priv, virt] = MODES[mode];
    this.core.setHart(hart, 'priv', priv);
    this.core.setHart(hart, 'virt', virt);
    this.core.setHart(hart, 'pc', pc);
    this.core.setHart(hart, 'waiting', 0n);
    this.core.arch.flushDerived();
  }

  mode(hart = 0): ModeName {
    const priv = this.core.hart(hart, 'priv');
    const virt = this.core.hart(hart, 'virt');
    const found = Object.entries(MODES).find(([, [p, v]]) => p === priv && v === virt);
    if (!found) throw new Error(`hart ${hart} is in no mode: priv ${priv}, virt ${virt}`);
    return found[0] as ModeName;
  }

  pc(hart = 0): bigint {
    return this.core.hart(hart, 'pc');
  }
  x(register: string, hart = 0): bigint {
    return this.core.hart(hart, 'x', registerOf(register));
  }
  setX(register: string, value: bigint, hart = 0): void {
    this.core.setHart(hart, 'x', value, registerOf(register));
  }
  csr(name: string, hart = 0): bigint {
    return this.core.peekCsr(hart, csrOf(name));
  }
  setCsr(name: string, value: bigint, hart = 0): void {
    this.core.pokeCsr(hart, csrOf(name), BigInt.asUintN(64, value));
  }

  /** A 64-bit word of RAM. */
  word(paddr: bigint): bigint {
    return new DataView(this.core.readRam(Number(paddr), 8).buffer).getBigUint64(0, true);
  }
  setWord(paddr: bigint, value: bigint): void {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
    this.core.writeRam(Number(paddr), bytes);
  }

  /** Lets M-mode, S-mode and below do everything that PMP could forbid. */
  openPmp(hart = 0): void {
    this.setCsr('pmpaddr0', (1n << 54n) - 1n, hart);
    this.setCsr('pmpcfg0', 0x1fn, hart);
  }

  /** Zeroed pages for page tables, aligned to their size. */
  tablePages(pages = 1n): bigint {
    const bytes = pages * 4096n;
    const at = ((this.#nextTable + bytes - 1n) / bytes) * bytes;
    this.#nextTable = at + bytes;
    return at;
  }

  /**
   * Maps one page of size 4 KiB << 9*level. Returns the physical address of the leaf entry. `gstage`: 2048-entry root.
   * Tables are made as needed, `levels` deep; `placed` translates their addresses for the entries (guest tables at
   * guest addresses).
   */
  map(
    root: bigint,
    va: bigint,
    pa: bigint,
    flags: bigint,
    { level = 0n, levels = 3n, gstage = false, placed = (table: bigint) => table } = {},
  ): bigint {
    let table = root;
    for (let at = levels - 1n; ; at--) {
      const index = (va >> (12n + 9n * at)) & (gstage && at === levels - 1n ? 0x7ffn : 0x1ffn);
      const entry = table + 8n * index;
      if (at === level) {
        this.setWord(entry, ((pa >> 12n) << 10n) | flags | PTE.V);
        return entry;
      }
      let next = this.#children.get(entry);
      if (next === undefined) {
        next = this.tablePages();
        this.#children.set(entry, next);
        this.setWord(entry, ((placed(next) >> 12n) << 10n) | PTE.V);
      }
      table = next;
    }
  }
  readonly #children = new Map<bigint, bigint>();

  /** Saved bytes of the core and RAM, for comparing states. */
  state(): Uint8Array {
    return this.#copy([
      ...this.core.savedRanges(),
      { address: this.core.machineNumber('ramHost'), bytes: this.core.machineNumber('ramBytes') },
    ]);
  }

  /** The saved bytes without RAM. */
  savedBytes(): Uint8Array {
    return this.#copy(this.core.savedRanges());
  }

  #copy(all: readonly { address: number; bytes: number }[]): Uint8Array {
    const out = new Uint8Array(all.reduce((sum, { bytes }) => sum + bytes, 0));
    let at = 0;
    for (const { address, bytes } of all) {
      out.set(new Uint8Array(this.core.memory.buffer, address, bytes), at);
      at += bytes;
    }
    return out;
  }

  #access(kind: 'load' | 'store', paddr: number, size: number): number {
    this.accesses.push(`${kind} ${paddr.toString(16)} ${size}`);
    if (BigInt(paddr) < DEVICE || BigInt(paddr) >= DEVICE + 0x10000n) return 0;
    if (kind === 'store') this.registers.set(paddr, this.core.machine('mmioData'));
    else this.core.setMachine('mmioData', this.registers.get(paddr) ?? 0n);
    return 1;
  }
}

function registerOf(name: string): number {
  const number = registerNumber(name);
  if (number === undefined) throw new Error(`no register ${name}`);
  return number;
}
function csrOf(name: string): number {
  const csr = csrByName(name);
  if (!csr) throw new Error(`no CSR ${name}`);
  return csr.number;
}
