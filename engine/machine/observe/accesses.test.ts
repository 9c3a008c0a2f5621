/**
 * Every way in which memory is accessed, and what an observer is told of it: position, bytes before and after.
 */
import { describe, expect, it } from 'vitest';
import { createMachine } from '../machine.ts';
import { smallConfig } from '../testing.ts';
import type { Machine, Watch, WatchHit } from '../types.ts';
import { DRIVERS } from '../virtio-guest-testing.ts';

const DATA = 0x8010_0000;

/** Runs a program that ends in `j .` and tells the accesses as text. */
function accessesOf(source: string, watches: readonly Watch[], ticks = 200): { machine: Machine; told: string[] } {
  const machine = createMachine(smallConfig(`li s0, ${DATA}\n${source}\nj .`));
  const told: WatchHit[] = [];
  machine.watches = watches;
  machine.onWatchHit = (access) => told.push(access);
  machine.run({ ticks });
  const plain = createMachine(machine.config);
  plain.run({ ticks });
  expect(machine.digest()).toBe(plain.digest());
  return { machine, told: told.map(textOf) };
}

const textOf = ({ by, paddr, bytes, before, after }: WatchHit) =>
  `${by} ${paddr - DATA}+${bytes}${before === after ? ` ${hex(after)}` : ` ${hex(before)}→${hex(after)}`}`;
const hex = (value: bigint) => value.toString(16);
const all = (bytes: number, from = 0): Watch => ({ paddr: DATA + from, bytes, reads: true, writes: true });

describe('accesses of harts', () => {
  it.each<[what: string, source: string, expected: readonly string[]]>([
    [
      'stores of all sizes',
      'li t0, -1\nsd t0, 0(s0)\nsw zero, 4(s0)\nsh zero, 2(s0)\nsb zero, 0(s0)',
      ['store 0+8 0→ffffffffffffffff', 'store 4+4 ffffffff→0', 'store 2+2 ffff→0', 'store 0+1 ff→0'],
    ],
    ['a store of what is there', 'sd zero, 0(s0)', ['store 0+8 0']],
    [
      'loads of all sizes',
      'li t0, 0x80\nsd t0, 0(s0)\nld t1, 0(s0)\nlwu t1, 0(s0)\nlh t1, 0(s0)\nlb t1, 0(s0)',
      ['store 0+8 0→80', 'load 0+8 80', 'load 0+4 80', 'load 0+2 80', 'load 0+1 80'],
    ],
    ['a misaligned one', 'li t0, 0x1234\nsh t0, 7(s0)\nlhu t1, 7(s0)', ['store 7+2 0→1234', 'load 7+2 1234']],
    ...[1, 2, 4, 8].flatMap((bytes) => {
      const [store, load] = { 1: ['sb', 'lbu'], 2: ['sh', 'lhu'], 4: ['sw', 'lwu'], 8: ['sd', 'ld'] }[bytes]!;
      const at = Array.from({ length: 8 }, (_, n) => n + 8);
      return [
        [
          `${bytes} bytes at every distance from alignment, on a page that has been accessed before`,
          `sd zero, 0(s0)\nld t0, 0(s0)\n${at.map((n) => `${store} zero, ${n}(s0)\n${load} t0, ${n}(s0)`).join('\n')}`,
          ['store 0+8 0', 'load 0+8 0', ...at.flatMap((n) => [`store ${n}+${bytes} 0`, `load ${n}+${bytes} 0`])],
        ] as [string, string, string[]],
      ];
    }),
    [
      'atomics',
      'li t0, 5\namoadd.w t1, t0, (s0)\namoswap.d t1, zero, (s0)',
      ['load 0+4 0', 'store 0+4 0→5', 'load 0+8 5', 'store 0+8 5→0'],
    ],
    [
      'compare and swap, where memory equals rd and where it does not',
      'li t0, 5\namocas.d t1, t0, (s0)\namocas.w t1, zero, (s0)\namocas.q a2, a4, (s0)\nli a2, 5\namocas.q a2, a4, (s0)',
      ['load 0+8 0', 'store 0+8 0→5', 'load 0+4 5', 'load 0+8 5', 'load 8+8 0', 'load 0+8 5', 'load 8+8 0'].concat([
        'store 0+8 5→0',
        'store 8+8 0',
      ]),
    ],
    [
      'LR and SC, one that fails, too',
      'li t0, 7\nlr.d t1, (s0)\nsc.d t1, t0, (s0)\nsc.d t1, t0, (s0)',
      ['load 0+8 0', 'store 0+8 0→7'],
    ],
    [
      'compressed and floating-point ones',
      'li t0, 0x6000\ncsrs mstatus, t0\nc.sd s0, 0(s0)\nfld f0, 0(s0)\nfsd f0, 8(s0)',
      ['store 0+8 0→80100000', 'load 0+8 80100000', 'store 8+8 0→80100000'],
    ],
    [
      'a block of zeros',
      'li t0, 9\nsd t0, 8(s0)\ncbo.zero (s0)',
      ['store 8+8 0→9', 'store 0+8 0', 'store 8+8 9→0', 'store 16+8 0', 'store 24+8 0'],
    ],
  ])('%s', (_what, source, expected) => {
    expect(accessesOf(source, [all(32)]).told).toEqual(expected);
  });

  it('across pages: each part where it lies', () => {
    const { told } = accessesOf('li t0, 0xfff\nadd s0, s0, t0\nli t0, 0xabcd\nsh t0, 0(s0)\nlhu t1, 0(s0)', [
      all(2, 4095),
    ]);
    expect(told).toEqual(['store 4095+1 0→cd', 'store 4096+1 0→ab', 'load 4095+1 cd', 'load 4096+1 ab']);
  });

  it('only what touches a watched range, in the way that is asked for', () => {
    const source = 'li t0, -1\nsd t0, 0(s0)\nsd t0, 8(s0)\nsd t0, 16(s0)\nld t1, 8(s0)\nld t1, 16(s0)';
    const watches: Watch[] = [
      { paddr: DATA + 15, bytes: 1, writes: true },
      { paddr: DATA + 16, bytes: 1, reads: true },
    ];
    const f = 'f'.repeat(16);
    expect(accessesOf(source, watches).told).toEqual([`store 8+8 0→${f}`, `load 16+8 ${f}`]);
  });

  it('each of many of one kind, while the page serves the other kind as if it were not watched', () => {
    const three = (what: string) => `${what}\n`.repeat(3);
    const source = `${three('ld t1, 0(s0)')}${three('sd s0, 8(s0)')}${three('ld t1, 0(s0)')}${three('sd s0, 0(s0)')}`;
    const told = (watch: Partial<Watch>) => accessesOf(source, [{ paddr: DATA, bytes: 8, ...watch }]).told;
    expect(told({ reads: true })).toEqual(Array(6).fill('load 0+8 0'));
    expect(told({ writes: true })).toEqual(['store 0+8 0→80100000', ...Array(2).fill('store 0+8 80100000')]);
  });

  it('ranges that overlap count once each access, and for what either asks', () => {
    const watches = [all(8), { paddr: DATA + 4, bytes: 8, writes: true }, { paddr: DATA, bytes: 16, reads: true }];
    expect(accessesOf('sd s0, 2(s0)\nld t0, 8(s0)', watches).told).toEqual(['store 2+8 0→80100000', 'load 8+8 0']);
  });

  it('ranges that overlap stop behind what the one that stops asks for', () => {
    const machine = createMachine(smallConfig(`li s0, ${DATA}\nld t0, 0(s0)\nsd s0, 0(s0)\nld t0, 0(s0)\nj .`));
    const told: WatchHit[] = [];
    machine.onWatchHit = (hit) => told.push(hit);
    machine.watches = [
      { paddr: DATA, bytes: 8, reads: true },
      { paddr: DATA, bytes: 8, writes: true, stops: true },
    ];
    expect(machine.run({ ticks: 200 })).toEqual({ kind: 'watchpoint' });
    expect(told.map(textOf)).toEqual(['load 0+8 0', 'store 0+8 0→80100000']);
    expect(machine.run({ ticks: 200 })).toEqual({ kind: 'ticks' });
    expect(told).toHaveLength(3);
  });

  it('of the walk for a fetch stop behind the instruction fetched', () => {
    const enter = `la t0, inside\ncsrw mepc, t0\nli t0, -1\ncsrw pmpaddr0, t0\nli t0, 0x1f\ncsrw pmpcfg0, t0
      li t0, ${(8n << 60n) | BigInt(DATA >>> 12)}\ncsrw satp, t0\nli t0, 0x800\ncsrs mstatus, t0\nmret\n.balign 4\n`;
    const entry = (flags: number) => (BigInt(0x8000_0000 >>> 12) << 10n) | BigInt(flags);
    const put = (machine: Machine, paddr: number, value: bigint) =>
      machine.apply({ kind: 'poke', paddr, bytes: new Uint8Array(BigUint64Array.of(value).buffer) });
    /** RAM is mapped where it is, and at 0, each by an entry of its own. */
    const run = (inside: string, flags: number, low: number, watch: Watch) => {
      const machine = createMachine(smallConfig(`${enter}inside:\n${inside}`));
      const told: WatchHit[] = [];
      machine.onWatchHit = (hit) => told.push(hit);
      put(machine, DATA, entry(low));
      put(machine, DATA + 16, entry(flags));
      machine.watches = [{ ...watch, stops: true }];
      const stops: number[] = [];
      while (machine.run({ ticks: 100 }).kind === 'watchpoint') stops.push(machine.ticks);
      expect(stops).toEqual([...new Set(told.map(({ ticks }) => ticks + 1))]);
      return told;
    };
    const loop = 'j there\nnop\nthere:\naddi t1, t1, 1\nnop\nnop\nj there';
    // Each instruction of S-mode walks, for its table is watched.
    const reads = run(loop, 0xcf, 0, { paddr: DATA + 16, bytes: 8, reads: true });
    expect(reads.length).toBeGreaterThan(40);
    expect(new Set(reads.map(({ by, mode }) => `${by} ${mode}`))).toEqual(new Set(['table-read HS']));
    const setsA = { by: 'table-write', before: entry(0x0f), after: entry(0x4f) };
    expect(run(loop, 0x0f, 0, { paddr: DATA + 16, bytes: 8, writes: true })).toMatchObject([setsA]);
    // Back to code that is cached: the jump is all that is executed.
    const away = `la t2, there\nla t3, low\nslli t3, t3, 33\nsrli t3, t3, 33\njr t3\nlow:\njr t2\n${loop}`;
    expect(run(away, 0xcf, 0x0f, { paddr: DATA, bytes: 8, writes: true })).toMatchObject([setsA]);
  });

  it('of walks: each half of an instruction and each operand reads a watched table, a look whether to stop does not', () => {
    const ENTRY = DATA + 16;
    const text = `la t0, inside\ncsrw mepc, t0\nli t0, -1\ncsrw pmpaddr0, t0\nli t0, 0x1f\ncsrw pmpcfg0, t0
      li t0, ${(8n << 60n) | BigInt(DATA >>> 12)}\ncsrw satp, t0\nli t0, 0x800\ncsrs mstatus, t0\nmret
      .balign 4\ninside:\nld t1, (s0)\nsd t1, 512(s0)\nj inside`;
    const readsOf = (breakAtVirtual: readonly bigint[]) => {
      const machine = createMachine(smallConfig(`la s0, inside\n${text}`));
      // A page of 1 GiB around the program, with A and D set.
      const entry = BigUint64Array.of((BigInt(0x8000_0000 >>> 12) << 10n) | 0xcfn);
      machine.apply({ kind: 'poke', paddr: ENTRY, bytes: new Uint8Array(entry.buffer) });
      const pcs: number[] = [];
      machine.watches = [{ paddr: ENTRY, bytes: 8, reads: true }];
      machine.breakAtVirtual = breakAtVirtual;
      machine.onWatchHit = ({ by, pc }) => pcs.push(by === 'table-read' ? Number(pc! & 0xffn) : -1);
      let stops = 0;
      while (stops < 100 && machine.run({ ticks: 100 }).kind === 'breakpoint') stops++;
      return { pcs, stops };
    };
    const { pcs } = readsOf([]);
    const [load, store, jump] = [...new Set(pcs)];
    const round = [load, load, load, store, store, store, jump, jump];
    expect(pcs.length).toBeGreaterThan(60);
    expect(pcs).toEqual(pcs.map((_, n) => round[n % round.length]));
    const stopped = readsOf([0x8000_0000n + BigInt(store!)]);
    expect(stopped.pcs).toEqual(pcs);
    expect(stopped.stops).toBe(Math.ceil(pcs.length / round.length));
  });

  it('say where the access is: the position before its instruction', () => {
    const { machine, told } = accessesOf('nop\nsd s0, 0(s0)', []);
    expect(told).toEqual([]);
    const again = createMachine(machine.config);
    let access: WatchHit | undefined;
    again.watches = [{ ...all(8), stops: true }];
    again.onWatchHit = (its) => {
      access = its;
    };
    expect(again.run({ ticks: 200 })).toEqual({ kind: 'watchpoint' });
    expect(access).toMatchObject({ hart: 0, mode: 'M', vmid: 0, moment: again.moment - 1, ticks: again.ticks - 1 });
    const before = createMachine(machine.config);
    before.run({ ticks: access!.ticks });
    expect([before.moment, before.next()]).toEqual([access!.moment, { hart: 0, pc: access!.pc }]);
    expect(before.readPhysical(DATA, 8)[0]).toBe(0);
    before.run({ ticks: access!.ticks + 1 });
    expect(before.digest()).toBe(again.digest());
  });

  it('say on whose behalf: the mode, and the VMID in hgatp', () => {
    const source = `li s0, ${DATA}\nla t0, inside\ncsrw mepc, t0\nli t0, -1\ncsrw pmpaddr0, t0\nli t0, 0x1f
      csrw pmpcfg0, t0\nli t0, ${0x2001n << 44n}\ncsrw hgatp, t0\nli t0, ${(1n << 39n) | 0x800n}\ncsrs mstatus, t0
      mret\n.balign 4\ninside:\nsd t0, 0(s0)\nj .`;
    const machine = createMachine(smallConfig(source));
    const told: WatchHit[] = [];
    machine.watches = [all(8)];
    machine.onWatchHit = (hit) => told.push(hit);
    machine.run({ ticks: 100 });
    expect(told).toMatchObject([{ mode: 'VS', vmid: 0x2001 }]);
  });

  it('are told also when there are more than the core has room for', () => {
    const loop = 'li t0, 20000\nagain: addi t0, t0, -1\nsd t0, 0(s0)\nbnez t0, again';
    const { told } = accessesOf(loop, [{ paddr: DATA, bytes: 8, writes: true }], 100_000);
    expect(told).toHaveLength(20_000);
    expect(told.at(-1)).toBe('store 0+8 1→0');
  });
});

describe('accesses of others', () => {
  it('by inputs and faults, at the position where they are applied', () => {
    const machine = createMachine(smallConfig('j .'));
    const told: WatchHit[] = [];
    machine.watches = [{ ...all(16), stops: true }];
    machine.onWatchHit = (access) => told.push(access);
    machine.run({ ticks: 50 });
    machine.apply({ kind: 'poke', paddr: DATA + 6, bytes: Uint8Array.of(1, 2, 3) });
    expect(machine.run({ ticks: 60 })).toEqual({ kind: 'watchpoint' });
    expect(machine.ticks).toBe(50);
    expect(told.map(textOf)).toEqual(['input 6+2 0→201', 'input 8+1 0→3']);
    expect(told[0]).toMatchObject({ ticks: 50 });
    expect(machine.run({ ticks: 60 })).toEqual({ kind: 'ticks' });
    const before = machine.snapshot();
    machine.apply({ kind: 'poke', paddr: DATA, bytes: Uint8Array.of(9) });
    machine.restore(before);
    expect(machine.run({ ticks: 70 })).toEqual({ kind: 'ticks' });
    expect(told).toHaveLength(3);
    // Who watches something else does not stop for what was.
    machine.apply({ kind: 'poke', paddr: DATA, bytes: Uint8Array.of(9) });
    machine.watches = [all(16)];
    expect(machine.run({ ticks: 80 })).toEqual({ kind: 'ticks' });
  });

  it('by devices: what they read and write, and in which slot they are', () => {
    const image = { name: 'disk', bytes: new Uint8Array(4 * 512).map((_, n) => n & 0xff) };
    const config = smallConfig(DRIVERS, {
      virtio: [
        { kind: 'block', slot: 7, image, readOnly: false, serial: '' },
        { kind: 'net', slot: 6, mac: '52:54:00:12:34:56', cable: 'switch' },
      ],
    });
    const machine = createMachine(config);
    const written = new Map<number, number>();
    machine.watches = [{ paddr: 0x8000_0000, bytes: config.ramBytes, reads: true, writes: true }];
    const kinds = new Set<string>();
    machine.onWatchHit = ({ by, device, paddr, bytes, after }) => {
      if (by === 'dma-read' || by === 'dma-write') kinds.add(`${by} ${device}`);
      if (by === 'dma-write')
        for (let n = 0; n < bytes; n++) written.set(paddr + n, Number((after >> BigInt(8 * n)) & 0xffn));
    };
    const dma: { paddr: number; bytes: number }[] = [];
    machine.onEvent = (event) => {
      if (event.kind === 'dma') dma.push(event);
    };
    machine.run({ ticks: 400_000 });
    expect([...kinds].sort()).toEqual([
      'dma-read virtio6',
      'dma-read virtio7',
      'dma-write virtio6',
      'dma-write virtio7',
    ]);
    const events = new Set(dma.flatMap(({ paddr, bytes }) => Array.from({ length: bytes }, (_, n) => paddr + n)));
    expect([...written.keys()].sort()).toEqual([...events].sort());
    const plain = createMachine(config);
    plain.run({ ticks: 400_000 });
    expect(machine.digest()).toBe(plain.digest());
  });
});

describe('how an address translates', () => {
  const ROOT = 0x8010_0000;
  const SV39 = 8n << 60n;
  const pte = (paddr: number, flags: number) => ((BigInt(paddr) >> 12n) << 10n) | BigInt(flags);
  const open = 'li t0, -1\ncsrw pmpaddr0, t0\nli t0, 0x1f\ncsrw pmpcfg0, t0\nj .';
  const machine = createMachine(smallConfig(open, { ramBytes: 4 << 20 }));
  machine.run({ ticks: 100 });
  const put = (paddr: number, value: bigint) =>
    machine.apply({ kind: 'poke', paddr, bytes: new Uint8Array(BigUint64Array.of(value).buffer) });
  // 0x40000000 leads through three levels to 0x80123000; the guest's root is of 16 KiB.
  put(ROOT + 8, pte(ROOT + 0x1000, 1));
  put(ROOT + 0x1000, pte(ROOT + 0x2000, 1));
  put(ROOT + 0x2000, pte(0x8012_3000, 0x43));
  put(ROOT + 0x4000 + 8, pte(ROOT + 0x1000, 1));
  const root = (at: number) => SV39 | BigInt(at >>> 12);

  it('lists each entry that the walk reads, and PMP’s say', () => {
    const found = machine.explainTranslation(0, 0x4000_0123n, 'load', { satp: root(ROOT) });
    expect(found.paddr).toBe(0x8012_3123n);
    expect(found.steps.map(({ stage, level, paddr }) => [stage, level, Number(paddr) - ROOT])).toEqual([
      ['single', 2, 8],
      ['single', 1, 0x1000],
      ['single', 0, 0x2000],
    ]);
    expect(found.pmp).toEqual({ allowed: true, entry: 0 });
    // Without a PMP entry S-mode may access nothing; where the address leads can be told all the same.
    const closed = createMachine(smallConfig('j .', { ramBytes: 4 << 20 }));
    closed.apply({ kind: 'poke', paddr: ROOT, bytes: machine.readPhysical(ROOT, 0x5000) });
    expect(closed.explainTranslation(0, 0x4000_0123n, 'load', { satp: root(ROOT) })).toMatchObject({
      paddr: 0x8012_3123n,
      pmp: { allowed: false },
    });
  });

  it('names the fault', () => {
    expect(machine.explainTranslation(0, 0x5000_0000n, 'load', { satp: root(ROOT) })).toMatchObject({
      fault: { cause: 'page' },
      steps: [{ level: 2 }, { level: 1 }],
    });
    expect(machine.explainTranslation(0, 0x4000_0000n, 'load', { hgatp: root(ROOT + 0x4000) })).toMatchObject({
      fault: { cause: 'guest-page', gpa: 0x4000_0000n },
    });
  });

  it('names the entry that cannot be read, in either stage', () => {
    const nowhere = root(0x4000_0000);
    const step = { level: 2, paddr: 0x4000_0008n, pte: 0n };
    for (const [space, stage] of [
      [{ satp: nowhere }, 'single'],
      [{ hgatp: nowhere }, 'g'],
    ] as const) {
      expect(machine.explainTranslation(0, 0x4000_0000n, 'load', space)).toEqual({
        steps: [{ ...step, stage }],
        fault: { cause: 'access' },
      });
    }
  });

  it('takes the root of the G-stage to be aligned to its 16 KiB', () => {
    const explain = (hgatp: bigint) => machine.explainTranslation(0, 0x4000_0000n, 'load', { hgatp });
    for (const low of [1n, 2n, 3n]) expect(explain(root(ROOT + 0x4000) | low)).toEqual(explain(root(ROOT + 0x4000)));
  });

  it('knows memory types, which no register of the hart has to allow', () => {
    const NON_CACHEABLE = 1n << 61n;
    put(ROOT + 0x2000 + 8, pte(0x8012_3000, 0x53) | NON_CACHEABLE);
    for (const space of [{ satp: root(ROOT) }, { vsatp: root(ROOT) }, { hgatp: root(ROOT + 0x4000) }]) {
      expect(machine.explainTranslation(0, 0x4000_1000n, 'load', space)).toMatchObject({ paddr: 0x8012_3000n });
    }
  });

  it('leaves the hart as it was', () => {
    const before = machine.digest();
    machine.explainTranslation(0, 0x4000_0000n, 'load', { satp: root(ROOT), hgatp: root(ROOT) });
    expect(machine.digest()).toBe(before);
  });
});
