/**
 * What a trap and a CSR access cost: a guest's ecall to HS-mode and back, with and without all registers saved and
 * restored there, and loops of CSR instructions. The guest runs in VS-mode with both stages of translation on, the
 * handler in HS-mode on Sv39. Prints the median of several rounds by processor time. Nothing here leaves WebAssembly:
 * the imports throw. Run: node engine/bench/trap.ts [rounds]; trap-ratio.ts compares with QEMU.
 */
import { type Core, createCore } from '../core/index.ts';
import { CONSTANTS } from '../core/layout/layout.ts';
import { assemble } from '../isa/index.ts';

const RAM = CONSTANTS.RAM_BASE;
const RAM_BYTES = 4 * 2 ** 20;
const ROUND = 20_000_000;
const WARM_UP = 40_000_000;
/** s11: operations that the guest has completed. */
const COUNTER = 27;

export interface Workload {
  readonly name: string;
  /** What the guest does over and over, and how many operations of interest that is. */
  readonly guest: string;
  readonly operations: number;
  /** What the HS-mode handler does besides going on after the trapped instruction. */
  readonly savesRegisters: boolean;
}

const repeat = (text: string, times: number) => Array.from({ length: times }, () => text).join('\n');
/** A guest that does the same over and over and never traps. */
const loop = (name: string, text: string, operations: number): Workload => ({
  name,
  guest: repeat(text, 16 / operations),
  operations: 16,
  savesRegisters: false,
});

export const WORKLOADS: readonly Workload[] = [
  { name: 'ecall to HS and back, registers saved', guest: 'ecall', operations: 1, savesRegisters: true },
  { name: 'ecall to HS and back', guest: 'ecall', operations: 1, savesRegisters: false },
  loop('read sscratch', 'csrr a0, sscratch', 1),
  loop('swap sscratch', 'csrrw a0, sscratch, a0', 1),
  loop('set and clear sstatus.SIE', 'csrsi sstatus, 2\ncsrci sstatus, 2', 2),
  loop('set and clear sstatus.SUM', 'csrs sstatus, s10\ncsrc sstatus, s10', 2),
  loop('write stimecmp', 'csrw stimecmp, s9', 1),
  loop('read time', 'csrr a0, time', 1),
];

/** Nanoseconds of processor time for each operation, in each of several rounds. */
function measure(workload: Workload, rounds: number): number[] {
  const core = boot(workload);
  run(core, WARM_UP);
  return Array.from({ length: rounds }, () => {
    const before = core.hart(0, 'x', COUNTER);
    const cpu = process.cpuUsage();
    run(core, ROUND);
    const { user, system } = process.cpuUsage(cpu);
    return ((user + system) * 1000) / Number(core.hart(0, 'x', COUNTER) - before);
  });
}

/** How many operations the guest completes in so many instructions, counted from the start in M-mode. */
export function operationsIn(workload: Workload, instructions: number): number {
  const core = boot(workload);
  run(core, instructions);
  return Number(core.hart(0, 'x', COUNTER));
}

/** A core about to start the workload's program in M-mode. */
function boot(workload: Workload): Core {
  const never = (): never => {
    throw new Error('bench: WebAssembly was left');
  };
  const core = createCore({
    ramBytes: RAM_BYTES,
    hartCount: 1,
    imports: { mmioLoad: never, mmioStore: never, deviceTick: never },
  });
  core.writeRam(RAM, assemble(programOf(workload), BigInt(RAM)).bytes);
  core.setHart(0, 'pc', BigInt(RAM));
  core.setMachine('quantumTicks', 100_000n);
  core.setMachine('stopTicks', -1n);
  return core;
}

/** Runs `instructions` more. @throws Error when the program went astray. */
function run(core: Core, instructions: number): void {
  core.setMachine('stopMoment', core.machine('moment') + BigInt(instructions));
  const stop = core.arch.run();
  if (stop !== CONSTANTS.STOP_MOMENT || core.hart(0, 'mcause') !== 0n) {
    const [pc, cause] = [core.hart(0, 'pc').toString(16), core.hart(0, 'mcause').toString(16)];
    throw new Error(`bench: stopped for ${stop} at 0x${pc}, mcause 0x${cause}`);
  }
}

/** Registers but x0 and sp, which the handler swaps with sscratch. */
const SAVED = Array.from({ length: 32 }, (_, n) => n).filter((n) => n !== 0 && n !== 2);
const moved = (op: 'sd' | 'ld') => SAVED.map((n) => `${op} x${n}, ${8 * n}(sp)`).join('\n');

/** A page-table entry for the gigabyte that RAM lies in: valid, readable, writable, executable, accessed, dirty. */
const GIGABYTE = ((BigInt(RAM) >> 12n) << 10n) | 0xcfn;
const USER = 0x10n;
const INDEX = 8 * (RAM / 2 ** 30);
const TABLES = { hs: RAM + 0x10000, vs: RAM + 0x11000, g: RAM + 0x14000 };
const SV39 = 8n << 60n;
const atp = (table: number) => SV39 | BigInt(table / CONSTANTS.PAGE_BYTES);

/**
 * M-mode maps RAM onto itself in all three tables, delegates, and enters the guest. With a `limit` the machine powers
 * off once the guest has completed so many operations: it executes what only M-mode may, which M-mode keeps for itself.
 */
export const programOf = ({ guest, operations, savesRegisters }: Workload, limit?: number): string => `
  la t0, off
  csrw mtvec, t0
  li t0, -1
  csrw pmpaddr0, t0
  ${limit === undefined ? '' : 'andi t0, t0, -5'}
  csrw medeleg, t0
  li t0, -1
  csrw mcounteren, t0
  csrw hcounteren, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  li t0, ${1n << 63n}
  csrw menvcfg, t0
  csrw henvcfg, t0
  li t0, ${GIGABYTE}
  li t1, ${TABLES.hs + INDEX}
  sd t0, 0(t1)
  li t1, ${TABLES.vs + INDEX}
  sd t0, 0(t1)
  li t0, ${GIGABYTE | USER}
  li t1, ${TABLES.g + INDEX}
  sd t0, 0(t1)
  li t0, ${atp(TABLES.hs)}
  csrw satp, t0
  li t0, ${atp(TABLES.vs)}
  csrw vsatp, t0
  li t0, ${atp(TABLES.g)}
  csrw hgatp, t0
  la t0, handler
  csrw stvec, t0
  li t0, ${RAM + 0x20000}
  csrw sscratch, t0
  li t0, ${(1n << 39n) | (1n << 11n)}   # MPV, MPP = S
  csrw mstatus, t0
  la t0, guest
  csrw mepc, t0
  li s9, -1
  li s10, ${1 << 18}
  li s11, 0
  mret
guest:
  ${guest}
  addi s11, s11, ${operations}
  ${limit === undefined ? 'j guest' : `li t0, ${limit}\n bltu s11, t0, guest\n csrr t0, mscratch`}
handler:
  csrrw sp, sscratch, sp
  ${savesRegisters ? moved('sd') : 'sd t0, 40(sp)'}
  csrr t0, sepc
  addi t0, t0, 4
  csrw sepc, t0
  ${savesRegisters ? moved('ld') : 'ld t0, 40(sp)'}
  csrrw sp, sscratch, sp
  sret
  .balign 4
off:
  li t0, 0x100000
  li t1, 0x5555
  sw t1, 0(t0)
  j .`;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

if (import.meta.main) {
  const rounds = Number(process.argv[2] ?? 7);
  for (const workload of WORKLOADS) {
    const nanoseconds = median(measure(workload, rounds));
    process.stdout.write(`${nanoseconds.toFixed(1).padStart(8)} ns  ${workload.name}\n`);
  }
}
