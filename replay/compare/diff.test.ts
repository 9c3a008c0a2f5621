import { describe, expect, it } from 'vitest';
import type { Trace } from '../../traces/index.ts';
import { diffTraces } from './diff.ts';

/** A trace of a million instructions with a digest every 100 000, as far as diff reads it. */
function recording(change: (digest: { moment: number }) => bigint = () => 7n): Trace {
  const digests = Array.from({ length: 9 }, (_, n) => (n + 1) * 100_000).map((moment) => ({
    moment,
    ticks: moment + 5,
    digest: change({ moment }),
  }));
  const trace = {
    path: 'run.djvm',
    header: {
      engineBehaviour: 1,
      digestEvery: 100_000,
      checkpointEvery: 1_000_000,
      machine: { harts: 2, ramBytes: 128 << 20, quantum: { policy: 'fixed', ticks: 1000, seed: '0' }, append: '' },
      images: [{ role: 'bios', name: 'firmware.elf', sha256: 'aa'.repeat(32) }],
    },
    inputs: [],
    digests,
    checkpoints: [],
    vmDigests: digests.flatMap(({ moment, ticks, digest }) => [
      { moment, ticks, vmid: 1, digest: 1n },
      { moment, ticks, vmid: 2, digest },
    ]),
    console: [...Buffer.from('hello\nvm1: done\n')].map((byte, n) => ({ moment: n * 1000, ticks: n * 1000, byte })),
    notes: [],
    end: { moment: 1_000_000, ticks: 1_000_005, digest: change({ moment: 1_000_000 }), reason: 'halted pass 0' },
    last: { moment: 1_000_000, ticks: 1_000_005 },
  };
  return trace as unknown as Trace;
}

describe('diffTraces', () => {
  it('says that equal runs are equal, and how much was compared', () => {
    expect(diffTraces(recording(), recording())).toMatchObject({
      equal: true,
      digests: { compared: 10, lastEqual: { moment: 1_000_000 } },
      lines: ['the runs are equal: 10 digests, 16 console bytes, halted pass 0 at moment 1000000'],
    });
  });

  it('finds the first different digest', () => {
    const later = recording(({ moment }) => (moment > 450_000 ? 8n : 7n));
    const diff = diffTraces(recording(), later);
    expect(diff.equal).toBe(false);
    expect(diff.digests).toMatchObject({
      lastEqual: { moment: 400_000 },
      firstDifferent: { moment: 500_000, a: 7n, b: 8n },
    });
    expect(diff.lines).toEqual([
      'digests: equal up to moment 400000, different at moment 500000',
      'memory of VM 2: equal up to moment 400000, different at moment 500000',
    ]);
  });

  it('compares digests that are due nowhere only where both runs have them at the same virtual time', () => {
    const typedAt = (moment: number, ticks: number, digest: bigint): Trace => {
      const { digests, ...rest } = recording();
      const own = { moment, ticks, digest };
      return { ...rest, digests: [...digests, own].sort((x, y) => x.ticks - y.ticks) };
    };
    const asleep = typedAt(300_000, 340_000, 9n);
    expect(diffTraces(asleep, recording()).digests).toMatchObject({ compared: 10, lastEqual: { moment: 1_000_000 } });
    expect(diffTraces(asleep, typedAt(300_000, 350_000, 1n)).digests.firstDifferent).toBeUndefined();
    expect(diffTraces(asleep, typedAt(300_000, 340_000, 9n)).digests).toMatchObject({ compared: 11 });
    expect(diffTraces(asleep, typedAt(300_000, 340_000, 1n)).digests).toMatchObject({
      lastEqual: { ticks: 300_005 },
      firstDifferent: { moment: 300_000, ticks: 340_000, a: 9n, b: 1n },
    });
  });

  it('lists inputs that only one run has', () => {
    const fault = { kind: 'fault', data: { fault: { model: 'failstop', hart: 1 } }, moment: 10, ticks: 12 };
    expect(diffTraces(recording(), { ...recording(), inputs: [fault] }).lines).toContain(
      'input at moment 10: only B has fault failstop,hart=1',
    );
  });

  it('tells inputs in another order from inputs that only one run has', () => {
    const poke = (value: number) => ({
      ...{ kind: 'poke', moment: 10, ticks: 12 },
      data: { paddr: 0x8020_0000, bytes: Uint8Array.of(value) },
    });
    const inputs = (...list: unknown[]) => ({ ...recording(), inputs: list }) as Trace;
    const said = (a: Trace, b: Trace) => diffTraces(a, b).lines.filter((line) => line.startsWith('input'));
    expect(said(inputs(poke(1), poke(2)), inputs(poke(2), poke(1)))).toEqual(['inputs at moment 10: in another order']);
    expect(said(inputs(poke(1)), inputs())).toEqual(['input at moment 10: only A has poke 0x80200000 = 01']);
  });

  it('names settings, images and command lines', () => {
    const other = recording();
    const header = {
      ...other.header,
      machine: { ...other.header.machine, harts: 4, append: 'recovery=none', reboots: true },
      images: [
        { role: 'bios', name: 'firmware.elf', sha256: 'bb'.repeat(32) },
        { role: 'kernel', name: 'lazarus.elf', sha256: 'cc'.repeat(32) },
      ],
    };
    expect(diffTraces(recording(), { ...other, header }).lines.slice(0, 5)).toEqual([
      'harts: A 2, B 4',
      'reset: A ends the run, B starts the machine over',
      'image bios: A firmware.elf (sha256 aaaaaaaaaaaa), B firmware.elf (sha256 bbbbbbbbbbbb)',
      'image kernel: A none, B lazarus.elf (sha256 cccccccccccc)',
      'append: A "", B "recovery=none"',
    ]);
  });

  it('compares console lines and ends', () => {
    const cut = { ...recording(), end: undefined, last: { moment: 900_000, ticks: 900_005 } };
    const silent = { ...cut, console: recording().console.slice(0, 6) };
    expect(diffTraces(recording(), silent).lines).toEqual([
      'digests: all 9 at common positions are equal',
      'console line 2: A "vm1: done" at moment 6000, B nothing',
      'end: A halted pass 0 at moment 1000000, B cut off after moment 900000',
    ]);
  });
});
