/** Asks a machine which CSRs M-mode can read there, and which modes satp and hgatp take. */
import { assemble } from '../../../engine/index.ts';
import { executable } from './elf.ts';
import { HARNESS_AT, RESULTS_AT } from './layout.ts';
import type { Peer } from './machines.ts';

export interface Probe {
  /** Numbers of CSRs that do not trap. */
  readonly csrs: ReadonlySet<number>;
  /** Values of MODE that read back, besides 0. */
  readonly satpModes: readonly number[];
  readonly hgatpModes: readonly number[];
}

const ATP_MODES = [8, 9, 10] as const;

/** Runs the probe on a machine. */
export function probe(peer: Peer): Probe {
  const run = peer.run(executable([{ at: HARNESS_AT, bytes: assemble(source(), HARNESS_AT).bytes }]));
  const answers = run.read(RESULTS_AT, 4096);
  const modes = (offset: number) => [...run.read(RESULTS_AT + offset, ATP_MODES.length)].map((mode) => mode >> 4);
  const taken = (offset: number) => ATP_MODES.filter((mode, n) => modes(offset)[n] === mode);
  return {
    csrs: new Set([...answers.keys()].filter((number) => answers[number] === 1)),
    satpModes: taken(4096),
    hgatpModes: taken(4104),
  };
}

/** The CSR's number is part of the instruction: one read for each, and what it would do is left in a5. */
function source(): string[] {
  const lines = [
    'csrr t0, mhartid',
    'beqz t0, first',
    'park: csrw mie, zero',
    'wfi',
    'j park',
    'first: la t0, trap',
    'csrw mtvec, t0',
    `li s0, ${RESULTS_AT}`,
    'li s1, 1',
  ];
  for (let number = 0; number < 4096; number++) {
    lines.push('li s2, 1', `csrr t0, ${number}`, 'sb s2, 0(s0)', 'addi s0, s0, 1');
  }
  for (const name of ['satp', 'hgatp']) {
    for (const mode of ATP_MODES) {
      lines.push(`csrw ${name}, zero`, `li t0, ${BigInt(mode) << 60n}`, `csrw ${name}, t0`);
      lines.push(`csrr t0, ${name}`, 'srli t0, t0, 56', 'sb t0, 0(s0)', 'addi s0, s0, 1');
    }
    lines.push(`csrw ${name}, zero`, `addi s0, s0, ${8 - ATP_MODES.length}`);
  }
  return [...lines, 'li t0, 0x100000', 'li t1, 0x5555', 'sw t1, 0(t0)', 'stop: j stop', ...handler];
}

const handler = ['.balign 4', 'trap: li s2, 0', 'csrr t1, mepc', 'addi t1, t1, 4', 'csrw mepc, t1', 'mret'];
