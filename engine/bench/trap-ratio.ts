/**
 * What a guest's ecall to HS-mode and back costs against QEMU: the same program, powered off after a small and after a
 * large number of operations, so that start-up cancels out; in pairs, so that what else the host does hits both. By
 * processor time of the whole process. QEMU runs once as it is and once recording (-icount shift=0,rr=record), as we
 * do. Run: node engine/bench/trap-ratio.ts [pairs]. Needs qemu-system-riscv64.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CONSTANTS } from '../core/layout/layout.ts';
import { assemble } from '../isa/index.ts';
import { createMachine } from '../machine/machine.ts';
import { programOf, WORKLOADS, type Workload } from './trap.ts';

const FEW = 20_000;
/** QEMU takes microseconds for each. */
const MANY = 1_000_000;
const MIB = 2 ** 20;

const bytesOf = (workload: Workload, limit: number) =>
  assemble(programOf(workload, limit), BigInt(CONSTANTS.RAM_BASE)).bytes;

/** Processor time of a command and all that it started, seconds: the shell's second line of `times`. */
function processorSeconds(command: readonly string[]): number {
  const ran = spawnSync('bash', ['-c', '"$@" >&2; status=$?; times; exit $status', 'bash', ...command], {
    encoding: 'utf8',
  });
  const times = /(\d+)m([\d.]+)s (\d+)m([\d.]+)s\s*$/.exec(ran.stdout);
  if (ran.status !== 0 || !times) throw new Error(`${command.join(' ')} ended with ${ran.status}: ${ran.stderr}`);
  const [userMinutes, user, systemMinutes, system] = times.slice(1).map(Number) as [number, number, number, number];
  return 60 * (userMinutes + systemMinutes) + user + system;
}

/** Nanoseconds for each operation. `command`: what runs the program in a file. */
function cost(command: (file: string) => readonly string[], files: readonly [few: string, many: string]): number {
  const [few, many] = files.map((file) => processorSeconds(command(file))) as [number, number];
  return ((many - few) / (MANY - FEW)) * 1e9;
}

const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;

function main(pairs: number, folder: string): void {
  const qemu = ['qemu-system-riscv64', '-M', 'virt', '-display', 'none', '-serial', 'none', '-monitor', 'none'];
  const recording = ['-icount', `shift=0,rr=record,rrfile=${join(folder, 'rr')}`];
  const machines = {
    ours: (file: string) => [process.execPath, fileURLToPath(import.meta.url), '--ours', file],
    qemu: (file: string) => [...qemu, '-bios', file],
    qemuRecording: (file: string) => [...qemu, ...recording, '-bios', file],
  };
  for (const workload of WORKLOADS.slice(0, 2)) {
    const files = [FEW, MANY].map((limit) => {
      const file = join(folder, `${limit}.bin`);
      writeFileSync(file, bytesOf(workload, limit));
      return file;
    }) as [string, string];
    const rounds = Array.from({ length: pairs }, () => ({
      ours: cost(machines.ours, files),
      qemu: cost(machines.qemu, files),
      recording: cost(machines.qemuRecording, files),
    }));
    const of = (value: (round: (typeof rounds)[number]) => number) => median(rounds.map(value));
    const ns = (value: number) => `${value.toFixed(0)} ns`;
    console.log(
      `${workload.name}: ours ${ns(of((r) => r.ours))}, QEMU ${ns(of((r) => r.qemu))}, recording ${ns(of((r) => r.recording))}; ` +
        `ours / QEMU ${of((r) => r.ours / r.qemu).toFixed(2)}, recording ${of((r) => r.ours / r.recording).toFixed(2)} ` +
        `(medians of ${pairs})`,
    );
  }
}

/** Our side: the program to its end, then nothing. */
function ours(file: Uint8Array): void {
  const machine = createMachine({
    harts: 1,
    ramBytes: 128 * MIB,
    quantum: { policy: 'fixed', ticks: 1000, seed: 0n },
    bios: { name: 'bench', bytes: file },
    append: '',
  });
  const stop = machine.run({});
  if (stop.kind !== 'halted' || stop.status !== 'pass') throw new Error(`bench: stopped for ${stop.kind}`);
}

if (import.meta.main) {
  const [first, file] = process.argv.slice(2);
  if (first === '--ours') {
    ours(new Uint8Array(readFileSync(file!)));
  } else {
    const folder = mkdtempSync(join(tmpdir(), 'dejavm-trap-ratio-'));
    try {
      main(Number(first ?? 5), folder);
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
}
