import { describe, expect, it } from 'vitest';
import type { Machine, MachineEvent, Mode } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';
import { Crossings, crossingOf, findCrossings, nextEntry } from './crossings.ts';

/** A run that does nothing but show transitions when it passes them. One tick per moment. */
function scripted(events: readonly MachineEvent[], last: number): Parameters<typeof nextEntry>[0] {
  let now = 0;
  const machine = { onEvent: undefined } as unknown as Machine;
  return {
    machine,
    first: { moment: 0, ticks: 0 },
    last: { moment: last, ticks: last },
    forwardToMoment: (moment) => {
      for (const event of events) if (event.moment > now && event.moment <= moment) machine.onEvent?.(event);
      now = moment;
    },
    toTicks: (ticks) => {
      now = ticks;
    },
  };
}

const transition = (
  moment: number,
  vmid: number,
  from: Mode,
  to: Mode,
  cause?: number,
  { hart = 0, context = BigInt(vmid) } = {},
): MachineEvent => ({
  kind: 'transition',
  moment,
  ticks: moment,
  hart,
  from,
  to,
  pc: BigInt(moment) * 16n,
  vmid,
  context,
  work: 0,
  registers: { at: () => 0n },
  ...(cause !== undefined && { trap: { cause, interrupt: false, tval: 0n, gpa: 0n } }),
});

const events = [
  transition(10, 1, 'HS', 'VS'),
  transition(20, 1, 'VS', 'HS', 10),
  transition(25, 1, 'HS', 'M', 9),
  transition(26, 1, 'M', 'HS'),
  transition(30, 2, 'HS', 'VS'),
  transition(35, 2, 'VS', 'VS', 8),
  transition(40, 2, 'VS', 'M', 7),
  transition(45, 2, 'M', 'VS'),
  transition(50, 2, 'VU', 'HS', 10),
  // Detected at 55, resumed at 70.
  transition(80, 2, 'HS', 'VU'),
  transition(90, 2, 'VU', 'HS', 10),
  transition(100, 1, 'HS', 'VS'),
  transition(110, 1, 'VS', 'HS', 10),
];
const resumed = { moment: 70, ticks: 70 };

describe('crossings', () => {
  it('are the last exit before and the first entry after the resumption, per VM', () => {
    const found = findCrossings(scripted(events, 2_000_000), [resumed])[0]!;
    expect([...found.keys()].sort()).toEqual([1, 2]);
    expect(found.get(1)).toMatchObject({ exit: { moment: 20, pc: 320n, trap: { cause: 10 } }, entry: { moment: 100 } });
    expect(found.get(2)).toMatchObject({ exit: { moment: 50 }, entry: { moment: 80, pc: 1280n } });
    expect(found.get(2)?.entry).not.toHaveProperty('trap');
  });

  it('are looked for no longer than until every VM has been entered after the last resumption', () => {
    const lookedTo = (resumptions: Position[]) => {
      const moments: number[] = [];
      findCrossings(scripted(events, 3_000_000), resumptions, (moment) => moments.push(moment));
      return moments.at(-1);
    };
    expect(lookedTo([resumed])).toBe(1_000_000);
    // VM 2 is not entered after this one.
    expect(lookedTo([resumed, { moment: 95, ticks: 95 }])).toBe(3_000_000);
  });

  it('show a VM that never comes back', () => {
    const found = findCrossings(
      scripted(
        events.filter(({ moment }) => moment !== 100),
        1000,
      ),
      [resumed],
    )[0]!;
    expect(found.get(1)?.entry).toBeUndefined();
    expect(found.get(1)?.exit?.moment).toBe(110);
  });

  it('have no entries without a resumption', () => {
    const found = findCrossings(scripted(events.slice(0, 9), 1000), [])[0]!;
    expect([...found.values()].map(({ exit, entry }) => [exit?.moment, entry])).toEqual([
      [20, undefined],
      [50, undefined],
    ]);
  });

  it('belong to the latest recovery before them, where there are several', () => {
    const [first, second] = findCrossings(scripted(events, 2_000_000), [resumed, { moment: 95, ticks: 95 }]);
    expect([...first!]).toMatchObject([[2, { exit: { moment: 50 }, entry: { moment: 80 } }]]);
    expect(second!.get(1)).toMatchObject({ exit: { moment: 20 }, entry: { moment: 100 } });
    expect(second!.get(2)).toMatchObject({ exit: { moment: 90 }, vcpus: [{ vcpu: 2n, exit: { moment: 90 } }] });
  });

  it('are the same when a run has been observed already', () => {
    const observed = events.flatMap((event) => crossingOf(event) ?? []);
    for (const after of [resumed, undefined]) {
      const found = findCrossings(scripted(events, 2_000_000), after ? [after] : [])[0]!;
      const crossings = new Crossings(after ? [after] : []);
      for (const crossing of observed) crossings.add(crossing);
      const around = crossings.found()[0]!;
      for (const vmid of [1, 2]) expect(around.get(vmid)).toEqual(found.get(vmid));
    }
  });

  it('are seen from the first tick on', () => {
    const [found] = findCrossings(scripted([transition(1, 1, 'VS', 'HS', 10)], 1000), []);
    expect(found!.get(1)?.exit?.moment).toBe(1);
  });

  it('find the entry that follows a position', () => {
    const run = scripted(events, 1000);
    expect(nextEntry(run, { vmid: 2, vcpu: undefined }, { moment: 40, ticks: 40 })?.moment).toBe(45);
    expect(nextEntry(run, { vmid: 1, vcpu: undefined }, { moment: 100, ticks: 100 })).toBeUndefined();
    // Whatever happens to other VMs before it.
    const late = scripted([...events, transition(1_500_000, 3, 'HS', 'VS')], 2_000_000);
    expect(nextEntry(late, { vmid: 3, vcpu: 3n }, { moment: 0, ticks: 0 })?.moment).toBe(1_500_000);
    expect(run.machine.onEvent).toBeUndefined();
  });
});

describe('crossings of a VM with several vCPUs', () => {
  const [A, B] = [0x8040_0000n, 0x8040_0200n];
  const enter = (at: number, context: bigint, hart = 0) => transition(at, 1, 'HS', 'VS', undefined, { hart, context });
  const leave = (at: number, context: bigint, hart = 0) => transition(at, 1, 'VS', 'HS', 8, { hart, context });
  const of = (script: readonly MachineEvent[], resumptions: readonly Position[] = [resumed]) =>
    findCrossings(scripted(script, 1000), resumptions).map((vms) =>
      Object.fromEntries(
        [...(vms.get(1)?.vcpus ?? [])].map(({ vcpu, exit, entry }) => [
          vcpu === A ? 'A' : 'B',
          [exit?.moment, entry?.moment],
        ]),
      ),
    );

  it('are each vCPU’s own, where two take turns on one hart', () => {
    const script = [enter(10, A), leave(20, A), enter(30, B), leave(40, B), enter(80, A), leave(90, A), enter(100, B)];
    expect(of(script)).toEqual([{ A: [20, 80], B: [40, 100] }]);
    // Of the VM as a whole that was the last exit of one and the first entry of the other.
    expect(findCrossings(scripted(script, 1000), [resumed])[0]!.get(1)).toMatchObject({
      exit: { moment: 40 },
      entry: { moment: 80 },
    });
  });

  it('and where they change harts', () => {
    const script = [
      enter(10, A, 0),
      enter(11, B, 1),
      leave(20, A, 0),
      leave(50, B, 1),
      enter(80, B, 0),
      enter(81, A, 1),
    ];
    expect(of(script)).toEqual([{ A: [20, 81], B: [50, 80] }]);
  });

  it('belong to the vCPU that was entered, when sscratch changed meanwhile', () => {
    const script = [enter(10, A), leave(20, A ^ 0x40n), enter(80, A)];
    expect(of(script)).toEqual([{ A: [20, 80] }]);
  });

  it('are looked for until each vCPU has been entered after the last recovery', () => {
    const far = [enter(10, A), leave(20, A), enter(30, B), leave(40, B), enter(80, A), enter(1_500_000, B, 1)];
    expect(findCrossings(scripted(far, 3_000_000), [resumed])[0]!.get(1)!.vcpus![1]).toMatchObject({
      entry: { moment: 1_500_000 },
    });
    const crossings = new Crossings([resumed]);
    const entered = far.map((event) => {
      crossings.add(crossingOf(event)!);
      return crossings.areAllEntered([1]);
    });
    expect(entered).toEqual([false, false, false, false, false, true]);
    expect(crossings.areAllEntered([1, 2])).toBe(false);
  });

  it('belong to the later recovery, where a vCPU was not entered after the first', () => {
    const script = [
      ...[enter(10, A), leave(20, A), enter(30, B), leave(40, B)],
      ...[enter(80, A), leave(90, A), enter(120, A), enter(130, B, 1)],
    ];
    expect(of(script, [resumed, { moment: 100, ticks: 100 }])).toEqual([
      { A: [20, 80] },
      { A: [90, 120], B: [40, 130] },
    ]);
  });

  it('are the VM’s alone, when sscratch has too many values to name vCPUs', () => {
    const script = Array.from({ length: 65 }, (_, n) => [enter(2 * n, BigInt(n)), leave(2 * n + 1, BigInt(n))]).flat();
    const found = findCrossings(scripted([...script, enter(500, 0n)], 1000), [{ moment: 400, ticks: 400 }])[0]!;
    expect(found.get(1)).toMatchObject({ vcpus: undefined, exit: { moment: 129 }, entry: { moment: 500 } });
  });

  it('find the next entry of one of them', () => {
    const run = scripted([enter(10, A), enter(20, B, 1), enter(30, A)], 1000);
    expect(nextEntry(run, { vmid: 1, vcpu: B }, { moment: 0, ticks: 0 })?.moment).toBe(20);
    expect(nextEntry(run, { vmid: 1, vcpu: A }, { moment: 10, ticks: 10 })?.moment).toBe(30);
  });
});
