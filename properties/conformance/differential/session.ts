/**
 * A comparison session: asks both machines what they have, then runs batches of cases on both and compares the records.
 * A case that no machine comes back from is reported as such, and the rest of its batch runs again without it.
 */
import { assemble, CSRS, INSTRUCTIONS, InvariantError } from '../../../engine/index.ts';
import type { Drawable } from './arbitrary.ts';
import { type Case, encodeBatch } from './case.ts';
import { executable } from './elf.ts';
import { harnessSource } from './harness.ts';
import { isRecorded } from './known.ts';
import {
  batchLimit,
  CASES_BYTES,
  HARNESS_AT,
  RESULTS_AT,
  type RecordShape,
  resultWords,
  STATE,
  STATE_AT,
} from './layout.ts';
import { ours, type Peer, qemu, startOurs } from './machines.ts';
import { codeAddress, observe, type Step } from './observe.ts';
import { type Probe, probe } from './probe.ts';
import { type Difference, decodeResult, differences, type Result, without } from './results.ts';
import { unsettled } from './settle.ts';

export interface Verdict {
  readonly case: Case;
  readonly ours: Result;
  readonly qemu: Result;
  readonly differences: readonly Difference[];
}

export interface Session {
  /** QEMU's `-cpu`. */
  readonly cpu: string;
  readonly drawable: Drawable;
  /** CSRs of one machine only: differences of their own unless known. */
  readonly onlyOurs: readonly string[];
  readonly onlyQemu: readonly string[];
  /** Runs the cases on both machines; `patience` times as long on QEMU. One verdict each, in order. */
  run(cases: readonly Case[], patience?: number): Verdict[];
  /** What our machine does with a case, instruction by instruction. */
  observe(its: Case): Step[];
}

/** CSRs that a case sets, in an order in which none spoils another. PMP addresses come before what they configure. */
const SETUP = [
  ...['menvcfg', 'henvcfg', 'senvcfg', 'mcountinhibit', 'mcounteren', 'hcounteren', 'scounteren'],
  ...['medeleg', 'mideleg', 'hedeleg', 'hideleg', 'stvec', 'vstvec', 'sscratch', 'vsscratch', 'sepc', 'vsepc'],
  ...['scause', 'vscause', 'stval', 'vstval', 'htval', 'htinst', 'mtval', 'mtval2', 'mtinst', 'mcause', 'htimedelta'],
  ...['stimecmp', 'vstimecmp', 'satp', 'vsatp', 'hgatp', 'hstatus', 'vsstatus'],
  ...['pmpaddr0', 'pmpaddr1', 'pmpaddr2', 'pmpaddr3', 'pmpaddr4', 'pmpaddr5', 'pmpaddr6', 'pmpaddr7', 'pmpaddr15'],
  ...['pmpcfg0', 'pmpcfg2'],
  ...['mip', 'hvip', 'mie', 'mepc', 'mstatus'],
] as const;

/**
 * QEMU's switches for what the ISA table may hold; an extension without rows is switched off there, so that its
 * encodings are as illegal as on our machine.
 */
const SWITCHES: Readonly<Record<string, string>> = {
  F: 'f',
  D: 'd',
  Zba: 'zba',
  Zbb: 'zbb',
  Zbc: 'zbc',
  Zbs: 'zbs',
  Svinval: 'svinval',
};

/** Starts a session: one short run on either machine. @throws UserError when QEMU is not there. */
export function createSession(): Session {
  const extensions = new Set(INSTRUCTIONS.map((row) => row.extension));
  const switches = Object.entries(SWITCHES).map(([name, flag]) => `${flag}=${extensions.has(name)}`);
  const cpu = ['rv64', 'h=true', 'sstc=true', ...switches].join(',');
  const theirs = qemu(cpu);
  const [a, b] = [probe(ours), probe(theirs)];
  const both = (pick: (its: Probe) => readonly number[]) => pick(a).filter((mode) => pick(b).includes(mode));
  const named = new Map(CSRS.map((csr) => [csr.number, csr.name]));
  const only = (x: Probe, y: Probe) =>
    [...x.csrs].filter((n) => !y.csrs.has(n)).map((n) => named.get(n) ?? `0x${n.toString(16)}`);
  const shape: RecordShape = {
    setup: SETUP,
    recorded: CSRS.filter(({ number, name }) => a.csrs.has(number) && b.csrs.has(number) && isRecorded(name)).map(
      ({ name }) => name,
    ),
    floats: extensions.has('D'),
  };
  const { bytes: harness, symbols } = assemble(harnessSource(shape), HARNESS_AT);
  return {
    cpu,
    drawable: { satpModes: both((its) => its.satpModes), hgatpModes: both((its) => its.hgatpModes) },
    onlyOurs: only(a, b),
    onlyQemu: only(b, a),
    run: (cases, patience = 1) => {
      const mine = settle(harness, cases, shape);
      const their = runOn(theirs, harness, cases, shape, theirs.timeBudget * patience);
      return cases.map((its, n) => {
        const pair = { ours: mine[n], qemu: their[n] };
        if (!pair.ours || !pair.qemu) throw new InvariantError(`case ${n} has no result`);
        return { case: its, ours: pair.ours, qemu: pair.qemu, differences: differences(pair.ours, pair.qemu) };
      });
    },
    observe: (its) => {
      const machine = startOurs(executable(encodeBatch(harness, [its], shape, ours.timeBudget)));
      return observe(machine, symbols.get('finish') ?? 0n, codeAddress(its.offset), its.slots.length);
    },
  };
}

/** How much longer a case may take that did not end. */
const LONGER = 6;

/** Our machine's results. Of a case that never ends, what has settled is left. */
function settle(harness: Uint8Array, cases: readonly Case[], shape: RecordShape): Result[] {
  const results = runOn(ours, harness, cases, shape, ours.timeBudget);
  const open = results.flatMap((result, n) => (result.kind === 'endless' ? [n] : []));
  const endless = open.map((n) => cases[n]!);
  const again = runOn(ours, harness, endless, shape, ours.timeBudget * LONGER);
  for (const [index, n] of open.entries()) {
    const result = again[index]!;
    const image = executable(encodeBatch(harness, [cases[n]!], shape, ours.timeBudget * LONGER));
    results[n] = result.kind === 'endless' ? without(result, unsettled(startOurs(image), shape.recorded)) : result;
  }
  return results;
}

/** Results of all cases, in as many images as are needed. */
function runOn(
  peer: Peer,
  harness: Uint8Array,
  cases: readonly Case[],
  shape: RecordShape,
  timeBudget: number,
): Result[] {
  const results: Result[] = [];
  while (results.length < cases.length) {
    const batch = cases.slice(results.length, results.length + batchLimit(shape));
    let parts = encodeBatch(harness, batch, shape, timeBudget);
    while ((parts[2]?.bytes.length ?? 0) > CASES_BYTES) {
      batch.length >>= 1;
      parts = encodeBatch(harness, batch, shape, timeBudget);
    }
    const run = peer.run(executable(parts));
    const left = run.ended ? 0 : Number(words(run.read(STATE_AT + STATE.left * 8, 8))[0] ?? 0n);
    const done = Math.max(0, Math.min(batch.length, batch.length - left));
    const size = resultWords(shape).size;
    const raw = words(run.read(RESULTS_AT, done * size * 8));
    for (let n = 0; n < done; n++) results.push(decodeResult(raw.subarray(n * size, (n + 1) * size), shape));
    if (done < batch.length) results.push({ kind: 'lost' });
  }
  return results;
}

const words = (bytes: Uint8Array) => new BigUint64Array(bytes.slice().buffer);
