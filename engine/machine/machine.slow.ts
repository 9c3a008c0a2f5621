import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { NOTES } from './bus/notes.ts';
import { createMachine } from './machine.ts';
import { compareStates } from './state/compare.ts';
import type { Image, Machine, MachineConfig, MachineEvent } from './types.ts';

const image = (name: string): Image => ({
  name,
  bytes: new Uint8Array(readFileSync(fileURLToPath(new URL(`../subject/images/${name}`, import.meta.url)))),
});
const config = (change: Partial<MachineConfig> = {}): MachineConfig => ({
  harts: 2,
  ramBytes: 128 * 1024 * 1024,
  quantum: { policy: 'fixed', ticks: 1000, seed: 0n },
  bios: image('firmware.elf'),
  kernel: image('lazarus.elf'),
  initrd: image('guest-compute.elf'),
  append: 'steps=2',
  ...change,
});
/** Twice what the run takes today. */
const BOUND = 6_000_000;

function finish(machine: Machine) {
  const events: MachineEvent[] = [];
  machine.onEvent = (event) => events.push(event);
  const stop = machine.run({ moment: BOUND });
  const bytes = events.flatMap((event) => (event.kind === 'console' ? [event.byte] : []));
  return { stop, events, text: new TextDecoder().decode(Uint8Array.from(bytes)) };
}

describe('a hypervisor with two VMs', () => {
  it.each([1, 2, 4])('runs to its end on %i harts', (harts) => {
    const { stop, text, events } = finish(createMachine(config({ harts })));
    expect(stop).toEqual({ kind: 'halted', status: 'pass', code: 0 });
    expect(text).toMatch(/vm1: sum 0x[0-9a-f]+ ok/);
    expect(text).toMatch(/vm2: sum 0x[0-9a-f]+ ok/);
    const done = events.filter((event) => event.kind === 'note' && event.code === NOTES.VM_DONE.code);
    expect(done).toHaveLength(2);
    const modes = new Set(events.flatMap((event) => (event.kind === 'transition' ? [event.to] : [])));
    for (const mode of ['M', 'HS', 'VS'] as const) expect(modes).toContain(mode);
  });

  it.each<MachineConfig['quantum']>([
    { policy: 'fixed', ticks: 1000, seed: 0n },
    { policy: 'jittered', ticks: 700, seed: 42n },
  ])('gives the same states however it is cut, observed, and restored ($policy turns)', (quantum) => {
    const straight = createMachine(config({ quantum }));
    expect(straight.run({ moment: BOUND })).toMatchObject({ kind: 'halted', status: 'pass' });
    const end = straight.snapshot();

    const cut = createMachine(config({ quantum }));
    cut.onEvent = () => {};
    const other = createMachine(config({ quantum }));
    for (let moment = 12_345; moment < end.moment; moment += 123_457) {
      cut.run({ moment });
      cut.next();
      const middle = cut.snapshot();
      other.restore(middle);
      expect(other.digest()).toBe(middle.digest);
      expect(compareStates(other.snapshot(), middle, cut.config)).toEqual([]);
    }
    // Both go on: one that never restored anything, one that restored a snapshot of the other.
    for (const machine of [cut, other]) {
      machine.run({ moment: BOUND });
      const its = machine.snapshot();
      expect(compareStates(its, end, machine.config)).toEqual([]);
      expect(its.digest).toBe(end.digest);
    }
  });

  it('dies of a failstop without recovery, and of nothing else', () => {
    const machine = createMachine(config({ append: 'steps=2 recovery=none' }));
    machine.run({ moment: 700_000 });
    while (machine.hart(machine.next().hart).mode !== 'HS') machine.step();
    machine.apply({ kind: 'fault', fault: { model: 'failstop', hart: -1 } });
    const { stop, text } = finish(machine);
    expect(stop).not.toMatchObject({ status: 'pass' });
    expect(text).not.toMatch(/sum 0x/);
  });

  it('knows the next instruction where that is hardest: around interrupts into M, HS and VS, and sleeping harts', () => {
    const jittered = config({ quantum: { policy: 'jittered', ticks: 64, seed: 5n } });
    const scout = createMachine(jittered);
    const interrupts = finish(scout).events.flatMap((event) =>
      event.kind === 'transition' && event.trap?.interrupt ? [event] : [],
    );
    for (const mode of ['M', 'HS', 'VS']) expect(interrupts.some((event) => event.to === mode)).toBe(true);

    const machine = createMachine(jittered);
    const seen: MachineEvent[] = [];
    machine.onEvent = (event) => void (event.kind === 'transition' && seen.push(event));
    let redirected = 0;
    for (const { ticks } of interrupts) {
      // The interrupt costs the tick that its event ends: one before, it is due; two before, an instruction or a skip.
      for (const before of [2, 1]) {
        if (ticks - before < machine.ticks) continue;
        machine.run({ ticks: ticks - before });
        const { hart, pc } = machine.next();
        if (machine.hart(hart).pc !== pc) redirected++;
        const { instret } = machine.hart(hart);
        seen.length = 0;
        machine.step();
        // An instruction that traps does not retire, and who retires then is another question.
        if (seen.some((event) => event.kind === 'transition' && event.trap && !event.trap.interrupt)) continue;
        expect(machine.hart(hart).instret - instret).toBe(1n);
      }
    }
    expect(redirected).toBeGreaterThan(interrupts.length / 4);
  });
});
