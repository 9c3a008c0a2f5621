/**
 * Time from power-on to the shell prompt of Debian's kernel: our recorder against QEMU that records too (-icount
 * shift=0,rr=record), in pairs, so that what else the host does hits both. Prints each pair and the median ratio, by
 * wall time and by processor time of the whole process, start-up included.
 * Run: node properties/conformance/peers/boot-time.ts [pairs]. One hart, because QEMU records no more. Needs
 * qemu-system-riscv64 and apt (debian.ts).
 */
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Image } from '../../../engine/index.ts';
import { fetchPeers } from './debian.ts';
import { initramfs, PROMPT } from './initramfs.ts';
import { LINUX_APPEND, linuxMachine } from './linux.ts';
import { recordSession } from './terminal.ts';

interface Time {
  readonly wall: number;
  readonly cpu: number;
}

/** Linux counts processor time in these. */
const TICKS_PER_SECOND = 100;
const POLL_MS = 20;

async function main(pairs: number, folder: string): Promise<void> {
  const peers = fetchPeers();
  const file = ({ name, bytes }: Image) => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  const machine = `-M virt -m 512 -display none -monitor none -icount shift=0,rr=record,rrfile=${join(folder, 'rr')}`;
  const images = ['-bios', file(peers.fwDynamic), '-kernel', file(peers.linux)];
  const ramdisk = ['-initrd', file(initramfs(peers.busybox)), '-append', LINUX_APPEND];
  // A file, because QEMU's recording stalls on a pipe that is full for a moment.
  const output = join(folder, 'console');
  const qemuArgs = [...machine.split(' '), ...images, ...ramdisk, '-serial', `file:${output}`];
  const ourArgs = [fileURLToPath(import.meta.url), '--ours', join(folder, 'ours.djvm'), output];
  const ratios: Time[] = [];
  for (let pair = 1; pair <= pairs; pair++) {
    const qemu = await untilPrompt('qemu-system-riscv64', qemuArgs, output);
    const ours = await untilPrompt(process.execPath, ourArgs, output);
    ratios.push({ wall: ours.wall / qemu.wall, cpu: ours.cpu / qemu.cpu });
    console.log(`pair ${pair}: QEMU ${show(qemu)}; ours ${show(ours)}`);
  }
  const median = (of: (time: Time) => number) => ratios.map(of).sort((a, b) => a - b)[Math.floor(pairs / 2)]!;
  console.log(
    `ours / QEMU, median of ${pairs}: wall ${ratio(median((t) => t.wall))}, processor ${ratio(median((t) => t.cpu))}`,
  );
}

const show = ({ wall, cpu }: Time) => `${wall.toFixed(2)} s wall, ${cpu.toFixed(2)} s processor`;
const ratio = (value: number) => value.toFixed(2);

/** Starts a program, waits for the prompt in the file `output`, and kills it. */
async function untilPrompt(program: string, args: readonly string[], output: string): Promise<Time> {
  writeFileSync(output, '');
  const start = performance.now();
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise((resolve) => child.on('exit', resolve));
  const prompted = () => readFileSync(output, 'latin1').includes(PROMPT);
  while (!prompted() && child.exitCode === null) await new Promise((go) => setTimeout(go, POLL_MS));
  const wall = (performance.now() - start) / 1000;
  if (!prompted()) throw new Error(`${program} ended without a prompt: ${readFileSync(output, 'latin1').slice(-500)}`);
  const cpu = processorSeconds(child.pid!);
  child.kill('SIGKILL');
  await ended;
  return { wall, cpu };
}

/** User and system time of a running process (proc(5), fields 14 and 15 of stat). */
function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Our side of a pair: records until the prompt, then waits to be killed. */
async function ours(path: string, output: string): Promise<void> {
  await recordSession({
    path,
    config: linuxMachine(fetchPeers(), 1),
    steps: [{ waitFor: PROMPT }],
    until: 'last step',
    maxMoment: 4_000_000_000,
    digestEvery: 1_000_000,
    checkpointEvery: 10_000_000,
    onOutput: (byte) => appendFileSync(output, Uint8Array.of(byte)),
  });
  setTimeout(() => {}, 60_000);
}

if (process.argv[2] === '--ours') {
  const [, , , path, output] = process.argv;
  await ours(path!, output!);
} else {
  const folder = mkdtempSync(join(tmpdir(), 'dejavm-boot-time-'));
  try {
    await main(Number(process.argv[2] ?? 3), folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
