/**
 * The judge of the log of instructions: it goes tick by tick on a machine without a log, and finds operands, results
 * and accesses from the instruction's encoding, the registers before and behind it, and what other observers say. Used
 * by tests only.
 */
import { csrByNumber, decode, isFloatRegister } from '../../isa/index.ts';
import { loadBoot } from '../board/index.ts';
import { createMachine } from '../machine.ts';
import type { HartState, Machine, MachineConfig, MachineEvent, Ticks, WatchHit } from '../types.ts';
import { STEP_FLAGS, type Steps } from './steps.ts';

/** Something that is done to the machine between two ticks. */
export interface Outside {
  readonly ticks: Ticks;
  act(machine: Machine): void;
}

/** One record, with those of its further accesses, or one tick of the judge's: what both can say of it, as text. */
export interface Told {
  readonly at: string;
  /** Of instructions: the bytes, where they lie, `register=value` of sources and destination. */
  readonly what: string;
  /** Loads first; stores and CSR writes as `before→after`. */
  readonly accesses: readonly string[];
}

const RAM = 0x8000_0000n;
const ROM_BASE = 0x1000n;
const FLOAT = 32;
const MODES = ['U', 'HS', '', 'M', 'VU', 'VS'];
/** Their values pass while the judge looks. */
const isCounter = (number: number) => (number >= 0xb00 && number < 0xc00) || (number >= 0xc00 && number < 0xd00);
/** Causes of traps of the fetch: there is no instruction. */
const FETCH_FAULTS = [1, 12, 20];
const hex = (value: bigint | number) => value.toString(16);

/** Runs to a virtual time, with what is done from outside on the way. */
export function runTo(machine: Machine, ticks: Ticks, outside: readonly Outside[] = []): void {
  const first = machine.ticks;
  for (const { ticks: at, act } of outside) {
    if (at <= first || at >= ticks) continue;
    machine.run({ ticks: at });
    act(machine);
  }
  machine.run({ ticks });
}

/** What a listener is handed meanwhile. */
export function recordsOf(machine: Machine, go: () => void): Uint8Array[] {
  const parts: Uint8Array[] = [];
  machine.onSteps = (records) => parts.push(records);
  go();
  machine.onSteps = undefined;
  return parts;
}

/** The records as text, each with its further accesses. */
export function toldBy(steps: Steps): Told[] {
  const told: (Told & { accesses: string[] })[] = [];
  for (let n = 0; n < steps.count; n++) {
    const flags = steps.flags(n);
    const accesses = accessesOf(steps, n);
    if (flags & STEP_FLAGS.FURTHER) {
      const owner = told.at(-1)!;
      if (owner.at !== atOf(steps, n)) throw new Error(`a further access of something else: ${atOf(steps, n)}`);
      owner.accesses.push(...accesses);
    } else
      told.push({
        at: atOf(steps, n),
        what: flags & STEP_FLAGS.IS_TRAP ? trapOf(steps, n) : ownOf(steps, n),
        accesses,
      });
  }
  for (const its of told) its.accesses = inOrder(its.accesses);
  return told;
}

const atOf = (steps: Steps, n: number) =>
  `${steps.ticks(n)} hart ${steps.hart(n)} ${MODES[steps.mode(n)]} vm ${steps.vmid(n)} pc ${hex(steps.pc(n))}`;

const trapOf = (steps: Steps, n: number) => {
  const target = `→ ${MODES[steps.rd(n)]} ${hex(steps.rs3(n))}`;
  return `trap ${hex(steps.raw(n))} tval ${hex(steps.rs1(n))} gpa ${hex(steps.rs2(n))} ${target}`;
};

/** Sources and destination by the row of the instruction, values by the log. */
function ownOf(steps: Steps, n: number): string {
  const raw = steps.raw(n);
  const values = [steps.rs1(n), steps.rs2(n), steps.rs3(n)];
  const registers = registersOf(raw);
  const sources = registers.sources.map((register, which) => {
    if (register === undefined) return '';
    const own = steps.source(n, (which + 1) as 1 | 2 | 3);
    return ` ${own}=${hex(values[which]!)}`;
  });
  const isNone = registers.rd === undefined && steps.rd(n) >= 2 * FLOAT && steps.result(n) === 0n;
  const rd = isNone || decode(raw) === undefined ? '' : ` → ${steps.rd(n)}=${hex(steps.result(n))}`;
  const trapped = steps.flags(n) & STEP_FLAGS.TRAPPED ? ' trapped' : '';
  return `${hex(raw)} in ${hex(steps.code(n))}${sources.join('')}${rd}${trapped}`;
}

function accessesOf(steps: Steps, n: number): string[] {
  const flags = steps.flags(n);
  const at = hex(steps.address(n));
  const before = hex(steps.before(n));
  const after = hex(steps.after(n));
  if (flags & STEP_FLAGS.CSR) return [csrText(steps.address(n), before, flags & STEP_FLAGS.WRITES ? after : undefined)];
  const place = `${at}+${steps.bytes(n)}`;
  const isDevice = (flags & STEP_FLAGS.DEVICE) !== 0;
  const found: string[] = [];
  if (flags & STEP_FLAGS.READS) found.push(`${isDevice ? 'device-load' : 'load'} ${place} ${before}`);
  if (flags & STEP_FLAGS.WRITES)
    found.push(isDevice ? `device-store ${place} ${after}` : `store ${place} ${before}→${after}`);
  return found;
}

const csrText = (number: number, before: string, after: string | undefined) => {
  const name = `csr ${hex(number)}`;
  if (isCounter(number)) return after === undefined ? name : `${name} is written`;
  return after === undefined ? `${name} ${before}` : `${name} ${before}→${after}`;
};
/** An AMO is one record, and a load and a store. */
const inOrder = (accesses: readonly string[]) => [
  ...accesses.filter((text) => !text.startsWith('store')),
  ...accesses.filter((text) => text.startsWith('store')),
];

/** Numbers of the registers that an instruction reads and writes, floating-point ones from FLOAT up. */
function registersOf(raw: number): { sources: (number | undefined)[]; rd: number | undefined } {
  const found = decode(raw);
  const numberOf = (name: string) => {
    const field = found?.instruction.encoding.fields.find((its) => its.name === name);
    if (!field) return undefined;
    return found!.operands[name]! + (isFloatRegister(field.kind) ? FLOAT : 0);
  };
  const sources = ['rs1', 'rs2', 'rs3'].map(numberOf);
  // Compare and swap reads its destination.
  if (found?.instruction.name.startsWith('amocas')) sources[2] = numberOf('rd');
  const rd = numberOf('rd');
  return { sources, rd: rd === 0 ? undefined : rd };
}

/** What the judge says of a run of this configuration, with its digest at the end. */
export function judged(config: MachineConfig, ticks: Ticks, outside: readonly Outside[] = []): Told[] {
  const machine = createMachine(config);
  const hits: WatchHit[] = [];
  const events: MachineEvent[] = [];
  machine.watches = [{ paddr: Number(RAM), bytes: config.ramBytes, reads: true, writes: true }];
  machine.onWatchHit = (hit) => hits.push(hit);
  machine.observed = { transitions: 'all', accesses: true, csrWrites: false };
  machine.onEvent = (event) => events.push(event);
  const rom = new DataView(loadBoot(config).rom.buffer);
  const told: Told[] = [];
  while (machine.ticks < ticks) {
    for (const { ticks: at, act } of outside) if (at === machine.ticks && at > 0) act(machine);
    hits.length = 0;
    events.length = 0;
    told.push(...judgeTick(machine, rom, hits, events));
  }
  return told;
}

function judgeTick(
  machine: Machine,
  rom: DataView,
  hits: readonly WatchHit[],
  events: readonly MachineEvent[],
): Told[] {
  const { ticks, moment } = machine;
  const { hart, pc } = machine.next();
  const before = machine.hart(hart);
  const { raw, paddr } = fetched(machine, rom, hart, pc);
  const csr = raw === undefined ? undefined : csrOf(machine, hart, before, raw);
  const old = csr && machine.csr(hart, csr.name);
  machine.run({ ticks: ticks + 1 });
  const trap = events.flatMap((event) => (event.kind === 'transition' && event.trap ? [event] : []))[0];
  if (machine.moment === moment && !trap) return [];
  // An interrupt may come before the turn goes on to the hart whose instruction is next.
  const its = trap ?? { hart, pc, from: before.mode, vmid: before.vmid };
  const after = machine.hart(its.hart);
  const at = `${ticks} hart ${its.hart} ${its.from} vm ${its.vmid} pc ${hex(its.pc)}`;
  const told: Told[] = [];
  const cause = trap?.trap;
  if (!cause || (!cause.interrupt && !FETCH_FAULTS.includes(cause.cause))) {
    const { sources, rd } = registersOf(raw!);
    const value = (state: HartState, n: number) => hex(n < FLOAT ? state.x[n]! : state.f[n - FLOAT]!);
    const operands = sources.map((n) => (n === undefined ? '' : ` ${n}=${value(before, n)}`)).join('');
    const result = rd === undefined ? '' : ` → ${rd}=${value(after, rd)}`;
    const what = `${hex(raw!)} in ${hex(paddr!)}${operands}${result}${trap ? ' trapped' : ''}`;
    const accesses = [...hits.flatMap(hitText), ...events.flatMap(deviceText), ...romLoad(rom, before, raw!)];
    if (csr && !trap) {
      accesses.push(csrText(csr.number, hex(old!), csr.writes ? hex(machine.csr(hart, csr.name)) : undefined));
    }
    told.push({ at, what, accesses: inOrder(accesses) });
  }
  if (cause) {
    const number = cause.cause + (cause.interrupt ? 0x8000_0000 : 0);
    const values = `tval ${hex(cause.tval)} gpa ${hex(cause.gpa >> 2n)}`;
    told.push({ at, what: `trap ${hex(number)} ${values} → ${after.mode} ${hex(after.pc)}`, accesses: [] });
  }
  return told;
}

const hitText = ({ by, paddr, bytes, before, after }: WatchHit): string[] => {
  if (by !== 'load' && by !== 'store') return [];
  return [`${by} ${hex(paddr)}+${bytes} ${hex(before)}${by === 'store' ? `→${hex(after)}` : ''}`];
};
const deviceText = (event: MachineEvent): string[] =>
  event.kind === 'access' ? [`device-${event.access} ${hex(event.paddr)}+${event.bytes} ${hex(event.value)}`] : [];

/** A load by M-mode from ROM, which is not watched. */
function romLoad(rom: DataView, { x }: HartState, raw: number): string[] {
  const found = decode(raw);
  const width = /^l([bhwd])u?$/.exec(found?.instruction.name ?? '')?.[1];
  if (!found || !width) return [];
  const at = Number(x[found.operands.rs1!]! - ROM_BASE) + found.operands.imm!;
  const bytes = { b: 1, h: 2, w: 4, d: 8 }[width]!;
  if (!(at >= 0 && at + bytes <= rom.byteLength)) return [];
  let value = 0n;
  for (let n = bytes; n-- > 0; ) value = (value << 8n) | BigInt(rom.getUint8(at + n));
  return [`load ${hex(at + Number(ROM_BASE))}+${bytes} ${hex(value)}`];
}

/** The instruction that a hart is about to fetch, by half-words where it crosses a page. */
function fetched(machine: Machine, rom: DataView, hart: number, pc: bigint): { raw?: number; paddr?: number } {
  const half = (va: bigint) => {
    const at = machine.explainTranslation(hart, va, 'fetch').paddr;
    if (at === undefined) return undefined;
    const paddr = Number(at);
    if (at >= ROM_BASE && at < ROM_BASE + BigInt(rom.byteLength)) {
      return { paddr, value: rom.getUint16(Number(at - ROM_BASE), true) };
    }
    if (at < RAM || at >= RAM + BigInt(machine.config.ramBytes)) return undefined;
    return { paddr, value: new DataView(machine.readPhysical(paddr, 2).buffer).getUint16(0, true) };
  };
  const low = half(pc);
  if (!low) return {};
  if ((low.value & 3) !== 3) return { raw: low.value, paddr: low.paddr };
  const high = half(pc + 2n);
  return high ? { raw: (low.value | (high.value << 16)) >>> 0, paddr: low.paddr } : {};
}

/** Which CSR an instruction accesses: in VS-mode those of supervisor mode mean the guest's. */
function csrOf(machine: Machine, hart: number, { mode }: HartState, raw: number) {
  const found = decode(raw);
  if (!found?.instruction.name.startsWith('csrr')) return undefined;
  const number = raw >>> 20;
  const own = csrByNumber(number)?.name;
  if (own === undefined) return undefined;
  const name = mode === 'VS' && /^s(?!i?counteren|envcfg)/.test(own) ? `v${own}` : own;
  const writes = found.instruction.name.startsWith('csrrw') || ((raw >>> 15) & 31) !== 0;
  return machine.csr(hart, name) === undefined ? undefined : { number, name, writes };
}
