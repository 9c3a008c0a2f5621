/**
 * The judge of observers: executes a run tick by tick on a machine that observes nothing, and says of each tick what it
 * accesses, from the instruction and from how addresses translate. Relies on `decode` and `explainTranslation`; knows
 * of no interrupts and no devices that act, for its runs have none.
 */
import { decode, type HartState, type Machine } from '../../../engine/index.ts';
import { PAGE, RAM } from '../tlb/index.ts';
import { type Access, accessed, formOf, tablesOf } from './accesses.ts';

/** Causes of traps of the fetch: the instruction is not reached. */
const FETCH_FAULTS = [1, 12, 20];

/** One tick of a run. */
export interface Tick {
  readonly moment: number;
  readonly ticks: number;
  readonly hart: number;
  /** The hart before the tick, and behind it. */
  readonly before: HartState;
  readonly after: HartState;
  /** Physical address of the instruction, if the hart could fetch it. */
  readonly paddr: number | undefined;
  /** In order: loads and stores, none when the instruction traps. */
  readonly accesses: readonly Access[];
  /** The integer register that holds what was loaded, if there is one. */
  readonly loadedTo: number | undefined;
  /** Physical addresses of table entries: those that are read, and those that may be. */
  readonly tables: readonly number[];
  readonly perhaps: readonly number[];
  /** It traps, or its fetch does. */
  readonly traps: boolean;
  /** The instruction does not lie in RAM: nothing is known of what it accesses. */
  readonly isUnknown: boolean;
}

/** Goes one tick on; undefined when the machine stops before. */
export function judgeTick(machine: Machine): Tick | undefined {
  const { moment, ticks } = machine;
  const { hart, pc } = machine.next();
  const before = machine.hart(hart);
  const fetch = fetched(machine, hart, pc);
  const next = fetch.raw === undefined ? undefined : decode(fetch.raw);
  const form = next && formOf(next.instruction.name);
  const { rd = 0 } = next?.operands ?? {};
  const data = next && form ? accessed(machine, hart, before, next.operands, form) : NOTHING;
  const isEqual = data.accesses.every((load, n) => numberAt(machine, load) === registerPart(before, rd, n, load.bytes));
  const cause = causeOf(machine, ticks + 1);
  if (machine.ticks !== ticks + 1) return undefined;
  const after = machine.hart(hart);
  const retired = machine.moment > moment;
  const fails = (form?.kind === 'sc' && after.x[rd] !== 0n) || (form?.kind === 'compare' && !isEqual);
  // An SC that fails may have walked, or not. What traps has walked up to some entry.
  const walks = retired && !(form?.kind === 'sc' && fails);
  return {
    moment,
    ticks,
    hart,
    before,
    after,
    paddr: cause !== undefined && FETCH_FAULTS.includes(cause) ? undefined : fetch.paddr,
    accesses: retired ? [...data.accesses, ...(fails ? [] : data.conditional)] : [],
    loadedTo: rd === 0 || form?.kind === 'sc' || /^f|\.q$/.test(next?.instruction.name ?? '') ? undefined : rd,
    tables: [...(retired ? fetch.tables : []), ...(walks ? data.tables : [])],
    perhaps: [...fetch.tables, ...data.tables],
    traps: !retired,
    isUnknown: retired && fetch.raw === undefined,
  };
}

const NOTHING = { accesses: [], conditional: [], tables: [] };

/** An instruction, where it lies, and the entries that its fetch reads; `raw` is undefined where it is not in RAM. */
function fetched(machine: Machine, hart: number, pc: bigint) {
  const low = machine.explainTranslation(hart, pc, 'fetch');
  const tables = tablesOf(low.steps);
  if (low.paddr === undefined) return { tables };
  const paddr = Number(low.paddr);
  const half = numberAt(machine, { paddr, bytes: 2 });
  if (half === undefined || (half & 3n) !== 3n) return { raw: half === undefined ? half : Number(half), tables, paddr };
  const high = machine.explainTranslation(hart, pc + 2n, 'fetch');
  tables.push(...tablesOf(high.steps));
  const rest = high.paddr === undefined ? undefined : numberAt(machine, { paddr: Number(high.paddr), bytes: 2 });
  return { raw: rest === undefined ? undefined : Number(half | (rest << 16n)), tables, paddr };
}

/** Runs to a tick; the cause of the trap that was taken, if any. */
function causeOf(machine: Machine, ticks: number): number | undefined {
  let cause: number | undefined;
  machine.onEvent = (event) => {
    if (event.kind === 'transition' && event.trap) cause = event.trap.cause;
  };
  machine.run({ ticks });
  machine.onEvent = undefined;
  return cause;
}

/** Bytes of RAM as a little-endian number; undefined when they are not all there. */
function numberAt(machine: Machine, { paddr, bytes }: Pick<Access, 'paddr' | 'bytes'>): bigint | undefined {
  if (paddr < RAM || paddr + bytes > RAM + machine.config.ramBytes || paddr % PAGE > PAGE - bytes) return undefined;
  return littleEndian(machine.readPhysical(paddr, bytes));
}

export const littleEndian = (bytes: Uint8Array): bigint =>
  bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** The n-th part of an operand in registers; a second one is that of a pair, and zero for x0. */
function registerPart({ x }: HartState, register: number, n: number, bytes: number): bigint {
  return register === 0 ? 0n : BigInt.asUintN(8 * bytes, x[register + n]!);
}
