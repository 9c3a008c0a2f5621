/** Runs of small programs that a poke makes do something else than in their golden runs. */
import { describe, expect, it } from 'vitest';
import { assemble, type MachineConfig } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import type { PlannedInput } from '../base/types.ts';
import { DRIVERS, image, VIRTIO } from '../devices.fixtures.ts';
import { DATA, HYPERVISOR, machineOf, traceStore } from '../replay.fixtures.ts';
import { breakpointObserver, finish, searchForward } from '../search/index.ts';
import { openTimeline } from '../timeline/index.ts';
import { findSymptoms, type Symptom, symptomText } from './index.ts';

const store = traceStore();
const CODE = 0x8000_0000;

const print = (text: string): string =>
  [...text].map((letter) => `li t0, ${letter.charCodeAt(0)}\nsb t0, 0(s1)`).join('\n');
const note = (code: number, arg: number): string => `li t0, ${arg * 0x10000 + code}\nsw t0, 0(s2)`;
const when = (value: number, label: string): string => `li t0, ${value}\nbeq a0, t0, ${label}`;

/** Says two lines for a VM and one for itself; what a word in memory says changes how it goes on behind the first. */
const TALK = `
    csrr t0, mhartid
    bnez t0, sleep
    li s0, ${DATA}
    li s1, 0x10000000
    li s2, 0x100000
    ${print('boot: up\nvm1: first\n')}
    li t1, 500
  work:
    addi t1, t1, -1
    bnez t1, work
    ld a0, 0(s0)
    ${[when(1, 'other'), when(2, 'hang'), when(3, 'fail'), when(4, 'loop'), when(5, 'detect')].join('\n')}
    ${[when(6, 'half'), when(7, 'late'), when(8, 'twice'), when(9, 'rest')].join('\n')}
  goes:
    ${print('vm1: second\n')}
  done:
    ${note(0x1004, 1)}
    ${print('boot: bye\n')}
    li t0, 0x5555
    sw t0, 0(s2)
    j .
  other:
    ${print('vm1: seCond\n')}
    j done
  hang:
    addi t1, t1, 1
    j hang
  fail:
    li t0, 0x33333
    sw t0, 0(s2)
    j .
  loop:
    csrw mtvec, zero
    ecall
  detect:
    ${note(0x1010, 7)}
    ${print('boot: mended\n')}
    ${note(0x1030, 1)}
    j goes
  half:
    ${print('vm1: sec')}
    j hang
  late:
    li t1, 900
  later:
    addi t1, t1, -1
    bnez t1, later
    j goes
  twice:
    ${print('vm1: second\n')}
    j goes
  rest:
    csrw mie, zero
    wfi
    j rest
  sleep:
    csrw mie, zero
    wfi
    j sleep
`;

const poke = (paddr: number, bytes: readonly number[], moment = 100): PlannedInput => ({
  trigger: { kind: 'moment', moment },
  event: { kind: 'poke', paddr, bytes: Uint8Array.from(bytes) },
});

const symptomsOf = (a: Trace, g: Trace): Symptom[] => finish(findSymptoms(openTimeline(a), openTimeline(g)));

describe('a program that talks', async () => {
  const config = machineOf(TALK);
  const limits = { maxMoment: 10_000, checkpointEvery: 1000 };
  const golden = await store.take({ ...limits, config });
  const taken = (mode: number, change: Partial<typeof limits> = {}) =>
    store.take({ ...limits, ...change, config, planned: [poke(DATA, [mode])] });
  /** The store that printed the n-th byte of a text. */
  const printed = (trace: Trace, text: string, n = 0) => {
    const said = String.fromCharCode(...trace.console.map(({ byte }) => byte));
    const { moment, ticks } = trace.console.at(said.indexOf(text) + n)!;
    return { moment: moment - 1, ticks: ticks - 1, hart: 0, mode: 'M' };
  };

  it('shows nothing when the runs are equal, or differ in time only', async () => {
    expect(golden.end?.reason).toBe('halted pass 0');
    expect(symptomsOf(golden, golden)).toEqual([]);
    const late = await taken(7);
    expect(late.last.moment).toBeGreaterThan(golden.last.moment);
    expect(symptomsOf(late, golden)).toEqual([]);
  });

  it('prints another byte', async () => {
    const a = await taken(1);
    const found = symptomsOf(a, golden);
    expect(found).toMatchObject([
      {
        kind: 'output',
        speaker: 1,
        line: 2,
        text: 'vm1: seCond',
        byte: 7,
        isOrder: false,
        at: printed(a, 'seCond', 2),
        golden: { line: 2, text: 'vm1: second', at: printed(golden, 'second', 2) },
      },
    ]);
    // Going there shows the very store.
    const run = openTimeline(a);
    const { at } = found[0] as Extract<Symptom, { kind: 'output' }>;
    run.toTicks(at.ticks, 'applied');
    expect(run.machine.next()).toEqual({ hart: at.hart, pc: at.pc });
    expect(String.fromCharCode(Number(run.machine.hart(0).x[5]))).toBe('C');
    expect(symptomText(found[0]!)).toBe(
      `VM 1 prints "vm1: seCond" in place of "vm1: second" of the golden run (moment ${printed(golden, 'second', 2).moment} on hart 0): ` +
        `byte 7 of line 2 differs, at moment ${at.moment} on hart 0`,
    );
  });

  it('has ended where its recording was to end', async () => {
    const cut = await store.take({ ...limits, config, maxMoment: 1_000_000, maxTicks: golden.last.ticks });
    expect([cut.end?.reason, cut.last]).toEqual(['time', golden.last]);
    expect([symptomsOf(cut, golden), symptomsOf(golden, cut)]).toEqual([[], []]);
    const a = await taken(3);
    const failed = await store.take({ ...limits, config, planned: [poke(DATA, [3])], maxTicks: a.last.ticks });
    expect(failed.end?.reason).toBe('time');
    expect(symptomsOf(failed, cut)).toEqual(symptomsOf(a, golden));
  });

  it('hangs', async () => {
    const a = await taken(2);
    const found = symptomsOf(a, golden);
    expect(found).toMatchObject([
      {
        kind: 'missing',
        what: 'line',
        speaker: 1,
        text: 'vm1: second',
        byte: 0,
        golden: printed(golden, 'vm1: second'),
      },
      { kind: 'missing', what: 'finished', speaker: 1, golden: { hart: 0 } },
      { kind: 'missing', what: 'line', speaker: undefined, text: 'boot: bye', golden: printed(golden, 'boot: bye') },
      { kind: 'ended', how: 'goes-on', at: a.last, golden: { end: 'halted pass 0', at: golden.last } },
    ]);
    expect(found.map(symptomText)).toEqual([
      `VM 1 never prints "vm1: second"; the golden run does at moment ${printed(golden, 'vm1: second').moment} on hart 0`,
      expect.stringMatching(/^VM 1 never finishes; the golden run does at moment \d+ on hart 0$/),
      expect.stringMatching(/^the hypervisor or firmware never prints "boot: bye"; /),
      `the run ends otherwise: it has not ended at moment 10000; the golden run: halted pass 0 at moment ${golden.last.moment}`,
    ]);
  });

  it('hangs in the middle of a line', async () => {
    const found = symptomsOf(await taken(6), golden);
    expect(found[0]).toMatchObject({ kind: 'missing', byte: 8, golden: printed(golden, 'vm1: second', 8) });
    expect(found.map(({ kind }) => kind)).toEqual(['missing', 'missing', 'missing', 'ended']);
  });

  it('is not said to miss what its recording has no time for', async () => {
    const a = await taken(2, { maxMoment: 1000 });
    expect(a.last.ticks).toBeLessThan(printed(golden, 'vm1: second').ticks);
    expect(symptomsOf(a, golden)).toEqual([]);
  });

  it('ends early', async () => {
    const a = await taken(3);
    const found = symptomsOf(a, golden);
    expect(found.map(({ kind }) => kind)).toEqual(['ended', 'missing', 'missing', 'missing']);
    expect(found[0]).toMatchObject({ how: 'end', end: 'halted fail 3', golden: { end: 'halted pass 0' }, loops: [] });
  });

  it('idles for ever', async () => {
    const [ended] = symptomsOf(await taken(9), golden).filter(({ kind }) => kind === 'ended');
    expect(ended).toMatchObject({ how: 'end', end: 'idle' });
  });

  it('gets into a trap loop', async () => {
    const a = await taken(4, { maxMoment: 1_000_000 });
    const [ended] = symptomsOf(a, golden).filter(({ kind }) => kind === 'ended');
    const { symbols } = assemble(TALK, CODE);
    // What it traps from at first is the ecall; from then on it traps at the vector.
    const run = openTimeline(a);
    const breakpoint = breakpointObserver([Number(symbols.get('loop'))]);
    const { moment, ticks } = finish(searchForward(run, breakpoint))!;
    const since = { moment: moment + 1, ticks: ticks + 2, hart: 0, pc: 0n, mode: 'M', vmid: 0 };
    const loop = { hart: 0, from: 'M', pc: 0n, cause: 1 };
    expect(ended).toMatchObject({ how: 'trap-loop', at: since, loops: [{ ...loop, since }] });
    expect(symptomText(ended!)).toBe(
      `the run ends otherwise: hart 0 does nothing but trap in M-mode at 0x0 (instruction access fault) from moment ${since.moment} ` +
        `on hart 0 on; halted fail: nothing but traps; the golden run: halted pass 0 at moment ${golden.last.moment}`,
    );
  });

  it('detects something and recovers', async () => {
    const a = await taken(5);
    const [detected, output, ...further] = symptomsOf(a, golden);
    const { moment, ticks } = a.notes.at(0)!;
    expect(detected).toMatchObject({
      kind: 'detected',
      at: { moment: moment - 1, ticks: ticks - 1, hart: 0, mode: 'M' },
      code: 0x1010,
      arg: 7,
      message: 'detected: unexpected trap 0x7',
    });
    expect(output).toMatchObject({ kind: 'output', speaker: undefined, line: 2, text: 'boot: mended' });
    expect(output).not.toHaveProperty('golden');
    expect(further).toEqual([]);
    expect([detected!, output!].map(symptomText)).toEqual([
      `detected: unexpected trap 0x7 at moment ${moment - 1} on hart 0`,
      `the hypervisor or firmware prints "boot: mended" as line 2, which the golden run does not, at moment ${printed(a, 'boot: mended').moment} on hart 0`,
    ]);
    // Both runs detect it: that is no symptom.
    expect(symptomsOf(a, await taken(5, { checkpointEvery: 500 }))).toEqual([]);
  });

  it('says a line twice', async () => {
    expect(symptomsOf(await taken(8), golden)).toMatchObject([{ kind: 'output', line: 3, text: 'vm1: second' }]);
  });

  it('leaves both timelines where they stood', async () => {
    const [a, g] = [openTimeline(await taken(1)), openTimeline(golden)];
    a.seek(300);
    g.seek(700);
    const places = [a.place, g.place, a.machine.digest(), g.machine.digest()];
    finish(findSymptoms(a, g));
    expect([a.place, g.place, a.machine.digest(), g.machine.digest()]).toEqual(places);
    expect(a.machine.onEvent).toBeUndefined();
    // Ended early, too.
    const search = findSymptoms(a, g);
    search.next();
    search.return([]);
    expect(a.place).toEqual(places[0]);
  });

  it('cannot be compared with another machine or program, or beyond the end of the golden run', async () => {
    const a = await taken(1);
    const refused = async (change: Partial<MachineConfig>, text: RegExp) => {
      const g = await store.take({ ...limits, config: { ...config, ...change } });
      expect(() => symptomsOf(a, g)).toThrow(text);
    };
    await refused({ harts: 1 }, /is no golden run of .*: harts is 1 there and 2 here; record the same machine, images/);
    await refused(
      machineOf(TALK.replace('500', '501')),
      /: image bios is test\.elf \(sha256 \w+\) there and test\.elf/,
    );
    const type = (text: string): PlannedInput => ({
      trigger: { kind: 'moment', moment: 40 },
      event: { kind: 'console', bytes: new TextEncoder().encode(text) },
    });
    const typed = await store.take({ ...limits, config, planned: [type('one'), poke(DATA, [1])] });
    const other = await store.take({ ...limits, config, planned: [type('o'), type('re')] });
    expect(() => symptomsOf(typed, other)).toThrow(/: byte 1 of what was typed is 0x72 and not 0x6e; record the same/);
    const fewer = await store.take({ ...limits, config, planned: [type('on')] });
    expect(symptomsOf(typed, fewer)).toMatchObject([{ kind: 'output', byte: 7 }]);
    const short = await store.take({ ...limits, config, maxMoment: 500 });
    expect(() => symptomsOf(a, short)).toThrow(
      /^no symptom up to moment 500, where the golden run .* ends: what .* does behind it, up to tick \d+, cannot be judged/,
    );
    // What is known suffices for a verdict.
    const cut = await store.take({ ...limits, config, maxMoment: golden.last.moment - 3 });
    expect(symptomsOf(a, cut)).toMatchObject([{ kind: 'output', byte: 7 }]);
  });
});

describe('a VM', async () => {
  const config = machineOf(HYPERVISOR);
  const { symbols } = assemble(HYPERVISOR, CODE);
  const at = (name: string) => Number(symbols.get(name));
  const JUMP_HERE = [0x6f, 0, 0, 0];
  const limits = { config, maxMoment: 6000 };
  const golden = await store.take(limits);
  const taken = (place: string) => store.take({ ...limits, planned: [poke(at(place), JUMP_HERE, 3_000)] });
  /** Entries and exits, as one sees them who looks at each position: where the pc gets into the guest and out. */
  const isGuest = (pc: bigint) => pc >= at('guest') && pc < at('waiter');
  const crossings = (trace: Trace) => {
    const found: { moment: number; ticks: number; kind: string }[] = [];
    const { machine, ...run } = openTimeline(trace);
    let before = false;
    for (let ticks = 0; ticks < trace.last.ticks; ticks++) {
      run.player.toTicks(ticks, 'applied');
      const now = isGuest(machine.hart(0).pc) && machine.hart(0).mode !== 'HS';
      if (now !== before) found.push({ moment: machine.moment, ticks: ticks - 1, kind: now ? 'entry' : 'exit' });
      before = now;
    }
    return found;
  };

  it('is not entered again', async () => {
    const a = await taken('handler');
    const [own, others] = [crossings(a), crossings(golden)];
    const last = own.findLast(({ kind }) => kind === 'exit')!;
    const entries = own.filter(({ kind }) => kind === 'entry').length;
    const next = others.filter(({ kind }) => kind === 'entry')[entries]!;
    const found = symptomsOf(a, golden);
    expect(found).toMatchObject([
      {
        kind: 'stuck',
        vmid: 0,
        vcpu: 0n,
        where: 'outside',
        at: { moment: last.moment, ticks: last.ticks, hart: 0, mode: 'VS' },
        cause: { number: 10, interrupt: false },
        entries: { a: entries, g: entries },
        golden: { moment: next.moment - 1, ticks: next.ticks, hart: 0 },
      },
    ]);
    expect(symptomText(found[0]!)).toBe(
      `VM 0 (vCPU 0x0) is not entered again after moment ${last.moment} on hart 0 (environment call from VS-mode), ` +
        `after ${entries} entries; the golden run enters it at moment ${next.moment - 1} on hart 0, after ${entries}`,
    );
  });

  it('is not left again', async () => {
    const a = await store.take({ ...limits, maxMoment: 12_000, planned: [poke(at('count'), JUMP_HERE, 2_500)] });
    const last = crossings(a).at(-1)!;
    const next = crossings(golden).find(({ kind, ticks }) => kind === 'exit' && ticks > last.ticks)!;
    const found = symptomsOf(a, golden);
    expect(found).toMatchObject([
      {
        kind: 'stuck',
        where: 'inside',
        at: { moment: last.moment - 1, ticks: last.ticks, hart: 0 },
        golden: { moment: next.moment, ticks: next.ticks, hart: 0, pc: BigInt(at('count')) + 8n, mode: 'VS' },
      },
    ]);
    expect(found[0]).not.toHaveProperty('cause');
    expect(symptomText(found[0]!)).toMatch(/ is not left again after moment \d+ on hart 0, after \d+ entries; the /);
  });

  it('is not entered at all', async () => {
    const a = await store.take({ ...limits, planned: [poke(at('hypervisor'), JUMP_HERE, 3)] });
    expect(symptomsOf(a, golden)).toMatchObject([{ kind: 'stuck', where: 'outside', entries: { a: 0, g: 0 } }]);
  });
});

describe('a VM that is given up', async () => {
  // What M-mode takes ends the VM.
  const end = `.balign 4\ngive_up:\n${note(0x1004, 0).replaceAll('s2', 't1').replace('\n', '\nli t1, 0x100000\n')}\nj .\n`;
  const program = `la t0, give_up\ncsrw mtvec, t0\n${HYPERVISOR}\n${end}`;
  const limits = { config: machineOf(program), maxMoment: 6000 };
  const count = Number(assemble(program, CODE).symbols.get('count'));
  const golden = await store.take(limits);

  it('is not entered again, although it is said to have finished', async () => {
    expect(golden.notes).toHaveLength(0);
    // An instruction that there is not.
    const a = await store.take({ ...limits, planned: [poke(count, [0, 0, 0, 0], 3_000)] });
    expect([...a.notes]).toMatchObject([{ code: 0x1004, arg: 0 }]);
    const found = symptomsOf(a, golden);
    expect(found).toMatchObject([{ kind: 'stuck', where: 'outside', isGivenUp: true, cause: { number: 2 } }]);
    expect(symptomText(found[0]!)).toMatch(
      / \(illegal instruction\), after \d+ entries, and said to have finished; the /,
    );
  });
});

describe('a disk', async () => {
  const config = machineOf(DRIVERS, { harts: 1, virtio: VIRTIO, seed: 3n });
  const { symbols } = assemble(DRIVERS, CODE);
  const end = { trigger: { kind: 'moment', moment: 400_000 }, event: { kind: 'net', slot: 6 } } as const;
  const quit = { ...end, event: { ...end.event, bytes: new Uint8Array(60).fill('q'.charCodeAt(0)) } };
  const limits = { config, maxMoment: 2_000_000, digestEvery: 100_000, checkpointEvery: 1_000_000 };
  const golden = await store.take({ ...limits, planned: [quit] });

  it('ends with another byte', async () => {
    const a = await store.take({ ...limits, planned: [poke(Number(symbols.get('header')) + 100, [0x55]), quit] });
    const found = symptomsOf(a, golden);
    const offset = 3 * 512 + 100;
    const ends = { at: a.last, golden: golden.last };
    expect(found).toEqual([{ kind: 'disk', ...ends, slot: 7, pages: 1, offset, a: 0x55, g: 0 }]);
    expect(image.bytes.length).toBeGreaterThan(offset);
    expect(symptomText(found[0]!)).toBe(
      "the disk of virtio7 ends with 0x55 at byte 0x664, the golden run's with 0x0; one page differs",
    );
  });
});
