import { describe, expect, it } from 'vitest';
import type { Machine, MachineEvent, Mode } from '../../engine/index.ts';
import type { Position } from '../base/index.ts';
import { crossingOf, crossingsAround, findCrossings, nextEntry } from './crossings.ts';

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

const transition = (moment: number, vmid: number, from: Mode, to: Mode, cause?: number): MachineEvent => ({
  kind: 'transition',
  moment,
  ticks: moment,
  hart: 0,
  from,
  to,
  pc: BigInt(moment) * 16n,
  vmid,
  context: 0n,
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
    expect(second!.get(2)).toEqual({ exit: expect.objectContaining({ moment: 90 }) });
  });

  it('are the same when a run has been observed already', () => {
    const observed = events.flatMap((event) => crossingOf(event) ?? []);
    for (const after of [resumed, undefined]) {
      const found = findCrossings(scripted(events, 2_000_000), after ? [after] : [])[0]!;
      const around = crossingsAround(observed, after);
      for (const vmid of [1, 2]) expect(around.get(vmid)).toEqual(found.get(vmid));
    }
  });

  it('are seen from the first tick on', () => {
    const [found] = findCrossings(scripted([transition(1, 1, 'VS', 'HS', 10)], 1000), []);
    expect(found!.get(1)?.exit?.moment).toBe(1);
  });

  it('find the entry that follows a position', () => {
    const run = scripted(events, 1000);
    expect(nextEntry(run, 2, { moment: 40, ticks: 40 })?.moment).toBe(45);
    expect(nextEntry(run, 1, { moment: 100, ticks: 100 })).toBeUndefined();
    // Whatever happens to other VMs before it.
    const late = scripted([...events, transition(1_500_000, 3, 'HS', 'VS')], 2_000_000);
    expect(nextEntry(late, 3, { moment: 0, ticks: 0 })?.moment).toBe(1_500_000);
    expect(run.machine.onEvent).toBeUndefined();
  });
});
