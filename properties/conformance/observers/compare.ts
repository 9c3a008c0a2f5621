/**
 * What observers were told of one tick, against what the judge says of it: loads and stores exactly, in order; table
 * reads as a set, of a tick that traps only which they may be; A and D bits by their effect, for together with the
 * stores they must be exactly what changes.
 */
import { expect } from 'vitest';
import type { Machine, Watch, WatchHit } from '../../../engine/index.ts';
import { RAM } from '../tlb/index.ts';
import type { Access } from './accesses.ts';
import { littleEndian, type Tick } from './judge.ts';

const A_AND_D = 0xc0n;
const ENTRY_BYTES = 8;
/** Longer ranges are compared now and then, not each tick. */
const LONGEST = 0x2000;
const SELDOM = 512;

type Range = Pick<Watch, 'paddr' | 'bytes'>;
type Kind = 'reads' | 'writes';

const meets = (a: Range, b: Range) => a.paddr < b.paddr + b.bytes && b.paddr < a.paddr + a.bytes;
const textOf = ({ by, paddr, bytes }: Pick<WatchHit, 'by'> & Range) => `${by} ${paddr.toString(16)}+${bytes}`;
const kindOf = (by: WatchHit['by']): Kind => (by === 'load' || by.endsWith('-read') ? 'reads' : 'writes');

/** Whether a range that asks for this kind of access has a byte in common with it. */
export const isWatched = (watches: readonly Watch[], access: Range, kind: Kind): boolean =>
  watches.some((its) => its[kind] && meets(its, access));

/** Whether the run stops behind this hit. */
export const stopsAt = (watches: readonly Watch[], hit: WatchHit): boolean =>
  isWatched(
    watches.filter(({ stops }) => stops),
    hit,
    kindOf(hit.by),
  );

/** Compares a run with its judge under one set of watches. */
export class Comparison {
  readonly #judge: Machine;
  readonly #watches: readonly Watch[];
  /** RAM, changed by nothing but what hits say: right where writes are watched. */
  readonly #told: Uint8Array;
  #compared = 0;

  constructor(judge: Machine, watches: readonly Watch[]) {
    this.#judge = judge;
    this.#watches = watches;
    this.#told = judge.readPhysical(RAM, judge.config.ramBytes);
  }

  /** `hits`: those of the tick, which the judge has just executed. */
  tick(tick: Tick, hits: readonly WatchHit[]): void {
    const { hart, moment, ticks } = tick;
    const { pc, mode, vmid } = tick.before;
    for (const hit of hits) expect(hit).toMatchObject({ hart, moment, ticks, pc, mode, vmid });
    const own = hits.filter(({ by }) => by === 'load' || by === 'store');
    if (!tick.isUnknown) expect(own.map(textOf)).toEqual(this.#expected(tick.accesses));
    this.#tables(
      tick,
      hits.filter(({ by }) => by === 'table-read'),
    );
    for (const hit of own) if (hit.by === 'load') this.#loaded(tick, hit);
    for (const hit of hits) if (kindOf(hit.by) === 'writes') this.#written(hit, tick.perhaps);
    this.#compare(this.#compared++ % SELDOM === 0);
  }

  /** `hits`: those of bytes that were put into the judge's memory just now, `at` these places. */
  inputs(at: readonly Range[], hits: readonly WatchHit[]): void {
    const { moment, ticks } = this.#judge;
    for (const hit of hits) {
      expect(hit).toMatchObject({ by: 'input', moment, ticks });
      const isInside = at.some((its) => its.paddr <= hit.paddr && hit.paddr + hit.bytes <= its.paddr + its.bytes);
      expect(isInside, textOf(hit)).toBe(true);
      this.#written(hit, []);
    }
    this.#compare(true);
  }

  #expected(accesses: readonly Access[]): string[] {
    return accesses.filter((its) => isWatched(this.#watches, its, kindOf(its.by))).map(textOf);
  }

  #tables({ tables, perhaps, accesses }: Tick, reads: readonly WatchHit[]): void {
    const watched = (paddr: number) => isWatched(this.#watches, { paddr, bytes: ENTRY_BYTES }, 'reads');
    const read = new Set(reads.map(({ paddr }) => paddr));
    expect([...tables.filter(watched)].filter((paddr) => !read.has(paddr))).toEqual([]);
    expect([...read].filter((paddr) => !perhaps.includes(paddr) || !watched(paddr))).toEqual([]);
    for (const hit of reads) {
      expect(hit).toMatchObject({ bytes: ENTRY_BYTES, after: hit.before });
      const isStoredTo = accesses.some((its) => its.by === 'store' && meets(its, hit));
      if (!isStoredTo) expect((hit.before ^ this.#now(hit)) & ~A_AND_D).toBe(0n);
    }
  }

  /** What an AMO loads is in its register, else it is still there. */
  #loaded({ accesses, loadedTo, after }: Tick, hit: WatchHit): void {
    expect(hit.after).toBe(hit.before);
    if (!accesses.some(({ by }) => by === 'store')) expect(hit.before).toBe(this.#now(hit));
    else if (loadedTo !== undefined) expect(hit.before).toBe(BigInt.asUintN(8 * hit.bytes, after.x[loadedTo]!));
  }

  #written(hit: WatchHit, tables: readonly number[]): void {
    if (hit.by === 'table-write') {
      expect(tables).toContain(hit.paddr);
      expect(hit.bytes).toBe(ENTRY_BYTES);
      const set = hit.before ^ hit.after;
      expect(set !== 0n && (set & A_AND_D) === set && (hit.before & set) === 0n).toBe(true);
    }
    for (let n = 0; n < hit.bytes; n++) {
      const paddr = hit.paddr + n;
      const at = paddr - RAM;
      const byteOf = (value: bigint) => Number((value >> BigInt(8 * n)) & 0xffn);
      if (isWatched(this.#watches, { paddr, bytes: 1 }, 'writes')) expect(byteOf(hit.before)).toBe(this.#told[at]);
      this.#told[at] = byteOf(hit.after);
    }
  }

  /** Watched memory is what it was told to have become. */
  #compare(all: boolean): void {
    for (const { paddr, bytes, writes } of this.#watches) {
      if (!writes || (bytes > LONGEST && !all)) continue;
      const told = this.#told.subarray(paddr - RAM, paddr - RAM + bytes);
      if (Buffer.compare(told, this.#judge.readPhysical(paddr, bytes)) === 0) continue;
      expect(differences(told, this.#judge.readPhysical(paddr, bytes), paddr), 'changed, and not told').toEqual([]);
    }
  }

  #now({ paddr, bytes }: Range): bigint {
    return littleEndian(this.#judge.readPhysical(paddr, bytes));
  }
}

function differences(told: Uint8Array, real: Uint8Array, from: number): string[] {
  return Array.from(told.keys())
    .filter((n) => told[n] !== real[n])
    .map((n) => (from + n).toString(16));
}
