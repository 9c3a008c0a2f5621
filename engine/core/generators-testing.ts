/**
 * The code generators that the tests of generated code take, and one that exists for them: it compiles each instruction
 * to a function of its own, as a compiler of longer stretches would: operands are constants, registers wasm locals, pc
 * is where the code was entered. It shows that `Site` serves who keeps nothing where the interpreter does.
 */
import { decode, expressionsOf, isPure, parts } from '../isa/index.ts';
import { archCalls, emitCachesAddress, emitEffect, registerWord, type Site, type SiteLocals } from './codegen/index.ts';
import { type CodeGenerator, INTERPRETER, type Run } from './fake-hart.ts';
import { OPS, type Op } from './interp/ops.ts';
import { CONSTANTS, HART, offsetOf, SLOT } from './layout/index.ts';
import { encodeModule, FunctionBody, type Label } from './wasm/index.ts';

const hartField = (name: string) => offsetOf(HART, name);

/** How a compiled instruction ends: HART.pc is where to go on, but for REDO, which has done nothing. */
const NEXT = 0;
const LEFT = 1;
const ABANDONED = 2;
const REDO = 3;

type Operands = Readonly<Record<string, number>>;
type Compiled = (hart: number, budget: number) => number;

/** Bytes of a module that exports `instruction(hart, budget left after it) -> how it ended`. */
function compile(op: Op, raw: number, givesBack: boolean): Uint8Array {
  const site = new ConstantSite(op, raw, givesBack);
  emitEffect(givesBack ? Object.assign(site, { redo: () => site.end(REDO) }) : site, op.effect);
  return encodeModule(site.arch.imports, [{ name: 'instruction', body: site.finish() }]);
}

class ConstantSite implements Site {
  readonly code = new FunctionBody({ parameters: ['i32', 'i32'], result: 'i32' });
  readonly arch;
  readonly locals: SiteLocals;
  private readonly budget = 1;
  private readonly entryPc: number;
  private readonly how: number;
  /** Locals of the registers that the instruction names, by word of the hart; x0 has none. */
  private readonly registers: ReadonlyMap<number, number>;
  private readonly operands: Operands;
  private readonly op: Op;
  private readonly raw: number;
  private readonly done: Label;

  constructor(op: Op, raw: number, onlyPure: boolean) {
    const { code } = this;
    const local = (type: 'i32' | 'i64') => code.local(type);
    const called = expressionsOf(op.effect)
      .flatMap(parts)
      .flatMap((e) => (e.kind === 'call' ? [e.helper] : []));
    this.op = op;
    this.raw = raw;
    this.operands = decode(raw)?.operands ?? {};
    this.arch = archCalls(onlyPure ? called.filter(isPure) : ['loadSlow', 'storeSlow', ...called]);
    const names = ['rs1', 'rs2', 'rs3', 'rd'].filter((name) => this.word(name) !== 0);
    this.registers = new Map(names.map((name) => [this.word(name), local('i64')]));
    this.locals = {
      hart: 0,
      caches: local('i32'),
      dataContext: local('i64'),
      address: local('i64'),
      value: local('i64'),
      entry: local('i32'),
      resync: local('i32'),
      target: local('i64'),
    };
    this.entryPc = local('i64');
    this.how = local('i32');
    emitCachesAddress(code, 0);
    code.set(this.locals.caches);
    code.get(0).memory('i64.load32_u', hartField('dataContext')).set(this.locals.dataContext);
    code.get(0).memory('i64.load', hartField('pc')).set(this.entryPc);
    this.loadRegisters();
    this.done = code.begin('block');
  }

  /** The end of the function: everything goes back where the layout has it. */
  finish(): FunctionBody {
    const { code } = this;
    code.op('unreachable').end();
    this.storeRegisters();
    code.get(0).get(this.locals.target).memory('i64.store', hartField('pc')).get(this.how);
    return code;
  }

  register(name: string): void {
    const local = this.registers.get(this.word(name));
    if (local === undefined) this.code.i64(0n);
    else this.code.get(local);
  }
  operand(kind: 'imm' | 'zimm' | 'raw'): void {
    this.code.i64(BigInt(kind === 'raw' ? this.raw >>> 0 : (this.operands[kind] ?? 0)));
  }
  pc(): void {
    this.code.get(this.entryPc);
  }
  nextPc(): void {
    this.offsetPc(this.op.lengthBytes);
  }
  writeRd(value: () => void): void {
    const local = this.registers.get(this.word('rd'));
    value();
    if (local === undefined) this.code.op('drop');
    else this.code.set(local);
  }

  beforeCall(facts: readonly string[]): void {
    if (facts.includes('readRegisters')) this.storeRegisters();
    this.code.get(0).get(this.entryPc).memory('i64.store', hartField('pc'));
    this.code.get(0).get(this.budget).memory('i32.store', hartField('budget'));
  }
  afterCall(facts: readonly string[]): void {
    if (facts.includes('writeRegisters')) this.loadRegisters();
  }
  abandonIf(): void {
    this.code.begin('if');
    this.end(ABANDONED);
    this.code.end();
  }
  /** Leaves at once, with registers and pc as the architecture has them. */
  end(how: number): void {
    this.code.i32(how).op('return');
  }

  next(): void {
    this.nextPc();
    this.goOn(NEXT);
  }
  branch(): void {
    this.offsetPc(this.operands.imm ?? 0);
    this.goOn(NEXT);
  }
  jump(): void {
    this.code.get(this.locals.target);
    this.goOn(NEXT);
  }
  leave(): void {
    this.code.get(0).i32(0).memory('i32.store', hartField('resync'));
    this.nextPc();
    this.goOn(LEFT);
  }

  /** At the pc on the stack. */
  private goOn(how: number): void {
    this.code.set(this.locals.target).i32(how).set(this.how).br(this.done);
  }
  private offsetPc(bytes: number): void {
    this.code.get(this.entryPc).i64(BigInt(bytes)).op('i64.add');
  }
  private word(name: string): number {
    return this.op.instruction ? registerWord(this.op.instruction, this.operands, name) : 0;
  }
  private loadRegisters(): void {
    for (const [word, local] of this.registers)
      this.code
        .get(0)
        .memory('i64.load', 8 * word)
        .set(local);
  }
  private storeRegisters(): void {
    for (const [word, local] of this.registers)
      this.code
        .get(0)
        .get(local)
        .memory('i64.store', 8 * word);
  }
}

/** Compiled once for all harts. */
const modules = new Map<string, WebAssembly.Module>();

/** `givesBack`: what the code itself cannot answer, and the rest of the slice, is the interpreter's. */
function compiledOneByOne(name: string, givesBack: boolean): CodeGenerator {
  return {
    name,
    start: (memory, arch) => {
      const view = new DataView(memory.buffer);
      const interpret = INTERPRETER.start(memory, arch);
      const [fetch, decodeSlot] = [arch.fetch, arch.decode] as ((...args: number[]) => number)[];
      const instances = new Map<string, Compiled>();
      const compiled = (op: Op, raw: number): Compiled => {
        const key = `${givesBack} ${op.number} ${raw}`;
        const module = modules.get(key) ?? new WebAssembly.Module(compile(op, raw, givesBack));
        modules.set(key, module);
        const found =
          instances.get(key) ??
          (new WebAssembly.Instance(module, { env: { memory }, arch }).exports.instruction as Compiled);
        instances.set(key, found);
        return found;
      };
      const opOf = (slot: number) => view.getUint16(slot + offsetOf(SLOT, 'opAndLength'), true);
      /** Whether the slice goes on, after a redirection. */
      const resumes = (hart: number): boolean => {
        const resync = view.getUint32(hart + hartField('resync'), true);
        view.setUint32(hart + hartField('resync'), 0, true);
        return (resync & CONSTANTS.RESYNC_END_SLICE) === 0;
      };
      const run: Run = (hart, budget) => {
        for (let left = budget; left > 0; left--) {
          view.setUint32(hart + hartField('budget'), left - 1, true);
          const slot = fetch?.(hart) ?? 0;
          if (slot === 0) {
            if (resumes(hart)) continue;
            return left - 1;
          }
          if (opOf(slot) === CONSTANTS.OP_UNDECODED) decodeSlot?.(hart, slot);
          const op = OPS[opOf(slot) - CONSTANTS.OP_ILLEGAL];
          if (!op) throw new Error(`no instruction in the slot at ${slot}`);
          const how = compiled(op, view.getUint32(slot + offsetOf(SLOT, 'raw'), true))(hart, left - 1);
          if (how === REDO) return interpret(hart, left);
          if (how === LEFT || (how === ABANDONED && !resumes(hart))) return left - 1;
        }
        return 0;
      };
      return run;
    },
  };
}

export const GENERATORS: readonly CodeGenerator[] = [
  INTERPRETER,
  compiledOneByOne('compiled one by one', false),
  compiledOneByOne('compiled, with side exits', true),
];
