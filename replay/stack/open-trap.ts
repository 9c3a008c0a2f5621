/**
 * The trap in whose handling code is: the last one to its mode that has not returned. Found in the run's history, from
 * the present back, for hypervisors switch stacks and registers, and only the run knows what was there before.
 * Relies on a return from a mode ending the last trap to it. A vCPU is followed from hart to hart, if its hypervisor
 * keeps its address in sscratch.
 */
import { insideVm, type Mode, RESET_NOTE } from '../../engine/index.ts';
import {
  type Observer,
  observe,
  type SearchedRun,
  type Slices,
  type Transition,
  windowsBefore,
} from '../search/index.ts';

/** How code in a mode came to be executed. */
export interface Entry {
  /** `anew`: firmware has returned to another place than it was called from; what was there before is over. */
  readonly kind: 'trap' | 'anew';
  /** The mode that handles it. */
  readonly mode: Mode;
  /** The trap; or the return. It happened right before its ticks. */
  readonly transition: Transition;
}

/** Bytes that firmware goes on behind a trap, when it has done what the instruction asks for. */
const SKIPPED: readonly bigint[] = [0n, 2n, 4n];
/** Modes by their privilege. */
const PRIVILEGE: readonly Mode[] = ['VU', 'U', 'VS', 'HS', 'M'];
/** Traps without a return that are remembered: a hart that traps for ever makes any number. */
const MAX_OPEN = 4_096;

/**
 * How the code came to be executed in which a hart is; the machine stands somewhere else afterwards.
 * undefined: since the run began, or since what is more privileged entered it first.
 * @throws TraceError when the run leaves its recording
 */
export function* openTrap(run: SearchedRun, hart: number): Slices<Entry | undefined> {
  const origin = run.place;
  const { mode } = run.machine.hart(hart);
  let later: History | undefined;
  for (const { start, end } of windowsBefore(run, origin)) {
    const history = new History(hart);
    run.toTicks(start.ticks, start.here);
    const observer: Observer = {
      transitions: 'all',
      seen: (event) => {
        if (event.kind === 'transition') history.feed(event);
        else if (event.kind === 'note' && event.code === RESET_NOTE) history.reset();
        return undefined;
      },
    };
    yield* observe(run, end, observer, () => false);
    if (later) history.append(later);
    const found = history.last(mode);
    if (found || history.isOver) return found;
    later = history;
  }
  return undefined;
}

/** Traps that are open behind a stretch of a run, of one hart and of vCPUs. */
export class History {
  /** Nothing of what was before matters: the machine was reset. */
  isOver = false;
  private readonly hart: number;
  /** By vCPU; `host`: the hart's own. */
  private readonly open = new Map<string, Entry[]>();
  /** Returns from traps before the stretch. */
  private readonly returns: Transition[] = [];
  /** Which vCPU the hart executed last. */
  private vcpu: string | undefined;

  constructor(hart: number) {
    this.hart = hart;
  }

  feed(event: Transition): void {
    const { from, to, trap } = event;
    if (event.hart === this.hart && (insideVm(from) || insideVm(to))) this.vcpu = vcpuOf(event);
    const inside = insideVm(from) && insideVm(to);
    if (!inside && event.hart !== this.hart) return;
    const who = inside ? vcpuOf(event) : HOST;
    if (trap) {
      this.push(who, { kind: 'trap', mode: to, transition: event });
      return;
    }
    // What a reset does to harts.
    if (to === 'M' && from !== 'M') return;
    const entries = this.open.get(who) ?? [];
    const at = entries.findLastIndex(({ mode }) => mode === from);
    if (at < 0) {
      this.returns.push(event);
      return;
    }
    const [ended] = entries.splice(at, 1);
    this.returned(ended!, event);
  }

  /** The machine was reset. */
  reset(): void {
    this.open.clear();
    this.returns.length = 0;
    this.isOver = true;
  }

  /** What came right behind. */
  append(later: History): void {
    for (const event of later.returns) this.feed(event);
    for (const [who, entries] of later.open) for (const entry of entries) this.push(who, entry);
    this.vcpu = later.vcpu ?? this.vcpu;
  }

  /** The last that a mode handles. */
  last(mode: Mode): Entry | undefined {
    const who = insideVm(mode) ? this.vcpu : HOST;
    return who === undefined ? undefined : this.open.get(who)?.findLast((entry) => entry.mode === mode);
  }

  private returned({ kind, transition: before }: Entry, event: Transition): void {
    const { from, to, pc } = event;
    if (kind !== 'trap') return;
    const isSame = !insideVm(to) || vcpuOf(before) === vcpuOf(event);
    const who = insideVm(to) ? vcpuOf(event) : HOST;
    if (before.from !== to) {
      // Who handled the trap has handed it down.
      const isHandedDown = isSame && PRIVILEGE.indexOf(before.from) < PRIVILEGE.indexOf(to);
      if (isHandedDown) this.push(who, { kind: 'trap', mode: to, transition: before });
    } else if (from === 'M' && !SKIPPED.includes(BigInt.asUintN(64, pc - before.pc))) {
      this.push(who, { kind: 'anew', mode: to, transition: event });
    }
  }

  private push(who: string, entry: Entry): void {
    const entries = this.open.get(who) ?? [];
    entries.push(entry);
    if (entries.length > MAX_OPEN) entries.splice(0, MAX_OPEN / 2);
    this.open.set(who, entries);
  }
}

const HOST = 'host';

/** Of a transition inside a VM, into it, or out of it. */
const vcpuOf = ({ vmid, context, hart }: Transition): string => `${vmid} ${context === 0n ? `hart ${hart}` : context}`;
