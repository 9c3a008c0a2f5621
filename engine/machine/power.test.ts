/** Software that resets the machine: what it finds afterwards, and that the run goes on as one. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assemble } from '../isa/index.ts';
import { RESET_NOTE } from './bus/notes.ts';
import { createMachine } from './machine.ts';
import { compareStates } from './state/compare.ts';
import { smallConfig, testElf } from './testing.ts';
import type { Machine, MachineConfig, MachineEvent, Snapshot, VirtioConfig } from './types.ts';
import { DRIVERS } from './virtio-guest-testing.ts';

/** Where it counts its starts: behind everything that is loaded. */
const STARTS = 0x80100000;
/** Prints a letter of its image, changes it, disturbs whatever a reset must put right, and asks for one twice. */
const REBOOTS = `
    .equ FINISHER, 0x100000
    csrr t0, mhartid
    bnez t0, others
    li s0, ${STARTS}
    la s1, letter
    li s2, 0x10000000
    lbu t0, 0(s1)
    sb t0, 0(s2)
    addi t0, t0, 1
    sb t0, 0(s1)
    li t0, 0x55
    sd t0, 8(s1)
    ld t0, 0(s0)
    addi t0, t0, 1
    sd t0, 0(s0)
    li t1, 3
    beq t0, t1, done
    # PLIC: priority and enable of the UART; UART: interrupt enable, line control; RTC: time, alarm, enable; mtime, mtimecmp.
    li t1, 0xc000000
    sw t0, 40(t1)
    li t1, 0xc002000
    li t2, 0x400
    sw t2, 0(t1)
    li t2, 3
    sb t2, 1(s2)
    sb t2, 3(s2)
    li t1, 0x101000
    sw zero, 4(t1)
    sw zero, 0(t1)
    sw t2, 16(t1)
    sw t2, 12(t1)
    sw t2, 8(t1)
    li t1, 0x200bff8
    li t2, -5
    sd t2, 0(t1)
    li t1, 0x2004000
    sd t2, 0(t1)
    sd t2, 8(t1)
    li t1, 0x2000004
    li t2, 1
    sw t2, 0(t1)
    li t1, 100
  later:
    addi t1, t1, -1
    bnez t1, later
    # Counters, floating point, a PMP entry, and then to a VM.
    csrw mscratch, t1
    csrw minstret, zero
    li t1, 0x6000
    csrs mstatus, t1
    fcvt.d.w f1, t2
    li t1, -1
    csrw pmpaddr0, t1
    li t1, 31
    csrw pmpcfg0, t1
    csrw medeleg, t1
    csrw hedeleg, t1
    csrw vsscratch, t1
    li t1, 0x8000001800
    csrc mstatus, t1
    li t1, 0x8000000800
    csrs mstatus, t1
    la t1, guest
    csrw mepc, t1
    mret
  guest:
    li t1, FINISHER
    li t2, 0x77777
    sw t2, 0(t1)
    j .
  done:
    li t1, FINISHER
    li t2, 0x5555
    sw t2, 0(t1)
    j .
  others:
    csrw mscratch, t0
    wfi
    j others
    .balign 8
  letter:
    .dword 65
    .dword 1
`;
const VIRTIO: readonly VirtioConfig[] = [
  { kind: 'block', slot: 7, image: { name: 'd', bytes: new Uint8Array(8192) }, readOnly: false, serial: '' },
  { kind: 'net', slot: 6, mac: '52:54:00:12:34:56', cable: 'switch' },
  { kind: 'entropy', slot: 5 },
  { kind: 'console', slot: 4 },
];
const rebooting = (change: Partial<MachineConfig> = {}): MachineConfig =>
  smallConfig(REBOOTS, {
    harts: 2,
    quantum: { policy: 'jittered', ticks: 100, seed: 3n },
    virtio: VIRTIO,
    reboots: true,
    ...change,
  });
const LIMIT = { moment: 1_000_000 };

function watch(machine: Machine): MachineEvent[] {
  const events: MachineEvent[] = [];
  machine.onEvent = (event) => events.push(event);
  return events;
}
const resetsIn = (events: readonly MachineEvent[]) =>
  events.flatMap((event) => (event.kind === 'note' && event.code === RESET_NOTE ? [event] : []));
const printed = (events: readonly MachineEvent[]) =>
  events.flatMap((event) => (event.kind === 'console' ? [String.fromCharCode(event.byte)] : [])).join('');

describe('a reset', () => {
  it('starts the machine over in the same run, which says so', () => {
    const machine = createMachine(rebooting());
    const events = watch(machine);
    expect(machine.run(LIMIT)).toEqual({ kind: 'halted', status: 'pass', code: 0 });
    expect(printed(events)).toBe('AAA');
    expect(machine.readPhysical(STARTS, 8)[0]).toBe(3);
    const resets = resetsIn(events);
    expect(resets).toMatchObject([
      { hart: 0, arg: 7 },
      { hart: 0, arg: 7 },
    ]);
    for (const { moment, ticks } of resets) {
      const after = events.filter((event) => event.kind === 'transition' && event.ticks === ticks + 1);
      expect(after).toMatchObject([
        { kind: 'transition', moment, ticks: ticks + 1, hart: 0, from: 'VS', to: 'M', pc: 0x1000n, vmid: 0 },
      ]);
    }
  });

  it('ends the run of a machine that does not reboot', () => {
    const { reboots: _, ...config } = rebooting();
    for (const its of [config, { ...config, reboots: false }]) {
      const machine = createMachine(its);
      const events = watch(machine);
      expect(machine.run(LIMIT)).toEqual({ kind: 'halted', status: 'reset', code: 7 });
      expect([printed(events), resetsIn(events)]).toEqual(['A', []]);
    }
  });

  it('leaves of everything what power-on has, but for time, the drawing of turns, entropy, and other RAM', () => {
    const config = rebooting();
    const machine = createMachine(config);
    const start = machine.snapshot();
    const events = watch(machine);
    machine.run(LIMIT);
    const { ticks } = resetsIn(events)[0]!;
    machine.restore(start);
    machine.run({ ticks });
    const disturbed = compare(machine.snapshot());
    for (const where of ['plic.enable[0]', 'uart.ier', 'rtc.enabled', 'hart0.medeleg', 'hart0.pmpcfg[0]', 'hart0.f1']) {
      expect(disturbed).toContain(where);
    }
    machine.run({ ticks: ticks + 1 });
    const after = machine.snapshot();
    const fields = compare(after).filter((where) => where !== 'ram');
    const random = fields.filter((where) => where.includes('.random['));
    expect(random).toHaveLength(12);
    expect(fields.filter((where) => !random.includes(where))).toEqual([
      ...['machine.ticks', 'machine.moment', 'machine.scheduleRng', 'machine.mtimeOffset'],
      ...['hart0.cycleOffset', 'hart1.cycleOffset'],
    ]);
    expect([machine.csr(0, 'mcycle'), machine.csr(1, 'time'), machine.csr(0, 'minstret')]).toEqual([0n, 0n, 0n]);
    // Of RAM: where it counts, and the seed that the device tree has for the kernel.
    const tree = createMachine({ ...config, seed: 5n }).snapshot();
    const drawn = new Set(compareStates(start, tree, config).flatMap(({ paddr }) => paddr ?? []));
    const changed = compareStates(start, after, config).flatMap(({ paddr }) => paddr ?? []);
    expect(changed.filter((paddr) => !drawn.has(paddr))).toEqual([STARTS]);
    expect(changed.length).toBeGreaterThan(4);

    function compare(its: Snapshot) {
      return compareStates(start, its, config).map(({ where }) => where);
    }
  });

  it('meets the same machine and entropy however the run is cut, and from any snapshot', () => {
    const config = rebooting();
    const straight = createMachine(config);
    straight.run(LIMIT);
    const end = straight.snapshot();
    const reused = createMachine(config);
    fc.assert(
      fc.property(fc.integer({ min: 0, max: end.ticks }), fc.integer({ min: 1, max: 200 }), (ticks, step) => {
        const machine = createMachine(config);
        machine.run({ ticks });
        const middle = machine.snapshot();
        reused.restore(middle);
        expect(reused.digest()).toBe(middle.digest);
        while (reused.run({ ticks: reused.ticks + step }).kind !== 'halted');
        expect(compareStates(end, reused.snapshot(), config)).toEqual([]);
        machine.run(LIMIT);
        expect(machine.digest()).toBe(end.digest);
      }),
      { numRuns: 30 },
    );
  });

  it('has positions of its own: before it the request stands, a tick later it is done, and between them nothing runs', () => {
    const machine = createMachine(rebooting({ harts: 1 }));
    const events = watch(machine);
    machine.run(LIMIT);
    const [first] = resetsIn(events);
    const again = createMachine(rebooting({ harts: 1 }));
    again.run({ moment: first!.moment });
    expect([again.ticks, again.hart(0).mode]).toEqual([first!.ticks, 'VS']);
    expect(again.next()).toEqual({ hart: 0, pc: 0x1000n });
    // What arrives at the request is lost with it, as in the FIFO of a UART that is reset.
    again.apply({ kind: 'console', bytes: Uint8Array.of(65) });
    expect(again.run({ ticks: first!.ticks + 1 })).toEqual({ kind: 'ticks' });
    expect([again.moment, again.hart(0).mode, again.hart(0).pc]).toEqual([first!.moment, 'M', 0x1000n]);
    again.run(LIMIT);
    expect(again.digest()).toBe(machine.digest());
  });

  it('keeps what was written to disks, and drops what devices were about to do', () => {
    const untilThird = `
      li t2, ${STARTS}
      ld t3, 0(t2)
      addi t3, t3, 1
      sd t3, 0(t2)
      li t4, 3
      beq t3, t4, enough
      li t1, 0x7777
    enough:
      sw t1, 0(t0)`;
    const source = DRIVERS.replace(/li t1, 0x5555\s+sw t1, 0\(t0\)/, `li t1, 0x5555${untilThird}`);
    const bytes = Uint8Array.from({ length: 8192 }, (_, n) => (n * 7) & 0xff);
    const disk = { kind: 'block', slot: 7, image: { name: 'd', bytes }, readOnly: false, serial: '' } as const;
    const config = smallConfig(source, { virtio: [disk, VIRTIO[1]!], reboots: true });
    const machine = createMachine(config);
    const events = watch(machine);
    while (resetsIn(events).length === 0) machine.run({ moment: machine.moment + 100 });
    const written = Uint8Array.from(bytes.slice(512, 1024), (byte) => byte ^ 32);
    const onDisk = () =>
      machine
        .snapshot()
        .pages.get(8 * 2 ** 28)!
        .bytes.slice(1024, 1536);
    expect(onDisk()).toEqual(written);
    expect(machine.run(LIMIT)).toEqual({ kind: 'halted', status: 'pass', code: 0 });
    expect(onDisk()).toEqual(written);
    expect(resetsIn(events)).toHaveLength(2);
    const boot = printed(events).slice(0, 14);
    expect(printed(events)).toBe(boot.repeat(3));
  });

  it('lays images again where software changed them, to the byte, and nothing else', () => {
    const code = assemble(
      `
      li s0, 0x80040000
      li s1, 0x80090000
      li t2, 0x33
      mv t0, s0
    fill:
      lbu t1, 0(t0)
      add s2, s2, t1
      sb t2, 0(t0)
      addi t0, t0, 1
      bne t0, s1, fill
      li s3, ${STARTS}
      ld t0, 0(s3)
      sd s2, 8(s3)
      addi t0, t0, 1
      sd t0, 0(s3)
      li t1, 0x100000
      li t2, 0x5555
      li t3, 2
      beq t0, t3, end
      li t2, 0x7777
    end:
      sw t2, 0(t1)
      j .
      `,
      0x80000000,
    ).bytes;
    const pattern = (length: number, by: number) => Uint8Array.from({ length }, (_, n) => 1 + ((n * by) % 250));
    // Edges within pages, zeros behind, whole pages of zeros, and one that shares its pages with another.
    const segments = [
      { paddr: 0x80000000, bytes: code },
      { paddr: 0x80040010, bytes: pattern(3000, 3), memBytes: 20_001 },
      { paddr: 0x80050000, bytes: pattern(16_384, 7) },
      { paddr: 0x80060123, bytes: pattern(10_000, 11) },
      { paddr: 0x80062900, bytes: pattern(5, 13), memBytes: 100 },
    ];
    const bios = { name: 'f', bytes: testElf({ segments }) };
    const config = smallConfig('nop', { bios, reboots: true });
    const machine = createMachine(config);
    const start = machine.readPhysical(0x80040000, 0x50000);
    const events = watch(machine);
    machine.run({ moment: 5_000_000 });
    const again = createMachine(config);
    again.run({ ticks: resetsIn(events)[0]!.ticks + 1 });
    const expected = new Uint8Array(start.length).fill(0x33);
    for (const { paddr, bytes, memBytes = bytes.length } of segments.slice(1)) {
      const at = paddr - 0x80040000;
      expected.set(start.subarray(at, at + memBytes), at);
    }
    expect(Buffer.compare(again.readPhysical(0x80040000, 0x50000), expected)).toBe(0);
    expect(again.run({})).toMatchObject({ status: 'pass' });
  });
});
