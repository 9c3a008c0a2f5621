/**
 * Fixed-width columns: bulk records of one kind, stored field by field so that equal bytes stand together for the
 * compressor. A table of fields is declared once per kind; encoder and decoder derive from it.
 * Checks lengths, and that positions are safe integers that never go back.
 */
import { expectFormat } from './malformed.ts';

/** u53: a number 0 … 2^53-1 in 8 bytes; u64: a bigint in 8 bytes. Little endian. */
export type ColumnType = 'u8' | 'u32' | 'u53' | 'u64';
type Value<T extends ColumnType> = T extends 'u64' ? bigint : number;
export type Columns = { readonly [name: string]: ColumnType };
export type Row<C extends Columns> = { readonly [K in keyof C]: Value<C[K]> };

const WIDTH: Record<ColumnType, number> = { u8: 1, u32: 4, u53: 8, u64: 8 };
const LIMIT: Record<'u8' | 'u32' | 'u53', number> = { u8: 0xff, u32: 0xffff_ffff, u53: Number.MAX_SAFE_INTEGER };

/** Encoder and decoder of records with these fields, in declaration order. */
export interface ColumnCodec<R> {
  readonly rowBytes: number;
  /** @throws RangeError when a value does not fit its field (the caller's mistake). */
  encode(rows: readonly R[]): Uint8Array;
  /** Decodes exactly `rows` rows from all of `bytes`. @throws Malformed */
  decode(bytes: Uint8Array, rows: number): R[];
}

/** Derives the codec of a table of columns. */
export function columns<C extends Columns>(table: C): ColumnCodec<Row<C>> {
  const fields = Object.entries(table);
  const rowBytes = fields.reduce((sum, [, type]) => sum + WIDTH[type], 0);
  return {
    rowBytes,
    encode(rows) {
      const bytes = new Uint8Array(rows.length * rowBytes);
      const view = new DataView(bytes.buffer);
      let at = 0;
      for (const [name, type] of fields) {
        for (const row of rows) {
          setValue(view, at, type, (row as Record<string, unknown>)[name], name);
          at += WIDTH[type];
        }
      }
      return bytes;
    },
    decode(bytes, rows) {
      expectFormat(
        bytes.length === rows * rowBytes,
        `${rows} records of ${rowBytes} bytes, found ${bytes.length} bytes`,
      );
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      const result: Record<string, number | bigint>[] = Array.from({ length: rows }, () => ({}));
      let at = 0;
      for (const [name, type] of fields) {
        for (const row of result) {
          row[name] = getValue(view, at, type);
          at += WIDTH[type];
        }
      }
      return result as Row<C>[];
    },
  };
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

function getValue(view: DataView, at: number, type: ColumnType): number | bigint {
  if (type === 'u64') return view.getBigUint64(at, true);
  if (type === 'u8') return view.getUint8(at);
  const low = view.getUint32(at, true);
  if (type === 'u32') return low;
  const value = view.getUint32(at + 4, true) * 2 ** 32 + low;
  expectFormat(Number.isSafeInteger(value), 'a position below 2^53');
  return value;
}

/** True when neither moment nor ticks go back from one record of a stream to the next. */
export function inOrder(before: { moment: number; ticks: number }, after: { moment: number; ticks: number }): boolean {
  return before.moment <= after.moment && before.ticks <= after.ticks;
}
