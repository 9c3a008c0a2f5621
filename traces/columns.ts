/**
 * Fixed-width columns: bulk records of one kind, stored field by field so that equal bytes stand together for the
 * compressor. A table of fields is declared once per kind; encoder and decoder derive from it. Decoded columns stay
 * bytes; a row becomes an object when it is asked for.
 * Checks lengths, and that positions are safe integers that never go back.
 */
import { concat } from './bytes.ts';
import { expectFormat, Malformed } from './malformed.ts';

/** u53: a number 0 … 2^53-1 in 8 bytes; u64: a bigint in 8 bytes. Little endian. */
export type ColumnType = 'u8' | 'u32' | 'u53' | 'u64';
type Value<T extends ColumnType> = T extends 'u64' ? bigint : number;
export type Columns = { readonly [name: string]: ColumnType };
export type Row<C extends Columns> = { readonly [K in keyof C]: Value<C[K]> };

const WIDTH: Record<ColumnType, number> = { u8: 1, u32: 4, u53: 8, u64: 8 };
const LIMIT: Record<'u8' | 'u32' | 'u53', number> = { u8: 0xff, u32: 0xffff_ffff, u53: Number.MAX_SAFE_INTEGER };

/** Rows that stand in the columns of one record. */
export interface ColumnPage<R> {
  readonly length: number;
  /** Row `n`, from 0. @throws RangeError beyond the last */
  at(n: number): R;
}

/** Rows on their way into a record: each is held as the bytes that it becomes. */
export interface ColumnBuilder<R> {
  readonly length: number;
  /** @throws RangeError when a value does not fit its field (the caller's mistake); nothing is added then */
  add(row: R): void;
  /** The columns of all rows that were added. */
  encode(): Uint8Array;
  /** Takes all rows out. */
  clear(): void;
}

/** Encoder and decoder of records with these fields, in declaration order. */
export interface ColumnCodec<R> {
  readonly rowBytes: number;
  builder(): ColumnBuilder<R>;
  /** As a builder of these rows. @throws RangeError when a value does not fit its field (the caller's mistake) */
  encode(rows: readonly R[]): Uint8Array;
  /** Checks that `bytes` are exactly `rows` rows; they are kept, not copied. @throws Malformed */
  decode(bytes: Uint8Array, rows: number): ColumnPage<R>;
}

interface Field {
  readonly name: string;
  readonly type: ColumnType;
  /** Bytes of a row before it: times the rows, where its column begins. */
  readonly before: number;
}

/** Derives the codec of a table of columns. */
export function columns<C extends Columns>(table: C): ColumnCodec<Row<C>> {
  const fields: Field[] = [];
  let rowBytes = 0;
  for (const [name, type] of Object.entries(table)) {
    fields.push({ name, type, before: rowBytes });
    rowBytes += WIDTH[type];
  }
  return {
    rowBytes,
    builder: () => new Builder(fields, FIRST_ROWS),
    encode(rows) {
      const builder = new Builder<Row<C>>(fields, rows.length);
      for (const row of rows) builder.add(row);
      return builder.encode();
    },
    decode(bytes, rows) {
      expectFormat(
        bytes.length === rows * rowBytes,
        `${rows} records of ${rowBytes} bytes, found ${bytes.length} bytes`,
      );
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const decoded = fields.map((field) => decodeColumn(view, field, rows));
      return {
        length: rows,
        at(n) {
          if (!(n >= 0 && n < rows)) throw new RangeError(`row ${n} of ${rows}`);
          const row: Record<string, number | bigint> = {};
          for (let f = 0; f < fields.length; f++) row[fields[f]!.name] = decoded[f]![n]!;
          return row as Row<C>;
        },
      };
    },
  };
}

/** Rows that a builder has room for at first. */
const FIRST_ROWS = 64;

class Builder<R> implements ColumnBuilder<R> {
  length = 0;
  readonly #fields: readonly Field[];
  #capacity: number;
  /** Of each field. */
  #columns: DataView<ArrayBuffer>[];

  constructor(fields: readonly Field[], capacity: number) {
    this.#fields = fields;
    this.#capacity = capacity;
    this.#columns = fields.map(({ type }) => new DataView(new ArrayBuffer(capacity * WIDTH[type])));
  }

  add(row: R): void {
    if (this.length === this.#capacity) this.#grow();
    for (let f = 0; f < this.#fields.length; f++) {
      const { name, type } = this.#fields[f]!;
      setValue(this.#columns[f]!, this.length * WIDTH[type], type, (row as Record<string, unknown>)[name], name);
    }
    this.length++;
  }

  encode(): Uint8Array {
    return concat(
      this.#fields.map(({ type }, f) => new Uint8Array(this.#columns[f]!.buffer, 0, this.length * WIDTH[type])),
    );
  }

  clear(): void {
    this.length = 0;
  }

  #grow(): void {
    this.#capacity = Math.max(FIRST_ROWS, 2 * this.#capacity);
    this.#columns = this.#columns.map(
      ({ buffer }, f) => new DataView(buffer.transfer(this.#capacity * WIDTH[this.#fields[f]!.type])),
    );
  }
}

type Column = Uint8Array | Uint32Array | Float64Array | BigUint64Array;

function decodeColumn(view: DataView, { name, type, before }: Field, rows: number): Column {
  const at = view.byteOffset + before * rows;
  // A copy: the column may stand at any byte, and its values are wanted where they are aligned.
  const bytes = new Uint8Array(view.buffer, at, rows * WIDTH[type]).slice();
  if (type === 'u8') return bytes;
  const words = new Uint32Array(bytes.buffer);
  if (type === 'u32') return words;
  return type === 'u64' ? new BigUint64Array(bytes.buffer) : positions(words, name === 'moment' || name === 'ticks');
}

/** 64-bit fields that are numbers, checked; all of them positions or offsets. */
function positions(words: Uint32Array, isOrdered: boolean): Float64Array {
  const values = new Float64Array(words.length / 2);
  let last = 0;
  for (let n = 0; n < values.length; n++) {
    const value = words[2 * n + 1]! * 2 ** 32 + words[2 * n]!;
    if (value > Number.MAX_SAFE_INTEGER) throw new Malformed('expected a position below 2^53');
    if (isOrdered && value < last) throw new Malformed('expected positions that never go back');
    last = value;
    values[n] = value;
  }
  return values;
}

function setValue(view: DataView, at: number, type: ColumnType, value: unknown, name: string): void {
  if (type === 'u64') {
    if (typeof value !== 'bigint' || BigInt.asUintN(64, value) !== value) {
      throw new RangeError(`trace record: ${name} = ${value} is not an unsigned 64-bit integer`);
    }
    view.setBigUint64(at, value, true);
    return;
  }
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < 0 || value > LIMIT[type]) {
    throw new RangeError(`trace record: ${name} = ${value} is not an integer 0 … ${LIMIT[type]}`);
  }
  if (type === 'u8') view.setUint8(at, value);
  else {
    view.setUint32(at, value % 2 ** 32, true);
    if (type === 'u53') view.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  }
}

/** True when neither moment nor ticks go back from one record of a stream to the next. */
export function inOrder(before: { moment: number; ticks: number }, after: { moment: number; ticks: number }): boolean {
  return before.moment <= after.moment && before.ticks <= after.ticks;
}
