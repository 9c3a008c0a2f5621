import { describe, expect, it } from 'vitest';
import type { VmVerdict } from '../base/index.ts';
import type { Crossing, VcpuCrossings } from './crossings.ts';
import { reasonsOf } from './judge.ts';
import { judgeRegisters, type KnownVcpus, type ReadVcpu, tellVcpus, type Vcpu } from './registers.ts';

const [A, B, C] = [0x8040_0000n, 0x8040_0200n, 0x8040_0400n];
const INTERRUPT = { cause: 5, interrupt: true };
const ECALL = { cause: 10, interrupt: false };

const crossing = (kind: Crossing['kind'], at: number, context: bigint, trap?: Crossing['trap']): Crossing => ({
  kind,
  moment: at,
  ticks: at,
  vmid: 1,
  hart: 0,
  context,
  pc: 0n,
  mode: 'VS',
  ...(trap && { trap }),
});

/** A vCPU that was left, and maybe entered again. */
const left = (vcpu: bigint, trap: Crossing['trap'], entered?: number): VcpuCrossings => ({
  vcpu,
  exit: crossing('exit', 10, vcpu, trap),
  ...(entered !== undefined && { entry: crossing('entry', entered, vcpu) }),
});

/** A VM of these vCPUs; as a whole it has the first exit and the first entry. */
const vm = (vcpus: readonly VcpuCrossings[], published: readonly bigint[] = []): KnownVcpus => {
  const [exit, entry] = [vcpus[0]?.exit, vcpus.find((vcpu) => vcpu.entry)?.entry];
  return { vcpus, published, ...(exit && { exit }), ...(entry && { entry }) };
};

describe('vCPUs are told apart', () => {
  const both = [left(A, INTERRUPT, 80), left(B, INTERRUPT, 90)];

  it('by sscratch, where each value belongs to one VM', () => {
    const one = vm(both);
    expect(tellVcpus(one, [one, vm([left(C, INTERRUPT, 80)])])).toEqual({ list: both, areTold: true });
  });

  it('not where two VMs have a value: it may be the hart’s', () => {
    const one = vm(both);
    const told = tellVcpus(one, [one, vm([left(B, INTERRUPT, 80)])]);
    expect(told).toEqual({ list: [{ exit: both[0]!.exit, entry: both[0]!.entry }], areTold: false });
  });

  it('as the hypervisor publishes them, where it does', () => {
    const one = vm(both, [A, B]);
    expect(tellVcpus(one, [one, vm([left(B, INTERRUPT, 80)])]).areTold).toBe(true);
    // One that was entered with a value that is no vCPU of its VM.
    const other = vm(both, [A, C]);
    expect(tellVcpus(other, [other])).toMatchObject({ list: [{ entry: { moment: 80 } }], areTold: false });
    // One that left, of a VM that is no more.
    const earlier = vm([...both, left(C, INTERRUPT)], [A, B]);
    expect(tellVcpus(earlier, [earlier])).toEqual({ list: both, areTold: true });
  });

  it('without sscratch, where the VM has only one', () => {
    const one = vm(both, [C]);
    expect(tellVcpus(one, [one]).areTold).toBe(true);
  });
});

describe('the registers of a VM', () => {
  const vcpus = [left(A, INTERRUPT, 80), left(B, INTERRUPT, 90)];
  const read = (list: readonly Vcpu[], entered: (n: number) => bigint) =>
    new Map(
      list.map((vcpu, n) => {
        const registers = (x20: bigint): ReadVcpu => ({ registers: new Map([['x20', x20]]), hgatp: 0n });
        return [vcpu, { exit: registers(BigInt(n)), ...(vcpu.entry && { entry: registers(entered(n)) }) }] as const;
      }),
    );
  const judge = (known: KnownVcpus, entered: (n: number) => bigint, finishes = false) => {
    const told = tellVcpus(known, [known]);
    return judgeRegisters(told, read(told.list, entered), finishes, undefined);
  };
  const reasons = (verdict: ReturnType<typeof judge>) => {
    const rest = { pagesCompared: 1, memoryEqual: true, memoryDifferences: [] };
    const moments = { exitMoment: undefined, entryMoment: undefined };
    const whole: VmVerdict = { vmid: 1, name: 'vm1', survived: true, ...rest, ...moments, ...verdict };
    return reasonsOf([whole]);
  };

  it('are equal when each vCPU has its own', () => {
    const verdict = judge(vm(vcpus), BigInt);
    expect(verdict).toMatchObject({ resumedAs: 'unchanged', vcpusCompared: 2, registersEqual: true, vcpusLost: [] });
    expect(reasons(verdict)).toEqual([]);
  });

  it('and not when one vCPU has another value, which is named with it', () => {
    const verdict = judge(vm(vcpus), (n) => (n === 1 ? 9n : 0n));
    expect(verdict).toMatchObject({
      resumedAs: 'changed',
      vcpusCompared: 2,
      registersEqual: false,
      registerDifferences: [{ vcpu: B, name: 'x20', before: 1n, after: 9n }],
    });
    expect(reasons(verdict)).toEqual(['vm1: vCPU 0x8040_0200: x20 changed']);
  });

  it('are not said to have changed when it is not known whose they are', () => {
    const verdict = judge(vm(vcpus, [A, C]), () => 9n);
    expect(verdict).toMatchObject({ resumedAs: 'unknown', vcpusCompared: 1, registersEqual: false });
    expect(reasons(verdict)).toEqual([
      'vm1: its vCPUs cannot be told apart: its next entry differs from its last exit in x20',
    ]);
    expect(judge(vm(vcpus, [A, C]), BigInt)).toMatchObject({ resumedAs: 'unchanged', registersEqual: true });
  });

  it('leave no doubt that a vCPU is lost which was interrupted, and never entered though its VM goes on', () => {
    const known = vm([left(A, INTERRUPT, 80), left(B, INTERRUPT)]);
    const verdict = judge(known, BigInt);
    expect(verdict).toMatchObject({ vcpusCompared: 1, vcpusLost: [B], registersEqual: true });
    expect(reasons(verdict)).toEqual([
      'vm1: vCPU 0x8040_0200 was interrupted and never entered again after the recovery',
    ]);
    expect(judge(known, BigInt, true).vcpusLost).toEqual([]);
    // A vCPU that its guest stops asks for that.
    expect(judge(vm([left(A, INTERRUPT, 80), left(B, ECALL)]), BigInt).vcpusLost).toEqual([]);
  });

  it('are not kept of a vCPU that its guest stopped, as far as the golden run does not know them', () => {
    const known = vm([left(A, INTERRUPT, 80), left(B, ECALL, 90)]);
    const told = tellVcpus(known, [known]);
    const judgeCall = (x16: bigint, answer?: bigint) => {
      const at = (x10: bigint): ReadVcpu => {
        const values = { x10, x16, x17: 0x48534dn, pc: x10 };
        return { registers: new Map(Object.entries(values)), hgatp: 0n };
      };
      const seen = new Map([[told.list[1]!, { exit: at(0n), entry: at(64n) }]]);
      return judgeRegisters(told, seen, true, () => (answer === undefined ? undefined : at(answer).registers));
    };
    expect(judgeCall(1n)).toMatchObject({ vcpusCompared: 0, registersEqual: true });
    expect(judgeCall(2n)).toMatchObject({ vcpusCompared: 1, registersEqual: false });
    expect(judgeCall(1n, 64n)).toMatchObject({ resumedAs: 'completed', vcpusCompared: 1 });
    expect(judgeCall(1n, 65n)).toMatchObject({ resumedAs: 'changed', vcpusCompared: 1 });
  });
});
