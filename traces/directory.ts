/**
 * Where the records of one kind stand in a file. Takes a bounded amount of memory: when it is full it forgets every
 * second place, and what lies between two places is found by walking from the one before. Checks nothing.
 */
import type { Place } from './walk.ts';

/** Places that are remembered at most: 28 bytes each. An honest trace of 100 G instructions has fewer of any kind. */
const CAPACITY = 1 << 16;

/** A place that is known, and how much of its kind stands before it. */
export interface KnownPlace {
  readonly place: Place;
  /** Records (as their blocks' headers count) before it. */
  readonly recordsBefore: number;
  /** Groups of blocks that belong together before it. */
  readonly groupsBefore: number;
}

export class Directory {
  /** Of all groups. */
  records = 0;
  groups = 0;
  private readonly capacity: number;
  /** Every so-manieth group has a place. */
  private stride = 1;
  private known = 0;
  private sequences = new Uint32Array(16);
  private offsets = new Float64Array(16);
  private checks = new BigUint64Array(16);
  private before = new Float64Array(16);

  constructor(capacity: number = CAPACITY) {
    this.capacity = capacity;
  }

  /** Adds the next group. */
  add({ sequence, offset, previousCheck }: Place, records: number): void {
    if (this.groups % this.stride === 0) {
      if (this.known === this.capacity) this.thin();
      if (this.groups % this.stride === 0) this.remember(sequence, offset, previousCheck);
    }
    this.groups++;
    this.records += records;
  }

  /** The last known place at or before group `n`. */
  beforeGroup(n: number): KnownPlace {
    return this.at(Math.min(Math.floor(n / this.stride), this.known - 1));
  }

  /** The last known place at or before the group that holds record `n`. */
  beforeRecord(n: number): KnownPlace {
    return this.at(lastUpTo(this.before, this.known, n));
  }

  /** The last known place at or before block `sequence`; undefined when all stand behind it. */
  beforeBlock(sequence: number): KnownPlace | undefined {
    const n = lastUpTo(this.sequences, this.known, sequence);
    return n < 0 ? undefined : this.at(n);
  }

  private at(n: number): KnownPlace {
    const place = { sequence: this.sequences[n]!, offset: this.offsets[n]!, previousCheck: this.checks[n]! };
    return { place, recordsBefore: this.before[n]!, groupsBefore: n * this.stride };
  }

  private remember(sequence: number, offset: number, previousCheck: bigint): void {
    const n = this.known++;
    if (n === this.sequences.length) this.grow();
    this.sequences[n] = sequence;
    this.offsets[n] = offset;
    this.checks[n] = previousCheck;
    this.before[n] = this.records;
  }

  private grow(): void {
    const size = this.sequences.length * 2;
    const larger = <T extends { set(from: T): void }>(made: T, from: T): T => {
      made.set(from);
      return made;
    };
    this.sequences = larger(new Uint32Array(size), this.sequences);
    this.offsets = larger(new Float64Array(size), this.offsets);
    this.checks = larger(new BigUint64Array(size), this.checks);
    this.before = larger(new Float64Array(size), this.before);
  }

  private thin(): void {
    for (let n = 0; 2 * n < this.known; n++) {
      this.sequences[n] = this.sequences[2 * n]!;
      this.offsets[n] = this.offsets[2 * n]!;
      this.checks[n] = this.checks[2 * n]!;
      this.before[n] = this.before[2 * n]!;
    }
    this.known = Math.ceil(this.known / 2);
    this.stride *= 2;
  }
}

/** Index of the last of `count` ascending values that is at most `limit`; -1 when none is. */
function lastUpTo(values: Uint32Array | Float64Array, count: number, limit: number): number {
  let [low, high] = [-1, count - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (values[middle]! <= limit) low = middle;
    else high = middle - 1;
  }
  return low;
}
