/**
 * The guest software on our machine: runs without fault agree on any number of harts, every fix-up is worth its place,
 * and a failstop is survived wherever in the hypervisor it hits.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type NoteName, noteName } from '../../machine/bus/notes.ts';
import { createMachine } from '../../machine/machine.ts';
import type { Machine } from '../../machine/types.ts';
import { FIXUPS } from '../fixups.ts';

const image = (name: string) => ({ name, bytes: readFileSync(new URL(`../images/${name}.elf`, import.meta.url)) });
const images = { bios: image('firmware'), kernel: image('lazarus'), initrd: image('guest-compute') };

interface Run {
  readonly machine: Machine;
  /** Since boot, or since `forget`. */
  notes: { readonly name: NoteName | undefined; readonly arg: number }[];
  console: string;
}

function boot(harts: number, append: string): Run {
  const quantum = { policy: 'fixed', ticks: 1000, seed: 0n } as const;
  const machine = createMachine({ harts, ramBytes: 64 << 20, quantum, append, ...images });
  const run: Run = { machine, notes: [], console: '' };
  machine.onEvent = (event) => {
    if (event.kind === 'console') run.console += String.fromCharCode(event.byte);
    if (event.kind === 'note') run.notes.push({ name: noteName(event.code), arg: event.arg });
  };
  return run;
}

/** Runs to the end, but no further than 30 M instructions; returns how it ended. */
function finish(run: Run): string {
  const stop = run.machine.run({ moment: 30_000_000 });
  return stop.kind === 'halted' ? stop.status : stop.kind;
}

const args = (run: Run, name: NoteName) => run.notes.filter((note) => note.name === name).map((note) => note.arg);
/** What each VM printed, whatever came between. */
const outputs = (console: string) =>
  ['vm1: ', 'vm2: '].map((vm) => console.split('\n').filter((line) => line.startsWith(vm)));

const MECHANISMS = ['rehype', 'nilihype'] as const;
/** Fix-ups that announce themselves, in the order in which they run. */
const ORDER = [
  'statics',
  'locks',
  'nesting',
  'undo',
  'frames',
  'irq',
  'recurring',
  'timer',
  'multicall',
  'retry',
  'sched',
];
const STEPS = 'steps=6';
const golden = boot(2, STEPS);
const goldenEnd = finish(golden);
const expected = outputs(golden.console);

describe('without a fault', () => {
  it('both VMs finish and check themselves', () => {
    expect(goldenEnd).toBe('pass');
    expect(expected.map((lines) => lines.length)).toEqual([7, 7]);
    expect(expected.flat().filter((line) => /sum 0x[0-9a-f]+ ok$/.test(line))).toHaveLength(2);
    expect(args(golden, 'VM_DONE').sort()).toEqual([1, 2]);
    expect(args(golden, 'HYPERVISOR_UP')).toEqual([0]);
  });

  it.each([1, 4, 8])('%i harts print the same', (harts) => {
    const run = boot(harts, STEPS);
    expect(finish(run)).toBe('pass');
    expect(outputs(run.console)).toEqual(expected);
    expect(args(run, 'FIRMWARE_UP')).toEqual([harts]);
  });

  it('nothing is detected in a long run', () => {
    const run = boot(2, 'steps=30');
    expect(finish(run)).toBe('pass');
    expect([...args(run, 'DETECTED_TRAP'), ...args(run, 'DETECTED_HANG')]).toEqual([]);
  });
});

describe('a planted fault is survived', () => {
  const plants = ['panic@60', 'hang@60', 'timer@9', 'sched@9'];
  const cases = plants.flatMap((plant) =>
    [1, 2, 4].flatMap((harts) => MECHANISMS.map((mechanism) => [plant, harts, mechanism] as const)),
  );
  it.each(cases)('%s on %i harts by %s', (plant, harts, mechanism) => {
    const run = boot(harts, `${STEPS} plant=${plant} recovery=${mechanism}`);
    expect(finish(run)).toBe('pass');
    expect(outputs(run.console)).toEqual(expected);
    expect(run.notes.map((note) => note.name).filter((name) => name !== 'VM_PROGRESS')).toEqual([
      'FIRMWARE_UP',
      'HYPERVISOR_UP',
      plant.startsWith('hang') ? 'DETECTED_HANG' : 'DETECTED_TRAP',
      'FROZEN',
      mechanism === 'rehype' ? 'REBOOTED' : 'RESET',
      'REINTEGRATED',
      ...ORDER.flatMap((name) => (name === 'frames' ? ['FRAMES_FREED', 'FIXUP'] : ['FIXUP'])),
      'RESUMED',
      'VM_DONE',
      'VM_DONE',
    ]);
    expect(args(run, 'FROZEN')).toEqual([harts]);
    expect(args(run, 'FIXUP').map((bit) => FIXUPS[bit])).toEqual(ORDER);
    expect(args(run, 'REINTEGRATED')).toEqual([2]);
  });

  it('irq@1, and the typed byte still arrives', () => {
    const run = boot(1, `${STEPS} plant=irq@1`);
    run.machine.run({ moment: 1_000_000 });
    run.machine.apply({ kind: 'console', bytes: Uint8Array.of(65) });
    expect(finish(run)).toBe('pass');
    expect(args(run, 'RESUMED')).toHaveLength(1);
    expect(run.console).toContain('vm1: key 65\n');
  });
});

describe('the same fault is not survived', () => {
  it.each([
    ['without recovery', 'plant=panic@60 recovery=none', 'fail', [1]],
    ['without locks', 'plant=panic@60 enhance=-locks', 'fail', [3]],
    ['without nesting', 'plant=timer@9 recovery=nilihype enhance=-nesting', 'fail', [3]],
    ['without timer', 'plant=timer@2 enhance=-timer recoveries=1', 'fail', [3]],
    ['without sched', 'plant=sched@9 enhance=-sched', 'moment', []],
    ['without retry', 'plant=panic@60 enhance=-retry', 'fail', []],
    ['without any fix-up', 'plant=panic@60 enhance=none', 'fail', [4]],
  ])('%s', (_, append, end, failed) => {
    const run = boot(2, `${STEPS} ${append}`);
    expect(finish(run)).toBe(end);
    expect(args(run, 'RECOVERY_FAILED')).toEqual(failed);
    expect(outputs(run.console)).not.toEqual(expected);
  });
});

describe('failstop', () => {
  const cases = [1, 2, 4].flatMap((harts) => MECHANISMS.map((mechanism) => [harts, mechanism] as const));
  it.each(cases)('every 107th hypervisor instruction, 100 of them, on %i harts by %s', (harts, mechanism) => {
    const run = boot(harts, `${STEPS} recovery=${mechanism}`);
    const { machine } = run;
    while (!args(run, 'HYPERVISOR_UP').length) machine.run({ moment: machine.moment + 1000 });
    const failures: string[] = [];
    let tried = 0;
    for (let executed = 0; tried < 100; machine.step()) {
      const { hart, pc } = machine.next();
      if (machine.hart(hart).mode !== 'HS' || ++executed % 107 !== 0) continue;
      tried++;
      const before = { snapshot: machine.snapshot(), notes: run.notes, console: run.console };
      run.notes = [];
      machine.apply({ kind: 'fault', fault: { model: 'failstop', hart } });
      const end = finish(run);
      const same = JSON.stringify(outputs(run.console)) === JSON.stringify(expected);
      if (end !== 'pass' || !same || args(run, 'RESUMED').length !== 1) {
        failures.push(
          `moment ${before.snapshot.moment} hart ${hart} pc ${pc.toString(16)}: ${end}, output same: ${same}`,
        );
      }
      machine.restore(before.snapshot);
      run.notes = before.notes;
      run.console = before.console;
    }
    expect(failures).toEqual([]);
  });
});

it('wrong boot arguments are refused with a message', () => {
  for (const [append, message] of [
    ['recovery=maybe', 'firmware: recovery= takes none, rehype or nilihype'],
    ['enhance=locks,tiemr', 'firmware: enhance= takes'],
    ['checks=code,copys', 'firmware: checks= takes all, none, or a list of code copies memcpy walks'],
    ['plant=explode@1', 'lazarus: plant= takes'],
  ] as const) {
    const run = boot(1, append);
    expect(finish(run)).toBe('fail');
    expect(run.console).toContain(message);
  }
});

it('checks= takes self-checks away: a run without them ends as well, with fewer instructions', () => {
  const instructions = (append: string) => {
    const run = boot(1, `${STEPS} ${append}`);
    expect(finish(run)).toBe('pass');
    return { hypervisorInstructions: run.machine.retired('hypervisor'), output: outputs(run.console) };
  };
  const all = instructions('checks=all');
  const none = instructions('checks=none');
  expect(instructions('checks=-copies').hypervisorInstructions).toBeLessThan(all.hypervisorInstructions);
  expect(none.hypervisorInstructions).toBeLessThan(0.97 * all.hypervisorInstructions);
  expect(none.output).toEqual(all.output);
});
