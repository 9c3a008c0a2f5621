/**
 * Translation caches must not be observable: a core that is told to forget everything derived before each instruction
 * goes through the same states as one that keeps its caches.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CONSTANTS } from './layout/index.ts';
import { Bed, PTE, RAM, RWX, SV39 } from './testbed.ts';

const { V, R, W, X, U, A, D } = PTE;
const CODE_PA = RAM + 0x1000n;
const CODE = 0x10000n;
/** Where both the page tables and the data pages are mapped for the program to store to. */
const WINDOW = 0x4000_0000n;
const PAGES = 4;
const PROBED = 0x4_0000_0000n;

type Step =
  | { readonly kind: 'load' | 'store' | 'fetch'; readonly page: number }
  | { readonly kind: 'entry'; readonly page: number; readonly target: number; readonly flags: bigint }
  | { readonly kind: 'middle'; readonly valid: boolean }
  | { readonly kind: 'sum' | 'mxr' | 'asid' | 'pmp' | 'adue' | 'pbmte'; readonly on: boolean }
  | { readonly kind: 'poke'; readonly page: number; readonly flags: bigint }
  | { readonly kind: 'digest' };

const flags = fc.constantFrom(
  0n,
  V | RWX,
  V | R | A,
  V | R | W | A,
  V | R | W | A | D,
  V | X | A,
  V | R | W | X,
  V | R | W | (1n << 61n),
  V | RWX | U,
  V | RWX,
);
const page = fc.nat(PAGES - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom('load', 'store', 'fetch'), page }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('entry' as const), page, target: page, flags }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('middle' as const), valid: fc.boolean() }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constantFrom('sum', 'mxr', 'asid', 'pmp', 'adue', 'pbmte'), on: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('poke' as const), page, flags }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('digest' as const) }) },
);

/** `li a1, n` and `nop`: a value that tells pages apart when it is loaded and when it is executed. */
const instructions = (n: bigint): bigint => 0x00000013_00000593n | (n << 20n);

/** A supervisor (or guest) whose own page tables are mapped at WINDOW, and PAGES pages at PROBED to play with. */
class Subject {
  readonly bed = new Bed();
  readonly #two: boolean;
  readonly #leaf: bigint;
  readonly #root: bigint;
  constructor(twoStages: boolean) {
    const { bed } = this;
    this.#two = twoStages;
    bed.openPmp();
    bed.setCsr('mtvec', RAM + 0x800n);
    this.#root = bed.tablePages();
    bed.map(this.#root, CODE, CODE_PA, RWX);
    for (let i = 0n; i < BigInt(PAGES); i++) {
      bed.map(this.#root, PROBED + i * 4096n, this.data(Number(i)), RWX);
      bed.setWord(this.data(Number(i)) + 64n, instructions(i));
    }
    const middle = (bed.word(this.#root + 8n * (PROBED >> 30n)) >> 10n) << 12n;
    this.#leaf = (bed.word(middle) >> 10n) << 12n;
    bed.map(this.#root, WINDOW, this.#leaf, RWX);
    bed.map(this.#root, WINDOW + 0x1000n, middle, RWX);
    if (twoStages) {
      const groot = bed.tablePages(4n);
      bed.map(groot, RAM & ~0x1f_ffffn, RAM & ~0x1f_ffffn, RWX | U, { level: 1n, gstage: true });
      bed.map(groot, RAM + 0x20_0000n, RAM + 0x20_0000n, RWX | U, { level: 1n, gstage: true });
      bed.setCsr('hgatp', SV39 | (3n << 44n) | (groot >> 12n));
      bed.setCsr('vsatp', SV39 | (this.#root >> 12n));
    } else bed.setCsr('satp', SV39 | (this.#root >> 12n));
  }
  data(page: number): bigint {
    return RAM + 0x10_0000n + BigInt(page) * 4096n;
  }

  /** Runs one step on the caches as they are; `forget` drops them first. */
  apply(step: Step, forget: boolean): void {
    const { bed } = this;
    const mode = this.#two ? 'VS' : 'HS';
    const status = this.#two ? 'vsstatus' : 'sstatus';
    const at = (page: number) => PROBED + BigInt(page) * 4096n + 64n;
    switch (step.kind) {
      case 'load':
        this.#execute('ld a1, 0(a0)', mode, at(step.page), 0n, forget);
        break;
      case 'store':
        this.#execute('sd a1, 0(a0)', mode, at(step.page), instructions(bed.core.machine('ticks') % 1024n), forget);
        break;
      case 'fetch':
        this.#execute('jr a0', mode, at(step.page), 0n, forget, 2);
        break;
      case 'entry':
        this.#execute('sd a1, 0(a0)', mode, WINDOW + 8n * BigInt(step.page), this.#entry(step), forget);
        break;
      case 'middle':
        this.#execute('sd a1, 0(a0)', mode, WINDOW + 0x1000n, step.valid ? this.#middleEntry() : 0n, forget);
        break;
      case 'sum':
        this.#csr(status, 1n << 18n, step.on, forget);
        break;
      case 'mxr':
        this.#csr(status, 1n << 19n, step.on, forget);
        break;
      case 'asid':
        this.#csr(this.#two ? 'vsatp' : 'satp', 1n << 44n, step.on, forget);
        break;
      case 'adue':
        this.#csr(this.#two ? 'henvcfg' : 'menvcfg', 1n << 61n, step.on, forget);
        break;
      case 'pbmte':
        this.#csr('menvcfg', 1n << 62n, step.on, forget);
        this.#csr('henvcfg', 1n << 62n, step.on, forget);
        break;
      case 'pmp':
        // Execute permission of everything below M.
        this.#csr('pmpcfg0', 4n, step.on, forget);
        break;
      case 'poke':
        bed.setWord(this.#leaf + 8n * BigInt(step.page), this.#entry({ ...step, target: step.page }));
        break;
      case 'digest':
        bed.core.arch.updatePageHashes();
        bed.core.arch.collectDirtyPages(bed.core.machineNumber('scratchHost'));
    }
  }

  #entry({ target, flags }: { target: number; flags: bigint }): bigint {
    return ((this.data(target) >> 12n) << 10n) | flags;
  }
  #middleEntry(): bigint {
    return ((this.#leaf >> 12n) << 10n) | V;
  }
  #csr(name: string, bit: bigint, on: boolean, forget: boolean): void {
    this.#execute(`${on ? 'csrs' : 'csrc'} ${name}, a1`, 'M', 0n, bit, forget);
  }
  /** As Bed.execute, but without the flush that changing the mode from outside needs: the program does it itself. */
  #execute(text: string, mode: 'M' | 'HS' | 'VS', a0: bigint, a1: bigint, forget: boolean, ticks = 1): void {
    const { bed } = this;
    const { core } = bed;
    bed.setX('a0', a0);
    bed.setX('a1', a1);
    bed.program('mret', RAM);
    bed.program(text, CODE_PA, CODE);
    core.setHart(0, 'priv', 3n);
    core.setHart(0, 'virt', 0n);
    core.setHart(0, 'pc', RAM);
    core.setHart(0, 'mepc', mode === 'M' ? CODE_PA : CODE);
    const mpp = mode === 'M' ? 3n : 1n;
    const mstatus = core.hart(0, 'mstatus') & ~((3n << 11n) | (1n << 39n));
    core.setHart(0, 'mstatus', mstatus | (mpp << 11n) | (mode === 'VS' ? 1n << 39n : 0n));
    bed.run(1);
    if (forget) core.arch.flushDerived();
    bed.run(ticks);
  }
}

test.each([false, true])('caches are invisible (two stages: %s)', (twoStages) => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 80, size: 'max' }), (steps) => {
      const cached = new Subject(twoStages);
      const forgetful = new Subject(twoStages);
      for (const [i, one] of steps.entries()) {
        cached.apply(one, false);
        forgetful.apply(one, true);
        for (const name of ['pc', 'mcause', 'mtval', 'mtval2', 'mtinst', 'mepc']) {
          expect(`${i} ${name} ${cached.bed.core.hart(0, name)}`).toBe(
            `${i} ${name} ${forgetful.bed.core.hart(0, name)}`,
          );
        }
        expect(cached.bed.x('a1')).toBe(forgetful.bed.x('a1'));
      }
      expect(Buffer.compare(cached.bed.state(), forgetful.bed.state())).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test('an entry that is changed is not used again, even on the same hart without a fence', () => {
  const subject = new Subject(false);
  const { bed } = subject;
  bed.setWord(subject.data(1) + 64n, 111n);
  bed.setWord(subject.data(2) + 64n, 222n);
  subject.apply({ kind: 'load', page: 1 }, false);
  expect(bed.x('a1')).toBe(111n);
  subject.apply({ kind: 'entry', page: 1, target: 2, flags: V | RWX }, false);
  subject.apply({ kind: 'load', page: 1 }, false);
  expect(bed.x('a1')).toBe(222n);
});

test('a page that held a table is an ordinary one again when translations are forgotten', () => {
  const subject = new Subject(false);
  const { core } = subject.bed;
  const page = Number((subject.bed.csr('satp') & 0xfff_ffff_ffffn) - (RAM >> 12n));
  const isTable = () => {
    const flags = new Uint8Array(core.memory.buffer, core.machineNumber('pageFlagsHost'))[page]!;
    return (flags & CONSTANTS.PAGE_TABLE) !== 0;
  };
  subject.apply({ kind: 'load', page: 1 }, false);
  expect(isTable()).toBe(true);
  // Else each store to it would take the slow way from then on, and many would forget all translations.
  core.arch.flushDerived();
  expect(isTable()).toBe(false);
});

test('context ids that are handed out anew do not bring old translations back', () => {
  const subject = new Subject(false);
  const { bed } = subject;
  const satp = bed.csr('satp');
  const root = (satp & 0xfffffffffffn) << 12n;
  const otherRoot = bed.tablePages();
  bed.map(otherRoot, CODE, CODE_PA, RWX);
  for (let i = 0; i < PAGES; i++) {
    bed.map(otherRoot, PROBED + BigInt(i) * 4096n, subject.data(PAGES - 1 - i), RWX);
  }
  const enter = (asid: bigint, table: bigint) => {
    bed.core.setHart(0, 'satp', SV39 | (asid << 44n) | (table >> 12n));
    subject.apply({ kind: 'load', page: 0 }, false);
    return Number(bed.core.hart(0, 'dataContext')) >> 3;
  };
  // Each of the last ids before they run out translates one page of its own by the first root.
  const pageOfId = new Map<number, number>();
  let asid = 0n;
  for (let id = 0; id < 480; asid++) id = enter(asid, root);
  for (let page = 1; page < PAGES; page++) {
    pageOfId.set(enter(asid++, root), page);
    subject.apply({ kind: 'load', page }, false);
    expect(bed.x('a1')).toBe(instructions(BigInt(page)));
  }
  // The same ids, a round later, belong to the other root. A load with SUM changed makes one more context and shifts
  // the numbering by one.
  let met = 0;
  for (let i = 0; i < 700; i++) {
    if (i % 90 === 89) {
      subject.apply({ kind: 'sum', on: i % 180 === 89 }, false);
      subject.apply({ kind: 'load', page: 0 }, false);
    }
    const page = pageOfId.get(enter(asid++, otherRoot));
    if (page === undefined || i < 100) continue;
    met++;
    subject.apply({ kind: 'load', page }, false);
    expect(bed.x('a1')).toBe(instructions(BigInt(PAGES - 1 - page)));
  }
  expect(met).toBeGreaterThan(0);
});

test.each([
  ['sd', 0, 8],
  ['sd', -4, 8],
  ['sd', 1, 8],
  ['sd', -6, 8],
  ['sw', 0, 4],
  ['sw', -2, 4],
  ['sh', 1, 2],
  ['sb', 1, 1],
] as const)('%s at %i from an entry changes it for the next load', (store, offset, bytes) => {
  const bed = new Bed();
  bed.openPmp();
  bed.setCsr('mtvec', RAM + 0x800n);
  const root = bed.tablePages();
  const data = (n: bigint) => RAM + 0x10_0000n + n * 4096n;
  // The entry before is valid, too: a store that spans both must see each.
  const before = bed.map(root, PROBED, data(8n), RWX);
  const entry = bed.map(root, PROBED + 0x1000n, data(0n), RWX);
  bed.map(root, CODE, CODE_PA, RWX);
  bed.map(root, WINDOW, entry & ~0xfffn, RWX);
  bed.setCsr('satp', SV39 | (root >> 12n));
  for (let n = 0n; n < 16n; n++) bed.setWord(data(n), 100n + n);
  expect(entry - before).toBe(8n);
  bed.program(`ld a1, 0(a0)\n${store} a2, 0(a3)\nld a4, 0(a0)\nj .`, CODE_PA, CODE);
  bed.setX('a0', PROBED + 0x1000n);
  bed.setX('a3', WINDOW + (entry & 0xfffn) + BigInt(offset));
  // What memory shall have there afterwards: the entry leads to another page of the sixteen.
  const changed = ((data(5n) >> 12n) << 10n) | V | RWX;
  const image = new DataView(new ArrayBuffer(32));
  image.setBigUint64(8, bed.word(before), true);
  image.setBigUint64(16, changed, true);
  image.setBigUint64(24, bed.word(entry + 8n), true);
  bed.setX('a2', image.getBigUint64(16 + offset, true) & ((1n << BigInt(8 * bytes)) - 1n));
  bed.enter('HS', CODE);
  bed.run(3);
  const ppn = (bed.word(entry) >> 10n) & 0xfff_ffff_ffffn;
  expect([bed.x('a1'), bed.x('a4')]).toEqual([100n, bed.word(ppn << 12n)]);
  expect(bed.x('a4')).not.toBe(100n);
});
