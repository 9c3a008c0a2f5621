/**
 * Faults that the machine itself has to carry out or keep: code that is put right at a detection, CSRs, interrupts and
 * requests that go wrong later. Each run is also cut by a snapshot behind the fault and continued on another machine.
 */
import { describe, expect, it } from 'vitest';
import { UserError } from '../base/errors.ts';
import { parseFault } from '../faults/index.ts';
import { NOTES } from './bus/notes.ts';
import { createMachine } from './machine.ts';
import { smallConfig } from './testing.ts';
import type { Machine, MachineConfig } from './types.ts';
import { DRIVERS } from './virtio-guest-testing.ts';

/** Moment at which the program begins, behind the boot ROM. */
const START = (() => {
  const machine = createMachine(smallConfig('loop: j loop'));
  while (machine.hart(0).pc < 0x80000000n) machine.step();
  return machine.moment;
})();

interface Run {
  readonly machine: Machine;
  readonly printed: readonly number[];
  readonly end: string;
}

/**
 * Runs with faults (text) at moments of the program; once straight, once moved to another machine right behind each
 * fault.
 */
function run(config: MachineConfig, faults: readonly (readonly [number, string])[], limit = 200_000): Run {
  const go = (move: boolean): Run & { readonly digest: bigint } => {
    let machine = createMachine(config);
    const printed: number[] = [];
    const observe = () => {
      machine.onEvent = (event) => {
        if (event.kind === 'console') printed.push(event.byte);
      };
    };
    observe();
    for (const [moment, text] of faults) {
      machine.run({ moment: START + moment });
      machine.apply({ kind: 'fault', fault: parseFault(text) });
      if (!move) continue;
      const snapshot = machine.snapshot();
      machine = createMachine(config);
      machine.restore(snapshot);
      observe();
    }
    const stop = machine.run({ moment: limit, ticks: 4 * limit });
    return { machine, printed, end: stop.kind === 'halted' ? stop.status : stop.kind, digest: machine.digest() };
  };
  const [straight, moved] = [go(false), go(true)];
  expect([moved.digest, moved.end, moved.printed]).toEqual([straight.digest, straight.end, straight.printed]);
  return straight;
}

const x = (machine: Machine, register: number) => Number(machine.hart(0).x[register]);

describe('a code fault', () => {
  /** Adds 1 three times, reports a detection, adds three times again, ends. */
  const ADDS = smallConfig(`
      li s3, 0x100000
      li t0, 3
    first:
      addi a0, a0, 1
      addi t0, t0, -1
      bnez t0, first
      li t1, ${(2 << 16) | NOTES.DETECTED_TRAP.code}
      sw t1, 0(s3)
      li t0, 3
    second:
      j third
    third:
      la t2, first
      lw a1, 0(t2)
      li t1, 0x5555
      sw t1, 0(s3)
  `);

  it('changes the instruction that is next, until a detection puts it right', () => {
    // Behind two instructions, "addi a0, a0, 1" is next. Bit 21 is bit 1 of its immediate.
    const [plain, once, never] = [[], ['code=instruction,bit=21'], ['code=instruction,bit=21,repair=never']].map(
      (faults) =>
        run(
          ADDS,
          faults.map((text) => [2, text] as const),
        ).machine,
    ) as [Machine, Machine, Machine];
    expect([x(plain, 10), x(once, 10), x(never, 10)]).toEqual([3, 9, 9]);
    expect(x(once, 11)).toBe(x(plain, 11));
    expect(x(never, 11)).toBe(x(plain, 11) ^ (1 << 21));
  });

  /** Adds 1, copies the instruction as it was over itself, tells of a copy, adds again. */
  const copied = (note: number) =>
    smallConfig(`
      li s3, 0x100000
      la t2, add
      lw s4, 0(t2)
      li t1, ${note}
    add:
      addi a0, a0, 1
      bnez s5, done
      li s5, 1
      sw s4, 0(t2)
      sw t1, 0(s3)
      fence.i
      j add
    done:
      lw a1, 0(t2)
      xor a1, a1, s4
      li t1, 0x5555
      sw t1, 0(s3)
  `);

  it.each([
    ['REBOOTED', 'stuck', 3 + 3, 1 << 21],
    ['RESET', 'stuck', 3 + 3, 1 << 21],
    ['REBOOTED', 'never', 3 + 1, 0],
    ['RESUMED', 'stuck', 3 + 1, 0],
  ] as const)('whose cell has been written before the note %s: %s', (note, repair, sum, left) => {
    const config = copied((2 << 16) | NOTES[note].code);
    // Behind six instructions, "addi a0, a0, 1" is next.
    const { machine } = run(config, [[6, `code=instruction,bit=21,repair=${repair}`]]);
    expect([x(machine, 10), x(machine, 11)]).toEqual([sum, left]);
  });

  it('in a window hits what comes later', () => {
    // Bit 53 is bit 21 of the instruction behind: the counter goes down by 3.
    const { machine } = run(ADDS, [[2, 'code=window,bit=53']]);
    expect(x(machine, 10)).toBe(1);
  });

  it('is refused when too many wait', () => {
    const machine = createMachine(ADDS);
    machine.run({ moment: START });
    const fault = parseFault('code=instruction,bit=1');
    for (let n = 0; n < 8; n++) machine.apply({ kind: 'fault', fault });
    expect(() => machine.apply({ kind: 'fault', fault })).toThrow(UserError);
  });
});

describe('a CSR fault', () => {
  it('flips a bit that the CSR has, and none that it has not', () => {
    const machine = createMachine(smallConfig('loop: j loop'));
    const before = machine.snapshot();
    const flip = (text: string) => machine.apply({ kind: 'fault', fault: parseFault(text) });
    flip('csr=sscratch,bit=63,hart=0');
    expect(machine.csr(0, 'sscratch')).toBe(1n << 63n);
    flip('csr=sscratch,bit=63,hart=0');
    expect(machine.digest()).toBe(before.digest);
    flip('csr=hgatp,bit=61,hart=0');
    flip('csr=hvip,bit=0,hart=0');
    flip('csr=sstatus,bit=7,hart=0');
    expect(machine.digest()).toBe(before.digest);
    flip('csr=sstatus,bit=18,hart=0');
    expect(machine.csr(0, 'mstatus') ^ (1n << 18n)).toBe(0xa00000000n);
  });
});

describe('an interrupt fault', () => {
  /** Sends itself 10 software interrupts, 200 instructions apart, and counts in s2 those that come. */
  const IPIS = smallConfig(`
      la t0, handler
      csrw mtvec, t0
      li s0, 0x2000000
      li t0, 8
      csrw mie, t0
      csrsi mstatus, 8
      li s1, 10
    again:
      li t1, 1
      sw t1, 0(s0)
      li t0, 100
    pause:
      addi t0, t0, -1
      bnez t0, pause
      addi s1, s1, -1
      bnez s1, again
      li s3, 0x100000
      li t1, 0x5555
      sw t1, 0(s3)
      .balign 4
    handler:
      sw zero, 0(s0)
      csrr s4, time
      addi s2, s2, 1
      mret
  `);

  it.each([
    ['nothing', [], 10],
    ['the next one lost', ['interrupt=ipi,effect=lost'], 9],
    ['the next two lost', ['interrupt=ipi,effect=lost', 'interrupt=ipi,effect=lost'], 8],
    ['one too many', ['interrupt=ipi,effect=duplicated'], 11],
    ['the next one late', ['interrupt=ipi,effect=late,ticks=150'], 10],
    ['late until another is pending', ['interrupt=ipi,effect=late,ticks=100000'], 9],
  ] as const)('of software interrupts: %s', (_what, faults, count) => {
    const { machine, end } = run(
      IPIS,
      faults.map((text) => [500, text] as const),
    );
    expect([end, x(machine, 18)]).toEqual(['pass', count]);
  });

  /** Waits for its supervisor timer, set to 1000 units, then ends with the time in a0. */
  const TIMER = smallConfig(`
      li t0, -1
      csrw menvcfg, t0
      li t0, 32
      csrw mie, t0
      li t0, 1000
      csrw stimecmp, t0
    sleep:
      wfi
      csrr a0, time
      li s3, 0x100000
      li t1, 0x5555
      sw t1, 0(s3)
  `);

  it.each([
    ['nothing', [], 'pass', 1000],
    ['lost', ['interrupt=timer,effect=lost'], 'idle', 0],
    ['late', ['interrupt=timer,effect=late,ticks=5000'], 'pass', 1050],
    ['at once', ['interrupt=timer,effect=duplicated'], 'pass', 0],
  ] as const)('of the timer: %s', (_what, faults, end, time) => {
    const done = run(
      TIMER,
      faults.map((text) => [6, text] as const),
    );
    expect([done.end, x(done.machine, 10)]).toEqual([end, time]);
  });
});

describe('a pending interrupt of a device', () => {
  /** The UART's transmitter is empty: source 10 is pending from the 4th instruction on. Claims 60 moments later. */
  const claims = (beforeClaim: string) =>
    smallConfig(`
      li t0, 0x10000000
      li t1, 2
      sb t1, 1(t0)
      ${beforeClaim}
      li t2, 0xc000028
      sw t1, 0(t2)
      li t2, 0xc002000
      li t3, 0x400
      sw t3, 0(t2)
      li t4, 20
    wait:
      addi t4, t4, -1
      bnez t4, wait
      li t2, 0xc200004
      lw a0, 0(t2)
      li s3, 0x100000
      li t1, 0x5555
      sw t1, 0(s3)
    `);

  it.each([
    ['its input is still high', ''],
    ['its input has fallen: the cause was read', 'lbu t5, 2(t0)'],
  ])('is lost by a fault, or comes late, when %s', (_what, beforeClaim) => {
    const claimed = (faults: readonly string[]) => {
      const done = run(
        claims(beforeClaim),
        faults.map((text) => [20, text] as const),
      );
      return [done.end, x(done.machine, 10)];
    };
    expect(claimed([])).toEqual(['pass', 10]);
    expect(claimed(['interrupt=10,effect=lost'])).toEqual(['pass', 0]);
    expect(claimed(['interrupt=10,effect=late,ticks=20'])).toEqual(['pass', 10]);
    expect(claimed(['interrupt=10,effect=late,ticks=5000'])).toEqual(['pass', 0]);
  });

  it.each([
    ['comes', 'stays', '', 10],
    ['never comes', 'is gone before', 'lbu t5, 2(t0)', 0],
  ])('made late before it was pending %s when its cause %s', (_comes, _stays, beforeClaim, source) => {
    const done = run(claims(beforeClaim), [[2, 'interrupt=10,effect=late,ticks=20']]);
    expect([done.end, x(done.machine, 10)]).toEqual(['pass', source]);
  });
});

describe('faults of devices', () => {
  const image = { name: 'disk.img', bytes: new Uint8Array(8192).fill(0x41) };
  const config = smallConfig(DRIVERS, {
    virtio: [
      { kind: 'block', slot: 7, image, readOnly: false, serial: '' },
      { kind: 'net', slot: 6, mac: '52:54:00:12:34:56', cable: 'switch' },
    ],
  });
  const gateway = [0x52, 0x55, 10, 0, 2, 2];
  const plain = run(config, []);

  it('leave a run without them alone', () => {
    expect([plain.end, plain.printed]).toEqual(['pass', [...Array(8).fill(0x61), ...gateway]]);
  });

  it('a request ends in an I/O error: nothing is read', () => {
    const { end, printed } = run(config, [[0, 'device=7,effect=io-error']]);
    // The guest does not look at the status: it flips bit 5 of what its buffer held before.
    expect([end, printed]).toEqual(['pass', [...Array(8).fill(0x20), ...gateway]]);
  });

  it('a frame is lost: nobody answers', () => {
    const { end, printed } = run(config, [[0, 'device=6,effect=drop-frame']]);
    expect([end, printed]).toEqual(['idle', Array(8).fill(0x61)]);
  });

  it("a disk's interrupt is lost, late, or comes when there is nothing", () => {
    expect(run(config, [[0, 'interrupt=8,effect=lost']])).toMatchObject({ end: 'idle', printed: [] });
    const late = run(config, [[0, 'interrupt=8,effect=late,ticks=50000']]);
    expect(late).toMatchObject({ end: 'pass', printed: plain.printed });
    expect(late.machine.ticks - plain.machine.ticks).toBeGreaterThan(40_000);
    const waiting = createMachine(config);
    waiting.run({ ticks: 15_000 });
    expect(waiting.hart(0).waiting).toBe(true);
    const early = run(config, [[waiting.moment - START, 'interrupt=8,effect=duplicated']]);
    expect(early).toMatchObject({ end: 'pass', printed: plain.printed });
    expect(early.machine.moment).toBeGreaterThan(plain.machine.moment);
  });

  it('are refused where there is no such device', () => {
    const apply = (text: string) => () => createMachine(config).apply({ kind: 'fault', fault: parseFault(text) });
    expect(apply('device=6,effect=io-error')).toThrow(/no such device in virtio slot 6/);
    expect(apply('device=3,effect=drop-frame')).toThrow(UserError);
  });
});
