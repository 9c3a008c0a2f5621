/**
 * One case on our machine, tick by tick: what each instruction was about to do, and what came of it. Addresses are
 * translated by the independent model of properties/conformance/two-stage and PMP by a few lines here, so that what is
 * said about an access does not lean on the engine that is being judged.
 * Relies on the harness being M-mode code below the arena. Does not observe what the handlers of the harness do.
 */
import { decode, type Instruction, type Machine, type Mode, RAM_BASE } from '../../../engine/index.ts';
import { access as translate } from '../two-stage/index.ts';
import { takesAddress } from './instructions.ts';
import { ARENA_AT, HARNESS_AT, RAM_BYTES, STATE_AT } from './layout.ts';
import { pmpAllows } from './pmp.ts';

type AccessKind = 'fetch' | 'load' | 'store';

/** An access to memory, as the manual has it. */
export interface Access {
  readonly kind: AccessKind;
  readonly va: bigint;
  readonly bytes: number;
  /** Whether both stages apply (either may be bare). */
  readonly twoStage: boolean;
  /** Where it goes; undefined when the translation fails. */
  readonly paddr: bigint | undefined;
  /** Whether it fails only because supervisor mode fetches from a page of user mode's. */
  readonly userCode: boolean;
  /** Address of a page-table entry on the way that is not in RAM. */
  readonly tableOutside: bigint | undefined;
  /** Whether PMP forbids a read of a page table on the way; and the access itself. */
  readonly pmpForbidsTable: boolean;
  readonly pmpForbids: boolean;
}

export interface Step {
  readonly mode: Mode;
  readonly pc: bigint;
  /** undefined when it could not be fetched. */
  readonly instruction: Instruction | undefined;
  readonly operands: Readonly<Record<string, number | undefined>>;
  /** Registers before. */
  readonly x: readonly bigint[];
  /** The load, store or atomic that it is; the fetch where that fails. */
  readonly access: Access | undefined;
  /** What it trapped with; its interrupts, too. */
  readonly trap: { readonly cause: number; readonly interrupt: boolean; readonly tval: bigint } | undefined;
  /** mtinst or htinst afterwards, where it trapped to. */
  readonly tinst: bigint;
  /** rd afterwards. */
  readonly result: bigint | undefined;
  /** fcsr afterwards. */
  readonly fcsr: bigint;
  /** A CSR before, by name. */
  readonly csr: (name: string) => bigint;
  /** Index of the case's slot that it lies in. */
  readonly slot: number | undefined;
}

/** Ticks that the harness takes at least before a case begins: it clears the arena. */
const PROLOGUE_TICKS = 24_000;
/** Enough for a handler that skips its way through several pages of zeros. */
const MAX_TICKS = 300_000;
/** Nothing but time ends a wait. */
const TICKS_PER_MTIME = 100;
const CSRS_BEFORE = ['mstatus', 'vsstatus', 'hstatus', 'sstatus', 'menvcfg', 'fcsr'] as const;

/**
 * Steps of the only case of an image. `finish`: where the harness records results. `codeAt`: physical address of the
 * case's first slot.
 */
export function observe(machine: Machine, finish: bigint, codeAt: number, slots: number): Step[] {
  const steps: Step[] = [];
  let trap: Step['trap'];
  machine.onEvent = (event) => {
    if (event.kind === 'transition' && event.trap) trap = event.trap;
  };
  machine.run({ ticks: PROLOGUE_TICKS });
  for (let n = 0; n < MAX_TICKS; n++) {
    const { pc, mode, x, waiting } = machine.hart(0);
    if (mode === 'M' && pc === finish) break;
    // Up to the tick at which something is pending; the waiting hart goes on with the next one.
    if (waiting && (machine.csr(0, 'mip') & machine.csr(0, 'mie')) === 0n) {
      machine.run({ ticks: (Math.floor(machine.ticks / TICKS_PER_MTIME) + 1) * TICKS_PER_MTIME });
      continue;
    }
    const inHarness = mode === 'M' && pc >= BigInt(HARNESS_AT) && pc < BigInt(STATE_AT);
    const before = inHarness ? undefined : about(machine, mode, pc, x, codeAt, slots);
    trap = undefined;
    const stop = machine.run({ ticks: machine.ticks + 1 });
    if (before) {
      const { rd } = before.operands;
      const after = machine.hart(0);
      const tinst = machine.csr(0, after.mode === 'M' ? 'mtinst' : 'htinst');
      const result = rd === undefined ? undefined : after.x[rd];
      steps.push({ ...before, trap, tinst, result, fcsr: machine.csr(0, 'fcsr') });
    }
    if (stop.kind === 'halted') break;
  }
  machine.onEvent = undefined;
  return steps;
}

type Before = Omit<Step, 'trap' | 'tinst' | 'result' | 'fcsr'>;

function about(machine: Machine, mode: Mode, pc: bigint, x: readonly bigint[], codeAt: number, slots: number): Before {
  const csrs = new Map<string, bigint>(CSRS_BEFORE.map((name) => [name, machine.csr(0, name)]));
  const csr = (name: string) => csrs.get(name) ?? machine.csr(0, name);
  const [fetch, raw] = fetched(machine, mode, pc, csr);
  const decoded = raw === undefined ? undefined : decode(raw);
  const slot = fetch.paddr === undefined ? -1 : Math.floor((Number(fetch.paddr) - codeAt) / 4);
  const common = { mode, pc, x, csr, slot: slot >= 0 && slot < slots ? slot : undefined };
  if (!decoded) return { ...common, instruction: undefined, operands: {}, access: fetch };
  const { instruction, operands } = decoded;
  const access = takesAddress(instruction) ? dataAccess(machine, mode, instruction, operands, x, csr) : undefined;
  return { ...common, instruction, operands, access: forbidden(fetch) ? fetch : access };
}

const forbidden = ({ pmpForbids, pmpForbidsTable }: Access): boolean => pmpForbids || pmpForbidsTable;

/** The fetch at pc, or that of the second half when only it fails; and the instruction. */
function fetched(machine: Machine, mode: Mode, pc: bigint, csr: Step['csr']): [Access, number | undefined] {
  const first = accessOf(machine, mode, 'fetch', pc, 2, csr);
  const raw = first.paddr === undefined ? undefined : rawAt(machine, first.paddr);
  const crosses = (pc & 0xfffn) === 0xffen && raw !== undefined && (raw & 3) === 3;
  if (!crosses) return [first, raw];
  const second = accessOf(machine, mode, 'fetch', pc + 2n, 2, csr);
  return second.paddr === undefined || forbidden(second) ? [second, undefined] : [first, raw];
}

function dataAccess(
  machine: Machine,
  mode: Mode,
  instruction: Instruction,
  operands: Step['operands'],
  x: readonly bigint[],
  csr: Step['csr'],
): Access {
  const offset = instruction.extension === 'A' || instruction.extension === 'H' ? 0 : (operands.imm ?? 0);
  const va = BigInt.asUintN(64, (x[operands.rs1 ?? 0] ?? 0n) + BigInt(offset));
  const kind = isStore(instruction) ? 'store' : 'load';
  if (instruction.extension !== 'H') return accessOf(machine, mode, kind, va, sizeOf(instruction), csr);
  const privilege = (csr('hstatus') >> 8n) & 1n ? 'VS' : 'VU';
  return accessOf(machine, privilege, kind, va, sizeOf(instruction), csr);
}

const isStore = ({ effect, name, extension }: Instruction) =>
  effect.kind === 'store' ||
  (extension === 'A' && !name.startsWith('lr.')) ||
  name.startsWith('hsv.') ||
  /^c?\.?f?s[bhwd](sp)?$/.test(name);

/** Bytes by the suffix of the name: `amoadd.w`, `lhu`, `hlv.d`, `fsd`. */
function sizeOf({ name }: Instruction): number {
  const letter = /\.([bhwd])u?(\.|$)/.exec(name)?.[1] ?? /([bhwd])u?$/.exec(name)?.[1] ?? 'd';
  return { b: 1, h: 2, w: 4, d: 8 }[letter] ?? 8;
}

function rawAt(machine: Machine, paddr: bigint): number | undefined {
  if (!isRam(paddr) || !isRam(paddr + 2n)) return undefined;
  const bytes = machine.readPhysical(Number(paddr), 4);
  const word = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  return (word & 3) === 3 ? word : word & 0xffff;
}

export const isRam = (paddr: bigint): boolean =>
  paddr >= BigInt(RAM_BASE) && paddr < BigInt(RAM_BASE) + BigInt(RAM_BYTES);

function accessOf(machine: Machine, mode: Mode, kind: AccessKind, va: bigint, bytes: number, csr: Step['csr']): Access {
  const effective = kind === 'fetch' || mode !== 'M' ? mode : byMprv(csr('mstatus'));
  const twoStage = effective === 'VS' || effective === 'VU';
  const supervisor = effective === 'HS' || effective === 'S' || effective === 'VS';
  const forbids = (at: bigint, size: number, as: AccessKind, machineMode: boolean) =>
    !pmpAllows((name) => machine.csr(0, name), at, size, as, machineMode);
  if (effective === 'M') {
    const pmpForbids = forbids(va, bytes, kind, true);
    const open = { userCode: false, tableOutside: undefined, pmpForbidsTable: false };
    return { kind, va, bytes, twoStage, paddr: va, ...open, pmpForbids };
  }
  let tableOutside: bigint | undefined;
  let pmpForbidsTable = false;
  const status = csr(twoStage ? 'vsstatus' : 'mstatus');
  const memory = {
    read64(paddr: bigint) {
      pmpForbidsTable ||= forbids(paddr, 8, 'load', false);
      if (!isRam(paddr)) {
        tableOutside = paddr;
        return undefined;
      }
      return new DataView(machine.readPhysical(Number(paddr), 8).slice().buffer).getBigUint64(0, true);
    },
    write64: () => {},
    isRam: () => true,
  };
  const translated = (asSupervisor: boolean) => {
    const setup = {
      supervisor: asSupervisor,
      vsatp: machine.csr(0, twoStage ? 'vsatp' : 'satp'),
      hgatp: twoStage ? machine.csr(0, 'hgatp') : 0n,
      sum: kind !== 'fetch' && (status & SUM) !== 0n,
      guestMxr: kind !== 'fetch' && (status & MXR) !== 0n,
      mxr: kind !== 'fetch' && (csr('mstatus') & MXR) !== 0n,
      guestAdue: true,
      adue: true,
      guestPbmte: false,
      pbmte: false,
    };
    const outcome = translate(memory, setup, va, kind === 'fetch' ? 'execute' : kind);
    return 'paddr' in outcome ? outcome.paddr : undefined;
  };
  const paddr = translated(supervisor);
  const userCode = kind === 'fetch' && supervisor && paddr === undefined && translated(false) !== undefined;
  const pmpForbids = paddr !== undefined && forbids(paddr, bytes, kind, false);
  return { kind, va, bytes, twoStage, paddr, userCode, tableOutside, pmpForbidsTable, pmpForbids };
}

const SUM = 1n << 18n;
const MXR = 1n << 19n;
const MPRV = 1n << 17n;
const MPV = 1n << 39n;

/** The mode whose loads and stores M-mode's are. */
function byMprv(mstatus: bigint): Mode {
  const previous = (mstatus >> 11n) & 3n;
  if (!(mstatus & MPRV) || previous === 3n) return 'M';
  if (mstatus & MPV) return previous === 1n ? 'VS' : 'VU';
  return previous === 1n ? 'HS' : 'U';
}

/** Physical address of a case's first slot. */
export const codeAddress = (offset: number): number => ARENA_AT + offset;
