/** The assembly text of a drawn program (program.ts), and everything that stands in RAM when it begins. */
import { assemble, invariant } from '../../../engine/index.ts';
import type { Poke } from '../../bare.fixtures.ts';
import {
  ACCESSES,
  DATA,
  DATA_PAGES,
  groot,
  gtable,
  leaf,
  MODES,
  NAMES,
  PAGE,
  POOL,
  POOL_PAGES,
  type Program,
  RAM,
  type Step,
  USED,
  type Values,
} from './program.ts';

/** One snippet for each access, mapped for S. First-level tables that the program never changes keep them reachable. */
export const SNIPPETS = RAM + 0x8000;
/** The same code, mapped for U. */
const SNIPPETS_USER = SNIPPETS + PAGE;
/** Bytes of one snippet: the access, `ecall`. */
const SNIPPET_BYTES = 8;
/** Identity in 2 MiB and 4 KiB pages: what lets code, tables and data be found where they are. */
export const IDENTITY_TABLES = RAM + 0x24_0000;
/** Bytes that the handler sets: by cause, vsatp.MODE and hgatp.MODE; then by cause and satp.MODE. */
export const SEEN = RAM + 0x30_0000;
export const SEEN_BYTES = 2 * PAGE * 2;
const SEEN_SATP = 2 * PAGE;
export const seenAt = (cause: number, vsatpMode: number, hgatpMode: number): number =>
  cause * 256 + vsatpMode * 16 + hgatpMode;
export const seenSatpAt = (cause: number, mode: number): number => SEEN_SATP + cause * 16 + mode;

const MPP_MPV = (3n << 11n) | (1n << 39n);

/** The value of this round in a1. */
const valueText = ([one, other]: Values) => `
        li a1, ${one}
        li t0, ${one ^ other}
        and t0, t0, s9
        xor a1, a1, t0`;

function stepText(step: Step): string {
  switch (step.kind) {
    case 'access': {
      const code = step.mode === 'U' || step.mode === 'VU' ? SNIPPETS_USER : SNIPPETS;
      return `
        li a0, ${step.at}
        ${valueText(step.values)}
        li t0, ${MPP_MPV}
        csrc mstatus, t0
        li t0, ${MODES[step.mode]}
        csrs mstatus, t0
        li t0, ${code + NAMES.indexOf(step.access) * SNIPPET_BYTES}
        csrw mepc, t0
        jal s10, enter`;
    }
    case 'mprv':
      return `
        li a0, ${step.at}
        ${valueText(step.values)}
        li t0, ${MPP_MPV}
        csrc mstatus, t0
        li t0, ${MODES[step.mode] | (1n << 17n)}
        li t1, ${SNIPPETS + NAMES.indexOf(step.access) * SNIPPET_BYTES}
        jal s10, call`;
    case 'entry':
      return `
        li a0, ${step.at}
        ${valueText(step.values)}
        sd a1, 0(a0)`;
    case 'fence':
      return `
        li a0, ${step.at}
        li a1, ${step.id}
        ${step.fence}`;
    case 'root':
      return `
        li t0, ${step.value}
        csrw ${step.csr}, t0`;
    case 'bits':
      return `
        li t0, ${step.bits}
        ${step.on ? 'csrs' : 'csrc'} ${step.csr}, t0`;
  }
}

const programText = ({ steps, roots }: Program) => `
    la t0, handler
    csrw mtvec, t0
    li t0, -1
    csrw pmpaddr0, t0
    li t0, 31
    csrw pmpcfg0, t0
    li t0, 0xf0
    csrs menvcfg, t0
    csrs henvcfg, t0
    csrs senvcfg, t0
    li t0, 0x2000
    csrs mstatus, t0
    csrs vsstatus, t0
    ${roots.map((its) => stepText({ kind: 'root', ...its })).join('\n')}
    li s11, 0
    li s9, 0
    li s8, ${SEEN}
    li s7, ${SEEN + SEEN_SATP}
    csrr t0, mhartid
    la t1, second
    bnez t0, go
    la t1, first
  go:
    jr t1
  enter:
    mret
  call:
    csrs mstatus, t0
    jr t1
    .balign 4
  handler:
    li t0, ${1n << 17n}
    csrc mstatus, t0
    slli t0, s11, 5
    sub s11, t0, s11
    csrr t0, mcause
    add s11, s11, t0
    csrr t1, mtval
    add s11, s11, t1
    csrr t1, mtval2
    add s11, s11, t1
    csrr t1, mtinst
    add s11, s11, t1
    add s11, s11, a1
    csrr t1, satp
    srli t1, t1, 60
    slli t2, t0, 4
    add t1, t1, t2
    add t1, t1, s7
    li t2, 1
    sb t2, 0(t1)
    slli t0, t0, 8
    csrr t1, vsatp
    srli t1, t1, 60
    slli t1, t1, 4
    add t0, t0, t1
    csrr t1, hgatp
    srli t1, t1, 60
    add t0, t0, t1
    add t0, t0, s8
    sb t2, 0(t0)
    jr s10
  first:
    not s9, s9
    ${steps[0].map(stepText).join('\n')}
    j first
  second:
    not s9, s9
    ${steps[1].map(stepText).join('\n')}
    j second
`;

const SNIPPET_CODE = assemble(NAMES.map((name) => `${ACCESSES[name]}\n ecall`).join('\n'), SNIPPETS).bytes;
const bytesOf = (...words: bigint[]) => new Uint8Array(BigUint64Array.from(words).buffer);

/** What stands in RAM when the program begins, and what is poked there later. */
export function imageOf(program: Program): Poke[] {
  const { bytes } = assemble(programText(program), RAM);
  invariant(bytes.length <= SNIPPETS - RAM, `a program of ${bytes.length} bytes`);
  const entries = (page: number) => program.pool.slice(page * USED, (page + 1) * USED);
  const pool = Array.from({ length: POOL_PAGES }, (_, n) => [
    { paddr: POOL + n * PAGE, bytes: bytesOf(...entries(n)) },
    // Addresses of the upper half find what those of the lower one do.
    { paddr: POOL + (n + 1) * PAGE - 8, bytes: bytesOf(entries(n)[0]!) },
  ]);
  const [mid, low] = [IDENTITY_TABLES, IDENTITY_TABLES + PAGE];
  const rest = leaf(RAM + 0x20_0000, 0xdfn);
  const pages = (entryOf: (page: number) => bigint) =>
    bytesOf(...Array.from({ length: 512 }, (_, n) => entryOf(RAM + n * PAGE)));
  // Entry 2 of tables of level 2 leads to RAM, entry 0 of those above leads there; one mid table for each privilege.
  const stages = [0, 1].flatMap((n): Poke[] => {
    const gmid = IDENTITY_TABLES + (2 + 2 * n) * PAGE;
    const isData = (page: number) => page >= DATA && page < DATA + DATA_PAGES * PAGE;
    const placed = (page: number) => (n === 1 && isData(page) ? DATA + ((page - DATA) ^ PAGE) : page);
    const [zero, one, , three] = entries(0);
    const level2 = bytesOf(zero!, one!, leaf(gmid, 1n), three!);
    const level3 = bytesOf(leaf(gtable(2, n), 1n), ...entries(8).slice(1));
    const level4 = bytesOf(leaf(gtable(3, n), 1n), ...entries(10).slice(1));
    // Wide roots say the same in each of their pages.
    const wide = (at: number, table: Uint8Array) =>
      [0, 1, 2, 3].map((part) => ({ paddr: at + part * PAGE, bytes: table }));
    return [
      ...wide(groot(8, n), level2),
      ...wide(groot(9, n), level3),
      ...wide(groot(10, n), level4),
      { paddr: gtable(2, n), bytes: level2 },
      { paddr: gtable(3, n), bytes: level3 },
      { paddr: gmid, bytes: bytesOf(leaf(gmid + PAGE, 1n), rest) },
      { paddr: gmid + PAGE, bytes: pages((page) => leaf(placed(page), 0xdfn)) },
    ];
  });
  return [
    { paddr: RAM, bytes },
    { paddr: SNIPPETS, bytes: SNIPPET_CODE },
    { paddr: SNIPPETS_USER, bytes: SNIPPET_CODE },
    ...pool.flat(),
    { paddr: POOL + 16, bytes: bytesOf(leaf(mid, 1n)) },
    { paddr: POOL + PAGE + 16, bytes: bytesOf(leaf(mid, 1n)) },
    { paddr: mid, bytes: bytesOf(leaf(low, 1n), rest) },
    { paddr: low, bytes: pages((page) => leaf(page, page === SNIPPETS_USER ? 0xdfn : 0xcfn)) },
    ...stages,
    ...program.pokes.map(({ ticks, at, value }) => ({ ticks, paddr: at, bytes: bytesOf(value) })),
  ];
}
