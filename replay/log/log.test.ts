import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { insideVm } from '../../engine/index.ts';
import { openTrace, openTraceBytes, type Trace } from '../../traces/index.ts';
import { rewrite, traceStore } from '../replay.fixtures.ts';
import { createTracePlayer, openTimeline } from '../timeline/index.ts';
import { replayTrace } from '../verify/index.ts';
import { followLog, LOG_KINDS, type LogEnd, type LogEntry, type LogFilter, LogReader, LogSummarizer } from './index.ts';
import { LENGTH, SET_TIMER, SWITCH, TWO_VMS } from './log.fixtures.ts';

const store = traceStore();
const FAULT = 5_000;
const trace = await store.take({
  ...TWO_VMS,
  planned: [
    { trigger: { kind: 'moment', moment: 3_000 }, event: { kind: 'console', bytes: Uint8Array.of(65) } },
    {
      trigger: { kind: 'moment', moment: FAULT },
      event: { kind: 'fault', fault: { model: 'register', hart: 0, register: 28, bit: 3 } },
    },
  ],
});

function read(of: Trace, filter: LogFilter = {}, from = 0): { readonly entries: LogEntry[]; readonly end: LogEnd } {
  const timeline = openTimeline(of);
  timeline.seek(from, 'pending');
  const steps = new LogReader(timeline, filter).read();
  const entries: LogEntry[] = [];
  for (;;) {
    const { done, value } = steps.next();
    if (done) return { entries, end: value };
    entries.push(...value.entries);
  }
}
const ALL = { kinds: LOG_KINDS };
const whole = read(trace, ALL);

/** What a watcher finds who goes tick by tick: each is one instruction, one trap, or an act of devices. */
const watched = judge();
function judge() {
  const player = createTracePlayer(trace);
  const { machine } = player;
  const seen: { kind: 'exit' | 'entry'; ticks: number; vmid: number; pc: bigint; a7: bigint; a0: bigint }[] = [];
  const inside = new Map<number, number>();
  while (machine.moment < LENGTH) {
    const before = machine.hart(0);
    player.toTicks(machine.ticks + 1, 'pending');
    const after = machine.hart(0);
    const [was, is] = [insideVm(before.mode), insideVm(after.mode)];
    if (was) inside.set(before.vmid, (inside.get(before.vmid) ?? 0) + 1);
    if (was === is) continue;
    const pc = was ? before.pc : after.pc;
    const [a0, a7] = was ? [before.x[10]!, before.x[17]!] : [after.x[10]!, after.x[17]!];
    seen.push({ kind: was ? 'exit' : 'entry', ticks: machine.ticks, vmid: after.vmid, pc, a7, a0 });
  }
  return { seen, inside };
}

describe('the log of two VMs', () => {
  it('has each exit and entry that a watcher sees who goes tick by tick', () => {
    const { seen } = watched;
    expect(seen.length).toBeGreaterThan(200);
    const told = whole.entries.filter(({ kind }) => kind === 'exit' || kind === 'entry');
    expect(told.map(({ kind, ticks, vmid, pc }) => ({ kind, ticks, vmid, pc }))).toEqual(
      seen.map(({ kind, ticks, vmid, pc }) => ({ kind, ticks, vmid, pc })),
    );
  });

  it('tells what a VM asked for, and what it got when it was entered behind its ecall', () => {
    const { seen } = watched;
    const calls = whole.entries.filter(({ kind }) => kind === 'hypercall');
    const expected = seen.flatMap((exit, n) => {
      if (exit.kind !== 'exit') return [];
      const back = seen.slice(n).find((later) => later.kind === 'entry' && later.vmid === exit.vmid);
      return [{ number: exit.a7, a0: exit.a0, result: back && { ticks: back.ticks, a0: back.a0 } }];
    });
    expect(
      calls.map(({ call }) => {
        const { number, arguments: given, result } = call!;
        return { number, a0: given[0], result: result && { ticks: result.ticks, a0: result.a0 } };
      }),
    ).toEqual(expected);
    expect(calls[0]!.call).toMatchObject({
      abi: 'sbi',
      name: 'TIME set_timer',
      number: BigInt(SET_TIMER),
      arguments: [99n],
      result: { how: 'returned', a0: 0n, a1: 7n },
    });
    expect(calls[1]!.call).toMatchObject({ abi: 'unknown', name: `0x${SWITCH.toString(16)}` });
  });

  it('tells what the hypervisor asked firmware for', () => {
    const { call, mode, to } = whole.entries.find(({ kind }) => kind === 'sbi')!;
    expect({ mode, to }).toEqual({ mode: 'HS', to: 'M' });
    expect(call).toMatchObject({
      name: 'BASE get_spec_version',
      arguments: [],
      result: { error: 'invalid parameter' },
    });
  });

  it('tells when the hart goes to another VM, what enters, and what reaches CSRs and devices', () => {
    const kinds = (kind: LogEntry['kind']) => whole.entries.filter((entry) => entry.kind === kind);
    const turns = kinds('sched').map(({ vmid, before }) => [before?.vmid, vmid]);
    expect(turns.slice(0, 3)).toEqual([
      [undefined, 1],
      [1, 2],
      [2, 1],
    ]);
    expect(kinds('input')).toMatchObject([{ moment: 3_000, input: { kind: 'console' } }]);
    expect(kinds('fault')).toMatchObject([{ moment: FAULT, input: { fault: { register: 28 } } }]);
    expect(kinds('mmio')[0]).toMatchObject({ vmid: 1, mode: 'VS', access: { device: 'uart', offset: 5, bytes: 1 } });
    expect(kinds('csr').find(({ mode }) => mode === 'VS')).toMatchObject({ csr: { name: 'vsscratch', after: 7n } });
  });

  it('is in order, and the same however the kinds are chosen', () => {
    const { entries, end } = whole;
    expect(end).toEqual({ complete: true, moment: LENGTH, ticks: trace.last.ticks });
    expect(entries.every(({ ticks }, n) => n === 0 || ticks >= entries[n - 1]!.ticks)).toBe(true);
    for (const kind of LOG_KINDS) {
      expect(read(trace, { kinds: [kind] }).entries).toEqual(entries.filter((entry) => entry.kind === kind));
    }
    expect(read(trace, { ...ALL, vmid: 2 }).entries).toEqual(entries.filter(({ vmid }) => vmid === 2));
    expect(read(trace).entries).toEqual(entries.filter(({ kind }) => kind !== 'csr'));
    expect(read(trace, { ...ALL, hart: 1 }).entries).toEqual([]);
  });

  it('has the same entries when it begins and ends anywhere', () => {
    const [from, to] = [FAULT, 7_777];
    const part = read(trace, { ...ALL, to }, from).entries;
    const expected = whole.entries.filter(({ moment }) => moment >= from && moment <= to);
    // How much a hart has done counts from anywhere, what it ran before is not known, nor a return behind the end.
    const bare = ({ call, work: _, before: __, ...entry }: LogEntry) => ({ ...entry, call: call?.name });
    const isKnown = ({ kind, before }: LogEntry) => kind !== 'sched' || before !== undefined;
    expect(part.filter(isKnown).map(bare)).toEqual(
      expected
        .filter(({ ticks }) => ticks >= part[0]!.ticks)
        .filter(isKnown)
        .map(bare),
    );
    expect(part[0]).toMatchObject({ kind: 'fault', moment: FAULT });
  });

  it('counts and times what a watcher counts', () => {
    const summarizer = new LogSummarizer();
    for (const entry of whole.entries) summarizer.add(entry);
    const { kinds, vms, sbi } = summarizer.summary;
    const { seen, inside } = watched;
    expect(kinds.find(({ kind }) => kind === 'exit')?.count).toBe(seen.filter(({ kind }) => kind === 'exit').length);
    expect(vms.map(({ vmid }) => vmid)).toEqual([1, 2]);
    for (const vm of vms) {
      const stays = seen.filter(({ kind, vmid }) => kind === 'exit' && vmid === vm.vmid);
      // The last stay has no end.
      expect(vm.inside.count).toBe(stays.length);
      const open = seen.at(-1)!.kind === 'entry' && seen.at(-1)!.vmid === vm.vmid;
      expect(vm.inside.hartTicks).toBe(inside.get(vm.vmid)! - (open ? trace.last.ticks - seen.at(-1)!.ticks : 0));
      expect(vm.inside.ticks).toBe(vm.inside.hartTicks);
      expect(vm.outside.map(({ name }) => name).sort()).toEqual([
        `call 0x${SWITCH.toString(16)}`,
        'call TIME set_timer',
      ]);
    }
    expect(sbi).toMatchObject([{ name: 'BASE get_spec_version' }]);
  });

  it('changes nothing about the run, and leaves no listener', () => {
    expect(replayTrace(trace).ok).toBe(true);
    const timeline = openTimeline(trace);
    const { machine } = timeline;
    const steps = new LogReader(timeline, ALL).read();
    steps.next();
    expect(machine.onEvent).toBeDefined();
    steps.return({} as LogEnd);
    expect(machine.onEvent).toBeUndefined();
    expect(machine.observed).toEqual({ transitions: 'all', accesses: false, csrWrites: false });
  });
});

describe('a run that leaves its recording', () => {
  it('is told up to there', () => {
    const digests = trace.digests.map((at) => (at.moment === 6_000 ? { ...at, digest: 1n } : at));
    const { entries, end } = read(rewrite(trace, store.path(), { digests }), ALL);
    expect(end).toMatchObject({
      complete: false,
      diverged: { agreedAt: { moment: 5_000 }, differsAt: { moment: 6_000 } },
    });
    const bare = ({ call: _, ...entry }: LogEntry) => entry;
    expect(entries.map(bare)).toEqual(whole.entries.slice(0, entries.length).map(bare));
    expect(entries.at(-1)!.moment).toBeGreaterThan(5_900);
  });

  it('is noticed where an input does not fall where it was recorded', () => {
    const inputs = trace.inputs.map((input) => (input.moment === 3_000 ? { ...input, moment: 3_001 } : input));
    const { end } = read(rewrite(trace, store.path(), { inputs }), ALL);
    expect(end.diverged?.differsAt.moment).toBe(3_000);
  });
});

describe('following', () => {
  const bytes = readFileSync(trace.path);
  const prefix = (size: number) => openTraceBytes(trace.path, bytes.subarray(0, size));
  /** Lengths of the file at which it can be opened and has no end yet. */
  const unfinished = Array.from({ length: 200 }, (_, n) => Math.floor((bytes.length * n) / 200)).filter((size) => {
    try {
      const { end, last } = prefix(size);
      return end === undefined && last.moment > 0;
    } catch {
      return false;
    }
  });

  async function follow(sizes: readonly number[], isRecorded = true) {
    const path = store.path();
    const left = [...sizes];
    const grow = () => writeFileSync(path, bytes.subarray(0, left.shift() ?? bytes.length));
    grow();
    const present = openTrace(path);
    const reader = new LogReader(openTimeline(present), ALL);
    const entries: LogEntry[] = [];
    const batches = followLog(reader, present, {
      mayGrow: () => isRecorded,
      reopen: () => openTrace(path),
      pause: () => {
        grow();
        return Promise.resolve(true);
      },
    });
    for (;;) {
      const { done, value } = await batches.next();
      if (done) return { entries: [...entries, ...reader.rest()], end: value };
      entries.push(...value.entries);
    }
  }

  it('tells the same of a trace that grows', async () => {
    expect(new Set(unfinished.map((size) => prefix(size).last.moment)).size).toBeGreaterThan(2);
    const { entries, end } = await follow(unfinished);
    expect(end.complete).toBe(true);
    expect(entries).toEqual(whole.entries);
  });

  it('ends when nobody records it any more', async () => {
    const { end } = await follow([unfinished.at(-1)!], false);
    expect(end).toMatchObject({ complete: false, moment: prefix(unfinished.at(-1)!).last.moment });
  });

  it('refuses another recording that took its place', async () => {
    const other = await store.take({ ...TWO_VMS, digestEvery: 999 });
    const path = store.path();
    writeFileSync(path, bytes.subarray(0, unfinished.at(-1)!));
    const present = openTrace(path);
    const batches = followLog(new LogReader(openTimeline(present), ALL), present, {
      mayGrow: () => true,
      reopen: () => {
        copyFileSync(other.path, path);
        return openTrace(path);
      },
      pause: () => Promise.resolve(true),
    });
    const end = async () => {
      while (!(await batches.next()).done);
    };
    await expect(end()).rejects.toThrow(/is another recording by now/);
  });
});
