/**
 * MIPS of the interpreter on a compute loop (arithmetic, loads, stores, branches, calls) in VS-mode with two-stage
 * translation on: Sv39 over Sv39x4, everything in 4 KiB pages. Prints the median of several rounds after a warm-up, by
 * processor time and by wall time. Run: node engine/bench/mips.ts [rounds]
 */
import { type Core, createCore } from '../core/index.ts';
import { CONSTANTS } from '../core/layout/layout.ts';
import { assemble } from '../isa/index.ts';

const MIB = 2 ** 20;
const RAM = CONSTANTS.RAM_BASE;
const RAM_BYTES = 16 * MIB;
/** Instructions of a round; long enough for the clock, short enough to repeat. */
const ROUND = 50_000_000;
const WARM_UP = 100_000_000;

/** Guest physical and guest virtual memory are windows on RAM, at addresses that no other stage uses. */
const GUEST_PHYSICAL = 0x4000_0000;
const GUEST_VIRTUAL = 0x10_0000_0000;
const TABLES = RAM + 8 * MIB;
const MAPPED_PAGES = 512;
/** Where the loop stands in its window. */
const LOOP_OFFSET = 0x1000;

/** Leaf permission bits: valid, read, write, execute, accessed, dirty; and user for the G-stage. */
const LEAF = 0xcfn;
const USER = 0x10n;

interface Result {
  readonly cpuMips: number;
  readonly wallMips: number;
}

/** Runs the benchmark and returns one result for each round. */
export function measure(rounds: number): Result[] {
  const core = boot(true);
  run(core, WARM_UP);
  return Array.from({ length: rounds }, () => {
    const cpu = process.cpuUsage();
    const wall = performance.now();
    run(core, ROUND);
    const { user, system } = process.cpuUsage(cpu);
    return { cpuMips: ROUND / (user + system), wallMips: ROUND / ((performance.now() - wall) * 1000) };
  });
}

/** A core about to enter VS-mode at the loop; or, untranslated, in M-mode at the same loop at its physical address. */
export function boot(translated: boolean): Core {
  const never = () => 0;
  const imports = { mmioLoad: never, mmioStore: never, deviceTick: () => {} };
  const core = createCore({ ramBytes: RAM_BYTES, hartCount: 1, imports });
  if (translated) writeTables(core);
  core.writeRam(RAM, assemble(ENTER, RAM).bytes);
  const window = translated ? GUEST_VIRTUAL : RAM;
  core.writeRam(RAM + LOOP_OFFSET, assemble(loopAt(window), window + LOOP_OFFSET).bytes);
  core.setHart(0, 'pc', BigInt(translated ? RAM : RAM + LOOP_OFFSET));
  core.setMachine('quantumTicks', 100_000n);
  core.setMachine('stopTicks', -1n);
  core.setMachine('stopMoment', -1n);
  return core;
}

/** Runs `instructions` more, and checks that they ran where they should have. */
function run(core: Core, instructions: number): void {
  const from = core.machine('moment');
  core.setMachine('stopMoment', from + BigInt(instructions));
  const stop = core.arch.run();
  const inGuest = core.hart(0, 'virt') === 1n && core.hart(0, 'priv') === 1n;
  if (stop !== CONSTANTS.STOP_MOMENT || !inGuest || core.hart(0, 'pc') < BigInt(GUEST_VIRTUAL)) {
    const cause = core.hart(0, 'mcause').toString(16);
    throw new Error(`bench: stopped for ${stop} at 0x${core.hart(0, 'pc').toString(16)}, mcause 0x${cause}`);
  }
}

/** One level-0 table of 4 KiB pages under each root: G-stage (root of 16 KiB) and VS-stage. */
function writeTables(core: Core): void {
  const [gRoot, gMiddle, gLeaves, root, middle, leaves] = [0, 4, 5, 6, 7, 8].map((page) => TABLES + page * 4096);
  const entry = (table = 0, index = 0, target = 0, flags = 1n) => {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigUint64(0, (BigInt(target) >> 2n) | flags, true);
    core.writeRam(table + 8 * index, bytes);
  };
  const index = (address: number, level: number) => Math.floor(address / 2 ** (12 + 9 * level)) % 512;
  entry(gRoot, index(GUEST_PHYSICAL, 2), gMiddle);
  entry(gMiddle, index(GUEST_PHYSICAL, 1), gLeaves);
  // The guest's own tables lie in guest physical memory, in the next 2 MiB.
  entry(gMiddle, index(GUEST_PHYSICAL, 1) + 1, gLeaves && gLeaves + 4 * 4096);
  const toGuest = (host = 0) => host - TABLES + GUEST_PHYSICAL + 2 * MIB;
  for (let page = 0; page < MAPPED_PAGES; page++) {
    entry(gLeaves, page, RAM + page * 4096, LEAF | USER);
    entry(gLeaves && gLeaves + 4 * 4096, page, TABLES + page * 4096, LEAF | USER);
    entry(leaves, page, GUEST_PHYSICAL + page * 4096, LEAF);
  }
  entry(root, index(GUEST_VIRTUAL, 2), toGuest(middle));
  entry(middle, index(GUEST_VIRTUAL, 1), toGuest(leaves));
}

const ROOT_IN_GUEST = GUEST_PHYSICAL + 2 * MIB + 6 * 4096;

/** M-mode: opens PMP, sets both roots, enters VS-mode. */
const ENTER = `
  li t0, -1
  csrw pmpaddr0, t0
  li t0, 0x1f
  csrw pmpcfg0, t0
  li t0, ${(8n << 60n) | BigInt(TABLES / 4096)}
  csrw hgatp, t0
  li t0, ${(8n << 60n) | BigInt(ROOT_IN_GUEST / 4096)}
  csrw vsatp, t0
  li t0, ${(1n << 39n) | (1n << 11n)}   # MPV, MPP = S
  csrw mstatus, t0
  li t0, ${GUEST_VIRTUAL + LOOP_OFFSET}
  csrw mepc, t0
  mret`;
/** Instructions of ENTER: each `li` takes several. */
export const ENTER_INSTRUCTIONS = assemble(ENTER, RAM).bytes.length / 4;

/** A hash over a 256 KiB table with stores, a call for every 16 elements, and data-dependent branches. */
const loopAt = (window: number) => `
  li s0, ${window + 0x10000}   # table
  li s1, ${256 * 1024 - 8}            # offset mask
  li s2, 0x9e3779b97f4a7c15
  li a0, 1
outer:
  li s3, 16
inner:
  mul a0, a0, s2
  srli t0, a0, 29
  xor a0, a0, t0
  and t1, t0, s1
  add t1, t1, s0
  ld t2, 0(t1)
  add a1, a1, t2
  sd a0, 0(t1)
  andi t3, a0, 3

  beqz t3, skip
  addiw a2, a2, 1
skip:
  lw t4, 4(t1)
  slli t4, t4, 1
  sub a3, a3, t4
  addi s3, s3, -1
  bnez s3, inner
  call leaf
  j outer
leaf:
  sltu a4, a1, a3
  c.add a5, a4
  ret`;

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

if (import.meta.main) {
  const results = measure(Number(process.argv[2] ?? 7));
  const cpu = median(results.map((r) => r.cpuMips));
  const wall = median(results.map((r) => r.wallMips));
  process.stdout.write(`${cpu.toFixed(0)} MIPS by processor time, ${wall.toFixed(0)} by wall time `);
  process.stdout.write(
    `(median of ${results.length} rounds of ${ROUND / 1e6} M instructions, VS-mode, Sv39 over Sv39x4)\n`,
  );
}
