/**
 * The judge of VM-state equivalence (design section 8): did a recovery leave every VM as it was? Used by `verify` on
 * traces and by injections alike. Works for any hypervisor: VMs are what hgatp names, their vCPUs what sscratch names,
 * their memory is found through their G-stage tables, their registers are read at the crossings themselves.
 *
 * Registers: at a vCPU's last exit before the recovery resumed it, against its first entry after. Memory, once per VM:
 * when all harts were frozen (or at its last exit, if later) against when the VMs were resumed. Not compared: what
 * GUEST_CSRS in state.ts leaves out, pages that are mapped at one of the two times only (a hypercall that maps or
 * unmaps may be completed by the recovery), and pages that a device wrote to in between (transfers go on while harts
 * stand still).
 */
import { hex, listVms, type Machine, type MachineSymbols, PAGE_BYTES, RAM_BASE } from '../../engine/index.ts';
import type { VmVerdict } from '../base/index.ts';
import type { Timeline } from '../timeline/index.ts';
import type { Crossing } from './crossings.ts';
import {
  type Expected,
  judgeRegisters,
  type KnownVcpus,
  type ReadVcpu,
  readVcpu,
  type ToldVcpus,
  tellVcpus,
  type Vcpu,
} from './registers.ts';
import { compareMemory, readMemory, type VmMemory } from './state.ts';

/** A VM before and after a recovery, as far as it is known beforehand. */
export interface JudgedVm extends KnownVcpus {
  readonly vmid: number;
  readonly name: string;
  /** It had ended by its own account before the recovery: nothing is compared. */
  readonly finished: boolean;
  /** It ends by its own account later on. */
  readonly finishes: boolean;
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
  /** What the golden run entered a VM with; the vCPU has an address if the VM's are told apart. */
  readonly expected?: (vm: JudgedVm, ...asked: Parameters<Expected>) => ReturnType<Expected>;
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
  return [
    ...lost.map(({ name }) => `${name} was never entered again after the recovery`),
    ...vms.flatMap(({ name, vcpusLost }) =>
      vcpusLost.map((vcpu) => `${name}: vCPU ${hex(vcpu)} was interrupted and never entered again after the recovery`),
    ),
    ...vms.filter(({ survived, registersEqual }) => survived && !registersEqual).flatMap(registerReasons),
    ...vms.flatMap(memoryReason),
    ...vms.flatMap(({ name, outputDifference }) => (outputDifference ? [`${name}: ${outputDifference}`] : [])),
  ];
}

function registerReasons({ name, resumedAs, registerDifferences }: VmVerdict): string[] {
  return [...Map.groupBy(registerDifferences, ({ vcpu }) => vcpu)].map(([vcpu, differences]) => {
    const names = differences.map((at) => at.name).join(', ');
    if (resumedAs === 'unknown') {
      return `${name}: its vCPUs cannot be told apart: its next entry differs from its last exit in ${names}`;
    }
    return `${vcpu === undefined ? name : `${name}: vCPU ${hex(vcpu)}`}: ${names} changed`;
  });
}

function memoryReason({ name, survived, memoryEqual, memoryDifferences: words }: VmVerdict): string[] {
  const [first] = words;
  if (!first) return survived && !memoryEqual ? [`${name}: no page is mapped as before`] : [];
  const many = `${words.length} ${words.length === 1 ? 'word' : 'words'}`;
  return [`${name}: ${many} of memory changed, the first at gpa ${hex(first.gpa)}`];
}

/** What a VM's vCPUs had at their crossings. */
interface SeenVm {
  readonly vcpus: ToldVcpus;
  readonly read: ReadonlyMap<Vcpu, { exit?: ReadVcpu; entry?: ReadVcpu }>;
  readonly visits: readonly Visit[];
}

interface Visit {
  readonly ticks: number;
  readonly read: () => void;
}

function readCrossings({ run: { machine }, vms }: JudgedRecovery, vm: JudgedVm): SeenVm {
  const vcpus = tellVcpus(vm, vms);
  const visits: Visit[] = [];
  const read = new Map<Vcpu, { exit?: ReadVcpu; entry?: ReadVcpu }>();
  for (const vcpu of vm.finished ? [] : vcpus.list) {
    const { exit, entry } = vcpu;
    if (!exit) continue;
    const own: { exit?: ReadVcpu; entry?: ReadVcpu } = {};
    read.set(vcpu, own);
    visits.push({ ticks: exit.ticks, read: () => void (own.exit = readVcpu(machine, exit)) });
    if (entry) visits.push({ ticks: entry.ticks, read: () => void (own.entry = readVcpu(machine, entry)) });
  }
  return { vcpus, read, visits };
}

/** The last exit of any of its vCPUs before it was entered, and the first entry of any. */
function spanOf({ list }: ToldVcpus): { readonly exit: Crossing | undefined; readonly entry: Crossing | undefined } {
  const byTime = (crossings: readonly (Crossing | undefined)[]) =>
    crossings.filter((at) => at !== undefined).toSorted((a, b) => a.ticks - b.ticks);
  return { exit: byTime(list.map(({ exit }) => exit)).at(-1), entry: byTime(list.map(({ entry }) => entry))[0] };
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
  for (const [vm, { vcpus, read }] of seen) {
    const { exit, entry } = spanOf(vcpus);
    const tablesAt = (kind: 'exit' | 'entry') => [...read.values()].find((own) => own[kind])?.[kind]?.hgatp;
    const before = vm.hgatp ?? tablesAt('exit');
    if (vm.finished || vm.memoryIsSame || before === undefined || resumed === undefined) continue;
    const from = Math.max(exit?.ticks ?? 0, frozen);
    // A VM that ran on until after the resumption was not touched by the recovery before its exit.
    const to = from <= resumed ? resumed : Math.max(from, entry?.ticks ?? from);
    const own: Compared = { from, to };
    compared.set(vm, own);
    visits.push({ ticks: from, read: () => void (own.before = readMemory(machine, before, machine.snapshot())) });
    visits.push({
      ticks: to,
      read: () => {
        const tables = listVms(machine, hypervisor).vms.find(({ vmid }) => vmid === vm.vmid)?.hgatp;
        own.after = readMemory(machine, tables ?? tablesAt('entry') ?? before, machine.snapshot());
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
  { vcpus, read }: SeenVm,
  memory: MemoryVerdict | undefined,
): VmVerdict {
  const { vmid, name, finished, finishes } = vm;
  const { pagesCompared = 0, memoryDifferences = [] } = memory ?? {};
  const { exit, entry } = spanOf(vcpus);
  const common = {
    vmid,
    name,
    pagesCompared,
    memoryDifferences,
    exitMoment: exit?.moment,
    entryMoment: entry?.moment,
  };
  if (finished || !entry) {
    const nothing = { vcpusCompared: 0, vcpusLost: [], registersEqual: finished, registerDifferences: [] };
    return { ...common, survived: finished, resumedAs: 'not-resumed', memoryEqual: finished, ...nothing };
  }
  const memoryEqual = !memory || (pagesCompared > 0 && memoryDifferences.length === 0);
  const registers = judgeRegisters(vcpus, read, finishes, expected && ((...asked) => expected(vm, ...asked)));
  return { ...common, survived: true, memoryEqual, ...registers };
}
