/**
 * Whether the vCPUs of a VM were entered as they were left: each by itself where they can be told apart, and else,
 * at the VM's last exit and next entry, whichever vCPU that was. Relies on sscratch for telling them apart, as far as
 * it can be believed: what the hypervisor publishes decides; without that, a value that two VMs have names no vCPU.
 */
import type { Machine } from '../../engine/index.ts';
import type { VmVerdict } from '../base/index.ts';
import type { AroundRecovery, Crossing, VcpuCrossings } from './crossings.ts';
import { compareRegisters, readRegisters, type VmRegisters } from './state.ts';

/** What is known of the vCPUs of a VM. */
export interface KnownVcpus extends AroundRecovery {
  readonly vcpus?: readonly VcpuCrossings[] | undefined;
  /** Addresses that the hypervisor publishes; empty: it publishes none. */
  readonly published: readonly bigint[];
}

/** A vCPU with its crossings; `vcpu` undefined: of a VM whose vCPUs are not told apart. */
export interface Vcpu extends AroundRecovery {
  readonly vcpu?: bigint;
}

export interface ToldVcpus {
  readonly list: readonly Vcpu[];
  /** Whether an exit and an entry in the list are of one vCPU. */
  readonly areTold: boolean;
}

/** The vCPUs of a VM that are compared. `all`: those of all VMs. */
export function tellVcpus(vm: KnownVcpus, all: readonly KnownVcpus[]): ToldVcpus {
  const { exit, entry, vcpus, published } = vm;
  const whole = { ...(exit && { exit }), ...(entry && { entry }) };
  if (!vcpus) return { list: [whole], areTold: published.length === 1 };
  const isElsewhere = (context: bigint) =>
    all.some((other) => other !== vm && other.vcpus?.some(({ vcpu }) => vcpu === context));
  const isOwn = (context: bigint) => (published.length > 0 ? published.includes(context) : !isElsewhere(context));
  // One that was not entered may be of an earlier VM.
  if (vcpus.some(({ vcpu, entry }) => entry && !isOwn(vcpu))) return { list: [whole], areTold: published.length === 1 };
  return { list: vcpus.filter(({ vcpu }) => isOwn(vcpu)), areTold: true };
}

/** What a vCPU had at a crossing. */
export interface ReadVcpu {
  readonly registers: VmRegisters;
  readonly hgatp: bigint;
}

/** Relies on the machine standing at the crossing. */
export const readVcpu = (machine: Machine, at: Crossing): ReadVcpu => ({
  registers: readRegisters(machine, at),
  hgatp: machine.csr(at.hart, 'hgatp'),
});

/** The registers with which the golden run entered a vCPU after the same exit; undefined: it had none like it. */
export type Expected = (vcpu: Vcpu, exit: Crossing) => VmRegisters | undefined;

type RegisterVerdict = Pick<
  VmVerdict,
  'resumedAs' | 'vcpusCompared' | 'vcpusLost' | 'registersEqual' | 'registerDifferences'
>;

/** From the least to the most that can be said of a VM of which different things hold for its vCPUs. */
const RESUMED = ['unchanged', 'completed', 'unknown', 'changed'] as const;

interface Compared {
  readonly how: (typeof RESUMED)[number];
  readonly differences: VmVerdict['registerDifferences'];
}

/**
 * Of a VM that was entered after the recovery. `read`: at the crossings of those that have both. `finishes`: it ends by
 * its own account later on, for which it does not need all of its vCPUs.
 */
export function judgeRegisters(
  { list, areTold }: ToldVcpus,
  read: ReadonlyMap<Vcpu, { readonly exit?: ReadVcpu; readonly entry?: ReadVcpu }>,
  finishes: boolean,
  expected: Expected | undefined,
): RegisterVerdict {
  const compared = list.flatMap((vcpu): Compared[] => {
    const { exit, entry } = read.get(vcpu) ?? {};
    // Entered for the first time after the recovery: there are no registers that it could have changed.
    if (!vcpu.exit || !exit || !entry) return [];
    const differences = compareRegisters(exit.registers, entry.registers);
    if (differences.length === 0) return [{ how: 'unchanged', differences }];
    const answer = expected?.(vcpu, vcpu.exit);
    if (isCompletion(vcpu.exit, differences, entry.registers, answer)) return [{ how: 'completed', differences: [] }];
    if (!answer && hasStopped(vcpu.exit, exit.registers)) return [];
    const which = list.length > 1 && vcpu.vcpu !== undefined ? { vcpu: vcpu.vcpu } : {};
    const own = differences.map((difference) => ({ ...which, ...difference }));
    return [{ how: areTold ? 'changed' : 'unknown', differences: own }];
  });
  const registerDifferences = compared.flatMap(({ differences }) => differences);
  return {
    resumedAs: RESUMED[Math.max(0, ...compared.map(({ how }) => RESUMED.indexOf(how)))]!,
    vcpusCompared: compared.length,
    vcpusLost: finishes ? [] : list.flatMap((own) => (isLost(own) ? [own.vcpu!] : [])),
    registersEqual: registerDifferences.length === 0,
    registerDifferences,
  };
}

/** By the SBI's call `hart_stop`: whoever starts it again says where, and no register is kept. */
const hasStopped = ({ trap }: Crossing, registers: VmRegisters): boolean =>
  trap?.interrupt === false &&
  trap.cause === ECALL_FROM_VS &&
  registers.get('x17') === SBI_HSM &&
  registers.get('x16') === SBI_HART_STOP;
const SBI_HSM = 0x48534dn;
const SBI_HART_STOP = 1n;

/** One that was interrupted would have gone on; one that asked for something may have stopped itself, or wait. */
const isLost = ({ vcpu, exit, entry }: Vcpu): boolean => vcpu !== undefined && !entry && exit?.trap?.interrupt === true;

/** Exceptions by which a guest asks for something: ecall from VS, guest page faults (MMIO), virtual instruction. */
const ASKING: readonly number[] = [10, 20, 21, 22, 23];
const ECALL_FROM_VS = 10;

/**
 * A vCPU that waited with its request answered is entered behind the asking instruction. The golden run knows the
 * answer; without one, only the places where an answer belongs may have changed: a0 and a1 after an ecall (SBI calling
 * convention), one register after an emulated instruction.
 */
function isCompletion(
  exit: Crossing,
  differences: VmVerdict['registerDifferences'],
  entry: VmRegisters,
  expected: VmRegisters | undefined,
): boolean {
  if (expected) return compareRegisters(expected, entry).length === 0;
  if (!exit.trap || exit.trap.interrupt || !ASKING.includes(exit.trap.cause)) return false;
  const step = (entry.get('pc') ?? 0n) - exit.pc;
  const answers = differences.filter(({ name }) => name !== 'pc').map(({ name }) => name);
  const places = (name: string) =>
    exit.trap?.cause === ECALL_FROM_VS ? name === 'x10' || name === 'x11' : name.startsWith('x');
  const few = exit.trap.cause === ECALL_FROM_VS || answers.length <= 1;
  return (step === 4n || step === 2n) && few && answers.every(places);
}
