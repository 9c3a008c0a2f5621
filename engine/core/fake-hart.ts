/**
 * A stand-in for the privileged architecture, for tests of generated code alone: identity translation cached by hand,
 * decoding in TypeScript, calls recorded. Code pages are cached on demand; data pages only when the test says so, so
 * that both paths are reached. Which code runs on it is the test's: a `CodeGenerator`.
 */
import { type Assembled, assemble, decode as decodeRaw, HELPERS, instructionLength } from '../isa/index.ts';
import { CACHES, registerWord } from './codegen/index.ts';
import { generateInterp } from './interp/index.ts';
import { opNumber } from './interp/ops.ts';
import { CONSTANTS, HART, hartAddress, MACHINE, offsetOf, SLOT, TLB } from './layout/index.ts';

/** Linear memory: layout below, then caches, decoded blocks of 8 pages, and 8 pages of RAM at this address and pc. */
const TLB_HOST = 0x100000;
const POOL_HOST = 0x140000;
const RAM_PAGES = 8;
export const RAM = 0x200000;
/** Context ids that tags must carry. */
const FETCH_CONTEXT = 5 << 3;
const DATA_CONTEXT = 9 << 3;

export interface Call {
  readonly name: string;
  readonly pc: bigint;
  readonly budget: number;
  readonly args: readonly bigint[];
}
/** What a recorded call does: its result, and a change to the hart. */
export type Answer = (call: Call, hart: FakeHart) => bigint;

/** Runs a hart (its address) for a budget, as `interp` of engine/core/README.md does; gives the budget left. */
export type Run = (hart: number, budget: number) => number;
/** What arch.wasm exports to generated code. */
export type ArchFunctions = Readonly<Record<string, (...args: never[]) => unknown>>;

/** A way to execute decoded slots. All of them are held to the same tests. */
export interface CodeGenerator {
  readonly name: string;
  start(memory: WebAssembly.Memory, arch: ArchFunctions): Run;
}

const MODULE = new WebAssembly.Module(generateInterp());
export const INTERPRETER: CodeGenerator = {
  name: 'the interpreter',
  start: (memory, arch) => new WebAssembly.Instance(MODULE, { env: { memory }, arch }).exports.interp as Run,
};

export class FakeHart {
  readonly calls: Call[] = [];
  readonly view: DataView;
  readonly bytes: Uint8Array;
  answer: Answer = () => 0n;
  /** Fetches at these addresses trap to the given one. */
  readonly fetchTraps = new Map<bigint, bigint>();
  private readonly base = hartAddress(1);
  private readonly runCode: Run;
  /** Pages with decoded slots. */
  private readonly decoded = new Set<number>();

  constructor(generator: CodeGenerator) {
    const memory = new WebAssembly.Memory({ initial: 64 });
    this.view = new DataView(memory.buffer);
    this.bytes = new Uint8Array(memory.buffer);
    this.view.setUint32(
      CONSTANTS.MACHINE_BASE + offsetOf(MACHINE, 'tlbHost'),
      TLB_HOST - CONSTANTS.TLB_HART_BYTES,
      true,
    );
    this.bytes.fill(0xff, TLB_HOST, TLB_HOST + CONSTANTS.TLB_HART_BYTES);
    this.set32('fetchContext', FETCH_CONTEXT);
    this.set32('dataContext', DATA_CONTEXT);
    const helper =
      (name: string) =>
      (_hart: number, ...args: bigint[]) =>
        this.record(name, args);
    const arch = {
      ...Object.fromEntries(Object.keys(HELPERS).map((name) => [name, helper(name)])),
      fetch: () => this.fetch(),
      decode: (_hart: number, slot: number) => this.decode(slot),
      loadSlow: (_hart: number, address: bigint, bytes: number) => this.record('loadSlow', [address, BigInt(bytes)]),
      storeSlow: (_hart: number, address: bigint, value: bigint, bytes: number) => {
        this.record('storeSlow', [address, value, BigInt(bytes)]);
      },
    };
    for (let page = 0; page < RAM_PAGES; page++) this.endBlock(page);
    this.runCode = generator.start(memory, arch);
  }

  /** Puts assembly at `address` and the pc there; forgets what was decoded. */
  load(source: string, address = RAM): Assembled {
    for (const page of this.decoded) {
      this.bytes.fill(0, this.block(page), this.block(page) + CONSTANTS.SLOT_BLOCK_BYTES);
      this.endBlock(page);
    }
    this.decoded.clear();
    const assembled = assemble(source, address);
    this.bytes.set(assembled.bytes, address);
    this.pc = BigInt(address);
    return assembled;
  }
  /**
   * Loads a program, lets `prepare` set it up and runs it for its budget. Gives the hart. @throws Error when it left
   * before.
   */
  execute(source: string, budget: number, prepare: (hart: this) => void = () => {}): this {
    this.load(source);
    prepare(this);
    const left = this.run(budget);
    if (left !== 0) throw new Error(`left ${left} of ${budget} units before the end, at 0x${this.pc.toString(16)}`);
    return this;
  }
  /** Runs; gives the budget left. */
  run(budget: number): number {
    return this.runCode(this.base, budget);
  }

  x(n: number): bigint {
    return this.view.getBigUint64(this.base + 8 * n, true);
  }
  setX(n: number, value: bigint): void {
    this.view.setBigUint64(this.base + 8 * n, BigInt.asUintN(64, value), true);
  }
  get registers(): bigint[] {
    return Array.from({ length: 32 }, (_, n) => this.x(n));
  }
  get pc(): bigint {
    return this.view.getBigUint64(this.base + offsetOf(HART, 'pc'), true);
  }
  set pc(value: bigint) {
    this.view.setBigUint64(this.base + offsetOf(HART, 'pc'), value, true);
  }
  get32(name: string): number {
    return this.view.getUint32(this.base + offsetOf(HART, name), true);
  }
  set32(name: string, value: number): void {
    this.view.setUint32(this.base + offsetOf(HART, name), value, true);
  }

  /** Lets loads or stores of a page hit. */
  cache(kind: 'read' | 'write', page: number): void {
    this.fill(kind, RAM + page * CONSTANTS.PAGE_BYTES, DATA_CONTEXT, 0);
  }

  private fill(kind: keyof typeof CACHES, va: number, context: number, addend: number): void {
    const index = (va >>> 12) % CONSTANTS.TLB_ENTRIES;
    const entry = TLB_HOST + CACHES[kind] + index * CONSTANTS.TLB_ENTRY_BYTES;
    this.view.setBigUint64(entry + offsetOf(TLB, 'tag'), BigInt((va - (va % CONSTANTS.PAGE_BYTES)) | context), true);
    this.view.setUint32(entry + offsetOf(TLB, 'addend'), addend, true);
  }

  /** Calls without those that look for code, which generators do as they like. */
  get instructionCalls(): readonly Call[] {
    return this.calls.filter(({ name }) => name !== 'fetch');
  }

  private record(name: string, args: readonly bigint[]): bigint {
    const call = { name, pc: this.pc, budget: this.get32('budget'), args: args.map((a) => BigInt.asUintN(64, a)) };
    this.calls.push(call);
    return this.answer(call, this);
  }

  private endBlock(page: number): void {
    for (const slot of [2048, 2049]) this.setOp(this.block(page) + slot * 16, CONSTANTS.OP_PAGE_END);
  }
  private block = (page: number) => POOL_HOST + page * CONSTANTS.SLOT_BLOCK_BYTES;
  private setOp(slot: number, op: number): void {
    this.view.setUint32(slot + offsetOf(SLOT, 'opAndLength'), op, true);
  }

  private fetch(): number {
    this.record('fetch', []);
    const trap = this.fetchTraps.get(this.pc);
    if (trap !== undefined) {
      this.pc = trap;
      this.set32('resync', CONSTANTS.RESYNC_PC);
      return 0;
    }
    const va = Number(this.pc);
    const offset = va % CONSTANTS.PAGE_BYTES;
    if (offset === CONSTANTS.PAGE_BYTES - 2 && instructionLength(this.view.getUint16(va, true)) === 4) {
      const slot = this.base + offsetOf(HART, 'single');
      this.decodeInto(slot, this.view.getUint32(va, true));
      this.setOp(slot + 32, CONSTANTS.OP_PAGE_END);
      this.set32('slotBase', slot - offset * 8);
      return slot;
    }
    const block = this.block((va - RAM) >>> 12);
    this.fill('fetch', va, FETCH_CONTEXT, block);
    this.set32('slotBase', block);
    return block + offset * 8;
  }

  private decode(slot: number): void {
    const page = Math.floor((slot - POOL_HOST) / CONSTANTS.SLOT_BLOCK_BYTES);
    this.decoded.add(page);
    const offset = (slot - this.block(page)) / 8;
    const code = RAM + page * CONSTANTS.PAGE_BYTES + offset;
    const straddles = offset === CONSTANTS.PAGE_BYTES - 2 && instructionLength(this.view.getUint16(code, true)) === 4;
    if (straddles) this.setOp(slot, CONSTANTS.OP_SINGLE);
    else this.decodeInto(slot, this.view.getUint32(code, true));
  }

  private decodeInto(slot: number, word: number): void {
    const raw = instructionLength(word) === 2 ? word & 0xffff : word;
    this.view.setUint32(slot + offsetOf(SLOT, 'raw'), raw, true);
    const decoded = decodeRaw(raw);
    if (!decoded) {
      this.setOp(slot, CONSTANTS.OP_ILLEGAL);
      return;
    }
    const { imm = 0, zimm = 0 } = decoded.operands;
    const operand = (name: string) => registerWord(decoded.instruction, decoded.operands, name);
    const [rd, rs1, rs2, rs3] = [operand('rd'), operand('rs1'), operand('rs2'), operand('rs3')];
    this.view.setInt32(slot + offsetOf(SLOT, 'imm'), imm, true);
    this.view.setUint8(slot + offsetOf(SLOT, 'rd'), rd === 0 ? offsetOf(HART, 'sink') / 8 : rd);
    this.view.setUint8(slot + offsetOf(SLOT, 'rs1'), rs1);
    this.view.setUint8(slot + offsetOf(SLOT, 'rs2'), rs2);
    this.view.setUint8(slot + offsetOf(SLOT, 'extra'), rs3 || zimm);
    this.setOp(slot, opNumber(decoded.instruction, decoded.lengthBytes));
  }
}
