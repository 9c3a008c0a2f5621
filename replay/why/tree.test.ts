import { describe, expect, it } from 'vitest';
import { DATA, machineOf, traceStore } from '../replay.fixtures.ts';
import { namedCsr } from './flow.ts';
import { ask, memory, originsOf, register, stepsOf } from './why.fixtures.ts';

const store = traceStore();
const take = (program: string, more: Partial<Parameters<typeof store.take>[0]> = {}) =>
  store.take({ config: machineOf(program, { harts: 1 }), maxMoment: 400, checkpointEvery: 100, ...more });
const END = '\n  rest:\n    j rest\n';
const S1 = register(9);

describe('why a value, in one run', () => {
  it('a sum of constants', async () => {
    const trace = await take(`li a0, 5\nli a1, 0x123456789\nadd s1, a0, a1${END}`);
    const tree = ask(trace, S1);
    expect(stepsOf(tree).map(({ at }) => at.text)).toEqual(['add s1,a0,a1']);
    expect(originsOf(tree).map(({ kind, value }) => [kind, value])).toEqual([
      ['constant', 5n],
      ['constant', 0x123456789n],
    ]);
  });

  it('through a loop that copies bytes, as one step', async () => {
    const trace = await take(`
      li s0, ${DATA}
      li a0, 0x1234
      slli a1, a0, 40
      xor a0, a0, a1
      sd a0, 0(s0)
      li t0, 8
      mv t1, s0
    copy:
      lbu t2, 0(t1)
      sb t2, 64(t1)
      addi t1, t1, 1
      addi t0, t0, -1
      bnez t0, copy
      ld s1, 64(s0)${END}`);
    const tree = ask(trace, S1);
    expect(tree.root.value).toBe(0x1234n ^ (0x1234n << 40n));
    expect(tree.root.sources).toHaveLength(1);
    expect(tree.root.sources![0]).toMatchObject({ from: 0, bytes: 8, copies: 4 });
    expect(stepsOf(tree)[0]!.at.text).toBe('xor a0,a0,a1');
  });

  it('through the stack, and two halves of different origins', async () => {
    const trace = await take(`
      li sp, ${DATA + 0x800}
      li a0, 7
      addi a1, a0, 1
      addi sp, sp, -16
      sd a1, 0(sp)
      li a1, 99
      ld a1, 0(sp)
      addi sp, sp, 16
      li s0, ${DATA}
      sw a1, 0(s0)
      slli a2, a0, 3
      sw a2, 4(s0)
      ld s1, 0(s0)${END}`);
    const { root } = ask(trace, S1);
    expect(root.sources?.map(({ from, bytes, node }) => [from, bytes, node.kind === 'step' && node.at.text])).toEqual([
      [0, 4, 'addi a1,a0,1'],
      [4, 4, 'slli a2,a0,3'],
    ]);
  });

  it('from an image, a reset and a sign', async () => {
    const trace = await take(`la a0, word\nlh s1, 0(a0)\nadd s1, s1, a7\nj rest\nword:\n.half 0x8001, 3${END}`);
    const tree = ask(trace, S1);
    expect(tree.root.value).toBe(0xffff_ffff_ffff_8001n);
    expect(originsOf(tree)).toMatchObject([
      { kind: 'image', image: "bios image 'test.elf'" },
      { kind: 'image' },
      { kind: 'reset', what: 'a7' },
    ]);
    expect(stepsOf(tree)[0]!.operands[0]!.sources?.map(({ fill }) => fill)).toEqual([undefined, 'sign']);
  });

  it('from memory that nothing fills', async () => {
    const tree = ask(await take(`li s0, ${DATA}\nld s1, 8(s0)${END}`), S1);
    expect(originsOf(tree)).toMatchObject([{ kind: 'reset', value: 0n }]);
    expect(ask(await take(END), memory(DATA, 4)).root.sources).toMatchObject([{ node: { kind: 'reset' } }]);
  });

  it('through a scratch register that is swapped, and a trap', async () => {
    const trace = await take(`
      la t0, handler
      csrw mtvec, t0
      li a0, 77
      slli a1, a0, 2
      csrw mscratch, a1
      ecall
      j rest
      .balign 4
    handler:
      csrrw t3, mscratch, t3
      mv s1, t3
      csrr s2, mepc
      addi s2, s2, 4
      csrw mepc, s2
      csrr s3, mstatus
      mret${END}`);
    const tree = ask(trace, S1);
    expect(tree.root.sources).toMatchObject([{ copies: 3, node: { kind: 'step', at: { text: 'slli a1,a0,2' } } }]);
    const pc = ask(trace, register(18));
    expect(stepsOf(pc).map(({ at, what }) => [at.text, what])).toEqual([
      ['addi s2,s2,4', 's2'],
      ['exception 11', 'mepc'],
    ]);
    const status = ask(trace, register(19));
    expect(stepsOf(status)[0]).toMatchObject({
      what: 'mstatus',
      operands: [{ what: 'mstatus', sources: [{ node: { kind: 'reset' } }] }],
    });
    const returned = ask(trace, namedCsr(0, 'mstatus'));
    expect(stepsOf(returned).map(({ at }) => at.text)).toEqual(['mret', 'exception 11']);
  });

  it('a trap of a load, whose address it is', async () => {
    const trace = await take(`
      la t0, handler
      csrw mtvec, t0
      li a1, 0x10
      slli a0, a1, 3
      ld a1, 8(a0)
      .balign 4
    handler:
      csrr s1, mtval${END}`);
    const tree = ask(trace, S1);
    expect(tree.root.value).toBe(0x88n);
    expect(stepsOf(tree).map(({ at }) => at.text)).toEqual(['exception 5', 'slli a0,a1,3']);
    expect(stepsOf(tree)[0]!.operands).toMatchObject([{ what: 'a0', role: 'trapped' }]);
  });

  it('a register that a fault flipped, at its very position', async () => {
    const program = `li a0, 5\nli t0, 100\nloop:\naddi t0, t0, -1\nbnez t0, loop\naddi s1, a0, 1${END}`;
    const trace = await take(program, {
      planned: [
        {
          trigger: { kind: 'moment', moment: 40 },
          event: { kind: 'fault', fault: { model: 'register', hart: 0, register: 10, bit: 5 } },
        },
      ],
    });
    const tree = ask(trace, S1);
    expect(tree.root.value).toBe(38n);
    expect(originsOf(tree)).toMatchObject([
      {
        kind: 'fault',
        what: 'a0',
        moment: 40,
        before: 5n,
        value: 37n,
        inputs: ['fault'],
        writtenBy: { text: 'li a0,5' },
      },
    ]);
  });

  it('memory that a poke or a fault changed, in part', async () => {
    const program = `li s0, ${DATA}\nli a0, 0x1111\nsd a0, 0(s0)\nli t0, 100\nloop:\naddi t0, t0, -1\nbnez t0, loop\nld s1, 0(s0)${END}`;
    const at = { kind: 'moment', moment: 40 } as const;
    const poked = ask(
      await take(program, {
        planned: [{ trigger: at, event: { kind: 'poke', paddr: DATA + 1, bytes: Uint8Array.of(0x22) } }],
      }),
      S1,
    );
    expect(poked.root.sources).toMatchObject([
      { from: 0, bytes: 1, node: { kind: 'constant' } },
      { from: 1, bytes: 1, node: { kind: 'input', input: 'poke', index: 0, moment: 40, value: 0x22n } },
      { from: 2, bytes: 6, node: { kind: 'constant' } },
    ]);
    const fault = { model: 'memory', paddr: DATA, bit: 3 } as const;
    const flipped = ask(await take(program, { planned: [{ trigger: at, event: { kind: 'fault', fault } }] }), S1);
    expect(originsOf(flipped)).toMatchObject([
      { kind: 'fault', moment: 40, before: 0x11n, value: 0x19n, inputs: ['fault'] },
      { kind: 'constant' },
    ]);
  });

  it('what was typed, and what a device says', async () => {
    const trace = await take(
      `
      li s0, 0x10000000
    idle:
      lbu a1, 5(s0)
      andi a2, a1, 1
      beqz a2, idle
      lbu a0, 0(s0)
      addi s2, s2, 1
      li t0, 3
      slli s1, a0, 8
      bne s2, t0, idle${END}`,
      {
        maxMoment: 2000,
        planned: [
          {
            trigger: { kind: 'moment', moment: 300 },
            event: { kind: 'console', bytes: new TextEncoder().encode('abcd') },
          },
        ],
      },
    );
    const tree = ask(trace, S1);
    expect(tree.root.value).toBe(0x6300n);
    expect(originsOf(tree)).toMatchObject([
      { kind: 'input', input: 'console', index: 0, byte: 2, value: 0x63n, device: 'uart' },
    ]);
    expect(originsOf(ask(trace, register(12)))).toMatchObject([{ kind: 'device', device: 'uart', offset: 5 }]);
  });

  it('time', async () => {
    const trace = await take(`rdtime a0\naddi s1, a0, 3${END}`);
    expect(originsOf(ask(trace, S1))).toMatchObject([{ kind: 'time', what: 'time' }]);
  });
});
