/**
 * Encodes WebAssembly: function bodies with structured labels, and modules that import a memory, a table and functions.
 * Knows the wasm binary format and nothing of RISC-V. Does not validate: the engine that compiles the module does.
 * @see WebAssembly Core Specification, section 5 (binary format)
 */

export type ValueType = 'i32' | 'i64';
export interface FunctionType {
  readonly parameters: readonly ValueType[];
  readonly result?: ValueType;
}
/** A structured block that `br` can name; only valid inside it. */
export interface Label {
  readonly depth: number;
}

const VALUE_TYPE: Readonly<Record<ValueType, number>> = { i32: 0x7f, i64: 0x7e };
const EMPTY = 0x40;

/** Instructions without immediates; above 0xff: a prefix byte and one more. */
const OPS = {
  unreachable: 0x00,
  return: 0x0f,
  drop: 0x1a,
  select: 0x1b,
  'i32.eqz': 0x45,
  'i32.eq': 0x46,
  'i32.ne': 0x47,
  'i32.lt_s': 0x48,
  'i32.lt_u': 0x49,
  'i64.eqz': 0x50,
  'i64.eq': 0x51,
  'i64.ne': 0x52,
  'i64.lt_s': 0x53,
  'i64.lt_u': 0x54,
  'i64.ge_s': 0x59,
  'i64.ge_u': 0x5a,
  'f32.eq': 0x5b,
  'f32.lt': 0x5d,
  'f32.le': 0x5f,
  'f64.eq': 0x61,
  'f64.lt': 0x63,
  'f64.le': 0x65,
  'i32.add': 0x6a,
  'i32.sub': 0x6b,
  'i32.mul': 0x6c,
  'i32.and': 0x71,
  'i32.or': 0x72,
  'i32.shl': 0x74,
  'i32.shr_u': 0x76,
  'i64.clz': 0x79,
  'i64.ctz': 0x7a,
  'i64.popcnt': 0x7b,
  'i64.add': 0x7c,
  'i64.sub': 0x7d,
  'i64.mul': 0x7e,
  'i64.div_s': 0x7f,
  'i64.div_u': 0x80,
  'i64.rem_s': 0x81,
  'i64.rem_u': 0x82,
  'i64.and': 0x83,
  'i64.or': 0x84,
  'i64.xor': 0x85,
  'i64.shl': 0x86,
  'i64.shr_s': 0x87,
  'i64.shr_u': 0x88,
  'i64.rotl': 0x89,
  'i64.rotr': 0x8a,
  'f32.sqrt': 0x91,
  'f32.add': 0x92,
  'f32.sub': 0x93,
  'f32.mul': 0x94,
  'f32.div': 0x95,
  'f64.sqrt': 0x9f,
  'f64.add': 0xa0,
  'f64.sub': 0xa1,
  'f64.mul': 0xa2,
  'f64.div': 0xa3,
  'i32.wrap_i64': 0xa7,
  'i64.extend_i32_s': 0xac,
  'i64.extend_i32_u': 0xad,
  'f32.convert_i64_s': 0xb4,
  'f32.convert_i64_u': 0xb5,
  'f32.demote_f64': 0xb6,
  'f64.convert_i64_s': 0xb9,
  'f64.convert_i64_u': 0xba,
  'f64.promote_f32': 0xbb,
  'i32.reinterpret_f32': 0xbc,
  'i64.reinterpret_f64': 0xbd,
  'f32.reinterpret_i32': 0xbe,
  'f64.reinterpret_i64': 0xbf,
  'i64.extend8_s': 0xc2,
  'i64.extend16_s': 0xc3,
  'i64.extend32_s': 0xc4,
  'i64.trunc_sat_f32_s': 0xfc04,
  'i64.trunc_sat_f64_s': 0xfc06,
} as const;
export type WasmOp = keyof typeof OPS;

const MEMORY_OPS = {
  'i32.load': 0x28,
  'i64.load': 0x29,
  'i32.load8_u': 0x2d,
  'i32.load16_u': 0x2f,
  'i64.load8_s': 0x30,
  'i64.load8_u': 0x31,
  'i64.load16_s': 0x32,
  'i64.load16_u': 0x33,
  'i64.load32_s': 0x34,
  'i64.load32_u': 0x35,
  'i32.store': 0x36,
  'i64.store': 0x37,
  'i64.store8': 0x3c,
  'i64.store16': 0x3d,
  'i64.store32': 0x3e,
} as const;
export type MemoryOp = keyof typeof MEMORY_OPS;

const BLOCKS = { block: 0x02, loop: 0x03, if: 0x04 } as const;

/** The body of one function, written front to back. Every method that emits returns the body, for chains. */
export class FunctionBody {
  readonly type: FunctionType;
  private readonly code: number[] = [];
  private readonly locals: ValueType[] = [];
  /** Where the number of a type belongs in the code: the module gives it. */
  private readonly typeUses: { readonly at: number; readonly type: FunctionType }[] = [];
  private depth = 0;

  constructor(type: FunctionType) {
    this.type = type;
  }

  /** Declares a local and gives its index. */
  local(type: ValueType): number {
    return this.type.parameters.length + this.locals.push(type) - 1;
  }

  op(...names: WasmOp[]): this {
    for (const name of names) {
      const code = OPS[name];
      if (code > 0xff) this.code.push(code >> 8);
      this.code.push(code & 0xff);
    }
    return this;
  }
  i32(value: number): this {
    this.code.push(0x41);
    signedLeb(this.code, BigInt(value | 0));
    return this;
  }
  i64(value: bigint): this {
    this.code.push(0x42);
    signedLeb(this.code, BigInt.asIntN(64, value));
    return this;
  }
  get(local: number): this {
    return this.indexed(0x20, local);
  }
  set(local: number): this {
    return this.indexed(0x21, local);
  }
  /** Sets a local and keeps the value on the stack. */
  tee(local: number): this {
    return this.indexed(0x22, local);
  }
  /** A load or store at the address on the stack plus `offset` bytes. Alignment is only a hint: none is claimed. */
  memory(name: MemoryOp, offset = 0): this {
    this.code.push(MEMORY_OPS[name], 0);
    unsignedLeb(this.code, offset);
    return this;
  }
  call(index: number): this {
    return this.indexed(0x10, index);
  }
  /** Returns what function `index` returns for the arguments on the stack; the frame is gone before it starts. */
  returnCall(index: number): this {
    return this.indexed(0x12, index);
  }
  /** Calls the function of this type at the i32 on the stack in the imported table. */
  callIndirect(type: FunctionType): this {
    return this.indirect(0x11, type);
  }
  /** As `returnCall`, of a function in the imported table. */
  returnCallIndirect(type: FunctionType): this {
    return this.indirect(0x13, type);
  }

  /** Opens a block; a branch to a loop's label goes back to its start, to any other label past its end. */
  begin(kind: keyof typeof BLOCKS, result?: ValueType): Label {
    this.code.push(BLOCKS[kind], result ? VALUE_TYPE[result] : EMPTY);
    return { depth: ++this.depth };
  }
  otherwise(): this {
    this.code.push(0x05);
    return this;
  }
  end(): this {
    this.depth--;
    this.code.push(0x0b);
    return this;
  }
  br(label: Label): this {
    return this.indexed(0x0c, this.depth - label.depth);
  }
  brIf(label: Label): this {
    return this.indexed(0x0d, this.depth - label.depth);
  }
  /** Branches to `labels[i]` for the i32 on the stack, to `fallback` when it is out of range. */
  brTable(labels: readonly Label[], fallback: Label): this {
    this.indexed(0x0e, labels.length);
    for (const label of [...labels, fallback]) unsignedLeb(this.code, this.depth - label.depth);
    return this;
  }

  /**
   * Bytes for the code section; `typeIndex` numbers types.
   * @throws Error when blocks are still open (ours: an assertion).
   */
  encode(typeIndex: (type: FunctionType) => number): number[] {
    if (this.depth !== 0) throw new Error(`wasm: ${this.depth} blocks left open`);
    const body = vector(runLengths(this.locals).map(({ type, count }) => [...leb(count), VALUE_TYPE[type]]));
    let from = 0;
    for (const { at, type } of this.typeUses) {
      append(body, this.code.slice(from, at));
      unsignedLeb(body, typeIndex(type));
      from = at;
    }
    append(body, this.code.slice(from));
    body.push(0x0b);
    return sized(body);
  }

  private indexed(opcode: number, index: number): this {
    this.code.push(opcode);
    unsignedLeb(this.code, index);
    return this;
  }
  private indirect(opcode: number, type: FunctionType): this {
    this.code.push(opcode);
    this.typeUses.push({ at: this.code.length, type });
    // The table's number.
    this.code.push(0);
    return this;
  }
}

export interface ImportedFunction {
  readonly module: string;
  readonly name: string;
  readonly type: FunctionType;
}
export interface ExportedFunction {
  readonly name: string;
  readonly body: FunctionBody;
}

/**
 * Bytes of a module that imports `env.memory`, with `hasTable` also `env.table`, and the given functions (indices 0 …),
 * and exports others after them.
 */
export function encodeModule(
  imports: readonly ImportedFunction[],
  exports: readonly ExportedFunction[],
  { hasTable = false } = {},
): Uint8Array {
  const types = new Map<string, { readonly index: number; readonly type: FunctionType }>();
  const typeIndex = (type: FunctionType): number => {
    const key = `${type.parameters} ${type.result}`;
    const found = types.get(key) ?? { index: types.size, type };
    types.set(key, found);
    return found.index;
  };
  const functions = imports.map((f) => [...text(f.module), ...text(f.name), 0x00, ...leb(typeIndex(f.type))]);
  const bodies = exports.map(({ body }) => ({ type: leb(typeIndex(body.type)), code: body.encode(typeIndex) }));
  const memory = [...text('env'), ...text('memory'), 0x02, 0x00, 0x00];
  const table = [...text('env'), ...text('table'), 0x01, 0x70, 0x00, 0x00];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, vector([...types.values()].map(({ type }) => encodeType(type)))),
    ...section(2, vector([memory, ...(hasTable ? [table] : []), ...functions])),
    ...section(3, vector(bodies.map(({ type }) => type))),
    ...section(7, vector(exports.map((f, index) => [...text(f.name), 0x00, ...leb(imports.length + index)]))),
    ...section(10, vector(bodies.map(({ code }) => code))),
  ]);
}

const encodeType = ({ parameters, result }: FunctionType) => [
  0x60,
  ...vector(parameters.map((type) => [VALUE_TYPE[type]])),
  ...vector(result ? [[VALUE_TYPE[result]]] : []),
];

/** Neighbours of one type as one group, as the code section declares locals. */
function runLengths(locals: readonly ValueType[]): { type: ValueType; count: number }[] {
  const groups: { type: ValueType; count: number }[] = [];
  for (const type of locals) {
    const last = groups.at(-1);
    if (last?.type === type) last.count++;
    else groups.push({ type, count: 1 });
  }
  return groups;
}

const section = (id: number, content: readonly number[]) => [id, ...sized(content)];
const sized = (content: readonly number[]) => [...leb(content.length), ...content];
const vector = (items: readonly (readonly number[])[]) => [...leb(items.length), ...items.flat()];
/** Pushes one by one: a body may be longer than a call may have arguments. */
function append(out: number[], bytes: readonly number[]): void {
  for (const byte of bytes) out.push(byte);
}
const text = (value: string) => sized([...new TextEncoder().encode(value)]);

function leb(value: number): number[] {
  const out: number[] = [];
  unsignedLeb(out, value);
  return out;
}

function unsignedLeb(out: number[], value: number): void {
  let rest = value;
  while (rest >= 0x80) {
    out.push((rest % 0x80) + 0x80);
    rest = Math.floor(rest / 0x80);
  }
  out.push(rest);
}

function signedLeb(out: number[], value: bigint): void {
  let rest = value;
  for (;;) {
    const low = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && low < 0x40) || (rest === -1n && low >= 0x40)) {
      out.push(low);
      return;
    }
    out.push(low | 0x80);
  }
}
