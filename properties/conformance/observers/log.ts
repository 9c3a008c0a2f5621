/**
 * What the log of instructions says of one tick, against what the judge says of it: values of registers before and
 * after, loads and stores, and what traps. Which registers an instruction names, the engine's own tests look at.
 */
import { expect } from 'vitest';
import { type HartState, STEP_FLAGS, Steps } from '../../../engine/index.ts';
import type { Access } from './accesses.ts';
import type { Tick } from './judge.ts';

const FLOAT = 32;
const MODES = ['U', 'HS', '', 'M', 'VU', 'VS'];
const textOf = ({ by, paddr, bytes }: Access) => `${by} ${paddr.toString(16)}+${bytes}`;

/** A log, compared tick by tick, oldest first. */
export class LogComparison {
  readonly #steps: Steps;
  #next = 0;

  constructor(parts: readonly Uint8Array[]) {
    this.#steps = new Steps(parts);
  }

  /** Looks at the records of a tick. How many accesses they have. */
  tick(tick: Tick): number {
    const steps = this.#steps;
    const first = this.#next;
    while (this.#next < steps.count && steps.ticks(this.#next) === tick.ticks) this.#next++;
    const records = Array.from({ length: this.#next - first }, (_, n) => first + n);
    const has = (n: number, flag: number) => (steps.flags(n) & flag) !== 0;
    for (const n of records) {
      const its = { hart: steps.hart(n), pc: steps.pc(n), mode: MODES[steps.mode(n)], vmid: steps.vmid(n) };
      expect(its).toEqual({
        hart: tick.hart,
        pc: tick.before.pc,
        mode: tick.before.mode,
        vmid: tick.before.vmid,
      });
    }
    const traps = records.filter((n) => has(n, STEP_FLAGS.IS_TRAP));
    const own = records.filter((n) => !has(n, STEP_FLAGS.IS_TRAP | STEP_FLAGS.FURTHER));
    const further = records.filter((n) => has(n, STEP_FLAGS.FURTHER));
    // Each tick is an instruction, a trap of one, or a trap of its fetch.
    expect(traps).toHaveLength(tick.traps ? 1 : 0);
    expect(own).toHaveLength(tick.traps && tick.paddr === undefined ? 0 : 1);
    expect(records).toEqual([...own, ...further, ...traps]);
    for (const n of own) {
      expect(has(n, STEP_FLAGS.TRAPPED)).toBe(tick.traps);
      this.#registers(n, tick);
      if (tick.paddr !== undefined) expect(steps.code(n)).toBe(tick.paddr);
    }
    for (const n of traps) expect([steps.rs3(n), MODES[steps.rd(n)]]).toEqual([tick.after.pc, tick.after.mode]);
    if (tick.isUnknown) return 0;
    const loads = tick.accesses.filter(({ by }) => by === 'load').map(textOf);
    const stores = tick.accesses.filter(({ by }) => by === 'store').map(textOf);
    const said = (by: Access['by'], flag: number) =>
      [...own, ...further]
        .filter((n) => has(n, flag) && !has(n, STEP_FLAGS.CSR | STEP_FLAGS.DEVICE))
        .map((n) => textOf({ by, paddr: steps.address(n), bytes: steps.bytes(n) }));
    expect(said('load', STEP_FLAGS.READS)).toEqual(loads);
    expect(said('store', STEP_FLAGS.WRITES)).toEqual(stores);
    return loads.length + stores.length;
  }

  /** Nothing is left. */
  end(): void {
    expect(this.#next).toBe(this.#steps.count);
  }

  #registers(n: number, { before, after }: Tick): void {
    const steps = this.#steps;
    const values = [steps.rs1(n), steps.rs2(n), steps.rs3(n)];
    const sources = ([1, 2, 3] as const).map((which) => registerOf(before, steps.source(n, which)));
    expect(values).toEqual(sources);
    expect(steps.result(n)).toBe(registerOf(after, steps.rd(n)));
  }
}

/** 0 where the number names no register. */
const registerOf = ({ x, f }: HartState, number: number): bigint =>
  number < FLOAT ? x[number]! : (f[number - FLOAT] ?? 0n);
