/**
 * Runs one injection: to its trigger, with the fault, and on until the run is the golden run again, ends, or hangs;
 * then judges it. Deterministic: equal golden runs and injections give equal results, on any machine and in any order.
 * Relies on the golden run's machine being free; leaves it in any state.
 */
import { compareStates, type Machine, resolveFault, type StopReason, vmDigests } from '../../../engine/index.ts';
import { Crossings } from '../../../replay/index.ts';
import { judgeEquivalence, type MemoryAcross } from './equivalence.ts';
import { type GoldenPoint, type GoldenRun, pointBefore } from './golden.ts';
import { brokenIsolation, vmStatuses } from './isolation.ts';
import { type Ending, RunLog } from './observe.ts';
import { findSecond } from './second.ts';
import { describeHit } from './target.ts';
import { goToTrigger } from './trigger.ts';
import type { Hit, Injection, InjectionResult } from './types.ts';
import { judge, notReached } from './verdict.ts';

export interface InjectionOptions {
  /** Leaves VM-state equivalence out, which costs about as long again as the recovery. */
  readonly withoutEquivalence?: boolean;
}

/** One injection from plan to verdict. @throws UserError for a trigger or a fault that cannot be in this set-up */
export function runInjection(golden: GoldenRun, injection: Injection, options: InjectionOptions = {}): InjectionResult {
  if (!goToTrigger(golden, injection.trigger)) return notReached(golden);
  const { machine, player } = golden.booted;
  const { symbols } = golden.booted;
  const fault = resolveFault(machine, injection.fault);
  const hit = describeHit(machine, symbols, fault);
  machine.apply({ kind: 'fault', fault });
  golden.timeline.leave();
  const start = { ...machine.snapshot(), applied: player.applied };
  const second = injection.second && findSecond(golden, start, injection.second);
  const struck = second?.golden ?? golden;
  if (second) struck.booted.player.restore(start, start.applied);
  const run = runOn(struck, hit, second?.result.hit ?? hit);
  const ending: Ending = {
    ...run,
    moment: machine.moment,
    ticks: machine.ticks,
    digest: run.converged ? golden.end.digest : machine.digest(),
    ...(run.converged
      ? { isolation: [], statuses: new Map() }
      : { isolation: brokenIsolation(machine, golden), statuses: vmStatuses(machine, symbols) }),
    isGolden: run.converged || isGoldenState(machine, golden),
  };
  const equivalence =
    run.converged || options.withoutEquivalence || !run.log.note('RESUMED', hit.ticks)
      ? undefined
      : judgeEquivalence(golden, start, hit, run.log, run.memory, struck.timeline.player);
  return judge(golden, hit, ending, equivalence, second?.result);
}

interface RunOn {
  readonly log: RunLog;
  readonly stop: StopReason;
  readonly converged: boolean;
  readonly memory: readonly MemoryAcross[];
}

/** `last`: the last fault that strikes, from which on the run can become the golden run again. */
function runOn(golden: GoldenRun, hit: Hit, last: Hit): RunOn {
  const { machine } = golden.booted;
  const log = pastUntil(golden, hit);
  const memory: MemoryAcross[] = [];
  machine.onEvent = (event) => {
    log.add(event);
    if (event.kind === 'note') watchMemory(golden, machine, log, hit, memory);
  };
  try {
    const { met, stop } = toEnd(golden, log, hit, last);
    return { log: met ? log.continuedAs(golden.log, met.log) : log, memory, stop, converged: met !== undefined };
  } finally {
    machine.onEvent = undefined;
    machine.observed = { ...machine.observed, transitions: 'vm' };
  }
}

/** `met`: where the run is the golden run again, and was not run further. */
function toEnd(golden: GoldenRun, log: RunLog, hit: Hit, lastHit: Hit): { stop: StopReason; met?: GoldenPoint } {
  const { machine, player } = golden.booted;
  const last = golden.end.ticks + golden.setup.graceTicks;
  for (const point of golden.points) {
    if (point.ticks <= lastHit.ticks) continue;
    const stop = player.advance({ ticks: point.ticks }, 'pending');
    if (!log.detected && isAt(machine, point)) return { stop: golden.stop, met: point };
    if (stop.kind !== 'ticks') return { stop };
    // Recovery leaves traces for ever: from a detection on there is nothing to meet again.
    if (log.detected) break;
  }
  // What VMs do is of interest until each vCPU has been entered again.
  const allEntered = waitForVcpus(golden, log, hit);
  while (machine.ticks < last && !allEntered()) {
    const stop = player.advance({ ticks: Math.min(machine.ticks + CROSSINGS_TICKS, last) }, 'pending');
    if (stop.kind !== 'ticks') return { stop };
  }
  machine.observed = { ...machine.observed, transitions: 'none' };
  return { stop: player.advance({ ticks: last }, 'pending') };
}

/** Virtual time run between two looks whether every vCPU has been entered. */
const CROSSINGS_TICKS = 1_000_000;

/**
 * Says, whenever asked, whether every VM that there was at the fault has finished, or all its vCPUs that ever ran have
 * been entered after the first recovery. One that its guest has stopped is waited for until its VM has finished.
 */
function waitForVcpus(golden: GoldenRun, log: RunLog, hit: Hit): () => boolean {
  let crossings: Crossings | undefined;
  let told = 0;
  return () => {
    const resumed = log.note('RESUMED', hit.ticks);
    if (!resumed) return false;
    crossings ??= new Crossings([resumed]);
    for (; told < log.crossings.length; told++) crossings.add(log.crossings[told]!);
    const finished = log.finished();
    const vmids = pointBefore(golden, hit.ticks).vms.map(({ vmid }) => vmid);
    return crossings.areAllEntered(vmids.filter((vmid) => !finished.has(vmid)));
  };
}

/** Whether this is the golden run's state: from here on the two are one. */
const isAt = (machine: Machine, { moment, ticks, snapshot }: GoldenPoint): boolean =>
  machine.moment === moment && machine.ticks === ticks && machine.digest() === snapshot.digest;

/**
 * Whether the machine ends as the golden run did. Not compared: the record of injected faults that still wait, which is
 * the testbed's, not the machine's; a fault that never found its occasion was never there.
 */
function isGoldenState(machine: Machine, golden: GoldenRun): boolean {
  if (machine.ticks !== golden.end.ticks || machine.moment !== golden.end.moment) return false;
  if (machine.digest() === golden.end.digest) return true;
  const differences = compareStates(machine.snapshot(), golden.points.at(-1)!.snapshot, golden.booted.config);
  return differences.every(({ where }) => where.startsWith('faults.'));
}

/** The golden run's log up to the hit. */
function pastUntil(golden: GoldenRun, { ticks }: Hit): RunLog {
  const before = golden.log;
  const count = (list: readonly { readonly ticks: number }[], from: number) => {
    let n = from;
    while (n < list.length && list[n]!.ticks <= ticks) n++;
    return n;
  };
  const point = pointBefore(golden, ticks);
  return new RunLog(before, {
    console: count(before.console, point.log.console),
    notes: count(before.notes, point.log.notes),
    crossings: count(before.crossings, point.log.crossings),
    frames: count(before.frames, point.log.frames),
  });
}

/**
 * Digests of the VMs' memories, taken at the very notes that mark freeze and resumption; of the first recovery only.
 */
function watchMemory(golden: GoldenRun, machine: Machine, log: RunLog, hit: Hit, memory: MemoryAcross[]): void {
  const frozen = log.note('FROZEN', hit.ticks);
  const last = log.notes.at(-1);
  if (frozen !== undefined && last === frozen) {
    for (const vm of pointBefore(golden, hit.ticks).vms) memory.push({ vm, frozen: machine.guestDigest(vm.hgatp) });
  } else if (last === log.note('RESUMED', hit.ticks)) {
    // A VM may have got other tables, which must map the same content.
    const now = new Map(vmDigests(machine, golden.booted.symbols.hypervisor).map(({ vmid, digest }) => [vmid, digest]));
    for (const across of memory) across.resumed = now.get(across.vm.vmid) ?? machine.guestDigest(across.vm.hgatp);
  }
}
