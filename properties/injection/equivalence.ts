/**
 * VM-state equivalence of an injected run: each VM's memory when all harts were frozen against when its VMs resumed, and
 * its registers at its last exit before against its first entry after. Runs the stretch in between once more to stop at
 * those places. Relies on the comparisons and the mask of replay's vmEquivalence. Not compared, besides: pages that a
 * device wrote to in between (transfers go on while harts stand still), and pages that are mapped at one time only (a
 * hypercall that maps or unmaps may be completed by the recovery).
 */
import { hex, listVms, NOTES, RAM_BASE, type Snapshot } from '../../engine/index.ts';
import {
  compareMemory,
  compareRegisters,
  isCompletion,
  readMemory,
  readRegisters,
  type VmRegisters,
} from '../../replay/index.ts';
import type { Driver } from './driver.ts';
import { type GoldenRun, type KnownVm, pointBefore } from './golden.ts';
import type { RunLog, VmCrossing } from './observe.ts';
import type { MemoryAcross } from './run.ts';
import type { EquivalenceSummary, Hit } from './types.ts';

/** Judges the first recovery of a run. `start`: the state right after the fault was applied. */
export function judgeEquivalence(
  golden: GoldenRun,
  driver: Driver,
  start: Snapshot,
  hit: Hit,
  log: RunLog,
  memory: readonly MemoryAcross[],
): EquivalenceSummary {
  const frozen = log.note('FROZEN', hit.ticks)?.ticks ?? hit.ticks;
  const resumed = log.note('RESUMED', hit.ticks)!.ticks;
  const reasons: string[] = [];
  const changed: KnownVm[] = [];
  const visits = new Visits(golden, driver, start, hit);
  for (const { vm, frozen: before, resumed: after } of memory) {
    const finished = log.notes.some((note) => isEnd(note.code) && note.arg === vm.vmid && note.ticks <= frozen);
    if (finished) continue;
    if (after !== undefined && after !== before) changed.push(vm);
    const { exit, entry } = around(log.crossings, vm.vmid, resumed);
    if (!entry) reasons.push(`${vm.name} was never entered again after the recovery`);
    // Without an exit the VM had not run before: there is no state that could have changed.
    else if (exit) visits.add(vm.name, exit, entry);
  }
  reasons.push(...visits.compare());
  if (changed.length > 0) reasons.push(...memoryChanges(golden, driver, start, [frozen, resumed], changed));
  return { equivalent: reasons.length === 0, reasons };
}

/** Which words of the VMs' memories are not at the second virtual time what they were at the first. */
function memoryChanges(
  golden: GoldenRun,
  driver: Driver,
  start: Snapshot,
  [frozen, resumed]: readonly [number, number],
  vms: readonly KnownVm[],
): string[] {
  const { machine } = driver;
  const transferred = new Set<number>();
  driver.restore(start);
  driver.to(frozen);
  const atFreeze = machine.snapshot();
  const before = vms.map(({ hgatp }) => readMemory(machine, hgatp, atFreeze));
  machine.onEvent = (event) => {
    if (event.kind !== 'dma') return;
    for (let page = Math.floor(event.paddr / PAGE); page <= (event.paddr + event.bytes - 1) / PAGE; page++)
      transferred.add(page);
  };
  driver.to(resumed);
  machine.onEvent = undefined;
  const { vms: now } = listVms(machine, golden.booted.symbols.hypervisor);
  const atResumption = machine.snapshot();
  return vms.flatMap(({ name, vmid, hgatp }, n) => {
    const tables = now.find((vm) => vm.vmid === vmid)?.hgatp ?? hgatp;
    const { memoryDifferences } = compareMemory(before[n]!, readMemory(machine, tables, atResumption));
    const pageOf = (gpa: bigint) => RAM_BASE / PAGE + before[n]!.pages.get(gpa - (gpa % BigInt(PAGE)))!;
    const words = memoryDifferences.filter(({ gpa }) => !transferred.has(pageOf(gpa)));
    if (words.length === 0) return [];
    return [
      `${name}: ${words.length} ${words.length === 1 ? 'word' : 'words'} of memory changed, the first at gpa ${hex(words[0]!.gpa)}`,
    ];
  });
}

const PAGE = 4096;
const isEnd = (code: number): boolean => code === NOTES.VM_DONE.code;

/** The last exit of a VM before its first entry after the resumption. */
function around(
  crossings: readonly VmCrossing[],
  vmid: number,
  resumed: number,
): { readonly exit: VmCrossing | undefined; readonly entry: VmCrossing | undefined } {
  const own = crossings.filter((crossing) => crossing.vmid === vmid);
  const at = own.findIndex(({ kind, ticks }) => kind === 'entry' && ticks > resumed);
  const exit = own.slice(0, at < 0 ? 0 : at).findLast(({ kind }) => kind === 'exit');
  return { exit, entry: own[at] };
}

interface Pair {
  readonly vm: string;
  readonly exit: VmCrossing;
  before?: VmRegisters;
  after?: VmRegisters;
  /** What the golden run entered the VM with after the same exit; it knows only exits before the fault. */
  expected?: VmRegisters;
}

/** Crossings to be visited again, in order of time: before the fault on the golden run, then on the injected one. */
class Visits {
  readonly #golden: GoldenRun;
  readonly #driver: Driver;
  readonly #start: Snapshot;
  readonly #hit: Hit;
  readonly #pairs: Pair[] = [];
  readonly #stops: {
    readonly at: VmCrossing;
    readonly injected: boolean;
    readonly see: (seen: VmRegisters) => void;
  }[] = [];

  constructor(golden: GoldenRun, driver: Driver, start: Snapshot, hit: Hit) {
    this.#golden = golden;
    this.#driver = driver;
    this.#start = start;
    this.#hit = hit;
  }

  add(vm: string, exit: VmCrossing, entry: VmCrossing): void {
    const pair: Pair = { vm, exit };
    this.#pairs.push(pair);
    const injected = exit.ticks > this.#hit.ticks;
    this.#stops.push({ at: exit, injected, see: (seen) => void (pair.before = seen) });
    this.#stops.push({ at: entry, injected: true, see: (seen) => void (pair.after = seen) });
    if (injected) return;
    const isAnswer = (crossing: VmCrossing) =>
      crossing.kind === 'entry' && crossing.vmid === exit.vmid && crossing.ticks > exit.ticks;
    const answer = this.#golden.log.crossings.find(isAnswer);
    if (answer) this.#stops.push({ at: answer, injected: false, see: (seen) => void (pair.expected = seen) });
  }

  /** Reasons, one line for each VM that was entered with other registers than it was left with. */
  compare(): string[] {
    this.#visit();
    return this.#pairs.flatMap(({ vm, exit, before, after, expected }) => {
      const differences = before && after ? compareRegisters(before, after) : [];
      if (!after || differences.length === 0 || isCompletion(exit, differences, after, expected)) return [];
      return [`${vm}: ${differences.map(({ name }) => name).join(', ')} changed`];
    });
  }

  #visit(): void {
    const driver = this.#driver;
    const { machine } = driver;
    machine.onEvent = undefined;
    const inOrder = (injected: boolean) =>
      this.#stops.filter((stop) => stop.injected === injected).sort((a, b) => a.at.ticks - b.at.ticks);
    let here = -1;
    for (const { at, see } of inOrder(false)) {
      const point = pointBefore(this.#golden, at.ticks);
      // Forward from where the visit before ended, unless a snapshot is nearer.
      if (here < 0 || point.ticks > here) driver.restore(point.snapshot);
      driver.to(at.ticks);
      here = machine.ticks;
      see(readRegisters(machine, at));
    }
    const injected = inOrder(true);
    if (injected.length > 0) driver.restore(this.#start);
    for (const { at, see } of injected) {
      driver.to(at.ticks);
      see(readRegisters(machine, at));
    }
  }
}
