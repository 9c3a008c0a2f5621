/** Triggers by symbol in a kernel that is linked for another address than it is loaded at. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { assemble } from '../engine/index.ts';
import { executable } from './bisect-testing.ts';
import { openTimeline, replayTrace } from './index.ts';
import { traceStore } from './replay.fixtures.ts';

const store = traceStore();
const LOADED = 0x80200000;
const APART = 0xffffffff00000000n;
/** Calls `work` at physical addresses for ever, or once more from the higher half, through one leaf of Sv39 each. */
const kernel = (isHigh: boolean) =>
  assemble(
    `
    start:
      la t0, table
      li t1, 0x200000cf
      sd t1, 16(t0)
      li t2, 4080
      add t2, t2, t0
      sd t1, 0(t2)
      srli t0, t0, 12
      li t1, 0x8000000000000000
      or t0, t0, t1
      csrw satp, t0
      la t0, loop
      li t1, ${isHigh ? APART : 0n}
      add t0, t0, t1
      jr t0
    loop:
      call work
      ebreak
    work:
      addi s1, s1, 1
      addi s2, s2, 2
      la t0, loop
      csrw stvec, t0
      j loop
      .balign 4096
    table:
      .zero 4096
    `,
    BigInt(LOADED) + APART,
  );
const bios = {
  name: 'firmware.elf',
  bytes: readFileSync(new URL('../engine/subject/images/firmware.elf', import.meta.url)),
};

describe.each([true, false])('a place in a kernel of the higher half that is there: %s', (isHigh) => {
  const { bytes, symbols } = kernel(isHigh);
  const image = { name: 'high.elf', bytes: executable(LOADED, bytes, { vaddr: symbols.get('start')!, symbols }) };
  const quantum = { policy: 'fixed', ticks: 100, seed: 0n } as const;
  const config = { harts: 1, ramBytes: 8 << 20, quantum, append: '', bios, kernel: image };

  it.each([1, 2, 40])('is found by its symbol, the %i. time', async (n) => {
    const trace = await store.take({
      config,
      planned: [
        {
          trigger: { kind: 'symbol', symbol: 'work', offset: 4, n, ticks: 0 },
          event: { kind: 'poke', paddr: 0x80400000, bytes: Uint8Array.of(1) },
        },
      ],
      maxMoment: 40_000,
    });
    const [input] = trace.inputs;
    const timeline = openTimeline(trace);
    timeline.toTicks(input!.ticks, 'pending');
    const { pc, x } = timeline.machine.hart(0);
    expect(pc).toBe(symbols.get('work')! + 4n - (isHigh ? 0n : APART));
    expect([x[9], x[18]]).toEqual([BigInt(n), BigInt(2 * (n - 1))]);
    expect(replayTrace(trace)).toMatchObject({ ok: true });
  });
});
