/**
 * Puts the core together: linear memory laid out, arch.wasm and the generated interpreter instantiated on it. Gives
 * fields by name for cold use; hot code keeps its own typed arrays over `memory.buffer`, which never grows.
 * Relies on scripts/build.ts having written dist/arch.wasm. Does not know devices or images.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { encodeCsrTable } from './csr-table.ts';
import type { ArchExports, ArchImports } from './interface.ts';
import { encodeDecodeTable, generateInterp } from './interp/index.ts';
import {
  ACCESS,
  type Block,
  CONSTANTS,
  EVENT,
  field,
  HART,
  hartAddress,
  MACHINE,
  STEP,
  WATCH,
} from './layout/index.ts';

/** What the machine gives to the core: device accesses, and the devices' deadline. */
export type CoreImports = Pick<ArchImports, 'mmioLoad' | 'mmioStore' | 'deviceTick'>;

export interface CoreOptions {
  /** A multiple of 4096, at most 2 GiB. */
  readonly ramBytes: number;
  /** 1 … CONSTANTS.MAX_HARTS. */
  readonly hartCount: number;
  readonly imports: CoreImports;
}

/** A run of saved bytes in linear memory. */
export interface SavedRange {
  /** `machine`, `hart0` … */
  readonly name: string;
  readonly block: Block;
  readonly address: number;
  readonly bytes: number;
}

/** Slot blocks in the pool of a machine with plenty of RAM: 4 MiB of code decoded at a time. */
const MAX_SLOT_BLOCKS = 1024;
const EVENT_CAPACITY = 8192;
const ACCESS_CAPACITY = 8192;
/** Instructions logged between two looks: a look costs a slice. */
const STEP_CAPACITY = 32768;
/** Room for batches of any size the layers above use; plus an index for each RAM page. */
const SCRATCH_BYTES = 0x10000;
const WASM_PAGE_BYTES = 0x10000;

/** A fresh core, its harts in the reset state at CONSTANTS.RESET_PC. ROM and RAM are all zeros. */
export function createCore(options: CoreOptions): Core {
  return new Core(options);
}

export class Core {
  readonly memory: WebAssembly.Memory;
  readonly arch: ArchExports;
  readonly hartCount: number;
  readonly #view: DataView;

  constructor({ ramBytes, hartCount, imports }: CoreOptions) {
    checkOptions(ramBytes, hartCount);
    const decodeTable = encodeDecodeTable();
    const csrTable = encodeCsrTable();
    const places = placeDynamic(ramBytes, hartCount, decodeTable.length, csrTable.length);
    this.hartCount = hartCount;
    this.memory = new WebAssembly.Memory({ initial: places.wasmPages, maximum: places.wasmPages });
    this.#view = new DataView(this.memory.buffer);
    new Uint8Array(this.memory.buffer).set(decodeTable, places.words.decodeTableHost);
    new Uint8Array(this.memory.buffer).set(csrTable, places.words.csrTableHost);
    for (const [name, value] of Object.entries(places.words)) this.setMachine(name, BigInt(value));
    this.setMachine('ramBytes', BigInt(ramBytes));
    this.setMachine('hartCount', BigInt(hartCount));
    this.setMachine('quantumTicks', 1000n);
    this.setMachine('deviceDeadline', -1n);
    this.setMachine('stopCount', -1n);
    this.setMachine('stopWork', -1n);
    this.setMachine('walkLogCount', -1n);
    this.arch = instantiate(this.memory, imports);
    this.arch.initialisePageHashes();
    this.arch.resetHarts(CONSTANTS.RESET_PC);
  }

  /** A field of the machine block. @throws Error for an unknown name. */
  machine(name: string, index = 0): bigint {
    return this.#get(CONSTANTS.MACHINE_BASE, MACHINE, name, index);
  }
  setMachine(name: string, value: bigint, index = 0): void {
    this.#set(CONSTANTS.MACHINE_BASE, MACHINE, name, index, value);
  }
  /** A field of hart `n`. @throws Error for an unknown name. */
  hart(n: number, name: string, index = 0): bigint {
    return this.#get(hartAddress(n), HART, name, index);
  }
  setHart(n: number, name: string, value: bigint, index = 0): void {
    this.#set(hartAddress(n), HART, name, index, value);
  }
  /** A field of the machine block as a number; exact up to 2^53. */
  machineNumber(name: string): number {
    return Number(this.machine(name));
  }

  /** A CSR by number as M-mode would read it. */
  peekCsr(n: number, csrNumber: number): bigint {
    this.arch.peekCsr(hartAddress(n), csrNumber);
    return this.machine('mmioData');
  }
  /** Writes a CSR as M-mode would. */
  pokeCsr(n: number, csrNumber: number, value: bigint): void {
    this.setMachine('mmioData', value);
    this.arch.pokeCsr(hartAddress(n), csrNumber);
  }
  /**
   * Physical address of `va`, or undefined; PMP is not asked for the access itself. `access`: 0 load, 1 store, 2 fetch.
   */
  translate(n: number, va: bigint, access: number): bigint | undefined {
    const hart = hartAddress(n);
    this.setMachine('mmioData', BigInt.asUintN(64, va));
    const found = this.arch.explainTranslation(hart, access, this.arch.modeOfAccess(hart, access));
    this.setMachine('walkLogCount', -1n);
    return found === 0 ? undefined : this.hart(n, 'walkPaddr');
  }
  /** Writes bytes to RAM as a store by a hart would. @throws RangeError when they are not all in RAM. */
  writeRam(paddr: number, bytes: Uint8Array): void {
    const offset = paddr - CONSTANTS.RAM_BASE;
    const ramBytes = this.machineNumber('ramBytes');
    if (offset < 0 || offset + bytes.length > ramBytes) {
      throw new RangeError(`0x${paddr.toString(16)}+${bytes.length} is not in RAM`);
    }
    const scratch = this.machineNumber('scratchHost');
    for (let done = 0; done < bytes.length; done += SCRATCH_BYTES) {
      const chunk = bytes.subarray(done, done + SCRATCH_BYTES);
      new Uint8Array(this.memory.buffer).set(chunk, scratch);
      this.arch.storePhysical(offset + done, scratch, chunk.length);
    }
  }
  /** A copy of RAM bytes. */
  readRam(paddr: number, bytes: number): Uint8Array {
    const start = this.machineNumber('ramHost') + paddr - CONSTANTS.RAM_BASE;
    return new Uint8Array(this.memory.buffer).slice(start, start + bytes);
  }

  /** The core's saved bytes outside RAM, in layout order. After writing them, call `arch.flushDerived()`. */
  savedRanges(): SavedRange[] {
    const machine = { name: 'machine', block: MACHINE, address: CONSTANTS.MACHINE_BASE, bytes: MACHINE.savedBytes };
    const harts = Array.from({ length: this.hartCount }, (_, n) => ({
      name: `hart${n}`,
      block: HART,
      address: hartAddress(n),
      bytes: HART.savedBytes,
    }));
    return [machine, ...harts];
  }

  #get(base: number, block: Block, name: string, index: number): bigint {
    const { offset, type } = field(block, name);
    if (type === 'u64') return this.#view.getBigUint64(base + offset + 8 * index, true);
    if (type === 'u32') return BigInt(this.#view.getUint32(base + offset + 4 * index, true));
    return BigInt(this.#view.getUint8(base + offset + index));
  }
  #set(base: number, block: Block, name: string, index: number, value: bigint): void {
    const { offset, type } = field(block, name);
    if (type === 'u64') this.#view.setBigUint64(base + offset + 8 * index, value, true);
    else if (type === 'u32') this.#view.setUint32(base + offset + 4 * index, Number(BigInt.asUintN(32, value)), true);
    else this.#view.setUint8(base + offset + index, Number(BigInt.asUintN(8, value)));
  }
}

function checkOptions(ramBytes: number, hartCount: number): void {
  if (!Number.isInteger(hartCount) || hartCount < 1 || hartCount > CONSTANTS.MAX_HARTS) {
    throw new RangeError(`core: ${hartCount} harts, expected 1 … ${CONSTANTS.MAX_HARTS}`);
  }
  if (!Number.isInteger(ramBytes) || ramBytes <= 0 || ramBytes % CONSTANTS.PAGE_BYTES !== 0 || ramBytes > 2 ** 31) {
    throw new RangeError(`core: ${ramBytes} bytes of RAM, expected a multiple of 4096 up to 2 GiB`);
  }
}

/** Hands out linear memory from DYNAMIC_BASE on, RAM last. */
function placeDynamic(ramBytes: number, hartCount: number, decodeTableBytes: number, csrTableBytes: number) {
  let next: number = CONSTANTS.DYNAMIC_BASE;
  const take = (bytes: number, alignment = 16): number => {
    const at = Math.ceil(next / alignment) * alignment;
    next = at + bytes;
    return at;
  };
  const ramPages = ramBytes / CONSTANTS.PAGE_BYTES;
  const pages = ramPages + CONSTANTS.ROM_PAGES;
  const slotPoolBlocks = Math.min(MAX_SLOT_BLOCKS, pages);
  const words = {
    pageFlagsHost: take(pages),
    pageHashHost: take(8 * ramPages),
    pageSlotsHost: take(4 * pages),
    tablePagesHost: take(4 * ramPages),
    decodeTableHost: take(decodeTableBytes),
    csrTableHost: take(csrTableBytes),
    scratchHost: take(SCRATCH_BYTES + 4 * ramPages),
    breakpointsHost: take(4 * CONSTANTS.MAX_BREAKPOINTS),
    breakAddressesHost: take(8 * CONSTANTS.MAX_BREAKPOINTS),
    breakOffsetsHost: take(CONSTANTS.PAGE_BYTES / 16),
    watchesHost: take(CONSTANTS.MAX_WATCHES * WATCH.sizeBytes),
    accessesHost: take(ACCESS_CAPACITY * ACCESS.sizeBytes),
    accessesCapacity: ACCESS_CAPACITY,
    stepsHost: take(STEP_CAPACITY * STEP.sizeBytes),
    stepsCapacity: STEP_CAPACITY,
    eventsHost: take(EVENT_CAPACITY * EVENT.sizeBytes),
    eventsCapacity: EVENT_CAPACITY,
    tlbHost: take(hartCount * CONSTANTS.TLB_HART_BYTES),
    romHost: take(CONSTANTS.ROM_PAGES * CONSTANTS.PAGE_BYTES, CONSTANTS.PAGE_BYTES),
    slotPoolBlocks,
    slotPoolHost: take(slotPoolBlocks * CONSTANTS.SLOT_BLOCK_BYTES),
    ramHost: take(ramBytes, CONSTANTS.PAGE_BYTES),
  };
  return { words, wasmPages: Math.ceil(next / WASM_PAGE_BYTES) };
}

/** Compiled once for a process: instances share nothing but code. */
let modules: { readonly arch: WebAssembly.Module; readonly interp: WebAssembly.Module } | undefined;

function instantiate(memory: WebAssembly.Memory, imports: CoreImports): ArchExports {
  modules ??= {
    arch: new WebAssembly.Module(readFileSync(archPath())),
    interp: new WebAssembly.Module(generateInterp()),
  };
  const table = new WebAssembly.Table({ element: 'anyfunc', initial: CONSTANTS.FN_INTERP + 1 });
  const arch = new WebAssembly.Instance(modules.arch, { env: { memory, table, ...imports } });
  const interp = new WebAssembly.Instance(modules.interp, {
    env: { memory },
    arch: arch.exports as WebAssembly.Imports[string],
  });
  table.set(CONSTANTS.FN_INTERP, interp.exports.interp);
  return arch.exports as unknown as ArchExports;
}

/** dist/arch.wasm, as seen from engine/core/ and from dist/engine/core/. */
function archPath(): string {
  const candidates = ['../../dist/arch.wasm', '../../arch.wasm'].map((at) =>
    fileURLToPath(new URL(at, import.meta.url)),
  );
  const found = candidates.find((path) => existsSync(path));
  if (!found) throw new Error(`core: ${candidates[0]} is missing; build it with 'npm run build'`);
  return found;
}
