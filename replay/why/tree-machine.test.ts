/** Values that come from VMs, devices, other address spaces, resets: what is more than one hart's registers. */
import { describe, expect, it } from 'vitest';
import { assemble } from '../../engine/index.ts';
import { DRIVERS, image, VIRTIO } from '../devices.fixtures.ts';
import { DATA, HYPERVISOR, machineOf, traceStore } from '../replay.fixtures.ts';
import { finish } from '../search/index.ts';
import { namedCsr } from './flow.ts';
import { whyAlone } from './tree.ts';
import { ask, memory, originsOf, register, runsOf, stepsOf } from './why.fixtures.ts';

const store = traceStore();
const END = '\n  rest:\n    j rest\n';
const S1 = register(9);

const CODE = 0x8000_0000;
const TABLE = DATA + 0x1000;

describe('why a value of', () => {
  it('a guest, whose exits save and restore it', async () => {
    const program = HYPERVISOR.replace(
      'csrr t1, sepc',
      `csrrw t2, sscratch, t2
    li t3, ${DATA}
    sd s0, 0(t3)
    sd s1, 8(t3)
    li s0, 0
    li s1, 0
    ld s1, 8(t3)
    ld s0, 0(t3)
    csrr t1, sepc`,
    );
    const trace = await store.take({ config: machineOf(program, { harts: 1 }), maxMoment: 6000 });
    const shifts = ask(trace, register(8));
    const texts = stepsOf(shifts).map(({ at }) => `${at.mode} ${at.text}`);
    expect(texts.length).toBeGreaterThan(1);
    expect(new Set(texts)).toEqual(new Set(['VS slli s0,s0,1']));
    expect(originsOf(shifts)).toMatchObject([{ kind: 'constant', value: 400n, at: { mode: 'HS' } }]);
    // The second one found what the handler had saved and restored.
    expect(stepsOf(shifts)[0]!.operands[0]!.sources).toMatchObject([{ copies: 2 }]);
    const epc = ask(trace, register(6));
    expect(stepsOf(epc)[1]).toMatchObject({ what: 'sepc', at: { text: 'exception 10' } });
    const status = stepsOf(ask(trace, namedCsr(0, 'hstatus'), { most: 20 }));
    expect(status.map(({ at }) => at.text).slice(0, 3)).toEqual(['sret', 'exception 10', 'sret']);
  });

  it('disks and frames, behind what devices write to memory', async () => {
    const frame = Uint8Array.from({ length: 60 }, (_, n) => n + 50);
    const program = DRIVERS.replace(
      /\.dword header\s+\.word 512\s+\.half 1, 2/,
      '.dword buffer\n.word 1024\n.half 3, 2',
    ).replace('.dword 1, 3', '.dword 0, 3');
    const disk = Uint8Array.from({ length: 4096 }, (_, n) => (n * 7 + (n >> 9)) & 0xff);
    const virtio = VIRTIO.map((its) => (its.kind === 'block' ? { ...its, image: { ...image, bytes: disk } } : its));
    const net = (bytes: Uint8Array) => ({ kind: 'net', slot: 6, bytes }) as const;
    const trace = await store.take({
      config: machineOf(program, { harts: 1, virtio }),
      maxMoment: 100_000,
      checkpointEvery: 20_000,
      planned: [
        { trigger: { kind: 'moment', moment: 60_000 }, event: net(frame) },
        { trigger: { kind: 'moment', moment: 60_001 }, event: net(frame.map((n) => n + 1)) },
      ],
    });
    const { symbols } = assemble(program, CODE);
    const at = (name: string) => Number(symbols.get(name)!);
    const read = ask(trace, memory(at('buffer') + 600));
    expect(read.root.value & 0xffn).toBe(BigInt(disk[3 * 512 + 600]!));
    expect(read.root.sources).toMatchObject([
      { bytes: 8, node: { kind: 'dma', device: 'virtio7', queue: 0, head: 0, disk: { sector: 4, offset: 2136 } } },
    ]);
    expect(ask(trace, memory(at('buffer') + 12 + 14, 4)).root.sources).toMatchObject([
      { from: 0, bytes: 4, node: { kind: 'input', input: 'net', index: 1, byte: 14, device: 'virtio6' } },
    ]);
    const status = originsOf(ask(trace, memory(at('status'), 1)));
    expect(status).toMatchObject([{ kind: 'dma', device: 'virtio7', queue: 0 }]);
    expect(status[0]).not.toHaveProperty('disk');
    // The program loaded what arrived, as a byte.
    expect(originsOf(ask(trace, register(7)))).toMatchObject([
      { kind: 'input', input: 'net', index: 1, byte: 14 },
      { kind: 'constant', value: 0n },
    ]);
  });

  it('an address that was given to another page meanwhile', async () => {
    // One root table: gigabyte pages, the last of which is mapped again to where the values lie.
    const trace = await store.take({
      config: machineOf(
        `
      li s0, ${DATA}
      li a0, 5
      slli a1, a0, 4
      sd a1, 0(s0)
      li s2, ${TABLE}
      li t0, 0x200000cf
      sd t0, 16(s2)
      li t1, -1
      csrw pmpaddr0, t1
      li t1, 31
      csrw pmpcfg0, t1
      li t1, ${(8n << 60n) | (BigInt(TABLE) >> 12n)}
      csrw satp, t1
      sd t0, 24(s2)
      la t1, user
      csrw mepc, t1
      li t1, 0x800
      csrs mstatus, t1
      mret
    user:
      li a2, 0x40000000
      add s3, s0, a2
      ld s1, 0(s3)
      ld s4, 0(s0)${END}`,
        { harts: 1 },
      ),
      maxMoment: 200,
    });
    const tree = ask(trace, S1);
    expect(tree.root.value).toBe(0x50n);
    expect(stepsOf(tree)[0]).toMatchObject({
      at: { text: 'ld s1,0(s3)', mode: 'HS' },
      operands: [
        { what: 's3', role: 'address' },
        { what: `[0x${DATA.toString(16)}]:8`, role: 'data', sources: [{ node: { at: { text: 'slli a1,a0,4' } } }] },
        { what: `[0x${(TABLE + 24).toString(16)}]:8`, role: 'entry', sources: [{ node: { kind: 'constant' } }] },
      ],
    });
    expect(stepsOf(tree)[0]!.operands[0]!.sources).toBeUndefined();
    const asked = stepsOf(ask(trace, register(20), { entries: true, addresses: true }))[0]!;
    expect(asked.operands.map(({ role }) => role)).toEqual(['address', 'data', 'entry']);
    expect(asked.operands.every(({ sources }) => sources)).toBe(true);
  });

  it('a machine that has started over', async () => {
    const trace = await store.take({
      config: machineOf(
        `
      li s0, ${DATA}
      ld a0, 0(s0)
      bnez a0, rest
      li s1, 9
      csrw mscratch, s1
      li a0, 1
      sd a0, 0(s0)
      li t0, 0x100000
      li t1, 0x7777
      sw t1, 0(t0)
      j .${END}`,
        { harts: 1, reboots: true },
      ),
      maxMoment: 200,
    });
    expect(ask(trace, S1).root.sources).toMatchObject([{ node: { kind: 'reset', what: 's1' } }]);
    expect(ask(trace, namedCsr(0, 'mscratch')).root.sources).toMatchObject([{ node: { kind: 'reset' } }]);
    expect(originsOf(ask(trace, register(10)))).toMatchObject([{ kind: 'constant', value: 1n }]);
  });
});

describe('a tree', async () => {
  const trace = await store.take({
    config: machineOf(`li a0, 1\nli a1, 2\nagain:\nadd a2, a0, a1\nadd a0, a1, a2\nxor a1, a2, a0\nj again`, {
      harts: 1,
    }),
    maxMoment: 400,
  });
  it('ends at a depth', () => {
    const tree = ask(trace, register(12), { depth: 3 });
    expect(stepsOf(tree).length).toBeLessThan(8);
    expect(tree.cut.depth).toBeGreaterThan(0);
    expect(tree.cut).toMatchObject({ most: 0, work: 0 });
  });
  it('ends at a number of nodes, and shows none twice', () => {
    const tree = ask(trace, register(12), { depth: 1000, most: 30 });
    expect(tree.nodes).toBe(30);
    expect(tree.cut.most).toBeGreaterThan(0);
    expect(ask(trace, register(12), { depth: 1000, most: 1000 }).cut).toEqual({ depth: 0, most: 0, work: 0 });
  });
  it('ends when too much was executed', () => {
    const tree = ask(trace, register(12), { work: 0 });
    expect(tree.root.sources).toMatchObject([{ node: { kind: 'cut', by: 'work' } }]);
    expect(tree.cut.work).toBe(1);
  });
  it('leaves the machine as every replay has it', () => {
    const run = runsOf(trace).asked;
    const { moment, ticks } = trace.last;
    run.toTicks(ticks, 'applied');
    const digest = run.machine.digest();
    finish(whyAlone(run, register(12), { moment, ticks }));
    expect([run.machine.onSteps, run.machine.onEvent, run.machine.watches]).toEqual([undefined, undefined, []]);
    run.toTicks(ticks, 'applied');
    expect(run.machine.digest()).toBe(digest);
  });
});
