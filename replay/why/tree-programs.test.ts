/** Random programs: what the tree says of a value, evaluated from its leaves, is the value. */
import { fc } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { decode, evaluate } from '../../engine/index.ts';
import type { Trace } from '../../traces/index.ts';
import { DATA, machineOf, traceStore } from '../replay.fixtures.ts';
import type { WhyNode, WhyOperand, WhyStepNode, WhyTree } from './tree-types.ts';
import { ask, bytesOfSource, memory, register, runsOf, stepsOf } from './why.fixtures.ts';

const store = traceStore();
const NAMES = ['a0', 'a1', 'a2', 'a3', 'a4', 'a5'] as const;
const SLOTS = 24;

const name = fc.constantFrom(...NAMES);
const offset = fc.nat(SLOTS);
const instruction = fc.oneof(
  fc
    .tuple(fc.constantFrom('add', 'sub', 'xor', 'and', 'sll', 'sraw', 'mul', 'sltu', 'divu', 'addw'), name, name, name)
    .map(([op, d, a, b]) => `${op} ${d}, ${a}, ${b}`),
  fc
    .tuple(fc.constantFrom('addi', 'andi', 'xori', 'addiw'), name, name, fc.integer({ min: -64, max: 64 }))
    .map(([op, d, a, n]) => `${op} ${d}, ${a}, ${n}`),
  fc.tuple(name, fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })).map(([d, n]) => `li ${d}, ${n}`),
  fc.tuple(name, name).map(([d, a]) => `mv ${d}, ${a}`),
  fc
    .tuple(fc.constantFrom('lb', 'lbu', 'lh', 'lhu', 'lw', 'lwu', 'ld'), name, offset)
    .map(([op, d, at]) => `${op} ${d}, ${at}(s0)`),
  fc.tuple(fc.constantFrom('sb', 'sh', 'sw', 'sd'), name, offset).map(([op, d, at]) => `${op} ${d}, ${at}(s0)`),
  fc
    .tuple(fc.constantFrom('amoadd.d', 'amoswap.w', 'amoxor.w'), name, name, fc.constantFrom(0, 8, 16))
    .map(([op, d, a, at]) => `addi s1, s0, ${at}\n${op} ${d}, ${a}, (s1)`),
  fc
    .tuple(name, name, fc.boolean())
    .map(([d, a, same]) => `${same ? `ld ${d}, 8(s0)\n` : ''}addi s1, s0, 8\namocas.d ${d}, ${a}, (s1)`),
  fc.tuple(name, name).map(([d, a]) => `csrrw ${d}, mscratch, ${a}`),
  fc.tuple(name, name).map(([d, a]) => `csrrs ${d}, mscratch, ${a}`),
);

/** Where data begin: some programs store across pages. */
const base = fc.constantFrom(DATA, DATA + 0xff0);

describe('the tree of a value, evaluated from its leaves', () => {
  it('is the value, through registers, memory in parts, CSRs and atomic operations', async () => {
    let steps = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(instruction, { minLength: 10, maxLength: 60 }),
        base,
        fc.boolean(),
        async (program, data, addresses) => {
          const source = `li s0, ${data}\n${NAMES.map((its) => `li ${its}, 3`).join('\n')}\n${program.join('\n')}\nrest:\nj rest\n`;
          const trace = await store.take({ config: machineOf(source, { harts: 1 }), maxMoment: 900 });
          const locations = [...[10, 11, 12, 13, 14, 15].map((n) => register(n)), memory(data), memory(data + 8)];
          for (const location of locations) {
            const tree = ask(trace, location, { depth: 100, most: 20_000, addresses });
            expect(tree.cut).toEqual({ depth: 0, most: 0, work: 0 });
            expect(evaluated(trace, tree)).toBe(tree.root.value);
            steps += stepsOf(tree).length;
          }
        },
      ),
      { numRuns: 12, endOnFailure: true },
    );
    expect(steps).toBeGreaterThan(100);
  }, 60_000);
});

/** The root's value, worked out from nothing but the leaves. */
function evaluated(trace: Trace, tree: WhyTree): bigint {
  const { machine } = runsOf(trace).judge;
  const byId = new Map(stepsOf(tree).map((node) => [node.id, node]));
  const known = new Map<number, bigint>();
  const ofOperand = ({ sources, value }: WhyOperand): bigint =>
    sources?.reduce((sum, its) => sum | (bytesOfSource(its, ofNode(its.node)) << BigInt(8 * its.from)), 0n) ?? value;
  const ofNode = (node: WhyNode): bigint => {
    if (node.kind === 'seen') return ofNode(byId.get(node.id)!);
    if (node.kind !== 'step') return node.value;
    const value = known.get(node.id) ?? ofStep(node);
    known.set(node.id, value);
    return value;
  };
  const ofStep = (node: WhyStepNode): bigint => {
    const { pc } = node.at;
    const raw = machine.readPhysical(Number(pc), 4).reduceRight((word, byte) => word * 256 + byte, 0);
    const { instruction, operands: fields } = decode(raw)!;
    const of = (number: number | undefined) => {
      const found = node.operands.find(({ location }) => location.kind === 'register' && location.number === number);
      return found ? ofOperand(found) : 0n;
    };
    const other = (kind: 'memory' | 'csr') =>
      node.operands.filter(({ location }) => location.kind === kind).reduce((_, its) => ofOperand(its), 0n);
    /** Memory from its lowest byte on, however many accesses it took. */
    const loaded = () => {
      let [value, shift] = [0n, 0n];
      for (const its of node.operands) {
        if (its.location.kind !== 'memory') continue;
        value |= ofOperand(its) << shift;
        shift += BigInt(8 * its.location.bytes);
      }
      return value;
    };
    const [rs1, rs2] = [of(fields.rs1), of(fields.rs2)];
    const op = instruction.name.split('.')[0]!;
    if (op.startsWith('amo')) {
      const before = other('memory');
      const bits = instruction.name.endsWith('.w') ? 32 : 64;
      if (node.location.kind === 'register') return BigInt.asUintN(64, BigInt.asIntN(bits, before));
      const swapped = before === of(fields.rd) ? rs2 : before;
      const after = { amoadd: before + rs2, amoswap: rs2, amoxor: before ^ rs2, amocas: swapped }[op]!;
      return BigInt.asUintN(bits, after);
    }
    if (op.startsWith('csr')) {
      if (node.location.kind === 'register') return other('csr');
      return op === 'csrrw' ? rs1 : other('csr') | rs1;
    }
    const env = {
      rs1,
      rs2,
      imm: BigInt.asUintN(64, BigInt(fields.imm ?? 0)),
      zimm: 0n,
      pc,
      raw: BigInt(raw),
      load: loaded,
      call: () => {
        throw new Error(`${instruction.name} is not evaluated here`);
      },
    };
    const { effect } = instruction;
    if (effect.kind === 'set') return evaluate(effect.value, env);
    if (effect.kind !== 'store' || node.location.kind !== 'memory') throw new Error(instruction.name);
    // The bytes of a store across pages are accesses of their own.
    const address = Number(evaluate(effect.address, env));
    const value = evaluate(effect.value, env) >> BigInt(8 * (node.location.paddr - address));
    return BigInt.asUintN(8 * node.location.bytes, value);
  };
  return ofOperand(tree.root);
}
