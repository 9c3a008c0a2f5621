/**
 * The judge of VM-state equivalence (design section 8): did a recovery leave every VM as it was? Used by `verify` on
 * traces and by injections alike. Works for any hypervisor: VMs are what hgatp names, their memory is found through
 * their G-stage tables, their registers are read at the crossings themselves.
 *
 * Registers: at a VM's last exit before the recovery resumed it, against its first entry after. Memory: when all harts
 * were frozen (or at that exit, if later) against when the VMs were resumed. Not compared: what GUEST_CSRS in state.ts
 * leaves out, pages that are mapped at one of the two times only (a hypercall that maps or unmaps may be completed by
 * the recovery), and pages that a device wrote to in between (transfers go on while harts stand still).
 */
import { hex, listVms, type Machine, type MachineSymbols, PAGE_BYTES, RAM_BASE } from '../../engine/index.ts';
import type { VmVerdict } from '../base/index.ts';
import type { Timeline } from '../timeline/index.ts';
import type { Crossing, VmCrossings } from './crossings.ts';
import {
  compareMemory,
  compareRegisters,
  readMemory,
  readRegisters,
  type VmMemory,
  type VmRegisters,
} from './state.ts';

/** A VM before and after a recovery, as far as it is known beforehand. */
export interface JudgedVm extends VmCrossings {
  readonly vmid: number;
  readonly name: string;
  /** It had ended by its own account before the recovery: nothing is compared. */
  readonly finished: boolean;
  /** Its G-stage tables before the recovery; undefined: those of its exit. */
  readonly hgatp?: bigint;
  /** Digests say that its memory is the same: it is not read. */
  readonly memoryIsSame?: boolean;
}

export interface JudgedRecovery {
  /** The run that was recovered, able to stand at any position from the first exit of a judged VM on. */
  readonly run: Pick<Timeline, 'machine' | 'toTicks' | 'forwardToTicks'>;
  /** For finding a VM's tables after the recovery, where it was not entered. */
  readonly hypervisor: MachineSymbols['hypervisor'];
  /** Virtual times; `resumed` undefined: no VM was. */
  readonly frozen: number;
  readonly resumed: number | undefined;
  readonly vms: readonly JudgedVm[];
  /** The registers with which the golden run entered a VM after the same exit; undefined when it had none like it. */
  readonly expected?: (vm: JudgedVm, exit: Crossing) => VmRegisters | undefined;
}

/** One verdict for each VM, in the order given; nothing about outputs. */
export function judgeRecovery(recovery: JudgedRecovery): VmVerdict[] {
  const seen = new Map(recovery.vms.map((vm) => [vm, readCrossings(recovery, vm)]));
  visitInOrder(
    recovery,
    [...seen.values()].flatMap(({ visits }) => visits),
  );
  const memory = compareMemories(recovery, seen);
  return recovery.vms.map((vm) => verdictOf(recovery, vm, seen.get(vm)!, memory.get(vm)));
}

/** Why a recovery is not equivalent, one line each: VMs lost, then registers, then memory, then outputs. */
export function reasonsOf(vms: readonly VmVerdict[]): string[] {
  const lost = vms.filter(({ survived }) => !survived);
  const registers = vms.filter((vm) => vm.survived && !vm.registersEqual);
  return [
    ...lost.map(({ name }) => `${name} was never entered again after the recovery`),
    ...registers.map((vm) => `${vm.name}: ${vm.registerDifferences.map(({ name }) => name).join(', ')} changed`),
    ...vms.flatMap(memoryReason),
    ...vms.flatMap(({ name, outputDifference }) => (outputDifference ? [`${name}: ${outputDifference}`] : [])),
  ];
}

function memoryReason({ name, survived, memoryEqual, memoryDifferences: words }: VmVerdict): string[] {
  const [first] = words;
  if (!first) return survived && !memoryEqual ? [`${name}: no page is mapped as before`] : [];
  const many = `${words.length} ${words.length === 1 ? 'word' : 'words'}`;
  return [`${name}: ${many} of memory changed, the first at gpa ${hex(first.gpa)}`];
}

/** What a VM had at its two crossings. */
interface SeenVm {
  exit?: { readonly registers: VmRegisters; readonly hgatp: bigint };
  entry?: { readonly registers: VmRegisters; readonly hgatp: bigint };
  readonly visits: readonly Visit[];
}

interface Visit {
  readonly ticks: number;
  readonly read: () => void;
}

function readCrossings({ run: { machine } }: JudgedRecovery, vm: JudgedVm): SeenVm {
  const { exit, entry } = vm;
  const read = (at: Crossing) => ({
    registers: readRegisters(machine, at),
    hgatp: machine.csr(at.hart, 'hgatp'),
  });
  const visits: Visit[] = [];
  const seen: SeenVm = { visits };
  if (vm.finished || !exit) return seen;
  visits.push({ ticks: exit.ticks, read: () => void (seen.exit = read(exit)) });
  if (entry) visits.push({ ticks: entry.ticks, read: () => void (seen.entry = read(entry)) });
  return seen;
}

function visitInOrder({ run }: JudgedRecovery, visits: readonly Visit[]): void {
  for (const { ticks, read } of visits.toSorted((a, b) => a.ticks - b.ticks)) {
    run.toTicks(ticks, 'pending');
    read();
  }
}

type MemoryVerdict = Pick<VmVerdict, 'pagesCompared' | 'memoryDifferences'>;

interface Compared {
  readonly from: number;
  readonly to: number;
  before?: VmMemory;
  after?: VmMemory;
}

/** Runs once from the first memory that is read to the last, and remembers what devices write on the way. */
function compareMemories(recovery: JudgedRecovery, seen: ReadonlyMap<JudgedVm, SeenVm>): Map<JudgedVm, MemoryVerdict> {
  const { run, hypervisor, frozen, resumed } = recovery;
  const { machine } = run;
  const compared = new Map<JudgedVm, Compared>();
  const visits: Visit[] = [];
  for (const [vm, { exit, entry }] of seen) {
    const before = vm.hgatp ?? exit?.hgatp;
    if (vm.finished || vm.memoryIsSame || before === undefined || resumed === undefined) continue;
    const from = Math.max(vm.exit?.ticks ?? 0, frozen);
    // A VM that ran on until after the resumption was not touched by the recovery before its exit.
    const to = from <= resumed ? resumed : (vm.entry?.ticks ?? from);
    const own: Compared = { from, to };
    compared.set(vm, own);
    visits.push({ ticks: from, read: () => void (own.before = readMemory(machine, before, machine.snapshot())) });
    visits.push({
      ticks: to,
      read: () => {
        const tables = listVms(machine, hypervisor).vms.find(({ vmid }) => vmid === vm.vmid)?.hgatp;
        own.after = readMemory(machine, tables ?? entry?.hgatp ?? before, machine.snapshot());
      },
    });
  }
  const transfers = observeTransfers(recovery, visits);
  return new Map([...compared].map(([vm, own]) => [vm, withoutTransfers(own, transfers)]));
}

interface Transfer {
  readonly ticks: number;
  /** Pages of physical memory. */
  readonly first: number;
  readonly last: number;
}

function observeTransfers({ run }: JudgedRecovery, visits: readonly Visit[]): Transfer[] {
  const transfers: Transfer[] = [];
  const inOrder = visits.toSorted((a, b) => a.ticks - b.ticks);
  if (inOrder[0]) run.toTicks(inOrder[0].ticks, 'pending');
  const { machine }: { machine: Machine } = run;
  machine.onEvent = (event) => {
    if (event.kind !== 'dma') return;
    const first = Math.floor(event.paddr / PAGE_BYTES);
    transfers.push({ ticks: event.ticks, first, last: Math.floor((event.paddr + event.bytes - 1) / PAGE_BYTES) });
  };
  try {
    for (const { ticks, read } of inOrder) {
      run.forwardToTicks(ticks, 'pending');
      read();
    }
  } finally {
    machine.onEvent = undefined;
  }
  return transfers;
}

function withoutTransfers({ from, to, before, after }: Compared, transfers: readonly Transfer[]): MemoryVerdict {
  const { pagesCompared, memoryDifferences } = compareMemory(before!, after!);
  const pageOf = (gpa: bigint) => RAM_BASE / PAGE_BYTES + before!.pages.get(gpa - (gpa % BigInt(PAGE_BYTES)))!;
  const isTransfer = (page: number) =>
    transfers.some(({ ticks, first, last }) => ticks > from && ticks <= to && page >= first && page <= last);
  return { pagesCompared, memoryDifferences: memoryDifferences.filter(({ gpa }) => !isTransfer(pageOf(gpa))) };
}

function verdictOf(
  { expected }: JudgedRecovery,
  vm: JudgedVm,
  seen: SeenVm,
  memory: MemoryVerdict | undefined,
): VmVerdict {
  const { vmid, name, exit, entry, finished } = vm;
  const { pagesCompared = 0, memoryDifferences = [] } = memory ?? {};
  const memoryEqual = !memory || (pagesCompared > 0 && memoryDifferences.length === 0);
  const common = {
    vmid,
    name,
    pagesCompared,
    memoryDifferences,
    exitMoment: exit?.moment,
    entryMoment: entry?.moment,
  };
  const nothing = { ...common, registerDifferences: [] };
  if (finished || !entry) {
    return {
      ...nothing,
      survived: finished,
      resumedAs: 'not-resumed',
      memoryEqual: finished,
      registersEqual: finished,
    };
  }
  // Entered for the first time after the recovery: there are no registers that it could have changed.
  if (!exit || !seen.exit || !seen.entry) {
    return { ...nothing, survived: true, resumedAs: 'unchanged', memoryEqual, registersEqual: true };
  }
  const differences = compareRegisters(seen.exit.registers, seen.entry.registers);
  const completed =
    differences.length > 0 && isCompletion(exit, differences, seen.entry.registers, expected?.(vm, exit));
  const registersEqual = differences.length === 0 || completed;
  return {
    ...common,
    survived: true,
    resumedAs: differences.length === 0 ? 'unchanged' : completed ? 'completed' : 'changed',
    memoryEqual,
    registersEqual,
    registerDifferences: registersEqual ? [] : differences,
  };
}

/** Exceptions by which a guest asks for something: ecall from VS, guest page faults (MMIO), virtual instruction. */
const ASKING: readonly number[] = [10, 20, 21, 22, 23];
const ECALL_FROM_VS = 10;

/**
 * A VM that waited with its request answered is entered behind the asking instruction. The golden run knows the
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
