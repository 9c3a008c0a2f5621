/**
 * A run without a machine, for tests of the model and the views: at moment m, hart (m / 100) % harts executes next,
 * a0 is m and fa0 m << 52, pc goes up by 4. Relies on the contracts' types only; registers that no test reads are zero.
 */
import { type HartState, type Machine, type MachineEvent, type Mode, readMachineSymbols } from '../../engine/index.ts';
import {
  type Backtrace,
  eventsOf,
  type RecordedPlayer,
  type Slices,
  type Stopped,
  Stops,
  type TimeTravel,
  type TraceTimeline,
} from '../../replay/index.ts';
import type { Trace, TraceInput, TraceNote } from '../../traces/index.ts';
import type { Introspection, Session } from '../panels/types.ts';

export interface FakeRun {
  readonly harts: number;
  readonly lastMoment: number;
  readonly notes: readonly TraceNote[];
  readonly inputs: readonly TraceInput[];
  /** Mode changes in order of moments. */
  readonly transitions: readonly {
    readonly moment: number;
    readonly hart: number;
    readonly to: Mode;
    readonly vmid: number;
  }[];
  readonly checkpoints: readonly number[];
  readonly console: readonly { readonly moment: number; readonly text: string }[];
}

export const FAKE_TURN = 100;
export const FAKE_CODE = 0x8020_0000n;

/** pc at a moment: two symbols, `boot` of 400 instructions, then `main`. */
export const fakePc = (moment: number): bigint => FAKE_CODE + BigInt(moment % 1000) * 4n;

/** A run of 10,000 instructions on two harts: fault at 4,000, detection at 4,200, resumption at 5,000. */
export const RECOVERED_RUN: FakeRun = {
  harts: 2,
  lastMoment: 10_000,
  notes: [
    { moment: 300, ticks: 300, hart: 0, code: 0x1001, arg: 2 },
    { moment: 900, ticks: 900, hart: 0, code: 0x1002, arg: 0 },
    { moment: 4200, ticks: 4200, hart: 1, code: 0x1011, arg: 1 },
    { moment: 4700, ticks: 4700, hart: 1, code: 0x1021, arg: 1 },
    { moment: 5000, ticks: 5000, hart: 0, code: 0x1030, arg: 3 },
  ],
  inputs: [{ moment: 4000, ticks: 4000, kind: 'fault', data: { fault: { model: 'failstop', hart: 1 } } }],
  transitions: [
    { moment: 500, hart: 0, to: 'HS', vmid: 0 },
    { moment: 600, hart: 1, to: 'HS', vmid: 0 },
    { moment: 1000, hart: 0, to: 'VS', vmid: 1 },
    { moment: 1100, hart: 1, to: 'VU', vmid: 2 },
    { moment: 4200, hart: 0, to: 'M', vmid: 1 },
    { moment: 4200, hart: 1, to: 'M', vmid: 2 },
    { moment: 4700, hart: 0, to: 'HS', vmid: 0 },
    { moment: 5000, hart: 0, to: 'VS', vmid: 1 },
    { moment: 5200, hart: 1, to: 'VS', vmid: 2 },
  ],
  checkpoints: [0, 3000, 6000, 9000],
  console: [
    { moment: 350, text: 'firmware: 2 harts' },
    { moment: 950, text: 'lazarus: up' },
    { moment: 2000, text: 'vm1: step 1/4 \x1b[31mred' },
    { moment: 8000, text: 'vm2: done' },
  ],
};

/** Time travel over a made-up run. */
export function fakeTravel(run: FakeRun = RECOVERED_RUN): TimeTravel {
  let now = 0;
  let observer: ((event: MachineEvent) => void) | undefined;
  const modeAt = (hart: number) =>
    run.transitions.findLast((t) => t.hart === hart && t.moment <= now) ?? { to: 'M' as Mode, vmid: 0 };
  const hartState = (n: number): HartState => ({
    x: Array.from({ length: 32 }, (_, i) => (i === 10 ? BigInt(now) : 0n)),
    f: Array.from({ length: 32 }, (_, i) => (i === 10 ? BigInt(now) << 52n : 0n)),
    fcsr: 0,
    pc: fakePc(now + n),
    mode: modeAt(n).to,
    waiting: false,
    instret: BigInt(now),
    vmid: modeAt(n).vmid,
  });
  const machine = {
    config: { harts: run.harts, ramBytes: 4 << 20 },
    get moment() {
      return now;
    },
    get ticks() {
      return now;
    },
    next: () => ({ hart: Math.floor(now / FAKE_TURN) % run.harts, pc: fakePc(now) }),
    hart: hartState,
    translate: (_hart: number, va: bigint) => Number(va),
    csr: (_hart: number, name: string) => BigInt(name.length),
    get onEvent() {
      return observer;
    },
    set onEvent(handler) {
      observer = handler;
    },
  } as unknown as Machine;
  const seek = (moment: number) => {
    if (moment > run.lastMoment) throw new Error(`moment ${moment} is past the end`);
    const from = now;
    now = moment;
    for (const t of run.transitions) {
      if (t.moment > from && t.moment <= moment) {
        observer?.({
          kind: 'transition',
          ticks: t.moment,
          from: 'M',
          pc: 0n,
          context: 0n,
          work: 0,
          registers: { at: () => 0n },
          ...t,
        });
      }
    }
  };
  const trace = {
    path: '/tmp/fake.djvm',
    header: { id: 'fake' },
    inputs: run.inputs,
    notes: run.notes,
    console: [],
    digests: [],
    checkpoints: run.checkpoints.map((moment) => ({ moment, ticks: moment, digest: 0n })),
    end: { moment: run.lastMoment, ticks: run.lastMoment, digest: 0n, reason: 'halted pass 0' },
    first: { moment: 0, ticks: 0 },
    last: { moment: run.lastMoment, ticks: run.lastMoment },
  } as unknown as Trace;
  return {
    trace,
    machine,
    get moment() {
      return now;
    },
    first: trace.first,
    last: trace.last,
    seek,
    toTicks: seek,
    forwardToTicks: seek,
    advance: ({ moment = run.lastMoment }) => {
      seek(Math.min(run.lastMoment, moment));
      return { kind: 'moment' };
    },
    symbols: readMachineSymbols({}),
    stepForward: (n = 1) => seek(Math.min(run.lastMoment, now + n)),
    stepBackward: (n = 1) => seek(Math.max(0, now - n)),
    consoleLines: () => run.console.filter((line) => line.moment <= now),
  };
}

// biome-ignore lint/correctness/useYield: looking takes no time
function* noStack(): Slices<Backtrace> {
  return { parts: [], end: 'whole' };
}

/** Moves along a made-up run: nothing calls anything there, so that over is a step, and there is nothing to run to. */
export function fakeDebug(travel: TimeTravel): Session['debug'] {
  // biome-ignore lint/correctness/useYield: a move that takes no time
  function* moved(moves: number, go: () => void): Slices<Stopped> {
    go();
    return { moves };
  }
  return {
    run: travel as TraceTimeline,
    stops: new Stops(travel.machine),
    over: (direction, count = 1) =>
      moved(count, () => (direction === 'forward' ? travel.stepForward(count) : travel.stepBackward(count))),
    out: () => moved(0, () => {}),
    to: () => moved(0, () => {}),
    stack: noStack,
    events: eventsOf(travel.trace),
    grow() {},
  };
}

/** The same run as the scanner sees it: forwards only, every transition observed. */
export function fakePlayer(run: FakeRun = RECOVERED_RUN): Pick<RecordedPlayer, 'machine' | 'toMoment' | 'extend'> {
  const travel = fakeTravel(run);
  return {
    machine: travel.machine,
    toMoment(moment) {
      travel.seek(moment);
      return true;
    },
    extend() {},
  };
}

/** Straight-line code of 4-byte instructions in two functions, and one VM per hart once it has been entered. */
export const fakeIntrospection: Introspection = {
  disassemble: (_machine, _hart, pc, before, after) => {
    const first = Math.max(0, Number((pc - FAKE_CODE) / 4n) - before);
    const last = Number((pc - FAKE_CODE) / 4n) + after;
    return Array.from({ length: last - first + 1 }, (_, i) => {
      const address = FAKE_CODE + BigInt(first + i) * 4n;
      return { address, text: `addi\ta0,a0,${first + i}`, symbol: symbolOf(address), source: undefined };
    });
  },
  code: (_machine, _hart, address) => ({ symbol: symbolOf(address) }),
  vms: (machine) =>
    machine.moment < 1000
      ? []
      : [1, 2].map((vmid) => ({
          name: `vm${vmid}`,
          vmid,
          state: 'running',
          hart: vmid - 1,
          pc: fakePc(machine.moment),
        })),
};

function symbolOf(address: bigint): string {
  const index = (address - FAKE_CODE) / 4n;
  const [name, base] = index < 400n ? ['boot', 0n] : ['main', 400n];
  const offset = (index - (base as bigint)) * 4n;
  return offset === 0n ? `${name}` : `${name}+0x${offset.toString(16)}`;
}
