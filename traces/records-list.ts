/**
 * Lists of records, as long as a trace is: what can be done with one without holding all of it. Arrays can stand in for
 * them. Relies on `length` and `at` alone.
 */
import type { Position, RecordList } from './types.ts';

/** What a list derives from reading its records one by one. */
export abstract class Records<R> implements RecordList<R> {
  abstract readonly length: number;
  abstract at(n: number): R | undefined;

  *[Symbol.iterator](): Generator<R> {
    for (let n = 0; n < this.length; n++) yield this.at(n)!;
  }
  *keys(): Generator<number> {
    for (let n = 0; n < this.length; n++) yield n;
  }
  find(wanted: (record: R, n: number) => boolean): R | undefined {
    const n = this.findIndex(wanted);
    return n < 0 ? undefined : this.at(n);
  }
  findIndex(wanted: (record: R, n: number) => boolean): number {
    for (let n = 0; n < this.length; n++) if (wanted(this.at(n)!, n)) return n;
    return -1;
  }
  findLastIndex(wanted: (record: R, n: number) => boolean): number {
    for (let n = this.length - 1; n >= 0; n--) if (wanted(this.at(n)!, n)) return n;
    return -1;
  }
  some(wanted: (record: R, n: number) => boolean): boolean {
    return this.findIndex(wanted) >= 0;
  }
  forEach(visit: (record: R, n: number) => void): void {
    for (let n = 0; n < this.length; n++) visit(this.at(n)!, n);
  }
  filter(wanted: (record: R, n: number) => boolean): R[] {
    const found: R[] = [];
    this.forEach((record, n) => {
      if (wanted(record, n)) found.push(record);
    });
    return found;
  }
  map<T>(convert: (record: R, n: number) => T): T[] {
    const converted: T[] = [];
    this.forEach((record, n) => {
      converted.push(convert(record, n));
    });
    return converted;
  }
  slice(from = 0, to = this.length): R[] {
    const place = (n: number) => Math.min(this.length, Math.max(0, n < 0 ? n + this.length : n));
    const records: R[] = [];
    for (let n = place(from); n < place(to); n++) records.push(this.at(n)!);
    return records;
  }
}

/** The records of a list, each converted when it is read. */
export function convertRecords<R, T>(records: RecordList<R>, convert: (record: R, n: number) => T): RecordList<T> {
  return new Converted(records, convert);
}

class Converted<R, T> extends Records<T> {
  readonly #records: RecordList<R>;
  readonly #convert: (record: R, n: number) => T;

  constructor(records: RecordList<R>, convert: (record: R, n: number) => T) {
    super();
    this.#records = records;
    this.#convert = convert;
  }
  get length(): number {
    return this.#records.length;
  }
  at(n: number): T | undefined {
    const record = this.#records.at(n);
    return record && this.#convert(record, n < 0 ? n + this.length : n);
  }
}

/**
 * Number of the first record whose `by` is at least `value`: the length when there is none. Relies on positions that
 * never go back; reads few records, however many there are.
 */
export function firstFrom<By extends 'moment' | 'ticks'>(
  records: RecordList<Pick<Position, By>>,
  by: By,
  value: number,
): number {
  let [low, high] = [0, records.length];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (records.at(middle)![by] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}
