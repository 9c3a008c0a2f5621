/** Whoever sends may be as fast as he likes, and the guest as slow: what the machine has no room for waits outside. */
import { describe, expect, it } from 'vitest';
import type { MachineConfig } from '../../engine/index.ts';
import { openTrace } from '../../traces/index.ts';
import type { PlannedInput, RecordOptions } from '../base/types.ts';
import { machineOf, traceStore } from '../replay.fixtures.ts';
import { replayTrace } from '../verify/verify.ts';
import { record } from './record.ts';

const store = traceStore();

/** Works before it reads, then reads and prints byte by byte with some work for each; 'q' ends the run. */
const UART_READER = `
    li s1, 0x10000000
    li t0, 300000
  boot:
    addi t0, t0, -1
    bnez t0, boot
  next:
    lbu t1, 5(s1)
    andi t1, t1, 1
    beqz t1, next
    lbu a0, 0(s1)
    jal ra, print
    j next
  print:
    sb a0, 0(s1)
    li t1, 0x71
    beq a0, t1, end
    li t2, 20
  work:
    addi t2, t2, -1
    bnez t2, work
    ret
  end:
    li t0, 0x100000
    li t1, 0x5555
    sw t1, 0(t0)
    j .
`;

/** The same through the virtio console in slot 5, after what the UART got before this driver was up. */
const VIRTIO_READER = `${UART_READER.slice(0, UART_READER.indexOf('  next:'))}
    li a0, 0x10006000
    sw zero, 112(a0)
    li t1, 3
    sw t1, 112(a0)
    li t1, 1
    sw t1, 36(a0)
    sw t1, 32(a0)
    li t1, 11
    sw t1, 112(a0)
    sw zero, 48(a0)
    li t1, 8
    sw t1, 56(a0)
    la a1, descriptor
    sw a1, 128(a0)
    la s2, available
    sw s2, 144(a0)
    la s3, used
    sw s3, 160(a0)
    li t1, 1
    sw t1, 68(a0)
    li t1, 15
    sw t1, 112(a0)
    mv s4, a0
    li s5, 0
  uart:
    lbu t1, 5(s1)
    andi t1, t1, 1
    beqz t1, next
    lbu a0, 0(s1)
    jal ra, print
    j uart
  next:
    andi t1, s5, 7
    slli t1, t1, 3
    add s6, s3, t1
    addi s5, s5, 1
    sh s5, 2(s2)
    sw zero, 80(s4)
  wait:
    lhu t1, 2(s3)
    bne t1, s5, wait
    lwu s7, 8(s6)
    la s8, buffer
    add s7, s7, s8
  each:
    lbu a0, 0(s8)
    jal ra, print
    addi s8, s8, 1
    bne s8, s7, each
    j next
${UART_READER.slice(UART_READER.indexOf('  print:'))}
    .balign 16
  descriptor:
    .dword buffer
    .word 100
    .half 2, 0
    .zero 112
  available:
    .zero 64
  used:
    .zero 128
  buffer:
    .zero 128
`;

const READERS: Record<string, MachineConfig> = {
  'the UART': machineOf(UART_READER, { harts: 1 }),
  'the virtio console': machineOf(VIRTIO_READER, { harts: 1, virtio: [{ kind: 'console', slot: 5 }] }),
};
const LONG = `${Array.from({ length: 20_000 }, (_, n) => String.fromCharCode(33 + ((n * 7) % 63))).join('')}q`;
const options = { maxMoment: 10 ** 8, digestEvery: 10 ** 6, checkpointEvery: 10 ** 7, commandLine: [], planned: [] };

/** Records, replays, and says what came of it. */
async function recorded(what: Partial<RecordOptions> & Pick<RecordOptions, 'config'>) {
  const result = await record({ ...options, path: store.path(), ...what });
  const trace = openTrace(result.path);
  expect(replayTrace(trace).ok).toBe(true);
  return { ...result, trace, printed: Buffer.from(Array.from(trace.console, ({ byte }) => byte)).toString('latin1') };
}

/** Gives pieces one by one, then closes; `asked` counts how often it was asked. */
function typist(pieces: readonly string[]) {
  let asked = 0;
  const poll = () => {
    const piece = pieces[asked++];
    return piece === undefined ? ('closed' as const) : Buffer.from(piece);
  };
  return { poll, asked: () => asked };
}

const typed = (moment: number, text: string): PlannedInput => ({
  trigger: { kind: 'moment', moment },
  event: { kind: 'console', bytes: Buffer.from(text) },
});

describe.each(Object.keys(READERS))('a slow guest at %s', (name) => {
  const config = READERS[name]!;

  it.each([
    ['at once', [LONG]],
    ['in pieces', LONG.match(/.{1,999}/g)!],
  ])('reads all that is typed %s', async (_how, pieces) => {
    const { printed, consoleBytesNotTaken, trace } = await recorded({ config, pollConsole: typist(pieces).poll });
    expect(printed).toBe(LONG);
    expect(consoleBytesNotTaken).toBe(0);
    // None is on disk without a digest that vouches for what the ones before it did.
    const known = new Set(trace.digests.map(({ ticks }) => ticks));
    expect(trace.inputs.filter(({ ticks }) => !known.has(ticks))).toEqual([]);
  });

  it('reads all that is planned, however long and in order, and applies it when the last byte has entered', async () => {
    const planned = [
      typed(1000, LONG.slice(0, 9000)),
      typed(1001, LONG.slice(9000, 9001)),
      typed(5000, LONG.slice(9001)),
    ];
    const { printed, applied, notReached } = await recorded({ config, planned });
    expect(printed).toBe(LONG);
    expect(applied.map(({ planned: its }) => its)).toEqual(planned);
    expect(applied[0]!.moment).toBeGreaterThan(300_000);
    expect(notReached).toEqual([]);
  });

  it('that is not done when the recording ends leaves bytes that nobody read', async () => {
    const { printed, consoleBytesNotTaken } = await recorded({
      config,
      maxMoment: 1_500_000,
      pollConsole: typist([LONG]).poll,
    });
    expect(LONG.startsWith(printed)).toBe(true);
    expect(printed.length).toBeGreaterThan(4200);
    // What the UART or a queue handed over, and the guest is about to print.
    expect(LONG.length - printed.length - consoleBytesNotTaken).toBeLessThan(101);
    expect(consoleBytesNotTaken).toBeGreaterThan(1000);
  });
});

it('a sender is not asked for more while the guest has no room for what it sent', async () => {
  const never = machineOf('j .\n', { harts: 1 });
  const sender = typist(Array.from({ length: 50 }, () => 'x'.repeat(3000)));
  const { consoleBytesNotTaken } = await recorded({ config: never, maxMoment: 2_000_000, pollConsole: sender.poll });
  expect(sender.asked()).toBe(2);
  expect(consoleBytesNotTaken).toBe(6000);
});

it('a machine that sleeps without reading ends, however much is still to be typed', async () => {
  const asleep = machineOf('again:\n wfi\n j again\n', { harts: 1 });
  const sender = typist(Array.from({ length: 50 }, () => 'x'.repeat(3000)));
  const live = await recorded({ config: asleep, pollConsole: sender.poll });
  expect(live.stop).toEqual({ kind: 'idle' });
  expect(live.consoleBytesNotTaken).toBe(6000);
  const planned = [typed(10, 'x'.repeat(5000)), typed(20, 'y')];
  const known = await recorded({ config: asleep, planned });
  expect(known).toMatchObject({ stop: { kind: 'idle' }, consoleBytesNotTaken: 5001 });
});
