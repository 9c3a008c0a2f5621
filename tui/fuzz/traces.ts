/**
 * Traces as plain data, to be changed anywhere and written again through the writer: whatever the records then say, all
 * checksums are right. Used by tests only.
 */
import xxhash from 'xxhash-wasm';
import {
  assemble,
  createMachine,
  type MachineConfig,
  NOTES,
  type NoteName,
  RAM_BASE,
  UserError,
} from '../../engine/index.ts';
import { configFromTrace, cutTrace, finish, openTimeline, type PlannedInput, record } from '../../replay/index.ts';
import {
  createTraceWriter,
  openTrace,
  type Trace,
  type TraceConsole,
  type TraceDigest,
  type TraceEnd,
  type TraceHeaderFields,
  type TraceInput,
  type TraceNote,
  type TraceVmDigest,
} from '../../traces/index.ts';

const { h64Raw } = await xxhash();

interface CheckpointData extends TraceDigest {
  readonly state: Uint8Array;
  /** RAM and disk pages that are not zero. */
  readonly pages: { readonly index: number; readonly bytes: Uint8Array }[];
}

/** Everything in a trace that does not follow from the rest. */
export interface TraceData {
  readonly header: TraceHeaderFields;
  readonly images: { readonly role: string; readonly name: string; readonly bytes: Uint8Array }[];
  readonly inputs: TraceInput[];
  readonly console: TraceConsole[];
  readonly notes: TraceNote[];
  readonly digests: TraceDigest[];
  readonly vmDigests: TraceVmDigest[];
  readonly checkpoints: CheckpointData[];
  readonly end: TraceEnd[];
}

/** What a trace holds. @throws TraceError when some of it cannot be read */
export function dataOf(trace: Trace): TraceData {
  const { formatMajor, formatMinor, id, images, ...header } = trace.header;
  return {
    header,
    images: images.map(({ role }) => ({ role, ...trace.image(role)! })),
    inputs: [...trace.inputs],
    console: [...trace.console],
    notes: [...trace.notes],
    digests: [...trace.digests],
    vmDigests: [...trace.vmDigests],
    checkpoints: trace.checkpoints.map((_, n) => {
      const { pages, ...rest } = trace.checkpoint(n);
      return { ...rest, pages: [...pages].map(([index, { bytes }]) => ({ index, bytes })) };
    }),
    end: trace.end ? [trace.end] : [],
  };
}

/** Writes a trace of it. @throws RangeError, TypeError for what cannot be written as a trace */
export function writeData(data: TraceData, path: string): void {
  const writer = createTraceWriter(path, data.header, data.images);
  for (const its of data.inputs) writer.input(its);
  for (const its of data.console) writer.console(its);
  for (const its of data.notes) writer.note(its);
  for (const its of data.vmDigests) writer.vmDigest(its);
  for (const its of data.digests) writer.digest(its);
  let before: readonly number[] = [];
  for (const { pages, ...rest } of data.checkpoints) {
    const changed = pages.map(({ index, bytes }) => ({ index, bytes, hash: h64Raw(bytes) }));
    const now = new Set(pages.map(({ index }) => index));
    writer.checkpoint({ ...rest, changed, cleared: before.filter((index) => !now.has(index)) });
    before = [...now];
  }
  const [end] = data.end;
  if (end) writer.finish(end);
  else writer.abandon();
}

/** The digest that a checkpoint of the machine would have, if the machine can be in its state at all. */
export function forgeDigest(checkpoint: CheckpointData, config: MachineConfig): bigint {
  const pages = checkpoint.pages.map(({ index, bytes }) => [index, { bytes, hash: h64Raw(bytes) }] as const);
  try {
    createMachine(config).restore({ ...checkpoint, pages: new Map(pages) });
  } catch (error) {
    const found = error instanceof UserError ? /digest (0x[0-9a-f]+), expected/.exec(error.message) : undefined;
    if (found) return BigInt(found[1]!);
  }
  return checkpoint.digest;
}

/** Two harts count in their pages, trap and print; hart 0 notes the one and the other. */
const program = (first: NoteName, second: NoteName): string => `
    la t0, handler
    csrw mtvec, t0
    csrr s2, mhartid
    slli t0, s2, 12
    li s0, ${RAM_BASE + 0x10_000}
    add s0, s0, t0
    li s1, 0x10000000
    li s3, 0x100000
    li s4, ${NOTES[first].code}
    li s5, ${NOTES[first].code ^ NOTES[second].code}
  loop:
    addi a0, a0, 1
    sd a0, 0(s0)
    andi a3, a0, 63
    bnez a3, loop
    ecall
    bnez s2, loop
    srli a4, a0, 6
    andi a4, a4, 15
    addi a4, a4, 65
    sb a4, 0(s1)
    slli a4, a4, 16
    or a4, a4, s4
    sw a4, 0(s3)
    xor s4, s4, s5
    j loop
    .balign 4
  handler:
    csrr t1, mepc
    addi t1, t1, 4
    csrw mepc, t1
    mret
`;

const LAST = 6_000;
const [FROM, TO] = [1_000, 5_200];
const INPUTS: readonly (readonly [moment: number, event: PlannedInput['event']])[] = [
  [700, { kind: 'console', bytes: Uint8Array.of(65, 13) }],
  [900, { kind: 'net', slot: 6, bytes: new Uint8Array(60).fill(9) }],
  [1_100, { kind: 'poke', paddr: RAM_BASE + 0x20_000, bytes: Uint8Array.of(1, 2, 3) }],
  [1_700, { kind: 'fault', fault: { model: 'register', hart: 1, register: 12, bit: 3 } }],
  [2_100, { kind: 'fault', fault: { model: 'csr', hart: 0, csr: 'sscratch', bit: 5 } }],
  [2_300, { kind: 'fault', fault: { model: 'memory', paddr: RAM_BASE + 0x20_001, bit: 2 } }],
  [2_900, { kind: 'fault', fault: { model: 'device', slot: 7, effect: 'io-error' } }],
  [3_100, { kind: 'fault', fault: { model: 'interrupt', hart: 0, line: 'ipi', effect: 'late', ticks: 500 } }],
];

/** A recording, what it holds, and the machine that it was made on. */
export interface TraceBase {
  readonly path: string;
  readonly data: TraceData;
  readonly config: MachineConfig;
}

/** A short recording that has a record of every kind but digests of VMs; its guest notes two things in turn. */
export async function recordBase(path: string, first: NoteName, second: NoteName): Promise<TraceBase> {
  const disk = { name: 'disk.img', bytes: new Uint8Array(8192).fill(3) };
  await record({
    path,
    config: {
      harts: 2,
      ramBytes: 4 << 20,
      quantum: { policy: 'jittered', ticks: 200, seed: 5n },
      bios: { name: 'program.bin', bytes: assemble(program(first, second), RAM_BASE).bytes },
      append: 'fuzz',
      virtio: [
        { kind: 'block', slot: 7, image: disk, readOnly: false, serial: 'one' },
        { kind: 'net', slot: 6, mac: '52:54:00:12:34:56', cable: 'outside' },
        { kind: 'console', slot: 5 },
        { kind: 'entropy', slot: 4 },
      ],
    },
    planned: INPUTS.map(([moment, event]) => ({ trigger: { kind: 'moment', moment }, event })),
    maxMoment: LAST,
    digestEvery: 500,
    checkpointEvery: 1500,
    commandLine: ['dejavm', 'record'],
  });
  return baseOf(path);
}

function baseOf(path: string): TraceBase {
  const trace = openTrace(path);
  return { data: dataOf(trace), config: configFromTrace(trace), path };
}

/** The part of a recording in which most inputs enter, as a trace of its own. */
export function cutBase(base: TraceBase, path: string): TraceBase {
  const run = openTimeline(openTrace(base.path));
  run.seek(FROM);
  const from = run.place;
  run.seek(TO);
  finish(cutTrace(run, { from, to: run.place, path }));
  return baseOf(path);
}
